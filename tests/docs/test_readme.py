"""What README shows is what happens."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from scaffolder.errors import SpecError
from scaffolder.spec.load import parse_spec

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _script(name: str) -> ModuleType:
    """A script of scripts/regen, as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / "regen" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_excerpt_is_what_the_shown_spec_becomes() -> None:
    assert _script("readme_excerpt").rewritten(README) == README, "`make regen` rewrites it"


def test_the_matrix_is_what_the_clouds_declare() -> None:
    assert _script("support").rewritten(README) == README, "`make regen` rewrites it"


def test_the_shown_finding_is_what_the_shown_typo_gives() -> None:
    text = _script("readme_excerpt").spec_text(README)
    with pytest.raises(SpecError) as refused:
        parse_spec(text.replace("zones: 3", "zonse: 3"), file="platform.yaml")
    shown = re.search(r"\$ scaffolder validate platform\.yaml\n(.*?)```", README, re.DOTALL)
    assert shown is not None
    assert shown[1].strip() == str(refused.value)


def test_every_link_leads_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_examples_are_all_there() -> None:
    listed = set(re.findall(r"\]\(examples/([^)]+)\)", README))
    assert listed == {path.parent.name for path in ROOT.glob("examples/*/platform.yaml")}
