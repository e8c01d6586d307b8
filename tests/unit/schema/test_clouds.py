"""The check against the packs of google, google-beta, azurerm and azapi: what each must find, and what it must let pass."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from stacks.graph import Address, Mode, Node, ProviderBlock, Ref, RemoteRef, Value
from stacks.schema.check import Code, check_nodes, check_provider
from stacks.schema.load import Schemas, schema_of
from stacks.schema.model import Attribute, BlockType, NestedAttribute, Scalar
from stacks.schema.paths import AttributePathError, attribute_at
from tests.unit.schema.defects import node

GCP = {"google": "8.7.0", "google-beta": "8.7.0"}
AZURE = {"azurerm": "5.1.0", "azapi": "2.13.0"}
NEWER_AZURE = {"azurerm": "5.10.0", "azapi": "2.13.0"}
EVERY = ({**GCP, **AZURE}, {**GCP, **NEWER_AZURE})

ANYTHING = RemoteRef("network", "anything")
BODY: Mapping[str, Value] = {
    "properties": {
        "authMode": "AADToken",
        "keys": [{"name": "a", "depth": {"more": [1, 2, ["x"]]}}, None],
        "traffic": {"blue": 100},
        "workspace": ANYTHING,
    }
}
ENDPOINT: Mapping[str, Value] = {
    "type": "Microsoft.MachineLearningServices/workspaces/onlineEndpoints@2025-12-01",
    "name": "churn",
    "parent_id": ANYTHING,
    "location": "westeurope",
    "body": BODY,
}
BUCKET: Mapping[str, Value] = {"name": "churn", "location": "EU"}
WORKSPACE: Mapping[str, Value] = {
    "name": "churn",
    "location": "westeurope",
    "resource_group_name": "churn",
    "application_insights_id": ANYTHING,
    "key_vault_id": ANYTHING,
    "storage_account_id": ANYTHING,
    "identity": {"type": "SystemAssigned"},
}


def _data(type_: str, **arguments: Value) -> Node:
    return node(type_, "x", arguments, mode="data")


GOOD: Mapping[str, Node] = {
    "a bucket": node(
        "google_storage_bucket",
        "x",
        {**BUCKET, "encryption": {"default_kms_key_name": ANYTHING}, "versioning": {"enabled": True}},
    ),
    "a type that only google-beta has": node(
        "google_project_service_identity", "x", {"service": "aiplatform.googleapis.com", "project": ANYTHING}
    ),
    "google's data sources": _data("google_project", project_id="churn-dev"),
    "the account of Cloud Storage": _data("google_storage_project_service_account", project="churn-dev"),
    "who Terraform is on Google's cloud": _data("google_client_config"),
    "a workspace": node("azurerm_machine_learning_workspace", "x", WORKSPACE),
    "who Terraform is on Azure": _data("azurerm_client_config"),
    "a body of any shape": node("azapi_resource", "x", ENDPOINT),
    "a body that is a reference": node("azapi_resource", "x", {**ENDPOINT, "body": ANYTHING}),
    "values to export, as a list or a map": node(
        "azapi_resource", "x", {**ENDPOINT, "response_export_values": ["properties.scoringUri"]}
    ),
    "when to try again": node(
        "azapi_resource", "x", {**ENDPOINT, "retry": {"error_message_regex": ["conflict"]}}
    ),
    "an identity of an azapi resource": node(
        "azapi_resource", "x", {**ENDPOINT, "identity": {"type": "UserAssigned", "identity_ids": [ANYTHING]}}
    ),
    "who Terraform is to azapi": _data("azapi_client_config"),
}

DEFECTS: Mapping[str, tuple[Node, Code, str, str]] = {
    "an unknown argument": (
        node("google_storage_bucket", "x", {**BUCKET, "force_destory": True}),
        "unknown-argument",
        '"force_destory" is not an argument of google_storage_bucket',
        'Did you mean "force_destroy"?',
    ),
    "an unknown argument two blocks deep": (
        node(
            "google_storage_bucket",
            "x",
            {**BUCKET, "lifecycle_rule": {"action": {"type": "Delete"}, "condition": {"agee": 3}}},
        ),
        "unknown-argument",
        '"agee" is not an argument of lifecycle_rule.condition in google_storage_bucket',
        'Did you mean "age"?',
    ),
    "an unknown argument of a type that only google-beta has": (
        node("google_project_service_identity", "x", {"service": "a", "projct": "b"}),
        "unknown-argument",
        '"projct" is not an argument of google_project_service_identity',
        'Did you mean "project"?',
    ),
    "a missing argument": (
        node("google_compute_subnetwork", "x", {"name": "a", "ip_cidr_range": "10.0.0.0/16"}),
        "missing-argument",
        'google_compute_subnetwork needs "network", a string',
        "",
    ),
    "a missing block": (
        node("azurerm_machine_learning_workspace", "x", {**WORKSPACE, "identity": None}),
        "too-few-blocks",
        'azurerm_machine_learning_workspace needs at least 1 "identity" block',
        "",
    ),
    "a text for a block": (
        node("azurerm_machine_learning_workspace", "x", {**WORKSPACE, "identity": "SystemAssigned"}),
        "wrong-type",
        'identity is "SystemAssigned", but a block is a map of its arguments',
        "",
    ),
    "a list where a text belongs": (
        node("google_storage_bucket", "x", {**BUCKET, "location": ["EU"]}),
        "wrong-type",
        "location is a list, but must be a string",
        "",
    ),
    "an argument that azurerm 5 took away": (
        node(
            "azurerm_storage_container",
            "x",
            {"name": "a", "storage_account_id": ANYTHING, "storage_account_name": "a"},
        ),
        "unknown-argument",
        '"storage_account_name" is not an argument of azurerm_storage_container',
        'Did you mean "storage_account_id"?',
    ),
    "a set of what only the provider sets": (
        _data("google_project", number="1"),
        "read-only",
        "number is set by the provider and cannot be given",
        "Leave it out.",
    ),
    "an unknown argument beside a body": (
        node("azapi_resource", "x", {**ENDPOINT, "bodyy": {}}),
        "unknown-argument",
        '"bodyy" is not an argument of azapi_resource',
        'Did you mean "body"?',
    ),
    "a reference to nothing in a body": (
        node(
            "azapi_resource",
            "x",
            {
                **ENDPOINT,
                "body": {"properties": {"a": [Ref(Address("resource", "azapi_resource", "y"), "id")]}},
            },
        ),
        "unknown-address",
        "body refers to azapi_resource.y, which does not exist",
        'Did you mean "azapi_resource.x"?',
    ),
    "a try again without its reason": (
        node("azapi_resource", "x", {**ENDPOINT, "retry": {"interval_seconds": 1}}),
        "missing-argument",
        'retry in azapi_resource needs "error_message_regex", a list of strings',
        "",
    ),
    "an attribute that a data source lacks": (
        node(
            "google_storage_bucket",
            "x",
            {**BUCKET, "project": Ref(Address("data", "google_client_config", "x"), "projct")},
        ),
        "unknown-attribute",
        'project refers to data.google_client_config.x.projct: google_client_config has no attribute "projct"',
        'Did you mean "project"?',
    ),
}


@pytest.mark.parametrize("versions", EVERY, ids=["oldest", "newest"])
@pytest.mark.parametrize("name", GOOD)
def test_the_other_clouds_packs_take_what_their_providers_take(
    name: str, versions: Mapping[str, str]
) -> None:
    assert check_nodes([GOOD[name]], versions) == ()


@pytest.mark.parametrize("versions", EVERY, ids=["oldest", "newest"])
@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_of_another_cloud_is_found(name: str, versions: Mapping[str, str]) -> None:
    wrong, code, message, hint = DEFECTS[name]
    beside = [wrong, GOOD["who Terraform is on Google's cloud"]]
    assert [(p.code, p.message, p.hint) for p in check_nodes(beside, versions)] == [(code, message, hint)]


def test_a_type_of_google_beta_is_unknown_where_the_platform_has_only_google() -> None:
    (problem,) = check_nodes([GOOD["a type that only google-beta has"]], {"google": "8.7.0"})
    assert problem.code == "unknown-type"
    assert Schemas(GCP).of("resource", "google_project_service_identity").provider == "google-beta"
    assert Schemas(GCP).of("resource", "google_storage_bucket").provider == "google"


@pytest.mark.parametrize(("mode", "type_name"), [("data", "azurerm_client_config"), ("provider", "azurerm")])
def test_what_the_newest_packs_source_lacks_is_read_from_an_older_one(mode: Mode, type_name: str) -> None:
    assert Schemas(NEWER_AZURE).of(mode, type_name).version == "5.1.0"
    assert Schemas(NEWER_AZURE).of("resource", "azurerm_storage_account").version == "5.10.0"


@pytest.mark.parametrize(
    ("name", "config"),
    [
        (
            "google",
            {"project": "a", "region": "b", "user_project_override": True, "default_labels": {"a": "b"}},
        ),
        ("google-beta", {"project": "a", "billing_project": "a", "batching": {"enable_batching": False}}),
        (
            "azurerm",
            {"features": {"key_vault": {"purge_soft_delete_on_destroy": False}}, "storage_use_azuread": True},
        ),
        ("azapi", {"subscription_id": "a", "default_tags": {"a": "b"}, "use_oidc": True}),
    ],
)
def test_the_configuration_of_each_provider_is_checked(name: str, config: Mapping[str, Value]) -> None:
    for versions in EVERY:
        block = ProviderBlock(name=name, source=f"hashicorp/{name}", version=">= 1, < 9", config=config)
        assert check_provider(block, Schemas(versions)) == []
        wrong = ProviderBlock(
            name=name, source=f"hashicorp/{name}", version=">= 1, < 9", config={**config, "nonsense": "x"}
        )
        assert [problem.code for problem in check_provider(wrong, Schemas(versions))] == ["unknown-argument"]


def test_azapi_takes_any_body_and_writes_retry_as_an_attribute_and_identity_as_a_block() -> None:
    schema = schema_of("azapi", "resource", "azapi_resource", version="2.13.0")
    body = schema.at(["body"])
    assert isinstance(body, Attribute)
    assert body.type == Scalar("any")
    assert isinstance(schema.at(["retry"]), NestedAttribute)
    assert isinstance(schema.at(["identity"]), BlockType)
    assert isinstance(schema.at(["timeouts"]), BlockType)


def test_google_says_how_its_blocks_nest_and_what_is_secret() -> None:
    schema = schema_of("google", "resource", "google_container_cluster", version="8.7.0")
    auth = schema.at(["master_auth"])
    assert isinstance(auth, BlockType)
    assert (auth.nesting, auth.max_items) == ("list", 1)
    assert attribute_at(schema, "master_auth[0].client_key").sensitive
    with pytest.raises(AttributePathError):
        attribute_at(schema, "master_auth.client_key")
