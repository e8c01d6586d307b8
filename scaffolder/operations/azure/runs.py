"""Runs of pipelines on Azure ML: a job's name comes from the request's token, so that one token is one job.

May not compile a pipeline: ``stacks.azure.pipelines`` does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from scaffolder.operations.azure.calls import Calls, Document, escaped
from scaffolder.operations.azure.history import History, error_of, moment, state_of
from scaffolder.operations.azure.jobs import Asset, Submission, submission
from scaffolder.operations.azure.outputs import Outputs
from scaffolder.operations.azure.place import Place, short_hash
from scaffolder.operations.errors import AlreadyExists, Conflict, InvalidRequest, NotFound
from scaffolder.operations.values import FINISHED, LogLine, ParameterValue, Run, RunRequest, RunState, StepRun
from stacks.azure.assets import code_asset, code_prefix
from stacks.azure.pipelines import compiled, parameter_problem
from stacks.intents import TrainingPipeline
from stacks.pipelines import CodeFolder, PipelineDefinition

__all__ = ["PARAMETERS", "PIPELINE", "REASON", "AzureRuns", "cancel_job", "register_once"]

NEVER = datetime.min.replace(tzinfo=UTC)
PIPELINE, REASON, PARAMETERS = "scaffolder.pipeline", "scaffolder.reason", "scaffolder.parameters"
"""A job's properties, which nobody changes later."""

REUSED = "azureml.reusedrunid"
"""A step's property that names the job whose result it is."""


def register_once(calls: Calls, asset: Asset, doing: str) -> None:
    """Register something whose version says what is in it; where it is there already, it is the same."""
    if calls.find(asset.path, doing) is not None:
        return
    try:
        calls.put(asset.path, asset.body, doing)
    except (AlreadyExists, Conflict):
        if calls.find(asset.path, doing) is None:
            raise


def cancel_job(calls: Calls, place: Place, ref: str) -> None:
    """Ask a job to stop, unless it has ended."""
    path, doing = place.job_id(ref), f"cancel {ref}"
    if _ended(calls.get(path, doing)):
        return
    try:
        calls.post(f"{path}/cancel", doing)
    except (Conflict, InvalidRequest):
        if not _ended(calls.get(path, doing)):
            raise


def _ended(job: Document) -> bool:
    return state_of(job["properties"].get("status", "")) in FINISHED


