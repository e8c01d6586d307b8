"""What each target does with each key of a pipeline's definition, as a part of the vocabulary's page.

Generated from the lists beside the compilers. May not state what a target does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from stacks.pipeline_keys import KEYS, Carries

__all__ = ["TARGETS", "carried_by", "targets_page"]

TARGETS: Mapping[str, tuple[str, str]] = {
    "sagemaker": ("SageMaker", "stacks.aws.pipeline_keys"),
    "vertex": ("Vertex AI", "stacks.gcp.pipeline_keys"),
    "azureml": ("Azure ML", "stacks.azure.pipeline_keys"),
    "kubeflow": ("Kubeflow", "stacks.kubeflow.keys"),
    "local": ("this machine", "scaffolder.operations.local.pipeline_keys"),
}
"""Where ``scaffolder compile`` and ``scaffolder run`` bring a pipeline: what people call it, and the module of its list."""

INTRODUCTION = """\
## What each target does with each key

*full*: what is asked. *differs*: in another way, told below. *ignored*: nothing. *refused*: a finding, by the step's name.
`scaffolder compile` prints what a pipeline becomes, with what differs on stderr.
"""


def carried_by(target: str) -> Carries:
    """A target's list."""
    found: Carries = import_module(TARGETS[target][1]).CARRIES
    return found


def targets_page() -> str:
    """The table and the reasons, as Markdown."""
    return "\n".join([INTRODUCTION, *_table(), "", *_reasons()]) + "\n"


def _table() -> Iterator[str]:
    yield f"| Key | {' | '.join(title for title, _ in TARGETS.values())} |"
    yield "|---" * (len(TARGETS) + 1) + "|"
    lists = [carried_by(target) for target in TARGETS]
    for key in KEYS:
        yield f"| {_named(key)} | {' | '.join(carried[key].how for carried in lists)} |"


def _reasons() -> Iterator[str]:
    """One line for each reason, with the keys that it is of."""
    for target, (title, _) in TARGETS.items():
        keys: dict[tuple[str, str], list[str]] = {}
        for key, carried in carried_by(target).items():
            if carried.reason:
                keys.setdefault((carried.how, carried.reason), []).append(_named(key))
        for (how, reason), those in keys.items():
            yield f"- **{title}**, {how}: {', '.join(those)}: {reason}."


def _named(key: str) -> str:
    path, *more = key.replace(": ", ", ", 1).split(", ", 1)
    rest = more[0] if more else ""
    written = f"`{rest}`" if rest.isupper() else rest
    return f"`{path}`" + (f" {written}" if written else "")
