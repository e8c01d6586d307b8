"""The parts of an opened platform that have a name of their own: runs, models, endpoints and monitors.

Each checks names against the spec before it asks the provider. May not print, nor read a spec.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path

from scaffolder.operations.errors import InvalidRequest, Unsupported
from scaffolder.operations.following import fail_with, follow_logs, follow_run, resolved_ref
from scaffolder.operations.names import checked_token, intents_of, looked_up, require, schedules_of
from scaffolder.operations.opening import Opened
from scaffolder.operations.port import Reporting, Reproducing, Resuming
from scaffolder.operations.values import (
    Answer,
    Capability,
    DriftResult,
    EndpointStatus,
    Ensured,
    LogLine,
    MonitorStatus,
    Run,
    RunState,
    Schedule,
)
from stacks.intents import ModelMonitor, OnlineEndpoint, TrainingPipeline

__all__ = ["Endpoints", "Monitors", "Runs", "Schedules"]

LISTED = 20


class Runs:
    """The runs of the platform's pipelines. A ``ref`` may be given by its last part, or the beginning of that."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._runs = opened.provider.runs

    def list(self, pipeline: str | None = None, *, limit: int | None = LISTED) -> Iterator[Run]:
        """Yield runs, the newest first; all of them with ``limit=None``.

        Raises:
            UsageError: the spec has no such pipeline.
        """
        require(self._opened.provider, Capability.RUNS)
        if pipeline is not None:
            looked_up("pipeline", pipeline, intents_of(self._opened.platform, TrainingPipeline))
        yield from islice(self._runs.list(pipeline), limit)

    @property
    def can_resume(self) -> bool:
        """Whether a run that failed can go on after the steps that are done."""
        return isinstance(self._runs, Resuming)

    def show(self, ref: str) -> Run:
        """Return a run with its steps.

        Raises:
            NotFound: there is none.
        """
        require(self._opened.provider, Capability.RUNS)
        return self._runs.describe(self.ref(ref))

    def ref(self, given: str) -> str:
        """Return the whole ref of a run that is named by a part of it."""
        return resolved_ref(self._runs, given)

    def logs(
        self, ref: str, *, step: str | None = None, follow: bool = False, after: str = ""
    ) -> Iterator[LogLine]:
        """Yield the lines that are there, or with ``follow`` all until the run has ended."""
        require(self._opened.provider, Capability.LOGS)
        whole = self.ref(ref)
        if step is not None:
            looked_up("step", step, {each.name: each for each in self._runs.describe(whole).steps})
        if follow:
            sleep = self._opened.opening.sleep
            return follow_logs(self._runs, whole, sleep=sleep, step=step, after=after)
        return self._runs.logs(whole, step=step, after=after)

    def wait(
        self,
        ref: str,
        *,
        on_change: Callable[[Run], None] | None = None,
        on_line: Callable[[LogLine], None] | None = None,
    ) -> Run:
        """Wait until a run has ended, and return it.

        Raises:
            RunFailed: it failed, or was stopped.
        """
        sleep = self._opened.opening.sleep
        run = follow_run(self._runs, self.ref(ref), sleep=sleep, on_change=on_change, on_line=on_line)
        if run.state is not RunState.SUCCEEDED:
            fail_with(run, resumable=self.can_resume)
        return run

    def cancel(self, ref: str) -> Run:
        """Ask a run to stop, and return it as it is then; one that has ended stays as it is."""
        require(self._opened.provider, Capability.CANCEL)
        whole = self.ref(ref)
        self._runs.cancel(whole)
        return self._runs.describe(whole)

    def reproduce(self, ref: str, *, token: str | None = None) -> str:
        """Run a run again, with the code, the data and the parameters of then, and return the new run's ref.

        Raises:
            Unsupported: the provider keeps no record that is good enough for that.
        """
        require(self._opened.provider, Capability.REPRODUCE)
        runs = self._runs
        if not isinstance(runs, Reproducing):
            raise Unsupported(
                Capability.REPRODUCE.value,
                f"{self._opened.provider.name} keeps no record that a run can be repeated from",
            )
        return runs.reproduce(self.ref(ref), checked_token(token))

    def resume(self, ref: str) -> str:
        """Let a run that failed, was stopped or has died go on after the steps that are done, and return its ref.

        Raises:
            Unsupported: the provider starts runs from the beginning only.
        """
        runs = self._runs
        if not isinstance(runs, Resuming):
            raise Unsupported(
                "resume",
                f"{self._opened.provider.name} starts runs from the beginning only",
                remedy="`scaffolder run PIPELINE` starts another one; steps with a cache are not computed again.",
            )
        return runs.resume(self.ref(ref))


