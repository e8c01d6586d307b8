"""Holds data to `schema.py` with pandera, before anything learns from them. May not change a value."""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("DISABLE_PANDERA_IMPORT_WARNING", "True")

{% if cookiecutter.task == "image" -%}
import numpy as np
{% endif -%}
import pandas as pd
import pandera.pandas as pa

from {{ cookiecutter.__package }}.examples import Examples, read_examples, write_examples
from {{ cookiecutter.__package }}.schema import FEWEST_OF_A_CLASS, FEWEST_ROWS, MOST_DUPLICATES, SCHEMA
{%- if cookiecutter.task != "image" %}
from {{ cookiecutter.__package }}.signature import Field
{%- endif %}

MOST_FINDINGS = 50

{% if cookiecutter.task == "image" %}
def table_of(examples: Examples) -> pd.DataFrame:
    """A row for each image: what pandera checks."""
    pixels = examples.inputs.reshape(len(examples), -1)
    return pd.DataFrame(
        {
            "id": list(examples.ids),
            "label": list(examples.labels),
            "height": examples.inputs.shape[1],
            "width": examples.inputs.shape[2],
            "darkest": pixels.min(axis=1).astype("float64"),
            "brightest": pixels.max(axis=1).astype("float64"),
        }
    )


def schema() -> pa.DataFrameSchema:
    """The checks of `schema.py`: the size, values between 0 and 1, and that a picture shows something."""
    height, width = SCHEMA.shape
    return pa.DataFrameSchema(
        {
            "id": pa.Column(object, unique=True),
            "label": pa.Column(object, pa.Check.isin(SCHEMA.classes)),
            "height": pa.Column(int, pa.Check.eq(height)),
            "width": pa.Column(int, pa.Check.eq(width)),
            "darkest": pa.Column(float, pa.Check.ge(0)),
            "brightest": pa.Column(float, [pa.Check.le(1), pa.Check.gt(0, error="shows nothing")]),
        }
    )


def duplicates(examples: Examples) -> pd.Series:
    """Whether each was there before, whatever its id."""
    seen = [np.round(image * 255).astype(np.uint8).tobytes() for image in examples.inputs]
    return pd.Series(seen, dtype="object").duplicated()
{%- else %}
def table_of(examples: Examples) -> pd.DataFrame:
    """A row for each example: what pandera checks."""
    table = examples.inputs.copy()
    table.insert(0, "id", pd.Series(examples.ids, dtype="object"))
    table["label"] = pd.Series(examples.labels, dtype="object")
    return table


def schema() -> pa.DataFrameSchema:
    """The checks of `schema.py`, field by field."""
    columns = {field.name: _column(field) for field in SCHEMA.fields}
    columns["id"] = pa.Column(object, unique=True)
    columns["label"] = pa.Column(object, pa.Check.isin(SCHEMA.classes))
    return pa.DataFrameSchema(columns, strict=True)


def _column(field: Field) -> pa.Column:
    if field.kind == "number":
        checks = []
        if field.minimum is not None:
            checks.append(pa.Check.ge(field.minimum))
        if field.maximum is not None:
            checks.append(pa.Check.le(field.maximum))
        return pa.Column(float, checks, nullable=field.nullable, coerce=True)
    if field.kind == "category":
        return pa.Column(object, pa.Check.isin(field.values), nullable=field.nullable)
    return pa.Column(object, pa.Check.str_matches(r"\s*\S"), nullable=field.nullable)


def duplicates(examples: Examples) -> pd.Series:
    """Whether each was there before with the same label, whatever its id."""
    return table_of(examples).drop(columns="id").duplicated()
{%- endif %}


def findings_of(examples: Examples) -> list[str]:
    """Everything that is wrong with the data; empty when they may be learned from."""
    found: list[str] = []
    try:
        schema().validate(table_of(examples), lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        for case in cases.sort_values(["column", "index"], kind="stable", key=_as_text).itertuples():
            where = f"example {examples.ids[int(case.index)]}, " if _is_row(case.index, len(examples)) else ""
            found.append(f"{where}{case.column}: {case.check} does not hold for {case.failure_case!r:.60}")
    if len(examples) < FEWEST_ROWS:
        found.append(f"{len(examples)} examples, at least {FEWEST_ROWS} are needed")
    counts = Counter(examples.labels)
    for name in SCHEMA.classes:
        if examples.labels and counts[name] / len(examples) < FEWEST_OF_A_CLASS:
            least = f"at least {FEWEST_OF_A_CLASS:.0%} are needed"
            found.append(f"class {name}: {counts[name]} of {len(examples)}, {least}")
    share = float(duplicates(examples).mean()) if len(examples) else 0.0
    if share > MOST_DUPLICATES:
        found.append(f"{share:.0%} of the examples are there twice, {MOST_DUPLICATES:.0%} at most")
    return found


def _as_text(column: pd.Series) -> pd.Series:
    return column.astype(str)


def _is_row(index: object, rows: int) -> bool:
    return isinstance(index, int | float) and index == index and 0 <= index < rows


def described(examples: Examples) -> dict[str, float]:
    """Numbers about the data, for the run and the data sheet."""
    counts = Counter(examples.labels)
    numbers: dict[str, float] = {"rows": len(examples), "duplicates": int(duplicates(examples).sum())}
    for name in SCHEMA.classes:
        numbers[f"share_of_{name}"] = round(counts[name] / max(len(examples), 1), 6)
{%- if cookiecutter.task != "image" %}
    for field in SCHEMA.fields:
        numbers[f"missing_{field.name}"] = int(examples.inputs[field.name].isna().sum())
{%- endif %}
    return numbers


def main(argv: Sequence[str] | None = None) -> None:
    """Write the examples that fit, each once, and `metrics.json`; or say what is wrong, and fail."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with examples")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checked examples")
    parser.add_argument("--report", type=Path, required=True, help="folder for metrics.json")
    given = parser.parse_args(argv)
    examples = read_examples(given.data)
    found = findings_of(examples)
    for one in found[:MOST_FINDINGS]:
        print(one)
    if found:
        raise SystemExit(f"{len(found)} findings: the data do not fit schema.py")
    write_examples(given.out, examples.select([not each for each in duplicates(examples)]))
    given.report.mkdir(parents=True, exist_ok=True)
    (given.report / "metrics.json").write_text(json.dumps(described(examples), indent=2) + "\n")
    print(f"{len(examples)} examples fit")


if __name__ == "__main__":
    main()
