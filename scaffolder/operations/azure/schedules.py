"""Schedules of the workspace: what is to be is put, what is ours and no longer wanted goes, and nobody else's is touched.

A schedule of ours says in its properties which key of the spec asks for it, and by which content it was made. May not decide
what is to run, but for the spec's pipelines.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, Protocol

from scaffolder.operations.azure.calls import Calls, Document, escaped
from scaffolder.operations.azure.jobs import Submission, submission
from scaffolder.operations.azure.place import Place, short_hash
from scaffolder.operations.azure.runs import PARAMETERS, PIPELINE, REASON, AzureRuns
from scaffolder.operations.errors import AlreadyExists, InvalidRequest
from scaffolder.operations.values import Ensured, Schedule
from scaffolder.operations.waiting import wait_until
from stacks.azure.pipelines import compiled
from stacks.azure.timing import schedule_fault, triggers
from stacks.intents import OnlineEndpoint, TrainingPipeline
from stacks.record import record

__all__ = ["AzureSchedules", "Timetable", "Wanted", "wanted_by"]

FOR, CRON, CONTENT = "scaffolder.for", "scaffolder.cron", "scaffolder.content"
BUSY = {"Creating", "Updating", "Deleting"}
REASON_OF_SCHEDULES = "schedule"


@record
class Wanted:
    """A schedule as it is to be. ``key`` is the spec's (``pipelines.train``), ``trigger`` and ``job`` are as REST has them.

    ``job`` is a pipeline job's properties: of others, Azure ML makes no public schedule.
    """

    name: str
    key: str
    cron: str
    trigger: Document
    job: Document

    def document(self, tags: Document) -> Document:
        """Write it as REST takes it."""
        properties: Document = {
            "displayName": self.name,
            "description": f"{self.key}, {self.cron} (UTC)",
            "isEnabled": True,
            "trigger": self.trigger,
            "action": {"actionType": "CreateJob", "jobDefinition": self.job},
            "tags": tags,
        }
        content = short_hash(json.dumps(properties, sort_keys=True))
        kept = {FOR: self.key, CRON: self.cron, CONTENT: content}
        return {"properties": {**properties, "properties": kept}}


def wanted_by(key: str, cron: str, job: Document) -> tuple[Wanted, ...]:
    """What a key of the spec and its cron expression want: a schedule, or two where cron reads two days as either.

    Raises:
        InvalidRequest: Azure ML has no such schedule.
    """
    fault = schedule_fault(cron)
    if fault:
        raise InvalidRequest(f'{key}.schedule "{cron}" is not a schedule of azure: {fault}')
    section, _, name = key.partition(".")
    return tuple(
        Wanted(
            name=f"{section}-{name}{f'_{number}' if number > 1 else ''}",
            key=key,
            cron=cron,
            trigger=dict(trigger),
            job=job,
        )
        for number, trigger in enumerate(triggers(cron), start=1)
    )


class Timetable:
    """The schedules of the workspace that are ours."""

    def __init__(self, calls: Calls, place: Place, sleep: Callable[[float], None]) -> None:
        self._calls = calls
        self._place = place
        self._sleep = sleep

    def ensure(
        self,
        section: str,
        wanted: Sequence[Wanted],
        prepare: Callable[[Wanted], None],
        *,
        keep: Sequence[str] = (),
        dry_run: bool = False,
    ) -> Iterator[Ensured]:
        """Put what is wanted of a section of the spec, and remove what is ours of it and is not wanted any more.

        ``prepare`` brings what a schedule's job names (code, components) to the workspace before the schedule is put.
        What is there for the keys to ``keep`` stays as it is.

        Raises:
            AlreadyExists: somebody else has made a schedule of that name.
        """
        there = {str(each["name"]): each for each in self._all()}
        for one in wanted:
            yield self._put(one, there.get(one.name), prepare, dry_run=dry_run)
        names = {one.name for one in wanted}
        for name, found in there.items():
            key = _kept(found).get(FOR, "")
            if key.partition(".")[0] == section and name not in names and key not in keep:
                if not dry_run:
                    self.remove(name)
                yield Ensured(
                    subject=f"schedule {name}", action="removed", detail=f"the spec has none for {key}"
                )

    def list(self) -> Iterator[Schedule]:
        """Yield those that are ours, by their names."""
        for found in sorted(self._all(), key=lambda each: str(each["name"])):
            kept, properties = _kept(found), found["properties"]
            if FOR in kept:
                yield Schedule(
                    name=str(found["name"]),
                    key=kept[FOR],
                    cron=kept.get(CRON, ""),
                    enabled=bool(properties.get("isEnabled")),
                    native_state=str(properties.get("provisioningState") or "Unknown"),
                )

    def remove(self, name: str) -> None:
        """Let one go; Azure deletes none that is enabled."""
        path, doing = self.path(name), f"remove the schedule {name}"
        found = self._settled(path, doing)
        if found is None:
            return
        if found["properties"].get("isEnabled"):
            off = {key: it for key, it in found["properties"].items() if key != "provisioningState"}
            off["action"] = {**off["action"], "jobDefinition": _writable(off["action"].get("jobDefinition"))}
            self._calls.put(path, {"properties": {**off, "isEnabled": False}}, doing)
            self._settled(path, doing)
        self._calls.delete(path, doing)

    def _settled(self, path: str, doing: str) -> Document | None:
        """Read a schedule once nothing is being done to it: Azure takes no change before."""
        return wait_until(
            lambda: self._calls.find(path, doing),
            lambda found: found is None or found["properties"].get("provisioningState") not in BUSY,
            what=path.rpartition("/")[2],
            sleep=self._sleep,
        )

    def path(self, name: str) -> str:
        """A schedule's id."""
        return f"{self._place.workspace}/schedules/{escaped(name)}"

    def _all(self) -> tuple[Document, ...]:
        path = f"{self._place.workspace}/schedules"
        return (*self._calls.pages(path, "list schedules", listViewType="All"),)

    def _put(
        self, one: Wanted, there: Document | None, prepare: Callable[[Wanted], None], *, dry_run: bool
    ) -> Ensured:
        body = one.document(dict(self._place.context.tags))
        action: Literal["created", "changed", "unchanged"] = "created"
        if there is not None:
            kept = _kept(there)
            if kept.get(FOR) != one.key:
                raise AlreadyExists(
                    f"the workspace has a schedule {one.name} that is not of {one.key}",
                    remedy="Remove it, or give it another name: `az ml schedule list` shows it.",
                )
            same = kept.get(CONTENT) == body["properties"]["properties"][CONTENT]
            action = "unchanged" if same and there["properties"].get("isEnabled") else "changed"
        if action != "unchanged" and not dry_run:
            prepare(one)
            doing = f"put the schedule {one.name}"
            if there is not None:
                self._settled(self.path(one.name), doing)
            self._calls.put(self.path(one.name), body, doing)
        return Ensured(subject=f"schedule {one.name}", action=action, detail=f"{one.cron} (UTC)")


