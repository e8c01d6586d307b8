"""Where an adapter writes words of its cloud's requests, and an adapter's syntax tree with one of them mistyped.

A rule decides what counts, and no list by hand: keys of dictionaries whose keys the description all knows, but for maps,
whose keys are the user's own; arguments by name of calls that are not this project's; names of operations; and values of
the enum that the description gives a key. A table from words of the port to a cloud's counts by its values, where they are
all of one enum; the other way round it is read, and not sent.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal

from tests.operations.mutation.words import Words

__all__ = ["SPY", "Site", "mistyped", "sites_in", "spied", "typo"]

SPY = "__word_is_used__"
"""The function that a spied module tells when it uses a word."""
OURS = ("scaffolder", "stacks")


@dataclass(frozen=True, slots=True)
class Site:
    """One word of a request in a module's source; ``number`` counts the module's.

    ``constant``: it is used when the module is imported, and again by whoever reads the table that it is in.
    """

    module: str
    number: int
    line: int
    kind: Literal["key", "argument", "value", "operation"]
    word: str
    constant: bool

    def __str__(self) -> str:
        return f"{self.module}:{self.line} {self.kind} {self.word!r}"


Found = tuple[Literal["key", "argument", "value", "operation"], "ast.Constant | ast.keyword", str]


def sites_in(module: str, source: str, words: Words) -> list[Site]:
    """List a module's sites, in the order of its tree."""
    tree = ast.parse(source)
    inside = {
        id(node) for each in ast.walk(tree) if isinstance(each, ast.FunctionDef) for node in ast.walk(each)
    }
    return [
        Site(module, number, node.lineno, kind, word, constant=id(node) not in inside)
        for number, (kind, node, word) in enumerate(_found(tree, words))
    ]


def typo(site: Site, words: Words, random: Random) -> str:
    """Mistype a word: a letter less, two letters swapped, or a letter of the other case."""
    known = words.members | words.operations | {value for one in words.values.values() for value in one}
    word, made = site.word, set()
    for place, letter in enumerate(word):
        made.add(word[:place] + word[place + 1 :])
        made.add(word[:place] + letter.swapcase() + word[place + 1 :])
        made.add(word[:place] + word[place + 1 : place + 2] + letter + word[place + 2 :])
    return random.choice(sorted(one for one in made - known if one.isidentifier() or site.kind != "argument"))


def mistyped(source: str, site: Site, word: str, words: Words) -> ast.Module:
    """Return a module's tree with another word at a site."""
    tree = ast.parse(source)
    _, node, _ = _found(tree, words)[site.number]
    if isinstance(node, ast.keyword):
        node.arg = word
    else:
        node.value = word
    return tree


def spied(source: str, module: str, words: Words) -> ast.Module:
    """Return a module's tree that tells ``SPY`` of each word that it uses."""
    tree = ast.parse(source)
    numbers = {id(node): number for number, (_, node, _) in enumerate(_found(tree, words))}
    _Spying(module, numbers).visit(tree)
    return ast.fix_missing_locations(tree)


class _Spying(ast.NodeTransformer):
    def __init__(self, module: str, numbers: Mapping[int, int]) -> None:
        self._module = module
        self._numbers = numbers

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return self._wrapped(node, node)

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        self.generic_visit(node)
        node.value = self._wrapped(node, node.value)
        return node

    def _wrapped(self, site: ast.AST, value: ast.expr) -> ast.expr:
        if id(site) not in self._numbers:
            return value
        told = [ast.Constant(self._module), ast.Constant(self._numbers[id(site)]), value]
        return ast.copy_location(ast.Call(ast.Name(SPY, ast.Load()), told, []), value)


def _found(tree: ast.Module, words: Words) -> list[Found]:
    return [*_Walk(tree, words).statements(tree.body, constant=True)]


