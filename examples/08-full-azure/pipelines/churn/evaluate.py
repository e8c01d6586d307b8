"""Measure the model on the test rows, and write metrics.json, which the pipeline's gate reads."""

import argparse
import json
import tarfile
from pathlib import Path

import joblib
import pandas as pd
from sklearn.metrics import accuracy_score, roc_auc_score


def unpacked(folder: Path) -> Path:
    """The model's folder: a training job hands it over as model.tar.gz."""
    archive = folder / "model.tar.gz"
    if not archive.exists():
        return folder
    target = Path("/tmp/model")
    with tarfile.open(archive) as packed:
        packed.extractall(target, filter="data")
    return target


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--report", type=Path, required=True)
    given = parser.parse_args()
    model = joblib.load(unpacked(given.model) / "model.joblib")
    rows = pd.read_csv(given.data / "rows.csv")
    scores = model.predict_proba(rows.drop(columns="churned"))[:, 1]
    metrics = {
        "auc": float(roc_auc_score(rows["churned"], scores)),
        "accuracy": float(accuracy_score(rows["churned"], scores > 0.5)),
        "rows": len(rows),
    }
    given.report.mkdir(parents=True, exist_ok=True)
    (given.report / "metrics.json").write_text(json.dumps(metrics))
    print(metrics)


if __name__ == "__main__":
    main()
