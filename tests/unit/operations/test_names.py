"""Names and values are looked up in what the spec says; what it does not say is refused, with the nearest it does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest

from scaffolder.errors import UsageError
from scaffolder.operations.errors import InvalidRequest, Unsupported
from scaffolder.operations.names import (
    checked_parameters,
    checked_token,
    definition_of,
    looked_up,
    parsed_parameters,
    require,
)
from scaffolder.operations.values import Capability
from stacks.intents import Support, SupportLevel, TrainingPipeline
from stacks.pipelines import Parameter, PipelineDefinition
from tests.operations.opened import Clock, opened_memory

DEFINITION = PipelineDefinition(
    description="",
    parameters=(
        Parameter(name="max_depth", default=8),
        Parameter(name="rate", default=0.1),
        Parameter(name="day", default="2026-11-01"),
        Parameter(name="shuffle", default=True),
    ),
    steps=(),
    code={},
)


def test_a_value_has_the_type_of_the_definitions_default() -> None:
    texts = ["max_depth=12", "rate=1e-3", "day=a=b", "shuffle=FALSE"]
    assert parsed_parameters(DEFINITION, texts) == {
        "max_depth": 12,
        "rate": 0.001,
        "day": "a=b",
        "shuffle": False,
    }
    assert parsed_parameters(DEFINITION, ["day="]) == {"day": ""}


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["max_deph=8"], 'the pipeline has no parameter "max_deph". Did you mean "max_depth"?'),
        (["zzz=8"], 'the pipeline has no parameter "zzz". There are max_depth, rate, day, shuffle.'),
        (["max_depth=8.5"], "the parameter \"max_depth\" is a whole number, such as 8, and not '8.5'"),
        (["rate=fast"], "the parameter \"rate\" is a number, such as 0.1, and not 'fast'"),
        (["shuffle=1"], "the parameter \"shuffle\" is true or false, such as true, and not '1'"),
        (["max_depth"], '--set "max_depth" is not NAME=VALUE, such as --set max_depth=8'),
        (["max_depth=1", "max_depth=2"], '--set gives the parameter "max_depth" twice'),
    ],
)
def test_a_parameter_that_does_not_fit_is_told_what_would(texts: Sequence[str], told: str) -> None:
    with pytest.raises(UsageError) as error:
        parsed_parameters(DEFINITION, texts)
    assert str(error.value) == told


def test_python_values_are_held_to_the_types_too_and_a_whole_number_is_a_number() -> None:
    assert checked_parameters(DEFINITION, {"rate": 1, "shuffle": False}) == {"rate": 1.0, "shuffle": False}
    for wrong in ({"max_depth": 1.5}, {"max_depth": True}, {"day": 3}):
        with pytest.raises(UsageError):
            checked_parameters(DEFINITION, wrong)


def test_a_name_that_the_spec_has_not_gets_the_nearest_or_all() -> None:
    there = {"train": 1, "score-all": 2}
    assert looked_up("pipeline", "train", there) == 1
    with pytest.raises(UsageError, match=r'^there is no pipeline "trian". Did you mean "train"\?$'):
        looked_up("pipeline", "trian", there)
    with pytest.raises(UsageError, match=r'^there is no pipeline "x". There are train, score-all.$'):
        looked_up("pipeline", "x", there)
    with pytest.raises(UsageError, match=r"the spec has none. Add it below pipelines.$"):
        looked_up("pipeline", "x", {})


def test_a_pipeline_without_its_definition_says_what_it_lacks_and_what_to_do() -> None:
    pipeline = TrainingPipeline(
        name="train",
        definition="train.yaml",
        schedule=None,
        instance="cpu.medium",
        steps=None,
        lacks="its definition train.yaml is not there",
        remedy="Write it.",
    )
    with pytest.raises(InvalidRequest) as error:
        definition_of(pipeline)
    assert str(error.value) == (
        'the pipeline "train" cannot run: its definition train.yaml is not there\n  Write it.'
    )


def test_a_token_is_a_uuid_and_a_new_one_where_none_is_given() -> None:
    given = "0D5C2E0E-0000-4000-8000-000000000000"
    assert checked_token(given) == given.lower()
    assert checked_token(None) != checked_token(None)
    assert str(UUID(checked_token(None)))
    with pytest.raises(UsageError, match='the token "again" is not a UUID, such as '):
        checked_token("again")


def test_what_a_provider_does_not_do_is_refused_by_name_and_reason(tmp_path: Path) -> None:
    lacking = {Capability.REPRODUCE: Support(SupportLevel.NOT_POSSIBLE, "nothing is remembered for long")}
    _, provider = opened_memory(tmp_path, Clock(), lacking)
    require(provider, Capability.RUNS)
    with pytest.raises(Unsupported) as error:
        require(provider, Capability.REPRODUCE)
    assert error.value.capability == "reproduce"
    assert str(error.value) == "reproduce: not possible on memory: nothing is remembered for long"
