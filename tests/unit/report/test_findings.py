from __future__ import annotations

from pathlib import Path

import pytest

from scaffolder.errors import Finding, Severity
from scaffolder.report.findings import github_annotation, promoted, tally


def finding(file: str = "p.yaml", message: str = "is wrong", severity: Severity = "error") -> Finding:
    return Finding(
        file=file,
        line=3,
        column=7,
        code="name",
        path="name",
        message=message,
        hint="Mend it.",
        severity=severity,
    )


def test_an_annotation_escapes_what_would_end_it() -> None:
    found = finding(file="a:b,c%.yaml", message="100 %\r\n::error::x, y: z", severity="warning")
    assert github_annotation(found, "") == (
        "::warning file=a%3Ab%2Cc%25.yaml,line=3,col=7,title=name::100 %25%0D%0A::error::x, y: z%0AMend it."
    )


@pytest.mark.parametrize(
    ("file", "workspace", "shown"),
    [
        ("/repo/infra/p.yaml", "/repo", "infra/p.yaml"),
        ("/elsewhere/p.yaml", "/repo", "/elsewhere/p.yaml"),
        ("p.yaml", "", "p.yaml"),
        ("p.yaml", str(Path.cwd()), "p.yaml"),
        ("p.yaml", str(Path.cwd().parent), f"{Path.cwd().name}/p.yaml"),
    ],
)
def test_an_annotation_names_the_file_from_the_workspace_on(file: str, workspace: str, shown: str) -> None:
    assert github_annotation(finding(file=file), workspace).startswith(f"::error file={shown},line=3,")


@pytest.mark.parametrize(
    ("errors", "warnings", "counted"),
    [(1, 0, "1 error"), (2, 1, "2 errors, 1 warning"), (0, 3, "3 warnings"), (0, 0, "")],
)
def test_a_tally_counts_both_kinds(errors: int, warnings: int, counted: str) -> None:
    assert tally([finding()] * errors + [finding(severity="warning")] * warnings) == counted


def test_promoting_changes_nothing_but_the_severity() -> None:
    assert promoted([finding(severity="warning"), finding()]) == (finding(), finding())
