"""Guardrails and knowledge bases on Vertex AI, and what of them Google has nothing for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.stacks_gcp.asked import arguments, asked, nodes, refused, skipped

ASSISTANT = {
    "pii": {"email": "mask", "credit-card": "block"},
    "patterns": {"ticket": {"regex": "TCK-[0-9]{6}", "description": "Tickets", "action": "mask"}},
    "denied_words": ["nonsense"],
    "denied_topics": {"legal": {"definition": "Advice on a contract."}},
}


def guarded(**more: object) -> Any:
    """A platform with one guardrail."""
    return asked(llm={"guardrails": {"assistant": {**ASSISTANT, **more}}})


@pytest.mark.parametrize(
    ("strength", "level"),
    [("high", "LOW_AND_ABOVE"), ("medium", "MEDIUM_AND_ABOVE"), ("low", "HIGH")],
    ids=["high", "medium", "low"],
)
def test_the_stricter_a_filter_the_less_sure_it_needs_to_be(strength: str, level: str) -> None:
    found = guarded(content=strength, prompt_attacks=strength)
    filters = arguments(found, "llm", "google_model_armor_template.assistant")["filter_config"]
    assert {it["confidence_level"] for it in filters["rai_settings"]["rai_filters"]} == {level}
    assert filters["pi_and_jailbreak_filter_settings"]["confidence_level"] == level


def test_everything_is_looked_for_and_only_what_is_to_be_masked_is_masked() -> None:
    found = guarded()
    looked = arguments(found, "llm", "google_data_loss_prevention_inspect_template.assistant")[
        "inspect_config"
    ]
    assert looked["info_types"] == [{"name": "CREDIT_CARD_NUMBER"}, {"name": "EMAIL_ADDRESS"}]
    assert [it["info_type"]["name"] for it in looked["custom_info_types"]] == [
        "PATTERN_TICKET",
        "DENIED_WORDS",
    ]
    masked = arguments(found, "llm", "google_data_loss_prevention_deidentify_template.assistant")
    (change,) = masked["deidentify_config"]["info_type_transformations"]["transformations"]
    assert change["info_types"] == [{"name": "EMAIL_ADDRESS"}, {"name": "PATTERN_TICKET"}]


def test_what_model_armor_has_no_filter_for_is_said_by_name() -> None:
    said = skipped(guarded(), "guardrail assistant")[-1]
    assert said.reason == (
        "Model Armor has no filter for denied_topics (legal), profanity, grounding, relevance"
    )


def test_a_kind_of_personal_data_that_google_does_not_find_is_refused() -> None:
    assert "is none of the kinds that Google finds" in refused(
        llm={"guardrails": {"assistant": {"pii": {"pin": "block"}}}}
    )


@pytest.mark.parametrize("logged", [True, False])
def test_what_passes_a_guardrail_is_logged_where_invocations_are(logged: bool) -> None:  # noqa: FBT001 - a case
    found = asked(llm={"log_invocations": logged, "guardrails": {"assistant": ASSISTANT}})
    template = arguments(found, "llm", "google_model_armor_template.assistant")
    assert template["template_metadata"]["log_sanitize_operations"] is logged


def test_an_index_is_made_at_once_and_deployed_when_it_is_named() -> None:
    bases = {"docs": {"index": "handbook", "standby": True}, "notes": {}}
    found = asked(llm={"knowledge_bases": bases})
    made = nodes(found, "llm")
    assert {"google_vertex_ai_index.docs", "google_vertex_ai_index.notes"} <= set(made)
    assert "google_vertex_ai_index_endpoint.notes" not in made
    deployed = arguments(found, "llm", "google_vertex_ai_index_endpoint_deployed_index.docs")
    assert deployed["deployed_index_id"] == "churn_dev_docs_handbook"
    assert deployed["dedicated_resources"]["min_replica_count"] == 2
    endpoint = arguments(found, "llm", "google_vertex_ai_index_endpoint.docs")
    assert endpoint["public_endpoint_enabled"] is False
    assert skipped(found, "knowledge base notes")[-1].remedy.endswith("notes.index to a name for it.")


def test_an_index_has_the_size_of_the_models_vectors() -> None:
    base = {"embedding_model": "text-embedding-005", "dimensions": 768}
    found = asked(llm={"knowledge_bases": {"docs": base}})
    index = arguments(found, "llm", "google_vertex_ai_index.docs")
    assert index["metadata"]["config"]["dimensions"] == 768
    assert index["labels"]["embedding-model"] == "text-embedding-005"
    said = refused(llm={"knowledge_bases": {"docs": {**base, "dimensions": 1024}}})
    assert "dimensions 1024 is more than text-embedding-005's vectors have: 768" in said


def test_a_model_is_named_as_vertex_ai_names_it() -> None:
    assert "is not a model id of Vertex AI's" in refused(llm={"models": ["eu.amazon.nova:0"]})


def test_who_asks_a_model_may_ask_its_guardrail_and_who_trains_may_fill_an_index() -> None:
    found = asked(llm={"guardrails": {"assistant": ASSISTANT}, "knowledge_bases": {"docs": {}}})
    roles = {
        purpose: set(arguments(found, "identity", f"google_project_iam_custom_role.{purpose}")["permissions"])
        for purpose in ("serving", "training")
    }
    assert all("modelarmor.templates.useToSanitizeUserPrompt" in each for each in roles.values())
    assert "aiplatform.indexes.update" in roles["training"]
    assert "aiplatform.indexes.update" not in roles["serving"]
