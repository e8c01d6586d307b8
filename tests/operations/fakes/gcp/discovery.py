"""Google's discovery documents as judges of requests and replies: routes, parameters, fields, types, enumerations.

The documents are those of the package google-api-python-client. What they only say in words is taken from the words: a
description that begins with "Required." makes a field required.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, unquote

from google.protobuf.descriptor_pool import Default

__all__ = ["Answered", "Called", "Wrong", "document", "judge_reply", "recognized"]

DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
DURATION = re.compile(r"-?\d+(\.\d{1,9})?s")
NUMBER = re.compile(r"-?\d+")
CLIENT_PARAMETERS = {"$alt", "alt", "fields", "prettyPrint", "quotaUser", "userProject", "uploadType"}


class Wrong(Exception):
    """What a description does not allow: where, and why."""


@dataclass(frozen=True)
class Called:
    """A request that was recognized: a method's id, what stands in its path and query, and its body."""

    method: Mapping[str, Any]
    document: str
    path: Sequence[str]
    query: Mapping[str, Any]
    body: Any

    @property
    def id(self) -> str:
        """The method's id, such as ``aiplatform.projects.locations.models.upload``."""
        return str(self.method["id"])


@dataclass(frozen=True)
class Answered:
    """A reply: JSON, or bytes of some content type."""

    body: Any
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


