"""Reads and writes the tables of broken specs in tests/unit/spec/cases/, and what each is told.

A case is ``=== name``, the spec's text, ``---``, and the findings as they are printed. ``\\uXXXX`` stands for a
character that an editor would hide or spoil.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scaffolder.errors import SpecError
from scaffolder.spec.load import parse_spec

__all__ = ["CASES", "Case", "cases_in", "findings_of", "rewrite"]

CASES = Path(__file__).resolve().parent / "unit" / "spec" / "cases"
HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
START, MIDDLE = "=== ", "---\n"


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    text: str
    told: str

    @property
    def spec(self) -> str:
        """The spec itself, with the escaped characters in it."""
        return re.sub(r"\\u([0-9a-f]{4})", lambda match: chr(int(match[1], 16)), self.text)


def cases_in(file: Path) -> Iterator[Case]:
    """Read a table. Tabs are written as ``\\u0009``, so that no editor turns them into spaces."""
    for block in file.read_text(encoding="utf-8").split(START)[1:]:
        name, _, rest = block.partition("\n")
        text, _, told = f"\n{rest}".rpartition(f"\n{MIDDLE}")
        yield Case(name, f"{text[1:]}\n" if text else "", told.rstrip("\n"))


def findings_of(spec: str) -> str:
    """What a spec is told, as it is printed."""
    try:
        return "\n".join(map(str, parse_spec(spec).warnings))
    except SpecError as error:
        return str(error)


def rewrite(file: Path) -> None:
    """Write a table anew, with what each spec is told now."""
    blocks = [
        f"{START}{case.name}\n{case.text}{MIDDLE}{findings_of(case.spec)}\n\n" for case in cases_in(file)
    ]
    file.write_text("".join(blocks).rstrip("\n") + "\n", encoding="utf-8")
