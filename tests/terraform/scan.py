"""Runs checkov over a folder and reads what failed. May not judge it."""

from __future__ import annotations

import json
import subprocess
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

__all__ = ["Accepted", "Failure", "Scan", "accepted_checks", "scan", "unaccepted"]

ACCEPTED = Path(__file__).parent / "checkov_accepted.toml"


@dataclass(frozen=True, slots=True, order=True)
class Failure:
    """A failed check. ``resource`` is ``<concern of the stack>:<name of the node>``."""

    check: str
    resource: str


@dataclass(frozen=True, slots=True)
class Scan:
    """What checkov found: how many checks passed, how many files it could not read, and what failed."""

    passed: int
    unread: int
    failures: frozenset[Failure]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A check whose failure on some resources is accepted, and why; ``plan_only`` ones are met in plans only."""

    check: str
    resources: tuple[str, ...]
    reason: str
    plan_only: bool = False

    def covers(self, failure: Failure) -> bool:
        """Whether a failure is one of those accepted here."""
        return self.check == failure.check and any(fnmatchcase(failure.resource, p) for p in self.resources)


def accepted_checks() -> tuple[Accepted, ...]:
    """Read the written list."""
    table = tomllib.loads(ACCEPTED.read_text(encoding="utf-8"))
    return tuple(
        Accepted(item["check"], tuple(item["resources"]), item["reason"], item.get("plan_only", False))
        for item in table["accepted"]
    )


def unaccepted(found: Scan) -> list[Failure]:
    """The failures that the written list does not cover, sorted."""
    accepted = accepted_checks()
    return sorted(failure for failure in found.failures if not any(item.covers(failure) for item in accepted))


def scan(checkov: Path, framework: str, paths: Iterable[Path], concerns: Mapping[Path, str]) -> Scan:
    """Scan files offline; ``concerns`` says which stack's concern each file is of."""
    files = [argument for path in paths for argument in ("--file", str(path))]
    command = [
        str(checkov),
        *files,
        "--framework",
        framework,
        "--skip-download",
        "--compact",
        "--output",
        "json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode in (0, 1), done.stderr[-4000:]
    found = json.loads(done.stdout)
    reports = found if isinstance(found, list) else [found]
    by_name = {path.resolve(): concern for path, concern in concerns.items()}
    failures = set()
    passed = unread = 0
    for report in reports:
        passed += report["summary"]["passed"]
        unread += report["summary"]["parsing_errors"]
        for check in report["results"]["failed_checks"]:
            concern = by_name[Path(check["file_abs_path"]).resolve()]
            failures.add(Failure(check["check_id"], f"{concern}:{check['resource'].rpartition('.')[2]}"))
    return Scan(passed, unread, frozenset(failures))
