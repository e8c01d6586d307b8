"""Requests as tables and answers as text: the rows of a CSV or JSON body, checked against a model's columns.

May not know a model, nor where a body comes from.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeAlias

import numpy as np

from stacks.record import record

__all__ = ["CSV", "JSON", "BadRequestError", "Table", "joined", "parse", "written"]

CSV, JSON = "text/csv", "application/json"
Column: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

_NOTHING = frozenset({"", "NA", "N/A", "null", "None", "nan", "NaN"})
_TRUTH = {"true": True, "false": False}
_SHOWN = 5


class BadRequestError(Exception):
    """A request that no model could answer; the message is for who sent it."""


@record
class Table:
    """Rows by column, in the model's order; where the model names no columns they are ``0``, ``1``, …

    A column is of floats (an empty cell is NaN), of truth values, or of objects.
    """

    columns: Mapping[str, Column]
    rows: int

    def kinds(self) -> tuple[str, ...]:
        """Name the columns' types: tables of the same can be joined without changing what a model sees."""
        return tuple(column.dtype.kind for column in self.columns.values())


def parse(
    body: bytes, content_type: str, columns: Sequence[str] | None, *, width: int | None = None
) -> Table:
    """Read a body. ``columns`` are the model's, ``width`` how many there are where they have no names.

    CSV may have a header. JSON is ``{"dataframe_split": …}``, ``{"dataframe_records": …}``, ``{"instances": …}``,
    ``{"inputs": …}``, or a list of rows.

    Raises:
        BadRequestError: it is neither, or its columns are not the model's.
    """
    kind = content_type.partition(";")[0].strip().lower()
    match kind:
        case "text/csv" | "application/csv":
            names, texts = _from_csv(body, columns)
            made = [_of_text(column) for column in texts]
        case "application/json":
            names, values = _from_json(body)
            made = [_of_values(column) for column in values]
        case _:
            raise BadRequestError(f"the content type {content_type!r} is not known; send {CSV} or {JSON}")
    rows = len(made[0]) if made else 0
    if not rows:
        raise BadRequestError("the request has no rows")
    return Table(columns=_ordered(names, made, columns, width), rows=rows)


def joined(tables: Sequence[Table]) -> Table:
    """Put tables of the same columns and kinds below each other."""
    if len(tables) == 1:
        return tables[0]
    columns = {name: np.concatenate([table.columns[name] for table in tables]) for name in tables[0].columns}
    return Table(columns=columns, rows=sum(table.rows for table in tables))


def written(predictions: Sequence[Any], content_type: str) -> tuple[bytes, str]:
    """Write predictions, one a row: a line each, or ``{"predictions": […]}`` where the request was JSON."""
    if content_type.partition(";")[0].strip().lower() == JSON:
        return json.dumps({"predictions": [_json(each) for each in predictions]}).encode(), JSON
    if all(isinstance(each, int | float) for each in predictions):
        return "".join(f"{each}\n" for each in predictions).encode(), CSV
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        each if isinstance(each, list) else [each] for each in predictions
    )
    return text.getvalue().encode(), CSV


