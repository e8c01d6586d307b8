"""What SageMaker does with each key of a pipeline's definition."""

from __future__ import annotations

from stacks.pipeline_keys import carries

__all__ = ["CARRIES"]

CARRIES = carries(
    differs={
        "steps.*.retries": "for faults of the service only: a command that fails is not run again",
    },
)
