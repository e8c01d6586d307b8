"""What Azure's own generated clients say of its services: routes, parameters, and the members of requests and replies.

Read from the packages azure-ai-ml (private there, so the lock pins it), azure-mgmt-storage and azure-mgmt-monitor. May not
know a state.
"""

from __future__ import annotations

import datetime as dt
import inspect
import re
import sys
import types
import typing
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import import_module
from typing import Any

__all__ = ["Operation", "Problems", "find_operation", "model", "problems_of"]

with warnings.catch_warnings():
    # The SDK is built with a marshmallow that it is too old for.
    warnings.simplefilter("ignore")
    import_module("azure.ai.ml._restclient.arm_ml_service.models")

BUILDER = re.compile(
    r"^def build_(\w+)_request\((.*?)^    return HttpRequest\(method=\"(\w+)\"", re.DOTALL | re.MULTILINE
)
URL = re.compile(r"^    _url = (?:\(\s*)?((?:\"[^\"]*\"\s*(?:#[^\n]*)?\s*)+)", re.MULTILINE)
QUERY = re.compile(r"_params\[\"([^\"]+)\"\] = ")
VERSION = re.compile(r"_params\.pop\(\"api-version\", \"([^\"]+)\"\)|api-version\", \"([^\"]+)\"")
PATTERN = re.compile(r"_SERIALIZER\.url\(\s*\"\w+\",\s*\w+,\s*\"\w+\"(.*?)\),?$", re.MULTILINE)
SERVICES = (
    "azure.ai.ml._restclient.arm_ml_service",
    "azure.ai.ml._restclient.runhistory",
    "azure.mgmt.storage",
)
DURATION = re.compile(r"P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")

Problems = Iterator[str]


@dataclass(frozen=True)
class Operation:
    """One operation of a service: where it is, and of what models its request and its reply are."""

    name: str
    method: str
    route: re.Pattern[str]
    parameters: frozenset[str]
    version: str
    body: type | None
    reply: type | None
    listed: bool


# --- routes ----------------------------------------------------------------------------------------------------------


@cache
def _operations(service: str) -> tuple[Operation, ...]:
    module = import_module(f"{service}.operations._operations")
    source = inspect.getsource(module)
    groups = {
        re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.removesuffix("Operations")).lower(): kind
        for name, kind in vars(module).items()
        if name.endswith("Operations") and inspect.isclass(kind)
    }
    found = []
    for name, text, method in BUILDER.findall(source):
        group = max((it for it in groups if name.startswith(f"{it}_")), key=len, default="")
        models = import_module(f"{service}.models")
        body, reply, listed = _models_of(groups.get(group), name.removeprefix(f"{group}_"), models)
        found.append(_operation(name, text, method, body, reply, listed=listed))
    return tuple(found)


def _operation(
    name: str, text: str, method: str, body: type | None, reply: type | None, *, listed: bool
) -> Operation:
    parts = URL.search(text)
    assert parts is not None, name
    path = "".join(re.findall(r"\"([^\"]*)\"", parts[1]))
    route = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path))
    version = VERSION.search(text)
    return Operation(
        name=name,
        method=method,
        route=re.compile(route, re.IGNORECASE),
        parameters=frozenset(QUERY.findall(text)),
        version=next(filter(None, version.groups())) if version else "",
        body=body,
        reply=reply,
        listed=listed,
    )


def _models_of(
    group: type | None, method: str, models: types.ModuleType
) -> tuple[type | None, type | None, bool]:
    """The models of a method's body and reply, from its signature; ``listed`` where it gives many, page by page."""
    called = getattr(group, method, None) or getattr(group, f"begin_{method}", None)
    if called is None:
        return None, None, False
    signature = inspect.signature(inspect.unwrap(called))
    bodies = [_model_in(it.annotation, models) for it in signature.parameters.values()]
    returned = signature.return_annotation
    listed = "Paged" in str(returned)
    return next(filter(None, bodies), None), _model_in(returned, models), listed


def _model_in(annotation: Any, models: types.ModuleType) -> type | None:
    """The first model inside an annotation."""
    name = annotation.__forward_arg__ if isinstance(annotation, typing.ForwardRef) else annotation
    if isinstance(name, str):
        annotation = getattr(models, name.removeprefix("_models."), None)
    if _is_model(annotation):
        return typing.cast("type", annotation)
    for inner in typing.get_args(annotation):
        found = _model_in(inner, models)
        if found is not None:
            return found
    return None


def _is_model(kind: Any) -> bool:
    return inspect.isclass(kind) and any(base.__name__ == "_MyMutableMapping" for base in kind.__mro__)


def find_operation(method: str, path: str) -> Operation | None:
    """Find the operation that a request is for."""
    for service in SERVICES:
        for operation in _operations(service):
            if operation.method == method and operation.route.fullmatch(path):
                return operation
    return None


def model(service: str, name: str) -> type:
    """A model of a service by its name."""
    return typing.cast("type", getattr(import_module(f"{service}.models"), name))


# --- members ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Member:
    hint: Any
    read_only: bool
    required: bool
    attribute: str


