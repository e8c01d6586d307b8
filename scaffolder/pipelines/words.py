"""Placeholders in the words of a command: ``{params.depth}``, ``{inputs.raw}``, ``{outputs.model}``.

May not know which parameters, inputs and outputs there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stacks.pipelines import PathOf, Template, ValueOf

__all__ = ["placeholders", "template_of"]

PLACEHOLDER = re.compile(r"\{([a-z]+)\.([A-Za-z0-9_-]+)\}")
"""Other braces stand for themselves, so that JSON can be written in a command."""


def placeholders(text: str) -> Iterator[tuple[str, str]]:
    """Yield the kind and the name of each placeholder of a text."""
    return ((match[1], match[2]) for match in PLACEHOLDER.finditer(text))


def template_of(text: str) -> Template:
    """Take a text apart; its placeholders have been checked."""
    parts: list[str | ValueOf | PathOf] = []
    end = 0
    for match in PLACEHOLDER.finditer(text):
        if match.start() > end:
            parts.append(text[end : match.start()])
        kind, name = match[1], match[2]
        if kind == "params":
            parts.append(ValueOf(name))
        else:
            parts.append(PathOf("inputs" if kind == "inputs" else "outputs", name))
        end = match.end()
    if end < len(text):
        parts.append(text[end:])
    return tuple(parts)
