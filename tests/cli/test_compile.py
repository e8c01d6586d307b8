from __future__ import annotations

import pytest

from tests.cli.conftest import Cli
from tests.operations.platforms import write_project

pytestmark = pytest.mark.cli


def test_a_pipeline_is_compiled_without_any_clouds_package(cli: Cli) -> None:
    write_project("gcp", cli.folder)
    ran = cli.run("compile", "train", "--to", "kubeflow", "--out", "train.yaml")
    assert (ran.code, ran.stdout) == (0, "")
    assert "schemaVersion: 2.1.0" in (cli.folder / "train.yaml").read_text()
    for service, head in (("sagemaker", "Steps"), ("vertex", "root")):
        assert cli.run("compile", "train", "--to", service).document[head]
    assert cli.run("compile", "train", "--to", "azureml").stdout.startswith("$schema: https://azuremlschemas")
