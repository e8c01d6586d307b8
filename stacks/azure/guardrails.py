"""Guardrails as content filters: a policy with lists of words and patterns that are refused.

Through azapi, since azurerm's policy takes no list. May not say which model a filter is around.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256

from stacks.azure.context import Context
from stacks.graph import Node, StackBuilder, Value
from stacks.intents import Guardrail, describe

__all__ = ["add_guardrails"]

API = "2025-09-01"
"""The version of Microsoft.CognitiveServices that the bodies are of; in azapi from 2.9 on."""

HARMS = ("Hate", "Sexual", "Violence", "Selfharm")
ATTACKS = ("Jailbreak", "Indirect Attack")
PROTECTED = ("Protected Material Text", "Protected Material Code")
SIDES = ("Prompt", "Completion")
THRESHOLDS = {"high": "Low", "medium": "Medium", "low": "High"}
"""The strictest filter is that with the lowest threshold (Microsoft Learn, content filter severity, November 2026)."""


def add_guardrails(stack: StackBuilder, context: Context, account: Node) -> Mapping[str, Node]:
    """Add what the platform asks for, by name."""
    return {intent.name: _policy(stack, account, intent) for intent in context.all_of(Guardrail)}


def _policy(stack: StackBuilder, account: Node, intent: Guardrail) -> Node:
    entries = [*_entries(intent)]
    words = _list(stack, account, intent, entries) if entries else None
    lists: list[Value] = [
        {"blocklistName": words.ref("name"), "blocking": True, "source": side}
        for side in SIDES
        if words is not None
    ]
    return stack.resource(
        "azapi_resource",
        f"guardrail-{intent.name}",
        {
            "type": f"Microsoft.CognitiveServices/accounts/raiPolicies@{API}",
            "name": intent.name,
            "parent_id": account.ref("id"),
            "locks": [account.ref("id")],
            # What the base policy adds is not ours to take away.
            "ignore_other_items_in_list": ["properties.contentFilters"],
            "body": {
                "properties": {
                    "basePolicyName": "Microsoft.DefaultV2",
                    "mode": "Blocking",
                    "contentFilters": [*_filters(intent)],
                    "customBlocklists": lists,
                }
            },
        },
        origin=describe(intent),
    )


def _filters(intent: Guardrail) -> Iterator[Value]:
    """A filter that is off is written down too: left out, it would be what the base policy says."""
    for name in HARMS:
        for side in SIDES:
            yield {
                "name": name,
                "source": side,
                "enabled": intent.content != "none",
                "blocking": intent.content != "none",
                "severityThreshold": THRESHOLDS.get(intent.content, "High"),
            }
    for name in ATTACKS:
        on = intent.prompt_attacks != "none"
        yield {"name": name, "source": "Prompt", "enabled": on, "blocking": on}
    for name in PROTECTED:
        yield {"name": name, "source": "Completion", "enabled": True, "blocking": True}
    for side in SIDES:
        yield {
            "name": "Profanity",
            "source": side,
            "enabled": intent.profanity,
            "blocking": intent.profanity,
        }


def _entries(intent: Guardrail) -> Iterator[tuple[str, bool]]:
    """Texts to refuse, and whether each is a regular expression."""
    yield from ((word, False) for word in intent.denied_words)
    yield from ((pattern.regex, True) for pattern in intent.patterns.values() if pattern.action == "block")


def _list(stack: StackBuilder, account: Node, intent: Guardrail, entries: list[tuple[str, bool]]) -> Node:
    about = "; ".join(pattern.description for pattern in intent.patterns.values())
    words = stack.resource(
        "azapi_resource",
        f"refused-{intent.name}",
        {
            "type": f"Microsoft.CognitiveServices/accounts/raiBlocklists@{API}",
            "name": f"{intent.name}-refused",
            "parent_id": account.ref("id"),
            "locks": [account.ref("id")],
            "body": {"properties": {"description": f"What {intent.name} refuses: {about or 'words'}"[:900]}},
        },
        origin=describe(intent),
    )
    for text, is_pattern in dict.fromkeys(entries):
        digest = sha256(f"{is_pattern}:{text}".encode()).hexdigest()[:12]
        stack.resource(
            "azapi_resource",
            f"refused-{intent.name}-{digest}",
            {
                "type": f"Microsoft.CognitiveServices/accounts/raiBlocklists/raiBlocklistItems@{API}",
                "name": digest,
                "parent_id": words.ref("id"),
                "locks": [account.ref("id")],
                "body": {"properties": {"pattern": text, "isRegex": is_pattern}},
            },
            origin=describe(intent),
        )
    return words
