"""Versions of models in the workspace: numbered from one by us, since Azure ML leaves the number to whoever registers.

What a version was registered with are its properties; approval and stage, which change, are tags. May not deploy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from scaffolder.operations.azure.calls import Calls, Document
from scaffolder.operations.azure.history import moment
from scaffolder.operations.azure.place import Place
from scaffolder.operations.errors import AlreadyExists, Conflict, NotFound
from scaffolder.operations.values import Approval, ModelVersion, Registration, Stage
from stacks.azure.assets import image_of

__all__ = ["AzureRegistry"]

ATTEMPTS = 10
"""How often another number is tried, where others register at the same time."""

EXCLUSIVE = frozenset({Stage.STAGING, Stage.PRODUCTION})
WRITABLE = (
    *("modelUri", "modelType", "jobName", "flavors", "stage", "description", "properties", "tags"),
    *("isAnonymous", "isArchived"),
)
"""What of a version is sent back when its tags change; the rest Azure ML only tells."""


class AzureRegistry:
    """The models of the workspace."""

    def __init__(self, calls: Calls, place: Place) -> None:
        self._calls = calls
        self._place = place

    def register(self, registration: Registration) -> ModelVersion:
        """Add the version after the last; on a conflict look again, for it may be what this very call has made."""
        model, token = self._place.model(registration.model), registration.token
        doing = f"register a version of {model.name}"
        for _ in range(ATTEMPTS):
            versions = [*self._versions(model.name)]
            made = next((it for it in versions if _kept(it).get("token") == token), None)
            if made is not None:
                return _version(model.name, made)
            number = max((int(it["name"]) for it in versions), default=0) + 1
            approval = Approval.APPROVED if model.approval == "automatic" else Approval.PENDING
            try:
                self._calls.put(
                    self._place.model_id(model.name, number),
                    self._body(registration, approval),
                    doing,
                    waits=False,
                )
            except (AlreadyExists, Conflict):
                continue
            return self.get(model.name, number)
        raise Conflict(f"Azure has a new version of {model.name} each time that one is registered")

    def list(self, model: str) -> Iterator[ModelVersion]:
        """Yield the versions, the newest first."""
        found = [_version(model, it) for it in self._versions(self._place.model(model).name)]
        return iter(sorted(found, key=lambda it: it.version, reverse=True))

    def get(self, model: str, version: int) -> ModelVersion:
        """Read a version."""
        return _version(model, self._read(model, version))

    def set_approval(self, model: str, version: int, approval: Approval, note: str = "") -> ModelVersion:
        """Write the approval, and why, into the version's tags."""
        return self._tagged(
            model, version, {"approval": approval.value, **({"note": note[:256]} if note else {})}
        )

    def set_stage(self, model: str, version: int, stage: Stage) -> ModelVersion:
        """Write the stage into the version's tags; whoever held it before goes to the archive first."""
        self._read(model, version)
        if stage in EXCLUSIVE:
            for held in self.list(model):
                if held.stage is stage and held.version != version:
                    self._tagged(model, held.version, {"stage": Stage.ARCHIVED.value})
        return self._tagged(model, version, {"stage": stage.value})

    # --- parts ---

    def _versions(self, model: str) -> Iterator[Document]:
        path, doing = f"{self._place.workspace}/models/{model}/versions", f"list the versions of {model}"
        try:
            for it in self._calls.pages(path, doing, listViewType="All"):
                if str(it["name"]).isdigit():
                    yield it
        except NotFound:
            return

    def _read(self, model: str, version: int) -> Document:
        path = self._place.model_id(self._place.model(model).name, version)
        return self._calls.get(path, f"read version {version} of {model}")

    def _tagged(self, model: str, version: int, tags: Mapping[str, str]) -> ModelVersion:
        found = self._read(model, version)
        properties = {name: found["properties"][name] for name in WRITABLE if name in found["properties"]}
        properties["tags"] = {**(properties.get("tags") or {}), **tags}
        doing = f"change version {version} of {model}"
        made = self._calls.put(self._place.model_id(model, version), {"properties": properties}, doing)
        return _version(model, made)

    def _body(self, registration: Registration, approval: Approval) -> Document:
        kept = {
            "token": registration.token,
            "image": image_of(registration.image, self._place.context) if registration.image else "",
            "content_type": registration.content_type,
            "metrics": json.dumps(dict(registration.metrics), sort_keys=True),
            "report_uri": registration.report_uri,
            "run": registration.run,
            "source_commit": registration.source_commit,
            "data_uri": registration.data_uri,
            "digest": registration.digest,
        }
        return {
            "properties": {
                "modelUri": registration.artifact_uri,
                "modelType": "custom_model",
                "properties": {name: value for name, value in kept.items() if value},
                "tags": {"approval": approval.value, "stage": Stage.NONE.value},
            }
        }


def _kept(found: Document) -> Mapping[str, str]:
    return found["properties"].get("properties") or {}


def _version(model: str, found: Document) -> ModelVersion:
    properties, kept = found["properties"], _kept(found)
    tags: Mapping[str, str] = properties.get("tags") or {}
    created = moment((found.get("systemData") or {}).get("createdAt"))
    return ModelVersion(
        ref=str(found["id"]),
        model=model,
        version=int(found["name"]),
        approval=_approval(tags.get("approval", "")),
        stage=_stage(tags.get("stage", "")),
        created=created or datetime.min.replace(tzinfo=UTC),
        artifact_uri=str(properties.get("modelUri") or ""),
        image=kept.get("image", ""),
        metrics=_numbers(kept.get("metrics", "")),
        report_uri=kept.get("report_uri", ""),
        run=kept.get("run") or str(properties.get("jobName") or ""),
        source_commit=kept.get("source_commit", ""),
        data_uri=kept.get("data_uri", ""),
        digest=kept.get("digest", ""),
    )


def _approval(text: str) -> Approval:
    return Approval(text) if text in {*Approval} else Approval.PENDING


def _stage(text: str) -> Stage:
    return Stage(text) if text in {*Stage} else Stage.NONE


def _numbers(text: str) -> Mapping[str, float]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return {name: float(value) for name, value in found.items() if isinstance(value, int | float)}