class AzureRuns:
    """The jobs of the workspace."""

    def __init__(self, calls: Calls, place: Place) -> None:
        self._calls = calls
        self._place = place
        self._history = History(calls, place)

    def submit(self, request: RunRequest) -> str:
        """Register the steps' code, environments and components, then the job; Azure's PUT overwrites, so look first."""
        intent = self._place.pipeline(request.pipeline)
        if intent.steps is None:
            raise InvalidRequest(
                f"the pipeline {intent.name} cannot run: {intent.lacks}", remedy=intent.remedy
            )
        return self.start(intent, intent.steps, request)

    def start(self, intent: TrainingPipeline, definition: PipelineDefinition, request: RunRequest) -> str:
        """Start a pipeline, which need not be one of the spec's own."""
        values = _checked(definition, request.parameters)
        ref = f"{intent.name}-{short_hash(intent.name, request.token)}"
        doing = f"submit the run {ref}"
        if self._calls.find(self._place.job_id(ref), doing) is not None:
            return ref
        document = compiled(intent, definition, self._place.context, values)
        properties = {
            PIPELINE: intent.name,
            REASON: request.reason,
            PARAMETERS: json.dumps(dict(request.parameters), sort_keys=True),
        }
        submitted = submission(document, self._place.workspace, properties, {"reason": request.reason[:256]})
        self.prepare(intent, submitted, doing)
        self._calls.put(self._place.job_id(ref), submitted.job, doing)
        return ref

    def prepare(self, intent: TrainingPipeline, submitted: Submission, doing: str) -> None:
        """Bring what a job names to the workspace: the code's files, then code, environments and components."""
        for folder in intent.steps.code.values() if intent.steps is not None else ():
            self._upload(intent, folder)
        for asset in {it.path: it for it in submitted.assets}.values():
            register_once(self._calls, asset, doing)

    def describe(self, ref: str) -> Run:
        """Read the job, and what the run history knows of it and of its steps."""
        job = self._calls.get(self._place.job_id(ref), f"read the run {ref}")
        seen = self._history.run(ref)
        run = _run(job, seen)
        intent = self._intent(run.pipeline)
        children = [*self._history.steps(ref)] if _is_pipeline(job) else []
        definition = intent.steps if intent is not None else None
        if intent is None or definition is None:
            steps = tuple(_step(child, str(child.get("displayName") or child["runId"])) for child in children)
            return _with(run, steps, {})
        values = _values(definition, job, run.parameters)
        outputs = Outputs(self._calls, self._place, intent, definition, values)
        by_name = {str(child.get("displayName")): child for child in children}
        written = outputs.metrics({name: _writer(it) for name, it in by_name.items() if _completed(it)})
        skipped = outputs.skipped(written)
        steps = tuple(
            _step(by_name[step.name], step.name, skipped=step.name in skipped)
            for step in definition.steps
            if step.name in by_name
        )
        metrics = {name: value for numbers in written.values() for name, value in numbers.items()}
        return _with(run, steps, metrics, values)

    def list(self, pipeline: str | None = None) -> Iterator[Run]:
        """Yield the pipelines' jobs, the newest first, without their steps."""
        path, doing = f"{self._place.workspace}/jobs", "list runs"
        jobs = [*self._calls.pages(path, doing, jobType="Pipeline", listViewType="ActiveOnly")]
        runs = [_run(job, {}) for job in jobs if PIPELINE in (job["properties"].get("properties") or {})]
        runs.sort(key=lambda run: run.created, reverse=True)
        return (run for run in runs if pipeline in (None, run.pipeline))

    def logs(self, ref: str, *, step: str | None = None, after: str = "") -> Iterator[LogLine]:
        """Yield the lines of the steps' own logs; a cursor says how far each has been read."""
        job = self._calls.get(self._place.job_id(ref), f"read the run {ref}")
        seen = _positions(after)
        begun = moment((job.get("systemData") or {}).get("createdAt"))
        for name, child, at in self._sources(ref, job, begun):
            if step not in (None, name):
                continue
            for file, lines in self._history.logs(child):
                key = f"{name}/{file}"
                time = at
                for number, line in enumerate(lines, start=1):
                    time = max(time, _time_in(line) or time)
                    if number <= seen.get(key, 0):
                        continue
                    seen[key] = number
                    yield LogLine(time=time, step=name, text=line, cursor=_cursor(seen))

    def cancel(self, ref: str) -> None:
        """Ask the job to stop."""
        cancel_job(self._calls, self._place, ref)

    # --- parts ---

    def _intent(self, pipeline: str) -> TrainingPipeline | None:
        try:
            return self._place.pipeline(pipeline)
        except NotFound:
            return None

    def _sources(
        self, ref: str, job: Document, begun: datetime | None
    ) -> Iterator[tuple[str, str, datetime]]:
        """Yield what writes logs: a pipeline's steps in its own order, or the job itself."""
        if not _is_pipeline(job):
            yield ref, ref, begun or NEVER
            return
        intent = self._intent(_run(job, {}).pipeline)
        order = (
            [it.name for it in intent.steps.steps] if intent is not None and intent.steps is not None else []
        )
        children = [(str(it.get("displayName") or it["runId"]), it) for it in self._history.steps(ref)]
        children.sort(key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order))
        for name, child in children:
            at = moment(child.get("startTimeUtc")) or moment(child.get("createdUtc")) or begun
            yield name, str(child["runId"]), at or NEVER

    def _upload(self, intent: TrainingPipeline, folder: CodeFolder) -> None:
        """Write a code folder's files, and register it: other code is another place and another version."""
        name, version = code_asset(intent.name, folder.digest)
        path = f"{self._place.workspace}/codes/{name}/versions/{version}"
        doing = f"upload the code {folder.path}"
        if self._calls.find(path, doing) is not None:
            return
        start = code_prefix(intent.name, folder.digest)
        for file, text in folder.files.items():
            url = f"{self._place.bucket_url('artifacts')}/{start}/{'/'.join(map(escaped, file.split('/')))}"
            self._calls.blob("PUT", url, doing, body=text.encode(), headers={"x-ms-blob-type": "BlockBlob"})
        address = f"{self._place.bucket_url('artifacts')}/{start}"
        body: Document = {"properties": {"codeUri": address, "description": folder.path}}
        register_once(self._calls, Asset(path=path, body=body), doing)


