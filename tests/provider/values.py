"""Values on the wire: msgpack as Terraform writes it, with what is not known yet, to Python's own and back.

May not interpret a value. A value of no fixed type stays the pair of its type and itself, as it came.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypeGuard

import msgpack
from tf.gen import tfplugin_pb2 as pb

__all__ = ["UNKNOWN", "Value", "decoded", "dynamic", "encoded", "has_unknown", "is_unknown", "plain"]

Value: TypeAlias = Any
"""None, a bool, number, text, list, dict with string keys, or what is not known."""

UNKNOWN = msgpack.ExtType(0, b"\x00")


def decoded(message: pb.DynamicValue) -> Value:
    """Read what Terraform sent."""
    if message.msgpack:
        return msgpack.unpackb(message.msgpack, raw=False, strict_map_key=False)
    return json.loads(message.json) if message.json else None


def encoded(value: Value) -> pb.DynamicValue:
    """Write what Terraform is to read."""
    return pb.DynamicValue(msgpack=msgpack.packb(value, use_bin_type=True))


def is_unknown(value: Value) -> TypeGuard[msgpack.ExtType]:
    """Tell whether the value will be known only after something is applied."""
    return isinstance(value, msgpack.ExtType)


def has_unknown(value: Value) -> bool:
    """Tell whether the value, or anything inside, is not known yet."""
    match value:
        case msgpack.ExtType():
            return True
        case Mapping():
            return any(map(has_unknown, value.values()))
        case list():
            return any(map(has_unknown, value))
        case _:
            return False


def dynamic(value: Value) -> Value:
    """Make the value of an argument of no fixed type: the pair of its type and itself."""
    return None if value is None else [json.dumps(_type_of(value)).encode(), value]


def plain(value: Value) -> Value:
    """Take an argument of no fixed type out of its pair; any other value is itself."""
    match value:
        case [bytes(), inner]:
            return inner
        case _:
            return value


def _type_of(value: Value) -> object:
    match value:
        case bool():
            return "bool"
        case str():
            return "string"
        case int() | float():
            return "number"
        case Mapping():
            return ["object", {key: _type_of(item) for key, item in value.items()}]
        case Sequence():
            return ["tuple", [_type_of(item) for item in value]]
        case _:
            return "dynamic"
