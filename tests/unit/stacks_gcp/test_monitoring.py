"""Who hears of trouble on GCP, what is watched, and what drift starts."""

from __future__ import annotations

from pathlib import Path

from tests.unit.stacks_gcp.asked import MODELS, arguments, asked, nodes, skipped, synthesized
from tests.unit.stacks_gcp.test_pipelines import DEFINITION, PIPELINES

ALERTS = {"emails": ["mlops@example.com"], "budget": {"monthly": 2000.5, "currency": "EUR"}}
ENDPOINTS = {"churn": {"model": "churn", "max_latency_ms": 300, "max_error_percent": 2.5}}
WATCH = {"churn": {"endpoint": "churn", "data_drift": {}, "on_alert": ["notify", "retrain"]}}


def test_alerts_reach_each_address_and_the_budget_counts_the_platform_only() -> None:
    found = asked(alerts=ALERTS)
    channel = arguments(found, "monitoring", "google_monitoring_notification_channel.email-1")
    assert channel["labels"] == {"email_address": "mlops@example.com"}
    budget = arguments(found, "monitoring", "google_billing_budget.monthly")
    assert budget["amount"]["specified_amount"] == {
        "currency_code": "EUR",
        "units": "2000",
        "nanos": 500_000_000,
    }
    assert budget["budget_filter"]["labels"] == {"platform": "churn"}
    assert [rule["spend_basis"] for rule in budget["threshold_rules"]] == [
        "CURRENT_SPEND",
        "FORECASTED_SPEND",
    ]
    assert len(budget["all_updates_rule"]["monitoring_notification_channels"]) == 1


def test_a_budget_that_has_no_room_for_an_address_says_so() -> None:
    emails = [f"m{number}@example.com" for number in range(6)]
    synthesis = synthesized(alerts={**ALERTS, "emails": emails})
    assert [warning.code for warning in synthesis.warnings] == ["budget-channels"]
    (found,) = synthesis.environments
    rule = arguments(found, "monitoring", "google_billing_budget.monthly")["all_updates_rule"]
    assert len(rule["monitoring_notification_channels"]) == 5


def test_an_endpoint_is_watched_by_its_own_limits() -> None:
    found = asked(models=MODELS, endpoints=ENDPOINTS, alerts=ALERTS)
    latency = arguments(found, "monitoring", "google_monitoring_alert_policy.latency-churn")
    assert {it["condition_threshold"]["threshold_value"] for it in latency["conditions"]} == {300}
    errors = arguments(found, "monitoring", "google_monitoring_alert_policy.errors-churn")
    assert {it["condition_threshold"]["threshold_value"] for it in errors["conditions"]} == {0.025}
    assert all("denominator_filter" in it["condition_threshold"] for it in errors["conditions"])
    for policy in (latency, errors):
        assert policy["notification_channels"] == ["<google_monitoring_notification_channel.email-1.name>"]
        assert len(policy["conditions"]) == 2


def test_a_run_that_failed_is_counted_and_told_of(tmp_path: Path) -> None:
    (tmp_path / "train.yaml").write_text(DEFINITION, encoding="utf-8")
    found = asked(tmp_path, models={"churn": {}}, pipelines=PIPELINES, alerts=ALERTS)
    metric = arguments(found, "monitoring", "google_logging_metric.failed-train")
    policy = arguments(found, "monitoring", "google_monitoring_alert_policy.failed-train")
    (condition,) = policy["conditions"]
    assert condition["condition_matched_log"]["filter"] == metric["filter"]
    assert 'labels.pipeline_name="churn-dev-train"' in metric["filter"]
    assert policy["alert_strategy"]["notification_rate_limit"] == {"period": "3600s"}


def test_drift_starts_the_pipeline_once_a_monitor_logs_it(tmp_path: Path) -> None:
    (tmp_path / "train.yaml").write_text(DEFINITION, encoding="utf-8")
    found = asked(
        tmp_path, models=MODELS, pipelines=PIPELINES, endpoints=ENDPOINTS, monitors=WATCH, alerts=ALERTS
    )
    topic = arguments(found, "monitoring", "google_pubsub_topic.drift")
    assert topic["message_storage_policy"]["allowed_persistence_regions"] == ["europe-west4"]
    event = arguments(found, "monitoring", "google_eventarc_trigger.drift-churn")
    assert event["transport"] == {"pubsub": {"topic": "<google_pubsub_topic.drift.id>"}}
    flow = arguments(found, "monitoring", "google_workflows_workflow.drift-churn")["source_contents"]
    number = arguments(found, "ml", "google_vertex_ai_endpoint.churn")["name"]
    assert f"/endpoints/{number}$" in str(flow["main"]["steps"])
    assert skipped(found, "model monitor churn")


def test_what_could_not_be_started_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "train.yaml").write_text(DEFINITION, encoding="utf-8")
    found = asked(tmp_path, models=MODELS, pipelines=PIPELINES, endpoints=ENDPOINTS, monitors=WATCH)
    made = nodes(found, "monitoring")
    flows = [name for name in made if name.startswith("google_workflows_workflow.")]
    for flow in flows:
        assert f"google_monitoring_alert_policy.flow-{flow.partition('.')[2]}" in made


def test_the_dashboard_shows_every_alert_and_endpoint() -> None:
    found = asked(models=MODELS, endpoints=ENDPOINTS, alerts=ALERTS)
    board = arguments(found, "monitoring", "google_monitoring_dashboard.main")["dashboard_json"]
    tiles = board["mosaicLayout"]["tiles"]
    assert sum("alertChart" in tile["widget"] for tile in tiles) == 2
    assert any("Budget: 2000.50 EUR" in str(tile) for tile in tiles)
    assert all(tile.get("xPos", 0) + tile["width"] <= 48 for tile in tiles)
