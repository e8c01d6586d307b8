"""Deployments behind the online endpoints that the stacks make, their traffic, and requests to them.

An endpoint's traffic changes only with the whole endpoint, so it is read, changed and put. May not make an endpoint.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from scaffolder.operations.azure.calls import Asked, Calls, Document
from scaffolder.operations.azure.jobs import environment_of
from scaffolder.operations.azure.place import Place
from scaffolder.operations.azure.runs import register_once
from scaffolder.operations.azure.scaling import autoscale_setting, remove_autoscale
from scaffolder.operations.errors import AlreadyExists, Conflict, InvalidRequest, NotFound
from scaffolder.operations.port import Opening
from scaffolder.operations.values import Answer, Deployment, DeployRequest, EndpointState, EndpointStatus
from scaffolder.operations.waiting import Polling, wait_until
from stacks.intents import OnlineEndpoint

__all__ = ["AzureServing"]

NAME = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]")
CHOSEN = "azureml-model-deployment"
"""The header that chooses a deployment, and that says which one answered."""

STATES = {
    "Creating": EndpointState.CREATING,
    "Updating": EndpointState.UPDATING,
    "Scaling": EndpointState.UPDATING,
    "Succeeded": EndpointState.IN_SERVICE,
    "Deleting": EndpointState.DELETING,
    "Failed": EndpointState.FAILED,
    "Canceled": EndpointState.FAILED,
}
BUSY = frozenset({EndpointState.CREATING, EndpointState.UPDATING, EndpointState.DELETING})
FIRST = Polling(start_s=10.0, factor=1.2, most_s=30.0, timeout_s=3600.0)
MOUNT = "/opt/ml/model"
REQUEST_TIMEOUT = "PT60S"
WHOLE = 100
WRITABLE = (
    "authMode",
    "description",
    "publicNetworkAccess",
    "compute",
    "mirrorTraffic",
    "traffic",
    "properties",
)


class AzureServing:
    """The platform's online endpoints."""

    def __init__(self, calls: Calls, place: Place, opening: Opening) -> None:
        self._calls = calls
        self._place = place
        self._sleep = opening.sleep

    def deploy(self, request: DeployRequest) -> str:
        """Add a deployment. The first one is waited for: Azure gives traffic only to what is there."""
        endpoint = self._place.endpoint(request.endpoint, "realtime")
        if NAME.fullmatch(request.deployment) is None:
            raise InvalidRequest(
                f'"{request.deployment}" is no name of a deployment: 3 to 32 small letters, digits and hyphens, a letter first'
            )
        doing = f"deploy {request.deployment} behind {request.endpoint}"
        size = self._place.instance(request.instance, "serving")
        version = self._place.model_id(self._place.model(request.model).name, request.version)
        kept = self._calls.get(version, f"read version {request.version} of {request.model}")
        shell = self._shell(endpoint)
        path = self._deployment(endpoint.name, request.deployment)
        there = self._calls.find(path, doing)
        first = not [*self._deployments(endpoint.name)]
        if there is None:
            self._make(request, path, size, version, kept)
        elif there["properties"].get("model") != version:
            raise AlreadyExists(
                f"{request.deployment} serves another version behind {request.endpoint}",
                text=str(there["properties"].get("model")),
                remedy="Give the new deployment a name of its own.",
            )
        if request.scaling.max_replicas > request.scaling.min_replicas:
            # Put each time: an earlier try may have ended before it.
            setting = autoscale_setting(self._place, request, path)
            self._calls.put(setting.path, setting.body, f"let {request.deployment} scale", api=setting.api)
        if first or (there is not None and not _traffic(shell) and self._is_alone(endpoint.name)):
            self._first(endpoint, request.deployment)
        return self._place.endpoint_id(endpoint.name)

    def undeploy(self, endpoint: str, deployment: str) -> None:
        """Let a deployment go, and what scales it."""
        shell = self._shell(self._place.endpoint(endpoint, "realtime"))
        path = self._deployment(endpoint, deployment)
        doing = f"take {deployment} from behind {endpoint}"
        if self._calls.find(path, doing) is None:
            return
        if _traffic(shell).get(deployment):
            raise InvalidRequest(
                f"{deployment} takes {_traffic(shell)[deployment]} % of the traffic of {endpoint}",
                remedy="Give the traffic to another deployment first.",
            )
        remove_autoscale(self._calls, self._place, endpoint, deployment)
        self._calls.delete(path, doing)

    def set_traffic(self, endpoint: str, percent: Mapping[str, int]) -> None:
        """Split the traffic, whole percents that are 100 together."""
        found = self._place.endpoint(endpoint, "realtime")
        if sum(percent.values()) != WHOLE or not all(0 <= share <= WHOLE for share in percent.values()):
            raise InvalidRequest(f"the shares {dict(percent)} are not whole percents that are 100 together")
        shell = self._shell(found)
        there = {str(it["name"]) for it in self._deployments(endpoint)}
        missing = sorted(set(percent) - there)
        if missing:
            raise NotFound(f"there is no deployment {missing[0]} behind {endpoint}")
        self._put_traffic(endpoint, shell, {name: share for name, share in percent.items() if share})

    def describe(self, endpoint: str) -> EndpointStatus:
        """Read an endpoint and its deployments."""
        return self._status(self._place.endpoint(endpoint, "realtime"))

    def list(self) -> Iterator[EndpointStatus]:
        """Yield the endpoints that answer, in the spec's order."""
        for endpoint in self._place.realtime():
            yield self._status(endpoint)

    def invoke(
        self, endpoint: str, body: bytes, *, content_type: str = "text/csv", deployment: str | None = None
    ) -> Answer:
        """Ask an endpoint, or one deployment of it, whatever the traffic."""
        shell = self._shell(self._place.endpoint(endpoint, "realtime"))
        if deployment is not None and deployment not in {it["name"] for it in self._deployments(endpoint)}:
            raise NotFound(f"there is no deployment {deployment} behind {endpoint}")
        address = shell["properties"].get("scoringUri")
        if not address:
            raise NotFound(f"the endpoint {endpoint} has no address yet")
        reply = self._calls.send(
            Asked(
                method="POST",
                url=str(address),
                doing=f"ask {endpoint}",
                scope=self._calls.cloud.ml_scope,
                headers={
                    "Content-Type": content_type,
                    "Accept": "*/*",
                    **({CHOSEN: deployment} if deployment is not None else {}),
                },
                body=body,
                repeat=False,
            )
        )
        return Answer(
            body=reply.body,
            content_type=reply.headers.get("content-type", ""),
            served_by=reply.headers.get(CHOSEN, deployment or ""),
        )

    def drain(self, endpoint: str, deployment: str) -> None:
        """Take the traffic of an endpoint away, where the deployment has some: it is 100 together, or none."""
        shell = self._calls.find(self._place.endpoint_id(endpoint), f"read the endpoint {endpoint}")
        if shell is not None and _traffic(shell).get(deployment):
            self._put_traffic(endpoint, shell, {})

    # --- parts ---

    def _make(self, request: DeployRequest, path: str, size: str, version: str, kept: Document) -> None:
        doing = f"deploy {request.deployment} behind {request.endpoint}"
        properties: Mapping[str, str] = kept["properties"].get("properties") or {}
        if not properties.get("image"):
            raise InvalidRequest(
                f"version {request.version} of {request.model} was registered without an image that serves it"
            )
        environment = environment_of(self._place.workspace, properties["image"], serving=True)
        register_once(self._calls, environment, doing)
        body: Document = {
            "location": self._place.context.region,
            "tags": {**self._place.context.tags},
            "sku": {"name": "Default", "capacity": request.scaling.min_replicas},
            "properties": {
                "endpointComputeType": "Managed",
                "model": version,
                "modelMountPath": MOUNT,
                "environmentId": environment.path,
                "environmentVariables": {"MODEL_CONTENT_TYPE": properties.get("content_type", "text/csv")},
                "instanceType": size,
                "appInsightsEnabled": True,
                "scaleSettings": {"scaleType": "Default"},
                "requestSettings": {"requestTimeout": REQUEST_TIMEOUT},
                # What goes out goes through the workspace's managed network; a deployment's own switch is the older way.
                **_capture(request.capture_percent),
            },
        }
        self._put(path, body, doing, lambda found: bool(found["properties"].get("model") == version))

    def _first(self, endpoint: OnlineEndpoint, deployment: str) -> None:
        """Give all traffic to an endpoint's only deployment, once it is there."""
        path = self._deployment(endpoint.name, deployment)
        made = wait_until(
            lambda: _state(self._calls.get(path, f"wait for {deployment}")),
            lambda state: state not in BUSY,
            what=f"the deployment {deployment}",
            sleep=self._sleep,
            polling=FIRST,
        )
        shell = self._shell(endpoint)
        if made is EndpointState.IN_SERVICE and not _traffic(shell):
            self._put_traffic(endpoint.name, shell, {deployment: WHOLE})

    def _is_alone(self, endpoint: str) -> bool:
        return len([*self._deployments(endpoint)]) == 1

    def _put_traffic(self, endpoint: str, shell: Document, traffic: Mapping[str, int]) -> None:
        properties = {name: shell["properties"][name] for name in WRITABLE if name in shell["properties"]}
        body: Document = {
            "location": shell["location"],
            "tags": shell.get("tags") or {},
            **({"kind": shell["kind"]} if shell.get("kind") else {}),
            **({"identity": _identity(shell["identity"])} if shell.get("identity") else {}),
            "properties": {**properties, "traffic": dict(traffic)},
        }
        self._put(
            self._place.endpoint_id(endpoint),
            body,
            f"split the traffic of {endpoint}",
            lambda found: _traffic(found) == dict(traffic),
        )

    def _put(self, path: str, body: Document, doing: str, done: Callable[[Document], bool]) -> None:
        """Make or change what is busy for a while: after a lost answer it is busy with this very request."""
        try:
            self._calls.put(path, body, doing, waits=False)
        except Conflict:
            found = self._calls.find(path, doing)
            if found is None or not done(found):
                self._calls.put(path, body, doing)

    def _shell(self, endpoint: OnlineEndpoint) -> Document:
        """The endpoint that the ml stack makes.

        Raises:
            NotFound: it is not made yet.
        """
        found = self._calls.find(self._place.endpoint_id(endpoint.name), f"read the endpoint {endpoint.name}")
        if found is None:
            raise NotFound(
                f"the endpoint {endpoint.name} is not there yet",
                remedy="Deploy the platform's ml stack: it makes the endpoint, and this what is behind it.",
            )
        return found

    def _deployment(self, endpoint: str, deployment: str) -> str:
        return f"{self._place.endpoint_id(endpoint)}/deployments/{deployment}"

    def _deployments(self, endpoint: str) -> Iterator[Document]:
        path = f"{self._place.endpoint_id(endpoint)}/deployments"
        return self._calls.pages(path, f"list what is behind {endpoint}")

    def _status(self, endpoint: OnlineEndpoint) -> EndpointStatus:
        ref = self._place.endpoint_id(endpoint.name)
        shell = self._calls.find(ref, f"read the endpoint {endpoint.name}")
        if shell is None:
            return EndpointStatus(name=endpoint.name, ref=ref, state=EndpointState.PLANNED, native_state="")
        traffic = _traffic(shell)
        deployments = tuple(
            _shown(it, traffic.get(str(it["name"]), 0)) for it in self._deployments(endpoint.name)
        )
        native = str(shell["properties"].get("provisioningState") or "Unknown")
        return EndpointStatus(
            name=endpoint.name,
            ref=ref,
            state=_together(STATES.get(native, EndpointState.UNKNOWN), deployments),
            native_state=native,
            deployments=deployments,
            url=str(shell["properties"].get("scoringUri") or ""),
        )


