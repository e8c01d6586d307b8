"""SageMaker pipelines: a neutral definition becomes a pipeline of processing, training, registering and conditions.

Pure: values may be references or texts, so that a stack and an operation compile the same way. May not make a resource,
nor know where a definition was read. The schema is the one of SageMaker's pipeline definition, version 2020-12-01.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from stacks.aws.context import Keys, Registry, Surroundings
from stacks.aws.instances import Unavailable, Use, machine, machine_has_local_disk
from stacks.graph import GraphError, Value, text
from stacks.intents import TrainingPipeline
from stacks.pipelines import (
    METRICS_FILE,
    BucketPath,
    Gate,
    Input,
    Output,
    PathOf,
    PipelineDefinition,
    Register,
    Run,
    Step,
    Template,
    UriOf,
    ValueOf,
    chains_of,
    parted,
)

__all__ = [
    "MOST_STEPS",
    "code_prefix",
    "compiled",
    "image_of",
    "pipeline_problems",
    "volume_key",
]

SCHEMA = "2020-12-01"
MOST_STEPS = 50
"""Steps of a pipeline, conditions included (SageMaker quotas, November 2026; adjustable)."""

IN_CODE = 'cd "$0" && exec "$@"'
"""Run by ``sh -c`` with the code's folder as ``$0``: SageMaker starts containers in the image's own folder."""

PROCESSING = "/opt/ml/processing"
TRAINING_INPUT = "/opt/ml/input/data"
TRAINING_MODEL = "/opt/ml/model"
CHECKPOINTS = "/opt/ml/checkpoints"
PARAMETER_TYPES: Mapping[type, str] = {bool: "Boolean", int: "Integer", float: "Float", str: "String"}
COMPARISONS = {"at_least": "GreaterThanOrEqualTo", "at_most": "LessThanOrEqualTo"}
STEP_FAULTS = ("Step.SERVICE_FAULT", "Step.THROTTLING")
JOB_FAULTS = ("SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT")
RETRY_INTERVAL_S = 60
RETRY_BACKOFF = 2.0
SPOT_PATIENCE = 2
"""A spot job waits for machines as long again as it may run."""
USES: Mapping[str, Use] = {"job": "processing", "training": "training"}


def code_prefix(pipeline: str, digest: str) -> str:
    """Where a code folder's objects are in the artifacts bucket: other code is another place."""
    return f"code/{pipeline}/{digest[:16]}"


def image_of(image: str, registry: Registry) -> Value:
    """The address of an image: one of the platform's repositories with its tag or digest, or as it is written."""
    found = re.fullmatch(r"([^/:@]+)([:@].+)", image)
    if found is None or found[1] not in registry.urls:
        return image
    return text(registry.urls[found[1]], found[2])


def volume_key(keys: Keys, instance: str) -> Value:
    """The key of a machine's volume; none where AWS refuses one, since the local disks encrypt themselves."""
    return None if machine_has_local_disk(instance) else keys.data


def compiled(intent: TrainingPipeline, definition: PipelineDefinition, around: Surroundings) -> Value:
    """Write a definition as SageMaker's document."""
    return _Compiler(intent, definition, around).document()


def pipeline_problems(intent: TrainingPipeline, region: str) -> Iterator[tuple[str, str]]:
    """Yield what SageMaker refuses of a pipeline, and a hint: machines it lacks, gates it cannot nest, too many steps."""
    definition = intent.steps
    if definition is None:
        return
    for step in definition.steps:
        if isinstance(step.action, Run) and step.action.instance is not None:
            found = machine(step.action.instance, USES[step.action.kind], region)
            if isinstance(found, Unavailable):
                yield f"step {step.name}: instance {found.message}", found.hint
    chains = chains_of(definition)
    for step in definition.steps:
        apart = parted(step, chains)
        if apart is not None:
            between = f"the gates of steps {apart[0]} and {apart[1]}"
            yield (
                f"step {step.name} waits for {between}, of which neither is inside the other: SageMaker cannot join them",
                "Put one gate after the other, or the second one's condition on this step.",
            )
    many = len(definition.steps) + 2 * sum(step.gate is not None for step in definition.steps)
    if many > MOST_STEPS:
        yield f"{many} steps with its conditions: SageMaker takes {MOST_STEPS}", "Make two pipelines of it."


def _without(values: Mapping[str, Value]) -> dict[str, Value]:
    """The entries that have a value."""
    return {name: value for name, value in values.items() if value is not None}


