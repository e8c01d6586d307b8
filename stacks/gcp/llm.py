"""The llm stack: guardrails and the indexes of knowledge bases. Models themselves are Google's: there is nothing to make.

May not give a workload or a person anything: that is ``workloads`` and ``people``.
"""

from __future__ import annotations

from collections.abc import Sequence

from stacks.adapter import Skipped
from stacks.gcp.context import Context, Keys, Network
from stacks.gcp.guardrails import add_guardrail, unfiltered
from stacks.gcp.knowledge import add_knowledge_bases
from stacks.graph import StackBuilder
from stacks.intents import Guardrail, InvocationLogging

__all__ = ["lower"]


def lower(context: Context, keys: Keys, network: Network) -> tuple[StackBuilder, Sequence[Skipped]]:
    """Make what the platform asks for; the stack is empty when it asks for nothing. Return also what is planned."""
    stack = StackBuilder("llm")
    logged = context.one_of(InvocationLogging) is not None
    guardrails = {
        intent.name: add_guardrail(stack, context, intent, logged=logged)
        for intent in context.all_of(Guardrail)
    }
    if guardrails:
        stack.export("guardrail_templates", {name: made.ref("name") for name, made in guardrails.items()})
    missing = [skipped for intent in context.all_of(Guardrail) for skipped in unfiltered(intent)]
    return stack, [*missing, *add_knowledge_bases(stack, context, keys, network)]
