"""Monitors on this machine: each look is a run, its window what was captured since the last one.

    monitors/NAME/monitor.json        the monitor as it was ensured
    monitors/NAME/baselines/          a baseline for each version that served
    monitors/NAME/looks/REF/          a look: its window and settings, and what it found

Nothing looks by itself here: this machine has no scheduler of ours. May not import numpy or pandas, but for a report.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from scaffolder.operations.alarms import alarm_after, windows_of
from scaffolder.operations.errors import InvalidRequest, NotFound, OperationError
from scaffolder.operations.local.comparing import LocalComparison
from scaffolder.operations.local.files import disk_errors, read_json, write_json
from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.records import ref_of
from scaffolder.operations.local.registry import LocalRegistry
from scaffolder.operations.local.runs import LocalRuns
from scaffolder.operations.local.serving import LocalServing
from scaffolder.operations.local.training_data import training_data
from scaffolder.operations.local.wire import to_json
from scaffolder.operations.port import Opening
from scaffolder.operations.values import (
    FINISHED,
    Deployment,
    DriftResult,
    Ensured,
    MonitorStatus,
    RunState,
)
from scaffolder.spec.scalars import seconds_of
from stacks.intents import ModelMonitor

__all__ = ["LocalMonitoring"]

MONITOR, LOOK, RESULTS, REPORT = "monitor.json", "look.json", "drift.json", "report.html"
BASELINE = "drift-baseline.json"
LABELS = "labels"
"""Where the data bucket has what became true of an endpoint's requests: ``labels/ENDPOINT/``."""
HOUR_S, DAY_S = 3_600, 86_400


