"""Batch endpoints: a SageMaker pipeline of one transform job for each.

May not say when it runs.
"""

from __future__ import annotations

from stacks.aws.context import Runnable, Surroundings
from stacks.aws.instances import Unavailable, machine
from stacks.aws.pipelines import SCHEMA, volume_key
from stacks.graph import GraphError, JsonText, Node, StackBuilder, Value
from stacks.intents import OnlineEndpoint, describe

__all__ = ["add_scoring"]


def add_scoring(stack: StackBuilder, around: Surroundings, endpoint: OnlineEndpoint, model: Node) -> Runnable:
    """A batch endpoint is a pipeline of one transform job, which a schedule, a person or a program starts."""
    context = around.context
    instance = machine(endpoint.instance, "transform", context.region)
    if isinstance(instance, Unavailable):
        raise GraphError(instance.message)
    name = endpoint.name
    out: Value = {
        "Std:Join": {
            "On": "/",
            "Values": [{"Get": "Parameters.Output"}, {"Get": "Execution.PipelineExecutionId"}],
        }
    }
    key = volume_key(around.keys, instance)
    definition: Value = {
        "Version": SCHEMA,
        "Metadata": {},
        "Parameters": [
            {
                "Name": "Input",
                "Type": "String",
                "DefaultValue": around.place("data", f"batch/{name}/input/"),
            },
            {
                "Name": "Output",
                "Type": "String",
                "DefaultValue": around.place("data", f"batch/{name}/output"),
            },
            {"Name": "ContentType", "Type": "String", "DefaultValue": "text/csv"},
            {"Name": "Instances", "Type": "Integer", "DefaultValue": endpoint.max_replicas},
        ],
        "Steps": [
            {
                "Name": "score",
                "Type": "Transform",
                "Arguments": {
                    "ModelName": model.ref("name"),
                    "BatchStrategy": "MultiRecord",
                    "TransformInput": {
                        "DataSource": {
                            "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": {"Get": "Parameters.Input"}}
                        },
                        "ContentType": {"Get": "Parameters.ContentType"},
                        "SplitType": "Line",
                    },
                    "TransformOutput": {
                        "S3OutputPath": out,
                        "AssembleWith": "Line",
                        **({"KmsKeyId": around.keys.data} if around.keys.data is not None else {}),
                    },
                    "TransformResources": {
                        "InstanceType": instance,
                        "InstanceCount": {"Get": "Parameters.Instances"},
                        **({"VolumeKmsKeyId": key} if key is not None else {}),
                    },
                },
            }
        ],
    }
    pipeline = stack.resource(
        "aws_sagemaker_pipeline",
        f"{name}-batch",
        {
            "pipeline_name": context.scoring(name),
            "pipeline_display_name": context.scoring(name),
            "pipeline_description": f"Scores what is below batch/{name}/input of the data bucket",
            "role_arn": around.roles["pipelines"],
            "pipeline_definition": JsonText(definition),
        },
        origin=describe(endpoint),
    )
    return Runnable(name=pipeline.ref("pipeline_name"), arn=pipeline.ref("arn"))
