"""What plain Kubeflow Pipelines does with each key of a pipeline's definition."""

from __future__ import annotations

from stacks.pipeline_keys import carries

__all__ = ["CARRIES"]

RECORD = "there is no registry: the model's files and a record are artifacts of the run"

CARRIES = carries(
    differs={
        "steps.*.code": "the folder travels in the command, 48 KiB at most; the image needs sh, base64 and tar",
        "steps.*.inputs: BUCKET:PATH": "s3, gs and minio only; what is before the first parameter is brought whole",
        "steps.*.instance": "neutral sizes only, as processors, memory and a number of accelerators of any kind",
        "steps.*.cache": "a result is kept until the server drops it, whatever its age",
        "steps.*.register.model": RECORD,
        "steps.*.register.artifact": RECORD,
        "steps.*.register.image": RECORD,
        "steps.*.register.content_type": RECORD,
        "steps.*.register.metrics": RECORD,
    },
    ignored={
        "steps.*.kind": "both are pods",
        "steps.*.volume_gb": "a pod has the disk of its node",
        "steps.*.spot": "which nodes may be taken back is the cluster's own",
    },
    refused={
        "steps.*.command, left out": "the launcher runs a command, not an image's entry point",
        "steps.*.outputs: BUCKET:PATH": "outputs are written below the run's root only",
        "steps.*.instances": "a task is one pod",
    },
)
