"""Steps of a pipeline as executors of the KFP format: a job on Vertex AI, a registration, and a refusal.

Pure: values may be references or texts. May not know the order of steps, nor gates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stacks.gcp.context import Surroundings
from stacks.gcp.images import image_of, image_of_others
from stacks.gcp.instances import Machine, Use, made
from stacks.graph import JsonText, Value, text
from stacks.intents import TrainingPipeline
from stacks.kfp import value_of
from stacks.pipelines import (
    METRICS_FILE,
    BucketPath,
    Input,
    PathOf,
    PipelineDefinition,
    Register,
    Run,
    StepOutput,
    Template,
    UriOf,
    ValueOf,
)

__all__ = ["APPROVED", "Executors", "code_prefix", "folder", "model_id", "use_of"]

APPROVED = "approved"
"""The alias that an approved version has; Vertex AI itself knows no approval."""

WAITING = "candidate"
MOUNT = "/gcs/"
"""Where Vertex AI mounts buckets in the containers of jobs (Vertex AI, Cloud Storage as a mounted file system)."""

SMALLEST_DISK_GIB = 100
METRICS = "PLATFORM_METRICS"

IN_CODE = """\
code=$1; shift
while [ "$1" != -- ]; do mkdir -p "$1"; shift; done
shift
if [ -n "$code" ]; then cd "$code"; fi
"$@" || exit
set -- $PLATFORM_METRICS
while [ $# -gt 1 ]; do mkdir -p "$(dirname "$2")" && cp "$1" "$2" || exit; shift 2; done
"""
"""Run by ``sh -c``: makes the outputs' folders, runs the command among the code, hands metrics to the pipeline."""

REGISTERS = """\
import sys
from google.api_core.exceptions import NotFound
from google.cloud import aiplatform

project, region, model, image, data, content_type, alias, key, metrics = sys.argv[1:]
aiplatform.init(project=project, location=region)
name = f"projects/{project}/locations/{region}/models/{model}"
try:
    aiplatform.Model(name)
    line = {"parent_model": name, "is_default_version": False}
except NotFound:
    line = {"model_id": model}
version = aiplatform.Model.upload(
    display_name=model,
    serving_container_image_uri=image,
    serving_container_predict_route="/invocations",
    serving_container_health_route="/ping",
    serving_container_ports=[8080],
    serving_container_environment_variables={"MODEL_CONTENT_TYPE": content_type},
    artifact_uri=data,
    version_description=open(metrics).read()[:2000] if metrics else None,
    version_aliases=[alias],
    labels={"approval": "pending" if alias == "candidate" else alias},
    encryption_spec_key_name=key or None,
    **line,
)
print(version.versioned_resource_name)
"""
"""Run by Python in Google's own image. The container's routes are those that images serve on other clouds too. The alias
moves on with the next version; the label stays, and says whether this one may serve."""


def code_prefix(pipeline: str, digest: str) -> str:
    """Where a code folder's objects are in the artifacts bucket: other code is another place."""
    return f"code/{pipeline}/{digest[:16]}"


def model_id(around: Surroundings, model: str) -> str:
    """A model's id in Vertex AI's registry."""
    return around.context.name("resource", model)


def use_of(run: Run) -> Use:
    """What a step's machine is used for."""
    return "spot" if run.spot else "training"


def folder(place: BucketPath, around: Surroundings, start: str = MOUNT) -> Value:
    """Where a path of a bucket is: mounted in a container, or below ``gs://``."""
    parts = [value_of(part.parameter) if isinstance(part, ValueOf) else str(part) for part in place.path]
    return text(start, around.stores.bucket(place.bucket), "/", *parts)


@dataclass(frozen=True, slots=True)
class Executors:
    """Writes the executors of one pipeline."""

    intent: TrainingPipeline
    definition: PipelineDefinition
    around: Surroundings

    def job(self, step: str, run: Run) -> Value:
        """A launcher that starts a custom job and follows it, as Google's own component does."""
        payload = JsonText(self._custom_job(step, run))
        arguments: list[Value] = ["--type", "CustomJob", "--payload", payload]
        arguments += ["--project", "{{$.pipeline_google_cloud_project_id}}"]
        arguments += ["--location", "{{$.pipeline_google_cloud_location}}"]
        arguments += ["--gcp_resources", "{{$.outputs.parameters['gcp_resources'].output_file}}"]
        launcher = "google_cloud_pipeline_components.container.v1.custom_job.launcher"
        return _container(["python3", "-u", "-m", launcher], arguments)

    def registration(self, register: Register) -> Value:
        """A step that makes a new version in the registry, approved or waiting for it."""
        context = self.around.context
        metrics: Value = ""
        if register.metrics is not None:
            metrics = text(self._of_step(register.metrics, "metrics", "path"), f"/{METRICS_FILE}")
        model = self.around.models[register.model]
        arguments: list[Value] = [
            context.project,
            context.region,
            model_id(self.around, register.model),
            image_of(register.image, self.around.registry),
            self._of_step(register.source, "source", "uri"),
            register.content_type,
            APPROVED if model.approval == "automatic" else WAITING,
            self.around.keys.data if self.around.keys.data is not None else "",
            metrics,
        ]
        return _container(["python3", "-u", "-c", REGISTERS], arguments)

    def refusal(self, message: str) -> Value:
        """A step that fails, and says why."""
        return _container(["python3", "-c", "import sys; sys.exit(sys.argv[1])"], [message])

    # --- jobs ---

    def _custom_job(self, step: str, run: Run) -> Value:
        around, context = self.around, self.around.context
        name = context.name("display", self.intent.name, step)
        spec: dict[str, Value] = {
            "worker_pool_specs": self._workers(run),
            "scheduling": {
                "timeout": f"{run.timeout_s}s",
                **({"strategy": "SPOT", "restart_job_on_worker_restart": True} if run.spot else {}),
            },
            "service_account": around.roles["training"].email,
        }
        if around.network.attachment_id is not None:
            spec["psc_interface_config"] = {"network_attachment": around.network.attachment_id}
        if run.spot:
            # Vertex AI makes AIP_CHECKPOINT_DIR of it, the same again after an interruption.
            checkpoints = f"checkpoints/{self.intent.name}/{{{{$.pipeline_job_uuid}}}}/{step}"
            spec["base_output_directory"] = {
                "output_uri_prefix": around.stores.place("artifacts", checkpoints)
            }
        job: dict[str, Value] = {
            "display_name": name,
            "job_spec": spec,
            "labels": {"pipeline": self.intent.name, "step": step},
        }
        if around.keys.data is not None:
            job["encryption_spec"] = {"kms_key_name": around.keys.data}
        return job

    def _workers(self, run: Run) -> list[Value]:
        """The first machine, and the others of the same kind beside it."""
        found = made(run.instance or self.intent.instance, use_of(run), self.around.context.region)
        worker: dict[str, Value] = {
            "machine_spec": _machine_spec(found),
            "replica_count": 1,
            "disk_spec": {
                "boot_disk_type": "pd-ssd",
                "boot_disk_size_gb": max(run.volume_gb, SMALLEST_DISK_GIB),
            },
            "container_spec": self._container_of(run),
        }
        others = [{**worker, "replica_count": run.instances - 1}] if run.instances > 1 else []
        return [worker, *others]

    def _container_of(self, run: Run) -> Value:
        words = [self._word(word, run) for word in run.command]
        environment = {name: self._word(value, run) for name, value in run.environment.items()}
        folders = [self._output(run, name) for name in run.outputs]
        if not words or not (folders or run.code):
            command, arguments = words[:1], words[1:]
        else:
            command = ["sh", "-c", IN_CODE, "sh"]
            arguments = [self._code(run), *folders, "--", *words]
            environment |= self._metrics(run)
        container: dict[str, Value] = {"image_uri": image_of(run.image, self.around.registry)}
        parts: dict[str, list[Value]] = {
            "command": command,
            "args": arguments,
            "env": [{"name": name, "value": value} for name, value in environment.items()],
        }
        return container | {name: part for name, part in parts.items() if part}

    def _code(self, run: Run) -> Value:
        if run.code is None:
            return ""
        start = code_prefix(self.intent.name, self.definition.code[run.code].digest)
        return text(MOUNT, self.around.stores.bucket("artifacts"), f"/{start}")

    def _metrics(self, run: Run) -> dict[str, Value]:
        """Pairs of a metrics file and where the pipeline reads it as a value, apart by spaces."""
        pairs: list[Value] = []
        for name, output in run.outputs.items():
            if output.kind == "metrics":
                target = f"{{{{$.outputs.parameters['{name}'].output_file}}}}"
                pairs.append(text(" " if pairs else "", self._output(run, name), f"/{METRICS_FILE} {target}"))
        return {METRICS: text(*pairs)} if pairs else {}

    # --- words and places ---

    def _word(self, template: Template, run: Run) -> Value:
        parts: list[Value] = []
        for part in template:
            match part:
                case ValueOf():
                    parts.append(value_of(part.parameter))
                case PathOf(side="inputs"):
                    parts.append(self._input(run.inputs[part.name], part.name))
                case PathOf():
                    parts.append(self._output(run, part.name))
                case UriOf():
                    parts.append(self.around.stores.place(part.bucket, part.path))
                case str():
                    parts.append(part)
        return text(*parts)

    def _input(self, source: Input, name: str) -> Value:
        if isinstance(source, BucketPath):
            return folder(source, self.around)
        return self._of_step(source, name, "path")

    def _output(self, run: Run, name: str) -> Value:
        place = run.outputs[name].place
        if place is not None:
            return folder(place, self.around)
        return f"{{{{$.outputs.artifacts['{name}'].path}}}}"

    def _of_step(self, source: StepOutput, name: str, what: str) -> Value:
        """What an earlier step wrote: an artifact of the run, or a place of its own."""
        place = self.place_of(source)
        if place is None:
            return f"{{{{$.inputs.artifacts['{name}'].{what}}}}}"
        return folder(place, self.around, MOUNT if what == "path" else "gs://")

    def place_of(self, source: StepOutput) -> BucketPath | None:
        """The place of its own that a step's output has, if any."""
        action = next(step.action for step in self.definition.steps if step.name == source.step)
        return action.outputs[source.output].place if isinstance(action, Run) else None


def _machine_spec(found: Machine) -> Value:
    spec: dict[str, Value] = {"machine_type": found.type}
    if found.accelerator:
        spec |= {"accelerator_type": found.accelerator, "accelerator_count": found.count}
    return spec


def _container(command: list[Value], arguments: list[Value]) -> Value:
    container: Mapping[str, Value] = {
        "image": image_of_others("pipeline-components"),
        "command": command,
        "args": arguments,
    }
    return {"container": container}
