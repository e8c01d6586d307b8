"""What every provider promises of batch scoring and of monitors."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scaffolder.operations.errors import NotFound, Unsupported
from scaffolder.operations.values import BatchRequest, Capability, DriftResult, RunState
from stacks.intents import ModelMonitor, SupportLevel
from tests.operations.contract import a_version, is_full, needs, neutral
from tests.operations.worlds import World


def _request(world: World, token: str) -> BatchRequest:
    return BatchRequest(
        endpoint="scores",
        model="churn",
        version=a_version(world, "scored").version,
        input_uri=world.scoring_input(),
        output_uri=f"{world.scoring_input().rstrip('/')}-scored",
        token=token,
    )


@needs(Capability.BATCH)
def test_a_job_scores_what_it_is_given(world: World) -> None:
    request = _request(world, "one")
    ref = world.provider.batch.submit(request)
    begun = neutral(world.provider.batch.describe(ref))
    assert (begun.ref, begun.endpoint) == (ref, "scores")
    world.finish(ref)
    job = neutral(world.provider.batch.describe(ref))
    assert (job.state, job.error) == (RunState.SUCCEEDED, "")
    assert job.output_uri.startswith(request.output_uri)
    assert job.ended is not None
    assert job.created <= job.ended


@needs(Capability.BATCH)
def test_two_requests_with_one_token_start_one_job(world: World) -> None:
    request = _request(world, "one")
    ref = world.provider.batch.submit(request)
    assert world.provider.batch.submit(request) == ref
    world.finish(ref)
    assert world.provider.batch.submit(request) == ref
    assert [job.ref for job in world.provider.batch.list("scores")] == [ref]


@needs(Capability.BATCH)
def test_jobs_are_listed_the_newest_first(world: World) -> None:
    refs = []
    for token in ("one", "two"):
        refs.append(world.provider.batch.submit(_request(world, token)))
        world.finish(refs[-1])
    assert [job.ref for job in neutral([*world.provider.batch.list("scores")])] == refs[::-1]
    assert [*world.provider.batch.list("churn")] == []


@needs(Capability.BATCH)
def test_a_job_that_is_cancelled_does_not_succeed(world: World) -> None:
    much = world.much_to_score()
    request = replace(_request(world, "one"), input_uri=much, output_uri=f"{much.rstrip('/')}-scored")
    ref = world.provider.batch.submit(request)
    world.provider.batch.cancel(ref)
    world.finish(ref, RunState.STOPPED)
    before = neutral(world.provider.batch.describe(ref))
    assert before.state is RunState.STOPPED
    world.provider.batch.cancel(ref)
    assert world.provider.batch.describe(ref) == before


@needs(Capability.BATCH)
def test_a_job_needs_a_version_and_an_endpoint_that_are_there(world: World) -> None:
    request = _request(world, "one")
    with pytest.raises(NotFound):
        world.provider.batch.submit(replace(request, version=7))
    with pytest.raises(NotFound, match="socres"):
        world.provider.batch.submit(replace(request, endpoint="socres"))
    assert [*world.provider.batch.list("scores")] == []


@needs(Capability.BATCH)
@pytest.mark.parametrize("operation", ["describe", "cancel"])
def test_a_job_that_is_not_there_is_not_found(world: World, operation: str) -> None:
    ref = world.provider.batch.submit(_request(world, "one"))
    world.finish(ref)
    unknown = ref[:-4] + "".join("b" if letter == "a" else "a" for letter in ref[-4:])
    with pytest.raises(NotFound):
        getattr(world.provider.batch, operation)(unknown)


# --- monitors --------------------------------------------------------------------------------------------------------


def _monitor(world: World) -> ModelMonitor:
    return next(one for one in world.platform.intents if isinstance(one, ModelMonitor))


def _watched(world: World) -> None:
    """Make the monitor; where Terraform makes it, and the table says so, that is no matter."""
    try:
        world.provider.monitoring.ensure(_monitor(world))
    except Unsupported:
        if world.provider.support[Capability.MONITORS].level is not SupportLevel.PARTIAL:
            raise


def _find_drift(world: World) -> None:
    try:
        world.find_drift("churn")
    except NotImplementedError as lacking:
        assert not is_full(world, Capability.MONITORS)
        pytest.skip(f"nothing is found in this world: {lacking}")


@needs(Capability.MONITORS)
def test_a_monitor_is_made_once(world: World) -> None:
    (before,) = neutral([*world.provider.monitoring.list()])
    assert (before.name, before.endpoint, before.last_window_end) == ("churn", "churn", None)
    monitor = _monitor(world)
    assert world.provider.monitoring.ensure(monitor).action in {"created", "changed"}
    assert world.provider.monitoring.ensure(monitor).action == "unchanged"
    (after,) = neutral([*world.provider.monitoring.list()])
    assert (after.state, after.alarm) == ("active", False)


@needs(Capability.MONITORS)
def test_a_monitor_follows_the_spec(world: World) -> None:
    monitor = _monitor(world)
    world.provider.monitoring.ensure(monitor)
    other = replace(monitor, every="6h", data_drift_threshold=0.4)
    assert world.provider.monitoring.ensure(other).action == "changed"
    assert world.provider.monitoring.ensure(other).action == "unchanged"


@needs(Capability.MONITORS)
def test_a_monitor_that_has_not_looked_has_no_results(world: World) -> None:
    world.provider.monitoring.ensure(_monitor(world))
    assert [*world.provider.monitoring.results("churn")] == []


@needs(Capability.MONITORS)
def test_what_a_monitor_found_is_told_the_oldest_first(world: World) -> None:
    _watched(world)
    _find_drift(world)
    results: list[DriftResult] = neutral([*world.provider.monitoring.results("churn")])
    assert any(one.breached for one in results)
    assert {one.monitor for one in results} == {"churn"}
    assert all(one.breached == (one.value >= one.threshold) for one in results)
    assert all(one.window_start < one.window_end for one in results)
    ends = [one.window_end for one in results]
    assert ends == sorted(ends)
    (status,) = world.provider.monitoring.list()
    assert status.last_window_end == ends[-1]
    assert [*world.provider.monitoring.results("churn", since=ends[-1])] == []


@needs(Capability.MONITORS)
@pytest.mark.parametrize("operation", ["run", "results"])
def test_a_monitor_that_the_platform_does_not_have_is_named(world: World, operation: str) -> None:
    monitoring = world.provider.monitoring
    with pytest.raises(NotFound, match="chrun"):
        _ = monitoring.run("chrun", "one") if operation == "run" else [*monitoring.results("chrun")]


@needs(Capability.MONITORS, Capability.RUNS)
def test_a_look_is_a_run_and_one_token_looks_once(world: World) -> None:
    world.provider.monitoring.ensure(_monitor(world))
    world.find_drift("churn")
    ref = world.provider.monitoring.run("churn", "one")
    assert world.provider.monitoring.run("churn", "one") == ref
    assert neutral(world.provider.runs.describe(ref)).ref == ref
    world.finish(ref)
    assert world.provider.runs.describe(ref).state is RunState.SUCCEEDED
