"""Serve a threshold: what a local endpoint loads from the model's folder."""

import csv
import io
import json
from pathlib import Path


def load(folder: Path) -> dict[str, float]:
    model: dict[str, float] = json.loads((folder / "model.json").read_text())
    return model


def predict(model: dict[str, float], body: bytes, content_type: str) -> tuple[bytes, str]:
    rows = csv.DictReader(io.StringIO(body.decode()))
    answers = ["1" if float(row["tenure"]) < model["below"] else "0" for row in rows]
    return ("\n".join(answers) + "\n").encode(), "text/csv"
