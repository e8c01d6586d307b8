"""Values and combinations that a provider's validators refuse, with the text of each message, and some that they take.

Those of aws are also shown to the real provider (``tests/terraform/test_schema_agreement.py``).
"""

from __future__ import annotations

from collections.abc import Mapping

from stacks.graph import Node, RemoteRef, Text, Value
from tests.unit.schema.defects import TRUST, VPC, Defect, node, ref

ANYTHING = RemoteRef("network", "anything")
FIREWALL: Mapping[str, Value] = {"name": "deny-all", "network": "n", "deny": {"protocol": "all"}}
ACCOUNT: Mapping[str, Value] = {
    "name": "churn",
    "resource_group_name": "churn-dev",
    "location": "westeurope",
    "account_tier": "Standard",
    "account_replication_type": "ZRS",
}
FLUX: Mapping[str, Value] = {
    "name": "f",
    "cluster_id": ANYTHING,
    "namespace": "n",
    "kustomizations": {"name": "k"},
}
BUCKET: Mapping[str, Value] = {"name": "churn", "location": "EU"}


def _firewall(**arguments: Value) -> Node:
    return node("google_compute_firewall", "x", {**FIREWALL, **arguments})


def _account(**arguments: Value) -> Node:
    return node("azurerm_storage_account", "x", {**ACCOUNT, **arguments})


def _bucket(**arguments: Value) -> Node:
    return node("google_storage_bucket", "x", {**BUCKET, **arguments})


def _function(**arguments: Value) -> Node:
    return node(
        "aws_lambda_function",
        "x",
        {"function_name": "f", "role": ref("aws_iam_role", "r", "arn"), "package_type": "Image", **arguments},
    )


AWS_VALUE_DEFECTS: Mapping[str, Defect] = {
    "a word that is not in the list": Defect(
        node("aws_kms_key", "x", {"key_usage": "SIGN"}),
        "not-one-of",
        'key_usage is "SIGN", which aws 5 does not take',
        "It takes SIGN_VERIFY, ENCRYPT_DECRYPT, GENERATE_VERIFY_MAC, KEY_AGREEMENT.",
    ),
    "a word in lower case": Defect(
        node("aws_kms_key", "x", {"key_usage": "sign_verify"}),
        "not-one-of",
        'key_usage is "sign_verify", which aws 5 does not take',
        'Did you mean "SIGN_VERIFY"?',
    ),
    "a word of a long list": Defect(
        _function(runtime="python3.99"),
        "not-one-of",
        'runtime is "python3.99", which aws 5 does not take',
        'Did you mean "python3.9"?',
    ),
    "a number that is not in the list": Defect(
        node("aws_cloudwatch_log_group", "x", {"retention_in_days": 31}),
        "not-one-of",
        "retention_in_days is 31, which aws 5 does not take",
        "The nearest that it takes is 30.",
    ),
    "a number below the range": Defect(
        node("aws_kms_key", "x", {"deletion_window_in_days": 3}),
        "out-of-range",
        "deletion_window_in_days is 3, but aws 5 takes 7 to 30",
        "",
    ),
    "a name for an ARN": Defect(
        node("aws_lambda_function", "x", {"function_name": "f", "role": "training", "package_type": "Image"}),
        "wrong-format",
        'role is "training", but must be an ARN',
        "",
    ),
    "a text that no pattern takes": Defect(
        node("aws_cloudwatch_dashboard", "x", {"dashboard_name": "churn dev", "dashboard_body": "{}"}),
        "wrong-format",
        'dashboard_name is "churn dev", but aws 5 takes what matches ^[0-9A-Za-z_-]+$',
        "",
    ),
    "a secret without its version": Defect(
        node("aws_db_instance", "x", {"instance_class": "db.t3.micro", "password_wo": "hunter2"}),
        "one-of-needed",
        "password_wo needs password_wo_version beside it",
        "",
    ),
}

