"""Every class of finding: its place, its text and its hint, to the letter. The tables are in cases/."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from scaffolder.spec.fields import Section, read
from scaffolder.spec.model import PlatformSpec
from scaffolder.spec.nodes import Report
from scaffolder.spec.rules import RULES, Problem, Written
from scaffolder.spec.source import parse_source
from tests.finding_cases import CASES, Case, cases_in, findings_of

ROOT = Section(PlatformSpec)
TABLES = sorted(CASES.glob("*.txt"))


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=f"{table.stem}: {case.name}") for table in TABLES for case in cases_in(table)],
)
def test_a_broken_spec_is_told_what_is_wrong(case: Case) -> None:
    assert case.told, "a case without findings tests nothing"
    assert findings_of(case.spec) == case.told, (
        "if the new text is better: python scripts/regen/spec_findings.py"
    )


def test_the_tables_are_there() -> None:
    assert [table.stem for table in TABLES] == ["environments", "rules", "source", "values"]
    assert sum(1 for table in TABLES for _ in cases_in(table)) > 130


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.__name__))
def test_every_rule_refuses_one_of_the_cases(rule: Callable[[Written], Iterator[Problem]]) -> None:
    assert any(next(rule(written), None) for written in _written())


def _written() -> Iterator[Written]:
    """The cases whose specs are sound but for the rules."""
    for case in cases_in(CASES / "rules.txt"):
        report = Report("platform.yaml")
        tree = parse_source(case.spec, report)
        spec = tree and read(ROOT, tree, (), report)
        if tree is not None and isinstance(spec, PlatformSpec):
            yield Written(spec, tree)
