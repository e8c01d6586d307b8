"""Fit gradient-boosted trees on the training rows."""

import argparse
from pathlib import Path

import joblib
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--max-depth", type=int, default=6)
    given = parser.parse_args()
    rows = pd.read_csv(given.data / "rows.csv")
    model = HistGradientBoostingClassifier(max_depth=given.max_depth, random_state=0)
    model.fit(rows.drop(columns="churned"), rows["churned"])
    given.model.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, given.model / "model.joblib")
    print(f"trained on {len(rows)} rows")


if __name__ == "__main__":
    main()
