"""Splits the raw CSV files into rows to train on and rows to test on. May not learn from the rows."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas  # imported where it is used: `--help` needs no library

TEST_PART = 0.2
SEED = 7
FEWEST_ROWS = 20


def read_rows(folder: Path, label: str) -> pandas.DataFrame:
    """Read every CSV file below a folder; rows without a label are left out."""
    import pandas

    files = sorted(folder.rglob("*.csv"))
    if not files:
        raise SystemExit(f"there are no CSV files in {folder}")
    rows = pandas.concat([pandas.read_csv(file) for file in files], ignore_index=True)
    if label not in rows.columns:
        raise SystemExit(f"there is no column {label}; there are {', '.join(rows.columns)}")
    rows = rows.dropna(subset=[label]).drop_duplicates(ignore_index=True)
    if len(rows) < FEWEST_ROWS or rows[label].nunique() != 2:
        raise SystemExit(
            f"{len(rows)} rows with {rows[label].nunique()} labels: at least {FEWEST_ROWS} with 2 are needed"
        )
    return rows


def main() -> None:
    """Write `train.csv` and `test.csv` into a folder each; the same rows give the same split."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, required=True, help="folder with CSV files")
    parser.add_argument("--label", required=True, help="the column to predict")
    parser.add_argument("--train", type=Path, required=True, help="folder for train.csv")
    parser.add_argument("--test", type=Path, required=True, help="folder for test.csv")
    arguments = parser.parse_args()
    from sklearn.model_selection import train_test_split

    rows = read_rows(arguments.raw, arguments.label)
    train, test = train_test_split(rows, test_size=TEST_PART, stratify=rows[arguments.label], random_state=SEED)
    for part, folder, name in ((train, arguments.train, "train.csv"), (test, arguments.test, "test.csv")):
        folder.mkdir(parents=True, exist_ok=True)
        part.to_csv(folder / name, index=False)
    print(f"{len(train)} rows to train on, {len(test)} to test on")


if __name__ == "__main__":
    main()
