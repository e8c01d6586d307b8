from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.external_tools import ROOT

SOURCES = ("LICENSE", "README.md", "pyproject.toml", "scaffolder", "stacks", "templates")
IN_WHEEL = {"templates": "scaffolder/_templates", "scaffolder": "scaffolder", "stacks": "stacks"}


@pytest.fixture(scope="module")
def names_in_wheel(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """What is in a wheel built from a copy of the sources, so that a half-written build never lands in the tree."""
    copy = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(copy / "dist"),
        str(copy),
    ]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (copy / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


def files_below(folder: Path) -> list[str]:
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]


@pytest.mark.slow
@pytest.mark.parametrize("folder", sorted(IN_WHEEL))
def test_the_wheel_carries_every_file_of_each_package_and_the_templates(
    names_in_wheel: frozenset[str], folder: str
) -> None:
    expected = {f"{IN_WHEEL[folder]}/{name}" for name in files_below(ROOT / folder)}
    assert expected
    assert expected - names_in_wheel == set()


@pytest.mark.slow
def test_the_wheel_carries_nothing_else(names_in_wheel: frozenset[str]) -> None:
    top = {name.split("/")[0] for name in names_in_wheel}
    assert {name for name in top if not name.endswith(".dist-info")} == {"scaffolder", "stacks"}


@pytest.mark.slow
@pytest.mark.parametrize("package", ["scaffolder", "stacks"])
def test_both_packages_say_that_they_are_typed(names_in_wheel: frozenset[str], package: str) -> None:
    assert f"{package}/py.typed" in names_in_wheel
