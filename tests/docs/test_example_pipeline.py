"""The code of the full example's pipeline runs: its commands, one after the other, on made-up customers."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.external_tools import ROOT

CODE = ROOT / "examples" / "04-full-aws" / "pipelines" / "churn"

pytestmark = pytest.mark.slow


def run(program: str, *arguments: object) -> None:
    """Run a step's program in its folder."""
    done = subprocess.run(
        [sys.executable, program, *map(str, arguments)], cwd=CODE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_prepares_trains_and_measures(tmp_path: Path) -> None:
    chance = random.Random(0)  # noqa: S311 - made-up customers
    rows = ["customer_id,tenure_months,monthly_charge,active,churned"]
    for number in range(600):
        tenure, charge = chance.randint(1, 60), round(chance.uniform(20, 120), 2)
        churned = int(charge / 120 - tenure / 60 + chance.uniform(-0.3, 0.3) > 0)
        rows.append(f"c{number},{tenure},{charge},{chance.randint(0, 1)},{churned}")
    raw, train, test, model, report = (
        tmp_path / name for name in ("raw", "train", "test", "model", "report")
    )
    raw.mkdir()
    (raw / "day.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    run("prepare.py", "--raw", raw, "--train", train, "--test", test)
    run("train.py", "--data", train, "--model", model, "--max-depth", 3)
    # A training job hands its model over as an archive.
    handed = tmp_path / "handed"
    handed.mkdir()
    with tarfile.open(handed / "model.tar.gz", "w:gz") as archive:
        archive.add(model / "model.joblib", arcname="model.joblib")
    run("evaluate.py", "--model", handed, "--data", test, "--report", report)
    metrics = json.loads((report / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["auc"] > 0.7
    assert 60 < metrics["rows"] < 180
