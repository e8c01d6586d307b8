"""Checks what goes over the wire in either direction: requests as they were sent, replies as they are written.

May not decide what is answered.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import botocore.session
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from moto.core.request import Request
from werkzeug.wrappers import Response

from tests.emulator.call import Call, Refusal
from tests.emulator.identify import Match
from tests.emulator.wire import parameters_of, write_error
from tests.operations.fakes.aws.shapes import problems

__all__ = ["described", "refusal", "reply_problems", "request_problems", "written_problems"]


@cache
def _service(name: str) -> Any:
    return botocore.session.Session().get_service_model(name)


def described(call: Call) -> Any:
    """AWS's description of a call's operation; ``None`` where there is none."""
    service = _service(call.service)
    return service.operation_model(call.operation) if call.operation in service.operation_names else None


def refusal(call: Call | None, request: Request, error: Refusal) -> Response:
    """An error as the service writes it; most of AWS's common errors are in no description, of which moto warns."""
    with warnings.catch_warnings(action="ignore"):
        return write_error(call, request, error)


def request_problems(match: Match, request: Request) -> tuple[Mapping[str, Any], list[str]]:
    """A request's parameters, and what its description says against them."""
    operation = described(match.call)
    shape = operation.input_shape
    if operation.service_model.protocol == "json":
        sent = json.loads(request.data or b"{}")
        return sent, [*problems(shape, sent)] if shape else []
    parameters = parameters_of(match, request)
    found = [*problems(shape, parameters)] if shape else []
    return parameters, [*found, *_unread(operation, parameters, request)]


def _unread(operation: Any, parameters: Mapping[str, object], request: Request) -> Iterator[str]:
    """What a request has that its parameters do not: names that no description knows are read by nobody."""
    protocol = operation.service_model.protocol
    if protocol in {"query", "ec2"}:
        again = create_serializer(protocol, include_validation=False).serialize_to_request(
            dict(parameters), operation
        )
        sent = {name for name, _ in parse_qsl(request.get_data(as_text=True), keep_blank_values=True)}
        yield from (f".{name} is unknown" for name in sorted(sent - set(again["body"])))
    if protocol == "rest-json" and request.data and not _payload(operation):
        known = {
            member.serialization.get("name", name) for name, member in operation.input_shape.members.items()
        }
        yield from (f".{name} is unknown" for name in sorted(set(json.loads(request.data)) - known))
    if protocol == "rest-xml" and request.data and _payload(operation) and request.data.startswith(b"<"):
        again = create_serializer(protocol, include_validation=False).serialize_to_request(
            dict(parameters), operation
        )
        spare = _tags(request.data) - _tags(again["body"])
        yield from (f".{name} is unknown" for name in sorted(spare))


def _payload(operation: Any) -> bool:
    return bool(operation.input_shape is not None and operation.input_shape.serialization.get("payload"))


def _tags(document: bytes) -> Counter[str]:
    tree = ET.fromstring(document)  # noqa: S314 - what our own client sent
    return Counter(element.tag.rpartition("}")[2] for element in tree.iter())


def written_problems(call: Call, result: Mapping[str, object]) -> list[str]:
    """What a description says against an answer of ours."""
    shape = described(call).output_shape
    return [*problems(shape, result)] if shape is not None else []


def reply_problems(call: Call, response: Response) -> list[str]:
    """What a description says against a reply of moto's."""
    operation = described(call)
    shape = operation.output_shape
    if shape is None or response.status_code >= 300:
        return []
    if shape.serialization.get("payload") or getattr(shape, "has_streaming_output", False):
        return []
    parsed = create_parser(operation.service_model.protocol).parse(
        {
            "headers": {name.lower(): value for name, value in response.headers.items()},
            "status_code": response.status_code,
            "body": response.get_data(),
            "context": {"operation_name": call.operation},
        },
        shape,
    )
    parsed.pop("ResponseMetadata", None)
    return [*problems(shape, parsed)]
