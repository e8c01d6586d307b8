"""Brings a version behind an endpoint step by step, watches it, and takes the traffic back when it is not healthy.

Everything that a rollout has to know is read from the endpoint, so that one that was killed is taken up again by the
same command. Runs over any provider's :class:`~scaffolder.operations.port.Serving`; may not know which.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from itertools import pairwise
from typing import TypeAlias

from scaffolder.errors import UsageError
from scaffolder.operations.errors import Conflict, InvalidRequest, OperationError, RolledBack
from scaffolder.operations.port import Serving
from scaffolder.operations.values import (
    Deployment,
    DeployRequest,
    EndpointState,
    EndpointStatus,
    ModelVersion,
    Stage,
)
from scaffolder.operations.waiting import Polling, retried, wait_until
from stacks.record import record

__all__ = [
    "AT_ONCE",
    "Canary",
    "Health",
    "Rollout",
    "RolloutPlan",
    "Sample",
    "deployment_name",
    "endpoint_is_sound",
    "plan_rollback",
    "plan_rollout",
    "previous_version",
    "roll_out",
]

SETTLING = Polling(start_s=0.2, factor=1.5, most_s=15.0, timeout_s=3600.0)
LOOK_EVERY_S = 10.0
BUSY = frozenset({EndpointState.CREATING, EndpointState.UPDATING})

Health: TypeAlias = Callable[[EndpointStatus], str]
"""Says what is wrong with an endpoint whose traffic is being moved; nothing where nothing is."""


@record
class Sample:
    """A request that every version has to answer."""

    body: bytes
    content_type: str = "text/csv"


@record
class Canary:
    """How a version takes over: the shares of the traffic in whole percents, each watched for ``wait_s`` seconds.

    ``keep_old`` leaves the deployments that were there, without traffic, so that going back takes no time.
    """

    steps: tuple[int, ...] = (10, 50, 100)
    wait_s: float = 60.0
    keep_old: bool = False

    def __post_init__(self) -> None:
        """Hold the steps to whole percents that rise to 100.

        Raises:
            UsageError: they do not.
        """
        steps = self.steps
        if not steps or any(low >= high for low, high in pairwise(steps)) or steps[0] < 1 or steps[-1] != 100:
            shown = ",".join(map(str, steps))
            raise UsageError(
                f'"{shown}" is no canary: whole percents that rise from 1 or more to 100, such as 10,50,100'
            )


AT_ONCE = Canary(steps=(100,), wait_s=0.0)


@record
class RolloutPlan:
    """What a rollout will do. ``before`` is the split that a failure goes back to: without the new deployment, mostly."""

    request: DeployRequest
    is_there: bool
    before: Mapping[str, int]
    steps: tuple[int, ...]
    step_wait_s: float
    removes: tuple[str, ...]

    @property
    def splits(self) -> tuple[Mapping[str, int], ...]:
        """The traffic of each step, in whole percents."""
        return tuple(_split(self.before, self.request.deployment, percent) for percent in self.steps)


@record
class Rollout:
    """What a rollout did, and the split that the endpoint has now."""

    endpoint: str
    model: str
    version: int
    deployment: str
    traffic: Mapping[str, int] = field(default_factory=dict)
    removed: tuple[str, ...] = ()


def deployment_name(version: int) -> str:
    """Name a version's deployment; three characters at least, which Azure ML asks for (limits, 2026-11)."""
    return f"v{version:03}"


def plan_rollout(
    status: EndpointStatus,
    request: DeployRequest,
    canary: Canary,
) -> RolloutPlan:
    """Decide what a rollout does from what the endpoint has now; where one was interrupted, the rest of it.

    Where nothing else serves there is nothing to go back to, and so neither steps nor waits.
    """
    new = _serving_version(status, request.model, request.version)
    others = tuple(one for one in status.deployments if one is not new)
    before = _before(others, alone=new is not None and new.traffic_percent == 100)
    reached = new.traffic_percent if new else 0
    sound = any(one.state is EndpointState.IN_SERVICE and before.get(one.name) for one in others)
    left = tuple(step for step in canary.steps if step >= reached) if sound else (100,)
    return RolloutPlan(
        request=replace(request, deployment=new.name) if new else request,
        is_there=new is not None,
        before=before,
        steps=left,
        step_wait_s=canary.wait_s if sound else 0.0,
        removes=() if canary.keep_old else tuple(one.name for one in others),
    )


def plan_rollback(status: EndpointStatus, request: DeployRequest, *, keep_old: bool = False) -> RolloutPlan:
    """Decide how all traffic goes to a version at once; should that fail, the split is what it is now."""
    plan = plan_rollout(status, request, replace(AT_ONCE, keep_old=keep_old))
    now = {one.name: one.traffic_percent for one in status.deployments if one.traffic_percent}
    return replace(plan, before=now)


