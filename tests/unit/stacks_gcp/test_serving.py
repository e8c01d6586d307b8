"""Endpoints, features and tracking on Vertex AI: what is made, what is closed, and what operations do."""

from __future__ import annotations

import pytest

from stacks.gcp.names import RULES
from tests.strategies import Spec
from tests.unit.stacks_gcp.asked import MODELS, arguments, asked, nodes, refused, skipped, synthesized

CHURN = {"churn": {"model": "churn", "capture_percent": 25}}
CUSTOMER = {
    "key": "customer_id",
    "event_time": "updated_at",
    "columns": {"tenure": "int", "plan": "string"},
    "online": True,
}


def test_an_endpoint_is_an_empty_shell_inside_the_network_and_says_so() -> None:
    found = asked(models=MODELS, endpoints=CHURN)
    shell = arguments(found, "ml", "google_vertex_ai_endpoint.churn")
    assert RULES["endpoint"].allows(shell["name"])
    assert shell["private_service_connect_config"]["enable_private_service_connect"] is True
    assert shell["private_service_connect_config"]["project_allowlist"] == ["acme-ml-dev"]
    assert "kms_key_name" in shell["encryption_spec"]
    said = skipped(found, "online endpoint churn")[-1]
    assert said.reason == "the endpoint is made, and empty: Terraform has no resource for a model behind it"
    assert said.remedy == "Deploy version 3 of churn to it, with 1 to 1 machines of cpu.medium."


def test_requests_are_logged_by_the_share_that_is_asked_for() -> None:
    found = asked(models=MODELS, endpoints=CHURN)
    logged = arguments(found, "ml", "google_vertex_ai_endpoint.churn")[
        "predict_request_response_logging_config"
    ]
    assert logged["sampling_rate"] == 0.25
    none = asked(models=MODELS, endpoints={"churn": {"model": "churn", "capture_percent": 0}})
    assert "google_bigquery_dataset.requests" not in nodes(none, "ml")


def test_two_endpoints_and_two_projects_never_share_a_number() -> None:
    both = {name: {"model": "churn"} for name in ("one", "two")}
    found = asked(models=MODELS, endpoints=both)
    numbers = {arguments(found, "ml", f"google_vertex_ai_endpoint.{name}")["name"] for name in both}
    assert len(numbers) == 2


@pytest.mark.parametrize("mode", ["serverless", "async"])
def test_a_mode_that_vertex_ai_does_not_have_is_refused_with_those_that_it_has(mode: str) -> None:
    said = refused(models=MODELS, endpoints={"uplift": {"model": "churn", "mode": mode}})
    assert f"endpoints.uplift.mode {mode}: Vertex AI " in said
    assert "Set it to realtime, or to batch" in said


def test_a_batch_prediction_is_a_text_that_a_schedule_posts() -> None:
    bulk = {"model": "churn", "mode": "batch", "instance": "gpu.t4", "replicas": {"max": 4}}
    found = asked(models=MODELS, endpoints={"bulk": {**bulk, "schedule": "30 4 * * mon"}})
    job = arguments(found, "ml", "google_storage_bucket_object.bulk--batch")["content"]
    assert job["model"] == "projects/acme-ml-dev/locations/europe-west4/models/churn-dev-churn@3"
    assert job["dedicatedResources"]["machineSpec"]["acceleratorType"] == "NVIDIA_TESLA_T4"
    assert job["dedicatedResources"]["maxReplicaCount"] == 4
    clock = arguments(found, "monitoring", "google_cloud_scheduler_job.bulk")
    assert (clock["schedule"], clock["time_zone"]) == ("30 4 * * mon", "Etc/UTC")
    flow = arguments(found, "monitoring", "google_workflows_workflow.bulk--batch")
    assert flow["user_env_vars"]["OBJECT"] == "<google_storage_bucket_object.bulk--batch.name>"


def test_a_batch_endpoint_waits_for_a_version() -> None:
    models: Spec = {"uplift": {}}
    found = asked(models=models, endpoints={"bulk": {"model": "uplift", "mode": "batch"}})
    said = skipped(found, "online endpoint bulk")[-1]
    assert said.reason == "model uplift has no version in the registry to score with yet"
    assert not nodes(found, "ml")


