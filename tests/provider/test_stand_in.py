"""The stand-in finds what a real provider would, at the level where that would: each defect here was made on purpose."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.external_tools import Terraform
from tests.provider.levels import Complaint, Levels, copied

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

REQUIRED = {
    "azurerm": {"source": "hashicorp/azurerm", "version": ">= 5.1.0, < 6.0.0"},
    "azapi": {"source": "Azure/azapi", "version": ">= 2.9.0, < 3.0.0"},
    "google": {"source": "hashicorp/google", "version": ">= 8.0.0, < 9.0.0"},
    "google-beta": {"source": "hashicorp/google-beta", "version": ">= 8.0.0, < 9.0.0"},
}
SOUND: Mapping[str, Any] = {
    "terraform": {"required_providers": REQUIRED},
    "provider": {
        "azurerm": {"features": {}},
        "azapi": {},
        "google": {"project": "acme-ml-dev", "region": "europe-west4"},
        "google-beta": {"project": "acme-ml-dev"},
    },
    "data": {"azurerm_client_config": {"me": {}}, "google_project": {"this": {}}},
    "resource": {
        "azurerm_resource_group": {"main": {"name": "main", "location": "westeurope"}},
        "azurerm_user_assigned_identity": {
            "main": {"name": "main", "location": "westeurope", "resource_group_name": "main"}
        },
        "azurerm_storage_account": {
            "main": {
                "name": "mainaccount",
                "location": "westeurope",
                "resource_group_name": "${azurerm_resource_group.main.name}",
                "account_tier": "Standard",
                "account_replication_type": "LRS",
                "identity": {
                    "type": "UserAssigned",
                    "identity_ids": ["${azurerm_user_assigned_identity.main.id}"],
                },
            }
        },
        "azurerm_role_assignment": {
            "main": {
                "scope": "${azurerm_storage_account.main.id}",
                "role_definition_name": "Storage Blob Data Reader",
                "principal_id": "${azurerm_user_assigned_identity.main.principal_id}",
            }
        },
        "azapi_resource": {
            "workspace": {
                "type": "Microsoft.MachineLearningServices/workspaces@2025-06-01",
                "name": "main",
                "parent_id": "${azurerm_resource_group.main.id}",
                "body": {"properties": {"tags": ["one", 2]}},
                "response_export_values": ["properties.workspaceId"],
            },
            "endpoint": {
                "type": "Microsoft.MachineLearningServices/workspaces/onlineEndpoints@2025-06-01",
                "name": "churn",
                "parent_id": "${azapi_resource.workspace.id}",
                "body": {"properties": {"authMode": "AADToken"}},
            },
        },
        "google_compute_network": {"main": {"name": "main", "auto_create_subnetworks": False}},
        "google_compute_subnetwork": {
            "main": {
                "name": "main",
                "network": "${google_compute_network.main.id}",
                "ip_cidr_range": "10.0.0.0/24",
            }
        },
        "google_service_account": {"main": {"account_id": "trainer"}},
        "google_project_service_identity": {
            "main": {"provider": "google-beta", "service": "aiplatform.googleapis.com"}
        },
    },
    "output": {
        "group": {"value": "${azurerm_resource_group.main.id}"},
        "account": {"value": "${azurerm_storage_account.main.id}"},
        "principal": {"value": "${azurerm_role_assignment.main.principal_id}"},
        "endpoint": {"value": "${azapi_resource.endpoint.id}"},
        "workspace": {"value": "${azapi_resource.workspace.output.properties.workspaceId}"},
        "tenant": {"value": "${data.azurerm_client_config.me.tenant_id}"},
        "subnetwork": {"value": "${google_compute_subnetwork.main.id}"},
        "email": {"value": "${google_service_account.main.email}"},
        "number": {"value": "${data.google_project.this.number}"},
    },
}
"""A configuration of each provider without a defect; defects are put beside it."""


def account(**arguments: object) -> Mapping[str, Any]:
    """A storage account with a defect."""
    sound: Mapping[str, object] = SOUND["resource"]["azurerm_storage_account"]["main"]
    return {"azurerm_storage_account": {"bad": {**sound, **arguments}}}


def without(node: Mapping[str, Any], argument: str) -> Mapping[str, object]:
    """The same node without an argument."""
    ((type_, named),) = node.items()
    ((name, arguments),) = named.items()
    return {type_: {name: {key: value for key, value in arguments.items() if key != argument}}}


TO_AN_IDENTITY = ["${azurerm_user_assigned_identity.main.id}"]
ENDPOINT = SOUND["resource"]["azapi_resource"]["endpoint"]

AT_VALIDATE: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "an unknown argument": (account(colour="red"), "colour"),
    "an unknown block": (account(colours={"red": True}), "colours"),
    "a missing argument": (without(account(), "account_tier"), "account_tier"),
    "a wrong type": (account(tags="red"), "tags"),
    "a removed type": (
        {"google_vertex_ai_schedule": {"bad": {"display_name": "x"}}},
        "google_vertex_ai_schedule",
    ),
    "an unknown attribute of a reference": (account(name="${azurerm_resource_group.main.nam}"), "nam"),
    "an enumeration": (account(account_tier="Gold"), "account_tier to be one of"),
    "an enumeration in a block": (
        account(identity={"type": "UserAssignd", "identity_ids": []}),
        "identity.type to be one of",
    ),
    "a range": (
        account(blob_properties={"delete_retention_policy": {"days": 400}}),
        "days to be in the range",
    ),
    "a pattern": ({"google_compute_network": {"bad": {"name": "Main"}}}, "doesn't match regexp"),
    "a conflict": (
        {
            "google_compute_firewall": {
                "bad": {
                    "name": "bad",
                    "network": "main",
                    "allow": {"protocol": "tcp"},
                    "source_tags": ["a"],
                    "source_service_accounts": ["b"],
                }
            }
        },
        "conflicts with",
    ),
    "an id that is set": (account(id="mine"), "Invalid or unknown key"),
    "a type of azapi without a version": (
        {"azapi_resource": {"bad": {**ENDPOINT, "type": "Microsoft.MachineLearningServices/registries"}}},
        "type@version",
    ),
}
AT_PLAN: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "an enumeration through a variable": (account(account_tier="${var.tier}"), "account_tier to be one of"),
}
AT_APPLY: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "an enumeration beside a reference": (
        account(identity={"type": "UserAssignd", "identity_ids": TO_AN_IDENTITY}),
        "identity.type to be one of",
    ),
    "the id of something else": (
        {
            "azurerm_storage_container": {
                "bad": {"name": "bad", "storage_account_id": "${azurerm_user_assigned_identity.main.id}"}
            }
        },
        "takes a StorageAccount ID",
    ),
    "the id of something else in a block": (
        account(identity={"type": "UserAssigned", "identity_ids": ["${azurerm_resource_group.main.id}"]}),
        "takes a UserAssignedIdentity ID",
    ),
    "the id of something else that only the cloud would refuse": (
        {
            "google_storage_bucket": {
                "bad": {
                    "name": "bad",
                    "location": "EU",
                    "encryption": {"default_kms_key_name": "${google_service_account.main.id}"},
                }
            }
        },
        "takes a default_kms_key_name ID",
    ),
    "a parent of another type": (
        {"azapi_resource": {"bad": {**ENDPOINT, "parent_id": "${azurerm_storage_account.main.id}"}}},
        "`parent_id` is invalid",
    ),
}


def levels_of(terraform: Terraform, folder: Path, defects: Mapping[str, Any], **variables: str) -> Levels:
    """The sound configuration with defects, each in a file and under a name of its own."""
    place = folder / "main"
    place.mkdir()
    declared = {"variable": {name: {"default": value} for name, value in variables.items()}}
    (place / "cdk.tf.json").write_text(json.dumps({**SOUND, **(declared if variables else {})}))
    for at, (defect, _) in enumerate(defects.values()):
        renamed = {type_: {f"bad{at}": node for node in named.values()} for type_, named in defect.items()}
        (place / f"bad-{at}.tf.json").write_text(json.dumps({"resource": renamed}))
    return copied(place, folder / "work", terraform)


def not_found(defects: Mapping[str, tuple[Any, str]], complaints: list[Complaint]) -> list[str]:
    """The defects that no complaint is about."""
    return [
        name
        for name, (_, said) in defects.items()
        if not any(said in complaint.text for complaint in complaints)
    ]


def test_what_is_sound_passes_each_level_and_gives_ids_as_a_cloud_does(
    terraform: Terraform, tmp_path: Path
) -> None:
    levels = levels_of(terraform, tmp_path, {})
    assert levels.validate() == []
    assert levels.apply() == []
    done = levels.stand_in.run("output", "-json", cwd=levels.folder / "main")
    outputs = {name: output["value"] for name, output in json.loads(done.stdout).items()}
    group = "/subscriptions/00000000-0000-0000-0000-000000000004/resourceGroups/main"
    workspace = f"{group}/providers/Microsoft.MachineLearningServices/workspaces/main"
    assert outputs == {
        "group": group,
        "account": f"{group}/providers/Microsoft.Storage/storageAccounts/mainaccount",
        "principal": outputs["principal"],
        "endpoint": f"{workspace}/onlineEndpoints/churn",
        "workspace": "mock-workspaceId",
        "tenant": "00000000-0000-0000-0000-000000000001",
        "subnetwork": "projects/acme-ml-dev/regions/europe-west4/subnetworks/main",
        "email": "trainer@acme-ml-dev.iam.gserviceaccount.com",
        "number": "123456789012",
    }
    assert levels.mock() == []
    assert levels.destroy() == []


def test_validate_finds_what_can_be_seen_without_a_value(terraform: Terraform, tmp_path: Path) -> None:
    assert not_found(AT_VALIDATE, levels_of(terraform, tmp_path, AT_VALIDATE).validate()) == []


def test_plan_finds_what_a_variable_hid(terraform: Terraform, tmp_path: Path) -> None:
    levels = levels_of(terraform, tmp_path, AT_PLAN, tier="Gold")
    assert levels.validate() == []
    assert not_found(AT_PLAN, levels.plan_stack("main")) == []


def test_only_an_apply_finds_what_stands_beside_a_reference(terraform: Terraform, tmp_path: Path) -> None:
    levels = levels_of(terraform, tmp_path, AT_APPLY)
    assert levels.validate() == []
    assert levels.plan_stack("main") == []
    assert not_found(AT_APPLY, levels.mock()) == []
    assert not_found(AT_APPLY, levels.apply()) == []


def test_a_version_that_is_not_allowed_is_not_installed(terraform: Terraform, tmp_path: Path) -> None:
    place = tmp_path / "main"
    place.mkdir()
    newer = {"google": {"source": "hashicorp/google", "version": ">= 9.0.0"}}
    (place / "cdk.tf.json").write_text(json.dumps({"terraform": {"required_providers": newer}}))
    (complaint, *_) = copied(place, tmp_path / "work", terraform).validate()
    assert "no available releases match the given constraints >= 9.0.0" in complaint.text