def _together(own: EndpointState, deployments: tuple[Deployment, ...]) -> EndpointState:
    """An endpoint's state: its own, or where that is good, what becomes of what is behind it."""
    if own is not EndpointState.IN_SERVICE:
        return own
    if not deployments:
        return EndpointState.PLANNED
    if any(it.state in BUSY for it in deployments):
        return EndpointState.UPDATING
    return own if any(it.state is EndpointState.IN_SERVICE for it in deployments) else EndpointState.FAILED


def _state(found: Document) -> EndpointState:
    return STATES.get(str(found["properties"].get("provisioningState")), EndpointState.UNKNOWN)


def _shown(found: Document, share: int) -> Deployment:
    properties = found["properties"]
    model, _, version = str(properties.get("model") or "").rpartition("/versions/")
    state = _state(found)
    return Deployment(
        name=str(found["name"]),
        model=model.rpartition("/")[2],
        version=int(version) if version.isdigit() else None,
        traffic_percent=share,
        state=state,
        native_state=str(properties.get("provisioningState") or "Unknown"),
        instance=str(properties.get("instanceType") or ""),
        replicas=(found.get("sku") or {}).get("capacity"),
        error="the container did not come up; the deployment's logs say why"
        if state is EndpointState.FAILED
        else "",
    )


def _traffic(shell: Document) -> dict[str, int]:
    return {name: int(share) for name, share in (shell["properties"].get("traffic") or {}).items()}


def _identity(found: Mapping[str, Any]) -> Document:
    """The identity as it is asked for: what Azure only tells of it is left out."""
    users: dict[str, Document] = {name: {} for name in found.get("userAssignedIdentities") or {}}
    return {"type": found["type"], **({"userAssignedIdentities": users} if users else {})}


def _capture(percent: int) -> Document:
    """Whole requests and answers into the workspace's storage, which asks nothing of the image."""
    if not percent:
        return {}
    collection = {"dataCollectionMode": "Enabled", "samplingRate": percent / WHOLE}
    return {
        "dataCollector": {
            "collections": {"request": collection, "response": collection},
            "rollingRate": "Hour",
        }
    }
