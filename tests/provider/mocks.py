"""The ``terraform test`` file that applies a stack with mocked providers, whose answers are the stand-in's.

Terraform makes up eight letters for what is not given here; no real provider takes those for an id. May not know what
a stack's arguments are: a mock's answers are the same for each resource of a type.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stacks.schema.load import shipped_versions
from stacks.schema.model import Argument, Attribute, BlockSchema, BlockType, Mode, NestedAttribute
from tests.provider import azapi
from tests.provider.answers import Answers
from tests.provider.served import Served, is_computed_block
from tests.provider.values import UNKNOWN, Value, plain

__all__ = ["mock_test"]


def mock_test(
    providers: Mapping[str, Sequence[str | None]],
    versions: Mapping[str, str],
    types: Iterable[str],
    nodes: Mapping[str, Mapping[str, Any]],
) -> Mapping[str, Any]:
    """Write the test: one run that applies.

    ``providers`` has the aliases of each; None is its default. ``versions`` are those that are installed, and
    ``nodes`` the resources by type and name.
    """
    known = frozenset(types)
    mocked = {}
    for name, aliases in providers.items():
        shipped = shipped_versions(name)
        version = versions[name] if versions.get(name) in shipped else shipped[-1]
        mock = _mock(Served(name, version, known))
        mocked[name] = [{**mock, **({"alias": alias} if alias else {})} for alias in aliases]
    own = [
        {"target": f"{type_}.{name}", "values": _own(type_, node)}
        for type_ in azapi.RESOURCES
        for name, node in nodes.get(type_, {}).items()
    ]
    test: dict[str, Any] = {"mock_provider": mocked, "run": {"apply": {"command": "apply"}}}
    return {**test, "override_resource": own} if own else test


def _own(type_name: str, node: Mapping[str, Value]) -> Mapping[str, Value]:
    """The answers for one resource, by those of its arguments that hold no expression."""
    literal = {key: value for key, value in node.items() if "${" not in json.dumps(value)}
    answers = azapi.answers(type_name, {"id": UNKNOWN, "output": UNKNOWN, **literal})
    return {key: plain(value) for key, value in answers.items()}


def _mock(served: Served) -> Mapping[str, Any]:
    answers = Answers(served.provider, {})
    modes: tuple[tuple[Mode, str], ...] = (("resource", "mock_resource"), ("data", "mock_data"))
    mocked = {
        word: {name: {"defaults": _defaults(answers, served, mode, name)} for name in served.names(mode)}
        for mode, word in modes
    }
    return {word: types for word, types in mocked.items() if types}


def _defaults(answers: Answers, served: Served, mode: Mode, name: str) -> Mapping[str, Value]:
    body = served.of(mode, name)
    filled = answers.fill(mode, name, body, _blank(body, 0))
    defaults: Mapping[str, Value] = _without_nothing(filled)
    return defaults


def _without_nothing(value: Value) -> Value:
    """Leave out what has no answer: Terraform makes that up."""
    match value:
        case Mapping():
            kept = {key: _without_nothing(plain(item)) for key, item in value.items()}
            return {key: item for key, item in kept.items() if item not in (None, {}, [])}
        case list():
            return [_without_nothing(item) for item in value]
        case _:
            return value


def _blank(body: BlockSchema, depth: int) -> dict[str, Value]:
    """A resource of which nothing is known but that the cloud sets what only it can."""
    blank = {name: _blank_argument(argument, depth) for name, argument in body.arguments.items()}
    return {name: value for name, value in blank.items() if value is not None}


def _blank_argument(argument: Argument, depth: int) -> Value:
    match argument:
        case Attribute(computed=computed):
            return UNKNOWN if computed else None
        case BlockType() if is_computed_block(argument):
            return UNKNOWN
        case NestedAttribute(read_only=True):
            return UNKNOWN
        case BlockType() | NestedAttribute():
            return (_blank(argument.body, depth + 1) or None) if depth < 2 else None
