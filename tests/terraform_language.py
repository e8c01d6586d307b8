"""A small reader of Terraform's templates and expressions, to say what an emitted text means.

It covers what the emitters write and no more; a test against the real Terraform holds it to what Terraform does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from stacks.emit.expressions import Json
from stacks.graph import JsonText, Ref, RemoteRef, Text, Value

__all__ = ["Resolve", "expression", "meaning", "template"]

# Says what a reference (``aws_kms_key.data.arn``) refers to.
Resolve: TypeAlias = Callable[[str], Json]

_STRING_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_REFERENCE = re.compile(r'[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*|\[\d+\]|\["[^"]*"\])*')
_LONE_RETURN = re.compile(r"\r(?!\n)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_WORDS: Mapping[str, Json] = {"null": None, "true": True, "false": False}


def meaning(value: Value, resolve: Resolve) -> Json:
    """Say what a value of the graph stands for: what its emitted text has to mean."""
    match value:
        case Ref(address=address, attribute=attribute):
            return resolve(f"{address}.{attribute}")
        case RemoteRef(stack=stack, output=output):
            return resolve(f"data.terraform_remote_state.{stack.replace('-', '_')}.outputs.{output}")
        case Text(parts=parts):
            return "".join(_as_text(meaning(part, resolve)) for part in parts)
        case JsonText(document=document):
            return _encoded(meaning(document, resolve))
        case str() | bool() | int() | float() | None:
            return value
        case Mapping():
            return {key: meaning(item, resolve) for key, item in value.items()}
        case _:
            return [meaning(item, resolve) for item in value]


def template(text: str, resolve: Resolve) -> Json:
    """Evaluate a string of Terraform's JSON syntax; a lone interpolation keeps its type."""
    text = text.removeprefix("\ufeff")
    parts, end = _Reader(text, resolve).template(0, quoted=False)
    assert end == len(text), f"trailing text in {text!r}"
    return _joined(parts)


def expression(text: str, resolve: Resolve) -> Json:
    """Evaluate an expression of the HCL syntax."""
    value, end = _Reader(text, resolve).expression(0)
    assert not text[end:].strip(), f"trailing text in {text!r}: {text[end:]!r}"
    return value


def _encoded(value: Json) -> str:
    """As jsonencode writes it, which escapes what may not stand in HTML."""
    plain = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return plain.translate({ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})


def _as_text(value: Json) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return json.dumps(value)
        case _:
            raise AssertionError(f"not a part of a text: {value!r}")


def _joined(parts: list[tuple[bool, Json]]) -> Json:
    if len(parts) == 1 and parts[0][0]:
        return parts[0][1]
    return "".join(_as_text(value) for _, value in parts)


class _Reader:
    def __init__(self, text: str, resolve: Resolve) -> None:
        self.text = text
        self.resolve = resolve

    def template(self, at: int, *, quoted: bool) -> tuple[list[tuple[bool, Json]], int]:
        """Read to the end, or to the closing quote; parts are (is an interpolation, value)."""
        parts: list[tuple[bool, Json]] = []
        literal = ""
        while at < len(self.text) and not (quoted and self.text[at] == '"'):
            if self.text.startswith(("$${", "%%{"), at):
                assert quoted or not _LONE_RETURN.search(literal), (
                    f"a doubled sign after a return in {self.text!r}"
                )
                literal, at = literal + self.text[at + 1 : at + 3], at + 3
            elif self.text.startswith("${", at):
                assert quoted or not _LONE_RETURN.search(literal), (
                    f"a reference after a return in {self.text!r}"
                )
                value, at = self.expression(at + 2)
                assert self.text[at] == "}", f"open interpolation in {self.text!r}"
                parts += [(False, literal), (True, value)] if literal else [(True, value)]
                literal, at = "", at + 1
            elif self.text.startswith("%{", at):
                raise AssertionError(f"a directive in {self.text!r}")
            elif quoted and self.text[at] == "\\":
                character, at = self.escape(at + 1)
                literal += character
            else:
                literal, at = literal + self.text[at], at + 1
        return ([*parts, (False, literal)] if literal or not parts else parts), at

    def escape(self, at: int) -> tuple[str, int]:
        letter = self.text[at]
        if letter in "uU":
            length = 4 if letter == "u" else 8
            return chr(int(self.text[at + 1 : at + 1 + length], 16)), at + 1 + length
        return _STRING_ESCAPES[letter], at + 1

    def expression(self, at: int) -> tuple[Json, int]:
        at = self.skip(at)
        if self.text.startswith("jsonencode(", at):
            value, at = self.expression(at + len("jsonencode("))
            at = self.skip(at)
            assert self.text[at] == ")"
            return _encoded(value), at + 1
        match self.text[at]:
            case '"':
                parts, end = self.template(at + 1, quoted=True)
                return _joined(parts), end + 1
            case "[":
                return self.sequence(at + 1)
            case "{":
                return self.object(at + 1)
        if found := _NUMBER.match(self.text, at):
            return json.loads(found.group()), found.end()
        found = _REFERENCE.match(self.text, at)
        assert found, f"not an expression: {self.text[at:]!r}"
        word = found.group()
        return (_WORDS[word] if word in _WORDS else self.resolve(word)), found.end()

    def sequence(self, at: int) -> tuple[Json, int]:
        items: list[Json] = []
        while self.text[at := self.skip(at)] != "]":
            item, at = self.expression(at)
            items.append(item)
        return items, at + 1

    def object(self, at: int) -> tuple[Json, int]:
        items: dict[str, Json] = {}
        while self.text[at := self.skip(at)] != "}":
            if self.text[at] == '"':
                parts, at = self.template(at + 1, quoted=True)
                key, at = str(_joined(parts)), at + 1
            else:
                found = _REFERENCE.match(self.text, at)
                assert found
                key, at = found.group(), found.end()
            at = self.skip(at)
            assert self.text[at] in "=:"
            items[key], at = self.expression(at + 1)
        return items, at + 1

    def skip(self, at: int) -> int:
        while at < len(self.text) and self.text[at] in " \n\t,":
            at += 1
        return at
