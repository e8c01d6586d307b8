"""The kinds of a single value: how each is read, what is valid, and its JSON Schema.

May not know where in the spec a value stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from scaffolder.spec.cron import cron_problem
from scaffolder.spec.nodes import Scalar, nearest
from stacks.record import record

__all__ = [
    "Boolean",
    "Choice",
    "Cidr",
    "Cron",
    "Duration",
    "Email",
    "Instance",
    "Integer",
    "Number",
    "Refused",
    "RelativePath",
    "ScalarKind",
    "Schema",
    "Str",
]

Schema: TypeAlias = "Mapping[str, object]"

CPU_SIZES = ("small", "medium", "large", "xlarge")
GPU_TYPES = ("t4", "l4", "a10", "a100", "h100")
NEUTRAL_SIZES = (*(f"cpu.{size}" for size in CPU_SIZES), *(f"gpu.{gpu}" for gpu in GPU_TYPES))
MOST_GPUS = 16
YES, NO = ("yes", "on", "true", "y"), ("no", "off", "false", "n")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Refused(Exception):
    """A scalar is not of its kind. ``because`` says more than what is valid; ``hint`` what to write."""

    def __init__(self, hint: str = "", because: str = "") -> None:
        super().__init__(because or hint)
        self.hint = hint
        self.because = because


def _text(node: Scalar) -> str:
    """The text of a scalar that is one in every YAML reader.

    Raises:
        Refused: YAML makes something else of it.
    """
    if node.doubt:
        raise Refused(
            f'Put it in quotes: "{node.text}"', f"unquoted, it is {node.doubt} to some YAML readers"
        )
    if isinstance(node.value, str):
        return node.value
    raise Refused("" if node.value is None else f'Put it in quotes: "{node.text}"')


@dataclass(frozen=True, slots=True)
class Str:
    """A text; ``pattern`` fits the whole of it, ``says`` is the pattern in words."""

    pattern: str = ""
    minimum: int = 0
    maximum: int = 0
    says: str = ""

    @property
    def valid(self) -> str:
        if self.minimum == self.maximum:
            return self.says or f"text of {self.minimum} characters"
        length = f"{self.minimum} to {self.maximum} characters"
        return f"{self.says}, {length}" if self.says else f"text of {length}"

    def fits(self, text: str) -> bool:
        if not self.minimum <= len(text) <= self.maximum:
            return False
        return not self.pattern or re.fullmatch(self.pattern, text) is not None

    def read(self, node: Scalar) -> str:
        text = _text(node)
        if not self.fits(text):
            raise Refused(self.mended(text))
        return text

    def mended(self, text: str) -> str:
        """Name the nearest text that fits, when one is plain to see."""
        if not self.pattern.startswith("[a-z]"):
            return ""
        for joint in "-_":
            words = re.sub(r"[^a-z0-9]+", joint, text[: 2 * self.maximum].lower()).strip("-_")
            if words and self.fits(words) and words != text:
                return f'Did you mean "{words}"?'
        return ""

    def schema(self) -> Schema:
        limits: dict[str, object] = {"type": "string", "minLength": self.minimum, "maxLength": self.maximum}
        return {**limits, "pattern": f"^(?:{self.pattern})$"} if self.pattern else limits


@dataclass(frozen=True, slots=True)
class Boolean:
    @property
    def valid(self) -> str:
        return "true or false"

    def read(self, node: Scalar) -> bool:
        if isinstance(node.value, bool):
            return node.value
        word = node.text.lower()
        raise Refused("Write true." if word in YES else "Write false." if word in NO else "")

    def schema(self) -> Schema:
        return {"type": "boolean"}


@record
class Integer:
    minimum: int | None = None
    maximum: int | None = None

    @property
    def valid(self) -> str:
        if self.minimum == self.maximum and self.minimum is not None:
            return str(self.minimum)
        return f"a whole number{_range(self.minimum, self.maximum)}"

    def read(self, node: Scalar) -> int:
        if isinstance(node.value, int) and not isinstance(node.value, bool):
            if _within(node.value, self.minimum, self.maximum):
                return node.value
            raise Refused
        digits = re.fullmatch(r"-?(0|[1-9][0-9]{0,9})", node.text.replace("_", ""))
        meant = int(digits[0]) if digits else None
        raise Refused(
            f"Write {meant}." if meant is not None and _within(meant, self.minimum, self.maximum) else ""
        )

    def schema(self) -> Schema:
        return {"type": "integer", **_limits(self.minimum, self.maximum)}


@record
class Number:
    minimum: float
    maximum: float

    @property
    def valid(self) -> str:
        return f"a number{_range(self.minimum, self.maximum)}"

    def read(self, node: Scalar) -> float:
        if isinstance(node.value, int | float) and not isinstance(node.value, bool):
            if _within(node.value, self.minimum, self.maximum):
                return float(node.value)
            raise Refused
        plain = re.fullmatch(r"[0-9]+(\.[0-9]+)?", node.text)
        raise Refused(f"Write it without quotes: {node.text}" if plain and not node.doubt else "")

    def schema(self) -> Schema:
        return {"type": "number", **_limits(self.minimum, self.maximum)}


def _range(minimum: float | None, maximum: float | None) -> str:
    if minimum is None or maximum is None:
        return ""
    return (
        f" from {minimum:,.15g} to {maximum:,.15g}".replace(",", " ")
        if maximum > 9999
        else f" from {minimum:g} to {maximum:g}"
    )


def _within(value: float, minimum: float | None, maximum: float | None) -> bool:
    return (minimum is None or value >= minimum) and (maximum is None or value <= maximum)


def _limits(minimum: float | None, maximum: float | None) -> dict[str, object]:
    limits: dict[str, object] = {"minimum": minimum, "maximum": maximum}
    return {name: limit for name, limit in limits.items() if limit is not None}


@dataclass(frozen=True, slots=True, init=False)
class Choice:
    """One of a few words."""

    values: tuple[str, ...]

    def __init__(self, *values: str) -> None:
        object.__setattr__(self, "values", values)

    @property
    def valid(self) -> str:
        return f"one of {', '.join(self.values)}"

    def read(self, node: Scalar) -> str:
        if node.text in self.values:
            return _text(node)
        raise Refused(nearest(node.text, self.values))

    def schema(self) -> Schema:
        return {"type": "string", "enum": list(self.values)}


@record
class Cidr:
    """An IPv4 range in CIDR notation, its prefix between ``shortest`` and ``longest`` bits."""

    longest: int
    shortest: int

    @property
    def valid(self) -> str:
        return f"an IPv4 range from /{self.shortest} to /{self.longest}, such as 10.40.0.0/16"

    def read(self, node: Scalar) -> str:
        from ipaddress import IPv4Network  # noqa: PLC0415  # only where there is one

        text = _text(node)
        try:
            network = IPv4Network(text, strict=False)
        except ValueError:
            raise Refused from None
        if "/" not in text or not self.shortest <= network.prefixlen <= self.longest:
            raise Refused
        if str(network) != text:
            raise Refused(f'Did you mean "{network}"?', "it is not the range's first address and its bits")
        return text

    def schema(self) -> Schema:
        octet = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
        bits = "|".join(str(bits) for bits in range(self.shortest, self.longest + 1))
        return {"type": "string", "pattern": rf"^(?:{octet}\.){{3}}{octet}/(?:{bits})$"}


@dataclass(frozen=True, slots=True)
class Cron:
    @property
    def valid(self) -> str:
        return 'five cron fields (minute hour day month weekday), such as "0 3 * * *"'

    def read(self, node: Scalar) -> str:
        text = _text(node)
        problem = cron_problem(text)
        if problem:
            raise Refused("", problem)
        return text

    def schema(self) -> Schema:
        return {"type": "string", "pattern": r"^[A-Za-z0-9*,/-]+(?: [A-Za-z0-9*,/-]+){4}$"}


@record
class Duration:
    """A whole number and its unit: s, m, h or d."""

    shortest_s: int
    longest_s: int

    @property
    def valid(self) -> str:
        return f"a duration from {_span(self.shortest_s)} to {_span(self.longest_s)}, such as 90m, 12h or 7d"

    def read(self, node: Scalar) -> str:
        text = _text(node)
        match = re.fullmatch(r"([1-9][0-9]{0,7})([smhd])", text)
        if match is None or not self.shortest_s <= int(match[1]) * SECONDS[match[2]] <= self.longest_s:
            raise Refused
        return text

    def schema(self) -> Schema:
        return {"type": "string", "pattern": "^[1-9][0-9]{0,7}[smhd]$"}


def own_repository(image: str) -> str:
    """The platform's repository that an image names; empty when the image has an address of its own."""
    return "" if "/" in image else re.split(r"[:@]", image, maxsplit=1)[0]


