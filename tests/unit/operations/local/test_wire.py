"""Records as JSON and back: everything that a spec of the examples says survives."""

from __future__ import annotations

import json
from dataclasses import is_dataclass
from pathlib import Path

import pytest

from scaffolder.operations.local import wire
from scaffolder.operations.local.wire import from_json, to_json
from scaffolder.pipeline import synthesize
from stacks import pipelines
from stacks.pipelines import Parameter

EXAMPLES = sorted((Path(__file__).parents[4] / "examples").glob("*/platform.yaml"))


@pytest.mark.parametrize("spec", EXAMPLES, ids=lambda spec: spec.parent.name)
def test_a_platform_survives(spec: Path) -> None:
    for environment in synthesize(spec).environments:
        platform = environment.platform
        assert from_json(json.loads(json.dumps(to_json(platform)))) == platform


def test_a_name_that_looks_like_a_records_stays_a_name() -> None:
    value = {"is": "Parameter", "of": {"map": {}}, "map": {"is": (1, None, 2.5, True)}}
    assert from_json(json.loads(json.dumps(to_json(value)))) == value


@pytest.mark.parametrize("found", [{"is": "Path", "of": {}}, {"is": "os.system", "of": {}}, {"name": "x"}])
def test_what_is_not_listed_is_not_made(found: object) -> None:
    with pytest.raises(ValueError, match="no record"):
        from_json(found)


def test_every_record_of_a_pipeline_is_listed() -> None:
    records = {each for each in vars(pipelines).values() if isinstance(each, type) and is_dataclass(each)}
    assert records <= {*wire._TYPES.values()}  # noqa: SLF001
    assert from_json(to_json(Parameter(name="a", default=True))) == Parameter(name="a", default=True)
