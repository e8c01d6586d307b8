"""Each example synthesizes to exactly what lies beside it, and its README's commands are real."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaffolder.pipeline import synthesize
from stacks.emit.terraform_json import files

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(path.parent.name for path in ROOT.glob("examples/*/platform.yaml"))
MOST_LINES_OF_THE_MINIMAL = 20


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_synthesizes_to_what_lies_beside_it(example: str) -> None:
    folder = ROOT / "examples" / example
    wanted = files(synthesize(folder / "platform.yaml").stacks)
    found = {
        path.relative_to(folder / "expected").as_posix(): path.read_bytes()
        for path in (folder / "expected").rglob("*")
        if path.is_file()
    }
    differing = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    assert not differing, f"{example}: {differing} differ; `make regen` rewrites them, then read the diff"


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_has_a_readme_and_no_warnings(example: str) -> None:
    folder = ROOT / "examples" / example
    assert (folder / "README.md").read_text(encoding="utf-8").startswith("# ")
    assert synthesize(folder / "platform.yaml").warnings == ()


def test_the_minimal_example_is_short() -> None:
    text = (ROOT / "examples" / "01-minimal-aws" / "platform.yaml").read_text(encoding="utf-8")
    assert len(text.splitlines()) < MOST_LINES_OF_THE_MINIMAL
