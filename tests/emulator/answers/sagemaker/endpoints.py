"""Models, endpoint configurations and endpoints: moto 5.2.5 forgets some of each, and checks little.

What AWS refuses is refused here: names that are taken, serverless endpoints with anything that they exclude,
disk keys for instances with disks of their own, an update to a configuration that does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.sagemaker.models import sagemaker_backends

from tests.emulator.answers.sagemaker.instances import check_instance_type, check_volume_key
from tests.emulator.call import Call, Refusal, Result, Service
from tests.emulator.entity import now
from tests.emulator.memory import Memory
from tests.emulator.tags import Tags

__all__ = ["part"]

_MODEL_MEMBERS = (
    "ModelName",
    "PrimaryContainer",
    "Containers",
    "InferenceExecutionConfig",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
)

_CONFIG_MEMBERS = (
    "EndpointConfigName",
    "ProductionVariants",
    "ShadowProductionVariants",
    "DataCaptureConfig",
    "KmsKeyId",
    "AsyncInferenceConfig",
    "ExplainerConfig",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
)


class _Endpoints:
    def __init__(self) -> None:
        self.models = Memory("Model", "ModelName", _MODEL_MEMBERS, {"EnableNetworkIsolation": False})
        self.configs = Memory("EndpointConfig", "EndpointConfigName", _CONFIG_MEMBERS)
        self.deployments = Memory("Endpoint", "EndpointName", ("DeploymentConfig",))

    def check_model(self, call: Call) -> None:
        if self.models.of(call, call.text("ModelName")):
            raise _invalid(f'Cannot create already existing model "{call.text("ModelName")}".')
        packages = sagemaker_backends[call.account][call.region].model_package_name_mapping
        for container in _containers(call.parameters):
            package = container.get("ModelPackageName")
            if package is not None and package not in packages:
                raise _invalid(f'Could not find model package "{package}".')

    def check_config(self, call: Call) -> None:
        name = call.text("EndpointConfigName")
        if self.configs.of(call, name):
            raise _invalid(f'Cannot create already existing endpoint configuration "{name}".')
        variants = _mappings(call.listed("ProductionVariants"))
        for variant in variants:
            self._check_variant(call, variant)
        if any("ServerlessConfig" in variant for variant in variants):
            _check_serverless(call, variants)

    def check_endpoint(self, call: Call) -> None:
        name = call.text("EndpointName")
        if name in sagemaker_backends[call.account][call.region].endpoints:
            raise _invalid(f'Cannot create already existing endpoint "{name}".')

    def update_endpoint(self, call: Call) -> Result:
        backend: Any = sagemaker_backends[call.account][call.region]
        before = backend.endpoints.get(call.text("EndpointName"))
        if before is None:
            raise _invalid(f'Could not find endpoint "{call.text("EndpointName")}".')
        config = backend.endpoint_configs.get(call.text("EndpointConfigName"))
        if config is None:
            raise _invalid(f'Could not find endpoint configuration "{call.text("EndpointConfigName")}".')
        after = backend.create_endpoint(before.endpoint_name, config.endpoint_config_name, before.tags)
        after.creation_time, after.last_modified_time = before.creation_time, now()
        if call.parameters.get("RetainDeploymentConfig") is not True:
            self.deployments.replace(call)
        return {"EndpointArn": after.arn}

    def tell_endpoint(self, call: Call, result: Result) -> Result:
        """Add the last deployment, and what the configuration says of capture and of asynchronous answers."""
        config = self.configs.of(call, str(result["EndpointConfigName"]))
        told = {member: value for member, value in result.items() if member != "DataCaptureConfig"}
        deployment = self.deployments.of(call, call.text("EndpointName")).get("DeploymentConfig")
        capture = config.get("DataCaptureConfig")
        if deployment is not None:
            told["LastDeploymentConfig"] = deployment
        if "AsyncInferenceConfig" in config:
            told["AsyncInferenceConfig"] = config["AsyncInferenceConfig"]
        if isinstance(capture, Mapping):
            told["DataCaptureConfig"] = {
                "EnableCapture": capture.get("EnableCapture", False),
                "CaptureStatus": "Started" if capture.get("EnableCapture") else "Stopped",
                "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
                "DestinationS3Uri": capture["DestinationS3Uri"],
                "KmsKeyId": capture.get("KmsKeyId", ""),
            }
        return told

    def _check_variant(self, call: Call, variant: Mapping[str, object]) -> None:
        has_instances = variant.get("InstanceType") is not None
        if has_instances == ("ServerlessConfig" in variant):
            raise _invalid("a variant needs one of InstanceType and ServerlessConfig")
        if has_instances:
            check_instance_type(str(variant["InstanceType"]), "ProductionVariantInstanceType")
            check_volume_key({**variant, "KmsKeyId": call.parameters.get("KmsKeyId")}, "KmsKeyId")
            return
        model = self.models.of(call, str(variant.get("ModelName")))
        for member in ("VpcConfig", "EnableNetworkIsolation"):
            if model.get(member):
                raise _invalid(f"a serverless variant can't serve a model with {member}")
        if len(_mappings(model.get("Containers"))) > 1:
            raise _invalid("a serverless variant can't serve an inference pipeline")
        if any(container.get("Mode") == "MultiModel" for container in _containers(model)):
            raise _invalid("a serverless variant can't serve a multi-model container")


def part(_tags: Tags) -> Service:
    """No models and no endpoints."""
    endpoints = _Endpoints()
    deployments = endpoints.deployments.amendments()
    return Service(
        name="sagemaker",
        answers={
            "CreateModel": endpoints.check_model,
            "CreateEndpointConfig": endpoints.check_config,
            "CreateEndpoint": endpoints.check_endpoint,
            "UpdateEndpoint": endpoints.update_endpoint,
        },
        amendments={
            **endpoints.models.amendments(),
            **endpoints.configs.amendments(),
            **{name: deployments[name] for name in ("CreateEndpoint", "DeleteEndpoint")},
            "DescribeEndpoint": endpoints.tell_endpoint,
        },
    )


def _check_serverless(call: Call, variants: Sequence[Mapping[str, object]]) -> None:
    """Refuse what serverless inference excludes (SageMaker guide, serverless endpoints, 2025-06)."""
    if len(variants) > 1:
        raise _invalid("a serverless endpoint has one production variant")
    if call.mapping("DataCaptureConfig").get("EnableCapture"):
        raise _invalid("a serverless endpoint can't capture data")
    for member in ("AsyncInferenceConfig", "VpcConfig", "EnableNetworkIsolation"):
        if call.parameters.get(member):
            raise _invalid(f"a serverless endpoint takes no {member}")


def _containers(model: Mapping[str, object]) -> list[Mapping[str, object]]:
    primary = model.get("PrimaryContainer")
    return [*([primary] if isinstance(primary, Mapping) else []), *_mappings(model.get("Containers"))]


def _mappings(value: object) -> list[Mapping[str, object]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, Sequence) else []


def _invalid(message: str) -> Refusal:
    return Refusal("ValidationException", message)
