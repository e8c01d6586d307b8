"""Questions to an endpoint: from inside the network by its own address, else by Vertex AI's.

May not know what a model answers.
"""

from __future__ import annotations

import warnings
from typing import Any

from scaffolder.operations.errors import InvalidRequest
from scaffolder.operations.gcp.calls import Calls
from scaffolder.operations.gcp.deployments import named_deployments
from scaffolder.operations.values import Answer

__all__ = ["answered"]

SERVED_BY = "X-Vertex-AI-Deployed-Model-Id"
PLAIN = "application/octet-stream"


def answered(calls: Calls, endpoint: str, shell: Any, body: bytes, content_type: str) -> Answer:
    """Send a body as it is, and return what the container answers.

    Raises:
        InvalidRequest: the endpoint is private, and has no address yet.
    """
    private = shell.private_service_connect_config
    path = f"v1/{calls.place.endpoint_name(endpoint)}:rawPredict"
    more: dict[str, Any] = {"data": body, "headers": {"Content-Type": content_type}, "repeat": True}
    if private and private.enable_private_service_connect:
        # The certificate is of no name that the address has; Google's own SDK does not look at it either.
        more["verify"] = False
        url = f"https://{_address(endpoint, private)}/{path}"
    else:
        url = f"{calls.host('aiplatform')}/{path}"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Unverified HTTPS request")
        answer = calls.http("POST", url, f"ask endpoint {endpoint}", **more)
    ident = answer.headers.get(SERVED_BY, "")
    names = {number: name for name, number in named_deployments(shell).items()}
    return Answer(
        body=answer.content,
        content_type=answer.headers.get("Content-Type", PLAIN),
        served_by=names.get(ident, ""),
    )


def _address(endpoint: str, private: Any) -> str:
    """The address that Vertex AI made in the platform's network, once something is deployed."""
    for made in private.psc_automation_configs:
        if made.ip_address:
            return str(made.ip_address)
    raise InvalidRequest(
        f"endpoint {endpoint} is private, and has no address in the network yet",
        remedy="Vertex AI makes one when a model is deployed, where the stacks made the network; else make a forwarding "
        "rule to the endpoint's service attachment.",
    )
