"""The arguments that the spec takes for a backend are those that the real Terraform takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scaffolder.spec.backends import BACKENDS
from tests.external_tools import Terraform

pytestmark = pytest.mark.terraform

SAMPLES = {"text": "x", "true or false": True, "a whole number": 1}


@pytest.mark.parametrize("backend", sorted(BACKENDS))
def test_terraform_knows_every_argument_and_its_type(
    backend: str, terraform: Terraform, tmp_path: Path
) -> None:
    """With one that no backend has, Terraform reads them all, complains of that one only, and connects to nothing."""
    takes = BACKENDS[backend]
    arguments = {name: SAMPLES[kind] for name, kind in takes.types.items()} | dict.fromkeys(takes.secret, "x")
    document = {"terraform": {"backend": {backend: {**arguments, "no_such_argument": "x"}}}}
    (tmp_path / "main.tf.json").write_text(json.dumps(document), encoding="utf-8")
    done = terraform.run("init", cwd=tmp_path)
    told = [
        line.strip()
        for line in done.stderr.splitlines()
        if "rgument named" in line or "Inappropriate" in line
    ]
    assert done.returncode != 0
    assert "no_such_argument" in done.stderr
    assert [line for line in told if "no_such_argument" not in line] == []
    assert done.stderr.count("Error:") == 1, done.stderr


@pytest.mark.parametrize("backend", sorted(BACKENDS))
def test_terraform_refuses_a_wrong_type_where_the_spec_does(
    backend: str, terraform: Terraform, tmp_path: Path
) -> None:
    typed = {name for name, kind in BACKENDS[backend].types.items() if kind != "text"}
    if not typed:
        return
    document = {"terraform": {"backend": {backend: dict.fromkeys(typed, "x")}}}
    (tmp_path / "main.tf.json").write_text(json.dumps(document), encoding="utf-8")
    done = terraform.run("init", cwd=tmp_path)
    assert done.stderr.count("Incorrect attribute value type") == len(typed), done.stderr
