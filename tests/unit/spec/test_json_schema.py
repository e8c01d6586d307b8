"""The JSON Schema says what the loader says of a spec's structure, no more and no less."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from scaffolder.errors import Finding, SpecError
from scaffolder.spec.json_schema import json_schema
from scaffolder.spec.load import parse_spec
from scaffolder.spec.nodes import Report, plain
from scaffolder.spec.source import parse_source
from tests.finding_cases import CASES, cases_in
from tests.strategies import Spec, spec_text, valid_specs
from tests.unit.spec.mutations import CHANGES, ODD, mutated, paths_in

ROOT = Path(__file__).resolve().parents[3]
WRITTEN = ROOT / "docs" / "reference" / "platform.schema.json"
SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

# What the structure alone decides.
STRUCTURAL = {"empty", "length", "missing", "name", "repeated", "shared-key", "unknown-key", "value"}
# Values whose whole grammar no pattern holds; and what two keys of a document decide together.
BEYOND_A_PATTERN = (
    *("it is not the range's first address", "its hour is", "such a day", "must be a duration from"),
    *("unquoted, it is", "(in environment"),
)


def findings_of(text: str) -> tuple[Finding, ...]:
    try:
        return parse_spec(text).warnings
    except SpecError as error:
        return error.findings


def document(text: str) -> object:
    tree = parse_source(text, Report("f"))
    return None if tree is None else plain(tree)


def test_it_is_a_schema_of_the_draft_that_it_names() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_written_copy_is_current() -> None:
    assert json.loads(WRITTEN.read_text(encoding="utf-8")) == SCHEMA, (
        "run: python scripts/regen/spec_reference.py"
    )


@pytest.mark.parametrize(
    "spec", sorted(ROOT.glob("examples/*/platform.yaml")), ids=lambda path: path.parent.name
)
def test_it_takes_the_examples(spec: Path) -> None:
    assert list(VALIDATOR.iter_errors(document(spec.read_text(encoding="utf-8")))) == []


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(spec=valid_specs(overrides=True))
def test_it_takes_every_valid_spec(spec: Spec) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(spec)] == []


@pytest.mark.parametrize("table", ["values", "environments"])
def test_it_refuses_the_broken_specs_of_the_tables(table: str) -> None:
    refused = 0
    for case in cases_in(CASES / f"{table}.txt"):
        findings = [finding for finding in findings_of(case.spec) if is_structural(finding)]
        if findings:
            refused += 1
            assert not VALIDATOR.is_valid(document(case.spec)), case.name
    assert refused >= {"values": 35, "environments": 6}[table]


def is_structural(finding: Finding) -> bool:
    return finding.code in STRUCTURAL and not any(sign in finding.message for sign in BEYOND_A_PATTERN)


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_it_refuses_what_the_loader_refuses_and_nothing_else(data: st.DataObject) -> None:
    spec = data.draw(valid_specs())
    spec.pop("environments", None)
    path = data.draw(st.sampled_from(paths_in(spec)))
    changed: Any = mutated(
        copy.deepcopy(spec), path, data.draw(st.sampled_from(CHANGES)), data.draw(st.sampled_from(ODD))
    )
    assume(isinstance(changed, dict))
    findings = findings_of(spec_text(changed))
    assume(not any(finding.code in {"number", "control-character"} for finding in findings))
    errors = [error.message for error in VALIDATOR.iter_errors(changed)]
    if any(is_structural(finding) and not of_settings(finding) for finding in findings):
        assert errors, findings
    if errors:
        assert any(finding.severity == "error" for finding in findings), errors


def of_settings(finding: Finding) -> bool:
    """A backend's own arguments are a rule's: they follow from another key."""
    return (
        finding.path.startswith("state.settings.")
        or finding.path == "monitors"
        or "on_alert retrain" in finding.message
    )
