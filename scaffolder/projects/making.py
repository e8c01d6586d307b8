"""Makes a project: a template and its parts, rendered, recorded and put in its place.

May not ask a question itself, nor know how a template is spelt on a command line.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Final

from scaffolder.errors import Finding, ScaffolderError, SpecError, UsageError
from scaffolder.policies.place import POLICY_FILE
from scaffolder.projects.answering import Given
from scaffolder.projects.choosing import Chosen, opened_part
from scaffolder.projects.jinja import Chance
from scaffolder.projects.layers import Ask, Planned, Planning, layer_of, plan_layers, render_layers, words_of
from scaffolder.projects.placing import place, refuse_occupied, write_tree
from scaffolder.projects.record import RECORD, Layer, Record, record_bytes
from scaffolder.projects.sources import Folder, parse_source, recorded_text
from scaffolder.projects.template import Template
from scaffolder.projects.tree import File, Tree, union
from stacks.record import record

__all__ = [
    "SPEC",
    "Made",
    "breaches_of",
    "chance_now",
    "check_spec",
    "make_project",
    "recorded",
    "recorded_place",
    "slug_of",
    "suggestions",
    "tool_files",
]

SPEC: Final = "platform.yaml"


@record
class Made:
    """A project: its folder, its layers, and its files by path, sorted; where its spec breaks its policies; what to do next."""

    folder: Path
    layers: tuple[Planned, ...]
    tree: Tree
    next: str
    breaches: tuple[Finding, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(self.tree)


def make_project(
    folder: Path,
    chosen: Chosen,
    *,
    version: str,
    given: Mapping[str, Given],
    ask: Ask | None = None,
    dry_run: bool = False,
    called: str = "",
) -> Made:
    """Make a project in ``folder``, which must not be there or be empty; ``dry_run`` makes nothing.

    ``called`` is what the user calls the folder, in what is said to do next.

    Raises:
        OutputFolderError: the folder holds something, or cannot be made.
        UsageError: answers do not fit, or make a spec that its target refuses.
        TemplateError: the template cannot be rendered.
    """
    refuse_occupied(folder)
    slug = slug_of(folder)
    planning = Planning(
        open_part=opened_part(chosen),
        chance_of=lambda _template: chance_now(),
        slug=slug,
        suggested={**chosen.defaults, **suggestions(chosen.template, folder)},
        ask=ask,
    )
    layers = plan_layers(chosen.template, planning, given, {}, trusted=chosen.trust.over(chosen.template))
    kept = Record(
        project=slug,
        scaffolder_version=version,
        layers=tuple(recorded(layer, folder) for layer in layers),
        catalog=recorded_place(chosen.catalog, folder),
        policies=chosen.policies,
    )
    tree = union((render_layers(layers, slug, version), tool_files(kept, chosen.policy_file)))
    breaches = check_spec(tree)
    first = layers[0]
    steps = words_of(
        first.template,
        first.template.manifest.next,
        {**first.answers, "folder": shlex.quote(called or str(folder))},
    )
    if not dry_run:
        place(tree, folder)
    return Made(folder=folder, layers=layers, tree=tree, next=steps, breaches=breaches)


def recorded(layer: Planned, folder: Path) -> Layer:
    """A layer as the project's record has it."""
    return layer_of(layer, recorded_text(parse_source(layer.template.source), folder))


def recorded_place(catalog: str, folder: Path) -> str:
    """Where a catalog is, as a project's record has it: a path on this machine as it is seen from the project."""
    return recorded_text(Folder(path=Path(catalog)), folder) if Path(catalog).is_absolute() else catalog


def tool_files(kept: Record, policies: bytes) -> Tree:
    """The files that this program owns in a project: its record, and the policies that it is held to."""
    files = {RECORD: File(content=record_bytes(kept))}
    if policies:
        files[POLICY_FILE] = File(content=policies)
    return MappingProxyType(files)


def chance_now() -> Chance:
    """A seed that nobody else has, and this moment, for a template that asks for something random or for the time."""
    moment = datetime.now(UTC).replace(microsecond=0)
    return Chance(seed=secrets.token_hex(16), moment=moment.isoformat())


def slug_of(folder: Path) -> str:
    """The project's name in its own files: its folder's, as far as files of every kind can hold that."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", folder.name).strip("-.")
    return slug or "project"


def suggestions(template: Template, folder: Path) -> Mapping[str, Given]:
    """What the folder's name suggests for the question ``name``: itself, without the template's name at its end."""
    slug = re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-").removesuffix(f"-{template.name}")
    return {"name": slug} if slug else {}


def check_spec(tree: Tree) -> tuple[Finding, ...]:
    """Hold a project that has a platform spec to it: what only the target knows (its regions) shows here.

    Returns where the spec breaks the policies that the project carries: no question can mend that, and `validate`
    refuses it until its owners do.

    Raises:
        UsageError: the spec has other findings; all of them.
    """
    if SPEC not in tree:
        return ()
    from scaffolder.pipeline import check, synthesize  # noqa: PLC0415 - not every project has a spec

    with TemporaryDirectory(prefix="scaffolder-new-") as scratch:
        folder = Path(scratch, "project")
        write_tree(tree, folder)
        try:
            synthesize(folder / SPEC, policies=())
        except SpecError as error:
            lines = [
                line for item in error.findings for line in (item.message, f"  {item.hint}") if line.strip()
            ]
            told = "\n".join(lines)
            raise UsageError(f"the answers make no valid platform:\n{told}") from error
        if POLICY_FILE not in tree:
            return ()
        try:
            check(folder / SPEC)
        except SpecError as error:
            breaches = [item for item in error.findings if item.severity == "error"]
            return tuple(replace(item, file=os.path.relpath(item.file, folder)) for item in breaches)
    return ()


def breaches_of(project: Path) -> tuple[Finding, ...]:
    """Where the spec of a project on the disk breaks the policies that the project carries.

    What else is wrong with it, such as a conflict's markers, is for `validate` to say.
    """
    spec = project / SPEC
    if not spec.is_file() or not (project / POLICY_FILE).is_file():
        return ()
    from scaffolder.pipeline import check  # noqa: PLC0415 - few projects have policies
    from scaffolder.policies.breaches import POLICY  # noqa: PLC0415

    try:
        check(Path(os.path.relpath(spec)))
    except SpecError as error:
        return tuple(item for item in error.findings if item.code == POLICY)
    except ScaffolderError:
        pass
    return ()