@cache
def document(name: str) -> Mapping[str, Any]:
    """A discovery document, such as ``aiplatform.v1``."""
    home = files("googleapiclient.discovery_cache.documents")
    found: dict[str, Any] = json.loads(home.joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return found


def _methods(part: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from part.get("methods", {}).values()
    for inner in part.get("resources", {}).values():
        yield from _methods(inner)


Routes = Mapping[tuple[str, int], Sequence[tuple[re.Pattern[str], Mapping[str, Any], bool]]]


@cache
def _routes(name: str) -> Routes:
    described = document(name)
    found: dict[tuple[str, int], list[tuple[re.Pattern[str], Mapping[str, Any], bool]]] = defaultdict(list)
    for method in _methods(described):
        paths = [(described["servicePath"] + method.get("flatPath", method["path"]), False)]
        upload = method.get("mediaUpload", {}).get("protocols", {}).get("simple")
        if upload:
            paths.append((upload["path"].lstrip("/"), True))
        for path, media in paths:
            part = r"([^/]+)" if name.startswith("storage") else r"([^/:]+)"
            pattern = re.compile(re.sub(r"\\\{\\?\+?[^}]+\\\}", part, re.escape(path)))
            found[method["httpMethod"], path.count("/")].append((pattern, method, media))
    return found


def recognized(name: str, verb: str, path: str, query: str, body: bytes, content_type: str) -> Called:
    """Find the method that a request is, and hold the request against its description.

    Raises:
        Wrong: there is no such method, or it does not take that.
    """
    route = path.lstrip("/")
    for pattern, method, media in _routes(name).get((verb, route.count("/")), ()):
        match = pattern.fullmatch(route)
        if match is None:
            continue
        asked = _query(method, query)
        sent: Any = body
        if not media and method.get("request", {}).get("$ref") not in {None, *RAW}:
            sent = _read(body, content_type)
            if "enum-encoding=int" in str(asked.get("$alt", "")):
                sent = spelled(method["request"]["$ref"], sent)
            check = _Check(document(name), reply=False, whole=verb != "PATCH")
            check.ref(method["request"]["$ref"], sent, "body")
        elif not media and method.get("request") is None and body:
            raise Wrong(f"{method['id']} takes no body")
        return Called(method, name, tuple(unquote(it) for it in match.groups()), asked, sent)
    raise Wrong(f"{name} has no {verb} {path}")


PROTOS = ("GoogleCloudAiplatformV1", "google.cloud.aiplatform.v1.")


def spelled(reference: str, body: Any) -> Any:
    """A body with its enumerations by name: the generated clients send numbers, which only the messages know.

    Raises:
        Wrong: a number that its enumeration does not have.
    """
    name = reference.replace(*PROTOS, 1)
    return _spelled(Default().FindMessageTypeByName(name), body, "body")


def _spelled(descriptor: Any, value: Any, where: str) -> Any:
    if isinstance(value, list):
        return [_spelled(descriptor, item, where) for item in value]
    if not isinstance(value, Mapping) or not descriptor.full_name.startswith(PROTOS[1]):
        return value
    if descriptor.GetOptions().map_entry:
        inner = descriptor.fields_by_name["value"]
        return {key: _field(inner, item, f"{where}.{key}") for key, item in value.items()}
    by_name = {field.json_name: field for field in descriptor.fields}
    return {
        key: _field(by_name[key], item, f"{where}.{key}") if key in by_name else item
        for key, item in value.items()
    }


def _field(field: Any, value: Any, where: str) -> Any:
    if field.message_type is not None:
        return _spelled(field.message_type, value, where)
    if field.enum_type is None or not isinstance(value, int):
        return value
    known = field.enum_type.values_by_number.get(value)
    if known is None:
        raise Wrong(f"{where}: {value} is no number of {field.enum_type.name}")
    return known.name


RAW = {"GoogleCloudAiplatformV1RawPredictRequest"}
"""Requests whose body is the bytes of an HttpBody."""


def _read(body: bytes, content_type: str) -> Any:
    if body and not content_type.startswith("application/json"):
        raise Wrong(f"a body of JSON comes as {content_type!r}")
    try:
        return json.loads(body or b"{}")
    except ValueError as odd:
        raise Wrong(f"the body is no JSON: {odd}") from odd


def _query(method: Mapping[str, Any], query: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    known = method.get("parameters", {})
    for name, values in parse_qs(query, keep_blank_values=True).items():
        if name not in known or known[name].get("location") != "query":
            if name in CLIENT_PARAMETERS:
                found[name] = values[0]
                continue
            raise Wrong(f"{method['id']} has no parameter {name!r}")
        shape = known[name]
        if len(values) > 1 and not shape.get("repeated"):
            raise Wrong(f"parameter {name} is given twice")
        for value in values:
            _text_of(shape, value, name)
        found[name] = values if shape.get("repeated") else values[0]
    for name, shape in known.items():
        if shape.get("required") and shape.get("location") == "query" and name not in found:
            raise Wrong(f"{method['id']} needs parameter {name}")
    return found


def _text_of(shape: Mapping[str, Any], value: str, name: str) -> None:
    if "enum" in shape and value not in shape["enum"]:
        raise Wrong(f"parameter {name}: {value!r} is none of {', '.join(shape['enum'])}")
    if shape["type"] == "integer" and not NUMBER.fullmatch(value):
        raise Wrong(f"parameter {name}: {value!r} is no whole number")
    if shape["type"] == "boolean" and value not in {"true", "false"}:
        raise Wrong(f"parameter {name}: {value!r} is no truth value")


def judge_reply(called: Called, body: Any) -> None:
    """Hold a reply against the description.

    Raises:
        Wrong: it does not fit.
    """
    reference = called.method.get("response", {}).get("$ref")
    if reference is None:
        if body not in ({}, None):
            raise Wrong(f"{called.id} answers nothing, not {body!r}")
        return
    _Check(document(called.document), reply=True, whole=False).ref(reference, body, "reply")


class _Check:
    def __init__(self, described: Mapping[str, Any], *, reply: bool, whole: bool) -> None:
        self.schemas = described["schemas"]
        self.reply = reply
        self.whole = whole

    def ref(self, name: str, value: Any, where: str) -> None:
        self.shape(self.schemas[name], value, where)

    def shape(self, shape: Mapping[str, Any], value: Any, where: str) -> None:
        if "$ref" in shape:
            self.ref(shape["$ref"], value, where)
            return
        match shape.get("type", "any"):
            case "object":
                self.object(shape, value, where)
            case "array":
                if not isinstance(value, list):
                    raise Wrong(f"{where} is a list, not {value!r}")
                for number, item in enumerate(value):
                    self.shape(shape["items"], item, f"{where}[{number}]")
            case "any":
                return
            case kind:
                _scalar(shape, kind, value, where)

    def object(self, shape: Mapping[str, Any], value: Any, where: str) -> None:
        if not isinstance(value, Mapping):
            raise Wrong(f"{where} is an object, not {value!r}")
        known, rest = shape.get("properties", {}), shape.get("additionalProperties")
        for name, item in value.items():
            place = f"{where}.{name}"
            if name in known:
                if known[name].get("readOnly") and not self.reply:
                    raise Wrong(f"{place} is the service's own, and no request has it")
                self.shape(known[name], item, place)
            elif rest is not None:
                self.shape(rest, item, place)
            else:
                raise Wrong(f"{place} is unknown")
        if self.whole:
            self.required(known, value, where)

    def required(self, known: Mapping[str, Any], value: Mapping[str, Any], where: str) -> None:
        for name, inner in known.items():
            if re.match(r"(Immutable\. )?Required\.", inner.get("description", "")) and name not in value:
                raise Wrong(f"{where}.{name} is required")


def _scalar(shape: Mapping[str, Any], kind: str, value: Any, where: str) -> None:
    fits = {
        "string": isinstance(value, str),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
    }[kind]
    if not fits:
        raise Wrong(f"{where} is of type {kind}, not {value!r}")
    if "enum" in shape and value not in shape["enum"]:
        raise Wrong(f"{where}: {value!r} is none of {', '.join(shape['enum'])}")
    patterns = {"google-datetime": DATETIME, "date-time": DATETIME, "google-duration": DURATION}
    patterns |= {"int64": NUMBER, "uint64": NUMBER}
    pattern = patterns.get(shape.get("format", "")) if kind == "string" else None
    if pattern is not None and not pattern.fullmatch(value):
        raise Wrong(f"{where}: {value!r} is no {shape['format']}")
