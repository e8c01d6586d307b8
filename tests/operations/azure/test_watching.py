"""The drift code on Azure: it reads what deployments collected, remembers in blobs and publishes to Azure Monitor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from scaffolder.operations.azure.provider import AzureProvider
from scaffolder.operations.errors import NotFound, Unsupported
from stacks.azure.assets import workspace_id
from stacks.azure.compute import wanted_machines
from stacks.azure.context import Context
from stacks.intents import ModelMonitor
from stacks.pipelines import CodeFolder
from tests.operations.azure.watched import HOUR, SECRET, Watched, inside
from tests.operations.watching import NOON
from tests.operations.worlds.azure import AzureWorld, open_world

DRIFT = CodeFolder(path="drift", files={"drift/__main__.py": "print()"}, digest="0123456789abcdef" * 4)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[AzureWorld]:
    with open_world(tmp_path) as opened:
        yield opened


@pytest.fixture
def watched(world: AzureWorld) -> Iterator[Watched]:
    with inside(world) as there:
        yield Watched(there)


def test_what_drifted_is_published_where_the_alert_looks(watched: Watched) -> None:
    for number in range(3):
        watched.hour(number, shift=20)
        watched.run(number)
    assert watched.told("drift_alarm") == [0, 1, 1]
    assert watched.told("drift_retrain") == [0, 1, 0]
    assert all(score > 0.5 for score in watched.told("drift_score"))
    assert [window["rows"] for window in watched.job.said["windows"]] == [60]


def test_in_a_job_of_azure_ml_the_identity_is_its_own(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MSI_ENDPOINT", f"{watched.there.address}/msi/token")
    monkeypatch.setenv("MSI_SECRET", SECRET)
    watched.hour(0)
    assert watched.run(0) == (0, 0)
    assert not any("169.254" in asked for asked in watched.there.asked)


def test_what_passes_is_tried_again(watched: Watched) -> None:
    watched.hour(0)
    watched.there.faults = [503, 429, 500]
    assert watched.run(0) == (0, 0)


def test_what_lasts_ends_the_job_with_the_services_words_and_no_secret(watched: Watched) -> None:
    watched.there.faults = [403]
    assert watched.job.run(NOON + HOUR) == 2
    assert "answered 403: The server is busy." in watched.job.error
    assert "token-of" not in watched.job.error


# --- operations ------------------------------------------------------------------------------------------------------


def _own(world: AzureWorld) -> ModelMonitor:
    (monitor,) = (it for it in world.platform.intents if isinstance(it, ModelMonitor))
    size = next(iter(wanted_machines(Context(world.platform)))).size  # whose cluster the stacks have made
    return replace(monitor, image="training:1.0.0", baseline="2026-11", code=DRIFT, instance=size)


def _provider(world: AzureWorld, monitor: ModelMonitor) -> AzureProvider:
    intents = tuple(monitor if isinstance(it, ModelMonitor) else it for it in world.platform.intents)
    return world.opened_with(replace(world.platform, intents=intents))


def test_a_monitors_job_is_put_with_its_schedule_and_follows_the_spec(world: AzureWorld) -> None:
    monitor = _own(world)
    provider = _provider(world, monitor)
    (planned,) = provider.monitoring.list()
    assert (planned.state, planned.alarm) == ("planned", False)
    assert provider.monitoring.ensure(monitor).action == "created"
    assert provider.monitoring.ensure(monitor).action == "unchanged"
    (active,) = provider.monitoring.list()
    assert active.state == "active"
    other = replace(monitor, every="6h", data_drift_threshold=0.4)
    assert _provider(world, other).monitoring.ensure(other).action == "changed"
    (schedule,) = world.azure.resources.below(f"{workspace_id(Context(world.platform))}/schedules")
    assert schedule.document["properties"]["trigger"]["expression"] == "0 0,6,12,18 * * *"


def test_schedules_of_monitors_are_applied_with_the_pipelines_and_go_with_the_monitor(
    world: AzureWorld,
) -> None:
    with_it = _provider(world, _own(world))
    said = {(one.subject, one.action) for one in with_it.schedules.ensure(dry_run=True)}
    assert ("schedule monitors-churn", "created") in said
    assert [*with_it.schedules.list()] == []
    assert ("schedule monitors-churn", "created") in {
        (one.subject, one.action) for one in with_it.schedules.ensure()
    }
    assert {(one.subject, one.action) for one in with_it.schedules.ensure()} == {
        ("schedule pipelines-train", "unchanged"),
        ("schedule monitors-churn", "unchanged"),
    }
    bare = _provider(world, replace(_own(world), baseline=None))
    assert ("schedule of monitors.churn", "skipped") in {
        (one.subject, one.action) for one in bare.schedules.ensure()
    }
    assert "monitors-churn" in {one.name for one in bare.schedules.list()}
    assert ("schedule monitors-churn", "removed") in {
        (one.subject, one.action) for one in world.provider.schedules.ensure()
    }


def test_it_looks_now_and_once_for_a_token_with_the_drift_code(world: AzureWorld) -> None:
    provider = _provider(world, _own(world))
    ref = provider.monitoring.run("churn", "one")
    assert provider.monitoring.run("churn", "one") == ref
    run = provider.runs.describe(ref)
    assert (run.pipeline, run.reason) == ("churn--monitor", "monitor: churn")
    components = world.azure.resources.below(
        f"{workspace_id(Context(world.platform))}/components/azureml_anonymous/versions"
    )
    (command,) = [it.document["properties"]["componentSpec"]["command"] for it in components]
    assert command.startswith("'python' '-m' 'drift' 'watch' '--monitor=churn'")
    assert "'--captured=azureml:https://churndevworkspace.blob.core.windows.net/" in command
    assert "'--publish=azuremonitor:westeurope:/subscriptions/" in command


def test_a_monitor_without_an_image_or_a_baseline_is_refused_and_says_what_to_do(world: AzureWorld) -> None:
    with pytest.raises(Unsupported, match="no job of its own"):
        world.provider.monitoring.run("churn", "one")
    bare = replace(_own(world), baseline=None)
    with pytest.raises(NotFound, match="nothing to compare with yet"):
        _provider(world, bare).monitoring.ensure(bare)


def test_what_the_job_kept_of_its_windows_is_told(world: AzureWorld, watched: Watched) -> None:
    for number, shift in enumerate((20, 0, 20, 20)):
        watched.hour(number, shift=shift)
        watched.run(number)
    provider = _provider(world, _own(world))
    found = [*provider.monitoring.results("churn")]
    assert [it.window_start for it in found if it.feature == "tenure"] == [NOON + n * HOUR for n in range(4)]
    assert [it.breached for it in found if it.feature == "tenure"] == [True, False, True, True]
    (status,) = provider.monitoring.list()
    assert (status.last_window_end, status.alarm) == (NOON + 4 * HOUR, True)
    assert {it.window_start for it in provider.monitoring.results("churn", since=NOON + 3 * HOUR)} == {
        NOON + 3 * HOUR
    }
