"""The page on catalogs is true: its catalog is one, its findings are told so, and the reference is current."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import jsonschema
import pytest
import yaml

from scaffolder.errors import SpecError
from scaffolder.pipeline import synthesize_loaded
from scaffolder.projects.catalog import parse_catalog
from scaffolder.spec.load import parse_spec

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "catalogs.md").read_text(encoding="utf-8")
REFERENCE = ROOT / "docs" / "reference"
SPEC = """\
version: 1
name: churn
owner: growth-ml
target: {provider: aws, region: us-east-1, account: "123456789012"}
tags: {cost_center: "1234"}
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def script() -> ModuleType:
    path = ROOT / "scripts" / "regen" / "catalog_reference.py"
    spec = importlib.util.spec_from_file_location("catalog_reference", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_catalog_of_the_page_is_one() -> None:
    (text,) = blocks("yaml")
    loaded = parse_catalog(text)
    assert loaded.warnings == ()
    assert [policy.name for policy in loaded.catalog.policies] == ["eu-only", "sizes", "cost", "audited"]


def test_the_findings_of_the_page_are_told_so() -> None:
    (text,) = blocks("yaml")
    told = next(block for block in blocks("console") if block.startswith("$ scaffolder validate\n"))
    with pytest.raises(SpecError) as caught:
        synthesize_loaded(parse_spec(SPEC), policies=parse_catalog(text).catalog.policies)
    assert f"$ scaffolder validate\n{caught.value}\n" == told


def test_the_reference_is_current() -> None:
    made = script()
    told = "python scripts/regen/catalog_reference.py rewrites it, then read the diff"
    assert (REFERENCE / "catalog.md").read_text(encoding="utf-8") == made.page(), told
    assert (REFERENCE / "catalog.schema.json").read_text(encoding="utf-8") == made.schema(), told


def test_editors_are_told_the_same_of_the_pages_catalog() -> None:
    schema = json.loads((REFERENCE / "catalog.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    (text,) = blocks("yaml")
    assert [*validator.iter_errors(yaml.safe_load(text))] == []
    wrong = yaml.safe_load(text.replace("mandatory_tags", "mandatry_tags"))
    assert [error.validator for error in validator.iter_errors(wrong)] == ["additionalProperties"]
