"""What watches over a platform on Azure, who hears of it, and what its events become."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from stacks.azure.alerts import budget_start
from tests.unit.stacks_azure.small import environment, nodes, of_type, synthesized

MODEL = {"churn": {"version": 3}}
ENDPOINTS = {"churn": {"model": "churn", "max_latency_ms": 250, "max_error_percent": 2.5}}
HEARD = {"emails": ["a@example.com"]}
SUBSCRIPTION = "azurerm_eventgrid_system_topic_event_subscription"


def watched(**more: object) -> dict[str, Any]:
    return nodes(environment(models=MODEL, endpoints=ENDPOINTS, **more), "monitoring")


def test_a_slow_endpoint_is_told_of() -> None:
    alert = watched(alerts=HEARD)["azurerm_monitor_metric_alert.churn-latency"].arguments
    assert (alert["criteria"]["metric_name"], alert["criteria"]["threshold"]) == ("RequestLatency_P99", 250)
    assert len(alert["action"]) == 1


def test_a_failing_endpoint_is_told_of_by_its_share() -> None:
    found = environment(models=MODEL, endpoints=ENDPOINTS, alerts=HEARD)
    (alert,) = of_type(found, "monitoring", "azurerm_monitor_scheduled_query_rules_alert_v2").values()
    criteria: Any = alert.arguments["criteria"]
    name = of_type(found, "ml", "azapi_resource")["endpoint-churn"].arguments["name"]
    assert criteria["threshold"] == 2.5
    assert f'EndpointName == "{name}"' in criteria["query"]


def test_without_anybody_who_listens_alerts_are_there_and_tell_nobody() -> None:
    assert "action" not in watched()["azurerm_monitor_metric_alert.churn-latency"].arguments


def test_everybody_who_is_named_gets_mail() -> None:
    found = environment(alerts={"emails": ["a@example.com", "b@example.com"]})
    group: Any = nodes(found, "monitoring")["azurerm_monitor_action_group.alerts"].arguments
    assert [each["email_address"] for each in group["email_receiver"]] == ["a@example.com", "b@example.com"]
    assert len(group["short_name"]) <= 12


def test_a_model_and_a_failed_run_are_events_in_the_queue() -> None:
    found = environment(models={"churn": {}})
    made = of_type(found, "monitoring", SUBSCRIPTION)
    kinds = {name: node.arguments["included_event_types"] for name, node in made.items()}
    assert kinds == {
        "model-registered": ["Microsoft.MachineLearningServices.ModelRegistered"],
        "run-failed": ["Microsoft.MachineLearningServices.RunStatusChanged"],
    }
    assert {dict(node.arguments["delivery_identity"])["type"] for node in made.values()} == {  # type: ignore[arg-type]
        "SystemAssigned"
    }


def test_events_are_sent_once_the_topic_may_send_them() -> None:
    made = of_type(environment(models={"churn": {}}), "monitoring", SUBSCRIPTION)
    assert all(
        [address.name for address in node.depends_on] == ["events-ml-events-queue-sender"]
        for node in made.values()
    )


def test_a_budget_without_listeners_tells_the_owners() -> None:
    def told(**alerts: object) -> list[str]:
        found = environment(alerts={"budget": {"monthly": 100}, **alerts})
        budget: Any = nodes(found, "monitoring")[
            "azurerm_consumption_budget_resource_group.monthly"
        ].arguments
        return [key for each in budget["notification"] for key in each if key.startswith("contact")]

    assert told() == ["contact_roles"] * 2
    assert told(emails=["a@example.com"]) == ["contact_groups"] * 2


def test_a_budget_starts_on_the_first_of_a_month_and_keeps_its_start() -> None:
    found = environment(alerts={"budget": {"monthly": 100}})
    budget = nodes(found, "monitoring")["azurerm_consumption_budget_resource_group.monthly"]
    assert datetime.fromisoformat(budget_start()).day == 1
    assert budget.lifecycle.ignore_changes == ("time_period",)


def test_a_currency_is_not_converted_and_that_is_said() -> None:
    warnings = synthesized(alerts={**HEARD, "budget": {"monthly": 100, "currency": "EUR"}}).warnings
    assert [finding.code for finding in warnings] == ["budget-currency"]


def test_without_machine_learning_there_is_no_dashboard_and_no_event() -> None:
    assert nodes(environment(alerts=HEARD), "monitoring").keys() == {"azurerm_monitor_action_group.alerts"}
