"""What watches over a platform on Azure, who hears of it, and what its events become."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from scaffolder.errors import SpecError
from stacks.azure.alerts import budget_start
from stacks.azure.context import Context
from stacks.azure.watching import insights_id
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


# --- drift -----------------------------------------------------------------------------------------------------------

CAPTURED = {"churn": {"model": "churn", "capture_percent": 50}}
WATCH = {"endpoint": "churn", "every": "6h", "image": "ghcr.io/acme/drift:1", "baseline": "2026-11"}


def drift_of(**changed: object) -> Any:
    given = {**WATCH, "data_drift": {}, **changed}
    monitors = {"churn": {key: value for key, value in given.items() if value is not None}}
    return environment(models=MODEL, endpoints=CAPTURED, monitors=monitors, alerts=HEARD)


def test_drift_that_lasts_is_told_of_by_what_the_job_publishes() -> None:
    found = drift_of()
    alert: Any = nodes(found, "monitoring")["azurerm_monitor_metric_alert.drift-churn"].arguments
    criteria = alert["criteria"]
    assert (criteria["metric_namespace"], criteria["metric_name"]) == ("Drift", "drift_alarm")
    assert criteria["dimension"] == [{"name": "Monitor", "operator": "Include", "values": ["churn"]}]
    assert (alert["window_size"], len(alert["action"])) == ("PT12H", 1)


def test_the_job_publishes_metrics_of_the_resource_that_the_alert_looks_at() -> None:
    found = drift_of()
    insights = of_type(found, "security", "azurerm_application_insights")["platform"].arguments
    context = Context(found.platform)
    group = of_type(found, "security", "azurerm_resource_group")
    (name,) = {node.arguments["name"] for node in group.values()}
    assert insights_id(context).endswith(
        f"/resourceGroups/{name}/providers/Microsoft.Insights/components/{insights['name']}"
    )


def test_a_monitor_has_a_machine_to_look_on() -> None:
    clusters = of_type(drift_of(instance="cpu.large"), "ml", "azurerm_machine_learning_compute_cluster")
    assert "cpu-large" in clusters


def test_what_a_monitor_lacks_is_said() -> None:
    remedies = [each.remedy for each in drift_of(baseline=None).skipped if "monitor" in each.intent]
    assert any("python -m drift baseline" in remedy for remedy in remedies)
    remedies = [each.remedy for each in drift_of(image=None).skipped if "monitor" in each.intent]
    assert any("monitors.churn.image" in remedy for remedy in remedies)


def test_a_period_that_no_schedule_can_say_is_refused() -> None:
    with pytest.raises(SpecError, match="not a period of a schedule"):
        drift_of(every="5h")


def test_an_endpoint_that_keeps_no_requests_is_not_watched() -> None:
    with pytest.raises(SpecError, match="has capture_percent 0"):
        environment(
            models=MODEL,
            endpoints={"churn": {"model": "churn", "capture_percent": 0}},
            monitors={"churn": {**WATCH, "data_drift": {}}},
        )
