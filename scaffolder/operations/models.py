"""The platform's models: their versions, what may be deployed, and which one serves.

Checks names against the spec, and that only what was approved is deployed. May not print.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from scaffolder.errors import UsageError
from scaffolder.operations.errors import InvalidRequest
from scaffolder.operations.health import Watch, can
from scaffolder.operations.names import checked_token, intents_of, looked_up, require
from scaffolder.operations.opening import Opened
from scaffolder.operations.promotion import Promotion, measure_of, promotion_of
from scaffolder.operations.rollout import (
    AT_ONCE,
    Canary,
    Health,
    Rollout,
    RolloutPlan,
    Sample,
    deployment_name,
    plan_rollback,
    plan_rollout,
    previous_version,
    roll_out,
)
from scaffolder.operations.values import (
    Approval,
    Autoscaling,
    Capability,
    DeployRequest,
    ModelVersion,
    Registration,
    Stage,
)
from stacks.intents import ModelRegistry, OnlineEndpoint, TrainingPipeline

__all__ = ["Models"]

GENTLY = Canary()


class Models:
    """The models of the spec, and their versions in the registry."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._provider = opened.provider
        self._registry = opened.provider.registry

    def list(self, model: str | None = None) -> Iterator[ModelVersion]:
        """Yield versions, the newest of each model first, of one model or of all.

        Raises:
            UsageError: the spec has no such model.
        """
        require(self._provider, Capability.REGISTRY)
        for name in self._intents if model is None else [self._model(model).name]:
            yield from self._registry.list(name)

    def get(self, model: str, version: int) -> ModelVersion:
        """Return one version.

        Raises:
            NotFound: it is not in the registry.
        """
        require(self._provider, Capability.REGISTRY)
        return self._registry.get(self._model(model).name, version)

    def register(
        self,
        model: str,
        artifact: str,
        *,
        image: str = "",
        content_type: str = "text/csv",
        metrics: Mapping[str, float] | None = None,
        run: str = "",
        token: str | None = None,
    ) -> ModelVersion:
        """Add a version. ``artifact`` is a folder of the provider's storage, or ``BUCKET:PATH``.

        It is approved at once where the spec says ``approval: automatic``.
        """
        require(self._provider, Capability.REGISTRY)
        intent = self._model(model)
        version = self._registry.register(
            Registration(
                model=intent.name,
                artifact_uri=artifact,
                token=checked_token(token),
                image=image,
                content_type=content_type,
                metrics=dict(metrics or {}),
                run=run,
                source_commit=self._commit_of(run),
            )
        )
        if intent.approval == "automatic" and version.approval is Approval.PENDING:
            return self._registry.set_approval(intent.name, version.version, Approval.APPROVED)
        return version

    def approve(self, model: str, version: int, *, note: str = "") -> ModelVersion:
        """Let a version be deployed."""
        one = self.get(model, version)
        return self._registry.set_approval(one.model, one.version, Approval.APPROVED, note)

    def reject(self, model: str, version: int, *, note: str = "") -> ModelVersion:
        """Keep a version from being deployed; what serves already goes on until another takes its place."""
        one = self.get(model, version)
        return self._registry.set_approval(one.model, one.version, Approval.REJECTED, note)

    def promote(self, model: str, version: int, *, stage: Stage = Stage.PRODUCTION) -> ModelVersion:
        """Move a version to a stage; who held ``staging`` or ``production`` before is archived.

        Raises:
            InvalidRequest: it is to go to production, and is not approved.
        """
        require(self._provider, Capability.STAGES)
        one = self.get(model, version)
        if stage is Stage.PRODUCTION:
            _approved(one, "go to production")
        return self._registry.set_stage(one.model, one.version, stage)

    def is_better(self, model: str, version: int, *, metric: str = "") -> Promotion:
        """Compare a version with the one in production, by the number that each was registered with.

        Without a ``metric`` it is the one that the pipeline's gate asks for.
        """
        candidate = self.get(model, version)
        champion = next((one for one in self.list(model) if one.stage is Stage.PRODUCTION), None)
        pipelines = intents_of(self._opened.platform, TrainingPipeline).values()
        measures = (measure_of(one.steps, model, metric=metric) for one in pipelines)
        return promotion_of(champion, candidate, next((one for one in measures if one), None))

    def plan(
        self,
        model: str,
        version: int | None = None,
        *,
        endpoint: str | None = None,
        canary: Canary = GENTLY,
    ) -> RolloutPlan:
        """Say what :meth:`deploy` would do, and do nothing."""
        require(self._provider, Capability.REALTIME)
        if canary.steps != AT_ONCE.steps:
            require(self._provider, Capability.TRAFFIC)
        intent = self._model(model)
        one = self._newest_approved(intent) if version is None else self.get(model, version)
        _approved(one, "be deployed")
        target = self._endpoint(intent.name, endpoint)
        return plan_rollout(
            self._provider.serving.describe(target.name),
            self._request(target, one),
            canary,
        )

    def plan_rollback(
        self, model: str, *, to: int | None = None, endpoint: str | None = None, keep: bool = False
    ) -> RolloutPlan:
        """Say what :meth:`rollback` would do, and do nothing."""
        require(self._provider, Capability.REALTIME)
        intent = self._model(model)
        target = self._endpoint(intent.name, endpoint)
        status = self._provider.serving.describe(target.name)
        if to is None:
            approved = [one for one in self.list(model) if one.approval is Approval.APPROVED]
            to = previous_version(status, approved)
        one = self.get(model, to)
        if not any(each.version == to for each in status.deployments):
            _approved(one, "be deployed")
        return plan_rollback(status, self._request(target, one), keep_old=keep)

    def carry_out(
        self,
        plan: RolloutPlan,
        *,
        smoke: Sample | None = None,
        health: Health | None = None,
        tell: Callable[[str], None] = lambda _: None,
        live: Callable[[str], None] = lambda _: None,
    ) -> Rollout:
        """Do what a plan says; again, after it was interrupted, with the plan made anew.

        ``smoke`` is asked of the version before it gets traffic, and while it is watched. ``health`` takes the place of
        what is watched otherwise: the endpoint's state, the requests that fail, and new alarms of its monitors.

        Raises:
            RolledBack: the version is not healthy; the traffic is where it was.
        """
        endpoint = intents_of(self._opened.platform, OnlineEndpoint)[plan.request.endpoint]
        targets = can(self._provider, Capability.TARGETED_INVOKE)
        if smoke is not None and not targets:
            tell(f"{self._provider.name} cannot ask one deployment: no smoke test before it has traffic")
        return roll_out(
            self._provider.serving,
            plan,
            sleep=self._opened.opening.sleep,
            health=health or Watch(self._provider, endpoint, plan.request.deployment, smoke),
            smoke=smoke if targets else None,
            tell=tell,
            live=live,
        )

    def deploy(
        self,
        model: str,
        version: int | None = None,
        *,
        endpoint: str | None = None,
        canary: Canary = GENTLY,
        smoke: Sample | None = None,
        health: Health | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> Rollout:
        """Bring a version, or the newest approved one, behind the model's endpoint, step by step of its traffic.

        Killed and called again, it goes on where it was.

        Raises:
            RolledBack: the version is not healthy; the traffic is where it was.
            InvalidRequest: the version is not approved, or Terraform deploys to this endpoint.
        """
        plan = self.plan(model, version, endpoint=endpoint, canary=canary)
        return self.carry_out(plan, smoke=smoke, health=health, tell=tell)

    def rollback(
        self,
        model: str,
        *,
        to: int | None = None,
        endpoint: str | None = None,
        keep: bool = False,
        tell: Callable[[str], None] = lambda _: None,
    ) -> Rollout:
        """Give all traffic to the version before, or to the one named, at once; ``keep`` leaves the other there."""
        return self.carry_out(self.plan_rollback(model, to=to, endpoint=endpoint, keep=keep), tell=tell)

    def _commit_of(self, run: str) -> str:
        """The commit that a run was made from, where its provider keeps that."""
        commit = self._provider.runs.describe(run).record.get("commit") if run else ""
        return commit if isinstance(commit, str) else ""

    @property
    def _intents(self) -> dict[str, ModelRegistry]:
        return intents_of(self._opened.platform, ModelRegistry)

    def _model(self, name: str) -> ModelRegistry:
        return looked_up("model", name, self._intents)

    def _newest_approved(self, model: ModelRegistry) -> ModelVersion:
        versions = [*self.list(model.name)]
        for one in versions:
            if one.approval is Approval.APPROVED:
                return one
        if not versions:
            raise InvalidRequest(
                f'the model "{model.name}" has no version yet',
                remedy="`scaffolder run PIPELINE` trains and registers one.",
            )
        newest = versions[0].version
        raise InvalidRequest(
            f'no version of the model "{model.name}" is approved; the newest is {newest}',
            remedy=f"`scaffolder models approve {model.name} {newest}` approves it.",
        )

    def _endpoint(self, model: str, name: str | None) -> OnlineEndpoint:
        endpoints = intents_of(self._opened.platform, OnlineEndpoint)
        online = {own: one for own, one in endpoints.items() if one.model == model and one.mode != "batch"}
        if name is not None:
            chosen = looked_up("endpoint", name, endpoints)
            if name in online:
                return chosen
            serves = (
                f"scores files with {chosen.model}" if chosen.mode == "batch" else f"serves {chosen.model}"
            )
            raise UsageError(f'the endpoint "{name}" {serves}; for {model}: {", ".join(online) or "none"}')
        if len(online) == 1:
            return next(iter(online.values()))
        if not online:
            raise UsageError(
                f'no endpoint of the spec serves the model "{model}": add one below endpoints, mode realtime'
            )
        raise UsageError(
            f'the model "{model}" has several endpoints; name one: --endpoint {" | ".join(online)}'
        )

    @staticmethod
    def _request(endpoint: OnlineEndpoint, one: ModelVersion) -> DeployRequest:
        return DeployRequest(
            endpoint=endpoint.name,
            deployment=deployment_name(one.version),
            model=one.model,
            version=one.version,
            instance=endpoint.instance,
            scaling=Autoscaling(
                min_replicas=endpoint.min_replicas,
                max_replicas=endpoint.max_replicas,
                target=endpoint.target_utilization_percent,
            ),
            capture_percent=endpoint.capture_percent,
        )


def _approved(one: ModelVersion, to: str) -> None:
    if one.approval is not Approval.APPROVED:
        raise InvalidRequest(
            f"version {one.version} of {one.model} cannot {to}: it is {one.approval.value}",
            remedy=f"`scaffolder models approve {one.model} {one.version}` approves it.",
        )
