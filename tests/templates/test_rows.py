"""Every row of the templates' matrix passes the type checker, by its own settings, and its own tests.

`SCAFFOLDER_MODEL_PYTHON` and `SCAFFOLDER_LLM_PYTHON` name interpreters with what requirements/model.in and llm.in list.
What the rows of a platform have below tests/terraform is run by test_project_terraform.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest

from scaffolder.projects.template import built_in_names
from tests.external_tools import ROOT
from tests.templates.model import FRAMEWORKS, MODULES, TASKS
from tests.templates.rows import Group, Outcome, Project, check_types, made, rows_of, run_tests

pytestmark = pytest.mark.slow

INTERPRETERS = {"model": "SCAFFOLDER_MODEL_PYTHON", "llm": "SCAFFOLDER_LLM_PYTHON"}
NEEDED = {
    "model": ("mypy", "pytest", "numpy", "pandera", "mlflow", "starlette", "nbformat"),
    "llm": ("mypy", "pytest", "numpy", "starlette", "uvicorn", "pypdf", "boto3"),
    "platform": ("mypy", "pytest", "sklearn", "pandas"),
}
APART = ("pip install -r requirements/feast.in, in an environment of its own",)
"""Why a project's own tests may skip: what no environment has together with the rest."""

# Longest first, so that no process ends long after the others.
GROUPS = (
    *(
        Group("model", {"framework": framework, "task": task})
        for task in TASKS
        for framework in reversed(FRAMEWORKS)
    ),
    *(Group("llm", {"provider": provider}) for provider in ("aws", "gcp", "azure", "local")),
    *(Group("platform", {"provider": provider}) for provider in ("aws", "gcp", "azure")),
)


def param(group: Group) -> object:
    marks = [pytest.mark.frameworks] if group.template in INTERPRETERS else []
    return pytest.param(group, marks=marks, id=str(group))


def interpreter_of(group: Group) -> str:
    """The interpreter for a group; skips with the names of the rows where there is none, or it lacks something."""
    rows = "; ".join(map(str, group.rows()))
    variable = INTERPRETERS.get(group.template, "")
    program = os.environ.get(variable, "") if variable else sys.executable
    if not program:
        pytest.skip(f"{variable} names no interpreter, so these rows are not checked: {rows}")
    framework = MODULES.get(str(group.answers.get("framework")))
    missing = lacks(program, *NEEDED[group.template], *([framework] if framework else []))
    if missing:
        pytest.skip(f"{program} has no {', '.join(missing)}, so these rows are not checked: {rows}")
    return program


@cache
def lacks(program: str, *modules: str) -> tuple[str, ...]:
    """What an interpreter cannot find."""
    code = (
        "import importlib.util, sys; print(*[m for m in sys.argv[1:] if importlib.util.find_spec(m) is None])"
    )
    found = subprocess.run(
        [program, "-c", code, *modules], capture_output=True, text=True, check=True, cwd=ROOT / "tests"
    )
    return tuple(found.stdout.split())


@pytest.fixture(scope="module", params=[*map(param, GROUPS)])
def group(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Sequence[Project], str]:
    """The projects of a group of rows, and the interpreter that has what they need."""
    asked: Group = request.param
    python = interpreter_of(asked)
    folder = tmp_path_factory.mktemp("rows")
    return [made(row, folder / f"{row.template}-{row.number}") for row in asked.rows()], python


@pytest.fixture(scope="session")
def mypy_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy knows of libraries, and of modules that rows share: they have the same names and paths."""
    return tmp_path_factory.mktemp("mypy")


Tell = Callable[[str, object], None]


def told(outcome: Outcome, what: str, tell: Tell) -> None:
    """Say in the report what was checked, and fail with what is wrong."""
    skipped = f"; skipped in it: {'; '.join(outcome.skipped)}" if outcome.skipped else ""
    tell("told", f"{outcome}: {outcome.passed} {what}{skipped}")
    assert outcome.wrong == [], "\n\n".join(outcome.wrong)
    assert outcome.passed >= outcome.distinct > 0


def test_rows_pass_the_type_checker(
    group: tuple[Sequence[Project], str], mypy_cache: Path, record_property: Tell
) -> None:
    told(check_types(*group, mypy_cache), "files are typed", record_property)


def test_rows_pass_their_own_tests(group: tuple[Sequence[Project], str], record_property: Tell) -> None:
    outcome = run_tests(*group)
    told(outcome, "tests passed", record_property)
    assert [reason for reason in outcome.skipped if not reason.endswith(APART)] == []


def test_every_row_is_in_one_group_but_those_of_ci_that_nothing_can_be_given() -> None:
    counts = Counter((row.template, row.number) for group in GROUPS for row in group.rows())
    assert {*counts.values()} == {1}
    left = [
        row for name in built_in_names() for row in rows_of(name) if (row.template, row.number) not in counts
    ]
    # CI is rendered for a platform on no cloud, and a platform has one: no project can be given that.
    assert [(row.answers["kind"], row.answers["provider"]) for row in left] == [("platform", "local")]
