"""Knowledge bases over Azure AI Search: one private service, which reads documents and asks for vectors as itself.

An index and what fills it are data of the service, which Terraform has no resource for: the operations make them, from
what the stack says of each base. May not read a document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stacks.adapter import Skipped
from stacks.azure.context import Account, Surroundings, Workplace
from stacks.azure.locks import add_lock
from stacks.azure.logs import Told, add_diagnostics
from stacks.azure.outbound import add_private_rule
from stacks.azure.private import Endpoint, add_private_endpoint
from stacks.azure.roles import Assignment, assign, assign_people
from stacks.graph import Lifecycle, Node, StackBuilder, Value
from stacks.intents import HumanRole, KnowledgeBase, describe

__all__ = ["add_knowledge_bases"]

READERS = ("training", "serving", "workspace")
WRITERS = ("pipelines",)
PEOPLE = {"admins": "search-index-contributor", "scientists": "search-index-reader"}
APPROVE = (
    "Approve the connections of the search service at the storage account and the models' account: "
    "az network private-endpoint-connection approve."
)


def add_knowledge_bases(
    stack: StackBuilder,
    around: Surroundings,
    workplace: Workplace | None,
    account: Node,
    deployments: Mapping[str, Node],
    rules: Sequence[Node],
) -> Sequence[Skipped]:
    """Make the service and what it may reach; return what is left to do for each knowledge base."""
    bases = tuple(around.context.all_of(KnowledgeBase))
    if not bases:
        return ()
    origin = describe(bases[0])
    service = _service(stack, around, origin, standby=any(base.standby for base in bases))
    _reach(stack, around, workplace, service, rules, origin)
    _links(stack, around, service, account, origin)
    _access(stack, around, service, account, bases)
    stack.export("search_endpoint", service.ref("endpoint"))
    stack.export(
        "knowledge_bases",
        {
            base.name: {
                **({"index": base.index} if base.index else {}),
                "account": around.stores.by_name[base.bucket].account,
                "container": around.stores.by_name[base.bucket].container,
                "prefix": base.prefix,
                "embedding": deployments[base.embedding_model].ref("name"),
                "dimensions": base.dimensions,
            }
            for base in bases
        },
    )
    return tuple(_left(base) for base in bases)


def _left(base: KnowledgeBase) -> Skipped:
    if base.index is None:
        return Skipped(
            intent=describe(base),
            reason="it has no index to search yet",
            remedy=f"Make one, with vectors of {base.dimensions} numbers, and set llm.knowledge_bases.{base.name}.index.",
        )
    return Skipped(
        intent=describe(base),
        reason=f"the index {base.index} is filled by an indexer, which is not Terraform's",
        remedy=APPROVE,
    )


def _service(stack: StackBuilder, around: Surroundings, origin: str, *, standby: bool) -> Node:
    context = around.context
    service = stack.resource(
        "azurerm_search_service",
        "knowledge",
        {
            "name": context.unique_name("search", "kb"),
            "location": context.region,
            "resource_group_name": around.base.resource_group,
            "sku": "standard",
            "partition_count": 1,
            # Replicas are put into different zones, where the location has some.
            "replica_count": 2 if standby else 1,
            "local_authentication_enabled": False,
            "public_network_access_enabled": False,
            "network_rule_bypass_option": "AzureServices",
            "customer_managed_key_enforcement_enabled": context.own_keys,
            "semantic_search_sku": "standard",
            "identity": {"type": "SystemAssigned"},
            "tags": context.tags,
        },
        origin=origin,
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds="the indexes of the knowledge bases",
    )
    add_lock(stack, context, service)
    told = Told(name="knowledge", target=service.ref("id"), origin=origin, categories=("OperationLogs",))
    add_diagnostics(stack, context, around.base, told)
    return service


def _reach(
    stack: StackBuilder,
    around: Surroundings,
    workplace: Workplace | None,
    service: Node,
    rules: Sequence[Node],
    origin: str,
) -> None:
    endpoint = Endpoint(
        name="knowledge",
        target=service.ref("id"),
        subresource="searchService",
        origin=origin,
        zones=("search",),
    )
    add_private_endpoint(stack, around.context, around.base, around.network, endpoint)
    if workplace is not None:
        add_private_rule(stack, around.context, workplace, endpoint, after=rules)


def _links(stack: StackBuilder, around: Surroundings, service: Node, account: Node, origin: str) -> None:
    """The service's own way to documents and models; the owner of each approves it, since Azure asks them."""
    after: list[Node] = []
    for name, target, part in (
        ("documents", around.stores.data_id, "blob"),
        ("vectors", account.ref("id"), "openai_account"),
    ):
        after.append(
            stack.resource(
                "azurerm_search_shared_private_link_service",
                name,
                {
                    "name": name,
                    "search_service_id": service.ref("id"),
                    "subresource_name": part,
                    "target_resource_id": target,
                    "request_message": f"Knowledge bases of {around.context.prefix}",
                },
                origin=origin,
                depends_on=after[-1:],
            )
        )


def _access(
    stack: StackBuilder, around: Surroundings, service: Node, account: Node, bases: Sequence[KnowledgeBase]
) -> None:
    context, origin = around.context, describe(bases[0])
    itself = Account(
        id=service.ref("id"),
        principal_id=service.ref("identity[0].principal_id"),
        client_id=None,
    )
    buckets = dict.fromkeys(base.bucket for base in bases)
    reads: list[tuple[str, Value, str]] = [
        ("openai-user", account.ref("id"), "models"),
        *(("blob-reader", around.stores.by_name[bucket].id, bucket) for bucket in buckets),
    ]
    for role, scope, what in reads:
        assign(
            stack, context, itself, Assignment(role=role, who="search", on=scope, what=what, origin=origin)
        )
    users = [(purpose, "search-index-reader") for purpose in READERS]
    users += [(purpose, "search-index-contributor") for purpose in WRITERS]
    for purpose, role in users:
        if purpose in around.roles:
            wanted = Assignment(role=role, who=purpose, on=service.ref("id"), what="search", origin=origin)
            assign(stack, context, around.roles[purpose], wanted)
    for human in context.all_of(HumanRole):
        if human.purpose in PEOPLE:
            assign_people(
                stack,
                context,
                human.principals,
                Assignment(
                    role=PEOPLE[human.purpose],
                    who=human.purpose,
                    on=service.ref("id"),
                    what="search",
                    origin=describe(human),
                ),
            )
