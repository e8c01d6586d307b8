"""The pages about pipeline definitions are current, and the schema takes what the loader takes."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from scaffolder.pipelines.reference import pipeline_page, pipeline_schema
from scaffolder.report.pipeline_targets import targets_page
from scaffolder.spec.nodes import Report, plain
from scaffolder.spec.source import parse_source
from tests.external_tools import ROOT

REFERENCE = ROOT / "docs" / "reference"
DEFINITIONS = sorted([*ROOT.glob("examples/*/pipelines/*.yaml"), *ROOT.glob("tests/specs/pipelines/*.yaml")])


def test_the_written_page_is_current() -> None:
    page = (REFERENCE / "pipeline.md").read_text(encoding="utf-8")
    assert page == f"{pipeline_page()}\n{targets_page()}", "run: python scripts/regen/spec_reference.py"


def test_the_written_schema_is_current() -> None:
    written = json.loads((REFERENCE / "pipeline.schema.json").read_text(encoding="utf-8"))
    assert written == pipeline_schema(), "run: python scripts/regen/spec_reference.py"


@pytest.mark.parametrize("file", DEFINITIONS, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_it_takes_the_examples_and_no_unknown_key(file: Path) -> None:
    tree = parse_source(file.read_text(encoding="utf-8"), Report("f"))
    assert tree is not None
    document = plain(tree)
    assert isinstance(document, dict)
    validator = jsonschema.Draft202012Validator(pipeline_schema())
    assert list(validator.iter_errors(document)) == []
    assert list(validator.iter_errors({**document, "stepps": {}})) != []
