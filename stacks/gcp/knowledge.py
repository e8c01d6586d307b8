"""Knowledge bases on Vertex AI Vector Search: an index of vectors for each, and where it is asked.

Nothing of Google's fills an index from a bucket by itself: a pipeline embeds the documents and writes the vectors. May
not make a bucket or an account.
"""

from __future__ import annotations

from collections.abc import Sequence

from stacks.adapter import Skipped
from stacks.gcp.attached import add_address, allowed
from stacks.gcp.context import Context, Keys, Network
from stacks.gcp.names import label
from stacks.graph import Node, StackBuilder, Value
from stacks.intents import KnowledgeBase, describe

__all__ = ["add_knowledge_bases"]

MACHINE = "e2-standard-2"
"""The smallest machine that carries the smallest shard (Vertex AI Vector Search, deploy an index, November 2026)."""

NEIGHBORS = 150
MOST_REPLICAS = 2
DEPLOYS_WITHIN = "120m"


def add_knowledge_bases(
    stack: StackBuilder, context: Context, keys: Keys, network: Network
) -> Sequence[Skipped]:
    """Make an index for each, and deploy those that are named; say which is not there to be asked yet."""
    waiting: list[Skipped] = []
    addresses: dict[str, Value] = {}
    for intent in context.all_of(KnowledgeBase):
        index = _index(stack, context, keys, intent)
        if intent.index is None:
            waiting.append(_unnamed(intent))
            continue
        addresses[intent.name] = _deployed(stack, context, keys, network, index, intent, intent.index)
    if addresses:
        stack.export("knowledge_base_addresses", addresses)
    return waiting


def _unnamed(intent: KnowledgeBase) -> Skipped:
    return Skipped(
        intent=describe(intent),
        reason="its index is made, and empty: machines that answer from it would cost for nothing",
        remedy=(
            f"Write the documents' vectors into it, and set llm.knowledge_bases.{intent.name}.index to a name for it."
        ),
    )


def _encryption(keys: Keys) -> Value:
    return {"kms_key_name": keys.data} if keys.data is not None else None


def _index(stack: StackBuilder, context: Context, keys: Keys, intent: KnowledgeBase) -> Node:
    """Empty at first; vectors are written to it one by one, and are there at once."""
    return stack.resource(
        "google_vertex_ai_index",
        intent.name,
        {
            "display_name": context.name("display", intent.name),
            "description": f"Vectors of {intent.bucket}/{intent.prefix}, by {intent.embedding_model}",
            "region": context.region,
            "index_update_method": "STREAM_UPDATE",
            "encryption_spec": _encryption(keys),
            "metadata": {
                "config": {
                    "dimensions": intent.dimensions,
                    "approximate_neighbors_count": NEIGHBORS,
                    "distance_measure_type": "COSINE_DISTANCE",
                    "feature_norm_type": "NONE",
                    "shard_size": "SHARD_SIZE_SMALL",
                    "algorithm_config": {
                        "tree_ah_config": {
                            "leaf_node_embedding_count": 1000,
                            "leaf_nodes_to_search_percent": 10,
                        }
                    },
                }
            },
            # Whoever fills the index reads from here what it is made of.
            "labels": {
                "bucket": label(intent.bucket),
                "embedding-model": label(intent.embedding_model),
            },
            "deletion_policy": context.deletion_policy,
        },
        origin=describe(intent),
        lifecycle=context.keep,
        holds="the documents' vectors",
    )


def _deployed(
    stack: StackBuilder,
    context: Context,
    keys: Keys,
    network: Network,
    index: Node,
    intent: KnowledgeBase,
    name: str,
) -> Value:
    """The index on machines of its own, with an address in the subnet; return that."""
    endpoint = stack.resource(
        "google_vertex_ai_index_endpoint",
        intent.name,
        {
            "display_name": context.name("display", intent.name),
            "description": f"Answers from {intent.name}",
            "region": context.region,
            "public_endpoint_enabled": False,
            "private_service_connect_config": allowed(context),
            "encryption_spec": _encryption(keys),
        },
        origin=describe(intent),
    )
    fewest = MOST_REPLICAS if intent.standby else 1
    deployed = stack.resource(
        "google_vertex_ai_index_endpoint_deployed_index",
        intent.name,
        {
            "deployed_index_id": context.name("deployed-index", intent.name, name),
            "display_name": name,
            "region": context.region,
            "index": index.ref("id"),
            "index_endpoint": endpoint.ref("id"),
            "enable_access_logging": True,
            "dedicated_resources": {
                "machine_spec": {"machine_type": MACHINE},
                "min_replica_count": fewest,
                "max_replica_count": MOST_REPLICAS,
            },
            "timeouts": {"create": DEPLOYS_WITHIN, "update": DEPLOYS_WITHIN, "delete": DEPLOYS_WITHIN},
        },
        origin=describe(intent),
    )
    attachment = deployed.ref("private_endpoints[0].service_attachment")
    address = add_address(stack, context, network, f"kb-{intent.name}", attachment, describe(intent))
    return address.ref("address")
