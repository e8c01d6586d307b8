"""Bedrock knowledge bases over OpenSearch Serverless: a collection each, closed to the public, and its documents in S3.

Terraform's provider has no resource for a collection's index, so a knowledge base is made once its index is named. May
not know who searches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stacks.adapter import Skipped
from stacks.aws.context import Context, Keys, Network, Stores
from stacks.aws.policy import Condition, Statement, service_trust
from stacks.aws.roles import Role, add_role, policies_of
from stacks.graph import JsonText, Lifecycle, Node, StackBuilder, Value, text
from stacks.intents import KnowledgeBase, PrivateNetwork, describe
from stacks.record import record

__all__ = ["DIMENSIONS", "INDEX_KEEPERS", "ROLE", "add_knowledge_bases", "knowledge_role"]

BEDROCK = "bedrock.amazonaws.com"
ROLE = "knowledge"
SECURITY_GROUP = "vectors"
VECTOR, TEXT, METADATA = "vector", "text", "metadata"

INDEX_KEEPERS = ("admins", "ci-deploy")
"""The roles that may make the index, where the platform has them."""

DIMENSIONS: Mapping[str, tuple[int, ...]] = {
    "amazon.titan-embed-text-v1": (1536,),
    "amazon.titan-embed-text-v2:0": (1024, 512, 256),
    "cohere.embed-english-v3": (1024,),
    "cohere.embed-multilingual-v3": (1024,),
}
"""The vector sizes of embedding models for knowledge bases (Bedrock User Guide, supported models, November 2026).

A model that is not here is not doubted. Only models with several sizes are told which.
"""


@record
class _Around:
    """What every knowledge base of a platform is made with."""

    context: Context
    keys: Keys
    stores: Stores
    roles: Mapping[str, Value]
    endpoint: Node


def knowledge_role(name: str) -> str:
    """The address and the last part of the name of a knowledge base's role."""
    return f"{ROLE}-{name}"


def add_knowledge_bases(
    stack: StackBuilder,
    context: Context,
    keys: Keys,
    network: Network,
    stores: Stores,
    roles: Mapping[str, Value],
) -> Sequence[Skipped]:
    """Add what the platform asks for; return the knowledge bases that wait for their index."""
    intents = tuple(context.all_of(KnowledgeBase))
    if not intents:
        return ()
    endpoint = _endpoint(stack, context, network, describe(intents[0]))
    around = _Around(context=context, keys=keys, stores=stores, roles=roles, endpoint=endpoint)
    made: dict[str, Value] = {}
    collections: dict[str, Value] = {}
    waiting: list[Skipped] = []
    for intent in intents:
        role = _role(stack, around, intent)
        collection, access = _collection(stack, around, intent, role)
        collections[intent.name] = collection.ref("collection_endpoint")
        if intent.index is None:
            waiting.append(_planned(around, intent))
            continue
        base = _base(stack, around, intent, intent.index, role, collection, access)
        made[intent.name] = base.ref("id")
    stack.export("collection_endpoints", collections)
    if made:
        stack.export("knowledge_base_ids", made)
    return waiting


def _endpoint(stack: StackBuilder, context: Context, network: Network, origin: str) -> Node:
    """The one endpoint by which the network's workloads reach every collection."""
    group = stack.resource(
        "aws_security_group",
        SECURITY_GROUP,
        {
            "name": context.name("security-group", SECURITY_GROUP),
            "description": "TLS to the collections of vectors",
            "vpc_id": network.network_id,
            "revoke_rules_on_delete": True,
            "tags": {"Name": f"{context.prefix}-{SECURITY_GROUP}"},
        },
        origin=origin,
    )
    for number, workloads in enumerate(network.security_group_ids):
        name = f"{SECURITY_GROUP}-{number}" if number else SECURITY_GROUP
        _tls_rule(stack, "ingress", name, group.ref("id"), workloads, "TLS from workloads", origin)
        if context.one_of(PrivateNetwork):
            says = "TLS to the collections of vectors"
            _tls_rule(stack, "egress", name, workloads, group.ref("id"), says, origin)
    return stack.resource(
        "aws_opensearchserverless_vpc_endpoint",
        "main",
        {
            "name": context.name("collection", "vectors"),
            "vpc_id": network.network_id,
            "subnet_ids": list(network.subnet_ids),
            "security_group_ids": [group.ref("id")],
        },
        origin=origin,
    )


