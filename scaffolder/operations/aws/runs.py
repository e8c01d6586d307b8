"""Pipelines that run on SageMaker: Terraform makes the pipeline, these calls start, watch and stop its executions.

May not make or change a pipeline.
"""

from __future__ import annotations

import builtins
import heapq
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from scaffolder.operations.aws.logs import Position, lines_after
from scaffolder.operations.aws.surroundings import Surroundings
from scaffolder.operations.errors import Conflict, InvalidRequest, NotFound
from scaffolder.operations.values import (
    FINISHED,
    LogLine,
    ParameterValue,
    Run,
    RunRequest,
    RunState,
    StepRun,
)
from stacks.aws.watching import job_of
from stacks.intents import ModelMonitor, TrainingPipeline
from stacks.pipelines import METRICS_FILE, Gate, sources
from stacks.pipelines import Run as Command

__all__ = ["RUN_STATES", "Pipelines", "utc"]

RUN_STATES: Mapping[str, RunState] = {
    "Executing": RunState.RUNNING,
    "Stopping": RunState.STOPPING,
    "Stopped": RunState.STOPPED,
    "Failed": RunState.FAILED,
    "Succeeded": RunState.SUCCEEDED,
}
STEP_STATES: Mapping[str, RunState] = {**RUN_STATES, "Starting": RunState.QUEUED}

_REF = re.compile(r"arn:[^:]+:sagemaker:[^:]+:\d{12}:pipeline/(?P<pipeline>[^/]+)/execution/[^/]+")
_JOBS = ("TrainingJob", "ProcessingJob", "TransformJob")
_TYPES: Mapping[str, tuple[type, ...]] = {
    "String": (str,),
    "Integer": (int,),
    "Float": (float, int),
    "Boolean": (bool,),
}


def utc(moment: datetime) -> datetime:
    """Return a time as the port has it."""
    return moment.astimezone(UTC)


