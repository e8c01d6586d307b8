"""Reads AWS's IAM definitions (offline, from policy_sentry) and holds our policy statements to them.

May not know which statements a platform has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from policy_sentry.querying.actions import get_action_data, get_actions_for_service
from policy_sentry.querying.conditions import get_condition_keys_for_service

from stacks.graph import Node, Ref, RemoteRef, Text, Value

__all__ = ["Grant", "faults", "grants_of", "pattern_of", "takes_no_resource"]

ARN_OF_TYPE = {
    "aws_s3_bucket": "arn:aws:s3:::bucket-name",
    "aws_kms_key": "arn:aws:kms:eu-west-1:123456789012:key/0",
    "aws_ecr_repository": "arn:aws:ecr:eu-west-1:123456789012:repository/name",
    "aws_subnet": "arn:aws:ec2:eu-west-1:123456789012:subnet/subnet-0",
    "aws_sns_topic": "arn:aws:sns:eu-west-1:123456789012:name",
    "aws_sqs_queue": "arn:aws:sqs:eu-west-1:123456789012:name",
    "aws_vpc": "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0",
    "aws_security_group": "arn:aws:ec2:eu-west-1:123456789012:security-group/sg-0",
    "aws_cloudwatch_log_group": "arn:aws:logs:eu-west-1:123456789012:log-group:name",
    "aws_iam_role": "arn:aws:iam::123456789012:role/name",
    "aws_iam_policy": "arn:aws:iam::123456789012:policy/name",
}
GLOBAL_KEYS = (
    *(
        "aws:PrincipalAccount",
        "aws:ResourceAccount",
        "aws:SourceAccount",
        "aws:SourceArn",
        "aws:SecureTransport",
    ),
    *("aws:RequestedRegion", "aws:MultiFactorAuthPresent", "aws:RequestTag/*", "aws:ResourceTag/*"),
)


@dataclass(frozen=True, slots=True)
class Grant:
    """A statement of a policy document, with references replaced by ARNs of the right form."""

    document: str
    sid: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition_keys: tuple[str, ...]


def pattern_of(value: Value) -> str:
    """Write a value with an ARN of the right form for each reference."""
    match value:
        case str():
            return value
        case Ref(address=address):
            return ARN_OF_TYPE[address.type]
        case Text(parts=parts):
            return "".join(pattern_of(part) for part in parts)
        case RemoteRef():
            raise TypeError("policies are read before stacks are linked")
        case _:
            raise TypeError(f"not a resource: {value!r}")


def grants_of(node: Node) -> Iterator[Grant]:
    """Yield the statements of a policy document's node."""
    statements: Any = node.arguments["statement"]
    for statement in statements:
        yield Grant(
            document=node.address.name,
            sid=statement["sid"],
            effect=statement["effect"],
            actions=tuple(statement["actions"]),
            resources=tuple(pattern_of(resource) for resource in statement.get("resources", [])),
            condition_keys=tuple(condition["variable"] for condition in statement.get("condition", [])),
        )


@cache
def _actions(service: str) -> Mapping[str, str]:
    return {action.lower(): action for action in get_actions_for_service(service)}


@cache
def _resource_arns(action: str) -> tuple[str, ...]:
    """The raw ARNs that an action takes; ``*`` among them when it can do without."""
    service, name = action.split(":")
    rows: Sequence[Mapping[str, Any]] = get_action_data(service, name)[service]
    return tuple(str(row["resource_arn_format"]) for row in rows)


@cache
def _keys(action: str) -> frozenset[str]:
    service, name = action.split(":")
    rows: Sequence[Mapping[str, Any]] = get_action_data(service, name)[service]
    return frozenset(key for row in rows for key in row["condition_keys"])


def _expanded(action: str) -> list[str]:
    service = action.split(":", maxsplit=1)[0]
    return [known for lower, known in _actions(service).items() if fnmatchcase(lower, action.lower())]


def _fits(raw: str, resource: str) -> bool:
    """Whether an ARN pattern of ours can name what an action's raw ARN describes."""
    if resource == "*" or raw == "*":
        return resource == raw == "*" or resource == "*"
    ours, theirs = resource.split(":", 5), raw.split(":", 5)
    if len(ours) != len(theirs) or (ours[2] != theirs[2] and ours[2] != "*"):
        return False
    return _path_fits(theirs[5], ours[5])


def _path_fits(raw: str, ours: str) -> bool:
    """Whether some resource is named by both patterns; ``*`` matches anything, slashes and colons too."""
    return _overlap(re.sub(r"\$\{[^}]*\}", "*", raw), ours)


@cache
def _overlap(one: str, other: str) -> bool:
    if not one or not other:
        return not (one or other).strip("*")
    if one[0] == "*":
        return _overlap(one[1:], other) or _overlap(one, other[1:])
    if other[0] == "*":
        return _overlap(other, one)
    return one[0] == other[0] and _overlap(one[1:], other[1:])


def takes_no_resource(action: str) -> bool:
    """Whether AWS lets an action stand beside ``*`` only."""
    return set(_resource_arns(action)) == {"*"}


def faults(grant: Grant) -> Iterator[str]:
    """Yield what AWS would not understand, or would never apply, in a statement."""
    for action in grant.actions:
        expanded = _expanded(action)
        if not expanded:
            yield f"{action} does not exist"
        if grant.effect == "Deny" or not grant.resources:
            continue
        useful = [
            name
            for name in expanded
            if any(_fits(raw, ours) for raw in _resource_arns(name) for ours in grant.resources)
        ]
        if expanded and not useful:
            yield f"{action} takes {_resource_arns(expanded[0])}, not {grant.resources}"
    for key in grant.condition_keys:
        if any(fnmatchcase(key, known) for known in GLOBAL_KEYS):
            continue
        services = sorted({action.split(":")[0] for action in grant.actions})
        known = {
            item.split("/")[0].split("$")[0]
            for service in services
            for item in get_condition_keys_for_service(service)
        }
        prefix = key.split(":")[0] + ":"
        if (
            not any(key == item or (item.endswith(":") and key.startswith(item)) for item in known)
            and "." not in prefix
        ):
            yield f"condition key {key} is none of {', '.join(services)}"
