"""Reads Google's grants back out of a graph: service accounts and people with what they may do, and who is let in where.

Reads the finished graph, overrides included. May not add a node, nor judge what it reads. A predefined role's permissions
are Google's to change: it is shown by its name, and a custom role by its permissions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from stacks.access import Access, Condition, Grant, Guarded, Name, Role
from stacks.gcp.context import Context
from stacks.graph import Address, JsonText, Node, Ref, RemoteRef, Stack, Text, Value
from stacks.intents import HumanRole, Platform, describe
from stacks.promises import block

__all__ = ["ON", "access_of"]

ON: Mapping[str, str] = {
    "google_artifact_registry_repository_iam_member": "repository",
    "google_bigquery_dataset_iam_member": "dataset_id",
    "google_cloud_run_v2_service_iam_member": "name",
    "google_kms_crypto_key_iam_member": "crypto_key_id",
    "google_project_iam_member": "project",
    "google_pubsub_topic_iam_member": "topic",
    "google_secret_manager_secret_iam_member": "secret_id",
    "google_service_account_iam_member": "service_account_id",
    "google_storage_bucket_iam_member": "bucket",
}
"""Types that grant a role, and the argument that says on what."""

NOUNS = {
    "google_artifact_registry_repository": "repository",
    "google_bigquery_dataset": "dataset",
    "google_cloud_run_v2_service": "service",
    "google_iam_workload_identity_pool": "identity pool",
    "google_kms_crypto_key": "key",
    "google_project_iam_custom_role": "role",
    "google_project_service_identity": "service agent",
    "google_pubsub_topic": "topic",
    "google_secret_manager_secret": "secret",
    "google_service_account": "account",
    "google_storage_bucket": "bucket",
}
IDENTITY = frozenset({"email", "id", "member", "name", "repository_id", "secret_id", "dataset_id"})
"""Attributes that stand for the thing itself; others are written behind it."""

ACCOUNT = "google_service_account"
PROJECT = "google_project_iam_member"
TRUST = "google_service_account_iam_member"


def access_of(stacks: Sequence[Stack], platform: Platform) -> Access:
    """Read who may do what out of finished stacks."""
    placed = tuple((stack.name, node) for stack in stacks for node in stack.nodes)
    reader = _Reader(Context(platform), {node.address: node for _, node in placed})
    accounts = tuple(reader.account(stack, node) for stack, node in placed if node.address.type == ACCOUNT)
    people = tuple(
        role for human in reader.context.all_of(HumanRole) for role in reader.people(placed, human)
    )
    return Access(roles=(*accounts, *people), guarded=tuple(reader.guarded(placed)), ceilings=())


def _words(address: Address) -> str:
    noun = NOUNS.get(address.type) or address.type.removeprefix("google_").replace("_", " ")
    return f"{noun} {address.name}"


@dataclass(frozen=True, slots=True)
class _Reader:
    context: Context
    nodes: Mapping[Address, Node]

    def account(self, stack: str, node: Node) -> Role:
        """A service account: its trust is who acts as it, its grants what refers to it as a member."""
        return Role(
            key=node.address.name,
            name=self.text(node.arguments.get("account_id", "")),
            address=str(node.address),
            stack=stack,
            origin=node.origin,
            trust=tuple(
                self.grant(other, "trust")
                for other in self.grants()
                if other.address.type == TRUST and self.is_on(other, node)
            ),
            grants=tuple(
                replace(self.grant(other), principals=())
                for other in self.grants()
                if self.is_to(other, node)
            ),
        )

    def people(self, placed: Sequence[tuple[str, Node]], human: HumanRole) -> Iterator[Role]:
        """A group of people: its principals are its trust, and its grants are all that any of them has, by any group."""
        origin = describe(human)
        found = [
            (stack, node)
            for stack, node in placed
            if node.address.type in ON
            and (node.origin == origin or node.arguments.get("member") in human.principals)
        ]
        if not found:
            return
        members = tuple(dict.fromkeys(self.text(node.arguments.get("member")) for _, node in found))
        stack, first = found[0]
        yield Role(
            key=human.purpose,
            name=human.purpose,
            address=str(first.address),
            stack=stack,
            origin=origin,
            trust=(
                Grant(
                    policy="trust",
                    sid="",
                    effect="Allow",
                    principals=tuple(self.name(member) for member in members),
                ),
            ),
            grants=tuple(self.grant(node) for _, node in found),
        )

    def guarded(self, placed: Sequence[tuple[str, Node]]) -> Iterator[Guarded]:
        """Each thing with grants of its own, the project aside, in the order of its first grant."""
        groups: dict[str, list[tuple[str, Node]]] = {}
        for stack, node in placed:
            if node.address.type in ON and node.address.type not in (PROJECT, TRUST):
                groups.setdefault(self.text(node.arguments.get(ON[node.address.type])), []).append(
                    (stack, node)
                )
        for what, found in groups.items():
            stack, first = found[0]
            yield Guarded(
                what=what.strip("<>"),
                address=str(first.address),
                stack=stack,
                origin=first.origin,
                grants=tuple(self.grant(node) for _, node in found),
            )

    def grants(self) -> Iterator[Node]:
        """The nodes that grant something."""
        return (node for node in self.nodes.values() if node.address.type in ON)

    def is_on(self, grant: Node, thing: Node) -> bool:
        on = grant.arguments.get(ON[grant.address.type])
        return isinstance(on, Ref) and on.address == thing.address

    def is_to(self, grant: Node, account: Node) -> bool:
        """Whether a grant's member refers to an account, or names it as an override may."""
        member = grant.arguments.get("member")
        if isinstance(member, Ref):
            return member.address == account.address
        email = f"{account.arguments.get('account_id')}@{self.context.project}.iam.gserviceaccount.com"
        return member == f"serviceAccount:{email}"

    def grant(self, node: Node, policy: str = "") -> Grant:
        """One grant as a statement: what a custom role holds, or a predefined role's name."""
        role = node.arguments.get("role")
        own = self.nodes.get(role.address) if isinstance(role, Ref) else None
        permissions = own.arguments.get("permissions") if own else None
        listed = (
            permissions if isinstance(permissions, Sequence) and not isinstance(permissions, str) else None
        )
        return Grant(
            policy=policy or (_words(own.address) if own else self.text(role)),
            sid=node.address.name,
            effect="Allow",
            principals=(self.name(node.arguments.get("member")),),
            actions=tuple(self.text(each) for each in listed) if listed else (self.text(role),),
            resources=(self.name(node.arguments.get(ON[node.address.type])),),
            conditions=tuple(self.conditions(node.arguments.get("condition"))),
        )

    def conditions(self, value: Value) -> Iterator[Condition]:
        """IAM's conditions are expressions: one is shown as it is written, under its title."""
        condition = block(value)
        if condition:
            expression = self.name(condition.get("expression"))
            yield Condition(self.text(condition.get("title", "")), "condition", (expression,))

    def name(self, value: Value) -> Name:
        full = self.text(value)
        return Name(full, full.removesuffix(f"@{self.context.project}.iam.gserviceaccount.com"))

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
                return self.text(document)
            case _:
                return "" if value is None else str(value)