def _checked(
    definition: PipelineDefinition, given: Mapping[str, ParameterValue]
) -> Mapping[str, ParameterValue]:
    """The values that a run sets, each of its parameter's type.

    Raises:
        InvalidRequest: one is unknown, of another type, or none that Azure ML can be told.
    """
    known = {it.name: it.default for it in definition.parameters}
    values: dict[str, ParameterValue] = {}
    for name, value in given.items():
        if name not in known:
            raise InvalidRequest(
                f'the pipeline has no parameter "{name}"', remedy=f"It has: {', '.join(known) or 'none'}."
            )
        wanted = type(known[name])
        fits = type(value) is wanted or (wanted is float and type(value) is int)
        if not fits:
            raise InvalidRequest(f"the parameter {name} is of type {wanted.__name__}, and {value!r} is not")
        values[name] = float(value) if wanted is float else value
        problem = parameter_problem(name, values[name])
        if problem:
            raise InvalidRequest(problem)
    return values


def _values(
    definition: PipelineDefinition, job: Document, given: Mapping[str, ParameterValue]
) -> dict[str, ParameterValue]:
    """All parameters of a run, as the job's inputs have them."""
    inputs = job["properties"].get("inputs") or {}
    found: dict[str, ParameterValue] = {}
    for parameter in definition.parameters:
        value = given.get(parameter.name, parameter.default)
        text = (inputs.get(parameter.name) or {}).get("value")
        if parameter.name not in given and text is not None:
            value = _read(str(text), parameter.default)
        found[parameter.name] = value
    return found


def _read(text: str, default: ParameterValue) -> ParameterValue:
    try:
        match default:
            case bool():
                return text == "true"
            case int():
                return int(text)
            case float():
                return float(text)
    except ValueError:
        pass
    return text


def _run(job: Document, seen: Document) -> Run:
    properties = job["properties"]
    kept = properties.get("properties") or {}
    native = str(properties.get("status") or seen.get("status") or "Unknown")
    created = moment((job.get("systemData") or {}).get("createdAt")) or moment(seen.get("createdUtc"))
    state = state_of(native)
    try:
        parameters = json.loads(kept.get(PARAMETERS) or "{}")
    except ValueError:
        parameters = {}
    return Run(
        ref=str(job["name"]),
        pipeline=kept.get(PIPELINE) or str(properties.get("experimentName") or ""),
        state=state,
        native_state=native,
        created=created or NEVER,
        started=moment(seen.get("startTimeUtc")),
        ended=moment(seen.get("endTimeUtc")) if state in FINISHED else None,
        parameters=parameters,
        reason=kept.get(REASON, ""),
        error=error_of(seen) if state is RunState.FAILED else "",
    )


def _with(
    run: Run,
    steps: tuple[StepRun, ...],
    metrics: Mapping[str, float],
    values: Mapping[str, ParameterValue] | None = None,
) -> Run:
    error = run.error
    if run.state is RunState.FAILED and not error:
        error = next((f"{step.name}: {step.error}" for step in steps if step.error), "the job failed")
    return replace(run, steps=steps, metrics=metrics, error=error, parameters=values or run.parameters)


def _is_pipeline(job: Document) -> bool:
    return bool(job["properties"].get("jobType") == "Pipeline")


def _writer(child: Document) -> str:
    """The job that wrote a step's outputs: an earlier one, where the step's result was taken from the cache."""
    return str((child.get("properties") or {}).get(REUSED) or child["runId"])


def _completed(child: Document) -> bool:
    return state_of(str(child.get("status"))) is RunState.SUCCEEDED


def _step(child: Document, name: str, *, skipped: bool = False) -> StepRun:
    native = str(child.get("status") or "Unknown")
    state = state_of(native)
    error = error_of(child)
    if state is RunState.FAILED and not error:
        error = "the step failed; its logs say why"
    return StepRun(
        name=name,
        state=state,
        native_state=native,
        started=moment(child.get("startTimeUtc")),
        ended=moment(child.get("endTimeUtc")),
        cached=bool((child.get("properties") or {}).get(REUSED)),
        skipped=skipped,
        error=error if state is not RunState.SUCCEEDED else "",
    )


def _positions(cursor: str) -> dict[str, int]:
    """How far each log has been read.

    Raises:
        InvalidRequest: it is no cursor of ours.
    """
    found: dict[str, int] = {}
    for part in filter(None, cursor.split("|")):
        key, equals, number = part.rpartition("=")
        if not equals or not number.isdigit():
            raise InvalidRequest(f'"{cursor}" is no cursor of a log')
        found[key] = int(number)
    return found


def _cursor(seen: Mapping[str, int]) -> str:
    return "|".join(f"{key}={number}" for key, number in seen.items())


def _time_in(line: str) -> datetime | None:
    """The time that a line begins with, if it does."""
    try:
        return (
            moment(line[:19].replace(",", ".").strip()) if line[:4].isdigit() and line[4:5] == "-" else None
        )
    except ValueError:
        return None
