"""Runs of pipelines: pipeline jobs of Vertex AI, made of the template and the names that the stacks give.

Not by ``PipelineJob.submit`` of the SDK's upper layer, which makes buckets and rewrites who may read them. May not make a
schedule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from scaffolder.operations.errors import AlreadyExists, Conflict, InvalidRequest
from scaffolder.operations.gcp.calls import Calls
from scaffolder.operations.gcp.logs import lines
from scaffolder.operations.gcp.place import Place, carried, digest_of, read_carried
from scaffolder.operations.gcp.tasks import metrics_in, step_runs
from scaffolder.operations.gcp.templates import chosen, put_code, template
from scaffolder.operations.values import FINISHED, LogLine, ParameterValue, Run, RunRequest, RunState
from stacks.gcp.context import Surroundings
from stacks.gcp.watching import job_of
from stacks.intents import ModelMonitor, TrainingPipeline

__all__ = ["STATES", "GcpRuns", "pipeline_job", "state_of"]

SERVICE = "pipeline_service"
RUNS = "runs"
ROLE = "pipelines"
STATES: Mapping[str, RunState] = {
    "PIPELINE_STATE_QUEUED": RunState.QUEUED,
    "PIPELINE_STATE_PENDING": RunState.QUEUED,
    "PIPELINE_STATE_PAUSED": RunState.QUEUED,
    "PIPELINE_STATE_RUNNING": RunState.RUNNING,
    "PIPELINE_STATE_CANCELLING": RunState.STOPPING,
    "PIPELINE_STATE_SUCCEEDED": RunState.SUCCEEDED,
    "PIPELINE_STATE_FAILED": RunState.FAILED,
    "PIPELINE_STATE_CANCELLED": RunState.STOPPED,
}


def state_of(native: str) -> RunState:
    """What a state of a pipeline job means."""
    return STATES.get(native, RunState.UNKNOWN)


class GcpRuns:
    """Runs on Vertex AI."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._place = calls.place

    def submit(self, request: RunRequest) -> str:
        """Start a pipeline job whose id comes from the token: Vertex AI takes each id once."""
        return self.start(self._place.pipeline(request.pipeline), request)

    def start(
        self, pipeline: TrainingPipeline, request: RunRequest, around: Surroundings | None = None
    ) -> str:
        """Start a pipeline that the stacks make, in the spec's or in other surroundings."""
        parameters = chosen(pipeline, request.parameters)
        spec = template(self._place, pipeline, around)
        put_code(self._calls, pipeline)
        ident = self._job_id(request)
        asked = {
            "parent": self._place.parent,
            "pipeline_job_id": ident,
            "pipeline_job": pipeline_job(self._place, pipeline, spec, parameters, request),
        }
        try:
            made = self._calls.vertex(
                SERVICE, "create_pipeline_job", asked, f"start pipeline {pipeline.name}"
            )
        except AlreadyExists:
            return f"{self._place.parent}/pipelineJobs/{ident}"
        return self._place.named(made.name)

    def _job_id(self, request: RunRequest) -> str:
        name = self._place.context.name("resource", request.pipeline)
        return f"{name}-{digest_of(request.pipeline, request.token)}"

    def describe(self, ref: str) -> Run:
        """Look at a run and its steps."""
        return self._run(self._get(ref))

    def _get(self, ref: str) -> Any:
        return self._calls.vertex(SERVICE, "get_pipeline_job", {"name": ref_of(ref)}, f"look at run {ref}")

    def list(self, pipeline: str | None = None) -> Iterator[Run]:
        """Yield the platform's runs, those of its schedules and triggers too; their steps are left out."""
        if pipeline is not None:
            self._place.pipeline(pipeline)
        wanted = [pipeline] if pipeline is not None else [*self._names()]
        clauses = " OR ".join(f'labels.pipeline="{name}"' for name in wanted)
        if not clauses:
            return
        asked = {"parent": self._place.parent, "filter": clauses, "order_by": "create_time desc"}
        for job in self._calls.every(SERVICE, "list_pipeline_jobs", asked, "list runs"):
            run = self._run(job)
            if self._is_ours(job) and run.pipeline in wanted:
                yield run

    def _names(self) -> Iterator[str]:
        """The pipelines of the spec, and the monitors' own."""
        context = self._place.context
        yield from (it.name for it in context.all_of(TrainingPipeline))
        for monitor in context.all_of(ModelMonitor):
            job = job_of(context, monitor)
            if job is not None:
                yield job.name

    def _is_ours(self, job: Any) -> bool:
        """Whether this platform started a job: another of the project may have a pipeline of the same name."""
        return str(job.service_account) == self._place.email(ROLE)

    def _run(self, job: Any) -> Run:
        spec, labels = spec_of(job), dict(job.labels)
        native = job.state.name
        steps = step_runs(job, spec) if spec else ()
        return Run(
            ref=self._place.named(job.name),
            pipeline=labels.get("pipeline", ""),
            state=state_of(native),
            native_state=native,
            created=job.create_time,
            started=job.start_time,
            ended=job.end_time,
            parameters=_parameters(job, spec),
            reason=read_carried("reason", labels) or ("schedule" if job.schedule_name else ""),
            error=job.error.message if job.error else "",
            steps=steps,
            metrics=metrics_in(job, spec) if spec else {},
        )

    def logs(self, ref: str, *, step: str | None = None, after: str = "") -> Iterator[LogLine]:
        """Yield what the steps' jobs wrote, out of Cloud Logging, where it comes some seconds late."""
        job = self._get(ref)
        yield from lines(self._calls, job, spec_of(job), step=step, after=after)

    def cancel(self, ref: str) -> None:
        """Ask Vertex AI to stop a run."""
        if state_of(self._get(ref).state.name) in FINISHED:
            return
        try:
            self._calls.vertex(SERVICE, "cancel_pipeline_job", {"name": ref_of(ref)}, f"cancel run {ref}")
        except (Conflict, InvalidRequest):
            if state_of(self._get(ref).state.name) not in FINISHED:
                raise


