"""What every provider promises of runs."""

from __future__ import annotations

import pytest

from scaffolder.operations.errors import InvalidRequest, NotFound
from scaffolder.operations.names import schedules_of
from scaffolder.operations.values import FINISHED, Capability, LogLine, ParameterValue, RunRequest, RunState
from tests.operations.contract import finished, needs, neutral, run_request, short_request
from tests.operations.worlds import World

STEPS = ["prepare", "train", "evaluate", "register"]


@needs(Capability.RUNS)
def test_a_run_is_what_was_asked_for(world: World) -> None:
    request = RunRequest(
        pipeline="train", token="one", parameters={"seed": 11, "min_accuracy": 0.5}, reason="drift: churn"
    )
    ref = world.provider.runs.submit(request)
    run = neutral(world.provider.runs.describe(ref))
    assert (run.ref, run.pipeline, run.reason) == (ref, "train", "drift: churn")
    world.finish(ref)


@needs(Capability.RUNS)
def test_a_runs_parameters_keep_their_types(world: World) -> None:
    given: dict[str, ParameterValue] = {"seed": 11, "min_accuracy": 1.5, "day": "2026-11-01"}
    ref = finished(world, run_request("one", **given))
    kept = world.provider.runs.describe(ref).parameters
    assert {name: kept[name] for name in given} == given
    assert [type(kept[name]) for name in given] == [int, float, str]


@needs(Capability.RUNS)
def test_two_requests_with_one_token_start_one_run(world: World) -> None:
    first = world.provider.runs.submit(short_request("one"))
    assert world.provider.runs.submit(short_request("one")) == first
    world.finish(first)
    assert world.provider.runs.submit(short_request("one")) == first
    assert [run.ref for run in world.provider.runs.list("train")] == [first]


@needs(Capability.RUNS)
def test_another_token_starts_another_run_and_lists_begin_with_the_newest(world: World) -> None:
    refs = [finished(world, short_request(token)) for token in ("one", "two")]
    assert [run.ref for run in neutral([*world.provider.runs.list("train")])] == refs[::-1]
    assert {*refs} <= {run.ref for run in world.provider.runs.list()}
    created = [run.created for run in world.provider.runs.list()]
    assert created == sorted(created, reverse=True)


@needs(Capability.RUNS)
def test_a_run_that_succeeded_has_ended_and_so_have_its_steps(world: World) -> None:
    run = neutral(world.provider.runs.describe(finished(world, run_request("one"))))
    assert run.state is RunState.SUCCEEDED
    assert (run.error, [step.name for step in run.steps]) == ("", STEPS)
    assert {step.state for step in run.steps} == {RunState.SUCCEEDED}
    assert not any(step.skipped or step.error for step in run.steps)
    assert run.started is not None
    assert run.ended is not None
    assert run.created <= run.started <= run.ended
    for step in run.steps:
        assert step.started is None or step.ended is None or step.started <= step.ended
        assert step.attempt >= 1


@needs(Capability.RUNS)
def test_a_run_that_failed_says_where_and_why(world: World) -> None:
    ref = finished(world, run_request("one", fail="yes"), RunState.FAILED)
    run = neutral(world.provider.runs.describe(ref))
    states = {step.name: step.state for step in run.steps}
    assert run.state is RunState.FAILED
    assert (states["prepare"], states["train"]) == (RunState.SUCCEEDED, RunState.FAILED)
    assert RunState.SUCCEEDED not in {states.get("evaluate"), states.get("register")}
    assert run.error
    assert next(step.error for step in run.steps if step.name == "train")


@needs(Capability.RUNS)
def test_a_step_behind_a_gate_that_is_not_met_is_skipped(world: World) -> None:
    run = neutral(world.provider.runs.describe(finished(world, run_request("one", min_accuracy=1.5))))
    assert run.state is RunState.SUCCEEDED
    assert {step.name: step.skipped for step in run.steps} == {
        "prepare": False,
        "train": False,
        "evaluate": False,
        "register": True,
    }


@needs(Capability.RUNS)
@pytest.mark.parametrize(
    "parameters",
    [{"sead": 7}, {"seed": "seven"}, {"min_accuracy": "high"}],
    ids=lambda each: next(iter(each)),
)
def test_a_parameter_that_does_not_fit_starts_nothing(
    world: World, parameters: dict[str, ParameterValue]
) -> None:
    (name,) = parameters
    with pytest.raises(InvalidRequest, match=name):
        world.provider.runs.submit(run_request("one", **parameters))
    assert [*world.provider.runs.list("train")] == []


@needs(Capability.RUNS)
def test_a_pipeline_that_is_not_there_is_named(world: World) -> None:
    with pytest.raises(NotFound, match="tarin"):
        world.provider.runs.submit(RunRequest(pipeline="tarin", token="one"))


