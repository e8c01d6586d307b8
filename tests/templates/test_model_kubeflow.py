"""A model project's pipeline learns on a cluster with Kubeflow Pipelines: `scripts/kubeflow`, and the image with its code."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.operations.kubeflow.cluster import Cluster
from tests.templates.model import Choice, model_project
from tests.templates.test_model_projects import PYTHON, must, python

pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.cli,
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get(PYTHON), reason=f"{PYTHON} names no interpreter"),
]


def image_of(cluster: Cluster, project: Path) -> None:
    """What the image's target `program` brings: the interpreter with its packages, and the project's package on its path."""
    program = cluster.programs / "python"
    program.unlink(missing_ok=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH={project / "src"} exec {python()} "$@"\n')
    program.chmod(0o755)


def test_a_model_is_learned_measured_and_released_on_a_cluster(scaffolder_cli: Path, tmp_path: Path) -> None:
    project = model_project(scaffolder_cli, tmp_path / "project", Choice("sklearn", "tabular", "gcp"))
    done = subprocess.run(
        ["sh", "scripts/kubeflow", "train"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": os.pathsep.join([str(scaffolder_cli.parent), os.environ["PATH"]])},
    )
    assert done.returncode == 0, done.stderr
    parts = list(yaml.safe_load_all(done.stdout))
    must(project, "-m", "churn_model.sample", "--out", "data/raw")
    cluster = Cluster(tmp_path / "cluster")
    image_of(cluster, project)
    executors = parts[0]["deploymentSpec"]["executors"]
    (address,) = [
        each["importer"]["artifactUri"]["constant"] for each in executors.values() if "importer" in each
    ]
    cluster.put(f"{address}/customers.csv", (project / "data" / "raw" / "customers.csv").read_text())

    run = cluster.run(parts)

    assert run.state == "succeeded", run.printed
    released = run.artifacts["release"]["released"]
    assert (released / "MODEL_CARD.md").is_file()
    record = json.loads((run.artifacts["register"]["record"] / "record.json").read_text())
    assert record["model"] == "churn"
    metrics = json.loads((run.artifacts["register"]["record"] / "metrics.json").read_text())
    assert metrics["auc"] > 0.75