def seconds_of(duration: str) -> int:
    """The seconds of a duration that was read: ``90m`` is 5400."""
    return int(duration[:-1]) * SECONDS[duration[-1]]


def _span(seconds: int) -> str:
    unit = next(unit for unit in "dhms" if seconds % SECONDS[unit] == 0)
    return f"{seconds // SECONDS[unit]}{unit}"


@dataclass(frozen=True, slots=True)
class Email:
    @property
    def valid(self) -> str:
        return "a mail address, such as team@example.com"

    def read(self, node: Scalar) -> str:
        text = _text(node)
        if len(text) > LONGEST_EMAIL or re.fullmatch(EMAIL, text) is None:
            raise Refused
        return text

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": LONGEST_EMAIL, "pattern": f"^(?:{EMAIL})$"}


LONGEST_EMAIL = 254
EMAIL = r"[A-Za-z0-9_%+'-]+(\.[A-Za-z0-9_%+'-]+)*@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}"


@dataclass(frozen=True, slots=True)
class Instance:
    """A neutral size with an optional count of GPUs (``gpu.a10×4``), or a machine type's name in some cloud."""

    @property
    def valid(self) -> str:
        return (
            f"cpu.{'|'.join(CPU_SIZES)}, gpu.{'|'.join(GPU_TYPES)} with an optional ×count, "
            "or the cloud's own name for a machine"
        )

    def read(self, node: Scalar) -> str:
        text = _text(node)
        if text.startswith(("cpu.", "gpu.")):
            if re.fullmatch(NEUTRAL_INSTANCE, text):
                return text.replace("x", "×") if text.startswith("gpu.") else text
            raise Refused(nearest(text, NEUTRAL_SIZES), _miscounted(text))
        if re.fullmatch(CLOUD_INSTANCE, text) and len(text) <= 63:
            return text
        raise Refused(nearest(text, NEUTRAL_SIZES))

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": 63, "pattern": f"^(?:{NEUTRAL_INSTANCE}|{CLOUD_INSTANCE})$"}


