"""The drift code travels alone, so what it and the stacks both say is held together here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scaffolder.drift import baseline, publish
from scaffolder.drift.job import parser
from scaffolder.operations.windows import windows_place
from scaffolder.pipelines.drift import drift_code
from stacks import watching
from stacks.azure.watches import MONITOR
from stacks.azure.watching import METRICS
from stacks.intents import ModelMonitor
from stacks.pipelines import Run, Template, UriOf
from stacks.watching import Sources, watching_pipeline

PLACES = {"data": "s3://acme-data", "artifacts": "s3://acme-artifacts"}
SOURCES = {
    "aws": Sources(
        captured=(UriOf("data", "capture/churn"),),
        captured_format="sagemaker",
        publish="cloudwatch:eu-west-1:churn-dev/drift",
    ),
    "gcp": Sources(
        captured=("acme.churn_requests.endpoint_1",),
        captured_format="bigquery",
        publish="cloudlogging:acme:churn-dev-drift",
    ),
    "azure": Sources(
        captured=("https://acme.blob.core.windows.net/x/modelDataCollector/churn",),
        captured_format="azureml",
        publish="azuremonitor:westeurope:/subscriptions/1/resourceGroups/churn",
    ),
}
MONITOR_OF_ALL = ModelMonitor(
    name="churn",
    endpoint="churn",
    every="6h",
    instance="cpu.medium",
    baseline="2026-11",
    columns=("tenure", "monthly charge"),
    data_drift_threshold=0.25,
    prediction_drift_threshold=0.3,
    concept_drift_threshold=0.1,
    notify=True,
    retrain_pipeline="train",
    image="drift:1",
    code=drift_code(),
    breaches=3,
    windows=5,
    cooldown_s=7200,
)


def test_names_are_the_same_on_both_sides() -> None:
    told = (publish.SCORE, publish.ALARM, publish.RETRAIN)
    assert told == (watching.SCORE_METRIC, watching.ALARM_METRIC, watching.RETRAIN_METRIC)
    assert baseline.FILE == watching.BASELINE_FILE
    assert (publish.AZURE_NAMESPACE, publish.DIMENSION) == (METRICS, MONITOR)
    assert windows_place("churn").startswith(watching.results_place(MONITOR_OF_ALL).path)


def _words(command: tuple[Template, ...]) -> list[str]:
    return [
        "".join(part if isinstance(part, str) else f"{PLACES[part.bucket]}/{part.path}" for part in template)  # type: ignore[union-attr]
        for template in command
    ]


@pytest.mark.parametrize("cloud", SOURCES)
def test_the_job_takes_every_option_that_a_monitors_pipeline_gives_it(cloud: str) -> None:
    pipeline = watching_pipeline(MONITOR_OF_ALL, SOURCES[cloud])
    assert pipeline is not None
    assert pipeline.steps is not None
    action = pipeline.steps.steps[0].action
    assert isinstance(action, Run)
    python, dash, module, *options = _words(action.command)
    assert (python, dash, module) == ("python", "-m", "drift")
    given = parser().parse_args(options)
    assert (given.monitor, given.every_s, given.column) == ("churn", 21_600, ["tenure", "monthly charge"])
    assert (given.data, given.prediction, given.concept) == (0.25, 0.3, 0.1)
    assert (given.breaches, given.windows, given.cooldown_s) == (3, 5, 7200)
    assert given.baseline == "s3://acme-artifacts/baselines/2026-11"
    assert given.labels == "s3://acme-data/labels/churn"
    assert given.results == "s3://acme-artifacts/monitoring/churn"


def test_a_monitor_that_retrains_nothing_has_no_cool_down() -> None:
    pipeline = watching_pipeline(replace(MONITOR_OF_ALL, retrain_pipeline=None), SOURCES["aws"])
    assert pipeline is not None
    assert pipeline.steps is not None
    action = pipeline.steps.steps[0].action
    assert isinstance(action, Run)
    assert parser().parse_args(_words(action.command)[3:]).cooldown_s is None
