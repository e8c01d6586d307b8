"""What Vertex AI does with each key of a pipeline's definition."""

from __future__ import annotations

from stacks.pipeline_keys import carries

__all__ = ["CARRIES"]

CARRIES = carries(
    differs={
        "steps.*.cache": "a result is kept until it is deleted, whatever its age",
        "steps.*.volume_gb": "a machine's disk has 100 GiB at least",
    },
    ignored={"steps.*.kind": "both are custom jobs"},
)
