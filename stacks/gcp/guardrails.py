"""Guardrails as templates of Model Armor, with what Sensitive Data Protection finds and masks.

May not know who calls a model. What Model Armor has no filter for is said, in ``unfiltered``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stacks.adapter import Skipped
from stacks.gcp.context import Context
from stacks.graph import Node, StackBuilder, Value
from stacks.intents import Guardrail, describe

__all__ = ["PERSONAL_DATA", "add_guardrail", "unfiltered"]

CONFIDENCE = {"high": "LOW_AND_ABOVE", "medium": "MEDIUM_AND_ABOVE", "low": "HIGH"}
"""The stricter a filter, the less sure Model Armor needs to be."""

HARMS = ("DANGEROUS", "HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT")
DENIED_WORDS = "DENIED_WORDS"
DESCRIPTION = 256

PERSONAL_DATA: Mapping[str, str] = {
    "address": "STREET_ADDRESS",
    "age": "AGE",
    "aws-access-key": "AWS_CREDENTIALS",
    "aws-secret-key": "AWS_CREDENTIALS",
    "bank-account-iban": "IBAN_CODE",
    "bank-account-us": "FINANCIAL_ACCOUNT_NUMBER",
    "bank-routing-us": "US_BANK_ROUTING_MICR",
    "bank-swift": "SWIFT_CODE",
    "credit-card": "CREDIT_CARD_NUMBER",
    "driver-license": "US_DRIVERS_LICENSE_NUMBER",
    "email": "EMAIL_ADDRESS",
    "health-number-uk": "UK_NATIONAL_HEALTH_SERVICE_NUMBER",
    "ip-address": "IP_ADDRESS",
    "mac-address": "MAC_ADDRESS",
    "name": "PERSON_NAME",
    "passport-us": "US_PASSPORT",
    "password": "PASSWORD",
    "phone": "PHONE_NUMBER",
    "social-insurance-uk": "UK_NATIONAL_INSURANCE_NUMBER",
    "social-security-us": "US_SOCIAL_SECURITY_NUMBER",
    "tax-number-uk": "UK_TAXPAYER_REFERENCE",
    "tax-number-us": "US_INDIVIDUAL_TAXPAYER_IDENTIFICATION_NUMBER",
    "url": "URL",
    "vehicle-number": "VEHICLE_IDENTIFICATION_NUMBER",
}
"""The spec's kinds of personal data as Google names them (Sensitive Data Protection, infoTypes, November 2026)."""


def add_guardrail(stack: StackBuilder, context: Context, intent: Guardrail, *, logged: bool) -> Node:
    """Add a template; ``logged`` keeps what is asked and answered in the project's logs."""
    return stack.resource(
        "google_model_armor_template",
        intent.name,
        {
            "template_id": context.name("resource", intent.name),
            "location": context.region,
            "filter_config": dict(_filters(stack, context, intent)),
            "template_metadata": {
                "enforcement_type": "INSPECT_AND_BLOCK",
                "log_template_operations": True,
                "log_sanitize_operations": logged,
                "ignore_partial_invocation_failures": False,
                "multi_language_detection": {"enable_multi_language_detection": True},
                "custom_prompt_safety_error_message": intent.blocked_message,
                "custom_llm_response_safety_error_message": intent.blocked_message,
            },
        },
        origin=describe(intent),
    )


def unfiltered(intent: Guardrail) -> Iterator[Skipped]:
    """Say what of a guardrail Model Armor does not look for."""
    asked = {
        f"denied_topics ({', '.join(sorted(intent.denied_topics))})": bool(intent.denied_topics),
        "profanity": intent.profanity,
        "grounding": intent.grounding > 0,
        "relevance": intent.relevance > 0,
    }
    missing = [name for name, wanted in asked.items() if wanted]
    if missing:
        yield Skipped(
            intent=describe(intent),
            reason=f"Model Armor has no filter for {', '.join(missing)}",
            remedy="Name words in denied_words, write patterns, or check answers in the application.",
        )