def _miscounted(text: str) -> str:
    size, _, count = text.replace("x", "×").partition("×")
    return (
        f"the count goes from 1 to {MOST_GPUS}"
        if count and size in NEUTRAL_SIZES and size.startswith("gpu")
        else ""
    )


NEUTRAL_INSTANCE = rf"cpu\.({'|'.join(CPU_SIZES)})|gpu\.({'|'.join(GPU_TYPES)})([x×]([1-9]|1[0-6]))?"
# ml.m5.xlarge; n1-standard-4 and a3-highgpu-8g; Standard_DS3_v2
CLOUD_INSTANCE = (
    r"ml\.[a-z0-9-]+\.[a-z0-9-]+|[a-z][a-z0-9]*(-[a-z0-9]+)+|(Standard|Basic)_[A-Za-z0-9]+([_-][A-Za-z0-9]+)*"
)


@dataclass(frozen=True, slots=True)
class RelativePath:
    """A file's path below the spec's folder."""

    @property
    def valid(self) -> str:
        return "a path below the spec's folder, such as pipelines/train.yaml"

    def read(self, node: Scalar) -> str:
        text = _text(node)
        if len(text) > 255 or re.fullmatch(RELATIVE_PATH, text) is None:
            raise Refused
        return text

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": 255, "pattern": f"^(?:{RELATIVE_PATH})$"}


SEGMENT = r"(?!\.\.?(/|$))[A-Za-z0-9._-]+"
RELATIVE_PATH = rf"{SEGMENT}(/{SEGMENT})*"

ScalarKind: TypeAlias = (
    Str | Boolean | Integer | Number | Choice | Cidr | Cron | Duration | Email | Instance | RelativePath
)
