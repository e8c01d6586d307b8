"""Measure the model on customers that it has not seen."""

import argparse
import json
from pathlib import Path

import joblib
import pandas as pd
from sklearn.metrics import accuracy_score, brier_score_loss, roc_auc_score

TARGET = "churned"
EVEN = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder with model.joblib")
    parser.add_argument("--data", type=Path, required=True, help="folder with rows.csv")
    parser.add_argument("--report", type=Path, required=True)
    given = parser.parse_args()
    bundle = joblib.load(given.model / "model.joblib")
    rows = pd.read_csv(given.data / "rows.csv")
    lost = bundle["model"].predict_proba(rows[bundle["columns"]].to_numpy())[:, 1]
    metrics = {
        "auc": roc_auc_score(rows[TARGET], lost),
        "accuracy": accuracy_score(rows[TARGET], lost > EVEN),
        "brier": brier_score_loss(rows[TARGET], lost),
        "rows": len(rows),
    }
    given.report.mkdir(parents=True, exist_ok=True)
    (given.report / "metrics.json").write_text(
        json.dumps({name: round(value, 6) for name, value in metrics.items()})
    )
    print(", ".join(f"{name} {value:.4g}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
