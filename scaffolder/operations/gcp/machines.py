"""The machines that a spec asks of Vertex AI, and the quota that each counts against.

Quotas are of processors and of accelerators, apart for training, spot and serving; the names are those that Vertex AI's own
refusals name (``aiplatform.googleapis.com/custom_model_training_cpus``, November 2026). May not call a service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stacks.gcp.context import Context
from stacks.gcp.instances import Machine, Use, machine
from stacks.gcp.jobs import use_of
from stacks.intents import OnlineEndpoint, TrainingPipeline
from stacks.pipelines import Run
from stacks.record import record

__all__ = ["Need", "needs"]

KINDS: dict[Use, str] = {
    "training": "custom_model_training",
    "spot": "custom_model_training_preemptible",
    "serving": "custom_model_serving",
}


@record
class Need:
    """So many of a quota's units, at once, for something that the spec names."""

    metric: str
    many: int
    what: str


def needs(context: Context) -> Iterator[Need]:
    """Yield the most that any one thing in the spec needs of each quota, by quota."""
    most: dict[str, Need] = {}
    for need in _all(context):
        if need.many > (most[need.metric].many if need.metric in most else 0):
            most[need.metric] = need
    yield from (most[metric] for metric in sorted(most))


def _all(context: Context) -> Iterator[Need]:
    for pipeline in context.all_of(TrainingPipeline):
        for step in pipeline.steps.steps if pipeline.steps is not None else ():
            if isinstance(step.action, Run):
                size, use = step.action.instance or pipeline.instance, use_of(step.action)
                what = f"step {step.name} of {pipeline.name}"
                yield from _of(context, size, use, step.action.instances, what)
    for endpoint in context.all_of(OnlineEndpoint):
        if endpoint.mode in {"realtime", "batch"}:
            what = f"endpoint {endpoint.name}"
            yield from _of(context, endpoint.instance, "serving", endpoint.max_replicas, what)


def _of(context: Context, size: str, use: Use, many: int, what: str) -> Iterator[Need]:
    found = machine(size, use, context.region)
    if not isinstance(found, Machine):
        return
    cores = re.search(r"-(\d+)$", found.type)
    if cores is not None:
        yield Need(metric=f"{KINDS[use]}_cpus", many=int(cores[1]) * many, what=what)
    if found.accelerator:
        card = found.accelerator.lower().replace("nvidia_tesla_", "nvidia_")
        yield Need(metric=f"{KINDS[use]}_{card}_gpus", many=found.count * many, what=what)
