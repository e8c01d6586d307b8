"""What Azure ML does with each key of a pipeline's definition."""

from __future__ import annotations

from stacks.pipeline_keys import carries

__all__ = ["CARRIES"]

CARRIES = carries(
    differs={
        "steps.*.cache": "a result is kept until it is deleted, whatever its age",
        "steps.*.after": "a step takes an output of the other that it does not use",
        "steps.*.when.metric": "there is no condition: each step behind a gate starts, looks and ends early",
    },
    ignored={
        "steps.*.kind": "both are command jobs",
        "steps.*.volume_gb": "a cluster's node has its machine's disk",
        "steps.*.retries": "a step that fails fails the run",
    },
    refused={"steps.*.command, left out": "no image runs by its own command"},
)
