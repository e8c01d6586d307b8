"""Fit the model, and write it with the names of its columns."""

import argparse
from pathlib import Path

import joblib
import pandas as pd
from sklearn.ensemble import GradientBoostingClassifier

TREES = 60
TARGET = "churned"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with rows.csv")
    parser.add_argument("--max-depth", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--model", type=Path, required=True)
    given = parser.parse_args()
    rows = pd.read_csv(given.data / "rows.csv")
    columns = [name for name in rows.columns if name != TARGET]
    model = GradientBoostingClassifier(n_estimators=TREES, max_depth=given.max_depth, random_state=given.seed)
    model.fit(rows[columns].to_numpy(), rows[TARGET])
    given.model.mkdir(parents=True, exist_ok=True)
    joblib.dump({"model": model, "columns": columns}, given.model / "model.joblib")
    print(f"{len(rows)} customers, {len(columns)} columns, {TREES} trees")


if __name__ == "__main__":
    main()
