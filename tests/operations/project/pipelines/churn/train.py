"""Fit a threshold on the tenure; `--fail yes` ends with an error, `--pause` waits first."""

import argparse
import csv
import json
import random
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--fail", required=True)
    parser.add_argument("--pause", type=float, required=True)
    given = parser.parse_args()
    time.sleep(given.pause)
    if given.fail == "yes":
        raise SystemExit("told to fail")
    rows = list(csv.DictReader((given.data / "rows.csv").open()))
    candidates = random.Random(given.seed).sample(range(1, 60), 40)
    best = max(
        candidates, key=lambda t: sum((float(row["tenure"]) < t) == (row["churned"] == "1") for row in rows)
    )
    given.model.mkdir(parents=True, exist_ok=True)
    (given.model / "model.json").write_text(json.dumps({"column": "tenure", "below": best}))
    print(f"threshold {best}")


if __name__ == "__main__":
    main()
