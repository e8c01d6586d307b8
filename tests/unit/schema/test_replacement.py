from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from stacks.schema.load import schema_of
from stacks.schema.model import Attribute, BlockType
from stacks.schema.replacement import forces_replacement

TABLE = Path(__file__).resolve().parents[3] / "stacks" / "schema" / "data" / "force_new_aws.toml"


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
        ("google_storage_bucket", "name"),
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


def test_the_table_has_a_source_and_only_arguments_that_exist() -> None:
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    assert table["source"] == "answers of hashicorp/aws 5.100.0 to a planned change of each argument"
    assert table["date"] == "2026-11"
    for type_name, answers in table["types"].items():
        schema = schema_of("aws", "resource", type_name, version=table["version"])
        for path in [*answers.get("forces", []), *answers.get("unknown", [])]:
            assert isinstance(schema.at(path.split(".")), Attribute | BlockType), (type_name, path)
