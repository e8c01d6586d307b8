"""Any valid node passes, and any one mistake at any depth of it is found, for every type that is shipped."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import NamedTuple

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from stacks.graph import Address, Mode, Node, Value
from stacks.schema.check import Path, Problem, check_node
from stacks.schema.load import Schemas, open_pack
from stacks.schema.model import (
    Attribute,
    BlockSchema,
    BlockType,
    Collection,
    NestedAttribute,
    ObjectType,
    Scalar,
    Type,
)

VERSION = "5.100.0"
SCHEMAS = Schemas({"aws": VERSION})
MODES: tuple[Mode, ...] = ("resource", "data")
TYPES = [(mode, name) for mode in MODES for name in open_pack("aws", VERSION).names(mode)]
MANY = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.too_slow],
)
DEEPEST = 3

Body = MutableMapping[str, "Value"]


class Place(NamedTuple):
    """A body of arguments inside a node: where it is, what may stand there, what does."""

    path: Path
    schema: BlockSchema
    values: Body


class Made(NamedTuple):
    node: Node
    places: list[Place]


@st.composite
def made(draw: st.DrawFn) -> Made:
    """A valid node of any type, and every body inside it."""
    mode, name = draw(st.sampled_from(TYPES))
    places: list[Place] = []
    arguments = _body(draw, SCHEMAS.of(mode, name).block, (), places)
    return Made(Node(address=Address(mode, name, "x"), arguments=arguments, origin="a test"), places)


def _body(draw: st.DrawFn, schema: BlockSchema, path: Path, places: list[Place]) -> Body:
    values: Body = {}
    places.append(Place(path, schema, values))
    free = [name for name in schema.settable() if name not in schema.required and (path or name != "id")]
    chosen = (
        draw(st.lists(st.sampled_from(free), max_size=3, unique=True)) if free and len(path) < DEEPEST else []
    )
    for name in [*schema.required, *chosen]:
        argument = schema.arguments[name]
        if isinstance(argument, Attribute):
            values[name] = draw(_values(argument.type))
        elif isinstance(argument, BlockType):
            values[name] = _blocks(draw, argument, (*path, name), places)
    return values


def _blocks(draw: st.DrawFn, block: BlockType, path: Path, places: list[Place]) -> Value:
    if block.nesting == "single" or (block.max_items == 1 and draw(st.booleans())):
        return _body(draw, block.body, path, places)
    count = max(1, block.min_items)
    return [_body(draw, block.body, (*path, at), places) for at in range(count)]


def _values(type_: Type) -> st.SearchStrategy[Value]:
    match type_:
        case Scalar(kind="string"):
            return st.one_of(st.text(max_size=5), st.integers(), st.booleans())
        case Scalar(kind="number"):
            return st.one_of(
                st.integers(), st.integers().map(str), st.floats(allow_nan=False, allow_infinity=False)
            )
        case Scalar(kind="bool"):
            return st.sampled_from([True, False, "true", "false"])
        case Scalar():
            return st.just({"any": ["thing"]})
        case Collection(kind="map", element=element):
            return st.dictionaries(st.text("abc", min_size=1), _values(element), max_size=2)
        case Collection(element=element):
            return st.lists(_values(element), max_size=2)
        case ObjectType(attributes=attributes):
            return st.fixed_dictionaries({name: _values(of) for name, of in attributes.items()})


def _wrong_value(type_: Type) -> Value:
    match type_:
        case Scalar(kind="string"):
            return ["a list"]
        case Scalar():
            return "neither a number nor a bool"
        case Collection(kind="map"):
            return ["a list"]
        case Collection():
            return {"a": "map"}
        case ObjectType():
            return "a string"


def _problems(node: Node) -> list[Problem]:
    return check_node(node, SCHEMAS, ())


@MANY
@given(made())
def test_a_valid_node_has_no_problems(valid: Made) -> None:
    assert _problems(valid.node) == []


@MANY
@given(made(), st.data())
def test_a_renamed_argument_is_unknown(valid: Made, data: st.DataObject) -> None:
    filled = [place for place in valid.places if place.values]
    assume(filled)
    place = data.draw(st.sampled_from(filled))
    name = data.draw(st.sampled_from(sorted(place.values)))
    place.values[f"{name}_renamed"] = place.values.pop(name)
    found = {(problem.path, problem.code): problem for problem in _problems(valid.node)}
    unknown = found.pop(((*place.path, f"{name}_renamed"), "unknown-argument"))
    assert unknown.message.startswith(f'"{name}_renamed" is not an argument of ')
    lost = {((*place.path, name), code) for code in ("missing-argument", "too-few-blocks")}
    assert len(found) == (name in place.schema.required)
    assert set(found) <= lost


@MANY
@given(made(), st.data())
def test_a_dropped_argument_is_missing(valid: Made, data: st.DataObject) -> None:
    needed = [(place, name) for place in valid.places for name in place.schema.required]
    assume(needed)
    place, name = data.draw(st.sampled_from(needed))
    if data.draw(st.booleans()):
        del place.values[name]
    else:
        place.values[name] = None
    (problem,) = _problems(valid.node)
    code = "too-few-blocks" if place.schema.is_block(name) else "missing-argument"
    assert (problem.path, problem.code) == ((*place.path, name), code)


@MANY
@given(made(), st.data())
def test_a_value_of_another_type_is_wrong(valid: Made, data: st.DataObject) -> None:
    typed = [
        (place, name) for place in valid.places for name in sorted(place.values) if _is_typed(place, name)
    ]
    assume(typed)
    place, name = data.draw(st.sampled_from(typed))
    argument = place.schema.arguments[name]
    place.values[name] = _wrong_value(argument.type) if isinstance(argument, Attribute) else "a string"
    (problem,) = _problems(valid.node)
    assert (problem.path, problem.code) == ((*place.path, name), "wrong-type")


@MANY
@given(made(), st.data())
def test_what_the_provider_sets_cannot_be_given(valid: Made, data: st.DataObject) -> None:
    computed = [
        (place, name)
        for place in valid.places
        for name in place.schema.arguments
        if _is_read_only(place, name)
    ]
    assume(computed)
    place, name = data.draw(st.sampled_from(computed))
    place.values[name] = "given"
    (problem,) = _problems(valid.node)
    assert (problem.path, problem.code) == ((*place.path, name), "read-only")


@MANY
@given(made(), st.data())
def test_a_block_too_many_is_found(valid: Made, data: st.DataObject) -> None:
    limited = [(place, name) for place in valid.places for name in sorted(place.values) if _most(place, name)]
    assume(limited)
    place, name = data.draw(st.sampled_from(limited))
    value = place.values[name]
    one = value[0] if isinstance(value, list) else value
    most = _most(place, name)
    assume(most <= 50)
    place.values[name] = [one] * (most + 1)
    (problem,) = _problems(valid.node)
    assert (problem.path, problem.code) == ((*place.path, name), "too-many-blocks")


def _is_typed(place: Place, name: str) -> bool:
    argument = place.schema.arguments[name]
    return not (isinstance(argument, Attribute) and argument.type == Scalar("any"))


def _is_read_only(place: Place, name: str) -> bool:
    argument = place.schema.arguments[name]
    return isinstance(argument, Attribute | NestedAttribute) and argument.read_only


def _most(place: Place, name: str) -> int:
    match place.schema.arguments[name]:
        case BlockType(nesting="single"):
            return 1
        case BlockType(max_items=int(most)):
            return most
        case _:
            return 0
