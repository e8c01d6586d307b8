"""What a spec's llm section becomes on Azure: models, filters, the log and search."""

from __future__ import annotations

from typing import Any

import pytest

from stacks.azure.context import Context
from stacks.azure.llm_ids import llm_problems, model_of
from tests.unit.stacks_azure.small import body, environment, nodes, of_type, refused

DEPLOYMENT = "azurerm_cognitive_deployment"


def test_without_llm_nothing_of_it_is_made() -> None:
    assert nodes(environment(), "llm") == {}


def test_the_account_takes_no_key_and_has_no_public_side() -> None:
    found = environment(llm={"models": ["gpt-4o@2024-11-20"]})
    made = nodes(found, "llm")["azurerm_cognitive_account.models"].arguments
    assert made["local_auth_enabled"] is False
    assert made["public_network_access_enabled"] is False


def test_the_workspaces_network_reaches_models_by_a_connection_that_it_approves_itself() -> None:
    found = environment(llm={"models": ["gpt-4o"]}, workspace={})
    rule = nodes(found, "llm")["azapi_resource.outbound-models"]
    approves = nodes(found, "llm")["azurerm_role_assignment.ml-workspace-models-ai-network-approver"]
    assert approves.address in rule.depends_on


def test_a_model_with_a_version_stays_at_it() -> None:
    found = environment(llm={"models": ["gpt-4o@2024-11-20", "gpt-4o-mini"]})
    made = of_type(found, "llm", DEPLOYMENT)
    assert made["gpt-4o-2024-11-20"].arguments["model"] == {
        "format": "OpenAI",
        "name": "gpt-4o",
        "version": "2024-11-20",
    }
    assert made["gpt-4o-2024-11-20"].arguments["version_upgrade_option"] == "NoAutoUpgrade"
    assert made["gpt-4o-2024-11-20"].lifecycle.ignore_changes == ()


def test_the_version_that_azure_chose_stays() -> None:
    (made,) = of_type(environment(llm={"models": ["gpt-4o-mini"]}), "llm", DEPLOYMENT).values()
    assert "version" not in dict(made.arguments["model"])  # type: ignore[arg-type]
    assert made.lifecycle.ignore_changes == ("model[0].version",)


def test_answers_stay_in_the_data_zone_where_there_is_one() -> None:
    def sku(region: str) -> Any:
        target = {"provider": "azure", "region": region, "account": "11111111-2222-3333-4444-555555555555"}
        (made,) = of_type(environment(llm={"models": ["gpt-4o"]}, target=target), "llm", DEPLOYMENT).values()
        return dict(made.arguments["sku"])["name"]  # type: ignore[arg-type]

    assert sku("westeurope") == "DataZoneStandard"
    assert sku("uksouth") == "Standard"


def test_a_model_that_answers_from_anywhere_is_warned_of() -> None:
    found = environment(llm={"models": ["mistral-ai/Mistral-Large-2411@2"]})
    (made,) = of_type(found, "llm", DEPLOYMENT).values()
    assert dict(made.arguments["sku"])["name"] == "GlobalStandard"  # type: ignore[arg-type]
    (problem,) = llm_problems(Context(found.platform))
    assert (problem.code, problem.warning) == ("llm-residency", True)


@pytest.mark.parametrize(
    ("id_", "format_", "name", "version"),
    [
        ("gpt-4o", "OpenAI", "gpt-4o", None),
        ("gpt-4o@2024-11-20", "OpenAI", "gpt-4o", "2024-11-20"),
        ("meta/Llama-3.3-70B-Instruct@5", "Meta", "Llama-3.3-70B-Instruct", "5"),
        ("mistral-ai/Mistral-Large-2411", "Mistral AI", "Mistral-Large-2411", None),
    ],
)
def test_an_id_is_publisher_name_and_version(id_: str, format_: str, name: str, version: str | None) -> None:
    model = model_of(id_)
    assert (model.format, model.name, model.version) == (format_, name, version)


def test_an_id_of_another_cloud_is_refused() -> None:
    assert "is not a model id of Azure's" in refused(llm={"models": ["eu.amazon.nova-lite-v1:0"]})


def test_a_publisher_that_azure_does_not_know_is_refused() -> None:
    assert "nobody is none of the publishers" in refused(llm={"models": ["nobody/model"]})


