"""The rows of the matrix as projects: which there are, and what their own type checker and tests say. May not judge it.

Rows that have the same code are checked once, and a file of tests runs once for all rows of which it reads the same.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from scaffolder.projects.choosing import Chosen, chosen
from scaffolder.projects.making import make_project
from scaffolder.projects.manifest import Answer
from scaffolder.projects.placing import write_tree
from scaffolder.projects.updating import plan_addition
from tests.templates.pairs import combinations, options_of
from tests.templates.reading import digest, own_tests, read_by, settings

__all__ = ["Group", "Outcome", "Project", "Row", "check_types", "made", "rows_of", "run_tests"]

NAME = "churn"
VERSION = "0.1.0"
MOST_S = 900


@dataclass(frozen=True)
class Row:
    """A template's answers by their number in the matrix."""

    template: str
    number: int
    answers: Mapping[str, Answer]

    def __str__(self) -> str:
        said = (f"{name}={str(value).lower()}" for name, value in self.answers.items())
        return f"{self.template} {self.number} ({', '.join(said)})"


@dataclass(frozen=True)
class Group:
    """The rows of a template that have some answers, and the rows of `ci` that are added to such a project."""

    template: str
    answers: Mapping[str, Answer]

    def __str__(self) -> str:
        return "-".join((self.template, *map(str, self.answers.values())))

    def rows(self) -> list[Row]:
        own = [row for row in rows_of(self.template) if self.answers.items() <= row.answers.items()]
        return own + [row for row in rows_of("ci") if self._is_given(row)]

    def _is_given(self, row: Row) -> bool:
        """Whether a row of `ci` comes to a project of this group: one with its answers, and what is chosen by itself."""
        questions = _template(self.template).template.manifest.questions
        plain = {name: row.answers.get(name, questions[name].default) for name in self.answers}
        return row.answers["kind"] == self.template and plain == self.answers


@dataclass(frozen=True)
class Project:
    """A row that was made: its folder and its files."""

    row: Row
    folder: Path
    files: Mapping[str, bytes]


@dataclass
class Outcome:
    """What came of some rows: of how many pieces how many differed, and what is wrong with them."""

    rows: int
    pieces: str
    all: int = 0
    distinct: int = 0
    passed: int = 0
    wrong: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.rows} rows, {self.all} {self.pieces}, {self.distinct} of them distinct"


@cache
def _template(name: str) -> Chosen:
    return chosen(name, catalog="", trust=False, say=lambda _told: None)


@cache
def rows_of(name: str) -> tuple[Row, ...]:
    """Every row of a template's matrix."""
    return tuple(Row(name, number, row) for number, row in enumerate(combinations(_template(name).template)))


def made(row: Row, folder: Path) -> Project:
    """Make a row's project in a folder that is not there; one of `ci` is added to a project of its kind that has none."""
    folder.mkdir()
    project = folder / NAME
    if row.template != "ci":
        tree = make_project(project, _template(row.template), version=VERSION, given=row.answers).tree
    else:
        kind = _template(str(row.answers["kind"]))
        shared = {name: row.answers[name] for name in options_of(kind.template) if name in row.answers}
        start = folder / "start" / NAME
        make_project(start, kind, version=VERSION, given={**shared, "ci": "none"})
        given = {"system": row.answers["system"]}
        plan = plan_addition(
            start, _template("ci"), version=VERSION, given=given, ask=None, say=lambda _told: None
        )
        assert plan.layers[-1].answers.items() >= row.answers.items(), f"{row} is not what is added"
        tree = plan.new
        write_tree(tree, project)
    return Project(row, project, {path: file.content for path, file in tree.items()})


def check_types(projects: Sequence[Project], python: str, cache: Path) -> Outcome:
    """Run the type checker, by the projects' own settings, once for each tree of code among some projects."""
    found = Outcome(len(projects), "trees of code")
    seen: set[str] = set()
    for project in projects:
        code = [path for path in project.files if path.endswith((".py", ".pyi"))]
        found.all += 1
        key = digest(project.files, code, settings(project.files, "mypy"))
        if key not in seen:
            seen.add(key)
            found.distinct += 1
            done = _run(project, python, "-m", "mypy", "--cache-dir", str(cache))
            checked = re.search(r"no issues found in (\d+) source files", done.stdout)
            found.passed += int(checked[1]) if checked else 0
            if done.returncode != 0 or not checked:
                found.wrong.append(f"{project.row}\n{(done.stdout + done.stderr)[-4000:]}")
    return found


def run_tests(projects: Sequence[Project], python: str) -> Outcome:
    """Run each file of the projects' own tests once for each content that it reads."""
    found = Outcome(len(projects), "files of tests")
    seen: set[str] = set()
    for project in projects:
        tests = own_tests(project.files)
        assert tests, f"{project.row} has no tests"
        own = settings(project.files, "pytest")
        keys = {digest(project.files, [*read_by(test, project.files)], own): test for test in tests}
        fresh = [test for key, test in keys.items() if key not in seen]
        seen |= keys.keys()
        found.all += len(tests)
        found.distinct += len(fresh)
        if fresh:
            done = _run(project, python, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *fresh)
            passed = re.search(r"(\d+) passed", done.stdout)
            found.passed += int(passed[1]) if passed else 0
            found.skipped += re.findall(r"^SKIPPED \[\d+\] (.+)$", done.stdout, re.MULTILINE)
            if done.returncode != 0:
                found.wrong.append(f"{project.row}\n{(done.stdout + done.stderr)[-8000:]}")
    return found


def _run(project: Project, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a project as its owners do: of what tests set around themselves, nothing is there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))}
    fixed = {"OMP_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command,
        cwd=project.folder,
        env={**kept, **fixed},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=MOST_S,
    )
