"""A request's bytes to answers, the same for the service and on your own machine. May not know HTTP."""

from __future__ import annotations

{% if cookiecutter.task != "image" -%}
import csv
import io
{% endif -%}
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from {{ cookiecutter.__package }}.artifact import Model
{%- if cookiecutter.task != "image" %}
from {{ cookiecutter.__package }}.signature import Signature
{%- endif %}

CSV, JSON = "text/csv", "application/json"
{%- if cookiecutter.task == "image" %}
PICTURES = ("image/png", "image/jpeg")
TAKES = (JSON, *PICTURES)
{%- else %}
TAKES = (CSV, JSON)
{%- endif %}
MOST_ROWS = 10_000


class UnknownType(ValueError):
    """A request in a form that is not read."""


@dataclass(frozen=True)
class Answer:
    """What goes back, and what may be counted of it."""

    body: bytes
    content_type: str
    labels: tuple[str, ...]


def answered(model: Model, body: bytes, content_type: str, most_rows: int = MOST_ROWS) -> Answer:
    """Answer a request in the form that it came in.

    Raises:
        UnknownType: the form is none of ``TAKES``.
        InvalidRows: rows do not fit the model; by row and field.
        ValueError: the body cannot be read, or has too many rows.
    """
    kind = content_type.partition(";")[0].strip().lower() or JSON
    if kind not in TAKES:
        raise UnknownType(f"{kind} is not read; {', '.join(TAKES)} are")
{%- if cookiecutter.task == "image" %}
    rows = rows_of(body, kind)
{%- else %}
    rows = rows_of(model.schema, body, kind)
{%- endif %}
    if len(rows) > most_rows:
        raise ValueError(f"{len(rows)} rows; {most_rows} at most")
    likely = model.predict(model.schema.check(rows))
    labels = tuple(model.classes[code] for code in likely.argmax(axis=1))
{%- if cookiecutter.task != "image" %}
    if kind == CSV:
        return Answer(csv_of(model.classes, labels, likely), CSV, labels)
{%- endif %}
    said = predictions(model.classes, labels, likely)
    return Answer(json.dumps({"predictions": said, "model": model.version}).encode(), JSON, labels)


def predictions(
    classes: Sequence[str],
    labels: Sequence[str],
    likely: NDArray[np.float64],
) -> list[dict[str, object]]:
    """The label and the probability of each class, for each row."""
    return [
        {"label": label, "probabilities": dict(zip(classes, map(float, row), strict=True))}
        for label, row in zip(labels, likely, strict=True)
    ]

{% if cookiecutter.task != "image" %}
def csv_of(classes: Sequence[str], labels: Sequence[str], likely: NDArray[np.float64]) -> bytes:
    """A line for each row: of two classes, the probability of the second; of more, the label."""
    lines = [f"{row[1]:.9g}" for row in likely] if len(classes) == 2 else list(labels)
    return "".join(f"{line}\n" for line in lines).encode()

{% endif %}
def rows_of({% if cookiecutter.task != "image" %}schema: Signature, {% endif %}body: bytes, kind: str) -> Sequence[object]:
    """The rows of a request, not checked yet; ValueError when they cannot be read."""
{%- if cookiecutter.task == "image" %}
    if kind in PICTURES:
        return [body]
{%- else %}
    if kind == CSV:
        return _csv_rows(schema, body)
{%- endif %}
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is no JSON: {error}") from error
    return _json_rows(document)


def _json_rows(document: Any) -> Sequence[object]:
    """A list of rows, or one below `instances` (Vertex AI, SageMaker) or `input_data` (Azure ML)."""
    if isinstance(document, Mapping):
        if "instances" in document:
            document = document["instances"]
        elif "input_data" in document:
            document = document["input_data"]
            if isinstance(document, Mapping):
                document = _columns(document)
        else:
            document = [document]
    if not isinstance(document, list):
        raise ValueError("must be a list of rows, or one below `instances` or `input_data`")
    return document


def _columns(table: Mapping[str, Any]) -> list[object]:
    names, rows = table.get("columns"), table.get("data")
    if not isinstance(names, list) or not isinstance(rows, list):
        raise ValueError("input_data must have columns and data")
    made: list[object] = []
    for row in rows:
        if not isinstance(row, list) or len(row) != len(names):
            raise ValueError(f"each row of input_data.data must have {len(names)} values, as columns has")
        made.append(dict(zip(map(str, names), row, strict=True)))
    return made

{%- if cookiecutter.task != "image" %}


def _csv_rows(schema: Signature, body: bytes) -> list[object]:
    """With a header, which names the fields in any order, or without one, in the order of the fields."""
    try:
        lines = [line for line in csv.reader(io.StringIO(body.decode("utf-8-sig")), strict=True) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"is no CSV in UTF-8: {error}") from error
    if not lines:
        raise ValueError("has no rows")
    names = [name.strip() for name in lines[0]]
    if not set(names) & set(schema.names):
        return list(lines)
    short = [number for number, line in enumerate(lines[1:]) if len(line) != len(names)]
    if short:
        raise ValueError(f"row {short[0]} has {len(lines[short[0] + 1])} values, the header has {len(names)}")
    if len(set(names)) != len(names):
        raise ValueError("the header names a field twice")
    return [dict(zip(names, line, strict=True)) for line in lines[1:]]
{%- endif %}