def test_features_are_a_table_a_view_with_the_time_and_a_group_over_it() -> None:
    found = asked(features={"customer": CUSTOMER})
    view = arguments(found, "ml", "google_bigquery_table.customer--timed")["view"]["query"]
    assert view.startswith("SELECT *, `updated_at` AS feature_timestamp FROM `acme-ml-dev.")
    group = arguments(found, "ml", "google_vertex_ai_feature_group.customer")
    assert group["name"] == "churn_dev_customer"
    assert group["big_query"]["entity_id_columns"] == ["customer_id"]
    names = [name for name in nodes(found, "ml") if name.startswith("google_vertex_ai_feature_group_feature")]
    assert names == [f"google_vertex_ai_feature_group_feature.customer--{it}" for it in ("tenure", "plan")]


def test_an_online_store_needs_nothing_that_is_there_only_after_its_first_values() -> None:
    found = asked(features={"customer": CUSTOMER})
    store = arguments(found, "ml", "google_vertex_ai_feature_online_store.main")
    assert store["bigtable"]["auto_scaling"]["min_node_count"] == 1
    assert "google_compute_forwarding_rule.features-online" not in nodes(found, "ml")
    offline = asked(features={"customer": {**CUSTOMER, "online": False}})
    assert "google_vertex_ai_feature_online_store.main" not in nodes(offline, "ml")


def test_a_column_that_has_the_name_of_the_time_makes_way() -> None:
    columns = {"feature_timestamp": "timestamp", "tenure": "int"}
    found = asked(features={"customer": {**CUSTOMER, "event_time": "feature_timestamp", "columns": columns}})
    view = arguments(found, "ml", "google_bigquery_table.customer--timed")["view"]["query"]
    assert view.startswith("SELECT * REPLACE (`feature_timestamp` AS feature_timestamp) FROM `")


def test_a_float_is_no_key() -> None:
    columns = {"customer_id": "float", "tenure": "int"}
    said = refused(features={"customer": {**CUSTOMER, "columns": columns}})
    assert 'features.customer.key "customer_id" is a float' in said


@pytest.mark.parametrize(
    ("kind", "time"),
    [("int", "TIMESTAMP_SECONDS(`updated_at`)"), ("string", "TIMESTAMP(`updated_at`)")],
    ids=["int", "string"],
)
def test_a_time_that_is_no_timestamp_is_made_one(kind: str, time: str) -> None:
    found = asked(features={"customer": {**CUSTOMER, "columns": {"updated_at": kind, "tenure": "int"}}})
    assert time in arguments(found, "ml", "google_bigquery_table.customer--timed")["view"]["query"]
    assert "time_partitioning" not in arguments(found, "ml", "google_bigquery_table.customer")


def test_features_without_their_history_are_warned_of() -> None:
    synthesis = synthesized(features={"customer": {**CUSTOMER, "offline": False}})
    assert [warning.code for warning in synthesis.warnings] == ["feature-history"]


def test_the_tracking_server_has_a_private_database_and_no_way_in_from_outside() -> None:
    found = asked(tracking={"backend": "managed"})
    service = arguments(found, "ml", "google_cloud_run_v2_service.tracking")
    assert service["ingress"] == "INGRESS_TRAFFIC_INTERNAL_ONLY"
    assert service["invoker_iam_disabled"] is False
    server, proxy = service["template"]["containers"]
    assert server["depends_on"] == [proxy["name"]]
    assert "--auto-iam-authn" in proxy["args"]
    environment = {item["name"]: item["value"] for item in server["env"]}
    assert environment["MLFLOW_BACKEND_STORE_URI"] == (
        "postgresql+psycopg2://churn-dev-tracking%40acme-ml-dev.iam@127.0.0.1:5432/mlflow"
    )
    database = arguments(found, "ml", "google_sql_database_instance.tracking")
    assert database["settings"]["ip_configuration"]["ipv4_enabled"] is False
    assert database["settings"]["backup_configuration"]["point_in_time_recovery_enabled"] is True
    assert "encryption_key_name" in database
    invokers = [node for node in nodes(found, "ml") if node.startswith("google_cloud_run_v2_service_iam")]
    assert "google_cloud_run_v2_service_iam_member.tracking-training" in invokers


def test_no_image_of_others_is_without_a_version() -> None:
    found = asked(tracking={"backend": "managed"})
    containers = arguments(found, "ml", "google_cloud_run_v2_service.tracking")["template"]["containers"]
    for container in containers:
        assert container["image"].rpartition(":")[2] not in ("", "latest")