def pipeline_job(
    place: Place,
    pipeline: TrainingPipeline,
    spec: Mapping[str, Any],
    parameters: Mapping[str, ParameterValue],
    request: RunRequest,
) -> dict[str, Any]:
    """Write the same job as the schedule of the stack *ml* starts, with parameters and a reason."""
    around = place.around
    job: dict[str, Any] = {
        "display_name": place.context.name("display", pipeline.name),
        "pipeline_spec": spec,
        "service_account": place.email(ROLE),
        "preflight_validations": True,
        "labels": {"pipeline": pipeline.name, **carried("reason", request.reason)},
        "runtime_config": {
            "gcs_output_directory": around.stores.place("artifacts", f"{RUNS}/{pipeline.name}"),
            "parameter_values": dict(parameters),
            "failure_policy": "PIPELINE_FAILURE_POLICY_FAIL_FAST",
        },
    }
    if around.keys.data is not None:
        job["encryption_spec"] = {"kms_key_name": around.keys.data}
    if around.network.attachment_id is not None:
        job["psc_interface_config"] = {"network_attachment": around.network.attachment_id}
    return job


def ref_of(ref: str) -> str:
    """A run's ref, which is a pipeline job's name.

    Raises:
        InvalidRequest: it is not.
    """
    if not re.fullmatch(r"projects/[^/]+/locations/[^/]+/pipelineJobs/[^/]+", ref):
        raise InvalidRequest(
            f"{ref!r} is no run on Vertex AI",
            remedy="Its ref is projects/…/pipelineJobs/…; `runs list` shows it.",
        )
    return ref


def plain(job: Any) -> dict[str, Any]:
    """A message as plain JSON, for what has no fixed shape inside."""
    found: dict[str, Any] = type(job).to_dict(
        job, preserving_proto_field_name=False, use_integers_for_enums=False
    )
    return found


def spec_of(job: Any) -> dict[str, Any]:
    """A job's template; nothing where a list leaves it out."""
    found: dict[str, Any] = plain(job).get("pipelineSpec") or {}
    return found


def _parameters(job: Any, spec: Mapping[str, Any]) -> dict[str, ParameterValue]:
    """All parameters of a run: its own, and the defaults of others, each of its type (JSON has one kind of number)."""
    given = plain(job).get("runtimeConfig", {}).get("parameterValues", {})
    declared = spec.get("root", {}).get("inputDefinitions", {}).get("parameters", {})
    found: dict[str, ParameterValue] = {}
    for name, it in declared.items():
        value = given.get(name, it.get("defaultValue"))
        if it.get("parameterType") == "NUMBER_INTEGER":
            value = int(value)
        elif it.get("parameterType") == "NUMBER_DOUBLE":
            value = float(value)
        found[name] = value
    return found