def _tls_rule(
    stack: StackBuilder, direction: str, name: str, group: Value, other: Value, says: str, origin: str
) -> None:
    """A group that was there already keeps the rules that its owner gave it."""
    stack.resource(
        f"aws_vpc_security_group_{direction}_rule",
        name,
        {
            "security_group_id": group,
            "description": says,
            "ip_protocol": "tcp",
            "from_port": 443,
            "to_port": 443,
            "referenced_security_group_id": other,
        },
        origin=origin,
    )


def _role(stack: StackBuilder, around: _Around, intent: KnowledgeBase) -> Node:
    """Bedrock's role: reads the documents, embeds them. What it may do with the collection follows, with its ARN."""
    context = around.context
    bucket = around.stores.arn(intent.bucket)
    key = around.keys.data
    allows = [
        Statement(
            sid="Embed",
            actions=("bedrock:InvokeModel",),
            resources=(
                f"arn:{context.partition}:bedrock:{context.region}::foundation-model/{intent.embedding_model}",
            ),
        ),
        Statement(
            sid="ListDocuments",
            actions=("s3:ListBucket",),
            resources=(bucket,),
            conditions=(
                Condition("StringEquals", "aws:ResourceAccount", (context.account,)),
                Condition("StringLike", "s3:prefix", (f"{intent.prefix}/*",)),
            ),
        ),
        Statement(
            sid="ReadDocuments",
            actions=("s3:GetObject",),
            resources=(text(bucket, f"/{intent.prefix}/*"),),
            conditions=(Condition("StringEquals", "aws:ResourceAccount", (context.account,)),),
        ),
    ]
    if key is not None:
        allows.append(
            Statement(
                sid="UseKey",
                actions=("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"),
                resources=(key,),
            )
        )
    allows.append(
        Statement(
            sid="ReachVectors",
            actions=("aoss:APIAccessAll",),
            resources=(context.arn("aoss", "collection/*"),),
            conditions=(Condition("StringEquals", "aoss:collection", (context.collection(intent.name),)),),
        )
    )
    return add_role(
        stack,
        context,
        around.keys,
        Role(
            name=knowledge_role(intent.name),
            description=f"Bedrock reads and searches knowledge base {intent.name}",
            trust=[
                service_trust(BEDROCK, context.account, source_arn=context.arn("bedrock", "knowledge-base/*"))
            ],
            allows=allows,
        ),
        origin=describe(intent),
    )


def _collection(stack: StackBuilder, around: _Around, intent: KnowledgeBase, role: Node) -> tuple[Node, Node]:
    """A collection of vectors, after the policy with its key; return also the policy of who may use its data."""
    context = around.context
    origin = describe(intent)
    name = context.collection(intent.name)
    collection = {"ResourceType": "collection", "Resource": [f"collection/{name}"]}
    key = around.keys.data
    owner: dict[str, Value] = {"AWSOwnedKey": True} if key is None else {"AWSOwnedKey": False, "KmsARN": key}
    encryption = stack.resource(
        "aws_opensearchserverless_security_policy",
        f"{intent.name}-encryption",
        {"name": name, "type": "encryption", "policy": JsonText({"Rules": [collection], **owner})},
        origin=origin,
    )
    network = stack.resource(
        "aws_opensearchserverless_security_policy",
        f"{intent.name}-network",
        {
            "name": name,
            "type": "network",
            "policy": JsonText(
                [
                    {
                        "Description": "From the network and from Bedrock, never from the internet",
                        "Rules": [collection],
                        "AllowFromPublic": False,
                        "SourceVPCEs": [around.endpoint.ref("id")],
                        "SourceServices": [BEDROCK],
                    }
                ]
            ),
        },
        origin=origin,
    )
    access = stack.resource(
        "aws_opensearchserverless_access_policy",
        intent.name,
        {"name": name, "type": "data", "policy": JsonText(_data_access(around, name, role))},
        origin=origin,
    )
    vectors = stack.resource(
        "aws_opensearchserverless_collection",
        intent.name,
        {
            "name": name,
            "type": "VECTORSEARCH",
            "description": f"Vectors of {intent.name}: {intent.dimensions} dimensions",
            "standby_replicas": "ENABLED" if intent.standby else "DISABLED",
        },
        origin=origin,
        depends_on=[encryption, network],
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds="its index, and every vector in it",
    )
    return vectors, access