class Applies(Protocol):
    """Another section of the spec that has schedules."""

    def apply(self, *, dry_run: bool = False) -> Iterator[Ensured]:
        """Make them what the spec says."""
        ...


class AzureSchedules:
    """The schedules of the spec's pipelines, and of its monitors' jobs."""

    def __init__(self, timetable: Timetable, place: Place, runs: AzureRuns, monitors: Applies) -> None:
        self._monitors = monitors
        self._timetable = timetable
        self._place = place
        self._runs = runs

    def ensure(self, *, dry_run: bool = False) -> Iterator[Ensured]:
        """Make the schedule of each pipeline, and of each monitor's job, what the spec says."""
        wanted: list[Wanted] = []
        keep: list[str] = []
        submitted: dict[str, tuple[TrainingPipeline, Submission]] = {}
        for intent in self._place.context.all_of(TrainingPipeline):
            if intent.schedule is None:
                continue
            key = f"pipelines.{intent.name}"
            if intent.steps is None:
                # What was made of it earlier stays: that its definition is away for a moment is no reason to stop it.
                keep.append(key)
                yield Ensured(subject=f"schedule of {key}", action="skipped", detail=intent.lacks)
                continue
            made = submission(
                compiled(intent, intent.steps, self._place.context),
                self._place.workspace,
                {PIPELINE: intent.name, REASON: REASON_OF_SCHEDULES, PARAMETERS: "{}"},
                {"reason": REASON_OF_SCHEDULES},
            )
            submitted[key] = intent, made
            wanted += wanted_by(key, intent.schedule, made.job["properties"])

        def prepare(one: Wanted) -> None:
            self._runs.prepare(*submitted[one.key], f"put the schedule {one.name}")

        yield from self._timetable.ensure("pipelines", wanted, prepare, keep=keep, dry_run=dry_run)
        yield from self._monitors.apply(dry_run=dry_run)
        for endpoint in self._place.context.all_of(OnlineEndpoint):
            if endpoint.mode == "batch" and endpoint.schedule is not None:
                yield Ensured(
                    subject=f"schedule of endpoints.{endpoint.name}",
                    action="skipped",
                    detail=f"not made on Azure yet; `scaffolder score {endpoint.name}` scores, in a pipeline of your CI's",
                )

    def list(self) -> Iterator[Schedule]:
        """Yield the schedules that operations have made, monitors' too."""
        return self._timetable.list()


def _kept(found: Document) -> Document:
    return found["properties"].get("properties") or {}


def _writable(job: Document | None) -> Document:
    """A job's definition without what only Azure writes."""
    return {key: it for key, it in (job or {}).items() if key != "status"}
