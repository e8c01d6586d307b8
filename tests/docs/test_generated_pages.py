"""Pages of the reference that are made from data and from an example are what their scripts write."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _script(name: str) -> ModuleType:
    """A script of scripts/regen, as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / "regen" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["iam", "limits", "operations-support", "support"])
def test_a_page_is_what_its_script_writes(name: str) -> None:
    script = _script(name.replace("-", "_"))
    page = (ROOT / "docs" / "reference" / f"{name}.md").read_text(encoding="utf-8")
    assert page == script.page(), "`make regen` rewrites it, then read the diff"
