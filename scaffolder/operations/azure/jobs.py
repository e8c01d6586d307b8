"""A pipeline job's document as what Azure ML's REST paths take: components, environments, code, and the job itself.

Pure. The documents are those of ``stacks.azure.pipelines``; azure-ai-ml makes the same of them, and registers the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from scaffolder.operations.azure.calls import Document
from scaffolder.operations.azure.place import short_hash
from stacks.record import record

__all__ = ["Asset", "Submission", "environment_of", "lasting", "submission"]

ANONYMOUS = "azureml_anonymous"
MODES = {"ro_mount": "ReadOnlyMount", "rw_mount": "ReadWriteMount", "direct": "Direct"}
DISTRIBUTIONS = {"pytorch": "PyTorch"}
IDENTITIES = {"managed_identity": "Managed"}


@record
class Asset:
    """Something that has to be registered once; its version says what is in it."""

    path: str
    body: Document


@record
class Submission:
    """What is registered, in order, and then the job that names it."""

    assets: tuple[Asset, ...]
    job: Document


def lasting(seconds: int) -> str:
    """A duration as REST writes it."""
    return f"PT{seconds}S"


def environment_of(workspace: str, image: str, *, serving: bool = False) -> Asset:
    """The environment that an image is; one that serves says where it answers, as images do on other clouds."""
    properties: Document = {"image": image, "osType": "Linux", "description": image}
    if serving:
        properties["inferenceConfig"] = {
            "livenessRoute": {"path": "/ping", "port": 8080},
            "readinessRoute": {"path": "/ping", "port": 8080},
            "scoringRoute": {"path": "/invocations", "port": 8080},
        }
    name = f"{'serving' if serving else 'image'}-{short_hash(image)}"
    return Asset(path=f"{workspace}/environments/{name}/versions/1", body={"properties": properties})


def submission(
    document: Mapping[str, Any], workspace: str, properties: Mapping[str, str], tags: Mapping[str, str]
) -> Submission:
    """Make what submits a document; ``properties`` and ``tags`` are what the job is to be found by."""
    assets: list[Asset] = []
    nodes: dict[str, Document] = {}
    for name, step in document["jobs"].items():
        environment = environment_of(workspace, step["component"]["environment"]["image"])
        component = _component(step["component"], workspace, environment)
        assets += [environment, component]
        nodes[name] = _node(name, step, workspace, component)
    settings = document["settings"]
    job: Document = {
        "jobType": "Pipeline",
        "displayName": document["display_name"],
        "experimentName": document["experiment_name"],
        "description": document.get("description", ""),
        "tags": {**document["tags"], **tags},
        "properties": dict(properties),
        "inputs": {
            name: {"jobInputType": "literal", "value": str(value)}
            for name, value in document["inputs"].items()
        },
        "jobs": nodes,
        "settings": {
            "default_datastore": _asset(settings["default_datastore"], workspace, "datastores"),
            "continue_on_step_failure": settings["continue_on_step_failure"],
        },
    }
    return Submission(assets=tuple(assets), job={"properties": job})


def _component(component: Mapping[str, Any], workspace: str, environment: Asset) -> Asset:
    spec: Document = {
        "name": ANONYMOUS,
        "type": "command",
        "command": component["command"],
        "environment": environment.path,
        "is_deterministic": component["is_deterministic"],
        **{side: component[side] for side in ("inputs", "outputs") if side in component},
        **({"code": _code(component["code"], workspace)} if "code" in component else {}),
    }
    version = short_hash(json.dumps(spec, sort_keys=True))
    return Asset(
        path=f"{workspace}/components/{ANONYMOUS}/versions/{version}",
        body={"properties": {"isAnonymous": True, "componentSpec": {**spec, "version": version}}},
    )


def _node(name: str, step: Mapping[str, Any], workspace: str, component: Asset) -> Document:
    """A step; REST writes what is inside a pipeline's nodes with underscores."""
    node: Document = {
        "name": name,
        "type": "command",
        "display_name": step["display_name"],
        "componentId": component.path,
        "computeId": _asset(step["compute"], workspace, "computes"),
        "identity": {"identity_type": IDENTITIES[step["identity"]["type"]]},
        "inputs": {key: _input(value) for key, value in step.get("inputs", {}).items()},
        "outputs": {key: _output(value) for key, value in step.get("outputs", {}).items()},
    }
    if "limits" in step:
        node["limits"] = {"job_limits_type": "Command", "timeout": lasting(step["limits"]["timeout"])}
    if "resources" in step:
        node["resources"] = {"instance_count": step["resources"]["instance_count"]}
    if "distribution" in step:
        node["distribution"] = {
            "distribution_type": DISTRIBUTIONS[step["distribution"]["type"]],
            "process_count_per_instance": step["distribution"]["process_count_per_instance"],
        }
    return node


def _input(value: str | Mapping[str, str]) -> Document:
    if isinstance(value, str):
        return {"job_input_type": "literal", "value": value}
    mode = MODES[value["mode"]]
    if value["path"].startswith("${{"):
        return {"job_input_type": "literal", "value": value["path"], "mode": mode}
    return {"job_input_type": value["type"], "uri": value["path"], "mode": mode}


def _output(value: Mapping[str, str]) -> Document:
    return {"job_output_type": value["type"], "uri": value["path"], "mode": MODES[value["mode"]]}


def _asset(short: str, workspace: str, kind: str) -> str:
    """The id that ``azureml:NAME`` stands for."""
    return f"{workspace}/{kind}/{short.removeprefix('azureml:')}"


def _code(short: str, workspace: str) -> str:
    name, _, version = short.removeprefix("azureml:").partition(":")
    return f"{workspace}/codes/{name}/versions/{version}"
