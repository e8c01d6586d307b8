"""What a template's text mentions, by its syntax alone: names, lines, and what makes two renderings differ.

Nothing is rendered. May not know which names there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from jinja2 import Environment, TemplateSyntaxError, nodes

from stacks.record import record

__all__ = ["Mention", "Mentions", "mentions_of"]

NAMESPACE: Final = "cookiecutter"
OPTIONAL_TESTS: Final = frozenset({"defined", "undefined"})
OPTIONAL_FILTERS: Final = frozenset({"default", "d"})
CHANCE_NAMES: Final = frozenset({"uuid4", "random_ascii_string", "lipsum"})
NOW: Final = re.compile(r"{%[-+]?\s*now\b")
IMPLICIT: Final = frozenset({"loop", "caller", "varargs", "kwargs", "self", "super"})
OF_A_MAPPING: Final = frozenset({"items", "keys", "values", "get", "copy"})


@record
class Mention:
    """A name in a text, and its line. ``optional`` is one that the text asks whether it is there."""

    name: str
    line: int
    optional: bool = False


@record
class Mentions:
    """What a text mentions: names below ``cookiecutter``, names of nothing that is there, chances; or why it is no Jinja."""

    answers: tuple[Mention, ...] = ()
    others: tuple[Mention, ...] = ()
    chances: tuple[Mention, ...] = ()
    everything: bool = False
    """Whether it takes ``cookiecutter`` as a whole, so that any answer may matter."""
    problem: str = ""
    line: int = 1


def mentions_of(text: str, environment: Environment) -> Mentions:
    """Look through a text. Names that a text sets itself, and those of Jinja's own, are left out."""
    try:
        tree = environment.parse(text)
    except TemplateSyntaxError as error:
        return Mentions(problem=error.message or "it is no Jinja", line=error.lineno)
    except RecursionError:
        return Mentions(problem="it is too deeply nested")
    optional = {id(below) for asked in _asking(tree) for below in (asked, *asked.find_all(nodes.Node))}
    answers, namespaces = [], set()
    parts: list[nodes.Getattr | nodes.Getitem] = [
        *tree.find_all(nodes.Getattr),
        *tree.find_all(nodes.Getitem),
    ]
    for node in parts:
        if not (isinstance(node.node, nodes.Name) and node.node.name == NAMESPACE):
            continue
        name = node.attr if isinstance(node, nodes.Getattr) else _constant(node.arg)
        if name is not None and name not in OF_A_MAPPING:
            namespaces.add(id(node.node))
            answers.append(Mention(name=name, line=node.lineno, optional=id(node) in optional))
    names = [*tree.find_all(nodes.Name)]
    free = {node.name for node in names if node.ctx == "load"} - _own_names(tree, names)
    free -= {NAMESPACE, *IMPLICIT, *environment.globals}
    return Mentions(
        answers=tuple(answers),
        others=tuple(
            Mention(name=node.name, line=node.lineno, optional=id(node) in optional)
            for node in names
            if node.name in free and node.ctx == "load"
        ),
        chances=tuple(sorted(_chances(tree, text), key=lambda mention: (mention.line, mention.name))),
        everything=any(node.name == NAMESPACE and id(node) not in namespaces for node in names),
    )


def _own_names(tree: nodes.Template, names: list[nodes.Name]) -> set[str]:
    """Names that a text gives itself, perhaps not on each way: what a rendering shows.

    Jinja's own search for names (``meta``) is not used: it works out what is constant, and that may take for ever.
    """
    own = {node.name for node in names if node.ctx != "load"}
    own |= {macro.name for macro in tree.find_all(nodes.Macro)}
    own |= {imported.target for imported in tree.find_all(nodes.Import)}
    for taken in tree.find_all(nodes.FromImport):
        own |= {each if isinstance(each, str) else each[1] for each in taken.names}
    return own


def _asking(tree: nodes.Template) -> Iterator[nodes.Expr]:
    """What a text asks whether it is there, or says what to take instead of."""
    for test in tree.find_all(nodes.Test):
        if test.name in OPTIONAL_TESTS:
            yield test.node
    for taken in tree.find_all(nodes.Filter):
        if taken.name in OPTIONAL_FILTERS and taken.node is not None:
            yield taken.node


def _constant(node: nodes.Expr) -> str | None:
    return node.value if isinstance(node, nodes.Const) and isinstance(node.value, str) else None


def _chances(tree: nodes.Template, text: str) -> Iterator[Mention]:
    for node in tree.find_all(nodes.Name):
        if node.name in CHANCE_NAMES and node.ctx == "load":
            yield Mention(name=node.name, line=node.lineno)
    for drawn in tree.find_all(nodes.Filter):
        if drawn.name == "random":
            yield Mention(name="random", line=drawn.lineno)
    for match in NOW.finditer(text):
        yield Mention(name="now", line=text.count("\n", 0, match.start()) + 1)
