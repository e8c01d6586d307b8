"""A deployment is timed command by command in the right order, and one that is not whole gives no numbers."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.apply import deployed
from benchmarks.measure import FailedError
from tests.external_tools import Terraform, terraform_environment
from tests.terraform.deployment import Deployment

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

Deploy = Callable[..., Deployment]


@pytest.fixture
def deployment(tmp_path: Path) -> Deploy:
    """Makes two stacks without a provider; the one that needs the other comes first in the alphabet."""
    executable = shutil.which("terraform")
    if executable is None:
        pytest.skip("there is no terraform on PATH")

    def make(first: dict[str, Any], second: dict[str, Any]) -> Deployment:
        dependencies = {"app": ["network"], "network": []}
        for name, resources in (("network", first), ("app", second)):
            folder = tmp_path / "out" / "stacks" / name
            folder.mkdir(parents=True)
            document = {"resource": {"terraform_data": resources}}
            (folder / "cdk.tf.json").write_text(json.dumps(document))
        stacks = {name: {"dependencies": needs} for name, needs in dependencies.items()}
        (tmp_path / "out" / "manifest.json").write_text(json.dumps({"stacks": stacks}))
        return Deployment(tmp_path / "out", Terraform(Path(executable), terraform_environment(tmp_path)), {})

    return make


def sleeping(seconds: float, *, at: str = "create") -> dict[str, Any]:
    provisioner = {"local-exec": {"command": f"sleep {seconds}", "when": at}}
    if at == "create":
        del provisioner["local-exec"]["when"]
    return {"provisioner": [provisioner]}


def test_every_stack_is_timed_command_by_command(deployment: Deploy) -> None:
    made = deployment({"one": sleeping(3), "two": {}}, {"one": sleeping(3, at="destroy")})
    began = time.perf_counter()
    network, app = deployed(made)
    took_s = time.perf_counter() - began
    assert [(network.stack, network.resources), (app.stack, app.resources)] == [("network", 2), ("app", 1)]
    assert min(*network.seconds, *app.seconds) > 0
    assert (network.apply_s >= 3, app.destroy_s >= 3) == (True, True)
    assert sum(network.seconds) + sum(app.seconds) <= took_s  # each second is one command's


def test_nothing_is_left(deployment: Deploy) -> None:
    made = deployment({"one": {}}, {"one": {}})
    deployed(made)
    assert made.state("network") == made.state("app") == ()


def test_a_second_plan_with_changes_gives_no_numbers(deployment: Deploy) -> None:
    with pytest.raises(FailedError, match="exit code 2 from terraform plan of network"):
        deployed(deployment({"one": {"input": "${timestamp()}"}}, {}))


def test_a_command_that_fails_gives_no_numbers(deployment: Deploy) -> None:
    with pytest.raises(FailedError, match=r"exit code 1 from terraform plan of app\n(.|\n)*unknown_function"):
        deployed(deployment({"one": {}}, {"one": {"input": "${unknown_function()}"}}))
