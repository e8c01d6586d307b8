"""A neutral pipeline as a template of Kubeflow Pipelines, its schedule, and what starts it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.stacks_gcp.asked import arguments, asked, nodes, refused, skipped, synthesized

DEFINITION = """\
version: 1
description: Train
image: training:1.0.0
parameters: {depth: 6, floor: 0.7, day: "today"}
steps:
  prepare:
    command: [python, prepare.py, --day, "{params.day}", --out, "{outputs.table}"]
    outputs: {table: folder}
    volume_gb: 300
    cache: 7d
  train:
    kind: training
    command: [python, train.py, --table, "{inputs.table}", --model, "{outputs.model}", --depth, "{params.depth}"]
    environment: {DAY: "{params.day}"}
    inputs: {table: prepare.table}
    outputs: {model: model}
    instance: gpu.l4
    instances: 3
    timeout: 2h
    spot: true
    retries: 2
  evaluate:
    command: [python, evaluate.py, --model, "{inputs.model}", --report, "{outputs.report}"]
    inputs: {model: train.model}
    outputs: {report: metrics}
  register:
    when: {metric: evaluate.report.auc, at_least: "{params.floor}", otherwise: fail}
    register: {model: churn, image: "serving:1.0.0", artifact: train.model, content_type: text/csv, metrics: evaluate.report}
"""
PIPELINES = {"train": {"definition": "train.yaml", "schedule": "0 3 * * *", "instance": "cpu.large"}}
MODELS = {"churn": {"on_approval": "train"}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the definition."""
    (tmp_path / "train.yaml").write_text(DEFINITION, encoding="utf-8")
    return tmp_path


def template(folder: Path, **more: object) -> Any:
    """The compiled template."""
    found = asked(folder, models=MODELS, pipelines=PIPELINES, **more)
    return arguments(found, "ml", "google_storage_bucket_object.train")["content"]


def test_a_whole_number_is_written_as_the_cloud_answers_it(folder: Path) -> None:
    (folder / "train.yaml").write_text(DEFINITION.replace("floor: 0.7", "floor: 2.0"), encoding="utf-8")
    document = template(folder)
    assert repr(document["root"]["inputDefinitions"]["parameters"]["floor"]["defaultValue"]) == "2"
    assert repr(document["root"]["dag"]["tasks"]["train"]["retryPolicy"]["backoffFactor"]) == "2"


def container(document: Any, step: str) -> Any:
    """A step's own container, out of the job that its launcher starts."""
    arguments_ = document["deploymentSpec"]["executors"][f"exec-{step}"]["container"]["args"]
    return arguments_[arguments_.index("--payload") + 1]


def test_steps_take_artifacts_and_parameters_and_wait_for_each_other(folder: Path) -> None:
    tasks = template(folder)["root"]["dag"]["tasks"]
    train = tasks["train"]
    assert train["dependentTasks"] == ["prepare"]
    assert train["inputs"]["artifacts"]["table"] == {
        "taskOutputArtifact": {"producerTask": "prepare", "outputArtifactKey": "table"}
    }
    assert set(train["inputs"]["parameters"]) == {"day", "depth"}
    assert train["retryPolicy"]["maxRetryCount"] == 2
    assert tasks["prepare"]["cachingOptions"] == {"enableCache": True}
    assert train["cachingOptions"] == {"enableCache": False}


def test_each_input_of_a_task_is_defined_by_its_component(folder: Path) -> None:
    document = template(folder)
    levels = [document["root"], *document["components"].values()]
    for level in levels:
        for task in level.get("dag", {}).get("tasks", {}).values():
            component = document["components"][task["componentRef"]["name"]]
            defined = component.get("inputDefinitions", {})
            for kind in ("parameters", "artifacts"):
                assert set(task["inputs"].get(kind, {})) == set(defined.get(kind, {}))


def test_a_job_has_the_steps_machines_disk_time_account_and_key(folder: Path) -> None:
    job = container(template(folder), "train")
    spec = job["job_spec"]
    first, others = spec["worker_pool_specs"]
    assert first["machine_spec"] == {
        "machine_type": "g2-standard-4",
        "accelerator_type": "NVIDIA_L4",
        "accelerator_count": 1,
    }
    assert (first["replica_count"], others["replica_count"]) == (1, 2)
    assert spec["scheduling"] == {
        "timeout": "7200s",
        "strategy": "SPOT",
        "restart_job_on_worker_restart": True,
    }
    assert "checkpoints/train/" in spec["base_output_directory"]["output_uri_prefix"]
    assert "training" in spec["service_account"]
    assert "kms_key_name" in job["encryption_spec"]
    assert "network_attachment" in spec["psc_interface_config"]
    assert first["container_spec"]["env"][0] == {"name": "DAY", "value": "{{$.inputs.parameters['day']}}"}
    prepare = container(template(folder), "prepare")["job_spec"]
    assert prepare["worker_pool_specs"][0]["disk_spec"]["boot_disk_size_gb"] == 300
    assert prepare["scheduling"] == {"timeout": "14400s"}


