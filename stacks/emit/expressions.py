"""The text of Terraform expressions: what a value of the graph looks like in JSON and in HCL.

The one module that knows ``${…}``. It knows no file layout, no resource and no schema.

Terraform reads every string of its JSON syntax as a template, keys of maps included, and does not read backslash
escapes there; in HCL it reads both. A user's ``${`` and ``%{`` are therefore doubled (``$${``, ``%%{``), and a run
of ``$`` right before a reference is wrapped (``${"$"}${aws_x.y.arn}``), because ``$${`` would be an escape. In the
JSON syntax two more characters are wrapped: a byte order mark in front, which Terraform would drop, and a carriage
return without a line feed, after which it sees neither references nor doubled signs any more (both found with Terraform 1.11).

JSON texts (policies) are compact with sorted keys, and to the letter what ``jsonencode`` writes: a provider that
compares texts sees no change when it reads its own answer. A reference stands in them either inside quotes
(``"${aws_s3_bucket.data.arn}/*"``: readable, and scanners can parse it) or as ``${jsonencode(aws_x.y.attr)}``,
which is right for any value and any type. The first is used only for identifiers that services make themselves
(``arn``, ``id``, ``email`` and the like): these are strings without quotes, backslashes and line breaks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

from stacks.graph import GraphError, JsonText, Ref, RemoteRef, Text, Value

__all__ = [
    "Json",
    "bare",
    "escape",
    "json_template",
    "quoted",
    "reference",
    "remote_name",
    "render",
    "template",
]

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

REMOTE_STATE = "terraform_remote_state"
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# The last word of attributes whose values can stand inside JSON quotes as they are.
_IDENTIFYING = re.compile(r"(?:^|[._])(?:arn|id|email|bucket)$")
_BYTE_ORDER_MARK = "\ufeff"
_LONE_RETURN = re.compile(r"\r(?!\n)")
# What jsonencode escapes, as Go does, although JSON does not ask for it.
_JSON_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
_HCL_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_HCL_SPECIAL = re.compile(r'[\\"\x00-\x1f\x7f\u2028\u2029\ufeff]')


def escape(literal: str) -> str:
    """Make a string mean itself in a template of the JSON syntax."""
    if "{" not in literal and not literal.startswith(_BYTE_ORDER_MARK):
        return literal
    return _template_literal(literal, before_reference=False)


def remote_name(stack: str) -> str:
    """Name the data source that reads a stack's state: ``churn-dev-network`` is read as ``churn_dev_network``."""
    name = stack.replace("-", "_")
    if not _IDENTIFIER.fullmatch(name):
        raise GraphError(f"a stack named {stack!r} cannot be read from another one")
    return name


def reference(ref: Ref | RemoteRef) -> str:
    """Write a reference as a bare expression: ``aws_kms_key.data.arn``."""
    match ref:
        case Ref(address=address, attribute=attribute):
            return f"{address}.{attribute}"
        case RemoteRef(stack=stack, output=output):
            return f"data.{REMOTE_STATE}.{remote_name(stack)}.outputs.{output}"


def render(value: Value) -> Json:
    """Render a value for Terraform's JSON syntax."""
    match value:
        case str():
            return escape(value)
        case bool() | int() | float():
            return value
        case None:
            return "${null}"  # a bare null is lost on its way through jsii
        case Ref() | RemoteRef():
            return f"${{{reference(value)}}}"
        case Text(parts=parts):
            return template(parts)
        case JsonText(document=document):
            return json_template(document)
        case Mapping():
            return {escape(key): render(item) for key, item in value.items()}
        case _:
            return [render(item) for item in value]


def template(parts: Sequence[str | Ref | RemoteRef]) -> str:
    """Join literals and references into one template of the JSON syntax."""
    return "".join(
        _template_literal(part, before_reference=more) if isinstance(part, str) else f"${{{reference(part)}}}"
        for part, more in _merged(parts)
    )