@cache
def _members(kind: type) -> Mapping[str, _Member]:
    """The members by their names in JSON."""
    module = sys.modules[kind.__module__]
    names = {**vars(module), "_models": import_module(kind.__module__.rpartition(".")[0]), "datetime": dt}
    found: dict[str, _Member] = {}
    for owner in reversed(kind.__mro__):
        for attribute, hint in vars(owner).get("__annotations__", {}).items():
            field: Any = vars(owner).get(attribute)
            if type(field).__name__ != "_RestField":
                continue
            whole = _resolved(hint, names)
            visible = field._visibility  # noqa: SLF001 - the only place that says it
            read_only = visible == ["read"]
            optional = type(None) in typing.get_args(whole)
            name = field._rest_name_input or attribute  # noqa: SLF001 - as above
            found[name] = _Member(whole, read_only, not optional and not read_only, attribute)
    return found


def _resolved(hint: Any, names: Mapping[str, Any]) -> Any:
    if isinstance(hint, str):
        hint = eval(hint, dict(names))  # noqa: S307 - of the SDK's own source
    if isinstance(hint, typing.ForwardRef):
        return _resolved(hint.__forward_arg__, names)
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is None or origin is typing.Literal:
        return hint
    resolved = tuple(_resolved(it, names) for it in inner)
    if origin is typing.Union or origin is types.UnionType:
        return typing.Union[resolved]  # noqa: UP007 - made of what is only known here
    return origin[resolved] if len(resolved) > 1 else origin[resolved[0]]


def _discriminated(kind: Any, value: Mapping[str, Any], *, attributes: bool) -> tuple[type | None, str]:
    """The model that a value says it is of, where a model has several; and what is wrong with that."""
    mapping = {name: it for name, it in (vars(kind).get("__mapping__") or {}).items() if _is_model(it)}
    if not mapping:
        return kind, ""
    for rest, member in _members(kind).items():
        said = value.get(member.attribute if attributes else rest)
        if isinstance(said, str) and said in mapping:
            return _discriminated(mapping[said], value, attributes=attributes)[0], ""
    return None, f"says of no kind that there is of {kind.__name__}: {sorted(mapping)}"


def problems_of(
    kind: Any, value: Any, where: str = "", *, writing: bool, attributes: bool = False
) -> Problems:
    """Yield what a model does not allow of a value; with ``attributes`` its members have the names they have in Python."""
    if not isinstance(value, dict):
        yield f"{where or kind.__name__} is no object"
        return
    chosen, problem = _discriminated(kind, value, attributes=attributes)
    if chosen is None:
        yield f"{where} {problem}"
        return
    members = _members(chosen)
    if attributes:
        members = {it.attribute: it for it in members.values()}
    for name, inner in value.items():
        here = f"{where}.{name}" if where else name
        member = members.get(name)
        if member is None:
            yield f"{here} is no member of {chosen.__name__}"
        elif member.read_only and writing:
            yield f"{here} is read-only"
        elif inner is not None or member.required:
            yield from _of_hint(member.hint, inner, here, writing=writing, attributes=attributes)
    for name, member in members.items():
        if member.required and value.get(name) is None:
            yield f"{where or chosen.__name__} has no {name}, which is required"


SCALARS: Mapping[Any, tuple[type, ...]] = {str: (str,), int: (int,), float: (int, float), bool: (bool,)}


def _of_hint(hint: Any, value: Any, where: str, *, writing: bool, attributes: bool) -> Problems:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or value is None:
        return
    if origin is typing.Union or origin is types.UnionType:
        yield from _of_union(
            [it for it in inner if it is not type(None)], value, where, writing=writing, attributes=attributes
        )
    elif origin is typing.Literal:
        if value not in [getattr(it, "value", it) for it in inner]:
            yield f"{where} is {value!r}, and has to be {inner[0]}"
    elif origin in (dict, list):
        yield from _of_many(origin, inner[-1], value, where, writing=writing, attributes=attributes)
    elif _is_model(hint):
        yield from problems_of(hint, value, where, writing=writing, attributes=attributes)
    elif inspect.isclass(hint) and issubclass(hint, Enum):
        if value not in {it.value for it in hint}:
            yield f"{where} is {value!r}, which is none of {hint.__name__}"
    else:
        yield from _of_scalar(hint, value, where)


def _of_many(kind: type, inner: Any, value: Any, where: str, *, writing: bool, attributes: bool) -> Problems:
    if not isinstance(value, kind):
        yield f"{where} is no {kind.__name__}"
        return
    many: Any = value
    pairs: Iterator[tuple[Any, Any]] = iter(many.items() if kind is dict else enumerate(many))
    for key, it in pairs:
        yield from _of_hint(inner, it, f"{where}[{key}]", writing=writing, attributes=attributes)


def _of_union(kinds: Sequence[Any], value: Any, where: str, *, writing: bool, attributes: bool) -> Problems:
    """An enum that may grow is written as itself or a text: it is held to what it has today."""
    enums = [it for it in kinds if inspect.isclass(it) and issubclass(it, Enum)]
    wanted = enums or [it for it in kinds if it is not str] or list(kinds)
    yield from _of_hint(wanted[0], value, where, writing=writing, attributes=attributes)


def _of_scalar(hint: Any, value: Any, where: str) -> Problems:
    if hint is dt.timedelta:
        if not isinstance(value, str) or DURATION.fullmatch(value) is None:
            yield f"{where} is {value!r}, and no duration"
    elif hint is dt.datetime:
        try:
            dt.datetime.fromisoformat(value)
        except (TypeError, ValueError):
            yield f"{where} is {value!r}, and no time"
    elif hint in SCALARS:
        fits = isinstance(value, SCALARS[hint]) and (hint is bool or not isinstance(value, bool))
        if not fits:
            yield f"{where} is {value!r}, and no {hint.__name__}"
