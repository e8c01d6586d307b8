"""What a model takes and gives, and whether rows fit it. May not load a model or read a file."""

from __future__ import annotations

{% if cookiecutter.task == "image" -%}
import base64
import binascii
import io
{% elif cookiecutter.task == "tabular" -%}
import math
{% endif -%}
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
{%- if cookiecutter.task != "image" %}
from difflib import get_close_matches
{%- endif %}
from pathlib import Path
from typing import Any, Literal

import numpy as np
{%- if cookiecutter.task != "image" %}
import pandas as pd
{%- endif %}
from numpy.typing import NDArray

from {{ cookiecutter.__package }}.examples import Examples, Inputs, read_examples

MOST_PROBLEMS = 20
"""How many problems of a request are told."""
{%- if cookiecutter.task == "text" %}
LONGEST_TEXT = 20_000
"""Characters of a text."""
{%- endif %}
{%- if cookiecutter.task == "image" %}
MOST_PIXELS = 4_000_000
"""Of a picture that is read, so that a small file cannot fill the memory."""
{%- endif %}

Kind = Literal["number", "category", "text"]


@dataclass(frozen=True)
class Problem:
    """What is wrong with a field of a row; rows count from 0."""

    row: int
    field: str
    problem: str


class InvalidRows(ValueError):
    """Rows that do not fit the signature."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems[:MOST_PROBLEMS])
        self.count = len(problems)
        first = self.problems[0]
        super().__init__(f"{self.count} problems; row {first.row}, {first.field}: {first.problem}")


@dataclass(frozen=True)
class Field:
    """A named value of a row. ``values`` are a category's; the bounds are a number's, both included."""

    name: str
    kind: Kind
    values: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    nullable: bool = False


@dataclass(frozen=True)
class Signature:
    """The classes in the order of the answer's columns; named fields, or the height and width of an image."""

    classes: tuple[str, ...]
    fields: tuple[Field, ...] = ()
    shape: tuple[int, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    def codes(self, labels: Sequence[str]) -> NDArray[np.int64]:
        """The positions of labels in ``classes``."""
        position = {name: number for number, name in enumerate(self.classes)}
        unknown = sorted(set(labels) - set(position))
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: no classes of the model; it has {', '.join(self.classes)}")
        return np.array([position[label] for label in labels], dtype=np.int64)

    def document(self) -> dict[str, Any]:
        """The signature as JSON holds it."""
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Signature:
        """Read what ``document`` wrote."""
        fields = tuple(Field(**{**each, "values": tuple(each["values"])}) for each in document["fields"])
        return cls(classes=tuple(document["classes"]), fields=fields, shape=tuple(document["shape"]))

    def check(self, rows: Sequence[object]) -> Inputs:
        """Make rows, each an object or a list in the order of the fields, the model's inputs.

        Raises:
            InvalidRows: what is wrong with them, by row and field.
        """
        inputs, problems = self.sorted_out(rows)
        if problems:
            raise InvalidRows(problems)
        return inputs

    def read(self, folder: Path) -> Examples:
        """Read examples whose inputs have the types of the signature."""
{%- if cookiecutter.task == "image" %}
        return read_examples(folder)
{%- else %}
        examples = read_examples(folder)
        return Examples(examples.ids, self.typed(examples.inputs), examples.labels)
{%- endif %}

{%- if cookiecutter.task == "image" %}

    def sorted_out(self, rows: Sequence[object]) -> tuple[Inputs, list[Problem]]:
        """The inputs of the rows that fit, and what is wrong with the others."""
        height, width = self.shape
        images, problems = [], []
        for number, row in enumerate(rows):
            try:
                images.append(_image(row, height, width))
            except ValueError as error:
                problems.append(Problem(number, "image", str(error)))
        stacked = np.stack(images) if images else np.zeros((0, height, width), dtype=np.float32)
        return stacked, problems


def _image(row: object, height: int, width: int) -> NDArray[np.float32]:
    """Read a list of rows of pixels between 0 and 1, or a picture: bytes, or base64 below ``b64``."""
    value: object = row
    if isinstance(value, Mapping) and "b64" not in value:
        unknown = [str(name) for name in value if name != "image"]
        if unknown or "image" not in value:
            raise ValueError(f"has {', '.join(unknown) or 'nothing'}; give image or b64")
        value = value["image"]
    if isinstance(value, Mapping):
        value = value["b64"]
        if not isinstance(value, str):
            raise ValueError("b64 is no text")
        try:
            value = base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise ValueError(f"is no base64: {error}") from error
    if isinstance(value, bytes):
        return picture(value, height, width)
    try:
        pixels = np.array(value, dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise ValueError(f"must be {height} lists of {width} numbers") from error
    if pixels.shape != (height, width):
        raise ValueError(f"has the shape {'x'.join(map(str, pixels.shape))}, must be {height}x{width}")
    if not (np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= 1):
        raise ValueError("has pixels that are not between 0 and 1")
    return pixels


def picture(data: bytes, height: int, width: int) -> NDArray[np.float32]:
    """Read a picture file as grey values between 0 and 1, scaled to the size.

    Raises:
        ValueError: it is none, or too large.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"has {image.width}x{image.height} pixels, {MOST_PIXELS} at most")
            grey = image.convert("L")
            if grey.size != (width, height):
                grey = grey.resize((width, height), Image.Resampling.BILINEAR)
            return np.asarray(grey, dtype=np.float32) / np.float32(255)
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise ValueError("is no picture that can be read") from error
{%- else %}

    def sorted_out(self, rows: Sequence[object]) -> tuple[Inputs, list[Problem]]:
        """The inputs of the rows that fit, with their numbers as the index, and what is wrong with the others."""
        good: dict[int, list[object]] = {}
        problems: list[Problem] = []
        for number, row in enumerate(rows):
            found: list[Problem] = []
            values = self._values(number, row, found)
            if found:
                problems += found
            else:
                good[number] = values
        table = pd.DataFrame.from_dict(good, orient="index", columns=list(self.names))
        return self.typed(table), problems

    def typed(self, table: pd.DataFrame) -> Inputs:
        """The fields as columns in their order: numbers as float64, all else as text or None."""
        made = {
            field.name: table[field.name].astype("float64" if field.kind == "number" else "object")
            for field in self.fields
        }
        typed = pd.DataFrame(made, index=table.index)
        for field in self.fields:
            if field.kind != "number":
                typed[field.name] = typed[field.name].where(typed[field.name].notna(), None)
        return typed

    def _values(self, number: int, row: object, problems: list[Problem]) -> list[object]:
        names = self.names
        if isinstance(row, Mapping):
            for name in row:
                if name not in names:
                    near = get_close_matches(str(name), names, n=1)
                    hint = f". Did you mean {near[0]}?" if near else f"; there are {', '.join(names)}"
                    problems.append(Problem(number, str(name), f"is not a field of the model{hint}"))
            given = dict(row)
        elif isinstance(row, Sequence) and not isinstance(row, str | bytes):
            if len(row) != len(names):
                count = f"has {len(row)} values; the model takes {len(names)}: {', '.join(names)}"
                problems.append(Problem(number, "*", count))
                return []
            given = dict(zip(names, row, strict=True))
{%- if cookiecutter.task == "text" %}
        elif isinstance(row, str):
            given = {names[0]: row}
{%- endif %}
        else:
            problems.append(Problem(number, "*", "is neither an object nor a list"))
            return []
        values: list[object] = []
        for field in self.fields:
            if field.name not in given and not field.nullable:
                problems.append(Problem(number, field.name, "is missing"))
                continue
            try:
                values.append(_value({% if cookiecutter.task == "tabular" %}field, {% endif %}given.get(field.name)))
            except ValueError as error:
                problems.append(Problem(number, field.name, str(error)))
        return values

{% if cookiecutter.task == "tabular" %}
def _value(field: Field, given: object) -> float | str | None:
    """A value as the model takes it; ValueError when it does not fit the field."""
    if given is None or given == "" or (isinstance(given, float) and math.isnan(given)):
        if field.nullable:
            return math.nan if field.kind == "number" else None
        raise ValueError("is empty")
    return _number(field, given) if field.kind == "number" else _category(field, given)


def _number(field: Field, given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise ValueError(f"{given!r:.40} is no number")
    try:
        value = float(given)
    except (ValueError, OverflowError):
        raise ValueError(f"{given!r:.40} is no number") from None
    if not math.isfinite(value):
        raise ValueError(f"{given!r:.40} is no finite number")
    if field.minimum is not None and value < field.minimum:
        raise ValueError(f"{value:g} is less than {field.minimum:g}")
    if field.maximum is not None and value > field.maximum:
        raise ValueError(f"{value:g} is more than {field.maximum:g}")
    return value


def _category(field: Field, given: object) -> str:
    if not isinstance(given, str):
        raise ValueError(f"{given!r:.40} is no text")
    if given not in field.values:
        near = get_close_matches(given, field.values, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(field.values)}"
        raise ValueError(f"{given!r:.40} is not known. {hint}")
    return given
{%- else %}
def _value(given: object) -> str:
    """A text as the model takes it; ValueError when it does not fit."""
    if not isinstance(given, str):
        raise ValueError(f"{given!r:.40} is no text")
    if not given.strip():
        raise ValueError("is empty")
    if len(given) > LONGEST_TEXT:
        raise ValueError(f"has {len(given)} characters, {LONGEST_TEXT} at most")
    return given
{%- endif %}
{%- endif %}
