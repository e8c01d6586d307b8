"""The llm stack: guardrails, the log of model invocations, and knowledge bases on Bedrock.

May not give a workload or a person anything: that is ``llm_roles``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stacks.adapter import Skipped
from stacks.aws.context import Context, Keys, Network, Stores
from stacks.aws.guardrails import add_guardrail
from stacks.aws.invocations import add_invocation_log
from stacks.aws.knowledge import add_knowledge_bases
from stacks.graph import StackBuilder, Value
from stacks.intents import Guardrail, InvocationLogging, describe

__all__ = ["lower"]


def lower(
    context: Context, keys: Keys, network: Network, stores: Stores, roles: Mapping[str, Value]
) -> tuple[StackBuilder, Sequence[Skipped]]:
    """Make what the platform asks for; the stack is empty when it asks for nothing. Return also what is planned."""
    stack = StackBuilder("llm")
    skipped = [*_log(stack, context, keys, stores)]
    guardrails = {
        intent.name: add_guardrail(stack, context, keys, intent) for intent in context.all_of(Guardrail)
    }
    if guardrails:
        stack.export(
            "guardrail_ids", {name: made.ref("guardrail_id") for name, (made, _) in guardrails.items()}
        )
        stack.export(
            "guardrail_versions", {name: version.ref("version") for name, (_, version) in guardrails.items()}
        )
    return stack, [*skipped, *add_knowledge_bases(stack, context, keys, network, stores, roles)]


def _log(stack: StackBuilder, context: Context, keys: Keys, stores: Stores) -> Sequence[Skipped]:
    intent = context.one_of(InvocationLogging)
    if intent is None:
        return ()
    if intent.retention_days is None:
        reason = "an environment that the spec lists earlier logs them: Bedrock has one log for an account in a region"
        return (Skipped(intent=describe(intent), reason=reason),)
    add_invocation_log(stack, context, keys, stores, intent, intent.retention_days)
    return ()
