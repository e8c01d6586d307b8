"""The shipped schema and the check against it, held against what the real provider says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Set
from pathlib import Path
from typing import Any

import pytest

from stacks.graph import JsonText, Node, Ref, Text, Value
from tests.external_tools import Terraform
from tests.unit.schema.defects import DEFECTS, GOOD
from tests.unit.schema.value_defects import AWS_VALUE_DEFECTS

pytestmark = pytest.mark.terraform

ROOT = Path(__file__).resolve().parents[2]
NOT_ASKED = {"a type of no provider": "Terraform would look for a provider of that name in its registry"}
AT_INIT = {
    "a lifecycle among the arguments",
    "a lifecycle of a data source",
}
"""What already keeps Terraform from reading a configuration, and so would hide all other defects."""
AT_PLAN = {
    "a list where a string is referred to",
    "a string where a list is referred to",
    "a bool where a number is referred to",
    "a map inside a text",
}
"""What ``terraform validate`` lets pass: to it, a reference's value has any type."""
ASKED = {name: defect for name, defect in {**DEFECTS, **AWS_VALUE_DEFECTS}.items() if name not in NOT_ASKED}
OFFLINE = {
    "region": "eu-west-1",
    "access_key": "none",
    "secret_key": "none",
    "skip_credentials_validation": True,
    "skip_requesting_account_id": True,
    "skip_metadata_api_check": True,
}
PACK = ROOT / "stacks" / "schema" / "data" / "aws-5.100.0.pack"


def test_the_shipped_pack_is_what_the_real_provider_says(terraform: Terraform, tmp_path: Path) -> None:
    header = json.loads(PACK.read_bytes().split(b"\n", 2)[1])
    provider = f"{header['provider']}={header['source']}@{header['version']}"
    script = ROOT / "scripts" / "update_provider_schemas.py"
    command = [sys.executable, script, "--provider", provider, "--date", header["date"], "--out", tmp_path]
    subprocess.run(command, env=dict(terraform.environment), check=True, capture_output=True)
    assert (tmp_path / PACK.name).read_bytes() == PACK.read_bytes()


@pytest.fixture(scope="module")
def refused(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[str]]:
    """What ``terraform validate``, or where that is blind ``plan``, says about each defect."""
    validated = {name for name, defect in ASKED.items() if not defect.stricter} - AT_INIT - AT_PLAN
    folder = _configuration(terraform, tmp_path_factory.mktemp("validate"), validated)
    said = json.loads(terraform.run("validate", "-json", cwd=folder).stdout)["diagnostics"]
    folder = _configuration(terraform, tmp_path_factory.mktemp("plan"), AT_PLAN)
    lines = terraform.run("plan", "-json", "-refresh=false", cwd=folder).stdout.splitlines()
    planned = [line["diagnostic"] for line in map(json.loads, lines) if "diagnostic" in line]
    return {**_errors(said), **_errors(planned)}


@pytest.fixture(scope="module")
def taken(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[str]]:
    """What ``terraform validate`` says about the good nodes, and those that only the check refuses."""
    stricter = {name for name, defect in ASKED.items() if defect.stricter}
    folder = _configuration(terraform, tmp_path_factory.mktemp("good"), stricter)
    return _errors(json.loads(terraform.run("validate", "-json", cwd=folder).stdout)["diagnostics"])


def _configuration(terraform: Terraform, folder: Path, names: Set[str]) -> Path:
    """Write good nodes and defects, a file each, whose name a diagnostic gives back."""
    required = {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}}
    _write(folder / "versions.tf.json", {"terraform": required, "provider": {"aws": OFFLINE}})
    for at, node in enumerate(GOOD):
        _write(folder / f"good-{at}.tf.json", _document(node, node.address.name))
    for at, name in enumerate(sorted(names)):
        _write(folder / f"{name}.tf.json", _document(ASKED[name].node, f"x{at}"))
    initialized = terraform.run("init", "-backend=false", cwd=folder)
    assert initialized.returncode == 0, initialized.stderr
    return folder


def _errors(diagnostics: Iterable[Mapping[str, Any]]) -> Mapping[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for diagnostic in diagnostics:
        if diagnostic["severity"] == "error":
            file = diagnostic.get("range", {}).get("filename", "somewhere").removesuffix(".tf.json")
            errors.setdefault(file, []).append(f"{diagnostic['summary']}: {diagnostic['detail']}")
    return errors


def test_the_real_provider_takes_what_the_check_takes(taken: Mapping[str, list[str]]) -> None:
    """And the defects whose ``stricter`` says that only the check refuses them."""
    assert taken == {}


@pytest.mark.parametrize("name", [name for name in ASKED if not ASKED[name].stricter and name not in AT_INIT])
def test_the_real_provider_refuses_what_the_check_refuses(
    name: str, refused: Mapping[str, list[str]]
) -> None:
    assert refused.get(name)


@pytest.mark.parametrize("name", sorted(AT_INIT))
def test_terraform_does_not_even_read_some_of_them(name: str, terraform: Terraform, tmp_path: Path) -> None:
    _write(tmp_path / "defect.tf.json", _document(ASKED[name].node, "x"))
    assert terraform.run("init", "-backend=false", cwd=tmp_path).returncode != 0


def _write(path: Path, document: Mapping[str, object]) -> None:
    path.write_text(json.dumps(document))


def _document(node: Node, name: str) -> Mapping[str, object]:
    body: dict[str, object] = {key: _json(value) for key, value in node.arguments.items()}
    lifecycle: dict[str, object] = {}
    if node.lifecycle.ignore_changes:
        lifecycle["ignore_changes"] = list(node.lifecycle.ignore_changes)
    if node.lifecycle.prevent_destroy:
        lifecycle["prevent_destroy"] = True
    if lifecycle:
        body["lifecycle"] = lifecycle
    return {node.address.mode: {node.address.type: {name: body}}}


def _json(value: Value) -> object:
    match value:
        case Ref():
            return _expression(value)
        case Text(parts=parts):
            return "".join(_expression(part) if isinstance(part, Ref) else str(part) for part in parts)
        case JsonText(document=document):
            return json.dumps(_json(document))
        case Mapping():
            return {key: _json(item) for key, item in value.items()}
        case list():
            return [_json(item) for item in value]
        case _:
            return value


def _expression(ref: Ref) -> str:
    return f"${{{ref.address}.{ref.attribute}}}"
