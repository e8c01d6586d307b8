from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from stacks.schema.load import Schemas
from stacks.schema.model import Attribute, BlockType
from stacks.schema.replacement import forces_replacement

DATA = Path(__file__).resolve().parents[3] / "stacks" / "schema" / "data"


@pytest.mark.parametrize(
    ("type_name", "argument", "forces"),
    [
        ("aws_s3_bucket", "bucket", True),
        ("aws_s3_bucket", "force_destroy", False),
        ("aws_s3_bucket", "tags.owner", False),
        ("aws_kms_key", "enable_key_rotation", False),
        ("aws_kms_key", "key_usage", True),
        ("aws_subnet", "cidr_block", True),
        ("aws_ecr_repository", "encryption_configuration[0].kms_key", True),
        ("aws_ecr_repository", "image_tag_mutability", False),
        ("aws_sagemaker_domain", "kms_key_id", True),
        ("aws_sagemaker_domain", "default_user_settings.execution_role", False),
        ("aws_db_instance", "allocated_storage", False),
        ("aws_dynamodb_table", "name", True),
        ("aws_lambda_function", "function_name", True),
        ("aws_lambda_function", "memory_size", False),
        ("google_storage_bucket", "name", True),
        ("google_storage_bucket", "labels.owner", False),
        ("google_storage_bucket", "encryption.default_kms_key_name", False),
        ("google_storage_bucket", "hierarchical_namespace[0].enabled", True),
        ("google_compute_subnetwork", "name", True),
        ("google_kms_crypto_key", "rotation_period", False),
        ("google_compute_network", "params", True),
        ("google_project_service_identity", "service", True),
        ("google_dataform_config", "default_kms_key_name", False),
        ("azurerm_storage_account", "account_tier", True),
        ("azurerm_storage_account", "access_tier", False),
        ("azurerm_storage_account", "blob_properties.versioning_enabled", False),
        ("azurerm_machine_learning_workspace", "key_vault_id", True),
        ("azurerm_kubernetes_cluster", "network_profile[0].service_cidr", True),
        ("azurerm_data_factory", "name", True),
        ("azapi_resource", "parent_id", True),
        ("azapi_resource", "location", True),
        ("azapi_resource", "body.properties.description", False),
    ],
)
def test_known_arguments_force_a_replacement_or_do_not(
    type_name: str, argument: str, *, forces: bool
) -> None:
    assert forces_replacement(type_name, argument) is forces


@pytest.mark.parametrize(
    ("type_name", "argument"),
    [
        ("aws_not_in_the_table", "name"),
        ("kubernetes_namespace", "name"),
        ("google_not_in_the_table", "name"),
        ("google_service_account", "namee"),
        ("azurerm_storage_account", "account_replication_type"),
        ("azurerm_kubernetes_cluster", "oidc_issuer_enabled"),
        ("azurerm_kubernetes_cluster", "network_profile.network_plugin"),
        ("azapi_resource", "type"),
        ("azapi_resource", "id"),
        ("aws_s3_bucket", "bucketz"),
        ("aws_s3_bucket", "bucketz.more"),
        ("aws_s3_bucket", "arn"),
        ("aws_s3_bucket", ""),
        ("aws_s3_bucket_server_side_encryption_configuration", "rule"),
        ("aws_s3_bucket_lifecycle_configuration", "rule[0].transition[1].days"),
    ],
)
def test_what_nobody_measured_is_not_known(type_name: str, argument: str) -> None:
    assert forces_replacement(type_name, argument) is None


@pytest.mark.parametrize(
    ("provider", "source", "date", "least"),
    [
        ("aws", "answers of hashicorp/aws 5.100.0 to a planned change of each argument", "2026-11", 100),
        (
            "google",
            "the flags of hashicorp/google 8.0's own schema; of types in google-beta alone, its source",
            "2026-11",
            1300,
        ),
        ("azurerm", "the documentation of hashicorp/azurerm 5.2", "2026-08", 1100),
        ("azapi", "the source of Azure/azapi 2.12", "2026-08", 4),
    ],
)
def test_a_table_has_a_source_and_only_arguments_that_exist(
    provider: str, source: str, date: str, least: int
) -> None:
    table = tomllib.loads((DATA / f"force_new_{provider}.toml").read_text(encoding="utf-8"))
    assert (table["source"], table["date"]) == (source, date)
    assert len(table["types"]) >= least
    schemas = Schemas(dict.fromkeys([provider, *table.get("family", ())], table["version"]))
    for type_name, answers in table["types"].items():
        schema = schemas.of("resource", type_name)
        for path in [*answers.get("forces", []), *answers.get("unknown", [])]:
            assert isinstance(schema.at(path.split(".")), Attribute | BlockType), (type_name, path)