def _data_access(around: _Around, name: str, role: Node) -> Value:
    """Bedrock reads and writes documents; those who keep the platform make and drop the index, and read nothing."""
    keepers = [around.roles[keeper] for keeper in INDEX_KEEPERS if keeper in around.roles]
    everyone: list[tuple[str, list[Value], tuple[str, ...]]] = [
        (
            "Bedrock",
            [role.ref("arn")],
            ("aoss:DescribeIndex", "aoss:ReadDocument", "aoss:UpdateIndex", "aoss:WriteDocument"),
        )
    ]
    if keepers:
        everyone.append(
            (
                "Keepers of the index",
                keepers,
                ("aoss:CreateIndex", "aoss:DeleteIndex", "aoss:DescribeIndex", "aoss:UpdateIndex"),
            )
        )
    return [
        {
            "Description": who,
            "Rules": [
                {
                    "ResourceType": "collection",
                    "Resource": [f"collection/{name}"],
                    "Permission": ["aoss:DescribeCollectionItems"],
                },
                {
                    "ResourceType": "index",
                    "Resource": [f"index/{name}/*"],
                    "Permission": list(permissions),
                },
            ],
            "Principal": principals,
        }
        for who, principals, permissions in everyone
    ]


def _base(
    stack: StackBuilder,
    around: _Around,
    intent: KnowledgeBase,
    index: str,
    role: Node,
    collection: Node,
    access: Node,
) -> Node:
    """The knowledge base and its source. Bedrock looks at the index when it makes one: the role must reach it by then."""
    context = around.context
    base = stack.resource(
        "aws_bedrockagent_knowledge_base",
        intent.name,
        {
            "name": context.name("knowledge-base", intent.name),
            "description": f"Documents below {intent.prefix}/ of the {intent.bucket} bucket",
            "role_arn": role.ref("arn"),
            "knowledge_base_configuration": {
                "type": "VECTOR",
                "vector_knowledge_base_configuration": _embedding(context, intent),
            },
            "storage_configuration": {
                "type": "OPENSEARCH_SERVERLESS",
                "opensearch_serverless_configuration": {
                    "collection_arn": collection.ref("arn"),
                    "vector_index_name": index,
                    "field_mapping": {
                        "vector_field": VECTOR,
                        "text_field": TEXT,
                        "metadata_field": METADATA,
                    },
                },
            },
        },
        origin=describe(intent),
        depends_on=[access, *policies_of(stack, role)],
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds="its id, which applications ask by, and what it knows of its documents",
    )
    key = around.keys.data
    stack.resource(
        "aws_bedrockagent_data_source",
        intent.name,
        {
            "name": context.name("knowledge-base", intent.name),
            "knowledge_base_id": base.ref("id"),
            "data_deletion_policy": "RETAIN" if context.protected else "DELETE",
            "data_source_configuration": {
                "type": "S3",
                "s3_configuration": {
                    "bucket_arn": around.stores.arn(intent.bucket),
                    "inclusion_prefixes": [f"{intent.prefix}/"],
                },
            },
            "server_side_encryption_configuration": None if key is None else {"kms_key_arn": key},
        },
        origin=describe(intent),
    )
    return base


def _embedding(context: Context, intent: KnowledgeBase) -> dict[str, Value]:
    model = f"arn:{context.partition}:bedrock:{context.region}::foundation-model/{intent.embedding_model}"
    found: dict[str, Value] = {"embedding_model_arn": model}
    if len(DIMENSIONS.get(intent.embedding_model, ())) > 1:
        found["embedding_model_configuration"] = {
            "bedrock_embedding_model_configuration": {
                "dimensions": intent.dimensions,
                "embedding_data_type": "FLOAT32",
            }
        }
    return found


def _planned(around: _Around, intent: KnowledgeBase) -> Skipped:
    """Say how to make the index, in a request that can be sent."""
    keepers = [keeper for keeper in INDEX_KEEPERS if keeper in around.roles]
    who = (
        f"as role {' or '.join(around.context.name('role', keeper) for keeper in keepers)}"
        if keepers
        else "as a role of identity.groups.admins, which names nobody yet"
    )
    return Skipped(
        intent=describe(intent),
        reason="its index is not named: the collection, its policies and its role are made, the knowledge base is not",
        remedy=(
            f"Deploy, then from inside the network, {who}, make an index in the collection (output collection_endpoints "
            f"of stack {around.context.stack('llm')}): vector field {VECTOR} with {intent.dimensions} dimensions and "
            f"engine faiss, text field {TEXT}, metadata field {METADATA}. Then set "
            f"llm.knowledge_bases.{intent.name}.index to its name."
        ),
    )
