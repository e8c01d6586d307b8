"""Reads what Terraform's ``jsonencode`` would write inside a JSON text, so that the text can be read as JSON.

A reference stands between quotes afterwards: the same unless its value needs an escape. May not import Scaffolder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

__all__ = ["quoted"]

_START = "${jsonencode("
_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[{}\[\](),=]|[^\s{}\[\](),="]+)')


def quoted(text: str) -> str:
    """A JSON text with what it encodes in the place of the calls, and its references between quotes; others as they are."""
    if not text.startswith(("{", "[")):
        return text
    pieces, place = [], 0
    while (start := text.find(_START, place)) >= 0:
        tokens = _Tokens(text, start + len("${"))
        value = tokens.value()
        pieces += [text[place:start], value if isinstance(value, str) else json.dumps(value)]
        place = tokens.place + len("}")
    return "".join([*pieces, text[place:]])


class _Tokens:
    """Reads one expression: calls of ``jsonencode``, objects, lists, strings and references."""

    def __init__(self, text: str, place: int) -> None:
        self.text = text
        self.place = place

    def _next(self) -> str:
        found = _TOKEN.match(self.text, self.place)
        if found is None:
            raise ValueError(f"not an expression: {self.text[self.place : self.place + 60]}")
        self.place = found.end()
        return found[1]

    def _peek(self) -> str:
        place = self.place
        token = self._next()
        self.place = place
        return token

    def value(self) -> object:
        token = self._next()
        match token:
            case "jsonencode":
                self._next()
                inner = self.value()
                self._next()
                return json.dumps(inner)
            case "{":
                return dict(self._pairs())
            case "[":
                return list(self._items())
            case _ if token.startswith('"'):
                return json.loads(token)
            case "true" | "false" | "null":
                return json.loads(token)
            case _ if re.fullmatch(r"-?[0-9.]+", token):
                return json.loads(token)
        return f"${{{self._reference(token)}}}"

    def _reference(self, token: str) -> str:
        """Indexes belong to it: ``a.b[0].c``."""
        while self.text[self.place] == "[":
            end = self.text.index("]", self.place) + 1
            following = re.compile(r"[\w.-]*").match(self.text, end)
            assert following is not None
            token += self.text[self.place : following.end()]
            self.place = following.end()
        return token

    def _pairs(self) -> Iterator[tuple[str, object]]:
        while self._peek() != "}":
            key = self._next()
            self._next()
            yield json.loads(key) if key.startswith('"') else key, self.value()
            if self._peek() == ",":
                self._next()
        self._next()

    def _items(self) -> Iterator[object]:
        while self._peek() != "]":
            yield self.value()
            if self._peek() == ",":
                self._next()
        self._next()
