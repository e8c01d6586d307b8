"""Reads AWS's policies back out of a graph: roles, what they are allowed, and the policies of resources.

Reads the finished graph, overrides included. May not add a node, nor judge what it reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stacks.access import Access, Ceiling, Condition, Effect, Grant, Guarded, Name, Role
from stacks.aws.context import Context
from stacks.graph import Address, JsonText, Node, Ref, RemoteRef, Stack, Text, Value
from stacks.intents import Platform

__all__ = ["POLICIES", "access_of"]

DOCUMENT = "aws_iam_policy_document"
INLINE = "inline"

POLICIES: Mapping[str, tuple[str, str]] = {
    "aws_cloudwatch_event_bus_policy": ("policy", "event_bus_name"),
    "aws_cloudwatch_log_resource_policy": ("policy_document", ""),
    "aws_ecr_repository_policy": ("policy", "repository"),
    "aws_kms_key": ("policy", ""),
    "aws_opensearchserverless_access_policy": ("policy", ""),
    "aws_s3_bucket_policy": ("policy", "bucket"),
    "aws_sagemaker_model_package_group_policy": ("resource_policy", "model_package_group_name"),
    "aws_secretsmanager_secret_policy": ("policy", "secret_arn"),
    "aws_sns_topic_policy": ("policy", "arn"),
    "aws_sqs_queue_policy": ("policy", "queue_url"),
    "aws_vpc_endpoint": ("policy", ""),
}
"""Types with a policy of a resource: the argument that has it, and the one that refers to what it guards (or itself)."""

NOUNS = {
    "aws_cloudwatch_log_group": "log group",
    "aws_ecr_repository": "repository",
    "aws_iam_openid_connect_provider": "identity provider",
    "aws_iam_policy": "policy",
    "aws_iam_role": "role",
    "aws_kms_key": "key",
    "aws_opensearchserverless_access_policy": "collection policy",
    "aws_s3_bucket": "bucket",
    "aws_sns_topic": "topic",
    "aws_sqs_queue": "queue",
    "aws_vpc": "network",
    "aws_vpc_endpoint": "network endpoint",
}
IDENTITY = frozenset({"arn", "id", "key_id", "name", "url"})
"""Attributes that stand for the thing itself; others are written behind it."""

_ARN = re.compile(r"arn:[\w-]+:([\w-]*):([\w-]*):(\d*):(.*)")


def access_of(stacks: Sequence[Stack], platform: Platform) -> Access:
    """Read who may do what out of finished stacks."""
    reader = _Reader(Context(platform), {node.address: node for stack in stacks for node in stack.nodes})
    placed = [(stack.name, node) for stack in stacks for node in stack.nodes]
    ceilings = {
        ref.address
        for _, node in placed
        if isinstance(ref := node.arguments.get("permissions_boundary"), Ref)
    }
    return Access(
        roles=tuple(
            reader.role(stack, node) for stack, node in placed if node.address.type == "aws_iam_role"
        ),
        guarded=tuple(
            reader.guarded(stack, node)
            for stack, node in placed
            if node.address.mode == "resource"
            and node.address.type in POLICIES
            and POLICIES[node.address.type][0] in node.arguments
        ),
        ceilings=tuple(reader.ceiling(stack, node) for stack, node in placed if node.address in ceilings),
    )


def _words(address: Address) -> str:
    noun = NOUNS.get(address.type) or address.type.removeprefix("aws_").replace("_", " ")
    return f"{noun} {address.name}"


def _listed(value: Any) -> Sequence[Any]:
    """A list as it is; anything else, as a policy's JSON and a single block may have it, as a list of one."""
    if value is None:
        return ()
    return (
        [value]
        if isinstance(value, str | Mapping | Ref | Text | RemoteRef | JsonText | int | float)
        else value
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    context: Context
    nodes: Mapping[Address, Node]

    def role(self, stack: str, node: Node) -> Role:
        grants = [
            grant
            for block in _listed(node.arguments.get("inline_policy"))
            for grant in self.grants(block.get("policy"), INLINE)
        ]
        elsewhere = [self.text(arn) for arn in _listed(node.arguments.get("managed_policy_arns"))]
        for other in self.of_role("aws_iam_role_policy", node):
            grants += self.grants(other.arguments.get("policy"), INLINE)
        for other in self.of_role("aws_iam_role_policy_attachment", node):
            attached = other.arguments.get("policy_arn")
            policy = self.nodes.get(attached.address) if isinstance(attached, Ref) else None
            if policy is None or policy.address.type != "aws_iam_policy":
                elsewhere.append(self.text(attached))
            else:
                grants += self.grants(policy.arguments.get("policy"), _words(policy.address))
        return Role(
            key=node.address.name,
            name=self.text(node.arguments.get("name", "")),
            address=str(node.address),
            stack=stack,
            origin=node.origin,
            trust=tuple(self.grants(node.arguments.get("assume_role_policy"), "trust")),
            grants=tuple(grants),
            ceiling=self.text(node.arguments.get("permissions_boundary") or ""),
            elsewhere=tuple(elsewhere),
        )

    def of_role(self, kind: str, role: Node) -> Iterator[Node]:
        """The nodes of a type that refer to a role, or name it as an override may."""
        for node in self.nodes.values():
            if node.address.type == kind:
                of = node.arguments.get("role")
                if (isinstance(of, Ref) and of.address == role.address) or of == role.arguments.get("name"):
                    yield node

    def guarded(self, stack: str, node: Node) -> Guarded:
        argument, refers = POLICIES[node.address.type]
        of = node.arguments.get(refers) if refers else None
        grants = tuple(self.grants(node.arguments[argument], _words(node.address)))
        return Guarded(
            what=_words(of.address if isinstance(of, Ref) else node.address),
            address=str(node.address),
            stack=stack,
            origin=node.origin,
            grants=grants,
        )

    def ceiling(self, stack: str, node: Node) -> Ceiling:
        what = _words(node.address)
        return Ceiling(
            what=what,
            address=str(node.address),
            stack=stack,
            origin=node.origin,
            grants=tuple(self.grants(node.arguments.get("policy"), what)),
        )

    def grants(self, policy: Value, name: str) -> Iterator[Grant]:
        """The statements of a policy: a document's node, or JSON as an override or another service has it."""
        match policy:
            case Ref(address=address) if address.type == DOCUMENT and address in self.nodes:
                yield from self.of_document(self.nodes[address], name)
            case JsonText(document=document):
                yield from self.of_json(document, name)
            case str():
                try:
                    document = json.loads(policy)
                except ValueError:
                    yield self.unreadable(policy, name)
                else:
                    yield from self.of_json(document, name)
            case None:
                return
            case _:
                yield self.unreadable(policy, name)

    def unreadable(self, policy: Value, name: str) -> Grant:
        return Grant(policy=name, sid="", effect="Unreadable", resources=(self.name(policy),))

    def of_document(self, node: Node, name: str) -> Iterator[Grant]:
        for argument in ("source_policy_documents", "override_policy_documents"):
            for source in _listed(node.arguments.get(argument)):
                yield from self.grants(source, name)
        for block in _listed(node.arguments.get("statement")):
            yield Grant(
                policy=name,
                sid=block.get("sid") or "",
                effect=block.get("effect") or "Allow",
                principals=self.principals(block.get("principals")),
                not_principals=self.principals(block.get("not_principals")),
                actions=tuple(_listed(block.get("actions"))),
                not_actions=tuple(_listed(block.get("not_actions"))),
                resources=self.names(block.get("resources")),
                not_resources=self.names(block.get("not_resources")),
                conditions=tuple(
                    Condition(each["test"], each["variable"], self.names(each["values"]))
                    for each in _listed(block.get("condition"))
                ),
            )

    def principals(self, blocks: Any) -> tuple[Name, ...]:
        return tuple(name for block in _listed(blocks) for name in self.names(block["identifiers"]))

    def of_json(self, document: Any, name: str) -> Iterator[Grant]:
        """IAM's own JSON, or OpenSearch Serverless's, which is a list of rules with principals."""
        rules = [item for item in _listed(document) if isinstance(item, Mapping)]
        if any("Rules" in item for item in rules):
            for item in rules:
                yield from self.of_rules(item, name)
        elif isinstance(document, Mapping) and "Statement" in document:
            for statement in _listed(document["Statement"]):
                yield self.of_statement(statement, name)
        else:
            yield self.unreadable(JsonText(document), name)

    def of_rules(self, item: Mapping[str, Any], name: str) -> Iterator[Grant]:
        for rule in _listed(item["Rules"]):
            yield Grant(
                policy=name,
                sid=str(rule.get("ResourceType", "")),
                effect="Allow",
                principals=self.names(item.get("Principal")),
                actions=tuple(_listed(rule.get("Permission"))),
                resources=self.names(rule.get("Resource")),
            )

    def of_statement(self, statement: Mapping[str, Any], name: str) -> Grant:
        effect: Effect = "Deny" if statement.get("Effect") == "Deny" else "Allow"

        def named(key: str, read: Callable[[Any], tuple[Name, ...]] = self.names) -> tuple[Name, ...]:
            return read(statement.get(key))

        return Grant(
            policy=name,
            sid=str(statement.get("Sid", "")),
            effect=effect,
            principals=named("Principal", self.json_principals),
            not_principals=named("NotPrincipal", self.json_principals),
            actions=tuple(_listed(statement.get("Action"))),
            not_actions=tuple(_listed(statement.get("NotAction"))),
            resources=named("Resource"),
            not_resources=named("NotResource"),
            conditions=tuple(
                Condition(test, key, self.names(values))
                for test, keys in (statement.get("Condition") or {}).items()
                for key, values in keys.items()
            ),
        )

    def json_principals(self, value: Any) -> tuple[Name, ...]:
        if isinstance(value, Mapping):
            return tuple(name for kind in value.values() for name in self.names(kind))
        return self.names(value)

    def names(self, values: Any) -> tuple[Name, ...]:
        return tuple(self.name(value) for value in _listed(values))

    def name(self, value: Value) -> Name:
        full = self.text(value)
        found = _ARN.fullmatch(full)
        own = found and found[2] in ("", self.context.region) and found[3] in ("", self.context.account)
        return Name(full, f"{found[1]}:{found[4]}" if found and own else full)

    def text(self, value: Value) -> str:
        match value:
            case str():
                return value
            case Ref(address=address, attribute=attribute):
                kept = "" if attribute in IDENTITY else f".{attribute}"
                return f"<{_words(address)}{kept}>"
            case RemoteRef(stack=stack, output=output):
                return f"<{stack} {output}>"
            case Text(parts=parts):
                return "".join(self.text(part) for part in parts)
            case JsonText(document=document):
                return json.dumps(self.plain(document), sort_keys=True)
            case _:
                return json.dumps(self.plain(value))

    def plain(self, value: Value) -> Any:
        """A value with text in the place of references."""
        match value:
            case None | bool() | int() | float() | str():
                return value
            case Ref() | RemoteRef() | Text() | JsonText():
                return self.text(value)
            case Mapping():
                return {key: self.plain(item) for key, item in value.items()}
            case _:
                return [self.plain(item) for item in value]
