"""Describe the training rows, so that a drift test can compare later ones with them."""

import argparse
import json
from pathlib import Path

import pandas as pd


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--baseline", type=Path, required=True)
    given = parser.parse_args()
    rows = pd.read_csv(given.data / "rows.csv").drop(columns="churned")
    found = {name: values.describe().to_dict() for name, values in rows.select_dtypes("number").items()}
    given.baseline.mkdir(parents=True, exist_ok=True)
    (given.baseline / "statistics.json").write_text(json.dumps(found, sort_keys=True))
    print(f"described {len(found)} columns of {len(rows)} rows")


if __name__ == "__main__":
    main()