def test_a_gate_compares_the_metric_that_the_step_before_wrote(folder: Path) -> None:
    tasks = template(folder)["root"]["dag"]["tasks"]
    gate, refusal = tasks["register-gate"], tasks["register-refused"]
    assert gate["triggerPolicy"]["condition"] == (
        "inputs.parameter_values['gate-metric'] >= double(inputs.parameter_values['gate-bound'])"
    )
    assert refusal["triggerPolicy"]["condition"] == f"!({gate['triggerPolicy']['condition']})"
    metric = gate["inputs"]["parameters"]["gate-metric"]
    assert metric["parameterExpressionSelector"] == 'parseJson(string_value)["auc"]'
    assert metric["taskOutputParameter"] == {"producerTask": "evaluate", "outputParameterKey": "report"}
    evaluate = container(template(folder), "evaluate")["job_spec"]["worker_pool_specs"][0]["container_spec"]
    assert {item["name"] for item in evaluate["env"]} == {"PLATFORM_METRICS"}


@pytest.mark.parametrize(
    ("approval", "alias"), [("manual", "candidate"), ("automatic", "approved")], ids=["manual", "automatic"]
)
def test_a_version_is_registered_waiting_or_approved(folder: Path, approval: str, alias: str) -> None:
    models = {"churn": {"approval": approval}}
    found = asked(folder, models=models, pipelines=PIPELINES)
    document = arguments(found, "ml", "google_storage_bucket_object.train")["content"]
    said = document["deploymentSpec"]["executors"]["exec-register"]["container"]["args"]
    assert said[2] == "churn-dev-churn"
    assert said[6] == alias


def test_a_schedule_runs_the_same_template_in_utc(folder: Path) -> None:
    found = asked(folder, models=MODELS, pipelines=PIPELINES)
    schedule = arguments(found, "ml", "google_colab_schedule.train")
    assert schedule["cron"] == "TZ=Etc/UTC 0 3 * * *"
    job = schedule["create_pipeline_job_request"]["pipeline_job"]
    assert job["pipeline_spec"] == arguments(found, "ml", "google_storage_bucket_object.train")["content"]
    by_hand = {"train": {"definition": "train.yaml"}}
    assert "google_colab_schedule.train" not in nodes(asked(folder, models=MODELS, pipelines=by_hand), "ml")


def test_a_pipeline_without_a_definition_is_planned(tmp_path: Path) -> None:
    found = asked(tmp_path, models=MODELS, pipelines=PIPELINES)
    (said,) = skipped(found, "training pipeline train")
    assert said.remedy
    assert "google_colab_schedule.train" not in nodes(found, "ml")


def test_a_cache_that_cannot_end_is_warned_of(folder: Path) -> None:
    synthesis = synthesized(folder, models=MODELS, pipelines=PIPELINES)
    assert [warning.code for warning in synthesis.warnings] == ["pipeline-cache"]


def test_a_text_that_would_end_another_is_refused(tmp_path: Path) -> None:
    written = DEFINITION.replace('day: "today"', "day: 'to\"day'")
    (tmp_path / "train.yaml").write_text(written, encoding="utf-8")
    assert "parameter day: quotes, backslashes" in refused(tmp_path, models=MODELS, pipelines=PIPELINES)


def test_an_approval_starts_the_pipeline_from_the_api_and_from_the_console(folder: Path) -> None:
    found = asked(folder, models=MODELS, pipelines=PIPELINES)
    triggers = {name for name in nodes(found, "monitoring") if name.startswith("google_eventarc_trigger")}
    assert triggers == {f"google_eventarc_trigger.approved-churn-{way}" for way in ("api", "console")}
    flow = arguments(found, "monitoring", "google_workflows_workflow.approved-churn")["source_contents"]
    first = flow["main"]["steps"][0]["only-approved"]["switch"][0]
    assert '"/models/churn-dev-churn(@|$)"' in first["condition"]
    assert first["next"] == "end"


def test_an_approval_that_would_go_round_for_ever_is_refused(folder: Path) -> None:
    models = {"churn": {**MODELS["churn"], "approval": "automatic"}}
    assert "each run would start the next" in refused(folder, models=models, pipelines=PIPELINES)
