"""Pipelines and their executions: steps that run by the clock, or end when a test says so.

A definition's arguments are resolved as SageMaker does, and checked against the descriptions of the calls that they
become. May not run anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.operations.fakes.aws.packages import Packages
from tests.operations.fakes.aws.store import Answers, Parameters, Place, absent, page, refused, taken

__all__ = ["Execution", "Outside", "Pipelines"]

STEP_S = 120
STOP_S = 20
METRICS = {"accuracy": 0.91, "rows": 200}
JOBS = {"Training": "training-job", "Processing": "processing-job"}
_TYPES: Mapping[str, Callable[[str], object]] = {
    "Integer": int,
    "Float": float,
    "Boolean": lambda text: {"true": True, "false": False}[text],
    "String": str,
}
_OUTPUT = re.compile(r"Steps\.([^.]+)\.ProcessingOutputConfig\.Outputs\['([^']+)'\]\.S3Output\.S3Uri")


@dataclass(slots=True)
class Outside:
    """What steps do outside SageMaker: write a line of a log, and a file."""

    log: Callable[[str, str, str, datetime], None]
    write: Callable[[str, bytes], None]


@dataclass(slots=True)
class _Step:
    name: str
    type: str
    arguments: dict[str, Any]
    started: datetime
    job: str = ""
    status: str = "Executing"
    ended: datetime | None = None
    error: str = ""
    outcome: str = ""
    package: str = ""


@dataclass(slots=True)
class Execution:
    arn: str
    pipeline: str
    description: str
    parameters: Mapping[str, str]
    definition: Mapping[str, Any]
    created: datetime
    modified: datetime
    status: str = "Executing"
    error: str = ""
    left: list[Mapping[str, Any]] = field(default_factory=list)
    steps: list[_Step] = field(default_factory=list)
    stops: datetime | None = None


class Pipelines:
    def __init__(self, place: Place, packages: Packages, outside: Outside) -> None:
        self.place = place
        self.packages = packages
        self.outside = outside
        self.pipelines: dict[str, dict[str, Any]] = {}
        self.executions: dict[str, Execution] = {}
        self.tokens: dict[tuple[str, str], str] = {}
        self.processing: dict[str, dict[str, Any]] = {}

    @property
    def answers(self) -> Answers:
        return {
            "CreatePipeline": self.create,
            "DescribePipeline": self.describe,
            "StartPipelineExecution": self.start,
            "DescribePipelineExecution": self.describe_execution,
            "ListPipelineExecutions": self.list,
            "ListPipelineExecutionSteps": self.list_steps,
            "ListPipelineParametersForExecution": self.list_parameters,
            "StopPipelineExecution": self.stop,
            "DescribeProcessingJob": self.describe_processing,
        }

    # --- pipelines ---

    def create(self, asked: Parameters) -> Mapping[str, Any]:
        name = asked["PipelineName"]
        arn = self.place.arn(f"pipeline/{name.lower()}")
        if name in self.pipelines:
            raise taken("pipeline", arn)
        self.pipelines[name] = {
            "PipelineName": name,
            "PipelineArn": arn,
            "PipelineDefinition": asked["PipelineDefinition"],
            "RoleArn": asked["RoleArn"],
            "PipelineStatus": "Active",
            "CreationTime": self.place.now(),
            "LastModifiedTime": self.place.now(),
        }
        return {"PipelineArn": arn}

    def _pipeline(self, name: str) -> dict[str, Any]:
        if name not in self.pipelines:
            raise absent(f"Pipeline {self.place.arn(f'pipeline/{name.lower()}')}", "ResourceNotFound")
        return self.pipelines[name]

    def describe(self, asked: Parameters) -> Mapping[str, Any]:
        return self._pipeline(asked["PipelineName"])

    # --- executions ---

    def start(self, asked: Parameters) -> Mapping[str, Any]:
        pipeline = self._pipeline(asked["PipelineName"])
        token = (pipeline["PipelineName"], asked["ClientRequestToken"])
        if token in self.tokens:
            return {"PipelineExecutionArn": self.tokens[token]}
        definition = json.loads(pipeline["PipelineDefinition"])
        parameters = _parameters(definition, asked.get("PipelineParameters", ()))
        now = self.place.now()
        arn = f"{pipeline['PipelineArn']}/execution/{self.place.word()}"
        execution = Execution(
            arn=arn,
            pipeline=pipeline["PipelineName"],
            description=asked.get("PipelineExecutionDescription", ""),
            parameters=parameters,
            definition=definition,
            created=now,
            modified=now,
            left=list(definition["Steps"]),
        )
        self.executions[arn] = execution
        self.tokens[token] = arn
        self._begin(execution)
        return {"PipelineExecutionArn": arn}

    def execution(self, arn: str) -> Execution:
        """An execution as it is now."""
        if arn not in self.executions:
            raise absent(f"Pipeline execution {arn}", "ResourceNotFound")
        execution = self.executions[arn]
        while execution.status == "Executing" and execution.steps:
            due = execution.steps[-1].started + timedelta(seconds=STEP_S)
            if due > self.place.now():
                break
            self._end(execution, due)
        if execution.stops is not None and execution.stops <= self.place.now():
            self._stopped(execution)
        return execution

    def finish(self, arn: str, status: str) -> None:
        """Bring an execution to an end."""
        execution = self.execution(arn)
        if status == "Stopped":
            self._stopped(execution)
        while execution.status == "Executing":
            self._end(execution, self.place.now())
        if execution.status != status:
            raise AssertionError(
                f"the run ended as {execution.status}, not {status}: ask for what makes it so"
            )

    def _stopped(self, execution: Execution) -> None:
        execution.stops = None
        if execution.status == "Stopping":
            execution.status, execution.modified = "Stopped", self.place.now()
            for step in execution.steps:
                if step.ended is None:
                    step.status, step.ended = "Stopped", self.place.now()

    def _begin(self, execution: Execution) -> None:
        """Begin the next step; conditions are decided at once. Without one the execution has succeeded."""
        while execution.left:
            said = execution.left.pop(0)
            now = execution.modified
            arguments = dict(self._resolved(said.get("Arguments", {}), execution))
            step = _Step(name=said["Name"], type=said["Type"], arguments=arguments, started=now)
            execution.steps.append(step)
            if step.type == "Condition":
                met = all(_met(one, _left(one)) for one in arguments["Conditions"])
                step.status, step.ended, step.outcome = "Succeeded", now, str(met)
                branch = said["Arguments"]["IfSteps" if met else "ElseSteps"]
                execution.left = [*branch, *execution.left]
                continue
            if step.type in JOBS:
                step.job = f"pipelines-{execution.arn[-12:]}-{step.name}-{self.place.word()[:10]}"[:63]
                self._log(step, f"{step.name} begins")
            return
        execution.status = "Succeeded"

    def _end(self, execution: Execution, moment: datetime) -> None:
        """End the step that runs, and begin the next."""
        step = execution.steps[-1]
        step.ended = execution.modified = moment
        if step.name == "train" and execution.parameters.get("fail") == "yes":
            self._log(step, "told to fail")
            step.status, step.error = "Failed", "ClientError: AlgorithmError: exit code 1: told to fail"
            execution.status, execution.error = "Failed", "Step failure: One or multiple steps failed."
            return
        step.status = "Succeeded"
        if step.type in JOBS:
            self._log(step, f"{step.name} is done")
        if step.type == "Processing":
            self._processed(step, execution)
        if step.type == "RegisterModel":
            step.package = self.packages.create(step.arguments)["ModelPackageArn"]
        self._begin(execution)

    def _processed(self, step: _Step, execution: Execution) -> None:
        arn = self.place.arn(f"processing-job/{step.job}")
        self.processing[step.job] = {
            **step.arguments,
            "ProcessingJobName": step.job,
            "ProcessingJobArn": arn,
            "ProcessingJobStatus": "Completed",
            "CreationTime": step.started,
            "ProcessingEndTime": step.ended,
        }
        files = next(one for one in _flat(execution.definition["Steps"]) if one["Name"] == step.name)
        for file in files.get("PropertyFiles", ()):
            uri = _output(step.arguments, file["OutputName"])
            self.outside.write(f"{uri.rstrip('/')}/{file['FilePath']}", json.dumps(METRICS).encode())

    def _log(self, step: _Step, text: str) -> None:
        group = f"/aws/sagemaker/{step.type}Jobs"
        for line in (text, f"{step.name}: {text}"):
            self.outside.log(group, f"{step.job}/algo-1-1793620800", line, step.ended or step.started)

    # --- references ---

    def _resolved(self, value: Any, execution: Execution) -> Any:
        match value:
            case {"Get": str(reference)}:
                return self._reference(reference, execution)
            case {"Std:Join": {"On": str(on), "Values": list(values)}}:
                return on.join(str(self._resolved(one, execution)) for one in values)
            case {"Std:JsonGet": _}:
                return value
            case dict():
                return {
                    name: one if name in {"IfSteps", "ElseSteps"} else self._resolved(one, execution)
                    for name, one in value.items()
                }
            case list():
                return [self._resolved(one, execution) for one in value]
            case _:
                return value

    def _reference(self, reference: str, execution: Execution) -> object:
        start, _, rest = reference.partition(".")
        if start == "Parameters":
            kinds = {one["Name"]: one["Type"] for one in execution.definition["Parameters"]}
            return _TYPES[kinds[rest]](execution.parameters[rest])
        if reference == "Execution.PipelineExecutionId":
            return execution.arn[-12:]
        steps = {step.name: step for step in execution.steps}
        if found := _OUTPUT.fullmatch(reference):
            return _output(steps[found[1]].arguments, found[2])
        name, _, what = rest.partition(".")
        if what == "ModelArtifacts.S3ModelArtifacts":
            step = steps[name]
            return f"{step.arguments['OutputDataConfig']['S3OutputPath']}/{step.job}/output/model.tar.gz"
        raise AssertionError(f"the fake does not know {reference}")

    # --- what is told ---

    def describe_execution(self, asked: Parameters) -> Mapping[str, Any]:
        one = self.execution(asked["PipelineExecutionArn"])
        return {
            "PipelineArn": self.pipelines[one.pipeline]["PipelineArn"],
            "PipelineExecutionArn": one.arn,
            "PipelineExecutionStatus": one.status,
            "PipelineExecutionDescription": one.description,
            "CreationTime": one.created,
            "LastModifiedTime": one.modified,
            **({"FailureReason": one.error} if one.error else {}),
        }

    def list(self, asked: Parameters) -> Mapping[str, Any]:
        name = self._pipeline(asked["PipelineName"])["PipelineName"]
        found = [self.execution(one.arn) for one in self.executions.values() if one.pipeline == name]
        if asked.get("SortOrder", "Descending") == "Descending":
            found.reverse()
        told = [
            {
                "PipelineExecutionArn": one.arn,
                "StartTime": one.created,
                "PipelineExecutionStatus": one.status,
                "PipelineExecutionDescription": one.description,
                **({"PipelineExecutionFailureReason": one.error} if one.error else {}),
            }
            for one in found
        ]
        return page(told, asked, "PipelineExecutionSummaries")

    def list_steps(self, asked: Parameters) -> Mapping[str, Any]:
        execution = self.execution(asked["PipelineExecutionArn"])
        told = [self._told(step) for step in execution.steps]
        if asked.get("SortOrder", "Descending") == "Descending":
            told.reverse()
        return page(told, asked, "PipelineExecutionSteps")

    def _told(self, step: _Step) -> dict[str, Any]:
        metadata: dict[str, Any] = {}
        if step.type in JOBS:
            arn = self.place.arn(f"{JOBS[step.type]}/{step.job}")
            metadata[f"{step.type}Job"] = {"Arn": arn}
        elif step.type == "Condition":
            metadata["Condition"] = {"Outcome": step.outcome}
        elif step.package:
            metadata["RegisterModel"] = {"Arn": step.package}
        return {
            "StepName": step.name,
            "StartTime": step.started,
            **({"EndTime": step.ended} if step.ended else {}),
            "StepStatus": step.status,
            "AttemptCount": 1,
            **({"FailureReason": step.error} if step.error else {}),
            "Metadata": metadata,
        }

    def list_parameters(self, asked: Parameters) -> Mapping[str, Any]:
        execution = self.execution(asked["PipelineExecutionArn"])
        told = [{"Name": name, "Value": value} for name, value in execution.parameters.items()]
        return page(told, asked, "PipelineParameters")

    def stop(self, asked: Parameters) -> Mapping[str, Any]:
        execution = self.execution(asked["PipelineExecutionArn"])
        if execution.status not in {"Executing", "Stopping"}:
            raise refused(f"Pipeline execution {execution.arn} is {execution.status} and cannot be stopped.")
        execution.status = "Stopping"
        execution.stops = self.place.now() + timedelta(seconds=STOP_S)
        return {"PipelineExecutionArn": execution.arn}

    def describe_processing(self, asked: Parameters) -> Mapping[str, Any]:
        name = asked["ProcessingJobName"]
        if name not in self.processing:
            raise absent(f"Processing job {name}", "ResourceNotFound")
        return self.processing[name]


def _parameters(definition: Mapping[str, Any], given: Any) -> dict[str, str]:
    """The values of a run, all as texts."""
    kinds = {one["Name"]: one["Type"] for one in definition.get("Parameters", ())}
    values = {one["Name"]: one.get("DefaultValue") for one in definition.get("Parameters", ())}
    texts = {name: _text(value) for name, value in values.items()}
    for one in given:
        name, value = one["Name"], one["Value"]
        if name not in kinds:
            raise refused(f"Unknown pipeline parameter {name}.")
        try:
            _TYPES[kinds[name]](value)
        except (ValueError, KeyError):
            raise refused(f"Pipeline parameter {name} is not of type {kinds[name]}: {value}.") from None
        texts[name] = value
    return texts


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _flat(steps: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """All steps, those behind conditions included."""
    for step in steps:
        yield step
        if step["Type"] == "Condition":
            yield from _flat([*step["Arguments"]["IfSteps"], *step["Arguments"]["ElseSteps"]])


def _output(arguments: Mapping[str, Any], name: str) -> str:
    outputs = arguments["ProcessingOutputConfig"]["Outputs"]
    return str(next(one["S3Output"]["S3Uri"] for one in outputs if one["OutputName"] == name))


def _left(condition: Mapping[str, Any]) -> float:
    path = condition["LeftValue"]["Std:JsonGet"]["Path"]
    if path not in METRICS:
        raise AssertionError(f"no step writes the metric {path}")
    return float(METRICS[path])


def _met(condition: Mapping[str, Any], left: float) -> bool:
    right = float(condition["RightValue"])
    return left >= right if condition["Type"] == "GreaterThanOrEqualTo" else left <= right