class LocalMonitoring:
    """The monitors of the spec over what their endpoints captured."""

    def __init__(self, opening: Opening, layout: Layout, runs: LocalRuns) -> None:
        self._opening = opening
        self._layout = layout
        self._runs = runs

    # --- the port ----------------------------------------------------------------------------------------------------

    def ensure(self, monitor: ModelMonitor) -> Ensured:
        """Note the monitor as active; looking is up to whoever calls ``run``, such as cron."""
        file = self._folder(monitor.name) / MONITOR
        wanted, before = {"monitor": to_json(monitor)}, read_json(file)
        action: Literal["created", "changed", "unchanged"] = "unchanged"
        if before != wanted:
            action = "created" if before is None else "changed"
            with disk_errors(f"the monitor {monitor.name} cannot be kept"):
                self._layout.made(file.parent)
                write_json(file, wanted)
        return Ensured(subject=f"monitor {monitor.name}", action=action, detail=self._scheduling(monitor))

    def run(self, monitor: str, token: str) -> str:
        """Look at what was captured since the last window that was decided, at most as long ago as ``every`` says.

        So windows never overlap, however often one looks, and a window of too few rows grows until it has enough.

        Raises:
            NotFound: the spec has no such monitor.
            InvalidRequest: nothing serves behind its endpoint, or there is nothing to compare with.
        """
        intent = self._intent(monitor)
        name = f"monitor-{monitor}"
        folder = self._looks(monitor) / ref_of(name, token)
        if not (folder / LOOK).exists():
            with disk_errors(f"the monitor {monitor} cannot look"):
                look = self._look(intent)
                self._layout.made(folder)
                write_json(folder / LOOK, look)
        command = ["python", "-m", "scaffolder.operations.local.looking", str(folder)]
        return self._runs.start(name, token, command, reason=f"monitor: {monitor}")

    def list(self) -> Iterator[MonitorStatus]:
        for intent in self._intents().values():
            yield self._status(intent)

    def results(self, monitor: str, *, since: datetime | None = None) -> Iterator[DriftResult]:
        """Yield what was found, the oldest window first; a window that was not decided has nothing."""
        self._intent(monitor)
        return self._results(monitor, since)

    # --- this machine only -------------------------------------------------------------------------------------------

    def report(self, monitor: str) -> Path:
        """Write a page about the last window that was decided, by Evidently, and return its path.

        Raises:
            NotFound: no window was decided yet.
            MissingExtraError: Evidently is not installed.
        """
        from scaffolder.operations.local.reports import write_report  # noqa: PLC0415 - seconds

        self._intent(monitor)
        for folder, look, found in reversed([*self._done(monitor)]):
            if any(one["kind"] == "data" for one in found["results"]):
                return write_report(folder / REPORT, monitor, look, found)
        raise NotFound(
            f"the monitor {monitor!r} has decided no window yet",
            remedy=f"`scaffolder monitors run {monitor} --env local` looks at what was captured.",
        )

    def comparison(self, monitor: str) -> LocalComparison:
        """What compares two versions on the same rows, for the closed loop of a monitor."""
        intent = self._intent(monitor)

        def baselines() -> Sequence[Path]:
            made = (self._folder(monitor) / "baselines").glob(f"*/{BASELINE}")
            return [*self._named(intent), *sorted(made, key=lambda file: file.stat().st_mtime)]

        return LocalComparison(self._layout, baselines)

    def undecided(self, monitor: str) -> tuple[str, ...]:
        """Say what the last look could not decide, and why."""
        done = [*self._done(monitor)]
        return tuple(dict.fromkeys(_note(one) for one in done[-1][2]["undecided"])) if done else ()

    # --- a look ------------------------------------------------------------------------------------------------------

    def _look(self, monitor: ModelMonitor) -> dict[str, object]:
        """Say what a look that begins now has to do."""
        served = self._served(monitor)
        end = self._opening.now()
        start = max(end - timedelta(seconds=seconds_of(monitor.every)), self._seen_until(monitor.name, end))
        baseline = self._baseline(monitor, served)
        data: dict[str, object] = {
            "rows": [],
            "held_out": [],
            "artifact": "",
            "content_type": "",
            "lacks": "",
        }
        if not baseline.exists():
            data = self._to_compare_with(monitor, served)
            self._layout.made(baseline.parent)
        return {
            "monitor": monitor.name,
            "start": start.isoformat(),
            "end": end.isoformat(),
            "version": served.version,
            "captured": str(self._layout.endpoints / monitor.endpoint / "capture"),
            "baseline": str(baseline),
            "labels": str(self._layout.bucket_to_read("data", f"{LABELS}/{monitor.endpoint}")),
            "thresholds": {
                "data": monitor.data_drift_threshold,
                "prediction": monitor.prediction_drift_threshold,
                "concept": monitor.concept_drift_threshold,
            },
            **data,
        }

    def _served(self, monitor: ModelMonitor) -> Deployment:
        """The deployment that takes most of the endpoint's traffic."""
        deployments = LocalServing(self._opening, self._layout).describe(monitor.endpoint).deployments
        serving = [one for one in deployments if one.version is not None and one.traffic_percent]
        if not serving:
            raise InvalidRequest(
                f"nothing serves behind the endpoint {monitor.endpoint!r}, so that its monitor has nothing to look at",
                remedy="`scaffolder models deploy MODEL --env local` deploys a version.",
            )
        return max(serving, key=lambda one: one.traffic_percent)

    def _seen_until(self, monitor: str, end: datetime) -> datetime:
        """The end of the last window that was decided, or is being looked at."""
        begin = datetime.min.replace(tzinfo=end.tzinfo)
        for folder, look in self._begun(monitor):
            found = read_json(folder / RESULTS)
            decided = found["results"] if found is not None else self._goes_on(folder.name)
            if decided:
                begin = max(begin, datetime.fromisoformat(look["end"]))
        return begin

    def _goes_on(self, ref: str) -> bool:
        with suppress(OperationError):
            return self._runs.describe(ref).state not in FINISHED
        return False

    def _baseline(self, monitor: ModelMonitor, served: Deployment) -> Path:
        """The baseline that the spec names, else the one of the version that serves."""
        for named in self._named(monitor):
            return named
        return self._folder(monitor.name) / "baselines" / f"{served.model}-{served.version}" / BASELINE

    def _named(self, monitor: ModelMonitor) -> Iterator[Path]:
        if monitor.baseline is not None:
            named = self._layout.bucket_to_read("artifacts", f"baselines/{monitor.baseline}") / BASELINE
            if named.exists():
                yield named

    def _to_compare_with(self, monitor: ModelMonitor, served: Deployment) -> dict[str, object]:
        version = LocalRegistry(self._opening, self._layout).get(served.model, served.version or 0)
        found = training_data(self._layout, version)
        if not found.rows:
            raise InvalidRequest(
                f"monitor {monitor.name} has nothing to compare with: version {version.version} of {version.model} "
                f"has no training rows, since {found.lacks}",
                remedy=_remedy(monitor),
            )
        return {
            "rows": [str(path) for path in found.rows],
            "held_out": [str(path) for path in found.held_out],
            "artifact": str(self._layout.place(version.artifact_uri)),
            "lacks": found.lacks,
        }

    # --- what was found ----------------------------------------------------------------------------------------------

    def _begun(self, monitor: str) -> Sequence[tuple[Path, Any]]:
        """All looks, by the end of their windows."""
        with suppress(FileNotFoundError):
            found = ((folder, read_json(folder / LOOK)) for folder in self._looks(monitor).iterdir())
            return sorted(
                ((folder, look) for folder, look in found if look is not None),
                key=lambda one: (str(one[1]["end"]), one[0].name),
            )
        return []

    def _done(self, monitor: str) -> Iterator[tuple[Path, Any, Any]]:
        for folder, look in self._begun(monitor):
            found = read_json(folder / RESULTS)
            if found is not None:
                yield folder, look, found

    def _results(self, monitor: str, since: datetime | None) -> Iterator[DriftResult]:
        for folder, _, found in self._done(monitor):
            report = folder / REPORT
            for one in found["results"]:
                result = _result(monitor, one, str(report) if report.exists() else "")
                if since is None or result.window_end > since:
                    yield result

    def _status(self, monitor: ModelMonitor) -> MonitorStatus:
        results = [*self._results(monitor.name, None)]
        active = (self._folder(monitor.name) / MONITOR).exists()
        begun = self._begun(monitor.name)
        error = self._failed(begun[-1][0].name) if begun else ""
        details = [error, *self.undecided(monitor.name), self._scheduling(monitor)]
        return MonitorStatus(
            name=monitor.name,
            endpoint=monitor.endpoint,
            state="failed" if error else "active" if active else "planned",
            native_state="looks when asked" if active else "",
            last_window_end=max((one.window_end for one in results), default=None),
            alarm=alarm_after(windows_of(results, monitor.columns)).raised,
            detail="; ".join(each for each in details if each),
        )

    def _failed(self, ref: str) -> str:
        with suppress(OperationError):
            run = self._runs.describe(ref)
            return f"{ref}: {run.error}" if run.state is RunState.FAILED else ""
        return ""

    # --- names -------------------------------------------------------------------------------------------------------

    def _intents(self) -> dict[str, ModelMonitor]:
        return {one.name: one for one in self._opening.platform.intents if isinstance(one, ModelMonitor)}

    def _intent(self, name: str) -> ModelMonitor:
        intents = self._intents()
        if name in intents:
            return intents[name]
        has = f"it has {', '.join(intents)}" if intents else "it has none"
        raise NotFound(f"the spec has no monitor {name!r}; {has}")

    def _folder(self, monitor: str) -> Path:
        return self._layout.monitors / monitor

    def _looks(self, monitor: str) -> Path:
        return self._folder(monitor) / "looks"

    def _scheduling(self, monitor: ModelMonitor) -> str:
        """A line for this machine's crontab, since nothing here looks by itself."""
        command = shlex.join([_command(), "monitors", "run", monitor.name, "--env", "local"])
        line = f"cd {shlex.quote(str(self._layout.folder))} && {command}".replace("%", "\\%")
        return (
            f"to look each {monitor.every}, add to your crontab:\n{_cron(seconds_of(monitor.every))} {line}"
        )


