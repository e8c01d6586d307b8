"""Agents for Bedrock: knowledge bases, data sources, agents, prompts. May not retrieve or answer anything.

moto 5.2.5 has some of these, with times that the Go SDK can't read and without members that it needs.
"""

from __future__ import annotations

from collections.abc import Mapping

from moto.opensearchserverless.models import opensearchserverless_backends

from tests.emulator.call import Call, Refusal, Result, Service
from tests.emulator.entity import Entity, Identifier, Store, now
from tests.emulator.tags import Tags

__all__ = ["service"]

_ARN = "arn:aws:bedrock:{region}:{account}:"
_ID = Identifier("", 10, capitals=True)
_TIMES = ("createdAt", "updatedAt")

_KNOWLEDGE_BASE = Entity(
    noun="KnowledgeBase",
    key=("knowledgeBaseId",),
    arn=_ARN + "knowledge-base/{knowledgeBaseId}",
    arn_member="knowledgeBaseArn",
    listed="knowledgeBaseSummaries",
    wrapped="knowledgeBase",
    generated={"knowledgeBaseId": _ID},
    defaults={"status": "ACTIVE"},
    timestamps=_TIMES,
)

_DATA_SOURCE = Entity(
    noun="DataSource",
    key=("knowledgeBaseId", "dataSourceId"),
    arn=_ARN + "knowledge-base/{knowledgeBaseId}/data-source/{dataSourceId}",
    arn_member="dataSourceArn",
    listed="dataSourceSummaries",
    wrapped="dataSource",
    generated={"dataSourceId": _ID},
    defaults={"status": "AVAILABLE", "dataDeletionPolicy": "DELETE"},
    narrowed={"knowledgeBaseId": "knowledgeBaseId"},
    timestamps=_TIMES,
)

_AGENT = Entity(
    noun="Agent",
    key=("agentId",),
    arn=_ARN + "agent/{agentId}",
    arn_member="agentArn",
    listed="agentSummaries",
    wrapped="agent",
    generated={"agentId": _ID},
    defaults={
        "agentStatus": "NOT_PREPARED",
        "agentVersion": "DRAFT",
        "agentCollaboration": "DISABLED",
        "orchestrationType": "DEFAULT",
        "idleSessionTTLInSeconds": 600,
        # Without it the provider crashes, and with it every other resource of the apply.
        "promptOverrideConfiguration": {"promptConfigurations": []},
    },
    timestamps=_TIMES,
)

_PROMPT = Entity(
    noun="Prompt",
    key=("promptIdentifier",),
    arn=_ARN + "prompt/{promptIdentifier}",
    arn_member="arn",
    listed="promptSummaries",
    generated={"promptIdentifier": _ID},
    defaults={"version": "DRAFT"},
    renamed={"promptIdentifier": "id"},
    timestamps=_TIMES,
)


def service() -> Service:
    """Nothing to ask, and nothing to ask it about."""
    tags = Tags()
    bases, sources = Store(_KNOWLEDGE_BASE, tags), Store(_DATA_SOURCE, tags)
    agents, prompts = Store(_AGENT, tags), Store(_PROMPT, tags)

    def create_base(call: Call) -> Result:
        _check_collection(call)
        return bases.create(call)

    def create_source(call: Call) -> Result:
        bases.find(call)
        return sources.create(call)

    def prepare(call: Call) -> Result:
        agent = agents.find(call)
        agent.update(agentStatus="PREPARED", preparedAt=now())
        return agent

    return Service(
        name="bedrock-agent",
        answers={
            **tags.answers(),
            **bases.answers(),
            **sources.answers(),
            **agents.answers(),
            **prompts.answers(),
            "CreateKnowledgeBase": create_base,
            "CreateDataSource": create_source,
            "PrepareAgent": prepare,
        },
    )


def _check_collection(call: Call) -> None:
    """Refuse a knowledge base over a collection that does not exist; its index can't be looked for here."""
    storage = call.mapping("storageConfiguration").get("opensearchServerlessConfiguration")
    if not isinstance(storage, Mapping):
        return
    backend = opensearchserverless_backends[call.account][call.region]
    if str(storage["collectionArn"]) not in {collection.arn for collection in backend.collections.values()}:
        raise Refusal("ValidationException", f"there is no collection {storage['collectionArn']}")
