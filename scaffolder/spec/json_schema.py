"""The vocabulary as a JSON Schema (draft 2020-12) for editors.

Generated from the model; refuses what has the wrong structure, and leaves rules over several keys to the loader. With
environments, what an overlay may add is not required of the rest. May not add a rule that the loader lacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias, assert_never

from scaffolder.spec.environments import DOC, ENVIRONMENTS, LOCAL, MOST_ENVIRONMENTS, SHARED_KEYS
from scaffolder.spec.fields import (
    Anything,
    Boolean,
    Choice,
    Cidr,
    Cron,
    Duration,
    Each,
    Either,
    Email,
    Instance,
    Integer,
    Key,
    Kind,
    Number,
    RelativePath,
    Section,
    Str,
    Table,
    default_of,
    keys_of,
    summary_of,
)
from scaffolder.spec.model import ENVIRONMENT_NAME, PlatformSpec

__all__ = ["document_schema", "json_schema"]

DRAFT = "https://json-schema.org/draft/2020-12/schema"

# whole: a spec without environments; base: the rest of one with them; overlay: what an environment merges over it.
Part: TypeAlias = Literal["whole", "base", "overlay"]
Json: TypeAlias = dict[str, object]


def json_schema() -> Json:
    """Build the schema."""
    definitions: dict[str, Json] = {}
    root = _section(PlatformSpec, "base", definitions)
    properties = dict(_mapping(root["properties"]))
    properties[ENVIRONMENTS] = _environments(definitions)
    whole = _reference(PlatformSpec, "whole", definitions)
    return {
        "$schema": DRAFT,
        "title": "Platform spec",
        "description": summary_of(PlatformSpec),
        **root,
        "properties": properties,
        "required": [name for name in SHARED_KEYS if name != ENVIRONMENTS],
        "if": {"not": {"required": [ENVIRONMENTS]}},
        "then": whole,
        "$defs": dict(sorted(definitions.items())),
    }


def document_schema(model: type[object], title: str) -> Json:
    """Build the schema of a document that is one section and has no environments."""
    definitions: dict[str, Json] = {}
    root = _section(model, "whole", definitions)
    return {
        "$schema": DRAFT,
        "title": title,
        "description": summary_of(model),
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def _mapping(value: object) -> Mapping[str, object]:
    assert isinstance(value, Mapping)  # noqa: S101  # made a few lines above
    return value


def _environments(definitions: dict[str, Json]) -> Json:
    overlay = _section(PlatformSpec, "overlay", definitions)
    properties = {
        key: value for key, value in _mapping(overlay["properties"]).items() if key not in SHARED_KEYS
    }
    definitions["PlatformSpec.overlay"] = {**overlay, "properties": properties}
    return {
        "description": DOC,
        "type": "object",
        "propertyNames": {**ENVIRONMENT_NAME.schema(), "not": {"const": LOCAL}},
        "minProperties": 1,
        "maxProperties": MOST_ENVIRONMENTS,
        "additionalProperties": {"anyOf": [{"$ref": "#/$defs/PlatformSpec.overlay"}, {"type": "null"}]},
    }


def _section(model: type[object], part: Part, definitions: dict[str, Json]) -> Json:
    keys = keys_of(model)
    schema: Json = {
        "type": "object",
        "properties": {name: _key(key, part, definitions) for name, key in keys.items()},
        "additionalProperties": False,
    }
    required = [name for name, key in keys.items() if key.required]
    return {**schema, "required": required} if required and part == "whole" else schema


def _key(key: Key, part: Part, definitions: dict[str, Json]) -> Json:
    schema: Json = {"description": key.doc}
    default = default_of(key)
    if not key.required and default is not None:
        schema["default"] = default
    return {**schema, **_value(key.kind, part, definitions)}


def _value(kind: Kind, part: Part, definitions: dict[str, Json]) -> Json:
    """What a key or a name may have; an overlay may take it away."""
    schema = _schema(kind, part, definitions)
    return (
        schema if part != "overlay" or isinstance(kind, Anything) else {"anyOf": [schema, {"type": "null"}]}
    )


def _schema(kind: Kind, part: Part, definitions: dict[str, Json]) -> Json:
    match kind:
        case Anything():
            return {}
        case Each():
            return _list(kind, part, definitions)
        case Either(kinds=kinds):
            return {"anyOf": [_schema(choice, part, definitions) for choice in kinds]}
        case Section(model=model):
            return _reference(model, part, definitions)
        case Table():
            return _table(kind, part, definitions)
        case (
            Str()
            | Boolean()
            | Integer()
            | Number()
            | Choice()
            | Cidr()
            | Cron()
            | Duration()
            | Email()
            | Instance()
            | RelativePath()
        ):
            return dict(kind.schema())
        case _:
            assert_never(kind)


def _list(kind: Each, part: Part, definitions: dict[str, Json]) -> Json:
    return {
        "type": "array",
        "items": _schema(kind.kind, part, definitions),
        "minItems": kind.minimum,
        "maxItems": kind.maximum,
        **({"uniqueItems": True} if kind.unique else {}),
    }


def _table(kind: Table, part: Part, definitions: dict[str, Json]) -> Json:
    return {
        "type": "object",
        "propertyNames": kind.name.schema(),
        "additionalProperties": _value(kind.kind, part, definitions),
        **({"minProperties": kind.minimum} if kind.minimum and part == "whole" else {}),
        "maxProperties": kind.maximum,
    }


def _reference(model: type[object], part: Part, definitions: dict[str, Json]) -> Json:
    name = model.__name__ if part == "whole" else f"{model.__name__}.{part}"
    if name not in definitions:
        definitions[name] = {}
        definitions[name] = {"description": summary_of(model), **_section(model, part, definitions)}
    return {"$ref": f"#/$defs/{name}"}
