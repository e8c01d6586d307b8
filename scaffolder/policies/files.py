"""The copy of a catalog's policies that a project keeps: how it is written, read, and held to what was written.

May not write a file: it gives bytes to whoever writes projects. May not know a catalog's other keys.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path as File

from scaffolder.errors import Finding
from scaffolder.policies.model import Policy, PolicyFile, Regions
from scaffolder.policies.place import POLICY_FILE, PROJECT_RECORD, Place
from scaffolder.policies.rules import check_policies
from scaffolder.spec.fields import Section, default_of, keys_of, read
from scaffolder.spec.nodes import Mark, Report
from scaffolder.spec.source import LARGEST_BYTES, parse_source
from stacks.record import record

__all__ = ["Kept", "digest_of", "parse_policies", "policy_file", "read_kept"]

RECORDED = "policies"
DIGEST = "digest"
START = Mark(1, 1)
REPAIR = (
    f"Take {POLICY_FILE} and {PROJECT_RECORD} from version control as they were, or run `scaffolder update`."
)


@record
class Kept:
    """The policies that a project keeps, and what is wrong with its copy."""

    policies: tuple[Policy, ...] = ()
    findings: tuple[Finding, ...] = ()


def policy_file(catalog: str, policies: Sequence[Policy]) -> bytes:
    """Write a project's copy; the same policies give the same bytes."""
    lines = [
        f"# Policies of the catalog {catalog}, which platform.yaml is held to. Written by Scaffolder: do not edit;",
        "# `scaffolder update` brings the catalog's newer ones.",
        "version: 1",
        f"catalog: {catalog}",
        "policies:" if policies else "policies: []",
    ]
    for policy in policies:
        lines += [
            f"{'    ' if number else '  - '}{line}" for number, line in enumerate(_lines(Policy, policy))
        ]
    return "".join(f"{line}\n" for line in lines).encode()


def _lines(model: type[object], value: object) -> Sequence[str]:
    keys = {name: (getattr(value, name), default_of(key)) for name, key in keys_of(model).items()}
    return [f"{name}: {_text(given)}" for name, (given, default) in keys.items() if _plain(given) != default]


def _text(value: object) -> str:
    return json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: object) -> object:
    match value:
        case Regions():
            return {name: list(named) for name in keys_of(Regions) if (named := getattr(value, name))}
        case Mapping():
            return dict(value)
        case tuple():
            return list(value)
        case _:
            return value


def digest_of(content: bytes) -> str:
    """``sha256:`` and 64 hex digits of a copy; line endings do not count, since git may change them."""
    plain = content.replace(b"\r\n", b"\n")
    return f"sha256:{hashlib.sha256(plain).hexdigest()}"


def parse_policies(text: str, file: str) -> Kept:
    """Read a copy's text; ``file`` is what findings call it."""
    report = Report(file, "the policy file")
    tree = parse_source(text, report)
    value = None if tree is None else read(Section(PolicyFile), tree, (), report)
    if tree is None or not isinstance(value, PolicyFile):
        return Kept(findings=tuple(report.findings))
    check_policies(value.policies, tree, ("policies",), report)
    return Kept(policies=value.policies, findings=tuple(report.findings))


def read_kept(place: Place, spec: str) -> Kept:
    """Read a project's copy, and compare it with what the project's record says was written.

    Findings name the files as the spec is named: from the current folder on, unless its path is absolute.
    """
    shown = _shown(place.folder, POLICY_FILE, spec)
    recorded = _recorded(File(place.folder) / PROJECT_RECORD) if place.record else None
    if not place.copy:
        return Kept(findings=(_gone(_shown(place.folder, PROJECT_RECORD, spec)),) if recorded else ())
    try:
        with (File(place.folder) / POLICY_FILE).open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
        kept = parse_policies(content.decode("utf-8"), shown)
    except OSError as error:
        return Kept(
            findings=(_finding(shown, "file", f"the policies cannot be read: {error.strerror}", REPAIR),)
        )
    except UnicodeDecodeError:
        return Kept(findings=(_finding(shown, "encoding", "the policies are not UTF-8", REPAIR),))
    if recorded is None or recorded == digest_of(content):
        return kept
    edited = f"the policies are not those that Scaffolder wrote: {PROJECT_RECORD} has another digest for them"
    return Kept(
        policies=kept.policies, findings=(*kept.findings, _finding(shown, "policies-edited", edited, REPAIR))
    )


def _recorded(file: File) -> str | None:
    """The digest in a project's record; ``None`` where it has none or is no record: then nothing can be compared."""
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    told = document.get(RECORDED) if isinstance(document, dict) else None
    digest = told.get(DIGEST) if isinstance(told, dict) else None
    return digest if isinstance(digest, str) else None


def _gone(shown: str) -> Finding:
    message = f"the project was made under policies, and their copy {POLICY_FILE} is not there"
    return _finding(shown, "policies-edited", message, REPAIR)


def _finding(file: str, code: str, message: str, hint: str) -> Finding:
    return Finding(
        file=file, line=START.line, column=START.column, code=code, path="", message=message, hint=hint
    )


def _shown(folder: str, name: str, spec: str) -> str:
    path = os.path.join(folder, name)  # noqa: PTH118
    return path if os.path.isabs(spec) else os.path.relpath(path)  # noqa: PTH117