def previous_version(status: EndpointStatus, versions: Sequence[ModelVersion]) -> int:
    """Choose the version that a rollback goes to; ``versions`` are those that may be deployed.

    While the traffic is split, that is what the newest one takes it from. Else a deployment that was kept; else the
    newest earlier version, one that was in use before others.

    Raises:
        InvalidRequest: there is none.
    """
    serving = [one for one in status.deployments if one.traffic_percent and one.version is not None]
    if not serving:
        raise InvalidRequest(
            f'nothing serves behind the endpoint "{status.name}": there is nothing to roll back',
            remedy="`scaffolder models deploy MODEL` deploys a version.",
        )
    current = max(one.version or 0 for one in serving)
    split = [one for one in serving if one.version != current]
    if split:
        return max(split, key=lambda one: one.traffic_percent).version or 0
    kept = [one.version for one in status.deployments if one.version and one.version < current]
    if kept:
        return max(kept)
    earlier = [one for one in versions if one.version < current]
    if not earlier:
        raise InvalidRequest(
            f'no version before {current} of "{serving[0].model}" is approved: there is nothing to go back to',
            remedy=f"`scaffolder models list {serving[0].model}` shows them; --to takes an approved one.",
        )
    return max(earlier, key=lambda one: (one.stage is not Stage.NONE, one.version)).version


def endpoint_is_sound(deployment: str) -> Health:
    """Make the least check: neither the endpoint nor the deployment has failed or gone."""

    def check(status: EndpointStatus) -> str:
        if status.state is EndpointState.FAILED:
            return f"the endpoint failed: {status.error or status.native_state}"
        one = _named(status, deployment)
        if one is None:
            return f"the deployment {deployment} is gone"
        if one.state is EndpointState.FAILED:
            return f"the deployment {deployment} failed: {one.error or one.native_state}"
        return ""

    return check


def roll_out(
    serving: Serving,
    plan: RolloutPlan,
    *,
    sleep: Callable[[float], None],
    health: Health | None = None,
    smoke: Sample | None = None,
    tell: Callable[[str], None] = lambda _: None,
    live: Callable[[str], None] = lambda _: None,
) -> Rollout:
    """Carry a plan out. ``smoke`` is asked of the new deployment before it gets traffic.

    ``tell`` hears what is done, ``live`` what is waited for.

    Raises:
        RolledBack: the version did not come up, did not answer or was not healthy; the traffic is where it was.
    """
    checked = health or endpoint_is_sound(plan.request.deployment)
    return _Controller(serving, plan, sleep, checked, tell, live).run(smoke)


