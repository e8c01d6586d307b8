"""Each stack keeps its promises: `terraform test` plans it against a mocked {% if cookiecutter.provider == "aws" %}AWS{% elif cookiecutter.provider == "gcp" %}Google Cloud{% else %}Azure{% endif %}. Needs Terraform, and no account.

`storage.tftest.hcl` is for the stack `...-storage` of every environment, `storage-more.tftest.hcl` too. What a file's
first line says it needs may not be made yet: then it is skipped, and `scaffolder preview` says what to do.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scaffolder.pipeline import synthesize

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
FILES = {path.name.removesuffix(".tftest.hcl"): path for path in sorted(HERE.glob("*.tftest.hcl"))}
STACKS = {linked.stack.name: linked.stack.concern for linked in synthesize(PROJECT / "platform.yaml").stacks}
CASES = [(stack, name) for stack, concern in STACKS.items() for name in FILES if name.partition("-")[0] == concern]
OTHER_STACKS_OUTPUT = re.compile(r"terraform_remote_state\.[\w-]+\.outputs\.([\w-]+)")
NEEDS = re.compile(r"# needs: (\w+)\.([\w-]+)\n")
TIMEOUT_S = 600
{%- if cookiecutter.provider == "gcp" %}
SHAPES = {
    r"_number$": "123456789012",
    r"_billing_account$": "000000-000000-000000",
    r"_email$": "mock@mock-project.iam.gserviceaccount.com",
    r"_member$": "serviceAccount:mock@mock-project.iam.gserviceaccount.com",
    r"_kms_crypto_key_.*_id$": "projects/mock/locations/mock/keyRings/mock/cryptoKeys/{}",
    r"_network_attachment_.*_id$": "projects/mock/regions/mock/networkAttachments/mock",
    r"_compute_network_.*_id$": "projects/mock-project/global/networks/mock",
    r"_compute_subnetwork_.*_id$": "projects/mock-project/regions/mock/subnetworks/mock",
    r"_vertex_ai_endpoint_.*_name$": "1234567890",
    r"_storage_bucket_.*_url$": "gs://{}",
}
{%- elif cookiecutter.provider == "azure" %}
UUID = "00000000-0000-0000-0000-000000000004"
GROUP = f"/subscriptions/{UUID}/resourceGroups/mock"
PROVIDERS = f"{GROUP}/providers/Microsoft"
SHAPES = {
    r"_(client|principal|tenant|object)_id$": UUID,
    r"^azurerm_resource_group_.*_id$": GROUP,
    r"_resource_group_.*_name$": "mock",
    r"_application_insights_.*_id$": f"{PROVIDERS}.Insights/components/mock",
    r"_container_registry_.*_id$": f"{PROVIDERS}.ContainerRegistry/registries/mock",
    r"_key_vault_.*_id$": f"{PROVIDERS}.KeyVault/vaults/mock",
    r"_log_analytics_workspace_.*_id$": f"{PROVIDERS}.OperationalInsights/workspaces/mock",
    r"^azapi_resource_endpoint": f"{PROVIDERS}.MachineLearningServices/workspaces/mock/onlineEndpoints/mock",
    r"_machine_learning_workspace_.*_id$": f"{PROVIDERS}.MachineLearningServices/workspaces/mock",
    r"_private_dns_zone_.*_id$": f"{PROVIDERS}.Network/privateDnsZones/mock.example.com",
    r"_storage_container_.*_id$": f"{PROVIDERS}.Storage/storageAccounts/mockaccount/blobServices/default/containers/mock",
    r"_storage_account_.*_id$": f"{PROVIDERS}.Storage/storageAccounts/mockaccount",
    r"_subnet_.*_id$": f"{PROVIDERS}.Network/virtualNetworks/mock/subnets/mock",
    r"_virtual_network_.*_id$": f"{PROVIDERS}.Network/virtualNetworks/mock",
    r"_user_assigned_identity_.*_id$": f"{PROVIDERS}.ManagedIdentity/userAssignedIdentities/mock",
}
{%- endif %}
# No account is asked, whatever this machine knows of one.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith({% if cookiecutter.provider == "aws" %}"AWS_"{% elif cookiecutter.provider == "gcp" %}("GOOGLE_", "CLOUDSDK_"){% else %}("ARM_", "AZURE_"){% endif %})} | {
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
    "CHECKPOINT_DISABLE": "1",
}


def run(command: list[str], folder: Path, **environment: str) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env=ENVIRONMENT | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}{done.stderr}"


@pytest.fixture(scope="session")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the project's app synthesizes."""
    if shutil.which("terraform") is None:
        pytest.skip("there is no terraform on PATH")
    folder = tmp_path_factory.mktemp("synthesized")
    app = json.loads((PROJECT / "cdktf.json").read_text())["app"]
    run(shlex.split(app), PROJECT, CDKTF_OUTDIR=str(folder))
    return folder / "stacks"


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for one stack after the other, so that the provider is installed once."""
    folder = tmp_path_factory.mktemp("workshop")
    shutil.copytree(HERE / "mocks", folder / "mocks")
    (folder / "mocks" / "stacks").mkdir()
    return folder


def other_stacks(document: str) -> dict[str, str]:
    """Outputs of other stacks that a stack reads; each is told by its own name."""
    names = sorted(set(OTHER_STACKS_OUTPUT.findall(document)))
{%- if cookiecutter.provider == "aws" %}
    start = "arn:aws:mock:us-east-1:123456789012:"
    return {name: f"{start}{name}" if name.endswith("_arn") else name for name in names}
{%- else %}
    return {name: shaped(name) for name in names}


def shaped(name: str) -> str:
    """The name itself, in the shape that the provider wants of such an output."""
    shape = next((shape for pattern, shape in SHAPES.items() if re.search(pattern, name)), "{}")
    return shape.format(name)
{%- endif %}


def install(workshop: Path, document: dict[str, Any]) -> None:
    """Install what a stack requires, where the stack before it required something else."""
    required = json.dumps([document["terraform"].get("required_providers"), document.get("module")])
    installed = workshop / "installed.txt"
    if not installed.exists() or installed.read_text() != required:
        run(["terraform", "init", "-backend=false", "-input=false", "-no-color"], workshop)
        installed.write_text(required)


@pytest.mark.parametrize(("stack", "name"), CASES)
def test_a_stack_keeps_its_promises(stack: str, name: str, documents: Path, workshop: Path) -> None:
    document = (documents / stack / "cdk.tf.json").read_text()
    needs = NEEDS.match(FILES[name].read_text())
    if needs and needs[2] not in json.loads(document)["resource"].get(needs[1], {}):
        pytest.skip(f"{stack} has no {needs[1]}.{needs[2]} yet; `scaffolder preview` says what to do")
    (workshop / "cdk.tf.json").write_text(document)
    mock = {"mock_data": {"terraform_remote_state": {"defaults": {"outputs": other_stacks(document)}}}}
    (workshop / "mocks" / "stacks" / "outputs.tfmock.json").write_text(json.dumps(mock))
    for old in workshop.glob("*.tftest.hcl"):
        old.unlink()
    shutil.copy(FILES[name], workshop)
    install(workshop, json.loads(document))
    run(["terraform", "test", "-no-color"], workshop)


def test_every_stack_of_the_platform_is_tested() -> None:
    assert set(STACKS) - {stack for stack, _ in CASES} == set()
