"""AWS's limits as dated data (``limits.toml``), and what a platform asks for beyond them.

May not add a resource, nor know how much of a quota an account has used, or has had raised.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from stacks.adapter import TargetProblem
from stacks.aws.context import Context
from stacks.graph import Address, JsonText, Node, Ref, RemoteRef, Stack, Text, Value
from stacks.intents import ExistingNetwork, FeatureStore, HumanRole, ImageRepository, ObjectStore
from stacks.record import record

__all__ = [
    "Limit",
    "limits",
    "limits_date",
    "may_outgrow",
    "policy_sizes",
    "policy_too_large",
    "spec_limit_problems",
]

LIMITS = Path(__file__).with_name("limits.toml")

ARN = 90
"""Characters to count for a reference whose name the platform does not give, such as a key's or a subnet's ARN."""
NAMED = {"aws_s3_bucket": ("bucket", 13), "aws_ecr_repository": ("name", 54), "aws_iam_role": ("name", 31)}
"""Type → the argument with its name, and the characters of its ARN before that (for the longest region's name)."""
IAM_WORDS = {
    "sid": "Sid",
    "effect": "Effect",
    "actions": "Action",
    "not_actions": "NotAction",
    "resources": "Resource",
    "not_resources": "NotResource",
}
TRUST_FRAME = 280
"""Characters of a human role's trust policy without its principals: two statements, one with a condition."""
MANY = 12
"""So many buckets and repositories of the user's fit into every role's policy whatever their names."""


@record
class Limit:
    """A limit. An ``adjustable`` one is a quota that an account may have had raised, at most to ``raised_to`` if known."""

    key: str
    service: str
    what: str
    most: int
    adjustable: bool
    source: str
    raised_to: int | None = None

    def __str__(self) -> str:
        more = f", or {self.raised_to:,} when the quota is raised" if self.raised_to else ""
        return f"{self.service} takes {self.most:,} {self.what}{more}"


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(LIMITS.read_text(encoding="utf-8"))


@cache
def limits() -> Mapping[str, Limit]:
    """Every limit by its key, in the order of the data."""
    return {key: Limit(key=key, **entry) for key, entry in _table().items() if isinstance(entry, dict)}


def limits_date() -> str:
    """The year and month in which the limits were read."""
    return str(_table()["date"])


def spec_limit_problems(context: Context) -> Iterator[TargetProblem]:
    """Say what a platform asks for beyond a limit: an error where nobody can raise it, else a warning."""
    groups = [*context.all_of(FeatureStore)]
    for group in groups:
        columns = len({*group.columns, group.key, group.event_time})
        yield from _beyond("features", columns, ("features", group.name, "columns"), "features")
    yield from _beyond("feature-groups", len(groups), ("features",), "feature groups")
    network = context.one_of(ExistingNetwork)
    if network is not None:
        place = ("network", "existing")
        yield from _beyond("workload-subnets", len(network.subnet_ids), (*place, "subnet_ids"), "subnets")
        yield from _beyond(
            "workload-security-groups",
            len(network.security_group_ids),
            (*place, "security_group_ids"),
            "security groups",
        )
    for role in context.all_of(HumanRole):
        size = TRUST_FRAME + sum(len(principal) + 3 for principal in role.principals)
        yield from _beyond(
            "trust-policy", size, ("identity", "groups", role.purpose), "characters of a trust policy"
        )


def _beyond(key: str, asked: int, path: tuple[str, ...], unit: str) -> Iterator[TargetProblem]:
    limit = limits()[key]
    if asked <= limit.most:
        return
    for_nobody = not limit.adjustable or (limit.raised_to is not None and asked > limit.raised_to)
    yield TargetProblem(
        path=path,
        code="limit",
        message=f"{'.'.join(path)} makes {asked:,} {unit}: {limit}",
        hint="Ask for less." if for_nobody else "Have the account's quota raised before you deploy.",
        warning=not for_nobody,
    )


def policy_too_large(context: Context, stacks: Sequence[Stack]) -> Iterator[TargetProblem]:
    """Say which roles' policies outgrow IAM's limit because the user has many buckets and repositories."""
    buckets = sum(intent.purpose == "user" for intent in context.all_of(ObjectStore))
    images = len([*context.all_of(ImageRepository)])
    path = ("storage", "buckets") if buckets >= images else ("containers", "repositories")
    for owner, key, size in policy_sizes(stacks):
        limit = limits()[key]
        if size > limit.most and key in ("role-inline-policies", "managed-policy"):
            yield TargetProblem(
                path=path,
                code="limit",
                message=f"{'.'.join(path)}: with all of them {owner} has {size:,} characters of policy: {limit}",
                hint="Keep more in one bucket or repository, below prefixes or tags.",
            )


def may_outgrow(context: Context) -> bool:
    """Whether it is worth it to measure: a platform with few buckets and repositories keeps within every limit."""
    buckets = sum(intent.purpose == "user" for intent in context.all_of(ObjectStore))
    return buckets + len([*context.all_of(ImageRepository)]) > MANY


def policy_sizes(stacks: Sequence[Stack]) -> Iterator[tuple[str, str, int]]:
    """Yield each policy's owner, the key of its limit, and its size as AWS counts it."""
    nodes = {node.address: node for stack in stacks for node in stack.nodes}
    measure = _Measure(nodes)
    inline: dict[str, int] = {}
    for node in nodes.values():
        owner = str(node.address)
        match node.address.type:
            case "aws_iam_role":
                yield owner, "trust-policy", measure.size(node.arguments["assume_role_policy"])
            case "aws_iam_role_policy":
                role = node.arguments["role"]
                owner = str(role.address) if isinstance(role, Ref) else str(role)
                inline[owner] = inline.get(owner, 0) + measure.size(node.arguments["policy"])
            case "aws_iam_policy":
                yield owner, "managed-policy", measure.size(node.arguments["policy"])
            case "aws_vpc_endpoint" if "policy" in node.arguments:
                yield owner, "endpoint-policy", measure.size(node.arguments["policy"])
            case _:
                continue
    yield from ((owner, "role-inline-policies", size) for owner, size in inline.items())


@dataclass(frozen=True, slots=True)
class _Measure:
    nodes: Mapping[Address, Node]

    def size(self, policy: Value) -> int:
        """The characters of a policy as compact JSON: Terraform writes more white space, which IAM does not count."""
        document: Any = self.plain(policy)
        if isinstance(policy, Ref) and policy.address in self.nodes:
            blocks: Any = self.nodes[policy.address].arguments.get("statement", [])
            document = {"Version": "2012-10-17", "Statement": [self.statement(block) for block in blocks]}
        return len(document if isinstance(document, str) else json.dumps(document, separators=(",", ":")))

    def statement(self, block: Mapping[str, Any]) -> Mapping[str, Any]:
        """A statement in IAM's own words, as the provider writes it: a list of one is that one."""
        said: dict[str, Any] = {
            IAM_WORDS[key]: self.one_or_more(value) for key, value in block.items() if key in IAM_WORDS
        }
        for each in block.get("principals", []):
            said.setdefault("Principal", {})[each["type"]] = self.one_or_more(each["identifiers"])
        for each in block.get("condition", []):
            tests = said.setdefault("Condition", {}).setdefault(each["test"], {})
            tests[each["variable"]] = self.one_or_more(each["values"])
        return said

    def one_or_more(self, value: Value) -> Any:
        plain = self.plain(value)
        return plain[0] if isinstance(plain, list) and len(plain) == 1 else plain

    def plain(self, value: Value) -> Any:
        match value:
            case None | str() | bool() | int() | float():
                return value
            case Ref(address=address):
                return "x" * self.arn(self.nodes.get(address))
            case RemoteRef():
                return "x" * ARN
            case Text(parts=parts):
                return "".join(self.plain(part) for part in parts)
            case JsonText(document=document):
                return json.dumps(self.plain(document), separators=(",", ":"))
            case Mapping():
                return {key: self.plain(item) for key, item in value.items()}
            case _:
                return [self.plain(item) for item in value]

    def arn(self, node: Node | None) -> int:
        argument, before = NAMED.get(node.address.type, ("", 0)) if node else ("", 0)
        name = node.arguments.get(argument) if node else None
        return before + len(name) if isinstance(name, str) else ARN
