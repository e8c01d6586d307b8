"""What this machine does with each key of a pipeline's definition."""

from __future__ import annotations

from stacks.pipeline_keys import carries

__all__ = ["CARRIES"]

NO_IMAGES = "steps are processes of this Python, on this machine"

CARRIES = carries(
    ignored={
        "description": "a run is shown by the pipeline's name",
        "steps.*.kind": NO_IMAGES,
        "steps.*.image": NO_IMAGES,
        "steps.*.instance": NO_IMAGES,
        "steps.*.instances": NO_IMAGES,
        "steps.*.volume_gb": NO_IMAGES,
        "steps.*.spot": NO_IMAGES,
    },
    refused={"steps.*.command, left out": "a step that has no command runs in its image only"},
)