class _Walk:
    """Looks for words, from the outside in."""

    def __init__(self, tree: ast.Module, words: Words) -> None:
        self._words = words
        self._maps = words.only_maps()
        self._own = {*dir(builtins), "self", "cls", *_own_names(tree)}

    def statements(self, body: list[ast.stmt], *, constant: bool) -> Iterator[Found]:
        for statement in body:
            match statement:
                case ast.FunctionDef(body=inner):
                    yield from self.statements(inner, constant=False)
                case ast.ClassDef(body=inner):
                    yield from self.statements(inner, constant=True)
                case ast.Assign(value=ast.Dict() as table) | ast.AnnAssign(value=ast.Dict() as table) if (
                    constant
                ):
                    yield from self._table(table)
                case _:
                    yield from self._node(statement)

    def _table(self, table: ast.Dict) -> Iterator[Found]:
        keys = {key.value for key in table.keys if isinstance(key, ast.Constant)}
        if self._is_request(table) and not any(keys <= enum for enum in self._words.enums()):
            yield from self._dict(table, in_map=False)
            return
        if not all(isinstance(key, ast.Attribute) for key in table.keys):
            return
        values = [each for each in table.values if isinstance(each, ast.Constant)]
        written = {str(each.value) for each in values}
        if len(values) == len(table.values) > 1 and any(written <= enum for enum in self._words.enums()):
            yield from (("value", each, str(each.value)) for each in values)

    def _node(self, node: ast.AST) -> Iterator[Found]:
        match node:
            case ast.FunctionDef(body=body) | ast.ClassDef(body=body):
                yield from self.statements(body, constant=False)
                return
            case ast.Dict():
                yield from self._dict(node, in_map=False)
                return
            case ast.Assign(
                targets=[ast.Subscript(slice=ast.Constant(value=str() as key) as word)], value=value
            ):
                if key in self._words.members:
                    yield ("key", word, key)
                    yield from self._values(key, value)
            case ast.Call():
                yield from self._call(node)
        for child in ast.iter_child_nodes(node):
            yield from self._node(child)

    def _call(self, call: ast.Call) -> Iterator[Found]:
        for each in call.args:
            if isinstance(each, ast.Constant) and each.value in self._words.operations:
                yield ("operation", each, str(each.value))
        if _root(call.func) in self._own:
            return
        for argument in call.keywords:
            if argument.arg in self._words.members:
                yield ("argument", argument, argument.arg)
                yield from self._values(argument.arg, argument.value)

    def _dict(self, given: ast.Dict, *, in_map: bool) -> Iterator[Found]:
        request = not in_map and self._is_request(given)
        for key, value in zip(given.keys, given.values, strict=True):
            word = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
            if request and word and isinstance(key, ast.Constant):
                yield ("key", key, word)
                yield from self._values(word, value)
            if isinstance(value, ast.Dict):
                yield from self._dict(value, in_map=word in self._maps)
            else:
                yield from self._node(value)

    def _is_request(self, given: ast.Dict) -> bool:
        keys = [
            key.value for key in given.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
        ]
        return bool(keys) and {*keys} <= self._words.members

    def _values(self, key: str, value: ast.expr) -> Iterator[Found]:
        match value:
            case ast.Constant(value=str() as word) if word in self._words.values.get(key, ()):
                yield ("value", value, word)
            case ast.IfExp(body=one, orelse=other):
                yield from self._values(key, one)
                yield from self._values(key, other)
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                for each in elements:
                    yield from self._values(key, each)


def _own_names(tree: ast.Module) -> Iterator[str]:
    """Names that a module defines, or takes from this project."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.ImportFrom(module=str() as module, names=names) if module.partition(".")[0] in {
                *OURS,
                "dataclasses",
                "datetime",
            }:
                yield from (each.asname or each.name for each in names)


def _root(function: ast.expr) -> str:
    while isinstance(function, ast.Attribute):
        function = function.value
    return function.id if isinstance(function, ast.Name) else ""
