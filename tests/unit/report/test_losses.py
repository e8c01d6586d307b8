"""Each cloud's tables of what protects and keeps data, and how they are read."""

from __future__ import annotations

import pytest

from scaffolder.report.losses import is_lowered, is_place, lost_by_expiry
from stacks.adapter import STACKS, losses_of
from stacks.azure.losses import LOSSES as AZURE
from stacks.gcp.losses import LOSSES as GCP
from stacks.graph import Node, StackBuilder, Value
from stacks.losses import Losses
from stacks.schema.load import provider_of, schema_of, shipped_versions

TABLES = {"azure": AZURE, "gcp": GCP} | {name: losses_of(name) for name in STACKS}
JSON_OF_ITS_OWN = {("aws_ecr_lifecycle_policy", "policy")}


def node(type_name: str, **arguments: Value) -> Node:
    builder = StackBuilder("storage")
    builder.resource(type_name, "data", arguments, origin="a test")
    return builder.nodes[0]


@pytest.mark.parametrize("cloud", sorted(TABLES))
def test_every_argument_of_the_tables_is_one_of_its_resource(cloud: str) -> None:
    losses = TABLES[cloud]
    paths = [
        *losses.states,
        *((name, each.path) for name, found in losses.expiries.items() for each in found),
    ]
    paths += [
        (name, (each.parent,)) for name, found in losses.expiries.items() for each in found if each.parent
    ]
    for type_name, path in paths:
        provider = provider_of(type_name)
        schema = schema_of(provider, "resource", type_name, version=shipped_versions(provider)[-1])
        known = path[:1] if (type_name, path[0]) in JSON_OF_ITS_OWN else path
        assert schema.at(known) is not None, f"{type_name}: {path}"


@pytest.mark.parametrize(
    ("losses", "type_name", "path", "old", "new"),
    [
        (GCP, "google_storage_bucket", "deletion_policy", "PREVENT", "DELETE"),
        (GCP, "google_storage_bucket", "force_destroy", False, True),
        (GCP, "google_storage_bucket", "versioning.enabled", True, False),
        (GCP, "google_storage_bucket", "soft_delete_policy.retention_duration_seconds", 2592000, 604800),
        (GCP, "google_kms_crypto_key", "destroy_scheduled_duration", "2592000s", "86400s"),
        (GCP, "google_bigquery_table", "deletion_protection", True, None),
        (AZURE, "azurerm_key_vault", "purge_protection_enabled", True, False),
        (AZURE, "azurerm_storage_account", "blob_properties.versioning_enabled", True, None),
        (AZURE, "azurerm_storage_account", "blob_properties[0].delete_retention_policy[0].days", 30, 7),
    ],
)
def test_a_protection_is_lowered_one_way_only(
    losses: Losses, type_name: str, path: str, old: Value, new: Value
) -> None:
    assert is_lowered(losses, type_name, path, old, new)
    assert not is_lowered(losses, type_name, path, new, old)


def test_each_cloud_knows_its_own_places() -> None:
    assert is_place(GCP, "project")
    assert is_place(AZURE, "subscription_id")
    assert not is_place(AZURE, "features")


def aged(days: int, action: str = "Delete") -> dict[str, Value]:
    return {"action": {"type": action}, "condition": {"age": days}}


def lost(losses: Losses, old: Node | None, new: Node) -> list[str]:
    return [text for each in losses.expiries[new.address.type] for text in lost_by_expiry(each, old, new)]


def test_a_rule_that_moves_objects_loses_none() -> None:
    colder = node("google_storage_bucket", lifecycle_rule=[aged(30, "SetStorageClass")])
    assert lost(GCP, node("google_storage_bucket"), colder) == []
    deleting = node("google_storage_bucket", lifecycle_rule=[aged(30, "SetStorageClass"), aged(90)])
    assert lost(GCP, colder, deleting) == ["every object older than 90 days (all were kept)"]
    sooner = node("google_storage_bucket", lifecycle_rule=[aged(60)])
    assert lost(GCP, deleting, sooner) == ["every object older than 60 days (90 before)"]


def test_a_rule_of_azure_that_is_turned_off_loses_nothing() -> None:
    def policy(*, enabled: bool, days: int) -> Node:
        blobs: Value = {"delete_after_days_since_modification_greater_than": days}
        rule: Value = {"name": "expire", "enabled": enabled, "actions": {"base_blob": blobs}}
        return node("azurerm_storage_management_policy", storage_account_id="x", rule=[rule])

    kept = policy(enabled=True, days=90)
    assert lost(AZURE, kept, policy(enabled=False, days=30)) == []
    assert lost(AZURE, kept, policy(enabled=True, days=30)) == ["every object older than 30 days (90 before)"]
