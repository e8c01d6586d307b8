"""The example that learns from real orders, as a document for Kubeflow, with its own code and libraries."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scaffolder.operations.compiling import for_kubeflow
from scaffolder.spec.load import load_spec
from tests.operations.kubeflow.cluster import Cluster

EXAMPLE = Path(__file__).resolve().parents[3] / "examples/10-churn-local"


@pytest.mark.slow
def test_the_example_learns_on_a_cluster_what_it_learns_here(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns(".scaffolder", "data", "expected"))
    subprocess.run([sys.executable, "orders.py"], cwd=project, check=True, capture_output=True)
    document, _ = for_kubeflow(load_spec(project / "platform.yaml"), "train")
    parts = json.loads(json.dumps(document.parts))
    cluster = Cluster(tmp_path / "cluster")
    executors = parts[0]["deploymentSpec"]["executors"]
    address = executors["exec-features--from-1"]["importer"]["artifactUri"]["constant"]
    cluster.put(f"{address}/orders.csv", (project / "data/orders/orders.csv").read_text())

    run = cluster.run(parts)

    assert run.state == "succeeded", run.printed
    kept = run.artifacts["register"]
    assert (kept["model"] / "model.joblib").is_file()
    metrics = json.loads((kept["record"] / "metrics.json").read_text())
    assert metrics["rows"] == 5851
    assert 0.80 < metrics["auc"] < 0.82
