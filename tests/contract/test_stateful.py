"""What holds data is known, protected when the spec says so, and never lost in silence."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from scaffolder.pipeline import Synthesis
from scaffolder.report.changes import compare
from stacks.graph import Node
from tests.contract.test_every_field import RICH, synthesized

STATEFUL = {
    "aws_bedrockagent_knowledge_base": "its id is what applications ask by",
    "aws_cloudwatch_log_group": "logs",
    "aws_ecr_repository": "images",
    "aws_glue_catalog_database": "the tables' definitions, which the feature store wrote",
    "aws_kms_key": "without it all that it encrypted is lost",
    "aws_opensearchserverless_collection": "vectors",
    "aws_s3_bucket": "objects",
    "aws_sagemaker_domain": "home files",
    "aws_sagemaker_feature_group": "records",
    "aws_sagemaker_mlflow_tracking_server": "experiments",
    "aws_sagemaker_model_package_group": "model versions",
    "aws_sagemaker_space": "a volume with files",
}
"""Types whose destruction or replacement loses what Terraform cannot make again."""

STATELESS = {
    *("aws_appautoscaling_policy", "aws_appautoscaling_target", "aws_bedrock_guardrail"),
    *("aws_bedrock_guardrail_version", "aws_bedrock_model_invocation_logging_configuration"),
    *("aws_bedrockagent_data_source", "aws_budgets_budget", "aws_cloudtrail", "aws_cloudwatch_dashboard"),
    *("aws_cloudwatch_event_rule", "aws_cloudwatch_event_target", "aws_cloudwatch_metric_alarm"),
    *("aws_default_network_acl", "aws_default_route_table", "aws_default_security_group"),
    *("aws_ecr_lifecycle_policy", "aws_eip", "aws_flow_log", "aws_iam_openid_connect_provider"),
    *("aws_iam_policy", "aws_iam_role", "aws_iam_role_policy", "aws_iam_role_policy_attachment"),
    *("aws_internet_gateway", "aws_kms_alias", "aws_nat_gateway", "aws_network_acl"),
    *("aws_opensearchserverless_access_policy", "aws_opensearchserverless_security_policy"),
    *("aws_opensearchserverless_vpc_endpoint", "aws_route", "aws_route_table"),
    *("aws_route_table_association", "aws_s3_bucket_lifecycle_configuration", "aws_s3_bucket_logging"),
    *("aws_s3_bucket_notification", "aws_s3_bucket_ownership_controls", "aws_s3_bucket_policy"),
    *("aws_s3_bucket_public_access_block", "aws_s3_bucket_server_side_encryption_configuration"),
    *("aws_s3_bucket_versioning", "aws_s3_object", "aws_sagemaker_data_quality_job_definition"),
    *("aws_sagemaker_endpoint", "aws_sagemaker_endpoint_configuration", "aws_sagemaker_model"),
    *("aws_sagemaker_monitoring_schedule", "aws_sagemaker_pipeline", "aws_sagemaker_user_profile"),
    *("aws_security_group", "aws_sns_topic", "aws_sns_topic_policy", "aws_sns_topic_subscription"),
    *("aws_sqs_queue", "aws_sqs_queue_policy", "aws_subnet", "aws_vpc", "aws_vpc_endpoint"),
    *("aws_vpc_security_group_egress_rule", "aws_vpc_security_group_ingress_rule"),
}
"""Types that Terraform makes again as they were, from the spec and from what is kept elsewhere."""

FORCE = ("force_destroy", "force_delete")


def rich(*, protected: bool) -> Synthesis:
    return synthesized({**copy.deepcopy(RICH), "overrides": {}, "deletion_protection": protected})


def resources(synthesis: Synthesis) -> list[Node]:
    return [
        node for linked in synthesis.stacks for node in linked.stack.nodes if node.address.mode == "resource"
    ]


def test_every_type_is_known_to_hold_data_or_not() -> None:
    types = {node.address.type for node in resources(rich(protected=True))}
    assert types - STATEFUL.keys() - STATELESS == set(), "say in this test what of it is lost when it goes"
    assert STATEFUL.keys() <= types
    assert STATEFUL.keys() & STATELESS == set()


def test_what_holds_data_says_so_and_nothing_else_does() -> None:
    nodes = [*resources(rich(protected=True)), *resources(rich(protected=False))]
    assert [str(node.address) for node in nodes if bool(node.holds) != (node.address.type in STATEFUL)] == []


def test_deletion_protection_covers_all_that_holds_data() -> None:
    nodes = resources(rich(protected=True))
    open_ = [str(node.address) for node in nodes if node.holds and not node.lifecycle.prevent_destroy]
    forced = [str(node.address) for node in nodes if any(node.arguments.get(name) for name in FORCE)]
    assert (open_, forced) == ([], [])


def test_without_deletion_protection_everything_can_go() -> None:
    nodes = resources(rich(protected=False))
    assert [str(node.address) for node in nodes if node.lifecycle.prevent_destroy] == []
    kept = [
        str(node.address)
        for node in nodes
        if node.address.type in ("aws_s3_bucket", "aws_ecr_repository")
        and not any(node.arguments.get(name) for name in FORCE)
    ]
    assert kept == []


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"workspace": {"users": ["ada"], "auth": "sso"}}, "auth_mode"),
        ({"network": {"cidr": "10.99.0.0/16"}}, "vpc_id"),
        ({"security": {"encryption": "provider"}}, "kms_key_id"),
    ],
)
def test_a_domain_is_never_replaced_in_silence(change: dict[str, Any], argument: str) -> None:
    before: dict[str, Any] = {
        **{key: RICH[key] for key in ("version", "name", "owner", "target", "environments")},
        "workspace": {"users": ["ada"], "auth": "iam", "keep_home": False},
    }
    comparison = compare(synthesized(before), synthesized({**before, **change}))
    (domain,) = (
        resource
        for environment in comparison.environments
        for stack in environment.stacks
        for resource in stack.resources
        if resource.address.type == "aws_sagemaker_domain"
    )
    assert domain.action == "replaced"
    assert any("home files" in loss for loss in domain.loses)
    assert any(changed.path.startswith(argument) for changed in domain.arguments)
