"""The scripts that make the shipped data, each on a small input: what they understand, and what they leave out."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, cast

from stacks.schema.pack import Pack

ROOT = Path(__file__).resolve().parents[3]
PROBE = "§probe§"


def _run(script: str, *arguments: str | Path) -> None:
    command = [sys.executable, ROOT / "scripts" / script, *arguments]
    subprocess.run(command, check=True, capture_output=True)


def _gzipped(path: Path, document: object) -> Path:
    path.write_bytes(gzip.compress(json.dumps(document).encode()))
    return path


def _constraints(tmp_path: Path, provider: str, document: object, *more: str | Path) -> Pack:
    file = _gzipped(tmp_path / "in.json.gz", document)
    _run("update_constraints.py", file, *more, "--provider", provider, "--date", "2026-11", "--out", tmp_path)
    return Pack(tmp_path / f"{provider.partition('=')[0]}.constraints")


def _kept(pack: Pack, type_name: str) -> dict[str, Any]:
    records = pack.records("resource", type_name)
    assert records is not None
    return cast("dict[str, Any]", records[0])


def test_a_compact_schema_is_supplemented_with_what_its_provider_declares(tmp_path: Path) -> None:
    compact = {
        "azapi_resource": {"body": ["map(any)", "oc"], "retry": ["single*", "o", {"x": ["string", "r"]}]}
    }
    (tmp_path / "in.json").write_text(json.dumps(compact))
    _run(
        "update_provider_schemas.py",
        tmp_path / "in.json",
        *("--provider", "azapi=Azure/azapi@2.13.0", "--date", "2026-11", "--out", tmp_path),
    )
    pack = Pack(tmp_path / "azapi-2.13.0.pack")
    assert pack.records("resource", "azapi_resource") == [
        {"body": "oc any", "retry": ["single", "o", 1]},
        {"x": "r string"},
    ]
    assert "azapi_client_config" in pack.names("data")
    assert list(pack.names("provider")) == ["azapi"]
    assert pack.origin.endswith("; the rest copied from its source")


def test_a_providers_own_schema_adds_secrets_and_how_often_a_block_stands(tmp_path: Path) -> None:
    inner = {"key": ["string", "o"]}
    compact = {
        "acme_box": {
            "later": ["single*", "o", inner],
            "lid": ["single*", "r", inner],
            "sides": ["set*", "o", inner],
            "token": ["string", "o"],
        }
    }
    body = {"key": {"t": "TypeString", "f": "o", "sensitive": True, "write_only": True}}
    flags = {
        "acme_box": {
            "lid": {"t": "TypeList", "f": "r", "max": 1, "block": body},
            "sides": {"t": "TypeSet", "f": "o", "min": 2, "max": 6, "block": {}},
            "token": {"t": "TypeString", "f": "o", "sensitive": True},
        }
    }
    (tmp_path / "in.json").write_text(json.dumps(compact))
    file = _gzipped(tmp_path / "flags.json.gz", flags)
    _run(
        "update_provider_schemas.py",
        *(tmp_path / "in.json", "--flags", file),
        *("--provider", "acme=acme/acme@1.2.3", "--date", "2026-11", "--out", tmp_path),
    )
    pack = Pack(tmp_path / "acme-1.2.3.pack")
    assert pack.records("resource", "acme_box") == [
        {
            "later": ["one", 0, 1, 1],
            "lid": ["list", 1, 1, 2],
            "sides": ["set", 0, 6, 1],
            "token": "os string",
        },
        {"key": "o string"},
        {"key": "osw string"},
    ]
    assert pack.origin.endswith("; secrets and how often a block stands from its own schema")


def test_a_providers_own_schema_gives_lists_ranges_patterns_and_groups(tmp_path: Path) -> None:
    text = {"t": "TypeString", "f": "o"}
    both = ["allow", "deny"]
    arguments = {
        "direction": {**text, "validate": f'expected K to be one of ["INGRESS" "EGRESS" ""], got {PROBE}'},
        "priority": {**text, "validate": "expected K to be in the range (0 - 65535), got -987654321"},
        "name": {**text, "validate": f'"K" ("{PROBE}") doesn\'t match regexp "^a\\\\d$"'},
        "description": {**text, "validate": "custom(no error on probe)"},
        "self_link": {**text, "f": "c", "validate": f'expected K to be one of ["a"], got {PROBE}'},
        "nonsense": {**text, "validate": f'expected K to be one of ["a"], got {PROBE}'},
        "allow": {"t": "TypeSet", "f": "o", "exactly_one_of": both},
        "deny": {"t": "TypeSet", "f": "o", "exactly_one_of": ["allow"]},
        "source_tags": {**text, "t": "TypeSet(TypeString)", "conflicts": ["target_service_accounts"]},
        "target_service_accounts": {"t": "TypeSet", "f": "o", "max": 10, "conflicts": ["source_tags"]},
    }
    enums = _gzipped(
        tmp_path / "enums.json.gz",
        {"google_compute_firewall": {"direction": ["BOTH"], "log_config.metadata": ["A"], "priority": ["1"]}},
    )
    pack = _constraints(
        tmp_path,
        "google=hashicorp/google@8.7.0",
        {"google_compute_firewall": arguments},
        "--enums",
        enums,
    )
    assert _kept(pack, "google_compute_firewall") == {
        "values": {
            "direction": {"in": ["INGRESS", "EGRESS", "", "BOTH"]},
            "log_config.metadata": {"in": ["A"]},
            "name": {"re": "^a\\d$"},
            "priority": {"min": 0, "max": 65535},
            "target_service_accounts": {"most": 10},
        },
        "groups": [
            ["exactly", "allow", both],
            ["conflict", "source_tags", ["target_service_accounts"]],
        ],
    }


def test_answers_to_nonsense_count_only_where_they_are_alone_and_about_the_argument(tmp_path: Path) -> None:
    tier = f'expected account_tier to be one of ["Premium" "Standard"], got {PROBE}'
    uuid = "azure_files_authentication.0.active_directory.0.domain_guid"
    answers = {
        "account_tier": [tier],
        "access_tier": [tier],
        "account_kind": [f"it must not be {PROBE}"],
        "allowed_copy_scope": [
            tier.replace("account_tier", "allowed_copy_scope"),
            f"or else {PROBE} is empty",
        ],
        "azure_files_authentication.active_directory.domain_guid": [
            f'expected "{uuid}" to be a valid UUID, got {PROBE}',
            'expected azure_files_authentication.0.directory_type to be one of ["AADDS"], got ph',
        ],
        "primary_access_key": [tier],
    }
    pack = _constraints(tmp_path, "azurerm=hashicorp/azurerm@5.1.0", {"azurerm_storage_account": answers})
    assert _kept(pack, "azurerm_storage_account") == {
        "values": {
            "account_tier": {"in": ["Premium", "Standard"]},
            "azure_files_authentication.active_directory.domain_guid": {"form": "uuid"},
        },
        "groups": [],
    }


def test_what_a_validator_says_of_a_secret_is_left_out(tmp_path: Path) -> None:
    length = f'expected administrator_password to be one of ["a"], got {PROBE}'
    answers = {
        "administrator_password": [length],
        "version": [length.replace("administrator_password", "version")],
    }
    pack = _constraints(
        tmp_path, "azurerm=hashicorp/azurerm@5.1.0", {"azurerm_postgresql_flexible_server": answers}
    )
    assert list(_kept(pack, "azurerm_postgresql_flexible_server")["values"]) == ["version"]


DOCUMENTATION = """
# azurerm_container_registry