def filters(**guardrail: object) -> dict[tuple[str, str], Any]:
    found = environment(llm={"guardrails": {"default": guardrail}})
    policy = body(of_type(found, "llm", "azapi_resource")["guardrail-default"])
    return {(each["name"], each["source"]): each for each in policy["contentFilters"]}


@pytest.mark.parametrize(("strength", "threshold"), [("high", "Low"), ("medium", "Medium"), ("low", "High")])
def test_a_stricter_filter_has_a_lower_threshold(strength: str, threshold: str) -> None:
    assert filters(content=strength)["Hate", "Prompt"]["severityThreshold"] == threshold


def test_a_filter_that_is_off_is_written_as_off() -> None:
    made = filters(content="none", prompt_attacks="none", profanity=False)
    assert {
        made[key]["enabled"] for key in (("Hate", "Prompt"), ("Jailbreak", "Prompt"), ("Profanity", "Prompt"))
    } == {False}


def test_words_and_patterns_are_refused_on_both_sides() -> None:
    ticket = {"regex": "T-[0-9]+", "description": "Tickets", "action": "block"}
    guardrail = {"denied_words": ["nope"], "patterns": {"ticket": ticket}}
    made = of_type(environment(llm={"guardrails": {"default": guardrail}}), "llm", "azapi_resource")
    lists = body(made["guardrail-default"])["customBlocklists"]
    assert [each["source"] for each in lists] == ["Prompt", "Completion"]
    refusals = [body(node) for name, node in made.items() if name.startswith("refused-default-")]
    assert sorted((each["pattern"], each["isRegex"]) for each in refusals) == [
        ("T-[0-9]+", True),
        ("nope", False),
    ]


@pytest.mark.parametrize(
    ("guardrail", "says"),
    [
        ({"pii": {"email": "mask"}}, "do not find personal data"),
        (
            {"patterns": {"t": {"regex": "T", "description": "Tickets", "action": "mask"}}},
            "block, and mask nothing",
        ),
        ({"denied_topics": {"law": {"definition": "Advice"}}}, "know no topic"),
    ],
)
def test_what_azures_filters_cannot_do_is_refused(guardrail: object, says: str) -> None:
    assert says in refused(llm={"guardrails": {"default": guardrail}})


def test_a_guardrail_is_around_the_models_that_answer() -> None:
    found = environment(
        llm={"models": ["gpt-4o"], "guardrails": {"default": {}}, "knowledge_bases": {"docs": {}}}
    )
    made = of_type(found, "llm", DEPLOYMENT)
    assert "rai_policy_name" in made["gpt-4o"].arguments
    assert "rai_policy_name" not in made["text-embedding-3-large"].arguments


def test_a_log_of_who_asked_is_kept_where_the_platform_keeps_one() -> None:
    def categories(**llm: object) -> set[str]:
        found = environment(llm={"models": ["gpt-4o"], **llm})
        written: Any = nodes(found, "llm")["azurerm_monitor_diagnostic_setting.models"].arguments[
            "enabled_log"
        ]
        return {each["category"] for each in written}

    assert categories() == {"Audit", "RequestResponse"}
    assert categories(log_invocations=False) == {"Audit"}


def test_a_standby_of_vectors_is_a_second_replica() -> None:
    def replicas(**base: object) -> object:
        found = environment(llm={"knowledge_bases": {"docs": base}})
        return nodes(found, "llm")["azurerm_search_service.knowledge"].arguments["replica_count"]

    assert (replicas(), replicas(standby=True)) == (1, 2)


def test_search_takes_no_key_and_has_no_public_side() -> None:
    found = environment(llm={"knowledge_bases": {"docs": {}}})
    made = nodes(found, "llm")["azurerm_search_service.knowledge"].arguments
    assert made["local_authentication_enabled"] is False
    assert made["public_network_access_enabled"] is False


def test_a_knowledge_base_without_an_index_waits_for_it() -> None:
    found = environment(llm={"knowledge_bases": {"docs": {}}})
    assert any("llm.knowledge_bases.docs.index" in each.remedy for each in found.skipped)


def test_vectors_larger_than_the_models_are_refused() -> None:
    assert "is not a size of text-embedding-3-large's vectors: 1 to 3072" in refused(
        llm={"knowledge_bases": {"docs": {"dimensions": 4000}}}
    )