def _command() -> str:
    """Where our command is: cron looks for programs in two folders only, and an environment's is none of them."""
    beside = Path(sys.executable).with_name("scaffolder")
    return str(beside) if beside.exists() else "scaffolder"


def _cron(every_s: int) -> str:
    if every_s % DAY_S == 0:
        return "0 0 * * *" if every_s == DAY_S else f"0 0 */{every_s // DAY_S} * *"
    hours = max(1, every_s // HOUR_S)
    return "0 * * * *" if hours == 1 else f"0 */{hours} * * *"


def _remedy(monitor: ModelMonitor) -> str:
    return (
        "Deploy a version that a pipeline's run registered; or write a baseline with `python -m scaffolder.drift "
        "baseline --rows FOLDER --output .scaffolder/buckets/artifacts/baselines/NAME` and name it in the spec: "
        f"monitors.{monitor.name}.baseline: NAME"
    )


def _note(one: Any) -> str:
    return (
        f"{one['kind']} drift{' of ' + one['feature'] if one['feature'] else ''} not decided: {one['reason']}"
    )


def _result(monitor: str, one: Any, report: str) -> DriftResult:
    return DriftResult(
        monitor=monitor,
        kind=one["kind"],
        feature=one["feature"],
        metric=one["metric"],
        value=float(one["value"]),
        threshold=float(one["threshold"]),
        breached=bool(one["breached"]),
        window_start=datetime.fromisoformat(one["window_start"]),
        window_end=datetime.fromisoformat(one["window_end"]),
        rows=int(one["rows"]),
        report_uri=report,
    )
