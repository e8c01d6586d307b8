"""Reads parameters from requests and writes results and errors, in each service's own protocol.

May not decide what is answered. Uses moto's parsers and serializers, which follow botocore's descriptions.
"""

from __future__ import annotations

import json
import uuid
from typing import cast

from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.wrappers import Response

from tests.emulator.call import Call, Refusal, Result
from tests.emulator.identify import Match, is_modelled

__all__ = ["parameters_of", "write_error", "write_result"]


def parameters_of(match: Match, request: Request) -> dict[str, object]:
    """The request's parameters under the names that the service's API description gives them."""
    service = get_service_model(match.call.service)
    operation = service.operation_model(match.call.operation)
    parser = PROTOCOL_PARSERS[_protocol(service, request)](operation)
    parsed = parser.parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.data,
            "url_path": request.path,
            "url_params": dict(match.labels),
        }
    )
    return dict(cast("dict[str, object]", parsed))


def write_result(call: Call, request: Request, result: Result) -> Response:
    """A success; members that the operation's output does not have are left out."""
    return _serialized(call, request, result)


def write_error(call: Call | None, request: Request, refusal: Refusal) -> Response:
    """An error; its status comes from the service's API description, and is 400 for codes that it lacks."""
    if call is None or not is_modelled(call.service):
        body = json.dumps({"__type": refusal.code, "message": refusal.message})
        return Response(body, 400, {"x-amzn-ErrorType": refusal.code}, content_type="application/json")
    return _serialized(call, request, refusal)


def _serialized(call: Call, request: Request, result: object) -> Response:
    service = get_service_model(call.service)
    serializer = get_serializer_class(service.service_name, _protocol(service, request))
    written = serializer(operation_model=_operation(service, call.operation)).serialize(result)
    headers = {**written["headers"], "x-amzn-RequestId": str(uuid.uuid4())}
    return Response(written["body"], written["status_code"], headers)


def _operation(service: ServiceModel, name: str) -> OperationModel:
    if name not in service.operation_names:
        return OperationModel({}, service)
    return cast("OperationModel", service.operation_model(name))


def _protocol(service: ServiceModel, request: Request) -> str:
    try:
        return determine_request_protocol(service, request.content_type)
    except NotImplementedError:
        return str(service.protocol)
