"""Models behind endpoints: deployments to the shells that the stack *ml* makes, their traffic, and questions to them.

A deployment's name is its display name and, as a number, its id; while it is being made a label of the endpoint has it,
because Vertex AI shows a deployed model only once it serves. May not make or delete an endpoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scaffolder.operations.errors import (
    AlreadyExists,
    Conflict,
    InvalidRequest,
    NotFound,
    OperationError,
    Unavailable,
    Unsupported,
)
from scaffolder.operations.gcp.asking import answered
from scaffolder.operations.gcp.calls import Calls
from scaffolder.operations.gcp.deployments import (
    MAKING,
    deployed_id,
    machines,
    mark_of,
    named_deployments,
    pending,
    status_of,
)
from scaffolder.operations.gcp.registry import GcpRegistry
from scaffolder.operations.values import Answer, Capability, DeployRequest, EndpointState, EndpointStatus
from stacks.intents import OnlineEndpoint

__all__ = ["GcpServing"]

SERVICE = "endpoint_service"
ROLE = "serving"


class GcpServing:
    """Endpoints on Vertex AI."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._place = calls.place
        self._registry = GcpRegistry(calls)

    # --- deploying ---

    def deploy(self, request: DeployRequest) -> str:
        """Start to deploy a version; the first deployment of an endpoint takes all of its traffic."""
        intent = self._place.endpoint(request.endpoint, "realtime")
        deployed_id(request.endpoint, request.deployment)
        return self._calls.again(lambda: self._deployed(request, intent))

    def _deployed(self, request: DeployRequest, intent: OnlineEndpoint) -> str:
        shell = self._shell(request.endpoint)
        if self._is_there(shell, request):
            return str(self._place.named(shell.name))
        _check_capture(shell, request)
        self._registry.get(request.model, request.version)
        doing = f"deploy {request.deployment} to endpoint {intent.name}"
        asked: dict[str, Any] = {
            "endpoint": self._place.endpoint_name(intent.name),
            "deployed_model": {
                "id": deployed_id(request.endpoint, request.deployment),
                "display_name": request.deployment,
                "model": f"{self._place.model_name(request.model)}@{request.version}",
                "service_account": self._place.email(ROLE),
                "dedicated_resources": machines(request, self._place.context.region),
            },
        }
        if not shell.deployed_models:
            asked["traffic_split"] = {"0": 100}
        self._mark(shell, {request.deployment: mark_of(request)})
        try:
            self._calls.vertex(SERVICE, "deploy_model", asked, doing, repeat=False)
        except Unavailable:
            raise  # it may have begun all the same, and then the mark tells whose it is
        except OperationError:
            self._mark(self._shell(request.endpoint), {})
            raise
        return str(self._place.named(shell.name))

    def _is_there(self, shell: Any, request: DeployRequest) -> bool:
        """Whether the deployment is there, or is being made.

        Raises:
            AlreadyExists: one of its name is, with another version.
            Conflict: something else is being done to the endpoint.
        """
        for deployed in shell.deployed_models:
            if deployed.display_name == request.deployment:
                line = self._place.named(deployed.model.partition("@")[0])
                same = line == self._place.model_name(request.model)
                if same and deployed.model_version_id == str(request.version):
                    return True
                raise _another(request)
        if all(it.get("done") for it in self._operations(request.endpoint)):
            return False
        marked = pending(shell).get(request.deployment)
        if marked is None:
            raise Conflict(f"endpoint {request.endpoint} is busy: Vertex AI does one thing at a time to each")
        if marked != mark_of(request):
            raise _another(request)
        return True

    def _shell(self, endpoint: str) -> Any:
        name = self._place.endpoint_name(endpoint)
        try:
            return self._calls.vertex(SERVICE, "get_endpoint", {"name": name}, f"look at endpoint {endpoint}")
        except NotFound as missing:
            raise NotFound(
                f"endpoint {endpoint} is not there yet",
                code=missing.code,
                text=missing.text,
                remedy="Apply the stack ml, which makes it.",
            ) from missing

    def _operations(self, endpoint: str) -> list[Mapping[str, Any]]:
        """What is, or was, being done to an endpoint, the newest first as Vertex AI lists it."""
        path = f"v1/{self._place.endpoint_name(endpoint)}/operations"
        found = self._calls.rest("aiplatform", "GET", path, f"look what endpoint {endpoint} is doing")
        return [*found.get("operations", ())]

    def _mark(self, shell: Any, marks: Mapping[str, str]) -> None:
        """Write into the endpoint's labels which deployment is being made; others that were are done, or failed."""
        kept = {key: it for key, it in dict(shell.labels).items() if not key.startswith(MAKING)}
        labels = {**kept, **{f"{MAKING}{name}": mark for name, mark in marks.items()}}
        if labels != dict(shell.labels):
            self._update(shell, {"labels": labels}, "labels", f"label endpoint {shell.display_name}")

    def _update(self, shell: Any, changes: Mapping[str, Any], mask: str, doing: str) -> None:
        body = {"name": self._place.named(shell.name), "etag": shell.etag, **changes}
        self._calls.vertex(
            SERVICE, "update_endpoint", {"endpoint": body, "update_mask": {"paths": [mask]}}, doing
        )

    # --- undeploying and traffic ---

    def undeploy(self, endpoint: str, deployment: str) -> None:
        """Start to take a deployment away; what was left of one that failed is taken off too."""
        self._place.endpoint(endpoint, "realtime")
        self._calls.again(lambda: self._undeployed(endpoint, deployment))

    def _undeployed(self, endpoint: str, deployment: str) -> None:
        shell = self._shell(endpoint)
        ident = named_deployments(shell).get(deployment)
        if ident is None:
            if deployment in pending(shell):
                self._mark(shell, {})
            return
        percent = dict(shell.traffic_split).get(ident, 0)
        if percent:
            raise InvalidRequest(
                f"{deployment} takes {percent} % of endpoint {endpoint}'s traffic",
                remedy="Give its traffic to others first.",
            )
        self._mark(shell, {})
        asked = {"endpoint": self._place.endpoint_name(endpoint), "deployed_model_id": ident}
        doing = f"take {deployment} off endpoint {endpoint}"
        try:
            self._calls.vertex(SERVICE, "undeploy_model", asked, doing, repeat=False)
        except NotFound:
            return

    def set_traffic(self, endpoint: str, percent: Mapping[str, int]) -> None:
        """Split the traffic between deployments that are there."""
        self._place.endpoint(endpoint, "realtime")
        if any(share < 0 for share in percent.values()) or sum(percent.values()) != 100:
            raise InvalidRequest(f"traffic is whole percents, 100 together, and not {dict(percent)}")
        self._calls.again(lambda: self._split(endpoint, percent))

    def _split(self, endpoint: str, percent: Mapping[str, int]) -> None:
        shell = self._shell(endpoint)
        there = named_deployments(shell)
        missing = [name for name in percent if name not in there]
        if missing and {*missing} <= {*pending(shell)}:
            raise Conflict(f"deployment {', '.join(missing)} of endpoint {endpoint} does not serve yet")
        if missing:
            known = ", ".join(sorted(there)) or "none"
            raise NotFound(f"endpoint {endpoint} has no deployment {', '.join(missing)}; there is {known}")
        wanted = {there[name]: share for name, share in percent.items() if share}
        if wanted != {ident: share for ident, share in dict(shell.traffic_split).items() if share}:
            self._update(
                shell, {"traffic_split": wanted}, "traffic_split", f"split traffic of endpoint {endpoint}"
            )

    # --- looking and asking ---

    def describe(self, endpoint: str) -> EndpointStatus:
        """Look at an endpoint, what is behind it, and what is being made."""
        self._place.endpoint(endpoint, "realtime")
        return self._status(endpoint)

    def _status(self, endpoint: str) -> EndpointStatus:
        shell = self._shell(endpoint)
        making = set(pending(shell)) - set(named_deployments(shell))
        doing = self._operations(endpoint)
        return status_of(self._calls, endpoint, shell, making, doing)

    def list(self) -> Iterator[EndpointStatus]:
        """Yield the realtime endpoints of the spec; those that the stacks have not made yet are planned."""
        for intent in self._place.context.all_of(OnlineEndpoint):
            if intent.mode != "realtime":
                continue
            try:
                yield self._status(intent.name)
            except NotFound:
                yield EndpointStatus(
                    name=intent.name,
                    ref=self._place.endpoint_name(intent.name),
                    state=EndpointState.PLANNED,
                    native_state="",
                )

    def invoke(
        self, endpoint: str, body: bytes, *, content_type: str = "text/csv", deployment: str | None = None
    ) -> Answer:
        """Ask an endpoint; which deployment answers is the traffic's choice.

        Raises:
            Unsupported: one deployment is asked for.
        """
        self._place.endpoint(endpoint, "realtime")
        if deployment is not None:
            raise Unsupported(
                Capability.TARGETED_INVOKE,
                "Vertex AI cannot ask one deployment of an endpoint",
                remedy="Give it all of the traffic, or deploy it to an endpoint of its own.",
            )
        shell = self._shell(endpoint)
        if not dict(shell.traffic_split):
            raise InvalidRequest(f"endpoint {endpoint} has no deployment that takes traffic")
        return answered(self._calls, endpoint, shell, body, content_type)


def _another(request: DeployRequest) -> AlreadyExists:
    return AlreadyExists(
        f"endpoint {request.endpoint} has a deployment {request.deployment} of another version",
        remedy="Give this one another name, or take that one away first.",
    )


def _check_capture(shell: Any, request: DeployRequest) -> None:
    """Requests are logged as the endpoint says, which is Terraform's: a deployment cannot ask for other."""
    config = shell.predict_request_response_logging_config
    there = round(config.sampling_rate * 100) if config and config.enabled else 0
    if request.capture_percent not in {0, there}:
        raise InvalidRequest(
            f"endpoint {request.endpoint} captures {there} % of requests, and {request.capture_percent} % are asked for",
            remedy=f"Set endpoints.{request.endpoint}.capture_percent, and apply the stack ml.",
        )
