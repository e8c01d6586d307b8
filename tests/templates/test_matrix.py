"""Every built-in template with every pair of its options: what comes out is whole, valid, formatted and clean."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from scaffolder.projects.choosing import chosen
from scaffolder.projects.making import Made, make_project
from scaffolder.projects.template import built_in_names
from tests.templates.pairs import combinations, options_of

pytestmark = pytest.mark.slow

LEFT_OVER = re.compile(rb"cookiecutter|\{%-?\s|\{#-?\s")
MENTIONS = frozenset({"README.md"})
"""Where a project may say what it was made with."""


class Matrix:
    """The projects of one template, by their number."""

    def __init__(self, name: str, folder: Path) -> None:
        self.folder = folder
        self.found = chosen(name, catalog="", trust=False, say=lambda _told: None)
        self.rows = combinations(self.found.template)
        self.made: list[Made] = [
            make_project(folder / f"row-{number:02}", self.found, version="0.1.0", given=row)
            for number, row in enumerate(self.rows)
        ]

    def files(self, *suffixes: str) -> Mapping[str, bytes]:
        """Every project's files with one of the endings, by row and path."""
        return {
            f"{made.folder.name}/{path}": file.content
            for made in self.made
            for path, file in made.tree.items()
            if path.endswith(suffixes)
        }


@pytest.fixture(scope="module", params=built_in_names())
def matrix(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    name: str = request.param
    return Matrix(name, tmp_path_factory.mktemp(f"matrix-{name}"))


def test_every_option_and_every_pair_that_can_meet_is_rendered(matrix: Matrix) -> None:
    options = options_of(matrix.found.template)
    seen = {name: {row[name] for row in matrix.rows if name in row} for name in options}
    assert seen == {name: set(values) for name, values in options.items()}


def test_no_markup_is_left_over(matrix: Matrix) -> None:
    left = {
        f"{path}: {match[0].decode()}"
        for path, content in matrix.files("").items()
        if Path(path).name not in MENTIONS and (match := LEFT_OVER.search(content))
    }
    assert left == set()


def test_what_is_structured_can_be_read(matrix: Matrix) -> None:
    for content in matrix.files(".json", ".ipynb").values():
        json.loads(content)
    for content in matrix.files(".toml").values():
        tomllib.loads(content.decode())
    for content in matrix.files(".yaml", ".yml").values():
        assert list(yaml.compose_all(content, Loader=yaml.CSafeLoader))


def test_python_is_formatted_and_clean_by_the_projects_own_rules(matrix: Matrix) -> None:
    ruff = Path(sys.executable).with_name("ruff")
    for command in (["format", "--check", "--no-cache"], ["check", "--no-cache"]):
        done = subprocess.run(
            [ruff, *command, "."], cwd=matrix.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-3000:]


def test_texts_end_with_one_newline_and_no_line_with_a_space(matrix: Matrix) -> None:
    wrong = set()
    for path, content in matrix.files(".py", ".md", ".yaml", ".yml", ".toml", ".sh", ".in", ".cfg").items():
        if content and (not content.endswith(b"\n") or content.endswith(b"\n\n")):
            wrong.add(f"{path}: its end")
        if re.search(rb"[ \t]+$", content, re.MULTILINE):
            wrong.add(f"{path}: spaces at the end of a line")
    assert wrong == set()


def test_scripts_are_read_by_the_shell(matrix: Matrix) -> None:
    for made in matrix.made:
        for path in made.files:
            if path.endswith(".sh"):
                done = subprocess.run(
                    ["bash", "-n", made.folder / path], capture_output=True, text=True, check=False
                )
                assert done.returncode == 0, done.stderr


def test_the_same_answers_make_the_same_bytes(matrix: Matrix, tmp_path: Path) -> None:
    first = matrix.made[0]
    again = make_project(tmp_path / first.folder.name, matrix.found, version="0.1.0", given=matrix.rows[0])
    assert dict(again.tree) == dict(first.tree)