def json_template(document: Value) -> str:
    """Write a JSON document as a template that evaluates to compact JSON with sorted keys."""
    match document:
        case str():
            return escape(_json_string(document))
        case None | bool() | int() | float():
            return _json(document)
        case Ref() | RemoteRef():
            return _json_reference(document)
        case Text(parts=parts):
            return _json_text(parts)
        case JsonText():
            return f"${{jsonencode({bare(document)})}}"
        case Mapping():
            items = (
                f"{escape(_json_string(key))}:{json_template(document[key])}" for key in sorted(document)
            )
            return "{" + ",".join(items) + "}"
        case _:
            return "[" + ",".join(json_template(item) for item in document) + "]"


def quoted(value: str | Text) -> str:
    """Write a string of the HCL syntax, quotes included."""
    if isinstance(value, str):
        return f'"{_hcl_literal(value, before_reference=False)}"'
    return (
        '"'
        + "".join(
            f"${{{reference(part)}}}"
            if not isinstance(part, str)
            else _hcl_literal(part, before_reference=more)
            for part, more in _merged(value.parts)
        )
        + '"'
    )


def bare(value: Value) -> str:
    """Write a value as one expression of the HCL syntax, on one line."""
    match value:
        case str() | Text():
            return quoted(value)
        case None | bool() | int() | float():
            return _json(value)
        case Ref() | RemoteRef():
            return reference(value)
        case JsonText(document=document):
            return f"jsonencode({bare(document)})"
        case Mapping():
            items = (f"{quoted(key)} = {bare(value[key])}" for key in sorted(value))
            return "{ " + ", ".join(items) + " }" if value else "{}"
        case _:
            return "[" + ", ".join(bare(item) for item in value) + "]"


def _merged(parts: Sequence[str | Ref | RemoteRef]) -> list[tuple[str | Ref | RemoteRef, bool]]:
    """Join literals that touch, and say of each part whether a reference follows it."""
    merged: list[str | Ref | RemoteRef] = []
    for part in parts:
        last = merged[-1] if merged else None
        if isinstance(part, str) and isinstance(last, str):
            merged[-1] = last + part
        else:
            merged.append(part)
    return [(part, not isinstance(after, str)) for part, after in pairwise([*merged, ""])]


def _template_literal(literal: str, *, before_reference: bool) -> str:
    """Write a literal of the JSON syntax, with the characters wrapped that Terraform trips over there."""
    mark = '${"\\ufeff"}' if literal.startswith(_BYTE_ORDER_MARK) else ""
    *pieces, last = _LONE_RETURN.split(literal.removeprefix(_BYTE_ORDER_MARK) if mark else literal)
    wrapped = "".join(_literal(piece, before_reference=True) + '${"\\r"}' for piece in pieces)
    return mark + wrapped + _literal(last, before_reference=before_reference)


def _literal(literal: str, *, before_reference: bool) -> str:
    body = literal.rstrip("$") if before_reference else literal
    run = literal[len(body) :]
    doubled = body.replace("${", "$${").replace("%{", "%%{")
    return doubled + (f'${{"{run}"}}' if run else "")


def _hcl_literal(literal: str, *, before_reference: bool) -> str:
    # Backslashes first: the wrapping of a `$` run brings quotes that must stay as they are.
    return _literal(_HCL_SPECIAL.sub(_hcl_escape, literal), before_reference=before_reference)


def _hcl_escape(found: re.Match[str]) -> str:
    character = found.group()
    return _HCL_ESCAPES.get(character) or f"\\u{ord(character):04x}"


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _json_string(literal: str) -> str:
    return _json(literal).translate(_JSON_ESCAPES)


def _is_identifying(ref: Ref | RemoteRef) -> bool:
    return bool(_IDENTIFYING.search(ref.attribute if isinstance(ref, Ref) else ref.output))


def _json_reference(ref: Ref | RemoteRef) -> str:
    if _is_identifying(ref):
        return f'"${{{reference(ref)}}}"'
    return f"${{jsonencode({reference(ref)})}}"


def _json_text(parts: Sequence[str | Ref | RemoteRef]) -> str:
    if all(isinstance(part, str) or _is_identifying(part) for part in parts):
        inner = [_json_string(part)[1:-1] if isinstance(part, str) else part for part in parts]
        return f'"{template(inner)}"'
    return f"${{jsonencode({quoted(Text(tuple(parts)))})}}"
