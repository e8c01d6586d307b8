"""The registry: models by id, versions below them, labels of both, aliases that one version of a model has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.operations.fakes.gcp.cloud import Cloud, Part, Refused, selected, stamp
from tests.operations.fakes.gcp.discovery import Called
from tests.operations.fakes.gcp.project import check_labels

__all__ = ["Models"]

IDENT = re.compile(r"[a-z0-9_][a-z0-9_-]{0,62}")
ALIAS = re.compile(r"[a-z][a-zA-Z0-9-]{0,126}[a-z0-9]")
UPLOAD_S, DELETE_S = 20, 10
OWN = {"artifactUri", "containerSpec", "versionAliases", "versionDescription"}


class Models(Part):
    """Vertex AI Model Registry."""

    METHODS: Mapping[str, str] = {
        "aiplatform.projects.locations.models.upload": "upload",
        "aiplatform.projects.locations.models.get": "get",
        "aiplatform.projects.locations.models.listVersions": "versions",
        "aiplatform.projects.locations.models.patch": "patch",
        "aiplatform.projects.locations.models.mergeVersionAliases": "merge",
        "aiplatform.projects.locations.models.delete": "delete",
    }

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.models: dict[str, list[dict[str, Any]]] = {}

    # --- adding ---

    def upload(self, called: Called) -> Any:
        self.cloud.at_home(called)
        body, model = called.body, called.body["model"]
        name = self._line(body)
        check_labels(model.get("labels", {}))
        if not model.get("artifactUri", "gs://").startswith("gs://"):
            raise Refused(400, "INVALID_ARGUMENT", "artifact_uri is not an address in Cloud Storage")
        for alias in model.get("versionAliases", ()):
            self._check_alias(alias)

        def make() -> Mapping[str, Any]:
            made = self.add(name, model)
            return {"model": name, "modelVersionId": made["versionId"]}

        answers = "google.cloud.aiplatform.v1.UploadModelResponse"
        return self.cloud.begin(name, "UploadModelOperationMetadata", UPLOAD_S, make, answers)

    def _line(self, body: Mapping[str, Any]) -> str:
        parent, ident = body.get("parentModel"), body.get("modelId")
        if parent and ident:
            raise Refused(400, "INVALID_ARGUMENT", "Only one of parent_model and model_id can be set.")
        if parent:
            name = self.cloud.ours(parent)
            if name not in self.models:
                raise Refused(404, "NOT_FOUND", f"The Model does not exist: {name}")
            return name
        if ident and not IDENT.fullmatch(ident):
            raise Refused(400, "INVALID_ARGUMENT", f"Invalid model id: {ident}")
        name = f"{self.cloud.home}/models/{ident or self.cloud.fresh()}"
        if name in self.models or self.cloud.busy(name):
            raise Refused(409, "ALREADY_EXISTS", f"The Model already exists: {name}")
        return name

    def add(self, name: str, model: Mapping[str, Any]) -> dict[str, Any]:
        """Add a version to a model, which its first version makes."""
        line = self.models.setdefault(name, [])
        now = stamp(self.cloud.now())
        aliases = [*model.get("versionAliases", ()), *([] if line else ["default"])]
        made = {
            **model,
            "name": name,
            "versionId": str(len(line) + 1),
            "versionAliases": [],
            "createTime": line[0]["createTime"] if line else now,
            "versionCreateTime": now,
            "etag": self.cloud.fresh(),
        }
        line.append(made)
        self._move(name, made, aliases)
        return made

    def _move(self, name: str, version: dict[str, Any], aliases: list[str]) -> None:
        for other in self.models[name]:
            other["versionAliases"] = [it for it in other["versionAliases"] if it not in aliases]
        version["versionAliases"] = [*version["versionAliases"], *aliases]

    def _check_alias(self, alias: str) -> None:
        if not ALIAS.fullmatch(alias):
            raise Refused(400, "INVALID_ARGUMENT", f"Invalid version alias: {alias}")

    # --- looking ---

    def find(self, name: str) -> dict[str, Any]:
        """The version of ``models/m@3``, ``models/m@alias``, or a model's default.

        Raises:
            Refused: there is none.
        """
        line, _, which = self.cloud.ours(name).partition("@")
        for version in self.models.get(line, ()):
            if (which or "default") in {version["versionId"], *version["versionAliases"]}:
                return version
        raise Refused(404, "NOT_FOUND", f"The Model does not exist: {name}")

    def _of(self, called: Called) -> dict[str, Any]:
        self.cloud.at_home(called)
        return self.find(f"{self.cloud.home}/models/{called.path[2]}")

    def get(self, called: Called) -> Any:
        return self._of(called)

    def versions(self, called: Called) -> Any:
        self.cloud.at_home(called)
        line = self.models.get(f"{self.cloud.home}/models/{called.path[2]}")
        if not line:
            raise Refused(404, "NOT_FOUND", f"The Model does not exist: {called.path[2]}")
        found = [{**it, "name": f"{it['name']}@{it['versionId']}"} for it in line]
        found = selected(found, called.query.get("filter", ""))
        first, size = int(called.query.get("pageToken", "0")), 2
        more = {"nextPageToken": str(first + size)} if first + size < len(found) else {}
        return {**({"models": found[first : first + size]} if found else {}), **more}

    # --- changing ---

    def patch(self, called: Called) -> Any:
        version = self._of(called)
        if "@" not in called.path[2]:
            raise Refused(400, "INVALID_ARGUMENT", "The fake keeps labels of versions only.")
        mask = called.query.get("updateMask", "")
        if mask not in {"labels", "versionDescription"}:
            raise Refused(400, "INVALID_ARGUMENT", f"Invalid update mask for a version: {mask!r}")
        check_labels(called.body.get("labels", {}))
        version[mask] = called.body.get(mask, {})
        return version

    def merge(self, called: Called) -> Any:
        version = self._of(called)
        name = self.cloud.ours(version["name"])
        for alias in called.body["versionAliases"]:
            self._check_alias(alias.removeprefix("-"))
            if alias == "-default":
                raise Refused(400, "INVALID_ARGUMENT", "The default alias cannot be removed.")
            if alias.startswith("-") and alias[1:] not in version["versionAliases"]:
                raise Refused(400, "INVALID_ARGUMENT", f"The version has no alias {alias[1:]}")
        gone = {it[1:] for it in called.body["versionAliases"] if it.startswith("-")}
        version["versionAliases"] = [it for it in version["versionAliases"] if it not in gone]
        self._move(name, version, [it for it in called.body["versionAliases"] if not it.startswith("-")])
        return version

    def delete(self, called: Called) -> Any:
        name = self._of(called)["name"]
        from tests.operations.fakes.gcp.endpoints import Endpoints  # noqa: PLC0415 - endpoints know models

        if self.cloud.part(Endpoints).serves(name):
            raise Refused(400, "FAILED_PRECONDITION", "The Model is deployed or being deployed.")

        def gone() -> Mapping[str, Any]:
            del self.models[name]
            return {}

        return self.cloud.begin(name, "DeleteOperationMetadata", DELETE_S, gone, "google.protobuf.Empty")