class Pipelines:
    """Runs of the platform's pipelines. A run's ref is the execution's ARN."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.around = surroundings
        self.account = surroundings.account
        self.context = surroundings.context

    # --- start ---

    def submit(self, request: RunRequest) -> str:
        intent = self._intent(request.pipeline)
        name = self.context.pipeline(intent.name)
        reply = self.account.find("sagemaker", "DescribePipeline", {"PipelineName": name}, f"find {name}")
        if reply is None:
            raise NotFound(
                f"there is no pipeline {name} in {self.context.region} yet",
                remedy=intent.remedy or self.around.deploy_first("ml"),
            )
        parameters = _spelled(request.parameters, json.loads(reply["PipelineDefinition"]), intent.name)
        started = self.account.ask(
            "sagemaker",
            "StartPipelineExecution",
            {
                "PipelineName": name,
                "PipelineExecutionDescription": request.reason,
                "PipelineParameters": parameters,
                "ClientRequestToken": sha256(request.token.encode()).hexdigest(),
            },
            f"start pipeline {intent.name}",
        )
        return str(started["PipelineExecutionArn"])

    def _intent(self, name: str) -> TrainingPipeline:
        pipelines = {intent.name: intent for intent in self.context.all_of(TrainingPipeline)}
        if name not in pipelines:
            raise NotFound(f"the spec has no pipeline {name!r}; it has {', '.join(pipelines) or 'none'}")
        return pipelines[name]

    def _known(self) -> Iterator[TrainingPipeline]:
        """The pipelines of the spec, and the monitors' own."""
        yield from self.context.all_of(TrainingPipeline)
        for monitor in self.context.all_of(ModelMonitor):
            job = job_of(self.context, monitor)
            if job is not None:
                yield job

    # --- look ---

    def describe(self, ref: str) -> Run:
        pipeline = self._pipeline_of(ref)
        about = {"PipelineExecutionArn": ref}
        said = self.account.ask("sagemaker", "DescribePipelineExecution", about, f"look at run {ref}")
        native = said["PipelineExecutionStatus"]
        state = RUN_STATES.get(native, RunState.UNKNOWN)
        steps = self._listed_steps(ref)
        return Run(
            ref=ref,
            pipeline=pipeline,
            state=state,
            native_state=native,
            created=utc(said["CreationTime"]),
            started=utc(said["CreationTime"]),
            ended=utc(said["LastModifiedTime"]) if state in FINISHED else None,
            parameters=self._parameters(ref, pipeline),
            reason=said.get("PipelineExecutionDescription", ""),
            error=said.get("FailureReason", ""),
            steps=self._steps(pipeline, steps),
            metrics=self._metrics(pipeline, steps),
        )

    def list(self, pipeline: str | None = None) -> Iterator[Run]:
        intents = [self._intent(pipeline)] if pipeline is not None else [*self._known()]
        by_age = (self._executions(intent.name) for intent in intents)
        yield from heapq.merge(*by_age, key=lambda run: run.created, reverse=True)

    def _executions(self, pipeline: str) -> Iterator[Run]:
        request = {
            "PipelineName": self.context.pipeline(pipeline),
            "SortBy": "CreationTime",
            "SortOrder": "Descending",
        }
        executions = self.account.each(
            "sagemaker",
            "ListPipelineExecutions",
            request,
            "PipelineExecutionSummaries",
            f"list runs of {pipeline}",
        )
        try:
            for said in executions:
                native = said["PipelineExecutionStatus"]
                yield Run(
                    ref=said["PipelineExecutionArn"],
                    pipeline=pipeline,
                    state=RUN_STATES.get(native, RunState.UNKNOWN),
                    native_state=native,
                    created=utc(said["StartTime"]),
                    started=utc(said["StartTime"]),
                    reason=said.get("PipelineExecutionDescription", ""),
                    error=said.get("PipelineExecutionFailureReason", ""),
                )
        except NotFound:
            return  # a pipeline that is not there yet has no runs

    def _pipeline_of(self, ref: str) -> str:
        """The spec's name of a run's pipeline."""
        found = _REF.fullmatch(ref)
        if found is None:
            raise InvalidRequest(f"{ref!r} is not the ref of a run on SageMaker: that is an execution's ARN")
        for intent in self._known():
            # AWS writes the names in ARNs of pipelines in lower case.
            if self.context.pipeline(intent.name).lower() == found["pipeline"].lower():
                return intent.name
        return found["pipeline"]

    def _parameters(self, ref: str, pipeline: str) -> Mapping[str, ParameterValue]:
        """The values that a run was started with, as the types that the spec's definition gives them."""
        said = self.account.each(
            "sagemaker",
            "ListPipelineParametersForExecution",
            {"PipelineExecutionArn": ref},
            "PipelineParameters",
            f"read the parameters of run {ref}",
        )
        kinds = {}
        for intent in self.context.all_of(TrainingPipeline):
            if intent.name == pipeline and intent.steps is not None:
                kinds = {parameter.name: type(parameter.default) for parameter in intent.steps.parameters}
        return {one["Name"]: _read(one["Value"], kinds.get(one["Name"], str)) for one in said}

    # --- steps ---

    def _listed_steps(self, ref: str) -> Mapping[str, Mapping[str, Any]]:
        listed = self.account.each(
            "sagemaker",
            "ListPipelineExecutionSteps",
            {"PipelineExecutionArn": ref, "SortOrder": "Ascending"},
            "PipelineExecutionSteps",
            f"list the steps of run {ref}",
        )
        return {step["StepName"]: step for step in listed}

    def _definition(self, pipeline: str) -> Mapping[str, Any]:
        """The steps of the spec's definition by name; empty where there is none."""
        for intent in self.context.all_of(TrainingPipeline):
            if intent.name == pipeline and intent.steps is not None:
                return {step.name: step for step in intent.steps.steps}
        return {}

    def _steps(self, pipeline: str, listed: Mapping[str, Mapping[str, Any]]) -> tuple[StepRun, ...]:
        """The spec's steps that SageMaker began or a gate left out, in the spec's order; conditions are no steps."""
        defined = self._definition(pipeline)
        shown: builtins.list[StepRun] = []
        skipped: set[str] = set()
        for name, step in defined.items():
            if name in listed:
                shown.append(_step(listed[name]))
            elif _is_closed(step.gate, name, listed) or skipped & {*sources(step)}:
                skipped.add(name)
                shown.append(StepRun(name=name, state=RunState.SUCCEEDED, native_state="", skipped=True))
        conditions = {f"{name}{ending}" for name in defined for ending in ("-gate", "-refused")}
        others = [step for name, step in listed.items() if name not in {*defined, *conditions}]
        return (*shown, *map(_step, others))

    def _metrics(self, pipeline: str, listed: Mapping[str, Mapping[str, Any]]) -> Mapping[str, float]:
        """The numbers that steps wrote to their metrics; a later step's win."""
        found: dict[str, float] = {}
        for name, step in self._definition(pipeline).items():
            if not isinstance(step.action, Command) or listed.get(name, {}).get("StepStatus") != "Succeeded":
                continue
            outputs = {key for key, output in step.action.outputs.items() if output.kind == "metrics"}
            job = _job_of(listed[name])
            if outputs and job is not None and job[0] == "ProcessingJob":
                found |= self._written(job[1], outputs)
        return found

    def _written(self, job: str, outputs: set[str]) -> Mapping[str, float]:
        said = self.account.find(
            "sagemaker", "DescribeProcessingJob", {"ProcessingJobName": job}, f"find where {job} wrote"
        )
        found: dict[str, float] = {}
        for output in (said or {}).get("ProcessingOutputConfig", {}).get("Outputs", ()):
            if output["OutputName"] in outputs:
                bucket, _, path = output["S3Output"]["S3Uri"].removeprefix("s3://").partition("/")
                key = f"{path.rstrip('/')}/{METRICS_FILE}"
                written = self.account.find(
                    "s3", "GetObject", {"Bucket": bucket, "Key": key}, f"read the metrics of {job}"
                )
                found |= (
                    {name: float(value) for name, value in json.loads(written["Body"]).items()}
                    if written
                    else {}
                )
        return found

    # --- logs and end ---

    def logs(self, ref: str, *, step: str | None = None, after: str = "") -> Iterator[LogLine]:
        listed = self._listed_steps(ref)
        if step is not None and step not in {*listed, *self._definition(self._pipeline_of(ref))}:
            raise NotFound(f"run {ref} has no step {step!r}; it has {', '.join(listed) or 'none yet'}")
        jobs = {name: _job_of(said) for name, said in listed.items() if step in {None, name}}
        written = {name: job for name, job in jobs.items() if job is not None}
        yield from lines_after(self.account, written, Position.read(after))

    def cancel(self, ref: str) -> None:
        about = {"PipelineExecutionArn": ref}
        if self._is_over(ref):
            return
        try:
            self.account.ask(
                "sagemaker",
                "StopPipelineExecution",
                {**about, "ClientRequestToken": sha256(f"stop {ref}".encode()).hexdigest()},
                f"stop run {ref}",
            )
        except (Conflict, InvalidRequest):
            if not self._is_over(ref):
                raise

    def _is_over(self, ref: str) -> bool:
        self._pipeline_of(ref)
        said = self.account.ask(
            "sagemaker", "DescribePipelineExecution", {"PipelineExecutionArn": ref}, f"look at run {ref}"
        )
        return bool(said["PipelineExecutionStatus"] != "Executing")


