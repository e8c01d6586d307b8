"""Versions of models in Vertex AI's registry: one model for each of the spec's, versions below it.

Vertex AI knows neither approval nor stages: labels of a version keep them, and aliases say the same to others, as the
pipelines' own steps and the stacks' triggers do. Not by ``Model.upload``, which copies files between buckets. May not deploy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scaffolder.operations.errors import AlreadyExists, Conflict, InvalidRequest, NotFound, OperationError
from scaffolder.operations.gcp.calls import Calls
from scaffolder.operations.gcp.place import digest_of
from scaffolder.operations.values import Approval, ModelVersion, Registration, Stage
from stacks.gcp.images import image_of
from stacks.gcp.jobs import APPROVED, WAITING, model_id
from stacks.intents import TrainingPipeline
from stacks.pipelines import Register

__all__ = ["GcpRegistry", "version_of"]

SERVICE = "model_service"
APPROVAL, NOTE, STAGE, TOKEN = "approval", "note", "stage", "token"
HELD = {Stage.STAGING: "staging", Stage.PRODUCTION: "production"}
"""The stages that one version holds at a time, each by an alias: Vertex AI moves an alias in one step."""

FACTS = ("report_uri", "run", "source_commit", "data_uri", "digest")
LONGEST = 2000


class GcpRegistry:
    """The registry on Vertex AI."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._place = calls.place

    # --- adding ---

    def register(self, registration: Registration) -> ModelVersion:
        """Upload a version, and wait until it is there. The token is a label of it, and is looked for first."""
        self._place.model(registration.model)
        return self._calls.again(lambda: self._registered(registration))

    def _registered(self, registration: Registration) -> ModelVersion:
        name = self._place.model_name(registration.model)
        self._settled(name)
        mark = digest_of(registration.token)
        for version in self._versions(name, f'labels.{TOKEN}="{mark}"'):
            if version.labels.get(TOKEN) == mark:
                return version_of(self._calls, registration.model, version)
        request = {"parent": self._place.parent, **self._line(name), "model": self._model(registration, mark)}
        doing = f"register a version of {registration.model}"
        try:
            started = self._calls.vertex(SERVICE, "upload_model", request, doing, repeat=False)
        except AlreadyExists as first:
            raise Conflict(
                f"{doing}: its first version is being made", code=first.code, text=first.text
            ) from first
        done = self._calls.finished(started.operation.name, doing)
        return self.get(registration.model, int(done["modelVersionId"]))

    def _settled(self, name: str) -> None:
        """Wait for uploads that were begun before: one of them may be this one, whose answer was lost."""
        doing = f"look what is being made of {name}"
        try:
            found = self._calls.rest("aiplatform", "GET", f"v1/{name}/operations", doing)
        except NotFound:
            return
        for operation in found.get("operations", ()):
            if not operation.get("done"):
                self._waited(str(operation["name"]), doing)

    def _waited(self, operation: str, doing: str) -> None:
        """Wait for an upload to end, well or not."""
        try:
            self._calls.finished(operation, doing)
        except OperationError as failed:
            if failed.retryable:
                raise

    def _line(self, name: str) -> dict[str, str]:
        """Where the version goes: below the model, or, as its first, with the model's id."""
        try:
            self._get(name)
        except NotFound:
            return {"model_id": name.rpartition("/")[2]}
        return {"parent_model": name}

    def _model(self, registration: Registration, mark: str) -> dict[str, Any]:
        around, model = self._place.around, self._place.model(registration.model)
        approval = Approval.APPROVED if model.approval == "automatic" else Approval.PENDING
        image = registration.image or model.image or self._image_of_pipelines(registration.model)
        body: dict[str, Any] = {
            "display_name": model_id(around, registration.model),
            "version_aliases": [APPROVED if approval is Approval.APPROVED else WAITING],
            "version_description": described(registration),
            "artifact_uri": self._place.uri(registration.artifact_uri),
            "container_spec": {
                "image_uri": str(image_of(image, around.registry)),
                "predict_route": "/invocations",
                "health_route": "/ping",
                "ports": [{"container_port": 8080}],
                "env": [{"name": "MODEL_CONTENT_TYPE", "value": registration.content_type}],
            },
            "labels": {"model": registration.model, APPROVAL: approval.value, TOKEN: mark},
        }
        if around.keys.data is not None:
            body["encryption_spec"] = {"kms_key_name": around.keys.data}
        return body

    def _image_of_pipelines(self, model: str) -> str:
        """The image that a pipeline's own step registers the model with.

        Raises:
            InvalidRequest: none does.
        """
        for pipeline in self._place.context.all_of(TrainingPipeline):
            for step in pipeline.steps.steps if pipeline.steps is not None else ():
                if isinstance(step.action, Register) and step.action.model == model:
                    return step.action.image
        raise InvalidRequest(
            f"a version of {model} has no image to serve it", remedy=f"Give one, or set models.{model}.image."
        )

    # --- looking ---

    def list(self, model: str) -> Iterator[ModelVersion]:
        """Yield the versions of a model, the newest first."""
        self._place.model(model)
        found = [
            version_of(self._calls, model, it) for it in self._versions(self._place.model_name(model), "")
        ]
        yield from sorted(found, key=lambda version: -version.version)

    def _versions(self, name: str, filter_: str) -> Iterator[Any]:
        asked = {"name": name, **({"filter": filter_} if filter_ else {})}
        try:
            yield from self._calls.every(SERVICE, "list_model_versions", asked, f"list versions of {name}")
        except NotFound:
            return

    def get(self, model: str, version: int) -> ModelVersion:
        """Look at a version."""
        self._place.model(model)
        return version_of(self._calls, model, self._get(f"{self._place.model_name(model)}@{version}"))

    def _get(self, name: str) -> Any:
        return self._calls.vertex(SERVICE, "get_model", {"name": name}, f"look at model {name}")

    # --- approval and stage ---

    def set_approval(self, model: str, version: int, approval: Approval, note: str = "") -> ModelVersion:
        """Write the label, then the alias, whose moving is what the stacks' triggers hear."""
        name = self._version_name(model, version)
        there = self._get(name)
        marks = {APPROVAL: approval.value, **({NOTE: _label(note)} if note else {})}
        self._label(name, there, marks)
        gives = {Approval.APPROVED: [APPROVED, f"-{WAITING}"], Approval.PENDING: [WAITING, f"-{APPROVED}"]}
        self._alias(name, there, gives.get(approval, [f"-{WAITING}", f"-{APPROVED}"]))
        return self.get(model, version)

    def set_stage(self, model: str, version: int, stage: Stage) -> ModelVersion:
        """Mark the one that holds the stage as archived, and then move the alias, which is what is believed."""
        name = self._version_name(model, version)
        there = self._get(name)
        if stage in HELD:
            before = self._holder(model, HELD[stage])
            if before is not None and before.version_id != str(version):
                self._label(
                    self._version_name(model, int(before.version_id)), before, {STAGE: Stage.ARCHIVED.value}
                )
        self._label(name, there, {STAGE: stage.value})
        wanted = [HELD[stage]] if stage in HELD else []
        self._alias(name, there, [*wanted, *(f"-{alias}" for alias in HELD.values() if alias not in wanted)])
        return self.get(model, version)

    def _version_name(self, model: str, version: int) -> str:
        self._place.model(model)
        return f"{self._place.model_name(model)}@{version}"

    def _holder(self, model: str, alias: str) -> Any:
        try:
            return self._get(f"{self._place.model_name(model)}@{alias}")
        except NotFound:
            return None

    def _label(self, name: str, there: Any, marks: Mapping[str, str]) -> None:
        labels = dict(there.labels)
        if all(labels.get(key) == value for key, value in marks.items()):
            return
        request = {
            "model": {"name": name, "labels": {**labels, **marks}},
            "update_mask": {"paths": ["labels"]},
        }
        self._calls.vertex(SERVICE, "update_model", request, f"label {name}")

    def _alias(self, name: str, there: Any, changes: Sequence[str]) -> None:
        """Give and take aliases; taking one that is not there is left out, as Vertex AI refuses it."""
        held = set(there.version_aliases)
        needed = [it for it in changes if (it.removeprefix("-") in held) == it.startswith("-")]
        if needed:
            request = {"name": name, "version_aliases": needed}
            self._calls.vertex(SERVICE, "merge_version_aliases", request, f"move aliases of {name}")


