"""The closed loop, one turn of it: look at what monitors found, tell, retrain, compare, promote or leave pending.

A turn starts nothing that an earlier one started, so that it can be killed and taken again at any time, on any
provider. Whoever calls it decides how often. May not know a provider, nor deploy.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from scaffolder.operations.alarms import (
    Alarm,
    AlarmRule,
    Retraining,
    alarm_after,
    reason_of,
    retraining_after,
    windows_of,
)
from scaffolder.operations.errors import NotFound, Unsupported
from scaffolder.operations.port import Provider
from scaffolder.operations.promotion import Measure, Paired, Promotion, measure_of, promotion_of
from scaffolder.operations.values import Approval, ModelVersion, Run, RunRequest, RunState, Stage
from stacks.intents import ModelMonitor, ModelRegistry, OnlineEndpoint, Platform, TrainingPipeline
from stacks.record import record

__all__ = ["Compare", "ComparesRows", "FileNotifier", "Loop", "Notice", "Notifier", "Turn", "by_metrics_only"]

ALERTS = "alerts.jsonl"


@record
class Notice:
    """Something that a person should know; ``id`` is the same when the same is said again."""

    id: str
    time: datetime
    monitor: str
    kind: str
    text: str


class Notifier(Protocol):
    """Tells somebody. Who gets a notice twice tells it once."""

    def notify(self, notice: Notice) -> None: ...


Compare = Callable[[ModelVersion, ModelVersion], "Paired | None"]
"""Compares the champion's and the candidate's mistakes on the same rows; nothing where that cannot be done."""


@runtime_checkable
class ComparesRows(Protocol):
    """Monitoring whose provider can ask two versions about the same rows."""

    def comparison(self, monitor: str) -> Compare: ...


def by_metrics_only(champion: ModelVersion, candidate: ModelVersion) -> Paired | None:
    """Compare nothing: the metrics that the versions were registered with decide."""
    del champion, candidate
    return None


class FileNotifier:
    """Appends notices to ``alerts.jsonl``, and hands those that are new on."""

    def __init__(self, folder: Path, tell: Callable[[str], None] = lambda _: None) -> None:
        self._file = folder / ALERTS
        self._tell = tell

    def notify(self, notice: Notice) -> None:
        if notice.id in {str(one.get("id")) for one in self.notices()}:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        line = {name: getattr(notice, name) for name in ("id", "monitor", "kind", "text")}
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"time": notice.time.isoformat(), **line}, ensure_ascii=False) + "\n")
        self._tell(notice.text)

    def notices(self) -> Iterator[Mapping[str, object]]:
        """Yield what was told so far; a line that was cut off is passed over."""
        with suppress(FileNotFoundError):
            for line in self._file.read_text(encoding="utf-8", errors="replace").splitlines():
                with suppress(ValueError):
                    found = json.loads(line)
                    if isinstance(found, dict):
                        yield found


@record
class Turn:
    """What one turn saw and did. ``started`` is the run that it started, ``candidate`` the version that it judged."""

    monitor: str
    alarm: Alarm
    retraining: Retraining
    started: str = ""
    candidate: ModelVersion | None = None
    promotion: Promotion | None = None


def _comparison(provider: Provider, monitor: str) -> Compare:
    monitoring = provider.monitoring
    return monitoring.comparison(monitor) if isinstance(monitoring, ComparesRows) else by_metrics_only


class Loop:
    """One monitor's loop over any provider.

    ``metric`` names what decides, where the pipeline's gate does not. ``compare`` takes the place of the provider's own
    comparison of two versions on the same rows, where it has one.
    """

    def __init__(
        self,
        provider: Provider,
        platform: Platform,
        monitor: ModelMonitor,
        notifier: Notifier,
        *,
        rule: AlarmRule | None = None,
        compare: Compare | None = None,
        metric: str = "",
    ) -> None:
        self._provider = provider
        self._platform = platform
        self._monitor = monitor
        self._notifier = notifier
        self._rule = rule or AlarmRule()
        self._compare = compare or _comparison(provider, monitor.name)
        self._metric = metric

    def alarm(self) -> Alarm:
        """Say whether the monitor raises one now."""
        results = self._provider.monitoring.results(self._monitor.name)
        return alarm_after(windows_of(results, self._monitor.columns), self._rule)

    def turn(self, now: datetime) -> Turn:
        """Take one turn, without waiting for what it starts: the next turn judges it.

        A retraining that has succeeded is judged first, then it is decided whether to start another one.
        """
        candidate, promotion = self._judged(now)
        alarm = self.alarm()
        self._tell_of(alarm, now)
        retraining, started = self._retrained(alarm, now)
        return Turn(
            monitor=self._monitor.name,
            alarm=alarm,
            retraining=retraining,
            started=started,
            candidate=candidate,
            promotion=promotion,
        )

    # --- retrain -----------------------------------------------------------------------------------------------------

    def _retrained(self, alarm: Alarm, now: datetime) -> tuple[Retraining, str]:
        pipeline = self._monitor.retrain_pipeline
        if pipeline is None:
            return Retraining(wanted=False, why="the monitor does not retrain"), ""
        decided = retraining_after(self._monitor.name, alarm, self._runs(pipeline), now=now, rule=self._rule)
        if not decided.wanted:
            return decided, ""
        request = RunRequest(pipeline=pipeline, token=decided.token, reason=reason_of(self._monitor.name))
        ref = self._provider.runs.submit(request)
        self._tell(f"{ref} started", now, "retraining", f"{decided.why}: {pipeline} runs as {ref}")
        return decided, ref

    def _runs(self, pipeline: str) -> list[Run]:
        return [*self._provider.runs.list(pipeline)]

    # --- judge -------------------------------------------------------------------------------------------------------

    def _judged(self, now: datetime) -> tuple[ModelVersion | None, Promotion | None]:
        """Judge what the last retraining that drift started has brought; twice, and the answer is the same."""
        pipeline = self._monitor.retrain_pipeline
        if pipeline is None:
            return None, None
        reason = reason_of(self._monitor.name)
        ours = [run for run in self._runs(pipeline) if run.reason == reason]
        last = max(ours, key=lambda run: run.created, default=None)
        if last is None or last.state in {RunState.QUEUED, RunState.RUNNING, RunState.STOPPING}:
            return None, None
        if last.state is not RunState.SUCCEEDED:
            told = last.error or last.native_state
            self._tell(
                f"{last.ref} {last.state}", now, "failed", f"retraining {last.ref} {last.state}: {told}"
            )
            return None, None
        return self._judge(last, now)

    def _judge(self, run: Run, now: datetime) -> tuple[ModelVersion | None, Promotion | None]:
        model = self._endpoint().model
        versions = [*self._provider.registry.list(model)]
        candidate = next((one for one in versions if one.run == run.ref), None)
        if candidate is None:
            text = f"retraining {run.ref} registered no version of {model}: its gate was not met"
            self._tell(f"{run.ref} none", now, "not registered", text)
            return None, None
        if candidate.stage is not Stage.NONE or candidate.approval is Approval.REJECTED:
            return candidate, None  # somebody has decided
        champion = self._champion(versions, candidate)
        paired = None if champion is None else self._compare(champion, candidate)
        decided = promotion_of(champion, candidate, self._measure(model), paired)
        if decided.promote:
            self._promote(candidate, decided, now)
        else:
            text = f"version {candidate.version} of {model} is left {candidate.approval}: {decided.why}"
            self._tell(f"{candidate.ref} left", now, "not promoted", text)
        return self._provider.registry.get(model, candidate.version), decided

    def _promote(self, candidate: ModelVersion, decided: Promotion, now: datetime) -> None:
        """Move a better version to production; where people approve, they are asked instead."""
        registry, name = self._provider.registry, f"version {candidate.version} of {candidate.model}"
        automatic = any(
            one.name == candidate.model and one.approval == "automatic"
            for one in self._platform.intents
            if isinstance(one, ModelRegistry)
        )
        if candidate.approval is Approval.PENDING and not automatic:
            text = (
                f"{name} is better and waits for its approval: {decided.why}. "
                f"`scaffolder models approve {candidate.model} {candidate.version}`"
            )
            self._tell(f"{candidate.ref} waits", now, "better", text)
            return
        if candidate.approval is Approval.PENDING:
            registry.set_approval(candidate.model, candidate.version, Approval.APPROVED, decided.why)
        registry.set_stage(candidate.model, candidate.version, Stage.PRODUCTION)
        text = f"{name} is in production: {decided.why}. `scaffolder models deploy {candidate.model}` brings it there"
        self._tell(f"{candidate.ref} promoted", now, "promoted", text)

    def _champion(self, versions: list[ModelVersion], candidate: ModelVersion) -> ModelVersion | None:
        """The version that serves most, else the one in production."""
        others = {one.version: one for one in versions if one.version != candidate.version}
        with suppress(NotFound, Unsupported):
            deployed = self._provider.serving.describe(self._monitor.endpoint).deployments
            serving = [one for one in deployed if one.traffic_percent and one.version in others]
            if serving:
                most = max(serving, key=lambda one: (one.traffic_percent, one.version or 0))
                return others[most.version or 0]
        return next((one for one in others.values() if one.stage is Stage.PRODUCTION), None)

    def _measure(self, model: str) -> Measure | None:
        pipelines = (one for one in self._platform.intents if isinstance(one, TrainingPipeline))
        definition = next(
            (one.steps for one in pipelines if one.name == self._monitor.retrain_pipeline), None
        )
        return measure_of(definition, model, metric=self._metric)

    def _endpoint(self) -> OnlineEndpoint:
        endpoints = (one for one in self._platform.intents if isinstance(one, OnlineEndpoint))
        return next(one for one in endpoints if one.name == self._monitor.endpoint)

    # --- tell --------------------------------------------------------------------------------------------------------

    def _tell_of(self, alarm: Alarm, now: datetime) -> None:
        if alarm.raised and alarm.since is not None:
            text = f"monitor {self._monitor.name}: {', '.join(alarm.what)} drifted, since {alarm.since:%Y-%m-%d %H:%M} UTC"
            self._tell(f"alarm {alarm.since.isoformat()}", now, "alarm", text)

    def _tell(self, id_: str, now: datetime, kind: str, text: str) -> None:
        name = self._monitor.name
        self._notifier.notify(Notice(id=f"{name}: {id_}", time=now, monitor=name, kind=kind, text=text))