# --- values ----------------------------------------------------------------------------------------------------------


def _spelled(
    values: Mapping[str, ParameterValue], definition: Mapping[str, Any], pipeline: str
) -> builtins.list[dict[str, str]]:
    """Parameters as SageMaker takes them: texts, of those that the deployed definition has."""
    kinds = {one["Name"]: one["Type"] for one in definition.get("Parameters", ())}
    spelled = []
    for name, value in sorted(values.items()):
        if name not in kinds:
            raise InvalidRequest(
                f"pipeline {pipeline} has no parameter {name!r}; it has {', '.join(sorted(kinds)) or 'none'}"
            )
        is_right = isinstance(value, _TYPES.get(kinds[name], (str,)))
        if not is_right or (isinstance(value, bool) and kinds[name] != "Boolean"):
            raise InvalidRequest(
                f"parameter {name} of pipeline {pipeline} is of type {kinds[name]}, and {value!r} is not"
            )
        spelled.append({"Name": name, "Value": str(value).lower() if isinstance(value, bool) else str(value)})
    return spelled


def _read(text: str, kind: type) -> ParameterValue:
    if kind is bool:
        return text.lower() == "true"
    if kind in {int, float}:
        try:
            return kind(text)
        except ValueError:
            return text
    return text


def _job_of(step: Mapping[str, Any]) -> tuple[str, str] | None:
    """The kind and the name of a step's job; ``None`` for a step that has none, or none yet."""
    metadata = step.get("Metadata", {})
    for kind in _JOBS:
        if arn := metadata.get(kind, {}).get("Arn"):
            return kind, str(arn).rpartition("/")[2]
    return None


def _step(said: Mapping[str, Any]) -> StepRun:
    native = said["StepStatus"]
    return StepRun(
        name=said["StepName"],
        state=STEP_STATES.get(native, RunState.UNKNOWN),
        native_state=native,
        started=utc(said["StartTime"]) if "StartTime" in said else None,
        ended=utc(said["EndTime"]) if "EndTime" in said else None,
        attempt=max(1, int(said.get("AttemptCount", 1))),
        cached="SourcePipelineExecutionArn" in said.get("CacheHitResult", {}),
        error=said.get("FailureReason", ""),
    )


def _is_closed(gate: Gate | None, name: str, listed: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a step's condition was looked at and not met."""
    condition = listed.get(f"{name}-gate", {}).get("Metadata", {}).get("Condition", {})
    return gate is not None and condition.get("Outcome") == "False"
