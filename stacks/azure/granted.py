"""Reads who may do what back out of an Azure graph: identities, whom they trust, and the roles that are assigned to them.

Reads the finished graph, overrides included. What a role allows is Azure's to say, so a built-in one stands by its name.
May not add a node, nor judge what it reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stacks.access import Access, Condition, Grant, Name, Role
from stacks.azure.context import Context
from stacks.azure.roles import built_ins, guid_of
from stacks.graph import Address, JsonText, Node, Ref, RemoteRef, Stack, Text, Value
from stacks.intents import Platform

__all__ = ["access_of"]

IDENTITY = "azurerm_user_assigned_identity"
ASSIGNMENT = "azurerm_role_assignment"
DEFINITION = "azurerm_role_definition"
CREDENTIAL = "azurerm_federated_identity_credential"
DEPLOYER = "whoever applied the stack first"
NOUNS = {
    "azurerm_application_insights": "insights",
    "azurerm_cognitive_account": "models",
    "azurerm_container_registry": "registry",
    "azurerm_container_registry_task": "registry task",
    "azurerm_key_vault": "vault",
    "azurerm_log_analytics_workspace": "logs",
    "azurerm_machine_learning_workspace": "workspace",
    "azurerm_resource_group": "resource group",
    "azurerm_role_definition": "role",
    "azurerm_search_service": "search service",
    "azurerm_storage_account": "storage account",
    "azurerm_storage_container": "bucket",
    "azurerm_user_assigned_identity": "identity",
}
ITSELF = frozenset({"id", "name", "principal_id", "identity[0].principal_id", "role_definition_resource_id"})
"""Attributes that stand for the thing itself; others are written behind it."""


def access_of(stacks: Sequence[Stack], platform: Platform) -> Access:
    """Read who may do what out of finished stacks."""
    reader = _Reader(Context(platform), {node.address: node for stack in stacks for node in stack.nodes})
    placed = [(stack.name, node) for stack in stacks for node in stack.nodes]
    holders = {address for _, node in placed if (address := _holder(node)) is not None}
    accounts = tuple(
        reader.account(stack, node)
        for stack, node in placed
        if node.address.type == IDENTITY or node.address in holders
    )
    return Access(roles=(*accounts, *reader.people(placed)), guarded=(), ceilings=())


def _holder(node: Node) -> Address | None:
    """The resource whose identity a role is assigned to; ``None`` when it is a person's or a group's, or no assignment."""
    principal = node.arguments.get("principal_id") if node.address.type == ASSIGNMENT else None
    return principal.address if isinstance(principal, Ref) else None


def _words(address: Address) -> str:
    noun = NOUNS.get(address.type) or address.type.removeprefix("azurerm_").replace("_", " ")
    return f"{noun} {address.name}"


def _listed(value: Any) -> Sequence[Any]:
    """A list as it is; a single block as a list of one."""
    if value is None:
        return ()
    return [value] if isinstance(value, str | Mapping) else value


@dataclass(frozen=True, slots=True)
class _Reader:
    context: Context
    nodes: Mapping[Address, Node]

    def of_type(self, kind: str) -> Iterator[Node]:
        return (node for node in self.nodes.values() if node.address.type == kind)

    def account(self, stack: str, node: Node) -> Role:
        """An identity of the platform, or that of a resource."""
        return Role(
            key=node.address.name,
            name=DEPLOYER if node.address.mode == "data" else self.text(node.arguments.get("name", "")),
            address=str(node.address),
            stack=stack,
            origin=node.origin,
            trust=tuple(self.trust(node)),
            grants=tuple(
                self.grant(other) for other in self.of_type(ASSIGNMENT) if _holder(other) == node.address
            ),
        )

    def trust(self, identity: Node) -> Iterator[Grant]:
        """Whose tokens are taken for the identity's; what runs as it in Azure is said where that is made."""
        for node in self.of_type(CREDENTIAL):
            of = node.arguments.get("user_assigned_identity_id")
            if isinstance(of, Ref) and of.address == identity.address:
                subject = self.text(node.arguments.get("subject"))
                audience = tuple(self.name(value) for value in _listed(node.arguments.get("audience")))
                yield Grant(
                    policy="federated credential",
                    sid=node.address.name,
                    effect="Allow",
                    principals=(self.name(node.arguments.get("issuer")),),
                    conditions=(
                        Condition("StringEquals", "sub", (Name(subject, subject),)),
                        Condition("StringEquals", "aud", audience),
                    ),
                )

    def people(self, placed: Sequence[tuple[str, Node]]) -> Iterator[Role]:
        """Groups and people by the intent that their assignments serve: all of a group's have the same roles."""
        by_origin: dict[str, list[tuple[str, Node]]] = {}
        for stack, node in placed:
            if node.address.type == ASSIGNMENT and _holder(node) is None:
                by_origin.setdefault(node.origin, []).append((stack, node))
        for origin, found in by_origin.items():
            stack, first = found[0]
            principals = dict.fromkeys(self.text(node.arguments.get("principal_id")) for _, node in found)
            who = Grant(
                policy="object ids",
                sid="",
                effect="Allow",
                principals=tuple(Name(principal, principal) for principal in principals),
            )
            yield Role(
                key=origin.rpartition(" ")[2],
                name=origin,
                address=str(first.address),
                stack=stack,
                origin=origin,
                trust=(who,),
                grants=tuple(dict.fromkeys(self.grant(node, sid="") for _, node in found)),
            )

    def grant(self, node: Node, *, sid: str | None = None) -> Grant:
        """A role on a scope."""
        name, actions = self.role(node)
        condition = node.arguments.get("condition")
        return Grant(
            policy=name,
            sid=node.address.name if sid is None else sid,
            effect="Allow",
            actions=actions,
            resources=(self.name(node.arguments.get("scope")),),
            conditions=(self.condition(condition),) if condition else (),
        )

    def condition(self, value: Value) -> Condition:
        """A condition in Azure's language; for people the roles in it stand by their names."""
        full = short = self.text(value)
        for role in built_ins().values():
            short = short.replace(role.id, role.name)
        return Condition("condition", "", (Name(full, short),))

    def role(self, node: Node) -> tuple[str, tuple[str, ...]]:
        """A role's name, and the actions of one that the platform defines itself."""
        definition = node.arguments.get("role_definition_id")
        match definition:
            case Ref(address=address) if address.type == DEFINITION and address in self.nodes:
                own = self.nodes[address]
                blocks = _listed(own.arguments.get("permissions"))
                kinds = ("actions", "data_actions")
                actions = (
                    action for block in blocks for kind in kinds for action in _listed(block.get(kind))
                )
                return self.text(own.arguments.get("name")), tuple(actions)
            case str():
                guid = guid_of(definition)
                name = next((role.name for role in built_ins().values() if role.id == guid), guid)
                return name, (name,)
            case _:
                name = self.text(node.arguments.get("role_definition_name"))
                return name, (name,)

    def name(self, value: Value) -> Name:
        full = self.text(value)
        group = f"{self.context.subscription_id}/"
        return Name(full, full.removeprefix(group) if full.startswith(group) else full)

    def text(self, value: Value) -> str:
        match value:
            case str():
                return value
            case Ref(address=address, attribute=attribute):
                kept = "" if attribute in ITSELF else f".{attribute}"
                return f"<{_words(address)}{kept}>"
            case RemoteRef(stack=stack, output=output):
                return f"<{stack} {output}>"
            case Text(parts=parts):
                return "".join(self.text(part) for part in parts)
            case JsonText(document=document):
                return self.text(document)
            case None | bool() | int() | float():
                return json.dumps(value)
            case Mapping():
                return ", ".join(f"{key}: {self.text(item)}" for key, item in value.items())
            case _:
                return ", ".join(self.text(item) for item in value)
