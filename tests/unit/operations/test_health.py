"""What is watched while traffic moves: requests that fail beyond what the spec allows, and alarms that are new."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from scaffolder.operations.errors import Unavailable
from scaffolder.operations.health import PROBES, Watch
from scaffolder.operations.names import intents_of
from scaffolder.operations.rollout import Sample
from scaffolder.operations.values import (
    Answer,
    Capability,
    Deployment,
    EndpointState,
    EndpointStatus,
    MonitorStatus,
)
from stacks.intents import OnlineEndpoint, Support, SupportLevel
from tests.operations.memory import Memory
from tests.operations.opened import Clock, opened_memory

STATUS = EndpointStatus(
    name="churn",
    ref="e",
    state=EndpointState.IN_SERVICE,
    native_state="",
    deployments=(
        Deployment(
            name="v002",
            model="churn",
            version=2,
            traffic_percent=10,
            state=EndpointState.IN_SERVICE,
            native_state="",
        ),
    ),
)
SAMPLE = Sample(body=b"1")


class Answering:
    """Serving whose every n-th answer is an error; it keeps whom it was asked for."""

    def __init__(self, every: int) -> None:
        self._every = every
        self.asked: list[str | None] = []

    def invoke(
        self, endpoint: str, body: bytes, *, content_type: str = "", deployment: str | None = None
    ) -> Answer:
        del endpoint, body
        self.asked.append(deployment)
        if len(self.asked) % self._every == 0:
            raise Unavailable("no answer")
        return Answer(body=b"", content_type=content_type)


class Watching:
    """Monitoring that lists what it is given."""

    def __init__(self, *statuses: MonitorStatus) -> None:
        self.statuses = list(statuses)

    def list(self) -> Iterator[MonitorStatus]:
        yield from self.statuses


def monitor(name: str, *, alarm: bool, endpoint: str = "churn") -> MonitorStatus:
    return MonitorStatus(name=name, endpoint=endpoint, state="active", native_state="", alarm=alarm)


def provider_in(
    folder: Path, lacking: dict[Capability, Support] | None = None
) -> tuple[Memory, OnlineEndpoint]:
    opened, memory = opened_memory(folder, Clock(), lacking)
    return memory, intents_of(opened.platform, OnlineEndpoint)["churn"]


@pytest.mark.parametrize(
    ("allowed", "told"),
    [
        (19.0, "1 of 5 requests failed (at most 19 % may); the last one: no answer"),
        (20.0, ""),
    ],
)
def test_more_failed_requests_than_the_spec_allows_are_unhealthy(
    tmp_path: Path, allowed: float, told: str
) -> None:
    provider, endpoint = provider_in(tmp_path)
    serving = provider.serving = Answering(every=PROBES)  # type: ignore[assignment]
    watch = Watch(provider, replace(endpoint, max_error_percent=allowed), "v002", SAMPLE)
    assert watch(STATUS) == told
    assert serving.asked == ["v002"] * PROBES


def test_where_one_deployment_cannot_be_asked_the_endpoint_is(tmp_path: Path) -> None:
    lacking = {Capability.TARGETED_INVOKE: Support(SupportLevel.NOT_POSSIBLE, "no")}
    provider, endpoint = provider_in(tmp_path, lacking)
    serving = provider.serving = Answering(every=100)  # type: ignore[assignment]
    assert Watch(provider, endpoint, "v002", SAMPLE)(STATUS) == ""
    assert set(serving.asked) == {None}


def test_an_alarm_is_held_against_a_version_only_if_it_is_new_and_of_its_endpoint(tmp_path: Path) -> None:
    provider, endpoint = provider_in(tmp_path)
    watching = provider.monitoring = Watching(monitor("old", alarm=True), monitor("new", alarm=False))  # type: ignore[assignment]
    watch = Watch(provider, endpoint, "v002", None)
    assert watch(STATUS) == ""
    watching.statuses.append(monitor("other", alarm=True, endpoint="elsewhere"))
    assert watch(STATUS) == ""
    watching.statuses[1] = monitor("new", alarm=True)
    assert watch(STATUS) == "the monitor new raised an alarm"


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (replace(STATUS, state=EndpointState.FAILED, error="gone mad"), "the endpoint failed: gone mad"),
        (replace(STATUS, deployments=()), "the deployment v002 is gone"),
    ],
)
def test_what_has_failed_or_gone_is_unhealthy(tmp_path: Path, status: EndpointStatus, told: str) -> None:
    provider, endpoint = provider_in(tmp_path)
    assert Watch(provider, endpoint, "v002", None)(status) == told
