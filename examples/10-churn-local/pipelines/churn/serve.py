"""What an endpoint answers: for each row of CSV with a header, how likely the customer is lost."""

import csv
import io
from pathlib import Path

import joblib
import numpy as np


def load(folder: Path) -> dict:
    return joblib.load(folder / "model.joblib")


def predict(model: dict, body: bytes, content_type: str) -> tuple[bytes, str]:
    if content_type.partition(";")[0] != "text/csv":
        raise ValueError(f"this endpoint reads text/csv, not {content_type}")
    rows = list(csv.DictReader(io.StringIO(body.decode())))
    missing = [name for name in model["columns"] if rows and name not in rows[0]]
    if missing:
        raise ValueError(f"the columns {', '.join(missing)} are missing")
    values = np.array([[float(row[name]) for name in model["columns"]] for row in rows])
    lost = model["model"].predict_proba(values)[:, 1]
    return ("churn_probability\n" + "".join(f"{value:.6f}\n" for value in lost)).encode(), "text/csv"
