"""Schedules on Azure as the spec changes: what is put anew, what goes, and what is nobody's business of ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scaffolder.operations.azure.provider import AzureProvider
from scaffolder.operations.errors import AlreadyExists, InvalidRequest
from stacks.azure.assets import workspace_id
from stacks.azure.context import Context
from stacks.intents import OnlineEndpoint, Platform, TrainingPipeline
from tests.operations.worlds.azure import AzureWorld, open_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[AzureWorld]:
    with open_world(tmp_path) as opened:
        yield opened


def _with(platform: Platform, **changed: Any) -> Platform:
    """The platform with another pipeline."""
    intents = [
        replace(each, **changed) if isinstance(each, TrainingPipeline) else each for each in platform.intents
    ]
    return replace(platform, intents=tuple(intents))


def _done(provider: AzureProvider, *, dry_run: bool = False) -> list[tuple[str, str]]:
    return [
        (one.action, one.subject.removeprefix("schedule "))
        for one in provider.schedules.ensure(dry_run=dry_run)
    ]


def _there(world: AzureWorld) -> dict[str, Any]:
    below = world.azure.resources.below(f"{workspace_id(Context(world.platform))}/schedules")
    return {str(each.document["name"]): each.document["properties"] for each in below}


def test_another_time_or_other_code_is_another_schedule_and_the_old_one_goes(world: AzureWorld) -> None:
    assert _done(world.provider) == [("created", "pipelines-train")]
    (steps,) = [each.steps for each in world.platform.intents if isinstance(each, TrainingPipeline)]
    assert steps is not None
    folders = {name: replace(folder, digest="f" * 64) for name, folder in steps.code.items()}
    assert folders
    recoded = world.opened_with(_with(world.platform, steps=replace(steps, code=folders)))
    assert _done(recoded, dry_run=True) == [("changed", "pipelines-train")]
    assert _done(recoded) == [("changed", "pipelines-train")]
    assert _done(recoded) == [("unchanged", "pipelines-train")]
    both = world.opened_with(_with(world.platform, schedule="0 6 1,15 * mon"))
    assert _done(both) == [("changed", "pipelines-train"), ("created", "pipelines-train_2")]
    triggers = {name: each["trigger"] for name, each in _there(world).items()}
    assert triggers["pipelines-train"]["schedule"] == {"minutes": [0], "hours": [6], "monthDays": [1, 15]}
    assert triggers["pipelines-train_2"]["expression"] == "0 6 * * 1"
    none = world.opened_with(_with(world.platform, schedule=None))
    assert _done(none, dry_run=True) == [("removed", "pipelines-train"), ("removed", "pipelines-train_2")]
    assert len(_there(world)) == 2
    assert _done(none) == [("removed", "pipelines-train"), ("removed", "pipelines-train_2")]
    assert (_there(world), _done(none)) == ({}, [])


def test_a_schedule_that_somebody_switched_off_is_on_again(world: AzureWorld) -> None:
    _done(world.provider)
    _there(world)["pipelines-train"]["isEnabled"] = False
    assert [one.enabled for one in world.provider.schedules.list()] == [False]
    assert _done(world.provider) == [("changed", "pipelines-train")]
    assert _there(world)["pipelines-train"]["isEnabled"] is True


def test_what_others_made_is_never_touched(world: AzureWorld) -> None:
    _done(world.provider)
    path = f"{workspace_id(Context(world.platform))}/schedules"
    theirs = {**_there(world)["pipelines-train"], "properties": {}}
    world.azure.resources.put(f"{path}/theirs", {"properties": theirs})
    others = {**theirs, "properties": {"scaffolder.for": "others.churn"}}
    world.azure.resources.put(f"{path}/others-churn", {"properties": others})
    none = world.opened_with(_with(world.platform, schedule=None))
    assert _done(none) == [("removed", "pipelines-train")]
    assert {*_there(world)} == {"theirs", "others-churn"}
    world.azure.resources.put(f"{path}/pipelines-train", {"properties": theirs})
    with pytest.raises(AlreadyExists, match=r"that is not of pipelines\.train"):
        _done(world.provider)


def test_a_run_that_a_schedule_starts_is_listed_as_its_pipelines(world: AzureWorld) -> None:
    _done(world.provider)
    definition = _there(world)["pipelines-train"]["action"]["jobDefinition"]
    world.azure.jobs.put(
        f"{workspace_id(Context(world.platform))}/jobs/by-the-clock", {"properties": definition}
    )
    (run,) = world.provider.runs.list("train")
    assert (run.ref, run.reason) == ("by-the-clock", "schedule")


def test_what_cannot_be_scheduled_is_said_and_what_was_there_of_it_stays(world: AzureWorld) -> None:
    _done(world.provider)
    missing = world.opened_with(_with(world.platform, steps=None, lacks="its definition is not there"))
    (said,) = missing.schedules.ensure()
    assert (said.action, said.detail) == ("skipped", "its definition is not there")
    assert [*_there(world)] == ["pipelines-train"]
    batch = [
        replace(each, schedule="0 6 * * *")
        if isinstance(each, OnlineEndpoint) and each.mode == "batch"
        else each
        for each in world.platform.intents
    ]
    scored = world.opened_with(replace(world.platform, intents=tuple(batch)))
    assert _done(scored) == [("unchanged", "pipelines-train"), ("skipped", "of endpoints.scores")]
    with pytest.raises(InvalidRequest, match="Azure ML starts in every month"):
        _done(world.opened_with(_with(world.platform, schedule="0 6 1 1 *")))
