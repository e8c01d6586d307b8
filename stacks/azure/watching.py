"""Monitors with a job of their own: where Azure ML keeps requests, how the job publishes, and the alert on that.

Terraform has no pipeline of Azure ML: operations put the job and its schedule. May not put either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from stacks.adapter import TargetProblem
from stacks.azure.assets import workspace_id
from stacks.azure.context import Context
from stacks.intents import ModelMonitor, OnlineEndpoint, TrainingPipeline
from stacks.watching import Sources, clock_problems, cron_of, unkept_problems, watching_pipeline

__all__ = ["COLLECTED", "METRICS", "datastore_id", "insights_id", "job_of", "watching_problems"]

METRICS = "Drift"
"""The namespace of the metrics that the drift code publishes to Azure Monitor."""

COLLECTED = "modelDataCollector"
"""Where deployments keep what they collect in the workspace's own datastore, by endpoint and deployment (Azure Machine
Learning, "Collect production data from models deployed for real-time inferencing", November 2026)."""

DATASTORE = "workspaceblobstore"


def datastore_id(context: Context) -> str:
    """The id of the datastore that deployments collect into; which container it is only Azure knows."""
    return f"{workspace_id(context)}/datastores/{DATASTORE}"


def insights_id(context: Context) -> str:
    """The id of the resource whose metrics the job publishes: any of the platform's identities may."""
    group, name = context.name("resource-group"), context.name("application-insights", "insights")
    return f"{context.subscription_id}/resourceGroups/{group}/providers/Microsoft.Insights/components/{name}"


def job_of(context: Context, monitor: ModelMonitor, container: str = "") -> TrainingPipeline | None:
    """The monitor's job as a pipeline with its schedule, where it has one.

    ``container`` is the address of the container that deployments collect into.
    """
    collected = f"{container}/{COLLECTED}/{context.unique_name('endpoint', monitor.endpoint)}"
    run = watching_pipeline(
        monitor,
        Sources(
            captured=(collected,),
            captured_format="azureml",
            publish=f"azuremonitor:{context.region}:{insights_id(context)}",
        ),
    )
    return replace(run, schedule=cron_of(monitor)) if run is not None else None


def watching_problems(context: Context) -> Iterator[TargetProblem]:
    """Refuse periods that a schedule cannot say, and endpoints that keep no requests."""
    monitors = [*context.all_of(ModelMonitor)]
    yield from clock_problems(monitors)
    yield from unkept_problems(monitors, context.all_of(OnlineEndpoint))