VALUE_DEFECTS: Mapping[str, Defect] = {
    **AWS_VALUE_DEFECTS,
    "a typo in a word": Defect(
        _firewall(direction="INGRES"),
        "not-one-of",
        'direction is "INGRES", which google 8 does not take',
        'Did you mean "INGRESS"?',
    ),
    "a word in the wrong case": Defect(
        _account(account_tier="standard"),
        "not-one-of",
        'account_tier is "standard", which azurerm 5 does not take',
        'Did you mean "Standard"?',
    ),
    "a word two blocks deep": Defect(
        _bucket(lifecycle_rule=[{"action": {"type": "Delete"}, "condition": {"with_state": "LIVEE"}}]),
        "not-one-of",
        'lifecycle_rule[0].condition.with_state is "LIVEE", which google 8 does not take',
        'Did you mean "LIVE"?',
    ),
    "a word in a list": Defect(
        _account(
            blob_properties={
                "cors_rule": {
                    "allowed_headers": ["*"],
                    "allowed_methods": ["GET", "SEND"],
                    "allowed_origins": ["*"],
                    "exposed_headers": ["*"],
                    "max_age_in_seconds": 60,
                }
            }
        ),
        "not-one-of",
        'blob_properties.cors_rule.allowed_methods[1] is "SEND", which azurerm 5 does not take',
        "It takes DELETE, GET, HEAD, MERGE, POST, OPTIONS, PUT, PATCH.",
    ),
    "a word beside an unknown reference": Defect(
        _account(identity={"type": "UserAssignd", "identity_ids": [ANYTHING]}),
        "not-one-of",
        'identity.type is "UserAssignd", which azurerm 5 does not take',
        'Did you mean "UserAssigned"?',
    ),
    "a number above the range": Defect(
        _firewall(priority=70000), "out-of-range", "priority is 70000, but google 8 takes 0 to 65535", ""
    ),
    "a number above the range in a text": Defect(
        _account(blob_properties={"delete_retention_policy": {"days": "400"}}),
        "out-of-range",
        'blob_properties.delete_retention_policy.days is "400", but azurerm 5 takes 1 to 365',
        "",
    ),
    "a name that no pattern takes": Defect(
        _firewall(name="Deny"),
        "wrong-format",
        'name is "Deny", but google 8 takes what matches ^(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)$',
        "",
    ),
    "somebody who is no member": Defect(
        node("google_project_iam_member", "x", {"project": "p", "role": "roles/viewer", "member": "ada"}),
        "wrong-format",
        'member is "ada", but must be a member such as user:ada@example.com',
        "",
    ),
    "a text that is no JSON": Defect(
        node("google_monitoring_dashboard", "x", {"dashboard_json": "{"}),
        "wrong-format",
        'dashboard_json is "{", but must be a JSON document',
        "",
    ),
    "too many values": Defect(
        node(
            "google_compute_firewall",
            "x",
            {**FIREWALL, "target_service_accounts": [f"s{at}@p.iam.gserviceaccount.com" for at in range(11)]},
        ),
        "too-many-values",
        "target_service_accounts has 11 values, but at most 10",
        "",
    ),
    "too few values": Defect(
        _bucket(custom_placement_config={"data_locations": []}),
        "too-few-values",
        "custom_placement_config.data_locations has 0 values, but needs at least 1",
        "",
    ),
    "two of which only one may stand": Defect(
        _firewall(allow={"protocol": "tcp"}),
        "conflict",
        "allow cannot be given together with deny",
        "Leave one of them out.",
    ),
    "two that shut each other out": Defect(
        _firewall(source_tags=[ANYTHING], target_service_accounts=[ANYTHING]),
        "conflict",
        "source_tags cannot be given together with target_service_accounts",
        "Leave one of them out.",
    ),
    "none of which one is needed": Defect(
        node("google_compute_firewall", "x", {"name": "deny-all", "network": "n"}),
        "one-of-needed",
        "google_compute_firewall needs one of allow, deny",
        "",
    ),
    "none of which one is needed in a block": Defect(
        node(
            "azurerm_kubernetes_flux_configuration",
            "x",
            {**FLUX, "bucket": {"bucket_name": "b", "url": "https://b"}},
        ),
        "one-of-needed",
        "bucket in azurerm_kubernetes_flux_configuration needs one of bucket.access_key, bucket.local_auth_reference",
        "",
    ),
    "an empty block of which one is needed": Defect(
        node("google_secret_manager_secret", "x", {"secret_id": "s", "replication": {}}),
        "one-of-needed",
        "replication in google_secret_manager_secret needs one of replication.auto, replication.user_managed",
        "",
    ),
    "one that needs another": Defect(
        _bucket(ip_filter={"mode": "Enabled", "allow_cross_org_vpcs": True}),
        "one-of-needed",
        "ip_filter.allow_cross_org_vpcs needs ip_filter.vpc_network_sources beside it",
        "",
    ),
}

GOOD_VALUES: Mapping[str, Node] = {
    "a reference": _firewall(direction=ANYTHING, priority=ANYTHING),
    "a text that is put together": _firewall(name=Text(("Deny-", VPC))),
    "a JSON text": node("google_monitoring_dashboard", "x", {"dashboard_json": TRUST}),
    "an empty word where the provider takes it": _firewall(direction=""),
    "a number as a text": _firewall(priority="1000"),
    "a null": _firewall(direction=None, priority=None),
    "a word in another case where aws does not care": node(
        "aws_cloudwatch_metric_alarm",
        "x",
        {
            "alarm_name": "a",
            "comparison_operator": "GreaterThanThreshold",
            "evaluation_periods": 1,
            "treat_missing_data": "Breaching",
        },
    ),
    "a word in another case where azurerm does not care": node(
        "azurerm_search_service",
        "x",
        {
            "name": "s",
            "resource_group_name": "g",
            "location": "l",
            "sku": "standard",
            "hosting_mode": "HighDensity",
        },
    ),
    "an empty block that counts": node(
        "google_secret_manager_secret", "x", {"secret_id": "s", "replication": {"auto": {}}}
    ),
    "an argument that counts itself among those of which one is needed": node(
        "google_storage_bucket_object", "x", {"name": "n", "bucket": ANYTHING, "content": "print()"}
    ),
    "an empty list beside what shuts it out": _firewall(source_tags=[], target_service_accounts=[ANYTHING]),
    "a block that a reference stands for": node(
        "azurerm_kubernetes_flux_configuration", "x", {**FLUX, "bucket": ANYTHING}
    ),
    "a group in a block that is not there": _bucket(),
    "a type that nobody asked about": node("azapi_resource", "x", {"type": "nonsense"}),
    "a data source": node("google_project", "x", {"project_id": "A"}, mode="data"),
}
