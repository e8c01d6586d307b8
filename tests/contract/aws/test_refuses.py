"""What AWS itself refuses though an emulator takes it: rules over whatever a valid spec becomes.

Each rule names its source; all were read in November 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings

from scaffolder.pipeline import Synthesis, synthesize, synthesize_loaded
from scaffolder.spec.load import parse_spec
from stacks.aws.instances import machine_has_local_disk
from stacks.graph import Address, JsonText, Node, Ref, Value
from tests.external_tools import ROOT
from tests.strategies import SPEC_FILE, Spec, spec_text, valid_specs

Rule: TypeAlias = Callable[[Sequence[Node]], Iterator[str]]
EXAMPLES = sorted(ROOT.glob("examples/*/platform.yaml"))


def environments_of(synthesis: Synthesis) -> Iterator[list[Node]]:
    for environment in synthesis.environments:
        yield [node for linked in environment.stacks for node in linked.stack.nodes]


def of_type(nodes: Sequence[Node], type_: str) -> list[Node]:
    return [node for node in nodes if node.address.type == type_ and node.address.mode == "resource"]


def block(value: Any) -> Mapping[str, Any]:
    """A nested block written once, as a mapping or as a list of one."""
    if isinstance(value, Mapping):
        return value
    return value[0] if value else {}


def model_of(variant: Mapping[str, Any], nodes: Sequence[Node]) -> Node:
    reference = variant["model_name"]
    assert isinstance(reference, Ref)
    return next(node for node in nodes if node.address == reference.address)


def serverless_takes_no_network_key_or_capture(nodes: Sequence[Node]) -> Iterator[str]:
    """SageMaker Developer Guide, serverless inference, feature exclusions."""
    for node in of_type(nodes, "aws_sagemaker_endpoint_configuration"):
        variant = block(node.arguments["production_variants"])
        if "serverless_config" in variant:
            refused = {"kms_key_arn", "data_capture_config", "async_inference_config"} & node.arguments.keys()
            refused |= {"instance_type", "initial_instance_count", "routing_config"} & variant.keys()
            refused |= {"vpc_config", "enable_network_isolation"} & model_of(variant, nodes).arguments.keys()
            yield from (f"{node.address}: {name}" for name in sorted(refused))


def local_disks_take_no_key(nodes: Sequence[Node]) -> Iterator[str]:
    """SageMaker API Reference, CreateEndpointConfig.KmsKeyId, ResourceConfig.VolumeKmsKeyId and their like."""
    for node in of_type(nodes, "aws_sagemaker_endpoint_configuration"):
        instance = block(node.arguments["production_variants"]).get("instance_type")
        if instance and machine_has_local_disk(instance) and "kms_key_arn" in node.arguments:
            yield f"{node.address}: kms_key_arn with {instance}"
    for node in of_type(nodes, "aws_sagemaker_data_quality_job_definition"):
        cluster = block(block(node.arguments["job_resources"])["cluster_config"])
        if machine_has_local_disk(cluster["instance_type"]) and cluster.get("volume_kms_key_id"):
            yield f"{node.address}: volume_kms_key_id with {cluster['instance_type']}"
    for node in of_type(nodes, "aws_sagemaker_pipeline"):
        definition = node.arguments["pipeline_definition"]
        assert isinstance(definition, JsonText)
        for machine in mappings(definition.document):
            instance = machine.get("InstanceType")
            if isinstance(instance, str) and machine_has_local_disk(instance) and "VolumeKmsKeyId" in machine:
                yield f"{node.address}: VolumeKmsKeyId with {instance}"


def mappings(value: Value) -> Iterator[Mapping[str, Value]]:
    if isinstance(value, Mapping):
        yield value
        for item in value.values():
            yield from mappings(item)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from mappings(item)


def captured_requests_are_of_realtime_endpoints(nodes: Sequence[Node]) -> Iterator[str]:
    """SageMaker Developer Guide, Model Monitor, data capture; asynchronous inference keeps its own answers."""
    for node in of_type(nodes, "aws_sagemaker_endpoint_configuration"):
        if "async_inference_config" in node.arguments and "data_capture_config" in node.arguments:
            yield f"{node.address}: captures an async endpoint"


def a_prefix_leaves_room_for_what_the_provider_adds(nodes: Sequence[Node]) -> Iterator[str]:
    """SageMaker API Reference, EndpointConfigName (63 characters); the provider adds 26."""
    for node in of_type(nodes, "aws_sagemaker_endpoint_configuration"):
        if len(str(node.arguments["name_prefix"])) > 37:
            yield f"{node.address}: {node.arguments['name_prefix']}"


def a_canary_is_at_most_half_of_the_fleet(nodes: Sequence[Node]) -> Iterator[str]:
    """SageMaker Developer Guide, deployment guardrails, canary traffic shifting."""
    for node in of_type(nodes, "aws_sagemaker_endpoint"):
        deployment = block(node.arguments.get("deployment_config"))
        if not deployment:
            continue
        routing = block(block(deployment["blue_green_update_policy"])["traffic_routing_configuration"])
        size = block(routing.get("canary_size"))
        configuration = node.arguments["endpoint_config_name"]
        assert isinstance(configuration, Ref)
        found = next(each for each in nodes if each.address == configuration.address)
        fleet = block(found.arguments["production_variants"])["initial_instance_count"]
        if size and 2 * size["value"] > fleet:
            yield f"{node.address}: {size['value']} of {fleet}"


def guardrails_of_deployments_are_not_for_serverless(nodes: Sequence[Node]) -> Iterator[str]:
    """SageMaker Developer Guide, deployment guardrails: asynchronous and realtime endpoints only."""
    for node in of_type(nodes, "aws_sagemaker_endpoint"):
        configuration = node.arguments["endpoint_config_name"]
        assert isinstance(configuration, Ref)
        found = next(each for each in nodes if each.address == configuration.address)
        variant = block(found.arguments["production_variants"])
        if "serverless_config" in variant and "deployment_config" in node.arguments:
            yield str(node.address)


def only_async_endpoints_scale_to_zero(nodes: Sequence[Node]) -> Iterator[str]:
    """SageMaker Developer Guide, autoscaling: zero instances need async inference (or inference components)."""
    asynchronous = {
        node.address.name
        for node in of_type(nodes, "aws_sagemaker_endpoint_configuration")
        if "async_inference_config" in node.arguments
    }
    for node in of_type(nodes, "aws_appautoscaling_target"):
        if node.arguments["min_capacity"] == 0 and node.address.name not in asynchronous:
            yield str(node.address)


def one_key_for_both_feature_stores_has_no_via_service(nodes: Sequence[Node]) -> Iterator[str]:
    """SageMaker Developer Guide, Feature Store security: kms:ViaService makes CreateFeatureGroup fail."""
    for node in nodes:
        if node.address.type == "aws_iam_policy_document":
            for statement in mappings(node.arguments["statement"]):
                if statement.get("variable") == "kms:ViaService":
                    yield str(node.address)


def a_domains_own_network_lets_its_apps_talk(nodes: Sequence[Node]) -> Iterator[str]:
    """SageMaker Developer Guide, VpcOnly domains: TCP 8192-65535 between apps, NFS 2049 to the file system."""
    groups = of_type(nodes, "aws_security_group")
    if not of_type(nodes, "aws_sagemaker_domain") or "workloads" not in {
        node.address.name for node in groups
    }:
        return
    workloads = next(node for node in groups if node.address.name == "workloads")
    for type_ in ("aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"):
        own = [
            node
            for node in of_type(nodes, type_)
            if node.arguments.get("security_group_id") == workloads.ref("id")
            and node.arguments.get("referenced_security_group_id") == workloads.ref("id")
            and node.arguments.get("ip_protocol") == "-1"
        ]
        if not own:
            yield f"{type_}: the workloads' group does not let its members talk"


RULES: tuple[Rule, ...] = (
    serverless_takes_no_network_key_or_capture,
    local_disks_take_no_key,
    captured_requests_are_of_realtime_endpoints,
    a_prefix_leaves_room_for_what_the_provider_adds,
    a_canary_is_at_most_half_of_the_fleet,
    guardrails_of_deployments_are_not_for_serverless,
    only_async_endpoints_scale_to_zero,
    one_key_for_both_feature_stores_has_no_via_service,
    a_domains_own_network_lets_its_apps_talk,
)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.__name__))
def test_the_examples_have_nothing_that_aws_refuses(rule: Rule, example: Any) -> None:
    for nodes in environments_of(synthesize(example)):
        assert [*rule(nodes)] == []


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(valid_specs(provider="aws"))
def test_no_valid_spec_becomes_what_aws_refuses(spec: Spec) -> None:
    for nodes in environments_of(synthesize_loaded(parse_spec(spec_text(spec), file=SPEC_FILE))):
        assert [found for rule in RULES for found in rule(nodes)] == []


BROKEN: tuple[tuple[Rule, str], ...] = (
    (
        serverless_takes_no_network_key_or_capture,
        "aws_sagemaker_endpoint_configuration.uplift: {kms_key_arn: 'arn:aws:kms:eu-west-1:123456789012:key/a'}",
    ),
    (
        serverless_takes_no_network_key_or_capture,
        "aws_sagemaker_model.uplift: {enable_network_isolation: true}",
    ),
    (
        local_disks_take_no_key,
        "aws_sagemaker_endpoint_configuration.uplift-slow: {kms_key_arn: 'arn:aws:kms:eu-west-1:1:key/a'}",
    ),
    (
        a_prefix_leaves_room_for_what_the_provider_adds,
        "aws_sagemaker_endpoint_configuration.churn: {name_prefix: abcdefghijklmnopqrstuvwxyz-0123456789ab-}",
    ),
    (
        captured_requests_are_of_realtime_endpoints,
        (
            "aws_sagemaker_endpoint_configuration.uplift-slow: {data_capture_config: {enable_capture: true, "
            "initial_sampling_percentage: 9, destination_s3_uri: 's3://a/b', capture_options: [{capture_mode: Input}]}}"
        ),
    ),
    (
        a_canary_is_at_most_half_of_the_fleet,
        (
            "aws_sagemaker_endpoint.churn: {deployment_config: {blue_green_update_policy: "
            "{traffic_routing_configuration: {type: CANARY, wait_interval_in_seconds: 300, "
            "canary_size: {type: INSTANCE_COUNT, value: 2}}}}}"
        ),
    ),
    (
        guardrails_of_deployments_are_not_for_serverless,
        (
            "aws_sagemaker_endpoint.uplift: {deployment_config: {blue_green_update_policy: "
            "{traffic_routing_configuration: {type: ALL_AT_ONCE, wait_interval_in_seconds: 300}}}}"
        ),
    ),
    (only_async_endpoints_scale_to_zero, "aws_appautoscaling_target.churn: {min_capacity: 0}"),
    (
        a_domains_own_network_lets_its_apps_talk,
        "aws_vpc_security_group_ingress_rule.among-workloads: {ip_protocol: tcp, from_port: 443, to_port: 443}",
    ),
)
"""Overrides of the full example, each of which makes what one rule is against."""


@pytest.mark.parametrize(
    ("rule", "override"),
    BROKEN,
    ids=lambda value: value.partition(":")[0] if isinstance(value, str) else str(value.__name__),
)
def test_a_rule_sees_what_breaks_it(rule: Rule, override: str) -> None:
    spec = ROOT / "examples" / "04-full-aws" / "platform.yaml"
    text = f"{spec.read_text(encoding='utf-8')}\noverrides:\n  {override}\n"
    (nodes,) = environments_of(synthesize_loaded(parse_spec(text, file=str(spec))))
    assert [*rule(nodes)] != []


def test_a_rule_sees_a_key_that_is_used_through_one_service() -> None:
    """No override reaches a policy document, which is data: this one is made."""
    condition: Value = {"test": "StringEquals", "variable": "kms:ViaService", "values": ["sagemaker"]}
    arguments: Mapping[str, Value] = {"statement": [{"actions": ["kms:Decrypt"], "condition": [condition]}]}
    policy = Node(
        address=Address("data", "aws_iam_policy_document", "training"),
        arguments=arguments,
        origin="role training",
    )
    assert [*one_key_for_both_feature_stores_has_no_via_service([policy])] == [str(policy.address)]


def test_each_rule_is_shown_to_fail() -> None:
    shown = {rule for rule, _ in BROKEN} | {one_key_for_both_feature_stores_has_no_via_service}
    assert shown == {*RULES}
