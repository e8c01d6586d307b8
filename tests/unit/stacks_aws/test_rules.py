"""Topics and queues keep their messages encrypted, whatever is overridden."""

from __future__ import annotations

from typing import Any

import pytest

from scaffolder.pipeline import synthesize_loaded
from scaffolder.spec.load import parse_spec
from tests.external_tools import ROOT
from tests.strategies import spec_text

SPEC: dict[str, Any] = {
    "version": 1,
    "name": "churn",
    "owner": "growth-ml",
    "target": {"provider": "aws", "region": "eu-west-1", "account": "123456789012"},
    "models": {"churn": {}},
    "alerts": {"emails": ["a@example.com"]},
}


def warned(overrides: dict[str, Any]) -> list[str]:
    """The codes of what is warned of."""
    spec = spec_text({**SPEC, "overrides": overrides})
    return [warning.code for warning in synthesize_loaded(parse_spec(spec)).warnings]


@pytest.mark.parametrize(
    ("address", "code"),
    [("aws_sns_topic.alerts", "topic-encryption"), ("aws_sqs_queue.triggers", "queue-encryption")],
)
def test_taking_the_key_away_is_warned_of(address: str, code: str) -> None:
    assert warned({address: {"kms_master_key_id": None}}) == [code]


def test_other_overrides_and_the_key_of_the_service_are_not() -> None:
    own = {"kms_master_key_id": None, "sqs_managed_sse_enabled": True}
    assert warned({"aws_sns_topic.alerts": {"display_name": "x"}, "aws_sqs_queue.triggers": own}) == []


@pytest.mark.parametrize(
    ("override", "code"),
    [
        ("aws_sagemaker_domain.main: {app_network_access_type: PublicInternetOnly}", "weakened"),
        ("aws_sagemaker_domain.main: {kms_key_id: null}", "weakened"),
        ("aws_sagemaker_endpoint_configuration.churn: {kms_key_arn: null}", "weakened"),
        ("aws_sagemaker_endpoint_configuration.churn: {data_capture_config: null}", "weakened"),
        ("aws_sagemaker_model.churn: {vpc_config: null}", "weakened"),
        ("aws_sagemaker_model.churn: {enable_network_isolation: false}", "weakened"),
        (
            "aws_sagemaker_feature_group.customer: {online_store_config: {enable_online_store: true}}",
            "weakened",
        ),
        ("aws_bedrockagent_data_source.docs: {server_side_encryption_configuration: null}", "weakened"),
        ('aws_s3_bucket_policy.data: {policy: "{}"}', "weakened"),
        ("aws_subnet.private-1: {map_public_ip_on_launch: true}", "weakened"),
        ("aws_iam_role.training: {permissions_boundary: null}", "weakened"),
        ("aws_s3_bucket.data: {lifecycle: {prevent_destroy: false}}", "deletion-protection"),
    ],
)
def test_an_override_that_undoes_a_promise_is_said(override: str, code: str) -> None:
    example = ROOT / "examples" / "04-full-aws" / "platform.yaml"
    text = f"{example.read_text(encoding='utf-8')}\ndeletion_protection: true\noverrides:\n  {override}\n"
    warnings = synthesize_loaded(parse_spec(text, file=str(example))).warnings
    assert [warning.code for warning in warnings] == [code]


def test_an_override_of_what_no_promise_rests_on_is_silent() -> None:
    example = ROOT / "examples" / "04-full-aws" / "platform.yaml"
    text = f"{example.read_text(encoding='utf-8')}\noverrides:\n  aws_s3_bucket.data: {{tags: {{a: b}}}}\n"
    assert synthesize_loaded(parse_spec(text, file=str(example))).warnings == ()
