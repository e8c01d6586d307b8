"""A platform that is run from Python: what the commands do, as an object. The commands are written over it.

    platform = Platform.open("platform.yaml")
    run = platform.run("train", {"max_depth": 8})
    platform.models.approve("churn", 1)
    platform.models.deploy("churn")

Opening reads the spec and asks nobody. May not print.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path

from scaffolder.operations.alarms import AlarmRule, Retraining, reason_of, retraining_after
from scaffolder.operations.destroying import confirm_name, next_commands, remove_all
from scaffolder.operations.doctoring import examine
from scaffolder.operations.errors import InvalidRequest, RunFailed
from scaffolder.operations.following import FOLLOWING
from scaffolder.operations.members import Endpoints, Monitors, Runs, Schedules
from scaffolder.operations.models import Models
from scaffolder.operations.names import (
    checked_parameters,
    checked_token,
    definition_of,
    intents_of,
    looked_up,
    parsed_parameters,
    require,
)
from scaffolder.operations.opening import Opened, open_environment, utc_now
from scaffolder.operations.port import Provider
from scaffolder.operations.retraining import Compare, FileNotifier, Loop, Turn
from scaffolder.operations.values import (
    FINISHED,
    Approval,
    BatchJob,
    BatchRequest,
    Capability,
    Ensured,
    LogLine,
    ModelVersion,
    ParameterValue,
    Principal,
    Probe,
    Removable,
    Run,
    RunRequest,
    RunState,
    Stage,
)
from scaffolder.operations.waiting import wait_until
from scaffolder.spec.environments import LOCAL
from stacks.intents import ModelMonitor, OnlineEndpoint, TrainingPipeline
from stacks.intents import Platform as PlatformIntents

__all__ = ["Platform"]


class Platform:
    """One environment of a platform, on its cloud, on this machine, or on a provider of yours.

    ``runs``, ``models``, ``endpoints`` and ``monitors`` are named as the commands are. Everything that fails raises a
    :class:`~scaffolder.errors.ScaffolderError`, mostly an ``OperationError``, whose message says what to do next.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    @classmethod
    def open(
        cls,
        spec: str | Path = "platform.yaml",
        *,
        env: str = LOCAL,
        provider: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = utc_now,
    ) -> Platform:
        """Open an environment of a spec; ``env="local"`` is this machine.

        ``provider`` names another one than the environment's own cloud. ``sleep`` and ``now`` are the clock that
        everything waits by.

        Raises:
            SpecError: the spec has findings.
            UsageError: there is no such environment or provider.
        """
        return cls(open_environment(spec, env, provider, sleep=sleep, now=now))

    @property
    def name(self) -> str:
        """The platform's name."""
        return self._opened.platform.name

    @property
    def environment(self) -> str:
        """The environment that was opened."""
        return self._opened.environment

    @property
    def provider(self) -> Provider:
        """What runs it."""
        return self._opened.provider

    @property
    def intents(self) -> PlatformIntents:
        """What the spec says, decided."""
        return self._opened.platform

    @cached_property
    def runs(self) -> Runs:
        """The pipelines' runs."""
        return Runs(self._opened)

    @cached_property
    def models(self) -> Models:
        """Versions of models: registered, approved, deployed."""
        return Models(self._opened)

    @cached_property
    def endpoints(self) -> Endpoints:
        """Endpoints that answer."""
        return Endpoints(self._opened)

    @cached_property
    def monitors(self) -> Monitors:
        """Monitors that look for drift."""
        return Monitors(self._opened)

    @cached_property
    def schedules(self) -> Schedules:
        """What starts pipelines by the clock, where Terraform does not make it."""
        return Schedules(self._opened)

    def whoami(self) -> Principal:
        """Ask the provider who we are."""
        require(self.provider, Capability.IDENTITY)
        return self.provider.identity.whoami()

    # --- runs --------------------------------------------------------------------------------------------------------

    def submit(
        self,
        pipeline: str,
        parameters: Mapping[str, ParameterValue] | None = None,
        *,
        token: str | None = None,
        reason: str = "manual",
    ) -> str:
        """Start a pipeline and return the run's ref; with the token of an earlier call, that run's.

        Raises:
            UsageError: no such pipeline or parameter, or a value of another type than the default's.
            InvalidRequest: the pipeline's definition is not there yet.
        """
        require(self.provider, Capability.RUNS)
        definition = definition_of(self._pipeline(pipeline))
        request = RunRequest(
            pipeline=pipeline,
            token=checked_token(token),
            parameters=checked_parameters(definition, parameters or {}),
            reason=reason,
        )
        return self.provider.runs.submit(request)

    def run(
        self,
        pipeline: str,
        parameters: Mapping[str, ParameterValue] | None = None,
        *,
        wait: bool = True,
        on_line: Callable[[LogLine], None] | None = None,
        token: str | None = None,
    ) -> Run:
        """Start a pipeline and, unless told not to, wait for its end.

        Raises:
            RunFailed: it failed, or was stopped.
        """
        ref = self.submit(pipeline, parameters, token=token)
        return self.runs.wait(ref, on_line=on_line) if wait else self.runs.show(ref)

    def parameters(self, pipeline: str, texts: Sequence[str]) -> dict[str, ParameterValue]:
        """Read ``NAME=VALUE`` by the types that the pipeline's definition gives its parameters."""
        return parsed_parameters(definition_of(self._pipeline(pipeline)), texts)

    def _pipeline(self, name: str) -> TrainingPipeline:
        return looked_up("pipeline", name, intents_of(self._opened.platform, TrainingPipeline))

    # --- batch scoring -----------------------------------------------------------------------------------------------

    def score(
        self,
        endpoint: str,
        input_uri: str,
        output_uri: str,
        *,
        version: int | None = None,
        wait: bool = True,
        token: str | None = None,
        on_change: Callable[[BatchJob], None] | None = None,
    ) -> BatchJob:
        """Score the files below a place into another one, with a version or with the one in production.

        Where none is in production it is the newest approved one. Places are ``BUCKET:PATH``, or the provider's own.

        Raises:
            RunFailed: the job failed, or was stopped.
        """
        require(self.provider, Capability.BATCH)
        intent = looked_up("endpoint", endpoint, intents_of(self._opened.platform, OnlineEndpoint))
        one = self._to_score_with(intent.model, version)
        ref = self.provider.batch.submit(
            BatchRequest(
                endpoint=intent.name,
                model=intent.model,
                version=one.version,
                input_uri=input_uri,
                output_uri=output_uri,
                token=checked_token(token),
                instance=intent.instance,
                replicas=intent.max_replicas if intent.mode == "batch" else 1,
            )
        )
        return self.wait_for_job(ref, on_change=on_change) if wait else self.provider.batch.describe(ref)

    def wait_for_job(self, ref: str, *, on_change: Callable[[BatchJob], None] | None = None) -> BatchJob:
        """Wait until a scoring job has ended.

        Raises:
            RunFailed: it failed, or was stopped.
        """

        def look() -> BatchJob:
            job = self.provider.batch.describe(ref)
            if on_change is not None:
                on_change(job)
            return job

        job = wait_until(
            look,
            lambda seen: seen.state in FINISHED,
            what=f"the scoring job {ref}",
            sleep=self._opened.opening.sleep,
            polling=FOLLOWING,
        )
        if job.state is not RunState.SUCCEEDED:
            raise RunFailed(
                ref,
                f"the scoring job {ref} {job.state.value}: {job.error or job.native_state}",
                remedy=f"Mend it, and score again: `scaffolder score {job.endpoint}` with a new --token.",
            )
        return job

    def _to_score_with(self, model: str, version: int | None) -> ModelVersion:
        if version is not None:
            one = self.models.get(model, version)
            if one.approval is Approval.APPROVED:
                return one
            raise InvalidRequest(
                f"version {version} of {model} cannot score: it is {one.approval.value}",
                remedy=f"`scaffolder models approve {model} {version}` approves it.",
            )
        approved = [one for one in self.models.list(model) if one.approval is Approval.APPROVED]
        if not approved:
            raise InvalidRequest(
                f'no version of the model "{model}" is approved',
                remedy=f"`scaffolder models list {model}` shows them; `scaffolder models approve` approves one.",
            )
        return next((one for one in approved if one.stage is Stage.PRODUCTION), approved[0])

    # --- retraining --------------------------------------------------------------------------------------------------

    def retraining_due(self, monitor: str) -> Retraining:
        """Say whether a monitor's alarm retrains now, and why or why not; start nothing.

        Raises:
            InvalidRequest: the spec says of this monitor that it does not retrain.
        """
        intent = self._retraining_monitor(monitor)
        alarm = self._loop(intent, lambda _: None).alarm()
        runs = self.provider.runs.list(intent.retrain_pipeline)
        return retraining_after(monitor, alarm, runs, now=self._opened.opening.now(), rule=_rule(intent))

    def retrain(
        self,
        monitor: str,
        *,
        metric: str = "",
        compare: Compare | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> Turn:
        """Take one turn of a monitor's loop: judge what the last retraining brought, and start one where it is due.

        A version that is better than what serves goes to production, or waits for its approval where people approve. A
        turn waits for nothing, and can be taken at any time: what an earlier one did is not done again.

        Raises:
            InvalidRequest: the spec says of this monitor that it does not retrain.
        """
        intent = self._retraining_monitor(monitor)
        return self._loop(intent, tell, metric=metric, compare=compare).turn(self._opened.opening.now())

    def retrain_anyway(self, monitor: str, *, token: str | None = None) -> str:
        """Start the monitor's pipeline, alarm or not, and return the run's ref; the loop judges what it brings."""
        intent = self._retraining_monitor(monitor)
        return self.submit(intent.retrain_pipeline or "", token=token, reason=reason_of(monitor))

    def _loop(
        self,
        monitor: ModelMonitor,
        tell: Callable[[str], None],
        *,
        metric: str = "",
        compare: Compare | None = None,
    ) -> Loop:
        opened = self._opened
        notifier = FileNotifier(opened.opening.folder / ".scaffolder", tell)
        return Loop(
            opened.provider,
            opened.platform,
            monitor,
            notifier,
            rule=_rule(monitor),
            compare=compare,
            metric=metric,
        )

    def _retraining_monitor(self, name: str) -> ModelMonitor:
        require(self.provider, Capability.MONITORS)
        intent = looked_up("monitor", name, self.monitors.intents)
        if intent.retrain_pipeline is None:
            raise InvalidRequest(
                f'the monitor "{name}" does not retrain',
                remedy=f"Add retrain to monitors.{name}.on_alert in the spec, or `scaffolder run PIPELINE`.",
            )
        return intent

    # --- the platform as a whole -------------------------------------------------------------------------------------

    def doctor(self) -> Iterator[Probe]:
        """Yield what was found of everything that has to be in order; nothing that is found raises."""
        return examine(self.provider, deploys=self.environment != LOCAL)

    def bootstrap(self, *, dry_run: bool = False) -> Iterator[Ensured]:
        """Make where Terraform's state will be, and yield what was done; again, and nothing is."""
        require(self.provider, Capability.STATE)
        return self.provider.state.ensure(dry_run=dry_run)

    def inventory(self) -> tuple[Removable, ...]:
        """List what has to go before Terraform can destroy the platform, in that order."""
        require(self.provider, Capability.TEARDOWN)
        return tuple(self.provider.teardown.inventory())

    def destroy(
        self,
        *,
        confirm: str,
        items: Sequence[Removable] | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> tuple[Removable, ...]:
        """Remove what :meth:`inventory` listed. ``confirm`` is the platform's name: nothing is removed without it.

        Raises:
            InvalidRequest: it is another name.
        """
        confirm_name(self._opened.platform, confirm)
        going = self.inventory() if items is None else items
        return remove_all(self.provider, going, sleep=self._opened.opening.sleep, tell=tell)

    def after_destroy(self) -> tuple[str, ...]:
        """List the commands that come after :meth:`destroy`: none where nothing was deployed by Terraform."""
        if self.environment == LOCAL:
            return ()
        return tuple(next_commands(self._opened.platform))


def _rule(monitor: ModelMonitor) -> AlarmRule:
    return AlarmRule(breaches=monitor.breaches, windows=monitor.windows, cooldown_s=monitor.cooldown_s)
