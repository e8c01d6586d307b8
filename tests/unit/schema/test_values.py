from __future__ import annotations

import pytest

from stacks.graph import JsonText, RemoteRef, Value
from stacks.schema.model import parse_type
from stacks.schema.values import converts, described, dotted, literal_fits


@pytest.mark.parametrize(
    ("source", "target", "fits"),
    [
        ("string", "string", True),
        ("number", "string", True),
        ("string", "bool", True),
        ("bool", "number", False),
        ("any", "list(string)", True),
        ("list(string)", "any", True),
        ("list(string)", "set(number)", True),
        ("list(bool)", "set(number)", False),
        ("map(string)", "list(string)", False),
        ("list(string)", "string", False),
        ("object({a=string,b=number})", "object({a=string})", True),
        ("object({a=string})", "object({a=string,b=number})", False),
        ("object({a=string,b=number})", "map(string)", True),
        ("object({a=string,b=list(string)})", "map(string)", False),
        ("map(string)", "object({a=number})", True),
        ("map(bool)", "object({a=number})", False),
        ("object({})", "string", False),
    ],
)
def test_types_convert_as_in_terraform(source: str, target: str, *, fits: bool) -> None:
    assert converts(parse_type(source), parse_type(target)) is fits


@pytest.mark.parametrize(
    ("value", "type_", "fits"),
    [
        ("-1.5e3", "number", True),
        ("1_0", "number", False),
        (3, "string", True),
        (3, "any", True),
        ("1", "bool", True),
        ("yes", "bool", False),
        (0, "bool", False),
        ("a", "list(string)", False),
    ],
)
def test_literals_fit_as_in_terraform(value: str | float, type_: str, *, fits: bool) -> None:
    assert literal_fits(parse_type(type_), value) is fits


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (False, "false"),
        (1.5, "1.5"),
        (RemoteRef("network", "vpc"), "output vpc of stack network"),
        (JsonText({}), "a JSON text"),
        ({}, "a map"),
        ((), "a list"),
    ],
)
def test_a_value_is_called_by_a_few_words(value: Value, words: str) -> None:
    assert described(value) == words


def test_a_path_is_written_as_in_terraform() -> None:
    assert dotted(("rule", 0, "filter", "prefix")) == "rule[0].filter.prefix"
    assert dotted(()) == ""
