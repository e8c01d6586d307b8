"""Reads the data that came in and puts them into one form. May not judge them: `validate` does."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

{% if cookiecutter.task == "image" -%}
import numpy as np
{% endif -%}
import pandas as pd

from {{ cookiecutter.__package }}.examples import Examples, write_examples
from {{ cookiecutter.__package }}.schema import ID, LABEL, SCHEMA
{%- if cookiecutter.task == "image" %}
from {{ cookiecutter.__package }}.signature import picture
{%- endif %}

{% if cookiecutter.task == "image" %}
def read_raw(folder: Path) -> Examples:
    """Read each `labels.csv` below the folder and the pictures that it names; those without a label are left out.

    Raises:
        SystemExit: there are none, a column is missing, or a picture is not there or cannot be read.
    """
    tables = sorted(folder.rglob("labels.csv"))
    if not tables:
        raise SystemExit(f"there is no labels.csv below {folder}")
    ids, images, labels = [], [], []
    height, width = SCHEMA.shape
    for path in tables:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        missing = [name for name in (ID, LABEL) if name not in table]
        if missing:
            raise SystemExit(f"{path}: has no column {', '.join(missing)}; it has {', '.join(table)}")
        for name, label in zip(table[ID], table[LABEL], strict=True):
            if not label:
                continue
            file = (path.parent / name).resolve()
            if not file.is_relative_to(path.parent.resolve()) or not file.is_file():
                raise SystemExit(f"{path}: there is no picture {name} beside it")
            try:
                images.append(picture(file.read_bytes(), height, width))
            except ValueError as error:
                raise SystemExit(f"{file}: {error}") from error
            ids.append(str(file.relative_to(folder.resolve())))
            labels.append(label)
    stacked = np.stack(images) if images else np.zeros((0, height, width), dtype=np.float32)
    return Examples(tuple(ids), stacked, tuple(labels))
{%- else %}
def read_raw(folder: Path) -> Examples:
    """Read every CSV file below the folder; rows without a label are left out, other columns too.

    Raises:
        SystemExit: there are none, or a column is missing.
    """
    files = sorted(folder.rglob("*.csv"))
    if not files:
        raise SystemExit(f"there are no CSV files below {folder}")
    wanted = [ID, *SCHEMA.names, LABEL]
    tables = []
    for path in files:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        missing = [name for name in wanted if name not in table]
        if missing:
            raise SystemExit(f"{path}: has no column {', '.join(missing)}; it has {', '.join(table)}")
        tables.append(table[wanted])
    rows = pd.concat(tables, ignore_index=True)
    rows = rows[rows[LABEL] != ""].reset_index(drop=True)
    inputs = rows[list(SCHEMA.names)].astype("object")
    return Examples(tuple(rows[ID]), inputs.where(inputs != "", None), tuple(rows[LABEL]))
{%- endif %}


def main(argv: Sequence[str] | None = None) -> None:
    """Write the examples into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, required=True, help="folder with the data that came in")
    parser.add_argument("--out", type=Path, required=True, help="folder for the examples")
    given = parser.parse_args(argv)
    examples = read_raw(given.raw)
    write_examples(given.out, examples)
    print(f"{len(examples)} examples")


if __name__ == "__main__":
    main()