def described(registration: Registration) -> str:
    """What is known of a version, as the text that Vertex AI keeps with it: JSON, for people and for :func:`version_of`.

    Its evaluations would take metrics, but by Google's own schemas only, one for each kind of model.
    """
    facts = {key: getattr(registration, key) for key in FACTS}
    known = {key: value for key, value in facts.items() if value}
    text = json.dumps({"metrics": dict(registration.metrics), **known}, sort_keys=True)
    if len(text) > LONGEST:
        raise InvalidRequest(
            f"what is said of the version is {len(text)} characters long, and {LONGEST} are kept"
        )
    return text


def version_of(calls: Calls, model: str, found: Any) -> ModelVersion:
    """A version, as Vertex AI answers it; what a pipeline's step registered has metrics only."""
    facts = _facts(found.version_description)
    metrics = facts.get("metrics", facts)
    return ModelVersion(
        ref=calls.place.named(f"{found.name.partition('@')[0]}@{found.version_id}"),
        model=model,
        version=int(found.version_id),
        approval=_approval(found),
        stage=_stage(found),
        created=found.version_create_time or found.create_time,
        artifact_uri=found.artifact_uri,
        image=found.container_spec.image_uri,
        metrics={key: float(it) for key, it in metrics.items() if isinstance(it, int | float)},
        **{key: str(facts.get(key, "")) for key in FACTS},
    )


def _facts(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _approval(found: Any) -> Approval:
    label = dict(found.labels).get(APPROVAL, "")
    if label in {*Approval}:
        return Approval(label)
    return Approval.APPROVED if APPROVED in found.version_aliases else Approval.PENDING


def _stage(found: Any) -> Stage:
    for stage, alias in HELD.items():
        if alias in found.version_aliases:
            return stage
    archived = dict(found.labels).get(STAGE) == Stage.ARCHIVED.value
    return Stage.ARCHIVED if archived else Stage.NONE


def _label(text: str) -> str:
    """A note as a label takes it: what it does not take is a hyphen."""
    return "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in text.lower())[:63]