@needs(Capability.RUNS)
def test_a_run_that_is_not_there_is_not_found(world: World) -> None:
    ref = _unknown(world)
    with pytest.raises(NotFound):
        world.provider.runs.describe(ref)


@needs(Capability.RUNS, Capability.LOGS)
def test_a_run_that_is_not_there_has_no_logs(world: World) -> None:
    ref = _unknown(world)
    with pytest.raises(NotFound):
        list(world.provider.runs.logs(ref))


@needs(Capability.RUNS, Capability.CANCEL)
def test_a_run_that_is_not_there_is_not_cancelled(world: World) -> None:
    ref = _unknown(world)
    with pytest.raises(NotFound):
        world.provider.runs.cancel(ref)


def _unknown(world: World) -> str:
    """A ref of the provider's own form that names nothing: a real one with other letters at its end."""
    ref = world.provider.runs.submit(short_request("known"))
    world.finish(ref)
    return ref[:-4] + "".join("b" if letter == "a" else "a" for letter in ref[-4:])


@needs(Capability.RUNS, Capability.LOGS)
def test_after_a_cursor_no_line_is_repeated_or_lost(world: World) -> None:
    ref = finished(world, short_request("one"))
    lines = neutral([*world.provider.runs.logs(ref)])
    assert len(lines) >= 2
    assert len({line.cursor for line in lines}) == len(lines)
    for place, line in enumerate(lines):
        assert [*world.provider.runs.logs(ref, after=line.cursor)] == lines[place + 1 :]


@needs(Capability.RUNS, Capability.LOGS)
def test_lines_that_come_later_follow_those_seen(world: World) -> None:
    ref = world.provider.runs.submit(short_request("one"))
    seen = [*world.provider.runs.logs(ref)]
    world.finish(ref)
    seen += world.provider.runs.logs(ref, after=seen[-1].cursor if seen else "")
    assert _known(seen) == _known([*world.provider.runs.logs(ref)])


def _known(lines: list[LogLine]) -> list[tuple[str, str]]:
    return sorted((line.step, line.text) for line in lines)


@needs(Capability.RUNS, Capability.LOGS)
def test_a_steps_lines_are_its_own_and_in_order(world: World) -> None:
    ref = finished(world, run_request("one"))
    every = [*world.provider.runs.logs(ref)]
    assert {line.step for line in every} <= {*STEPS}
    for step in {line.step for line in every}:
        lines = [*world.provider.runs.logs(ref, step=step)]
        assert lines
        assert {line.step for line in lines} == {step}
        assert [line.time for line in lines] == sorted(line.time for line in lines)
        assert [line.text for line in lines] == [line.text for line in every if line.step == step]
        assert [*world.provider.runs.logs(ref, step=step, after=lines[0].cursor)] == lines[1:]


@needs(Capability.RUNS, Capability.CANCEL)
def test_a_run_that_is_cancelled_stops(world: World) -> None:
    ref = world.provider.runs.submit(run_request("one", pause_s=60.0))
    world.provider.runs.cancel(ref)
    world.provider.runs.cancel(ref)
    assert world.provider.runs.describe(ref).state in {RunState.STOPPING, RunState.STOPPED}
    world.finish(ref, RunState.STOPPED)
    run = neutral(world.provider.runs.describe(ref))
    assert run.state is RunState.STOPPED
    assert run.ended is not None
    assert all(step.state in FINISHED for step in run.steps)
    assert "register" not in {step.name for step in run.steps if step.state is RunState.SUCCEEDED}


@needs(Capability.RUNS, Capability.CANCEL)
def test_cancelling_a_run_that_has_ended_changes_nothing(world: World) -> None:
    ref = finished(world, short_request("one"))
    before = world.provider.runs.describe(ref)
    world.provider.runs.cancel(ref)
    assert world.provider.runs.describe(ref) == before


@needs(Capability.SCHEDULES)
def test_schedules_are_as_the_spec_says_and_made_once(world: World) -> None:
    schedules = schedules_of(world.provider, world.platform)
    assert [one.action for one in schedules.ensure(dry_run=True)] == ["created"]
    assert [*schedules.list()] == []
    assert [one.action for one in schedules.ensure()] == ["created"]
    assert [one.action for one in schedules.ensure()] == ["unchanged"]
    (schedule,) = neutral([*schedules.list()])
    assert (schedule.key, schedule.cron, schedule.enabled) == ("pipelines.train", "30 5 * * 1", True)
    (item,) = [one for one in world.provider.teardown.inventory() if one.kind == "schedule"]
    world.provider.teardown.remove(item)
    assert world.provider.teardown.is_gone(item)
    assert [one.action for one in schedules.ensure()] == ["created"]
