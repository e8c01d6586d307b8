"""Every key can be explained, each example is right, and the written page is current."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from scaffolder.errors import UsageError
from scaffolder.spec.json_schema import json_schema
from scaffolder.spec.nodes import Report, plain
from scaffolder.spec.reference import all_paths, explain, reference_page
from scaffolder.spec.source import parse_source

WRITTEN = Path(__file__).resolve().parents[3] / "docs" / "reference" / "spec.md"
MINIMAL = {
    "version": 1,
    "name": "churn",
    "owner": "growth-ml",
    "target": {"provider": "aws", "region": "eu-west-1", "account": "123456789012"},
    "environments": {"dev": {}},  # so that nothing is required of the rest
}


def test_the_written_page_is_current() -> None:
    assert WRITTEN.read_text(encoding="utf-8") == reference_page(), (
        "run: python scripts/regen/spec_reference.py"
    )


def test_a_key_is_explained_with_everything_that_there_is_to_know() -> None:
    assert str(explain("endpoints.churn.replicas.max")) == (
        "endpoints.*.replicas.max\n"
        "  At most; more than min turns autoscaling on.\n"
        "\n"
        "  type      whole number\n"
        "  required  no\n"
        "  default   1\n"
        "  valid     a whole number from 1 to 1000\n"
        "\n"
        "  example\n"
        "    endpoints:\n"
        "      churn:\n"
        "        replicas:\n"
        "          max: 1"
    )


def test_a_section_lists_its_keys() -> None:
    told = explain("tracking")
    assert told.keys == (("backend", "The cloud's managed MLflow, or none."),)
    assert "    backend  The cloud's managed MLflow, or none." in str(told)


@pytest.mark.parametrize(
    ("path", "means"),
    [
        ("", ""),
        ("endpoints.*.model", "endpoints.*.model"),
        ("identity.groups.admins[0]", "identity.groups.admins.*"),
        ("network.zones.0", "network.zones.*"),
        ("environments.prod.network.cidr", "environments.*.network.cidr"),
        ("overrides.aws_s3_bucket.data", "overrides.*"),
        ("overrides.aws_s3_bucket.data.force_destroy", "overrides.*.*"),
        ("overrides.*.force_destroy", "overrides.*.*"),
    ],
)
def test_a_path_may_name_what_the_user_named(path: str, means: str) -> None:
    assert explain(path).path == means


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (
            "endpoints.churn.replica",
            'endpoints.* has no key "replica"; it has capture_percent, instance, max_concurrency, max_error_percent, max_latency_ms, memory_mb, mode, model, replicas, schedule. Did you mean "replicas"?',
        ),
        (
            "network.cidr.bits",
            "network.cidr has no keys below it: it is an IPv4 range from /16 to /20, such as 10.40.0.0/16",
        ),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_one(path: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        explain(path)
    assert str(caught.value) == told


@pytest.mark.parametrize("path", all_paths())
def test_every_key_has_a_sentence_and_an_example_that_is_valid(path: str) -> None:
    told = explain(path)
    assert told.path == path
    assert told.doc.endswith(".")
    tree = parse_source(told.example, Report("example"))
    assert tree is not None
    example = plain(tree)
    assert isinstance(example, dict)
    jsonschema.Draft202012Validator(json_schema()).validate({**MINIMAL, **example})


def test_all_of_the_vocabulary_can_be_explained() -> None:
    assert len(all_paths()) == len(set(all_paths())) > 110
    assert {"version", "environments", "overrides.*.*", "monitors.*.data_drift.threshold"} <= set(all_paths())