class _Controller:
    """One rollout under way."""

    def __init__(
        self,
        serving: Serving,
        plan: RolloutPlan,
        sleep: Callable[[float], None],
        health: Health,
        tell: Callable[[str], None],
        live: Callable[[str], None],
    ) -> None:
        self._serving = serving
        self._plan = plan
        self._sleep = sleep
        self._health = health
        self._tell = tell
        self._live = live
        self._endpoint = plan.request.endpoint
        self._new = plan.request.deployment
        self._known = {*plan.before, *plan.removes}

    def run(self, smoke: Sample | None) -> Rollout:
        self._come_up()
        if smoke is not None:
            self._answer(smoke)
        for split in self._plan.splits:
            self._shift(split)
            self._watch()
        removed = self._clear()
        return Rollout(
            endpoint=self._endpoint,
            model=self._plan.request.model,
            version=self._plan.request.version,
            deployment=self._new,
            traffic={self._new: 100},
            removed=removed,
        )

    def _come_up(self) -> None:
        request = self._plan.request
        if not self._plan.is_there:
            self._tell(f"deploying version {request.version} of {request.model} as {self._new}")
            retried(lambda: self._serving.deploy(request), sleep=self._sleep)
        status = wait_until(
            self._look,
            lambda seen: (
                (one := _named(seen, self._new)) is not None
                and one.state not in {*BUSY, EndpointState.PLANNED}
            ),
            what=f"the deployment {self._new}",
            sleep=self._sleep,
            polling=SETTLING,
        )
        if wrong := endpoint_is_sound(self._new)(status):
            self._give_up(wrong)
        # The same request again completes what only a deployment that serves can be given: on AWS, its scaling.
        retried(lambda: self._serving.deploy(request), sleep=self._sleep)
        self._tell(f"{self._new} is in service")

    def _answer(self, sample: Sample) -> None:
        try:
            retried(
                lambda: self._serving.invoke(
                    self._endpoint, sample.body, content_type=sample.content_type, deployment=self._new
                ),
                sleep=self._sleep,
            )
        except OperationError as error:
            self._give_up(f"{self._new} did not answer the smoke test: {error}")
        self._tell(f"{self._new} answered the smoke test")

    def _shift(self, split: Mapping[str, int]) -> None:
        self._set_traffic(split)
        shown = ", ".join(f"{percent} % to {name}" for name, percent in split.items() if percent)
        self._tell(shown)

    def _set_traffic(self, split: Mapping[str, int]) -> None:
        status = self._settled()
        now = self._undisturbed(status)
        there = {one.name for one in status.deployments}
        if gone := [name for name, percent in split.items() if percent and name not in there]:
            raise self._disturbed(f"{' and '.join(gone)} was taken away")
        if now != {name: percent for name, percent in split.items() if percent}:
            retried(lambda: self._serving.set_traffic(self._endpoint, split), sleep=self._sleep)
            self._settled()

    def _undisturbed(self, status: EndpointStatus) -> dict[str, int]:
        """Return the split that there is.

        Raises:
            Conflict: a deployment that this rollout does not know has traffic: somebody else's rollout gave it.
        """
        now = {one.name: one.traffic_percent for one in status.deployments if one.traffic_percent}
        theirs = [f"{now[name]} % to {name}" for name in sorted({*now} - {*self._known, self._new})]
        if theirs:
            raise self._disturbed(", ".join(theirs))
        return now

    def _disturbed(self, what: str) -> Conflict:
        return Conflict(
            f'somebody else deploys to the endpoint "{self._endpoint}" ({what}): '
            f"the rollout of {self._new} stops, and leaves the traffic as it is",
            remedy=f"`scaffolder endpoints show {self._endpoint}` shows what serves; "
            "the same command again begins from there.",
        )

    def _look(self) -> EndpointStatus:
        status = self._serving.describe(self._endpoint)
        one = _named(status, self._new)
        states = [f"{self._endpoint} is {status.state.value}"]
        states += [f"{self._new} is {one.state.value}"] if one is not None else []
        self._live(", ".join(states))
        return status

    def _settled(self) -> EndpointStatus:
        return wait_until(
            self._look,
            lambda seen: seen.state not in BUSY,
            what=f"the endpoint {self._endpoint}",
            sleep=self._sleep,
            polling=SETTLING,
        )

    def _watch(self) -> None:
        """Look at once, and again until the wait is over."""
        left = self._plan.step_wait_s
        while True:
            status = self._serving.describe(self._endpoint)
            self._undisturbed(status)
            if wrong := self._health(status):
                self._give_up(wrong)
            if left <= 0:
                return
            self._live(f"watching {self._new}: {left:.0f} s left")
            pause = min(LOOK_EVERY_S, left)
            self._sleep(pause)
            left -= pause

    def _give_up(self, wrong: str) -> None:
        """Take the traffic back and the deployment away.

        Raises:
            RolledBack: always.
        """
        request = self._plan.request
        what = f"version {request.version} of {request.model} is not healthy: {wrong}"
        see = f"`scaffolder endpoints show {self._endpoint}` shows what serves"
        if not self._plan.before:
            raise RolledBack(
                f'{what}\n  It is the only one behind the endpoint "{self._endpoint}", and stays to be looked at.',
                remedy=f"{see}; `scaffolder models deploy {request.model} --version N` brings another version.",
            )
        self._tell(f"rolling back: {wrong}")
        self._set_traffic(self._plan.before)
        back = ", ".join(f"{percent} % to {name}" for name, percent in self._plan.before.items() if percent)
        where = f"The traffic is where it was ({back})"
        if not self._plan.before.get(self._new):
            retried(lambda: self._serving.undeploy(self._endpoint, self._new), sleep=self._sleep)
            where += f", and {self._new} is being taken away"
        raise RolledBack(
            f"{what}\n  {where}.",
            remedy=f"{see}; `scaffolder models reject {request.model} {request.version}` keeps it from being "
            "deployed again.",
        )

    def _clear(self) -> tuple[str, ...]:
        for name in self._plan.removes:
            self._settled()
            retried(lambda name=name: self._serving.undeploy(self._endpoint, name), sleep=self._sleep)  # type: ignore[misc]
            self._tell(f"{name} is being taken away")
        return self._plan.removes


def _named(status: EndpointStatus, name: str) -> Deployment | None:
    return next((one for one in status.deployments if one.name == name), None)


def _serving_version(status: EndpointStatus, model: str, version: int) -> Deployment | None:
    return next((one for one in status.deployments if (one.model, one.version) == (model, version)), None)


def _before(others: Sequence[Deployment], *, alone: bool) -> dict[str, int]:
    """The split of those that were there before, 100 together; a new one that has all took it from the newest."""
    traffic = {one.name: one.traffic_percent for one in others}
    if sum(traffic.values()):
        return _shared(traffic, 100)
    kept = [one for one in others if one.state is EndpointState.IN_SERVICE]
    if not kept or not alone:
        return {}
    newest = max(kept, key=lambda one: one.version or 0)
    return {newest.name: 100}


def _split(before: Mapping[str, int], new: str, percent: int) -> Mapping[str, int]:
    return {**_shared(before, 100 - percent), new: percent}


def _shared(weights: Mapping[str, int], whole: int) -> dict[str, int]:
    """Share whole percents in proportion; what rounding leaves goes to the largest remainders."""
    total = sum(weights.values())
    if not total:
        return dict.fromkeys(weights, 0)
    exact = {name: weight * whole / total for name, weight in weights.items()}
    shares = {name: int(share) for name, share in exact.items()}
    largest = sorted(exact, key=lambda name: (shares[name] - exact[name], name))
    for name in largest[: whole - sum(shares.values())]:
        shares[name] += 1
    return shares
