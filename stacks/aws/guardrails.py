"""Bedrock guardrails: what a platform's guardrail filters, and a version of it for callers to pin.

May not know who calls a model, nor make a key or a role.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

from stacks.aws.context import Context, Keys
from stacks.graph import Lifecycle, Node, StackBuilder, Value
from stacks.intents import Guardrail, describe

__all__ = ["PERSONAL_DATA", "add_guardrail"]

STRENGTHS = {"low": "LOW", "medium": "MEDIUM", "high": "HIGH"}
HARMS = ("HATE", "INSULTS", "MISCONDUCT", "SEXUAL", "VIOLENCE")
ACTIONS = {"mask": "ANONYMIZE", "block": "BLOCK"}
DIGEST_CHARACTERS = 12

PERSONAL_DATA: Mapping[str, str] = {
    "address": "ADDRESS",
    "age": "AGE",
    "aws-access-key": "AWS_ACCESS_KEY",
    "aws-secret-key": "AWS_SECRET_KEY",
    "bank-account-iban": "INTERNATIONAL_BANK_ACCOUNT_NUMBER",
    "bank-account-us": "US_BANK_ACCOUNT_NUMBER",
    "bank-routing-us": "US_BANK_ROUTING_NUMBER",
    "bank-swift": "SWIFT_CODE",
    "credit-card": "CREDIT_DEBIT_CARD_NUMBER",
    "credit-card-cvv": "CREDIT_DEBIT_CARD_CVV",
    "credit-card-expiry": "CREDIT_DEBIT_CARD_EXPIRY",
    "driver-license": "DRIVER_ID",
    "email": "EMAIL",
    "health-number-ca": "CA_HEALTH_NUMBER",
    "health-number-uk": "UK_NATIONAL_HEALTH_SERVICE_NUMBER",
    "ip-address": "IP_ADDRESS",
    "license-plate": "LICENSE_PLATE",
    "mac-address": "MAC_ADDRESS",
    "name": "NAME",
    "passport-us": "US_PASSPORT_NUMBER",
    "password": "PASSWORD",
    "phone": "PHONE",
    "pin": "PIN",
    "social-insurance-ca": "CA_SOCIAL_INSURANCE_NUMBER",
    "social-insurance-uk": "UK_NATIONAL_INSURANCE_NUMBER",
    "social-security-us": "US_SOCIAL_SECURITY_NUMBER",
    "tax-number-uk": "UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER",
    "tax-number-us": "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER",
    "url": "URL",
    "username": "USERNAME",
    "vehicle-number": "VEHICLE_IDENTIFICATION_NUMBER",
}
"""The spec's kinds of personal data as Bedrock names them (Bedrock API Reference, GuardrailPiiEntityConfig, November 2026)."""


def add_guardrail(stack: StackBuilder, context: Context, keys: Keys, intent: Guardrail) -> tuple[Node, Node]:
    """Add a guardrail and a version of it; return both.

    A version never changes: its description carries a digest of what the guardrail filters, so that a change makes a
    new one. The old one stays, for callers that pinned it, until the guardrail itself is destroyed.
    """
    filters = _filters(intent)
    guardrail = stack.resource(
        "aws_bedrock_guardrail",
        intent.name,
        {
            "name": context.name("guardrail", intent.name),
            "description": f"Guardrail {intent.name} of {context.prefix}",
            "blocked_input_messaging": intent.blocked_message,
            "blocked_outputs_messaging": intent.blocked_message,
            "kms_key_arn": keys.data,
            **filters,
        },
        origin=describe(intent),
    )
    version = stack.resource(
        "aws_bedrock_guardrail_version",
        intent.name,
        {
            "guardrail_arn": guardrail.ref("guardrail_arn"),
            "description": f"Filters {_digest(filters, intent.blocked_message)}",
            "skip_destroy": True,
        },
        origin=describe(intent),
        lifecycle=Lifecycle(create_before_destroy=True),
    )
    return guardrail, version


def _digest(filters: Mapping[str, Value], message: str) -> str:
    written = json.dumps([filters, message], sort_keys=True, ensure_ascii=False)
    return sha256(written.encode()).hexdigest()[:DIGEST_CHARACTERS]


def _filters(intent: Guardrail) -> dict[str, Value]:
    """The guardrail's policies; one that would be empty is left out."""
    policies = {
        "content_policy_config": _block("filters_config", _content(intent)),
        "contextual_grounding_policy_config": _block("filters_config", _grounding(intent)),
        "sensitive_information_policy_config": {
            **_block("pii_entities_config", _personal_data(intent)),
            **_block("regexes_config", _patterns(intent)),
        },
        "topic_policy_config": _block("topics_config", _topics(intent)),
        "word_policy_config": {
            **_block("managed_word_lists_config", [{"type": "PROFANITY"}] if intent.profanity else []),
            **_block("words_config", [{"text": word} for word in intent.denied_words]),
        },
    }
    return {name: policy for name, policy in policies.items() if policy}


def _block(name: str, items: list[Value]) -> dict[str, Value]:
    return {name: items} if items else {}


def _content(intent: Guardrail) -> list[Value]:
    """An answer cannot attack the prompt: Bedrock takes no strength for it there."""
    found: list[Value] = []
    if intent.content != "none":
        strength = STRENGTHS[intent.content]
        found += [{"type": harm, "input_strength": strength, "output_strength": strength} for harm in HARMS]
    if intent.prompt_attacks != "none":
        found.append(
            {
                "type": "PROMPT_ATTACK",
                "input_strength": STRENGTHS[intent.prompt_attacks],
                "output_strength": "NONE",
            }
        )
    return found


def _grounding(intent: Guardrail) -> list[Value]:
    thresholds = {"GROUNDING": intent.grounding, "RELEVANCE": intent.relevance}
    return [{"type": kind, "threshold": threshold} for kind, threshold in thresholds.items() if threshold]


def _personal_data(intent: Guardrail) -> list[Value]:
    return [
        {"type": PERSONAL_DATA[kind], "action": ACTIONS[action]}
        for kind, action in sorted(intent.personal_data.items())
    ]


def _patterns(intent: Guardrail) -> list[Value]:
    return [
        {
            "name": name,
            "description": pattern.description,
            "pattern": pattern.regex,
            "action": ACTIONS[pattern.action],
        }
        for name, pattern in sorted(intent.patterns.items())
    ]


def _topics(intent: Guardrail) -> list[Value]:
    return [
        {
            "name": name,
            "type": "DENY",
            "definition": topic.definition,
            **({"examples": list(topic.examples)} if topic.examples else {}),
        }
        for name, topic in sorted(intent.denied_topics.items())
    ]