class _Compiler:
    def __init__(
        self, intent: TrainingPipeline, definition: PipelineDefinition, around: Surroundings
    ) -> None:
        self.intent = intent
        self.definition = definition
        self.around = around
        self.steps = {step.name: step for step in definition.steps}
        self.kinds = {parameter.name: type(parameter.default) for parameter in definition.parameters}
        self.groups = chains_of(definition)

    def document(self) -> Value:
        return {
            "Version": SCHEMA,
            "Metadata": {},
            "Parameters": [
                {
                    "Name": parameter.name,
                    "Type": PARAMETER_TYPES[type(parameter.default)],
                    "DefaultValue": parameter.default,
                }
                for parameter in self.definition.parameters
            ],
            "Steps": self._level(()),
        }

    # --- order and gates ---

    def _level(self, group: tuple[str, ...]) -> list[Value]:
        """The steps behind exactly these gates, each gate beneath them as a condition."""
        level: list[Value] = []
        for step in self.definition.steps:
            own = self.groups[step.name]
            if own == group:
                level.append(self._step(step))
            elif own[:-1] == group and own[-1] == step.name and step.gate is not None:
                level.append(self._condition(step, step.gate, own))
        return level

    def _condition(self, step: Step, gate: Gate, group: tuple[str, ...]) -> Value:
        bound: Value = (
            {"Get": f"Parameters.{gate.bound.parameter}"} if isinstance(gate.bound, ValueOf) else gate.bound
        )
        instead: list[Value] = []
        if gate.otherwise == "fail":
            instead.append(
                {
                    "Name": f"{step.name}-refused",
                    "Type": "Fail",
                    "Arguments": {
                        "ErrorMessage": f"{gate.step}.{gate.output}.{gate.metric} keeps {step.name} back"
                    },
                }
            )
        return _without(
            {
                "Name": f"{step.name}-gate",
                "Type": "Condition",
                "DependsOn": self._outside(step, group) or None,
                "Arguments": {
                    "Conditions": [
                        {
                            "Type": COMPARISONS[gate.comparison],
                            "LeftValue": {
                                "Std:JsonGet": {
                                    "PropertyFile": {"Get": f"Steps.{gate.step}.PropertyFiles.{gate.output}"},
                                    "Path": gate.metric,
                                }
                            },
                            "RightValue": bound,
                        }
                    ],
                    "IfSteps": self._level(group),
                    "ElseSteps": instead,
                },
            }
        )

    def _outside(self, step: Step, group: tuple[str, ...]) -> list[str]:
        return [name for name in step.after if self.groups[name] != group]

    def _after(self, step: Step) -> list[str]:
        """Steps beside this one to wait for; what a gate waits for is the condition's."""
        group = self.groups[step.name]
        return [name for name in step.after if step.gate is None or self.groups[name] == group]

    # --- steps ---

    def _step(self, step: Step) -> Value:
        more: dict[str, Value] = {}
        if isinstance(step.action, Register):
            type_, arguments = "RegisterModel", self._registration(step.action)
        elif step.action.kind == "training":
            type_, arguments = "Training", self._training(step.name, step.action)
        else:
            type_, arguments = "Processing", self._processing(step.name, step.action)
            more = self._files(step.action)
        return _without(
            {
                "Name": step.name,
                "Type": type_,
                "DependsOn": self._after(step) or None,
                "Arguments": arguments,
                **more,
                **self._repetition(step),
            }
        )

    def _files(self, run: Run) -> dict[str, Value]:
        files = [
            {"PropertyFileName": name, "OutputName": name, "FilePath": METRICS_FILE}
            for name, output in run.outputs.items()
            if output.kind == "metrics"
        ]
        return {"PropertyFiles": files} if files else {}

    def _repetition(self, step: Step) -> dict[str, Value]:
        repeated: dict[str, Value] = {}
        if isinstance(step.action, Run) and step.action.cache_s is not None:
            repeated["CacheConfig"] = {"Enabled": True, "ExpireAfter": _iso(step.action.cache_s)}
        if step.retries:
            faults = [STEP_FAULTS] if isinstance(step.action, Register) else [STEP_FAULTS, JOB_FAULTS]
            repeated["RetryPolicies"] = [
                {
                    "ExceptionType": [*kinds],
                    "IntervalSeconds": RETRY_INTERVAL_S,
                    "BackoffRate": RETRY_BACKOFF,
                    "MaxAttempts": step.retries,
                }
                for kinds in faults
            ]
        return repeated

    def _instance(self, run: Run) -> str:
        found = machine(run.instance or self.intent.instance, USES[run.kind], self.around.context.region)
        if isinstance(found, Unavailable):
            raise GraphError(found.message)
        return found

    def _network(self) -> Value:
        return {
            "Subnets": list(self.around.network.subnet_ids),
            "SecurityGroupIds": list(self.around.network.security_group_ids),
        }

    def _processing(self, name: str, run: Run) -> Value:
        instance = self._instance(run)
        places = {"inputs": f"{PROCESSING}/input", "outputs": f"{PROCESSING}/output"}
        inputs = {key: self._source(source) for key, source in run.inputs.items()}
        if run.code is not None:
            inputs = {"code": self._code(run.code), **inputs}
        return _without(
            {
                "ProcessingResources": {
                    "ClusterConfig": _without(
                        {
                            "InstanceType": instance,
                            "InstanceCount": run.instances,
                            "VolumeSizeInGB": run.volume_gb,
                            "VolumeKmsKeyId": volume_key(self.around.keys, instance),
                        }
                    )
                },
                "AppSpecification": {
                    "ImageUri": image_of(run.image, self.around.registry),
                    **self._command(run, places, f"{places['inputs']}/code"),
                },
                "RoleArn": self.around.roles["training"],
                "Environment": self._environment(run, places),
                "ProcessingInputs": [
                    {
                        "InputName": key,
                        "AppManaged": False,
                        "S3Input": {
                            "S3Uri": uri,
                            "LocalPath": f"{places['inputs']}/{key}",
                            "S3DataType": "S3Prefix",
                            "S3InputMode": "File",
                            "S3DataDistributionType": "FullyReplicated",
                            "S3CompressionType": "None",
                        },
                    }
                    for key, uri in inputs.items()
                ],
                "ProcessingOutputConfig": _without(
                    {
                        "KmsKeyId": self.around.keys.data,
                        "Outputs": [
                            {
                                "OutputName": key,
                                "AppManaged": False,
                                "S3Output": {
                                    "S3Uri": self._destination(name, key, output),
                                    "LocalPath": f"{places['outputs']}/{key}",
                                    "S3UploadMode": "EndOfJob",
                                },
                            }
                            for key, output in run.outputs.items()
                        ],
                    }
                )
                if run.outputs
                else None,
                "NetworkConfig": {
                    "EnableInterContainerTrafficEncryption": True,
                    "EnableNetworkIsolation": False,
                    "VpcConfig": self._network(),
                },
                "StoppingCondition": {"MaxRuntimeInSeconds": run.timeout_s},
            }
        )

    def _training(self, name: str, run: Run) -> Value:
        instance = self._instance(run)
        places = {"inputs": TRAINING_INPUT, "outputs": TRAINING_MODEL}
        inputs = {key: self._source(source) for key, source in run.inputs.items()}
        if run.code is not None:
            inputs = {"code": self._code(run.code), **inputs}
        waits = {"MaxWaitTimeInSeconds": SPOT_PATIENCE * run.timeout_s} if run.spot else {}
        checkpoints: dict[str, Value] = {}
        if run.spot:
            checkpoints["EnableManagedSpotTraining"] = True
            checkpoints["CheckpointConfig"] = {
                "S3Uri": self._joined(
                    "checkpoints", self.intent.name, {"Get": "Execution.PipelineExecutionId"}, name
                ),
                "LocalPath": CHECKPOINTS,
            }
        return _without(
            {
                "AlgorithmSpecification": {
                    "TrainingImage": image_of(run.image, self.around.registry),
                    "TrainingInputMode": "File",
                    **self._command(run, places, f"{TRAINING_INPUT}/code"),
                },
                "RoleArn": self.around.roles["training"],
                "Environment": self._environment(run, places),
                "InputDataConfig": [
                    {
                        "ChannelName": key,
                        "DataSource": {
                            "S3DataSource": {
                                "S3DataType": "S3Prefix",
                                "S3DataDistributionType": "FullyReplicated",
                                "S3Uri": uri,
                            }
                        },
                    }
                    for key, uri in inputs.items()
                ]
                or None,
                "OutputDataConfig": _without(
                    {
                        "S3OutputPath": self._destination(name, "", Output(kind="model", place=None)),
                        "KmsKeyId": self.around.keys.data,
                    }
                ),
                "ResourceConfig": _without(
                    {
                        "InstanceType": instance,
                        "InstanceCount": run.instances,
                        "VolumeSizeInGB": run.volume_gb,
                        "VolumeKmsKeyId": volume_key(self.around.keys, instance),
                    }
                ),
                "VpcConfig": self._network(),
                "EnableInterContainerTrafficEncryption": True,
                "EnableNetworkIsolation": False,
                "StoppingCondition": {"MaxRuntimeInSeconds": run.timeout_s, **waits},
                **checkpoints,
            }
        )

    def _registration(self, register: Register) -> Value:
        model = self.around.models[register.model]
        container: dict[str, Value] = {"Image": image_of(register.image, self.around.registry)}
        source = self.steps[register.source.step].action
        if isinstance(source, Run) and source.kind == "training":
            container["ModelDataUrl"] = self._source(register.source)
        else:
            container["ModelDataSource"] = {
                "S3DataSource": {
                    "S3Uri": self._source(register.source, folder=True),
                    "S3DataType": "S3Prefix",
                    "CompressionType": "None",
                }
            }
        report: dict[str, Value] = {}
        if register.metrics is not None:
            report["ModelMetrics"] = {
                "ModelQuality": {
                    "Statistics": {
                        "ContentType": "application/json",
                        "S3Uri": _join("/", [self._source(register.metrics), METRICS_FILE]),
                    }
                }
            }
        return {
            "ModelPackageGroupName": self.around.context.model_group(register.model),
            "ModelApprovalStatus": "Approved" if model.approval == "automatic" else "PendingManualApproval",
            "InferenceSpecification": {
                "Containers": [container],
                "SupportedContentTypes": [register.content_type],
                "SupportedResponseMIMETypes": [register.content_type],
            },
            **report,
        }

    # --- words and places ---

    def _command(self, run: Run, places: Mapping[str, str], code: str) -> dict[str, Value]:
        words = [self._word(word, places) for word in run.command]
        if run.code is None:
            entry, arguments = words[:1], words[1:]
        else:
            entry, arguments = ["/bin/sh", "-c", IN_CODE, code], words
        return _without({"ContainerEntrypoint": entry or None, "ContainerArguments": arguments or None})

    def _environment(self, run: Run, places: Mapping[str, str]) -> Value:
        return {name: self._word(value, places) for name, value in run.environment.items()} or None

    def _word(self, template: Template, places: Mapping[str, str]) -> Value:
        """A text, or a join at the run where a parameter's value is in it."""
        parts: list[Value] = []
        for part in template:
            match part:
                case ValueOf():
                    parts.append({"Get": f"Parameters.{part.parameter}"})
                case PathOf(side="outputs") if places["outputs"] == TRAINING_MODEL:
                    parts.append(TRAINING_MODEL)
                case PathOf():
                    parts.append(f"{places[part.side]}/{part.name}")
                case UriOf():
                    parts.append(self.around.place(part.bucket, part.path))
                case str():
                    parts.append(part)
        if not any(isinstance(part, ValueOf) for part in template):
            return text(*parts)
        if len(parts) == 1 and isinstance(template[0], ValueOf) and self.kinds[template[0].parameter] is str:
            return parts[0]
        return _join("", parts)

    def _bucket(self, name: str) -> Value:
        return text("s3://", self.around.stores.by_name[name].id)

    def _joined(self, *parts: Value) -> Value:
        return _join("/", [self._bucket("artifacts"), *parts])

    def _code(self, folder: str) -> Value:
        return text(
            self._bucket("artifacts"), "/", code_prefix(self.intent.name, self.definition.code[folder].digest)
        )

    def _source(self, source: Input, *, folder: bool = False) -> Value:
        if isinstance(source, BucketPath):
            return self._place(source)
        action = self.steps[source.step].action
        if isinstance(action, Run) and action.kind == "training":
            return {"Get": f"Steps.{source.step}.ModelArtifacts.S3ModelArtifacts"}
        uri = {"Get": f"Steps.{source.step}.ProcessingOutputConfig.Outputs['{source.output}'].S3Output.S3Uri"}
        return _join("/", [uri, ""]) if folder else uri

    def _place(self, place: BucketPath) -> Value:
        start = text(self._bucket(place.bucket), "/")
        if all(isinstance(part, str) for part in place.path):
            return text(start, *(str(part) for part in place.path))
        return _join("", [start, *self._values(place.path)])

    def _values(self, template: Template) -> Iterator[Value]:
        for part in template:
            yield {"Get": f"Parameters.{part.parameter}"} if isinstance(part, ValueOf) else str(part)

    def _destination(self, step: str, name: str, output: Output) -> Value:
        """Where an output goes: models where endpoints may read them, everything else with its run."""
        if output.place is not None:
            return self._place(output.place)
        top = "models" if output.kind == "model" else "runs"
        run: list[Value] = [top, self.intent.name, {"Get": "Execution.PipelineExecutionId"}, step]
        return self._joined(*run, *([name] if name else []))


def _join(on: str, values: Sequence[Value]) -> Value:
    return {"Std:Join": {"On": on, "Values": [*values]}}


def _iso(seconds: int) -> str:
    """A duration as SageMaker's caches take it (ISO 8601): in days or hours where they are whole, else in minutes."""
    if seconds % 86400 == 0:
        return f"P{seconds // 86400}D"
    if seconds % 3600 == 0:
        return f"PT{seconds // 3600}H"
    return f"PT{-(-seconds // 60)}M"