## Arguments Reference

* `name` - (Required) The name. Changing this forces a new resource to be created.

* `admin_enabled` - (Optional) Specifies whether the admin user is enabled. Defaults to `false`.

* `sku` - (Required) The SKU. Changing this from `Basic` forces a new resource to be created.

* `export_policy_enabled` - (Optional) Whether export is enabled.

~> **Note:** Once it is off, turning it on forces a new resource to be created.

* `encryption` - (Optional) An `encryption` block. Changing this forces a new resource to be created.

* `identity` - (Optional) An `identity` block as defined below.

---

An `encryption` block supports the following:

* `key_vault_key_id` - (Required) The key.

An `identity` block supports the following:

* `type` - (Required) The type. Changing this forces a new resource to be created.

* `identity_ids` - (Optional) The ids.

## Attributes Reference

* `location` - (Required) Not an argument here. Changing this forces a new resource to be created.
"""


def test_documentation_tells_what_forces_a_replacement_and_conditions_are_not_known(tmp_path: Path) -> None:
    (tmp_path / "container_registry.html.markdown").write_text(DOCUMENTATION)
    _run(
        "update_force_new_documented.py",
        "azurerm",
        "--docs",
        tmp_path,
        "--date",
        "2026-08",
        "--out",
        tmp_path,
    )
    table = tomllib.loads((tmp_path / "force_new_azurerm.toml").read_text())
    answers = table["types"]["azurerm_container_registry"]
    assert answers["forces"] == ["encryption", "identity.type", "name"]
    assert {"sku", "export_policy_enabled", "encryption.key_vault_key_id", "location"} <= {
        *answers["unknown"]
    }
    assert not {"admin_enabled", "identity", "identity.identity_ids"} & {*answers["unknown"]}


def test_a_providers_own_flags_tell_and_what_came_later_is_not_known(tmp_path: Path) -> None:
    flags = {
        "name": {"t": "TypeString", "f": "r", "forcenew": True},
        "labels": {"t": "TypeMap(TypeString)", "f": "o"},
        "hierarchical_namespace": {
            "t": "TypeList",
            "f": "o",
            "block": {"enabled": {"t": "TypeBool", "f": "r", "forcenew": True}},
        },
    }
    go = '\t\tSchema: map[string]*schema.Schema{\n\t\t\t"service": {\n\t\t\t\tForceNew: true,\n\t\t\t},\n\t\t},\n'
    name = '\t\tName:        "google_project_service_identity",\n'
    (tmp_path / "resource_a.go").write_text(go + name)
    file = _gzipped(tmp_path / "flags.json.gz", {"google_storage_bucket": flags})
    arguments = ("--schema", file, "--beta", tmp_path, "--date", "2026-11", "--out", tmp_path)
    _run("update_force_new_documented.py", "google", *arguments)
    types = tomllib.loads((tmp_path / "force_new_google.toml").read_text())["types"]
    assert types["google_storage_bucket"]["forces"] == [
        "hierarchical_namespace",
        "hierarchical_namespace.enabled",
        "name",
    ]
    assert "location" in types["google_storage_bucket"]["unknown"]
    assert "labels" not in types["google_storage_bucket"]["unknown"]
    assert types["google_project_service_identity"] == {"forces": ["service"], "unknown": ["project"]}