class Schedules:
    """What starts pipelines by the clock, where operations make it and not Terraform."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def list(self) -> Iterator[Schedule]:
        """Yield the schedules that operations have made, by their names.

        Raises:
            Unsupported: Terraform makes them, or nothing does; the remedy says what then.
        """
        yield from schedules_of(self._opened.provider, self._opened.platform).list()

    def apply(self, *, dry_run: bool = False) -> Iterator[Ensured]:
        """Make them what the spec says, and yield what was done; again, and nothing is."""
        yield from schedules_of(self._opened.provider, self._opened.platform).ensure(dry_run=dry_run)


class Endpoints:
    """The endpoints that answer one request at a time."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def list(self) -> Iterator[EndpointStatus]:
        """Yield the spec's endpoints, in its order; batch endpoints are no more than jobs, and not among them."""
        require(self._opened.provider, Capability.REALTIME)
        yield from self._opened.provider.serving.list()

    def show(self, endpoint: str) -> EndpointStatus:
        """Return an endpoint, its deployments and their traffic."""
        require(self._opened.provider, Capability.REALTIME)
        return self._opened.provider.serving.describe(self._online(endpoint).name)

    def invoke(
        self, endpoint: str, body: bytes, *, content_type: str = "text/csv", deployment: str | None = None
    ) -> Answer:
        """Ask an endpoint, or one deployment behind it, and return its answer."""
        require(self._opened.provider, Capability.REALTIME)
        if deployment is not None:
            require(self._opened.provider, Capability.TARGETED_INVOKE)
        name = self._online(endpoint).name
        return self._opened.provider.serving.invoke(
            name, body, content_type=content_type, deployment=deployment
        )

    def _online(self, name: str) -> OnlineEndpoint:
        endpoint = looked_up("endpoint", name, intents_of(self._opened.platform, OnlineEndpoint))
        if endpoint.mode == "batch":
            raise InvalidRequest(
                f'the endpoint "{name}" scores files (mode: batch), and answers no single request',
                remedy=f"`scaffolder score {name} --input BUCKET:PATH --output BUCKET:PATH` scores files with it.",
            )
        return endpoint


class Monitors:
    """The monitors that look for drift."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._monitoring = opened.provider.monitoring

    @property
    def intents(self) -> Mapping[str, ModelMonitor]:
        """What the spec says of each."""
        return intents_of(self._opened.platform, ModelMonitor)

    def list(self) -> Iterator[MonitorStatus]:
        """Yield the spec's monitors, and whether they raise an alarm."""
        require(self._opened.provider, Capability.MONITORS)
        yield from self._monitoring.list()

    def run(self, monitor: str, *, token: str | None = None) -> str:
        """Look now, at the window that ends now, and return the ref of the run that does; ``runs.wait`` waits for it."""
        require(self._opened.provider, Capability.MONITORS)
        intent = looked_up("monitor", monitor, self.intents)
        self._monitoring.ensure(intent)
        return self._monitoring.run(intent.name, checked_token(token))

    def results(self, monitor: str, *, since: datetime | None = None) -> Iterator[DriftResult]:
        """Yield what was found, the oldest window first."""
        require(self._opened.provider, Capability.MONITORS)
        return self._monitoring.results(looked_up("monitor", monitor, self.intents).name, since=since)

    def report(self, monitor: str) -> tuple[DriftResult, ...]:
        """Return what the last window found; nothing where none was looked at yet."""
        found = [*self.results(monitor)]
        last = max((one.window_end for one in found), default=None)
        return tuple(one for one in found if one.window_end == last)

    def page(self, monitor: str) -> Path:
        """Write a page in HTML about the last window, by Evidently, and return its path.

        Raises:
            NotFound: no window was decided yet.
            Unsupported: the provider draws no pages.
        """
        name = looked_up("monitor", monitor, self.intents).name
        if not isinstance(self._monitoring, Reporting):
            raise Unsupported(
                Capability.MONITORS.value,
                f"{self._opened.provider.name} draws no page about a window",
                remedy=f"`scaffolder monitors report {name}` prints what was found.",
            )
        return self._monitoring.report(name)
