"""Measure a threshold on test rows."""

import argparse
import csv
import json
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--report", type=Path, required=True)
    given = parser.parse_args()
    model = json.loads((given.model / "model.json").read_text())
    rows = list(csv.DictReader((given.data / "rows.csv").open()))
    right = sum((float(row["tenure"]) < model["below"]) == (row["churned"] == "1") for row in rows)
    given.report.mkdir(parents=True, exist_ok=True)
    (given.report / "metrics.json").write_text(json.dumps({"accuracy": right / len(rows)}))


if __name__ == "__main__":
    main()
