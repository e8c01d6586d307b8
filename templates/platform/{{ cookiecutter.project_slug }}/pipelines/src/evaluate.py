"""Measures a model on `test.csv` and writes `metrics.json`. May not decide whether it is good enough: the gate does."""

from __future__ import annotations

import argparse
import json
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas  # imported where it is used: `--help` needs no library


def load_model(folder: Path) -> dict[str, Any]:
    """Read a model from its folder, or from the archive that a training job leaves there."""
    import joblib

    archive = folder / "model.tar.gz"
    with TemporaryDirectory() as scratch:
        if archive.is_file():
            with tarfile.open(archive) as packed:
                packed.extractall(scratch, filter="data")
            folder = Path(scratch)
        loaded: dict[str, Any] = joblib.load(folder / "model.joblib")
    return loaded


def measure(loaded: dict[str, Any], rows: pandas.DataFrame, label: str) -> dict[str, float]:
    """The metrics of a model on labelled rows."""
    from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

    model, truth = loaded["model"], rows[label]
    likely = model.predict_proba(rows[loaded["columns"]])[:, 1]
    positive = truth == model.classes_[1]
    return {
        "auc": float(roc_auc_score(positive, likely)),
        "accuracy": float(accuracy_score(positive, likely >= 0.5)),
        "log_loss": float(log_loss(positive, likely, labels=[False, True])),
        "rows": len(rows),
    }


def main() -> None:
    """Write `metrics.json`: a flat object of numbers, which the pipeline's gate reads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder with the model")
    parser.add_argument("--data", type=Path, required=True, help="folder with test.csv")
    parser.add_argument("--label", required=True, help="the column to predict")
    parser.add_argument("--report", type=Path, required=True, help="folder for metrics.json")
    arguments = parser.parse_args()
    import pandas

    metrics = measure(load_model(arguments.model), pandas.read_csv(arguments.data / "test.csv"), arguments.label)
    arguments.report.mkdir(parents=True, exist_ok=True)
    (arguments.report / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print(json.dumps(metrics))


if __name__ == "__main__":
    main()
