"""Pipelines: definitions are checked, those in S3 are told as text, and a missing one is a ResourceNotFound.

moto 5.2.5 takes any text for a definition, tells one from S3 as Python writes it, and says ValidationException
where Terraform waits for ResourceNotFound.
"""

from __future__ import annotations

import json
from typing import Any

from moto.s3.models import s3_backends
from moto.sagemaker.models import sagemaker_backends

from tests.emulator.call import Call, Refusal, Result, Service
from tests.emulator.tags import Tags

__all__ = ["part"]

_VERSION = "2020-12-01"
"""The only version of the pipeline definition schema (Amazon SageMaker Pipelines schema, 2020-12)."""

_LOCATION = "PipelineDefinitionS3Location"


def part(_tags: Tags) -> Service:
    """No state: pipelines are moto's."""
    return Service(
        name="sagemaker",
        answers={
            "CreatePipeline": _check_definition,
            "UpdatePipeline": _check_update,
            "DescribePipeline": _check_exists,
            "DeletePipeline": _check_exists,
            "StartPipelineExecution": _check_exists,
            "ListPipelineExecutions": _check_exists,
        },
        amendments={"CreatePipeline": _keep_text, "UpdatePipeline": _keep_text},
    )


def _check_exists(call: Call) -> None:
    name = call.text("PipelineName").rpartition("/")[2]
    if name not in _backend(call).pipelines:
        raise Refusal("ResourceNotFound", f"Pipeline '{name}' does not exist.")


def _check_update(call: Call) -> None:
    _check_exists(call)
    if call.text("PipelineDefinition") or call.mapping(_LOCATION):
        _check_definition(call)


def _check_definition(call: Call) -> None:
    text = _text_in_s3(call) or call.text("PipelineDefinition")
    try:
        definition = json.loads(text)
    except json.JSONDecodeError as error:
        raise _invalid(f"Unable to parse pipeline definition: {error}") from error
    if not isinstance(definition, dict) or definition.get("Version") != _VERSION:
        raise _invalid(f"a pipeline definition has Version {_VERSION}")
    steps = definition.get("Steps")
    if not isinstance(steps, list) or not steps:
        raise _invalid("a pipeline definition has Steps")
    names = [step.get("Name") for step in steps]
    if len(set(names)) < len(names) or None in names:
        raise _invalid("the steps of a pipeline have names, each its own")


def _keep_text(call: Call, result: Result) -> Result:
    text = _text_in_s3(call)
    if text is not None:
        _backend(call).pipelines[call.text("PipelineName")].pipeline_definition = text
    return result


def _text_in_s3(call: Call) -> str | None:
    """The definition that a call points at; None where it carries the definition itself."""
    location = call.mapping(_LOCATION)
    if not location:
        return None
    bucket, key = str(location["Bucket"]), str(location["ObjectKey"])
    buckets: Any = s3_backends[call.account]["aws"]
    found = buckets.get_object(bucket, key) if bucket in buckets.buckets else None
    if found is None:
        raise _invalid(f"there is no pipeline definition at s3://{bucket}/{key}")
    return bytes(found.value).decode("utf-8")


def _backend(call: Call) -> Any:
    """moto has no type information."""
    return sagemaker_backends[call.account][call.region]


def _invalid(message: str) -> Refusal:
    return Refusal("ValidationException", message)
