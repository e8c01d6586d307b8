"""A rollout brings a version behind an endpoint step by step, goes back when it is not healthy, and can be killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffolder.errors import UsageError
from scaffolder.operations.errors import Conflict, InvalidRequest, RolledBack, Unavailable
from scaffolder.operations.port import Serving
from scaffolder.operations.rollout import (
    AT_ONCE,
    Canary,
    RolloutPlan,
    Sample,
    deployment_name,
    plan_rollback,
    plan_rollout,
    previous_version,
    roll_out,
)
from scaffolder.operations.values import (
    Answer,
    Approval,
    Autoscaling,
    Deployment,
    DeployRequest,
    EndpointState,
    EndpointStatus,
    ModelVersion,
    Registration,
    Stage,
)
from tests.operations.opened import Clock, opened_memory

BODY = b"tenure,charge\n12,70\n"
SAMPLE = Sample(body=BODY)
QUICK = Canary(wait_s=30)


class World:
    """An endpoint of the in-memory provider, with versions to deploy, and a clock that only waiting turns."""

    def __init__(self, folder: Path, versions: int = 3) -> None:
        self.clock = Clock()
        self.sleep = self.clock.sleep
        _, self.memory = opened_memory(folder, self.clock)
        for number in range(versions):
            self.memory.registry.register(
                Registration(model="churn", artifact_uri="memory://m", token=f"t{number}")
            )

    def request(self, version: int) -> DeployRequest:
        return DeployRequest(
            endpoint="churn",
            deployment=deployment_name(version),
            model="churn",
            version=version,
            instance="cpu.medium",
            scaling=Autoscaling(min_replicas=1, max_replicas=2),
        )

    def plan(self, version: int, canary: Canary = QUICK, serving: Serving | None = None) -> RolloutPlan:
        status = (serving or self.memory.serving).describe("churn")
        return plan_rollout(status, self.request(version), canary)

    def roll_out(self, version: int, canary: Canary = QUICK, **given: object) -> list[str]:
        told: list[str] = []
        roll_out(
            self.memory.serving,
            self.plan(version, canary),
            sleep=self.sleep,
            tell=told.append,
            **given,  # type: ignore[arg-type]
        )
        return told

    @property
    def traffic(self) -> dict[str, int]:
        return {one.name: one.traffic_percent for one in self.memory.serving.describe("churn").deployments}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_first_version_takes_all_traffic_without_steps_or_waits(world: World) -> None:
    plan = world.plan(1)
    assert (plan.steps, plan.step_wait_s, plan.before, plan.is_there) == ((100,), 0.0, {}, False)
    world.roll_out(1)
    assert world.traffic == {"v001": 100}


@pytest.mark.parametrize("begins", ["90 % to v001, 10 % to v002", "50 % to v001, 50 % to v002"])
def test_a_rollout_that_another_one_overtakes_stops_and_leaves_the_traffic_to_it(
    world: World, begins: str
) -> None:
    world.roll_out(1)

    def overtake(told: str) -> None:
        if told == begins:
            world.roll_out(3)

    plan = world.plan(2)
    with pytest.raises(Conflict, match=r'somebody else deploys to the endpoint "churn" \(100 % to v003\)'):
        roll_out(world.memory.serving, plan, sleep=world.sleep, tell=overtake)
    assert world.traffic == {"v003": 100}


def test_a_rollout_whose_old_deployment_another_one_took_away_says_so(world: World) -> None:
    world.roll_out(1)
    plan = world.plan(3)
    world.roll_out(2)
    with pytest.raises(Conflict, match="the rollout of v003 stops, and leaves the traffic as it is"):
        roll_out(world.memory.serving, plan, sleep=world.sleep)
    assert world.traffic == {"v002": 100, "v003": 0}


def test_a_canary_moves_traffic_in_steps_watches_each_and_takes_the_old_one_away(world: World) -> None:
    world.roll_out(1)
    before = world.clock.slept_s
    assert world.roll_out(2, smoke=SAMPLE) == [
        "deploying version 2 of churn as v002",
        "v002 is in service",
        "v002 answered the smoke test",
        "90 % to v001, 10 % to v002",
        "50 % to v001, 50 % to v002",
        "100 % to v002",
        "v001 is being taken away",
    ]
    assert world.traffic == {"v002": 100}
    assert world.clock.slept_s - before >= 3 * QUICK.wait_s


def test_what_is_waited_for_is_said_while_it_is(world: World) -> None:
    world.roll_out(1)
    live: list[str] = []
    world.roll_out(2, live=live.append)
    assert live[0] == "churn is updating, v002 is creating"
    assert "watching v002: 30 s left" in live


def test_the_old_deployment_can_be_kept_and_the_steps_be_left_out(world: World) -> None:
    world.roll_out(1)
    world.roll_out(2, replace(AT_ONCE, keep_old=True))
    assert world.traffic == {"v001": 0, "v002": 100}


def test_an_unhealthy_version_gives_the_traffic_back_and_goes(world: World) -> None:
    world.roll_out(1)

    def health(status: EndpointStatus) -> str:
        share = {one.name: one.traffic_percent for one in status.deployments}
        return "9 of 10 requests failed" if share.get("v002") == 50 else ""

    with pytest.raises(RolledBack) as error:
        world.roll_out(2, health=health)
    assert str(error.value) == (
        "version 2 of churn is not healthy: 9 of 10 requests failed\n"
        "  The traffic is where it was (100 % to v001), and v002 is being taken away.\n"
        "  `scaffolder endpoints show churn` shows what serves; `scaffolder models reject churn 2` keeps it from being "
        "deployed again."
    )
    assert world.traffic == {"v001": 100}


class Wrong(World):
    """An endpoint whose new deployment does not work."""

    def __init__(self, folder: Path, *, answers: bool, comes_up: bool) -> None:
        super().__init__(folder)
        self.roll_out(1)
        self.answers = answers
        self.comes_up = comes_up

    def try_two(self, told: list[str]) -> None:
        serving = Failing(self.memory.serving, self)
        plan = self.plan(2, serving=serving)
        roll_out(serving, plan, sleep=self.sleep, smoke=SAMPLE, tell=told.append)


class Failing:
    """Serving whose deployment v002 does not come up, or does not answer."""

    def __init__(self, serving: Serving, world: Wrong) -> None:
        self._serving = serving
        self._world = world
        self.deploy, self.undeploy, self.set_traffic = serving.deploy, serving.undeploy, serving.set_traffic

    def list(self) -> Iterator[EndpointStatus]:
        return self._serving.list()

    def describe(self, endpoint: str) -> EndpointStatus:
        status = self._serving.describe(endpoint)
        if self._world.comes_up:
            return status
        deployments = tuple(
            replace(one, state=EndpointState.FAILED, error="no memory") if one.name == "v002" else one
            for one in status.deployments
        )
        return replace(status, deployments=deployments)

    def invoke(
        self, endpoint: str, body: bytes, *, content_type: str = "text/csv", deployment: str | None = None
    ) -> Answer:
        if deployment == "v002" and not self._world.answers:
            raise Unavailable("the endpoint does not answer")
        return self._serving.invoke(endpoint, body, content_type=content_type, deployment=deployment)


@pytest.mark.parametrize(
    ("answers", "comes_up", "why"),
    [
        (False, True, "v002 did not answer the smoke test: the endpoint does not answer"),
        (True, False, "the deployment v002 failed: no memory"),
    ],
)
def test_a_version_that_does_not_work_never_gets_traffic(
    tmp_path: Path, why: str, *, answers: bool, comes_up: bool
) -> None:
    world = Wrong(tmp_path, answers=answers, comes_up=comes_up)
    told: list[str] = []
    with pytest.raises(RolledBack, match=f"^version 2 of churn is not healthy: {why}\n"):
        world.try_two(told)
    assert not [line for line in told if "%" in line]
    assert world.traffic == {"v001": 100}


class Killing:
    """Serving that kills its caller at its ``fatal``-th call that changes something: before it, or when it is done."""

    def __init__(self, serving: Serving, fatal: int, *, done: bool) -> None:
        self._serving = serving
        self._left = fatal
        self._done = done
        self.list, self.describe, self.invoke = serving.list, serving.describe, serving.invoke

    def _call(self, act: Callable[[], object]) -> None:
        self._left -= 1
        if self._left < 0 and not self._done:
            raise KeyboardInterrupt
        act()
        if self._left < 0:
            raise KeyboardInterrupt

    def deploy(self, request: DeployRequest) -> str:
        self._call(lambda: self._serving.deploy(request))
        return request.endpoint

    def undeploy(self, endpoint: str, deployment: str) -> None:
        self._call(lambda: self._serving.undeploy(endpoint, deployment))

    def set_traffic(self, endpoint: str, percent: Mapping[str, int]) -> None:
        self._call(lambda: self._serving.set_traffic(endpoint, percent))


@pytest.mark.parametrize("done", [False, True], ids=["before it", "after it"])
def test_killed_at_any_change_the_same_command_brings_it_to_its_end(tmp_path: Path, *, done: bool) -> None:
    for fatal in count():
        world = World(tmp_path / str(fatal))
        world.roll_out(1)
        killing = Killing(world.memory.serving, fatal, done=done)
        try:
            roll_out(killing, world.plan(2), sleep=world.sleep)
        except KeyboardInterrupt:
            assert sum(world.traffic.values()) == 100
            world.roll_out(2)
            assert world.traffic == {"v002": 100}
        else:
            assert fatal == 6, "a deployment, asked for twice, three splits and a removal"
            return


@given(
    shares=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    percents=st.lists(st.integers(1, 99), min_size=0, max_size=4, unique=True),
)
def test_every_split_is_whole_percents_that_make_100_and_only_the_new_share_grows(
    shares: list[int], percents: list[int]
) -> None:
    whole = [share * 100 // sum(shares) for share in shares]
    whole[0] += 100 - sum(whole)
    status = endpoint(*[deployed(number, share) for number, share in enumerate(whole, 1)])
    plan = plan_rollout(status, request_of(9), Canary(steps=(*sorted(percents), 100)))
    for split, percent in zip(plan.splits, plan.steps, strict=True):
        assert sum(split.values()) == 100
        assert split["v009"] == percent
        assert min(split.values()) >= 0
    assert dict(plan.before) == {deployment_name(n): share for n, share in enumerate(whole, 1)}


def deployed(version: int, percent: int, state: EndpointState = EndpointState.IN_SERVICE) -> Deployment:
    return Deployment(
        name=deployment_name(version),
        model="churn",
        version=version,
        traffic_percent=percent,
        state=state,
        native_state="",
    )


def endpoint(*deployments: Deployment) -> EndpointStatus:
    return EndpointStatus(
        name="churn", ref="e", state=EndpointState.IN_SERVICE, native_state="", deployments=deployments
    )


def request_of(version: int) -> DeployRequest:
    return DeployRequest(
        endpoint="churn",
        deployment=deployment_name(version),
        model="churn",
        version=version,
        instance="cpu.medium",
        scaling=Autoscaling(min_replicas=1, max_replicas=1),
    )


def version_of(number: int, stage: Stage = Stage.NONE) -> ModelVersion:
    return ModelVersion(
        ref=str(number),
        model="churn",
        version=number,
        approval=Approval.APPROVED,
        stage=stage,
        created=datetime(2026, 11, 1, tzinfo=UTC),
        artifact_uri="memory://m",
    )


@pytest.mark.parametrize(
    ("serving", "approved", "chosen"),
    [
        ([deployed(3, 10), deployed(2, 90)], [], 2),
        ([deployed(3, 50), deployed(2, 20), deployed(1, 30)], [], 1),
        ([deployed(3, 100), deployed(1, 0)], [version_of(2)], 1),
        ([deployed(3, 100)], [version_of(2), version_of(1)], 2),
        ([deployed(3, 100)], [version_of(2), version_of(1, Stage.ARCHIVED)], 1),
    ],
    ids=["a canary", "a split of three", "one that was kept", "the newest earlier", "one that was in use"],
)
def test_a_rollback_goes_to_the_version_before(
    serving: list[Deployment], approved: list[ModelVersion], chosen: int
) -> None:
    assert previous_version(endpoint(*serving), approved) == chosen


def test_a_rollback_without_anything_to_go_back_to_says_so() -> None:
    with pytest.raises(InvalidRequest, match="nothing serves behind the endpoint"):
        previous_version(endpoint(), [version_of(1)])
    with pytest.raises(InvalidRequest, match='no version before 2 of "churn" is approved'):
        previous_version(endpoint(deployed(2, 100)), [version_of(2), version_of(3)])


def test_a_rollback_that_fails_leaves_the_split_as_it_was_and_takes_nothing_away(world: World) -> None:
    world.roll_out(1)
    world.memory.serving.deploy(world.request(2))
    world.sleep(60)
    world.memory.serving.set_traffic("churn", {"v001": 90, "v002": 10})
    plan = plan_rollback(world.memory.serving.describe("churn"), world.request(1))
    assert [dict(split) for split in plan.splits] == [{"v001": 100, "v002": 0}]
    with pytest.raises(RolledBack) as error:
        roll_out(world.memory.serving, plan, sleep=world.sleep, health=lambda _: "an alarm")
    assert "The traffic is where it was (90 % to v001, 10 % to v002).\n" in str(error.value)
    assert world.traffic == {"v001": 90, "v002": 10}
    roll_out(world.memory.serving, plan, sleep=world.sleep)
    assert world.traffic == {"v001": 100}


@pytest.mark.parametrize("steps", [(), (10, 50), (0, 100), (50, 10, 100), (10, 10, 100), (50, 101)])
def test_a_canary_that_does_not_rise_to_100_is_refused(steps: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="is no canary: whole percents that rise"):
        Canary(steps=steps)


def test_where_what_serves_has_failed_the_new_version_takes_over_at_once() -> None:
    plan = plan_rollout(endpoint(deployed(1, 100, EndpointState.FAILED)), request_of(2), Canary())
    assert (plan.steps, plan.step_wait_s) == ((100,), 0.0)


def test_an_interrupted_rollout_goes_on_at_the_share_it_had() -> None:
    plan = plan_rollout(endpoint(deployed(1, 50), deployed(2, 50)), request_of(2), Canary())
    assert plan.is_there
    assert [dict(split) for split in plan.splits] == [{"v001": 50, "v002": 50}, {"v001": 0, "v002": 100}]
    assert plan.removes == ("v001",)
