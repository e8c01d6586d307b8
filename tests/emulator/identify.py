"""Names the service and the operation of an HTTP request. May not answer one.

AWS sends the operation in a header (JSON), in the form (query, EC2), or hides it in method, path and
query string (REST). The service is the one that the signature was made for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from botocore.loaders import Loader
from moto.core.request import Request
from moto.core.routing import get_service_router
from moto.iam.models import get_account_id_from
from werkzeug.exceptions import NotFound

from tests.emulator.call import Call

__all__ = ["Match", "identify", "is_modelled"]

_SCOPE = re.compile(r"(?:Credential=)?([^/=\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_RPC_PATH = re.compile(r"^/service/[^/]+/operation/(\w+)$")
_TARGET = re.compile(r"\.(\w+)$")

_SERVICES_BY_SIGNING_NAME: Mapping[str, tuple[str, ...]] = {
    "access-analyzer": ("accessanalyzer",),
    "aoss": ("opensearchserverless",),
    "bedrock": ("bedrock", "bedrock-agent", "bedrock-runtime", "bedrock-agent-runtime"),
    "elasticfilesystem": ("efs",),
    "elasticloadbalancing": ("elbv2", "elb"),
    "monitoring": ("cloudwatch",),
    "sagemaker": ("sagemaker", "sagemaker-runtime", "sagemaker-featurestore-runtime", "sagemaker-metrics"),
    "servicequotas": ("service-quotas",),
    "states": ("stepfunctions",),
    "tagging": ("resourcegroupstaggingapi",),
}
"""Where the name in the signature is not botocore's name of the service, or stands for several."""

_UNSIGNED_ACTIONS = {"AssumeRoleWithWebIdentity": "sts", "AssumeRoleWithSAML": "sts"}
_S3_CONTROL_PATH = "/v20180820/"


@dataclass(frozen=True, slots=True)
class Match:
    """A call without its parameters, and those parts of the path that are parameters."""

    call: Call
    labels: Mapping[str, object]


def identify(request: Request) -> Match | None:
    """Name the call that a request makes; None for a request that no AWS client signs."""
    scope = _SCOPE.search(
        request.headers.get("Authorization", "") or request.args.get("X-Amz-Credential", "")
    )
    if scope is None:
        service = _UNSIGNED_ACTIONS.get(request.values.get("Action", ""))
        return None if service is None else _match((service,), request, _call("", "us-east-1"))
    access_key, region, signing_name = scope.groups()
    return _match(_candidates(signing_name, request), request, _call(access_key, region))


@cache
def is_modelled(service: str) -> bool:
    """Whether botocore ships the API description of a service."""
    return service in Loader().list_available_services("service-2")


def _call(access_key: str, region: str) -> Call:
    return Call(service="", operation="", region=region, account=get_account_id_from(access_key))


def _candidates(signing_name: str, request: Request) -> tuple[str, ...]:
    name = signing_name.lower()
    if name == "s3" and request.raw_path.startswith(_S3_CONTROL_PATH):
        return ("s3control",)
    return _SERVICES_BY_SIGNING_NAME.get(name, (name,))


def _match(services: tuple[str, ...], request: Request, call: Call) -> Match:
    for service in filter(is_modelled, services):
        try:
            operation, labels = get_service_router(service).match(request)
        except (NotFound, NotImplementedError):
            continue
        return Match(replace(call, service=service, operation=str(operation.name)), labels)
    return Match(replace(call, service=services[0], operation=_spelled_operation(request)), {})


def _spelled_operation(request: Request) -> str:
    """The operation as the request spells it, for APIs newer than the installed descriptions."""
    if target := _TARGET.search(request.headers.get("X-Amz-Target", "")):
        return target[1]
    if path := _RPC_PATH.search(request.path):
        return path[1]
    return request.values.get("Action") or f"{request.method} {request.path}"