def _filters(stack: StackBuilder, context: Context, intent: Guardrail) -> Iterator[tuple[str, Value]]:
    yield "malicious_uri_filter_settings", {"filter_enforcement": "ENABLED"}
    if intent.content != "none":
        level = CONFIDENCE[intent.content]
        filters: list[Value] = [{"filter_type": harm, "confidence_level": level} for harm in HARMS]
        yield "rai_settings", {"rai_filters": filters}
    if intent.prompt_attacks != "none":
        yield (
            "pi_and_jailbreak_filter_settings",
            {"filter_enforcement": "ENABLED", "confidence_level": CONFIDENCE[intent.prompt_attacks]},
        )
    actions = _actions(intent)
    if actions:
        yield "sdp_settings", {"advanced_config": _data_protection(stack, context, intent, actions)}


def _custom(pattern: str) -> str:
    return f"PATTERN_{pattern.upper().replace('-', '_')}"


def _actions(intent: Guardrail) -> dict[str, str]:
    """What to do with each kind of finding, by Google's name or the guardrail's own; masking yields to blocking."""
    kinds = sorted(intent.personal_data.items(), key=lambda pair: (pair[1] == "block", pair[0]))
    actions = {PERSONAL_DATA[kind]: action for kind, action in kinds if kind in PERSONAL_DATA}
    actions |= {_custom(name): pattern.action for name, pattern in sorted(intent.patterns.items())}
    return actions | ({DENIED_WORDS: "block"} if intent.denied_words else {})


def _data_protection(
    stack: StackBuilder, context: Context, intent: Guardrail, actions: Mapping[str, str]
) -> Value:
    """Everything is looked for, so that it can block; what is to be masked comes back masked."""
    found = _inspection(stack, context, intent, actions)
    masked = sorted(name for name, action in actions.items() if action == "mask")
    config: dict[str, Value] = {"inspect_template": found.ref("id")}
    if masked:
        config["deidentify_template"] = _masking(stack, context, intent, masked).ref("id")
    return config


def _inspection(stack: StackBuilder, context: Context, intent: Guardrail, actions: Mapping[str, str]) -> Node:
    own = {_custom(name) for name in intent.patterns} | {DENIED_WORDS}
    custom: list[Value] = [
        {
            "info_type": {"name": _custom(name)},
            "likelihood": "VERY_LIKELY",
            "regex": {"pattern": pattern.regex},
        }
        for name, pattern in sorted(intent.patterns.items())
    ]
    if intent.denied_words:
        words: Value = {"word_list": {"words": list(intent.denied_words)}}
        custom.append({"info_type": {"name": DENIED_WORDS}, "likelihood": "VERY_LIKELY", "dictionary": words})
    looked_for: dict[str, Value] = {"min_likelihood": "POSSIBLE", "include_quote": False}
    known: list[Value] = [{"name": name} for name in sorted(set(actions) - own)]
    if known:
        looked_for["info_types"] = known
    if custom:
        looked_for["custom_info_types"] = custom
    about = "; ".join(pattern.description for _, pattern in sorted(intent.patterns.items()))
    return stack.resource(
        "google_data_loss_prevention_inspect_template",
        intent.name,
        {
            "parent": f"projects/{context.project}/locations/{context.region}",
            "template_id": context.name("resource", intent.name),
            "display_name": f"Guardrail {intent.name}",
            "description": about[:DESCRIPTION] or None,
            "inspect_config": looked_for,
        },
        origin=describe(intent),
    )


def _masking(stack: StackBuilder, context: Context, intent: Guardrail, masked: list[str]) -> Node:
    kinds: list[Value] = [{"name": name} for name in masked]
    return stack.resource(
        "google_data_loss_prevention_deidentify_template",
        intent.name,
        {
            "parent": f"projects/{context.project}/locations/{context.region}",
            "template_id": context.name("resource", intent.name),
            "display_name": f"Guardrail {intent.name}",
            "deidentify_config": {
                "info_type_transformations": {
                    "transformations": [
                        {
                            "info_types": kinds,
                            "primitive_transformation": {"replace_with_info_type_config": True},
                        }
                    ]
                }
            },
        },
        origin=describe(intent),
    )
