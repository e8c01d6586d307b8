"""Real nodes that the aws provider takes, and seeded defects with the text of each message.

Shared by the unit test of the check and by the one that asks the real provider about the same nodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from stacks.graph import Address, JsonText, Lifecycle, Mode, Node, Ref, Text, Value
from stacks.schema.check import Code

VERSIONS = {"aws": "5.100.0"}


def node(
    type_: str, name: str, arguments: Mapping[str, Value], *, mode: Mode = "resource", **more: object
) -> Node:
    lifecycle = more.get("lifecycle", Lifecycle())
    assert isinstance(lifecycle, Lifecycle)
    return Node(address=Address(mode, type_, name), arguments=arguments, origin="a test", lifecycle=lifecycle)


def ref(type_: str, name: str, attribute: str, *, mode: Mode = "resource") -> Ref:
    return Ref(Address(mode, type_, name), attribute)


VPC = ref("aws_vpc", "main", "id")
ENDPOINT = "vpce"
TRUST = JsonText(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": ref("aws_kms_key", "k", "arn")}]}
)
DOMAIN: Mapping[str, Value] = {
    "domain_name": "churn",
    "auth_mode": "IAM",
    "vpc_id": VPC,
    "subnet_ids": [ref("aws_subnet", "a", "id")],
    "default_user_settings": {"execution_role": ref("aws_iam_role", "r", "arn")},
}

GOOD: tuple[Node, ...] = (
    node(
        "aws_vpc", "main", {"cidr_block": "10.0.0.0/16", "enable_dns_support": True, "tags": {"owner": None}}
    ),
    node("aws_subnet", "a", {"vpc_id": VPC, "cidr_block": "10.0.1.0/24", "map_public_ip_on_launch": "false"}),
    node(
        "aws_kms_key",
        "k",
        {"description": "data", "deletion_window_in_days": "30", "enable_key_rotation": True},
    ),
    node("aws_s3_bucket", "data", {"bucket": "churn-data", "timeouts": {"create": "5m"}}),
    node(
        "aws_s3_bucket_server_side_encryption_configuration",
        "data",
        {
            "bucket": ref("aws_s3_bucket", "data", "id"),
            "rule": [
                {
                    "bucket_key_enabled": True,
                    "apply_server_side_encryption_by_default": [
                        {"sse_algorithm": "aws:kms", "kms_master_key_id": ref("aws_kms_key", "k", "arn")}
                    ],
                }
            ],
        },
    ),
    node(
        "aws_iam_role", "r", {"name": "training", "assume_role_policy": TRUST, "max_session_duration": 3600}
    ),
    node(
        "aws_security_group",
        "endpoints",
        {
            "vpc_id": VPC,
            "ingress": [
                {
                    "from_port": 443,
                    "to_port": 443,
                    "protocol": "tcp",
                    "cidr_blocks": [ref("aws_vpc", "main", "cidr_block")],
                    "description": "inside",
                    "ipv6_cidr_blocks": None,
                    "prefix_list_ids": None,
                    "security_groups": None,
                    "self": None,
                }
            ],
        },
    ),
    node(
        "aws_vpc_endpoint",
        ENDPOINT,
        {
            "vpc_id": VPC,
            "service_name": "com.amazonaws.eu-west-1.sts",
            "vpc_endpoint_type": "Interface",
            "subnet_ids": [ref("aws_subnet", "a", "id")],
            "dns_options": {"dns_record_ip_type": "ipv4"},
        },
    ),
    node(
        "aws_iam_policy_document",
        "data",
        {
            "statement": [
                {
                    "actions": ["s3:GetObject"],
                    "resources": [Text((ref("aws_s3_bucket", "data", "arn"), "/*"))],
                    "condition": {"test": "Bool", "variable": "aws:SecureTransport", "values": ["true"]},
                }
            ]
        },
        mode="data",
    ),
    node("aws_iam_policy", "p", {"policy": ref("aws_iam_policy_document", "data", "json", mode="data")}),
    node(
        "aws_route53_record",
        "e",
        {
            "zone_id": ref("aws_vpc_endpoint", ENDPOINT, "dns_entry[0].hosted_zone_id"),
            "name": "sts.example.test",
            "type": "CNAME",
            "ttl": 60,
            "records": [ref("aws_vpc_endpoint", ENDPOINT, "dns_entry[0].dns_name")],
        },
    ),
    node("aws_sagemaker_domain", "d", DOMAIN),
)


class Defect(NamedTuple):
    """A node with one mistake, and what the check says about it.

    ``stricter`` has the reason where Terraform accepts it and the check doesn't.
    """

    node: Node
    code: Code
    message: str
    hint: str
    stricter: str = ""


def _statement(**arguments: Value) -> Node:
    return node(
        "aws_iam_policy_document", "x", {"statement": [{"actions": ["s3:*"]}, arguments]}, mode="data"
    )


def _ingress(**arguments: Value) -> Node:
    rule: dict[str, Value] = dict.fromkeys(
        ("cidr_blocks", "description", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups", "self")
    )
    rule |= {"from_port": 443, "to_port": 443, "protocol": "tcp"}
    return node("aws_security_group", "x", {"vpc_id": VPC, "ingress": [{**rule, **arguments}]})


def _domain(**settings: Value) -> Node:
    user = {"execution_role": ref("aws_iam_role", "r", "arn"), **settings}
    return node("aws_sagemaker_domain", "x", {**DOMAIN, "default_user_settings": user})


def _endpoint(**arguments: Value) -> Node:
    return node(
        "aws_vpc_endpoint", "x", {"vpc_id": VPC, "service_name": "com.amazonaws.eu-west-1.sts", **arguments}
    )


def _encryption(*rules: Value) -> Node:
    return node(
        "aws_s3_bucket_server_side_encryption_configuration", "x", {"bucket": "b", "rule": list(rules)}
    )


KMS: Mapping[str, Value] = {"apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms"}}

DEFECTS: Mapping[str, Defect] = {
    "a resource type with a typo": Defect(
        node("aws_s3_bukcet", "x", {"bucket": "b"}),
        "unknown-type",
        '"aws_s3_bukcet" is not a resource type of provider aws 5.100.0',
        'Did you mean "aws_s3_bucket"?',
    ),
    "a data source used as a resource": Defect(
        node("aws_iam_policy_document", "x", {}),
        "unknown-type",
        '"aws_iam_policy_document" is not a resource type of provider aws 5.100.0',
        "It is a data source there.",
    ),
    "a type of no provider": Defect(
        node("google_storage_bucket", "x", {"name": "b"}),
        "unknown-type",
        '"google_storage_bucket" belongs to no provider of this platform, which uses aws',
        "",
    ),
    "an argument with a typo": Defect(
        node("aws_s3_bucket", "x", {"bucketz": "b"}),
        "unknown-argument",
        '"bucketz" is not an argument of aws_s3_bucket',
        'Did you mean "bucket"?',
    ),
    "an argument of another type": Defect(
        node("aws_iam_policy", "x", {"policy": "{}", "versioning": True}),
        "unknown-argument",
        '"versioning" is not an argument of aws_iam_policy',
        "It takes description, name, name_prefix, path, policy, tags, tags_all.",
    ),
    "an unknown argument in a block": Defect(
        _encryption({"bucket_key_enable": True, **KMS}),
        "unknown-argument",
        '"bucket_key_enable" is not an argument of rule[0] in aws_s3_bucket_server_side_encryption_configuration',
        'Did you mean "bucket_key_enabled"?',
    ),
    "an unknown argument two blocks deep": Defect(
        _encryption({"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256", "kms_key": "k"}}),
        "unknown-argument",
        '"kms_key" is not an argument of rule[0].apply_server_side_encryption_by_default in aws_s3_bucket_server_side_encryption_configuration',
        "It takes kms_master_key_id, sse_algorithm.",
    ),
    "an unknown block three deep": Defect(
        _domain(
            jupyter_lab_app_settings={
                "app_lifecycle_management": {"idle_setting": {"idle_timeout_in_minutes": 60}}
            }
        ),
        "unknown-argument",
        '"idle_setting" is not an argument of default_user_settings.jupyter_lab_app_settings.app_lifecycle_management in aws_sagemaker_domain',
        'Did you mean "idle_settings"?',
    ),
    "an unknown argument of a data source": Defect(
        _statement(action=["s3:*"]),
        "unknown-argument",
        '"action" is not an argument of statement[1] in aws_iam_policy_document',
        'Did you mean "actions"?',
    ),
    "an unknown attribute of an object": Defect(
        _ingress(port=1),
        "unknown-argument",
        '"port" is not an attribute of ingress[0]',
        'Did you mean "to_port"?',
        stricter="Terraform drops it without a word",
    ),
    "a missing argument": Defect(
        node("aws_subnet", "x", {"cidr_block": "10.0.1.0/24"}),
        "missing-argument",
        'aws_subnet needs "vpc_id", a string',
        "",
    ),
    "a missing argument given as null": Defect(
        node("aws_vpc_endpoint", "x", {"vpc_id": None}),
        "missing-argument",
        'aws_vpc_endpoint needs "vpc_id", a string',
        "",
    ),
    "a missing argument in a block": Defect(
        _encryption({"apply_server_side_encryption_by_default": {"kms_master_key_id": "k"}}),
        "missing-argument",
        'rule[0].apply_server_side_encryption_by_default in aws_s3_bucket_server_side_encryption_configuration needs "sse_algorithm", a string',
        "",
    ),
    "a missing argument in a data source's block": Defect(
        _statement(condition={"test": "Bool", "values": ["true"]}),
        "missing-argument",
        'statement[1].condition in aws_iam_policy_document needs "variable", a string',
        "",
    ),
    "a missing attribute of an object": Defect(
        node("aws_security_group", "x", {"ingress": [{"from_port": 443, "to_port": 443, "protocol": "tcp"}]}),
        "missing-argument",
        "ingress[0] lacks cidr_blocks, description, ipv6_cidr_blocks, prefix_list_ids, security_groups, self",
        "It is an object, not a block: write null where there is nothing.",
    ),
    "a missing block": Defect(
        node("aws_s3_bucket_server_side_encryption_configuration", "x", {"bucket": "b"}),
        "too-few-blocks",
        'aws_s3_bucket_server_side_encryption_configuration needs at least 1 "rule" block',
        "",
    ),
    "an empty list of needed blocks": Defect(
        _encryption(),
        "too-few-blocks",
        "rule stands 0 times, but at least 1 is needed",
        "",
    ),
    "a block too many": Defect(
        _domain(sharing_settings=[{"s3_kms_key_id": "a"}, {"s3_kms_key_id": "b"}]),
        "too-many-blocks",
        "default_user_settings.sharing_settings stands 2 times, but at most 1 is taken",
        "",
    ),
    "a block too many at the top": Defect(
        _endpoint(dns_options=[{"dns_record_ip_type": "ipv4"}, {"dns_record_ip_type": "ipv6"}]),
        "too-many-blocks",
        "dns_options stands 2 times, but at most 1 is taken",
        "",
    ),
    "a single block twice": Defect(
        node("aws_s3_bucket", "x", {"timeouts": [{"create": "5m"}, {"create": "6m"}]}),
        "too-many-blocks",
        "timeouts stands 2 times, but at most 1 is taken",
        "",
    ),
    "a list for a string": Defect(
        node("aws_s3_bucket", "x", {"bucket": ["b"]}),
        "wrong-type",
        "bucket is a list, but must be a string",
        "",
    ),
    "a map for a string": Defect(
        node("aws_iam_policy", "x", {"policy": {"Version": "2012-10-17"}}),
        "wrong-type",
        "policy is a map, but must be a string",
        "A JSON document is passed as JsonText.",
    ),
    "a string for a list": Defect(
        _endpoint(subnet_ids="subnet-1"),
        "wrong-type",
        'subnet_ids is "subnet-1", but must be a set of strings',
        "Write it as a set, even of one.",
    ),
    "a string for a map": Defect(
        node("aws_s3_bucket", "x", {"tags": "owner"}),
        "wrong-type",
        'tags is "owner", but must be a map of strings',
        "",
    ),
    "a list in a map of strings": Defect(
        node("aws_s3_bucket", "x", {"tags": {"owner": ["a"]}}),
        "wrong-type",
        "tags.owner is a list, but must be a string",
        "",
    ),
    "a word for a number": Defect(
        node("aws_kms_key", "x", {"deletion_window_in_days": "thirty"}),
        "wrong-type",
        'deletion_window_in_days is "thirty", but must be a number',
        "",
    ),
    "a bool for a number": Defect(
        node("aws_kms_key", "x", {"deletion_window_in_days": True}),
        "wrong-type",
        "deletion_window_in_days is true, but must be a number",
        "",
    ),
    "a word for a bool": Defect(
        node("aws_kms_key", "x", {"enable_key_rotation": "yes"}),
        "wrong-type",
        'enable_key_rotation is "yes", but must be true or false',
        "",
    ),
    "a number for a bool": Defect(
        node("aws_kms_key", "x", {"enable_key_rotation": 1}),
        "wrong-type",
        "enable_key_rotation is 1, but must be true or false",
        "",
    ),
    "a null in a list": Defect(
        node("aws_lambda_function", "x", {"function_name": "f", "role": "r", "layers": ["a", None]}),
        "wrong-type",
        "layers[1] is null, but must be a string",
        "Leave it out.",
    ),
    "a null in a set": Defect(
        _endpoint(subnet_ids=["subnet-1", None]),
        "wrong-type",
        "subnet_ids[1] is null, but must be a string",
        "Leave it out.",
        stricter="the provider finds out when it applies",
    ),
    "a string for a block": Defect(
        _endpoint(dns_options="ipv4"),
        "wrong-type",
        'dns_options is "ipv4", but a block is a map of its arguments',
        "",
    ),
    "a reference for a block": Defect(
        _endpoint(dns_options=ref("aws_vpc", "main", "id")),
        "wrong-type",
        "dns_options is aws_vpc.main.id, but a block is a map of its arguments",
        "",
    ),
    "a list of strings for a block": Defect(
        _encryption("aws:kms"),
        "wrong-type",
        'rule[0] is "aws:kms", but a block is a map of its arguments, or a list of such maps',
        "",
    ),
    "a list where a string is referred to": Defect(
        node("aws_s3_bucket", "x", {"bucket": ref("aws_vpc_endpoint", ENDPOINT, "subnet_ids")}),
        "wrong-type",
        "bucket is aws_vpc_endpoint.vpce.subnet_ids, a set of strings, but must be a string",
        "",
    ),
    "a string where a list is referred to": Defect(
        _endpoint(subnet_ids=ref("aws_subnet", "a", "id")),
        "wrong-type",
        "subnet_ids is aws_subnet.a.id, a string, but must be a set of strings",
        "",
    ),
    "a bool where a number is referred to": Defect(
        node("aws_kms_key", "x", {"deletion_window_in_days": ref("aws_kms_key", "k", "enable_key_rotation")}),
        "wrong-type",
        "deletion_window_in_days is aws_kms_key.k.enable_key_rotation, true or false, but must be a number",
        "",
    ),
    "a map inside a text": Defect(
        node("aws_s3_bucket", "x", {"bucket": Text(("b-", ref("aws_vpc", "main", "tags")))}),
        "wrong-type",
        "bucket joins aws_vpc.main.tags, a map of strings, into a text, which takes only strings, numbers and bools",
        "",
    ),
    "a JSON text for a number": Defect(
        node("aws_kms_key", "x", {"deletion_window_in_days": JsonText({})}),
        "wrong-type",
        "deletion_window_in_days is a JSON text, but must be a number",
        "",
    ),
    "a secret that is a list": Defect(
        node("aws_db_instance", "x", {"instance_class": "db.t3.micro", "password": ["hunter2"]}),
        "wrong-type",
        "password is a list, but must be a string",
        "",
    ),
    "a computed attribute": Defect(
        node("aws_s3_bucket", "x", {"arn": "arn:aws:s3:::b"}),
        "read-only",
        "arn is set by the provider and cannot be given",
        "Leave it out.",
    ),
    "a computed list of objects": Defect(
        _endpoint(dns_entry=[{"dns_name": "a"}]),
        "read-only",
        "dns_entry is set by the provider and cannot be given",
        "Leave it out.",
    ),
    "the id of a resource": Defect(
        node("aws_s3_bucket", "x", {"id": "b"}),
        "read-only",
        "id is set by the provider and cannot be given",
        "Leave it out.",
    ),
    "a reference to an unknown attribute": Defect(
        node("aws_s3_bucket_policy", "x", {"bucket": ref("aws_s3_bucket", "data", "idd"), "policy": "{}"}),
        "unknown-attribute",
        'bucket refers to aws_s3_bucket.data.idd: aws_s3_bucket has no attribute "idd"',
        'Did you mean "id"?',
    ),
    "a reference into an unknown part of an object": Defect(
        node("aws_s3_bucket", "x", {"bucket": ref("aws_vpc_endpoint", ENDPOINT, "dns_entry[0].name")}),
        "unknown-attribute",
        'bucket refers to aws_vpc_endpoint.vpce.dns_entry[0].name: dns_entry has no attribute "name"',
        'Did you mean "dns_name"?',
    ),
    "a reference into a list without an index": Defect(
        node("aws_s3_bucket", "x", {"bucket": ref("aws_vpc_endpoint", ENDPOINT, "dns_entry.dns_name")}),
        "unknown-attribute",
        'bucket refers to aws_vpc_endpoint.vpce.dns_entry.dns_name: dns_entry is a list of objects with dns_name, hosted_zone_id, which ".dns_name" cannot follow',
        "Write dns_entry[0].dns_name.",
    ),
    "a reference that indexes a set": Defect(
        node("aws_s3_bucket", "x", {"bucket": ref("aws_vpc_endpoint", ENDPOINT, "subnet_ids[0]")}),
        "unknown-attribute",
        "bucket refers to aws_vpc_endpoint.vpce.subnet_ids[0]: subnet_ids is a set of strings, which an index cannot follow",
        "The elements of a set have no order: write subnet_ids[*].",
    ),
    "a reference below a string": Defect(
        node("aws_s3_bucket", "x", {"bucket": ref("aws_vpc", "main", "id.name")}),
        "unknown-attribute",
        'bucket refers to aws_vpc.main.id.name: id is a string, which ".name" cannot follow',
        "",
    ),
    "a reference into an unknown part of a block": Defect(
        node(
            "aws_s3_bucket",
            "x",
            {"bucket": ref("aws_sagemaker_domain", "d", "default_user_settings[0].execution_rol")},
        ),
        "unknown-attribute",
        'bucket refers to aws_sagemaker_domain.d.default_user_settings[0].execution_rol: default_user_settings has no attribute "execution_rol"',
        'Did you mean "execution_role"?',
    ),
    "a reference that is no path": Defect(
        node("aws_s3_bucket", "x", {"bucket": ref("aws_vpc", "main", "id[")}),
        "unknown-attribute",
        'bucket refers to aws_vpc.main.id[: "id[" is not a path',
        'Write it as name, name[0].name or name["key"].',
    ),
    "a reference inside a JSON text": Defect(
        node(
            "aws_iam_policy",
            "x",
            {"policy": JsonText({"Statement": [{"Resource": ref("aws_kms_key", "k", "arnn")}]})},
        ),
        "unknown-attribute",
        'policy refers to aws_kms_key.k.arnn: aws_kms_key has no attribute "arnn"',
        'Did you mean "arn"?',
    ),
    "a reference to a data source's unknown attribute": Defect(
        node("aws_iam_policy", "x", {"policy": ref("aws_iam_policy_document", "data", "jsonn", mode="data")}),
        "unknown-attribute",
        'policy refers to data.aws_iam_policy_document.data.jsonn: aws_iam_policy_document has no attribute "jsonn"',
        'Did you mean "json"?',
    ),
    "a reference to nothing": Defect(
        node("aws_s3_bucket", "x", {"bucket": ref("aws_vpc", "mainn", "id")}),
        "unknown-address",
        "bucket refers to aws_vpc.mainn, which does not exist",
        'Did you mean "aws_vpc.main"?',
    ),
    "a count": Defect(
        node("aws_s3_bucket", "x", {"count": "${2}x"}),
        "meta-argument",
        "count is not an argument but Terraform's own",
        "Make one node for each instead.",
    ),
    "a lifecycle among the arguments": Defect(
        node("aws_s3_bucket", "x", {"lifecycle": {"prevent_destroyed": True}}),
        "meta-argument",
        "lifecycle is not an argument but Terraform's own",
        "Give it as the node's lifecycle.",
    ),
    "a lifecycle of an unknown argument": Defect(
        node("aws_s3_bucket", "x", {"bucket": "b"}, lifecycle=Lifecycle(ignore_changes=("tagz",))),
        "meta-argument",
        'lifecycle.ignore_changes names "tagz", which is not an argument of aws_s3_bucket',
        'Did you mean "tags"?',
    ),
    "a lifecycle of a data source": Defect(
        node("aws_iam_policy_document", "x", {}, mode="data", lifecycle=Lifecycle(prevent_destroy=True)),
        "meta-argument",
        "lifecycle cannot be given for a data source",
        "",
    ),
}
