"""What an unquoted YAML text stands for, where all readers of YAML agree; and a doubt where they don't.

YAML 1.2's core schema, and what YAML 1.1 (most tools) makes of a text otherwise. May not know positions.
"""

from __future__ import annotations

import math
import re
from typing import TypeAlias

__all__ = ["NotFinite", "resolve_scalar"]

Value: TypeAlias = str | int | float | bool | None

LONGEST_NUMBER = 18
NULLS = ("", "~", "null", "Null", "NULL")
BOOLEANS = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# (pattern, what some readers make of it); https://yaml.org/type and https://yaml.org/spec/1.2.2/#core-schema
DOUBTS = (
    (r"(?i:yes|on)", "true"),
    (r"(?i:no|off)", "false"),
    (r"[-+]?0[0-7_]+", "an octal number"),
    (r"0o[0-7]+", "an octal number"),
    (r"[-+]?0b[01_]+", "a binary number"),
    (r"[-+]?0x[0-9a-fA-F_]+", "a hexadecimal number"),
    (r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?", "a number to the base 60"),
    (r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?", "a date"),
    (r"[-+]?0[0-9_]+", "a number without its leading zeros"),
    (r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?", "a number"),
    (r"[-+]?\.[0-9_]+([eE][-+]?[0-9]+)?", "a number"),
)
INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
FLOAT = re.compile(r"(?:[-+]?(?:0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
STARTS = frozenset("+-.0123456789yYnNoO")


class NotFinite(ValueError):
    """A number that is infinite, not a number, or has too many digits to be one for every reader."""


def resolve_scalar(text: str) -> tuple[Value, str]:
    """Return an unquoted text's value, and what other readers make of it (empty: the same).

    Raises:
        NotFinite: a number that JSON cannot carry.
    """
    if text in NULLS:
        return None, ""
    if text in BOOLEANS:
        return BOOLEANS[text], ""
    if text[0] not in STARTS:
        return text, ""
    if NOT_FINITE.fullmatch(text):
        raise NotFinite
    if INTEGER.fullmatch(text):
        if len(text) > LONGEST_NUMBER:
            raise NotFinite
        return int(text), ""
    if FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            raise NotFinite
        return number, ""
    return text, next((doubt for pattern, doubt in DOUBTS if re.fullmatch(pattern, text)), "")
