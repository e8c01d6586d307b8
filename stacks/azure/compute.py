"""Compute clusters: machines for jobs, none while there is nothing to do.

One for each distinct machine that the spec asks for, since a cluster has one size and one price. May not run a job.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from stacks.azure.context import Context, Surroundings, Workplace
from stacks.azure.hubs import IMAGE_BUILDER
from stacks.azure.instances import Unavailable, as_returned, has_accelerator, machine
from stacks.azure.names import fitted
from stacks.azure.watching import job_of
from stacks.graph import GraphError, StackBuilder, Value
from stacks.intents import ModelMonitor, ModelRegistry, OnlineEndpoint, TrainingPipeline, describe
from stacks.pipelines import Run
from stacks.record import record

__all__ = ["Wanted", "add_clusters", "cluster_of", "wanted_machines"]

PARALLEL_NODES = 4
"""Nodes for a pipeline whose steps ask for fewer: so many steps run at once."""
BUILDER_SIZE = "cpu.medium"
BUILDER_NODES = 2
IDLE = "PT5M"
SPOT = "-spot"


@record
class Wanted:
    """A machine that something runs on: ``spot`` ones may be taken away at any time."""

    size: str
    spot: bool
    nodes: int
    origin: str


def wanted_machines(context: Context) -> Iterator[Wanted]:
    """What pipelines, monitors and batch endpoints run on, in the order of the spec; a machine may come twice."""
    for pipeline in context.all_of(TrainingPipeline):
        origin = describe(pipeline)
        runs = [step.action for step in pipeline.steps.steps] if pipeline.steps else []
        sizes = [
            (run.instance or pipeline.instance, run.spot, run.instances)
            for run in runs
            if isinstance(run, Run)
        ]
        for size, spot, nodes in sizes or [(pipeline.instance, False, 1)]:
            yield Wanted(size=size, spot=spot, nodes=max(nodes, PARALLEL_NODES), origin=origin)
    for monitor in context.all_of(ModelMonitor):
        if job_of(context, monitor) is not None:
            yield Wanted(size=monitor.instance, spot=False, nodes=1, origin=describe(monitor))
    for endpoint in context.all_of(OnlineEndpoint):
        if endpoint.mode == "batch":
            yield Wanted(
                size=endpoint.instance, spot=False, nodes=endpoint.max_replicas, origin=describe(endpoint)
            )


def cluster_of(size: str, *, spot: bool) -> str:
    """The name of the cluster of a size: the size in letters, digits and hyphens."""
    words = re.sub(r"[^a-z0-9]+", "-", size.removeprefix("Standard_").lower().replace("×", "x")).strip("-")
    # Azure ML takes no name that ends with a hyphen and digits.
    name = re.sub(r"-(\d+)$", r"-n\1", words)
    return fitted("compute", f"{name}{SPOT if spot else ''}")


def add_clusters(stack: StackBuilder, around: Surroundings, workplace: Workplace) -> Mapping[str, Value]:
    """Make a cluster for each machine, and one that builds images; return their names by size."""
    made: dict[str, Value] = {}
    biggest: dict[tuple[str, bool], Wanted] = {}
    for wanted in wanted_machines(around.context):
        key = (wanted.size, wanted.spot)
        known = biggest.get(key)
        if known is None or wanted.nodes > known.nodes:
            biggest[key] = wanted
    for wanted in biggest.values():
        name = cluster_of(wanted.size, spot=wanted.spot)
        _cluster(stack, around, workplace, name, wanted)
        made[f"{wanted.size}{SPOT if wanted.spot else ''}"] = name
    if around.registry.id is not None and _builds_images(around.context):
        origin = "model registry images"
        builder = Wanted(size=BUILDER_SIZE, spot=False, nodes=BUILDER_NODES, origin=origin)
        _cluster(stack, around, workplace, IMAGE_BUILDER, builder)
    return made


def _builds_images(context: Context) -> bool:
    """Whether there are jobs or endpoints, whose environments are images."""
    kinds = (TrainingPipeline, OnlineEndpoint, ModelRegistry)
    return any(isinstance(intent, kinds) for intent in context.platform.intents)


def _cluster(
    stack: StackBuilder, around: Surroundings, workplace: Workplace, name: str, wanted: Wanted
) -> None:
    size = machine(wanted.size, "compute")
    if isinstance(size, Unavailable):
        raise GraphError(size.message)
    stack.resource(
        "azurerm_machine_learning_compute_cluster",
        name,
        {
            "name": name,
            "location": around.context.region,
            "machine_learning_workspace_id": workplace.id,
            "description": f"{wanted.size}{', which may be taken away' if wanted.spot else ''}",
            "vm_size": as_returned(size),
            "vm_priority": "LowPriority" if wanted.spot else "Dedicated",
            "local_auth_enabled": False,
            "node_public_ip_enabled": False,
            "ssh_public_access_enabled": False,
            "identity": {"type": "UserAssigned", "identity_ids": [around.roles["training"].id]},
            "scale_settings": {
                "min_node_count": 0,
                "max_node_count": wanted.nodes,
                "scale_down_nodes_after_idle_duration": IDLE,
            },
            "tags": {
                **around.context.tags,
                "accelerator": "true" if has_accelerator(size) else "false",
            },
        },
        origin=wanted.origin,
    )
