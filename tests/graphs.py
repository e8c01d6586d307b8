"""Hand-made graphs that every emitter is tried on; each holds something that is easy to get wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from stacks.graph import (
    Backend,
    JsonText,
    Lifecycle,
    LinkedStack,
    ProviderBlock,
    Stack,
    StackBuilder,
    Value,
    link,
    text,
)

AWS: Final = ProviderBlock(
    name="aws",
    source="hashicorp/aws",
    version=">= 5.90.0, < 6.0.0",
    config={"region": "eu-west-1", "default_tags": {"tags": {"owner": "growth-ml", "name": "churn"}}},
)
LOCAL: Final = Backend(kind="local", config={})

# Strings that mean something to JSON, to HCL, to Terraform's templates or to CDKTF's tokens.
HOSTILE: Final = (
    "${aws_s3_bucket.data.arn}",
    "$${x}",
    "$$${x} %%{if}",
    "%{ for x in y }",
    "cost $",
    "100%",
    'say "hi"',
    "back\\slash \\n \\${x}",
    "line\nbreak\ttab\rreturn",
    "${TfToken[TOKEN.0]}",
    "#{Token[TOKEN.1]}",
    "\ufeffmark",
    "\r\r\n$",
    "<<EOT\nEOT",
    "émoji 😀 \u2028",
    "",
    "${",
    "}",
    '{"json": "${x}"}',
)


def stack(builder: StackBuilder, *, backend: Backend = LOCAL, needs: tuple[str, ...] = ()) -> Stack:
    """Finish a stack of the platform ``churn`` in ``dev``."""
    return Stack(
        name=f"churn-dev-{builder.concern}",
        concern=builder.concern,
        environment="dev",
        nodes=builder.nodes,
        providers=(AWS,),
        backend=backend,
        required_terraform=">= 1.10.0, < 2.0.0",
        exports=builder.exports,
        needs=needs,
    )


def foundation(backends: Mapping[str, Backend] | None = None) -> tuple[LinkedStack, ...]:
    """Make three stacks that refer to each other, with blocks, policies and lists."""
    security, network, storage = StackBuilder("security"), StackBuilder("network"), StackBuilder("storage")
    identity = security.data("aws_caller_identity", "current", {}, origin="security")
    key = security.resource(
        "aws_kms_key",
        "data",
        {
            "description": "data of churn",
            "enable_key_rotation": True,
            "deletion_window_in_days": 30,
            "policy": JsonText(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"AWS": text("arn:aws:iam::", identity.ref("account_id"), ":root")},
                            "Action": "kms:*",
                            "Resource": "*",
                        }
                    ],
                }
            ),
        },
        origin="key data",
        lifecycle=Lifecycle(prevent_destroy=True),
    )
    security.export("key_arn", key.ref("arn"))
    security.export("keys", {"data": key.ref("arn"), "more": text(key.ref("key_id"), "/x")})

    vpc = network.resource(
        "aws_vpc", "main", {"cidr_block": "10.40.0.0/16", "enable_dns_hostnames": True}, origin="network"
    )
    subnets = [
        network.resource(
            "aws_subnet",
            f"private_{zone}",
            {
                "vpc_id": vpc.ref("id"),
                "cidr_block": f"10.40.{zone}.0/24",
                "availability_zone": f"eu-west-1{'ab'[zone]}",
            },
            origin="network",
        )
        for zone in range(2)
    ]
    network.resource(
        "aws_security_group",
        "endpoints",
        {
            "name": "churn-dev-endpoints",
            "description": "interface endpoints",
            "vpc_id": vpc.ref("id"),
            "ingress": [
                {
                    "from_port": 443,
                    "to_port": 443,
                    "protocol": "tcp",
                    "cidr_blocks": [vpc.ref("cidr_block")],
                    "description": "from inside",
                    "ipv6_cidr_blocks": [],
                    "prefix_list_ids": [],
                    "security_groups": [],
                    "self": False,
                }
            ],
            "egress": [],
        },
        origin="network",
        lifecycle=Lifecycle(create_before_destroy=True, ignore_changes=("tags",)),
    )
    network.export("vpc_id", vpc.ref("id"))
    network.export("private_subnet_ids", [subnet.ref("id") for subnet in subnets])

    bucket = storage.resource(
        "aws_s3_bucket",
        "data",
        {
            "bucket": "churn-dev-data-123456789012",
            "force_destroy": False,
            "tags": {"aws:like": "x", "plain": "y"},
        },
        origin="object-store data",
        lifecycle=Lifecycle(prevent_destroy=True),
    )
    access = storage.resource(
        "aws_s3_bucket_public_access_block",
        "data",
        {
            "bucket": bucket.ref("id"),
            "block_public_acls": True,
            "block_public_policy": True,
            "ignore_public_acls": True,
            "restrict_public_buckets": True,
        },
        origin="object-store data",
    )
    storage.resource(
        "aws_s3_bucket_server_side_encryption_configuration",
        "data",
        {
            "bucket": bucket.ref("id"),
            "rule": [
                {
                    "apply_server_side_encryption_by_default": {
                        "kms_master_key_id": key.ref("arn"),
                        "sse_algorithm": "aws:kms",
                    },
                    "bucket_key_enabled": True,
                }
            ],
        },
        origin="object-store data",
    )
    storage.resource(
        "aws_s3_bucket_lifecycle_configuration",
        "data",
        {
            "bucket": bucket.ref("id"),
            "rule": [
                {"id": "old", "status": "Enabled", "filter": {}, "expiration": {"days": 365}},
                {
                    "id": "uploads",
                    "status": "Enabled",
                    "filter": {"prefix": "tmp/"},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
                },
            ],
        },
        origin="object-store data",
    )
    storage.resource(
        "aws_s3_bucket_policy",
        "data",
        {
            "bucket": bucket.ref("id"),
            "policy": JsonText(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "TlsOnly",
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "s3:*",
                            "Resource": [bucket.ref("arn"), text(bucket.ref("arn"), "/*")],
                            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                        },
                        {
                            "Sid": "FromHere",
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": ["s3:PutObject", "s3:GetObject"],
                            "Resource": text(bucket.ref("arn"), "/${aws:username}/*"),
                            "Condition": {
                                "StringNotEquals": {"aws:SourceVpc": vpc.ref("id")},
                                "NotIpAddress": {"aws:SourceIp": vpc.ref("cidr_block")},
                            },
                        },
                    ],
                }
            ),
        },
        origin="object-store data",
        depends_on=[access],
    )
    storage.export("bucket_arns", {"data": bucket.ref("arn")})
    given = backends or {}
    return link(
        [
            stack(builder, backend=given.get(builder.concern, LOCAL), needs=needs)
            for builder, needs in (
                (storage, ("churn-dev-security",)),
                (network, ()),
                (security, ()),
            )
        ]
    )


def hostile() -> tuple[LinkedStack, ...]:
    """Make one stack whose strings are all hostile, next to references and inside policies."""
    builder = StackBuilder("hostile")
    topic = builder.resource("aws_sns_topic", "alerts", {"name": "alerts"}, origin="alerts\n# not a comment")
    many: list[Value] = list(HOSTILE)
    builder.resource(
        "aws_ssm_parameter",
        "plain",
        {
            "name": "/plain",
            "type": "String",
            "value": HOSTILE[0],
            "tags": dict.fromkeys(("a", "${k}", "%{k}"), "v"),
        },
        origin="hostile",
    )
    for number, string in enumerate(HOSTILE):
        builder.resource(
            "aws_ssm_parameter",
            f"mixed_{number}",
            {
                "name": f"/mixed/{number}",
                "type": "String",
                "value": text(string, topic.ref("arn"), string, string, topic.ref("name"), string),
                "description": JsonText(
                    {
                        "plain": string,
                        string: "key",
                        "safe": text(string, topic.ref("arn"), string),
                        "any": text(string, topic.ref("display_name"), string),
                        "alone": topic.ref("display_name"),
                        "nested": JsonText([string, topic.ref("arn")]),
                    }
                ),
            },
            origin="hostile",
        )
    builder.export("many", many)
    builder.export("one", {"${key}": HOSTILE[1], "for": 1, "null": None, "number": 1.5})
    return link([stack(builder)])


def remote() -> tuple[LinkedStack, ...]:
    """Make the foundation with state in buckets."""
    return foundation(
        {
            concern: Backend(
                kind="s3",
                config={
                    "bucket": "churn-state-123456789012",
                    "key": f"dev/{concern}.tfstate",
                    "region": "eu-west-1",
                    "encrypt": True,
                    "use_lockfile": True,
                },
            )
            for concern in ("storage", "network", "security")
        }
    )


def storage_only() -> tuple[LinkedStack, ...]:
    """Make a stack with the exports of a storage stack; one of them holds no reference."""
    storage = StackBuilder("storage")
    bucket = storage.resource(
        "aws_s3_bucket",
        "data",
        {"bucket": "churn-data"},
        origin="object-store data",
        lifecycle=Lifecycle(prevent_destroy=True),
    )
    storage.export("bucket_arns", {"data": bucket.ref("arn")})
    storage.export("bucket_names", {"data": "churn-data"})
    return link([stack(storage)])


def existing_network() -> tuple[LinkedStack, ...]:
    """Make a stack for a network that was there before: its exports are plain strings."""
    network = StackBuilder("network")
    network.export("network_id", "vpc-1")
    network.export("subnet_ids", ["subnet-1", "subnet-2"])
    network.export("security_group_ids", [])
    return link([stack(network)])


def exporting() -> tuple[LinkedStack, ...]:
    """Make three stacks with the exports of a platform, and with state in a bucket."""
    security, network, storage = StackBuilder("security"), StackBuilder("network"), StackBuilder("storage")
    key = security.resource("aws_kms_key", "data", {"description": "data"}, origin="key data")
    security.export("data_key_arn", key.ref("arn"))
    subnets = [
        network.resource("aws_subnet", f"s{zone}", {"vpc_id": "vpc-1"}, origin="network") for zone in range(2)
    ]
    network.export("network_id", subnets[0].ref("vpc_id"))
    network.export("subnet_ids", [subnet.ref("id") for subnet in subnets])
    network.export("security_group_ids", [])
    storage.resource(
        "aws_ssm_parameter", "k", {"name": "k", "value": key.ref("arn")}, origin="object-store data"
    )
    return link(
        [
            stack(
                builder,
                backend=Backend(
                    kind="s3",
                    config={
                        "bucket": "churn-state",
                        "key": f"dev/{builder.concern}.tfstate",
                        "use_lockfile": True,
                    },
                ),
            )
            for builder in (security, network, storage)
        ]
    )


def _of_example(spec: Path) -> Callable[[], tuple[LinkedStack, ...]]:
    def stacks() -> tuple[LinkedStack, ...]:
        from scaffolder.pipeline import synthesize  # noqa: PLC0415 - hand-made graphs need no spec

        return synthesize(spec).stacks

    return stacks


GRAPHS: Final = {"foundation": foundation, "hostile": hostile, "remote": remote}
ALL: Final = {
    **GRAPHS,
    **{
        spec.parent.name: _of_example(spec)
        for spec in sorted((Path(__file__).resolve().parent.parent / "examples").glob("*/platform.yaml"))
    },
}
