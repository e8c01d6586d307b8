"""Records as JSON and back: what a run was started with, for the process that does it.

Only the types listed here are read back. May not know a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from stacks import intents, pipelines

__all__ = ["from_json", "to_json"]

Json = Any

_TYPES: Mapping[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        *intents.INTENT_TYPES,
        intents.DeniedTopic,
        intents.GuardedPattern,
        intents.Override,
        intents.Platform,
        intents.StateBackend,
        intents.Target,
        pipelines.BucketPath,
        pipelines.CodeFolder,
        pipelines.Gate,
        pipelines.Output,
        pipelines.Parameter,
        pipelines.PathOf,
        pipelines.PipelineDefinition,
        pipelines.Register,
        pipelines.Run,
        pipelines.Step,
        pipelines.StepOutput,
        pipelines.UriOf,
        pipelines.ValueOf,
    )
}


def to_json(value: object) -> Json:
    """Write a record, or what a record may hold, as JSON."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case tuple() | list():
            return [to_json(each) for each in value]
        case Mapping():
            return {"map": {str(name): to_json(each) for name, each in value.items()}}
        case _:
            kind: Any = value
            of = {each.name: to_json(getattr(value, each.name)) for each in fields(kind)}
            return {"is": type(value).__name__, "of": of}


def from_json(value: Json) -> Any:
    """Read what :func:`to_json` wrote; lists become tuples.

    Raises:
        ValueError: it names a type that is not listed, or is nothing that was written here.
    """
    match value:
        case list():
            return tuple(from_json(each) for each in value)
        case {"map": dict(entries)}:
            return {name: from_json(each) for name, each in entries.items()}
        case {"is": str(name), "of": dict(entries)} if name in _TYPES:
            return _TYPES[name](**{each: from_json(inner) for each, inner in entries.items()})
        case dict():
            raise ValueError(f"no record: {sorted(value)}")
        case _:
            return value
