"""A file of tests is run again for a row in which it would read something else, and for no other."""

from __future__ import annotations

import pytest

from tests.templates.reading import digest, own_tests, read_by, settings

FILES = {
    "README.md": b"# churn",
    "pyproject.toml": b"[tool.pytest.ini_options]\nxfail_strict = true\n[tool.mypy]\nstrict = true\n",
    "features/definitions.yaml": b"views: []",
    "pipelines/README.md": b"# Pipelines",
    "pipelines/score.yaml": b"steps: {}",
    "pipelines/train.yaml": b"steps: {}",
    "platform.yaml": b"version: 1",
    "src/churn_model/__init__.py": b"",
    "src/churn_model/batch.py": b'"""Scores files, as serve does."""\nfrom churn_model import features\n',
    "src/churn_model/features.py": b'"""As pipelines/train.yaml says."""\nNAME = "batch"\n',
    "src/churn_model/prices.json": b"{}",
    "src/churn_model/serve.py": b"from churn_model.features import NAME\n",
    "src/churn_model/train.py": b'COMMAND = ["-m", "churn_model.serve"]\nSPEC = "platform.yaml"\n',
    "tests/__init__.py": b"",
    "tests/conftest.py": b"import pytest\n",
    "tests/terraform/test_stacks.py": b"",
    "tests/test_batch.py": b"import churn_model.batch\n",
    "tests/test_folder.py": b'FOLDER = ROOT / "pipelines"\n',
    "tests/test_steps.py": b'MODULES = [f"churn_model.{name}" for name in ("train", "features")]\n',
}
EVERY = {"src/churn_model/prices.json", "tests/__init__.py", "tests/conftest.py"}


def code(*names: str) -> set[str]:
    return {f"src/churn_model/{name}.py" for name in names}


def test_a_projects_tests_are_those_that_pytest_runs_without_terraform() -> None:
    assert own_tests(FILES) == ["tests/test_batch.py", "tests/test_folder.py", "tests/test_steps.py"]


@pytest.mark.parametrize(
    ("test", "reads"),
    [
        ("batch", code("__init__", "batch", "features")),
        ("folder", {"pipelines/score.yaml", "pipelines/train.yaml"}),
        (
            "steps",
            {*code("__init__", "train", "features", "serve"), "platform.yaml", "features/definitions.yaml"},
        ),
    ],
)
def test_a_test_reads_what_it_imports_starts_names_or_lists_and_what_that_does(
    test: str, reads: set[str]
) -> None:
    path = f"tests/test_{test}.py"
    assert read_by(path, FILES) == {path, *EVERY, *reads}


def key(files: dict[str, bytes]) -> str:
    """What decides whether the tests of `batch` are run again."""
    return digest(files, [*read_by("tests/test_batch.py", files)], settings(files, "pytest"))


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("tests/test_batch.py", b"import churn_model.batch as other\n"),
        ("tests/conftest.py", b"import sys\n"),
        ("src/churn_model/features.py", b'NAME = "other"\n'),
        ("src/churn_model/prices.json", b"[]"),
        ("pyproject.toml", b"[tool.pytest.ini_options]\nxfail_strict = false\n"),
    ],
)
def test_it_runs_again_where_what_it_reads_or_a_setting_of_pytest_is_another(
    path: str, content: bytes
) -> None:
    assert key({**FILES}) != key({**FILES, path: content})


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("pyproject.toml", b"[tool.pytest.ini_options]\nxfail_strict = true\n"),
        ("src/churn_model/serve.py", b"import churn_model.train\n"),
        ("tests/test_steps.py", b""),
        ("platform.yaml", b"version: 2"),
    ],
)
def test_it_does_not_run_again_for_anything_else(path: str, content: bytes) -> None:
    assert FILES[path] != content
    assert key({**FILES}) == key({**FILES, path: content})
