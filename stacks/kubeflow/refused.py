"""What Kubeflow Pipelines cannot be told of a pipeline, and what it does otherwise than it is asked.

Pure. May not write a document.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from stacks.intents import TrainingPipeline
from stacks.kubeflow.cluster import READABLE, Cluster, size_of
from stacks.kubeflow.containers import imported, packed
from stacks.pipelines import (
    BucketPath,
    PipelineDefinition,
    Register,
    Run,
    Step,
    Template,
    chains_of,
    parted,
)

__all__ = ["MOST_CODE", "pipeline_problems", "pipeline_warnings"]

MOST_CODE = 65_536
"""Characters of a packed code folder: the driver is given a whole container in one argument, of which Linux takes 131 072
bytes (MAX_ARG_STRLEN), and the pod's patch repeats it beside the step's inputs."""

ORDINARY_VOLUME_GB = 30
"""What a definition asks for when it says nothing."""

Said = Iterator[tuple[str, str]]


def pipeline_problems(intent: TrainingPipeline, cluster: Cluster) -> Said:
    """Yield what Kubeflow cannot be told, and a hint."""
    definition = intent.steps
    if definition is None:
        return
    for parameter in definition.parameters:
        if isinstance(parameter.default, str) and _is_placeholder(parameter.default):
            yield (
                f'parameter {parameter.name}: "{{{{" starts a placeholder of Kubeflow and of Argo',
                "Choose a value without it.",
            )
    chains = chains_of(definition)
    for step in definition.steps:
        apart = parted(step, chains)
        if apart is not None:
            yield (
                f"step {step.name} waits for the gates of {apart[0]} and {apart[1]}: neither is inside the other to join them",
                "Put one gate after the other, or the second one's condition on this step.",
            )
        if isinstance(step.action, Run):
            yield from _of_run(step.name, step.action, intent, definition)
            yield from _of_places(step.name, step.action, cluster)


def _of_run(name: str, run: Run, intent: TrainingPipeline, definition: PipelineDefinition) -> Said:
    if not run.command:
        yield (
            f"step {name} has no command: the launcher of Kubeflow Pipelines runs one, not an image's entry point",
            "Write the image's own command into the step.",
        )
    instance = run.instance or intent.instance
    if size_of(instance) is None:
        yield (
            f'step {name}: instance "{instance}" is a cloud\'s own machine, and a cluster is asked for processors and memory',
            "Choose a neutral size, such as cpu.medium or gpu.t4.",
        )
    if run.instances > 1:
        yield (
            f"step {name}: {run.instances} instances: a task of Kubeflow Pipelines is one pod",
            "Train on one machine, with more accelerators: instance gpu.a100×8.",
        )
    if any(_is_placeholder(part) for part in _texts(run)):
        yield (
            f'step {name}: "{{{{" in a text starts a placeholder of Kubeflow and of Argo',
            "Take the text out of the definition into the code.",
        )
    if run.code is not None and len(packed(definition.code[run.code])) > MOST_CODE:
        yield (
            (
                f"step {name}: the folder {run.code} has {len(packed(definition.code[run.code])):,} characters when it is packed"
                f" into a command, which takes {MOST_CODE:,}"
            ),
            "Put the code into the image, or leave files out of the folder.",
        )


def _of_places(name: str, run: Run, cluster: Cluster) -> Said:
    for output, it in run.outputs.items():
        if it.place is not None:
            yield (
                (
                    f"step {name}: output {output} has a place in bucket {it.place.bucket}: Kubeflow Pipelines writes outputs"
                    " below the run's own root only"
                ),
                "Let the run keep it (folder, model or metrics), or write there from the step's own program.",
            )
    for key, source in run.inputs.items():
        if not isinstance(source, BucketPath):
            continue
        address = cluster.buckets[source.bucket]
        if not address.startswith(READABLE):
            yield (
                f"step {name}: input {key} is in {address}: Kubeflow Pipelines imports from {', '.join(READABLE)} only",
                "Read it from the step's own program.",
            )
        elif not imported(source)[0]:
            yield (
                (
                    f"step {name}: input {key} is a whole bucket, or its first folder depends on a parameter:"
                    " Kubeflow Pipelines imports a folder that is the same in every run"
                ),
                f"Put a folder before it: {source.bucket}:FOLDER/….",
            )


def pipeline_warnings(intent: TrainingPipeline) -> Said:
    """Yield what Kubeflow does otherwise than it is asked, and a hint."""
    for step in intent.steps.steps if intent.steps is not None else ():
        yield from _kept(step) if isinstance(step.action, Register) else _otherwise(step, step.action, intent)


def _kept(step: Step) -> Said:
    yield (
        (
            f"step {step.name}: Kubeflow Pipelines has no registry of models: the step keeps the model's files and a record"
            " of what they are as artifacts of the run"
        ),
        "Versions, approval and stages are a registry's: put a step that calls yours in its place.",
    )


def _otherwise(step: Step, run: Run, intent: TrainingPipeline) -> Said:
    if run.cache_s is not None:
        yield (
            (
                f"step {step.name}: Kubeflow Pipelines keeps a cached result until its server drops it, not for {run.cache_s}"
                " seconds"
            ),
            "Leave cache out where a result ages.",
        )
    if run.spot:
        yield (
            f"step {step.name}: spot: which nodes may be taken back is the cluster's own, so it runs on any",
            "Let the cluster's scheduler choose, by the namespace or the service account.",
        )
    if run.volume_gb > ORDINARY_VOLUME_GB:
        yield (
            f"step {step.name}: volume_gb {run.volume_gb}: a pod has the disk of its node",
            "See that nodes have so much.",
        )
    instance = run.instance or intent.instance
    if instance.startswith("gpu."):
        yield (
            f'step {step.name}: instance "{instance}": a cluster is asked for accelerators, not for their kind',
            "See that nodes with others are not in the cluster, or are tainted.",
        )
    for name, source in run.inputs.items():
        if isinstance(source, BucketPath) and imported(source)[1]:
            yield (
                (
                    f"step {step.name}: input {name}: the folder {source.bucket}:{imported(source)[0]} is brought whole, and the"
                    " step reads a part of it: an address that depends on a parameter cannot be imported"
                ),
                "Keep little in the folder.",
            )


def _texts(run: Run) -> Iterator[str]:
    templates: Iterator[Template] = chain(run.command, run.environment.values())
    yield from (part for template in templates for part in template if isinstance(part, str))


def _is_placeholder(text: str) -> bool:
    """Whether Kubeflow, or Argo under it, would read a text as something else; a clause starts an argument in JSON."""
    return "{{" in text or text.lstrip().startswith(('{"IfPresent":', '{"Concat":'))