def _json(value: Any) -> Any:
    """A number that JSON does not have is null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequestError(
            f"the body is not UTF-8: byte {error.start} is {body[error.start]:#04x}"
        ) from None


def _from_csv(
    body: bytes, columns: Sequence[str] | None
) -> tuple[Sequence[str] | None, Sequence[Sequence[str]]]:
    try:
        lines = [line for line in csv.reader(io.StringIO(_text(body), newline=""), strict=True) if line]
    except csv.Error as error:
        raise BadRequestError(f"the body is not CSV: {error}") from None
    if not lines:
        raise BadRequestError("the request is empty")
    header = [cell.strip() for cell in lines[0]]
    names = header if _is_header(header, columns) else None
    rows = lines[1:] if names is not None else lines
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise BadRequestError(f"row {number} has {len(row)} cells, and the first line {len(header)}")
    return names, list(zip(*rows, strict=True))


def _is_header(first: Sequence[str], columns: Sequence[str] | None) -> bool:
    if columns and not set(columns).isdisjoint(first):
        return True
    return not all(cell in _NOTHING or _is_number(cell) for cell in first)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _from_json(body: bytes) -> tuple[Sequence[str] | None, Sequence[Sequence[object]]]:
    try:
        found: object = json.loads(_text(body))
    except ValueError as error:
        raise BadRequestError(f"the body is not JSON: {error}") from None
    match found:
        case {"dataframe_split": {"columns": list(names), "data": list(rows)}}:
            return [str(name) for name in names], _turned(rows, len(names))
        case (
            {"dataframe_records": list(rows)}
            | {"instances": list(rows)}
            | {"inputs": list(rows)}
            | list(rows)
        ):
            return _records(rows)
        case _:
            raise BadRequestError(
                'the JSON body is none of {"dataframe_split": {"columns": […], "data": [[…]]}}, '
                '{"dataframe_records": [{…}]}, {"instances": […]} and [{…}]'
            )


def _records(rows: Sequence[object]) -> tuple[Sequence[str] | None, Sequence[Sequence[object]]]:
    if rows and isinstance(rows[0], list):
        return None, _turned(rows, len(rows[0]))
    names: dict[str, None] = {}
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise BadRequestError(f"row {number} is no object with a value for each column")
        names.update(dict.fromkeys(str(name) for name in row))
    records = [row for row in rows if isinstance(row, dict)]
    for number, row in enumerate(records, start=1):
        lacking = names.keys() - row.keys()
        if lacking:
            raise BadRequestError(f"row {number} has no {_named(sorted(lacking))}")
    return list(names), [[row[name] for row in records] for name in names]


def _turned(rows: Sequence[object], width: int) -> Sequence[Sequence[object]]:
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != width:
            raise BadRequestError(f"row {number} is no list of {width} values")
    whole: Any = rows
    return list(zip(*whole, strict=True))


def _of_text(cells: Sequence[str]) -> Column:
    try:
        return np.array([math.nan if cell in _NOTHING else float(cell) for cell in cells])
    except ValueError:
        pass
    if all(cell.lower() in _TRUTH for cell in cells):
        return np.array([_TRUTH[cell.lower()] for cell in cells])
    return _objects([math.nan if cell in _NOTHING else cell for cell in cells])


def _of_values(values: Sequence[object]) -> Column:
    if all(isinstance(value, bool) for value in values):
        return np.array(values)
    if all(
        value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values
    ):
        return np.array(values, dtype=float)
    if any(isinstance(value, list | dict) for value in values):
        raise BadRequestError("a value is a list or an object, where a number or a text is wanted")
    return _objects([math.nan if value is None else value for value in values])


def _objects(values: Sequence[object]) -> Column:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _ordered(
    names: Sequence[str] | None, made: Sequence[Column], columns: Sequence[str] | None, width: int | None
) -> Mapping[str, Column]:
    wanted = len(columns) if columns else width
    if names is None or columns is None:
        if wanted is not None and len(made) != wanted:
            raise BadRequestError(f"a row has {len(made)} cells, and the model {wanted} columns")
        return dict(zip(columns or map(str, range(len(made))), made, strict=True))
    given = dict(zip(names, made, strict=True))
    if len(given) != len(names):
        raise BadRequestError(f"the column {_named([n for n in given if names.count(n) > 1])} is there twice")
    missing = [name for name in columns if name not in given]
    unknown = [name for name in names if name not in columns]
    if missing or unknown:
        raise BadRequestError(_misfit(missing, unknown, columns))
    return {name: given[name] for name in columns}


def _misfit(missing: Sequence[str], unknown: Sequence[str], columns: Sequence[str]) -> str:
    parts = []
    if missing:
        parts.append(f"the request lacks the column{'s' * (len(missing) > 1)} {_named(missing)}")
    if unknown:
        parts.append(f"the model does not know the column{'s' * (len(unknown) > 1)} {_named(unknown)}")
    close = get_close_matches(unknown[0], missing or columns, n=1) if unknown else []
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"{' and '.join(parts)}.{hint}"


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
