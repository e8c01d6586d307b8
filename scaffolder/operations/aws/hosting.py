"""What stands behind an endpoint in SageMaker: models, configurations, and the endpoint as it is.

Models and configurations never change: their names are made of what decides them, so that making one twice makes one.
May not decide what serves, nor touch what operations did not make.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from hashlib import sha256
from typing import Any

from scaffolder.operations.aws.registry import package_of
from scaffolder.operations.aws.surroundings import MADE_BY, Surroundings
from scaffolder.operations.errors import AlreadyExists
from stacks.aws.names import fitted
from stacks.intents import ModelRegistry
from stacks.record import record

__all__ = ["Hosting", "Live", "Variant"]

MARK_LENGTH = 8
ROLE = "serving"


@record
class Variant:
    """A deployment as SageMaker has it: a model on machines with a weight."""

    name: str
    model: str
    instance: str
    instances: int
    weight: float

    def configured(self) -> dict[str, Any]:
        """Write it for an endpoint's configuration."""
        return {
            "VariantName": self.name,
            "ModelName": self.model,
            "InstanceType": self.instance,
            "InitialInstanceCount": self.instances,
            "InitialVariantWeight": self.weight,
            "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
        }


@record
class Live:
    """An endpoint that is there. ``pending`` are the variants of an update that goes on; empty when none does."""

    said: Mapping[str, Any]
    variants: Mapping[str, Variant]
    pending: Mapping[str, Variant] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """SageMaker's word."""
        return str(self.said["EndpointStatus"])

    @property
    def in_service(self) -> bool:
        """Whether it serves and nothing goes on."""
        return self.status == "InService"

    @property
    def wanted(self) -> Mapping[str, Variant]:
        """The variants that there will be once what goes on is done."""
        return self.pending or self.variants


class Hosting:
    """Models, configurations and endpoints."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.around = surroundings
        self.account = surroundings.account
        self.context = surroundings.context

    # --- models ---

    def model(self, endpoint: str, model: str, version: int) -> str:
        """Make the model that serves a version, unless it is there, and return its name."""
        decided = {
            "PrimaryContainer": {
                "Mode": "SingleModel",
                "ModelPackageName": package_of(self.around, model, version),
            },
            "ExecutionRoleArn": self.around.role(ROLE),
            "EnableNetworkIsolation": True,
            "VpcConfig": self.around.vpc_config,
        }
        name = fitted("sagemaker", f"{self.context.prefix}-{endpoint}-ops-{_mark(decided)}")
        with suppress(AlreadyExists):  # the same: its name says all that decides it
            self.account.ask(
                "sagemaker",
                "CreateModel",
                {"ModelName": name, **decided, "Tags": self.around.tags},
                f"make the model of {model} {version}",
            )
        return name

    def version_of(self, model: str) -> tuple[str, int | None]:
        """The spec's model and the version that a SageMaker model serves; empty for one that is not of a package."""
        said = self.account.find("sagemaker", "DescribeModel", {"ModelName": model}, f"look at model {model}")
        package = (said or {}).get("PrimaryContainer", {}).get("ModelPackageName", "")
        group, _, version = package.rpartition(":model-package/")[2].partition("/")
        for name in self._models():
            if self.context.model_group(name) == group and version.isdigit():
                return name, int(version)
        return "", None

    def _models(self) -> list[str]:
        return [model.name for model in self.context.all_of(ModelRegistry)]

    # --- configurations ---

    def configuration(self, endpoint: str, variants: Sequence[Variant], capture_percent: int) -> str:
        """Make an endpoint's configuration, unless it is there, and return its name."""
        volumes = [self.around.volume_key(variant.instance) for variant in variants]
        decided: dict[str, Any] = {
            "ProductionVariants": [variant.configured() for variant in variants],
            **({"KmsKeyId": volumes[0]} if all(volumes) else {}),
            **({"DataCaptureConfig": self._capture(endpoint, capture_percent)} if capture_percent else {}),
        }
        name = fitted("sagemaker", f"{self.context.prefix}-{endpoint}-ops-{_mark(decided)}")
        with suppress(AlreadyExists):  # the same: its name says all that decides it
            self.account.ask(
                "sagemaker",
                "CreateEndpointConfig",
                {"EndpointConfigName": name, **decided, "Tags": self.around.tags},
                f"configure endpoint {endpoint}",
            )
        return name

    def _capture(self, endpoint: str, percent: int) -> dict[str, Any]:
        key = self.around.data_key
        return {
            "EnableCapture": True,
            "InitialSamplingPercentage": percent,
            "DestinationS3Uri": f"s3://{self.context.bucket('data')}/capture/{endpoint}",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {
                "CsvContentTypes": ["text/csv"],
                "JsonContentTypes": ["application/json"],
            },
            **({"KmsKeyId": key} if key else {}),
        }

    # --- endpoints ---

    def live(self, endpoint: str) -> Live | None:
        """The endpoint as it is, ``None`` when there is none."""
        name = self.context.endpoint(endpoint)
        said = self.account.find(
            "sagemaker", "DescribeEndpoint", {"EndpointName": name}, f"look at endpoint {endpoint}"
        )
        if said is None:
            return None
        pending = said.get("PendingDeploymentSummary", {}).get("EndpointConfigName")
        return Live(
            said=said,
            variants=self._variants(said.get("EndpointConfigName"), said.get("ProductionVariants", ())),
            pending=self._variants(pending, said.get("ProductionVariants", ())) if pending else {},
        )

    def _variants(
        self, configuration: str | None, running: Sequence[Mapping[str, Any]]
    ) -> Mapping[str, Variant]:
        """The variants of a configuration, with the weights and machines that they have by now."""
        if configuration is None:
            return {}
        said = self.account.find(
            "sagemaker",
            "DescribeEndpointConfig",
            {"EndpointConfigName": configuration},
            f"look at configuration {configuration}",
        )
        now = {variant["VariantName"]: variant for variant in running}
        variants = {}
        for one in (said or {}).get("ProductionVariants", ()):
            name = one["VariantName"]
            current = now.get(name, {})
            variants[name] = Variant(
                name=name,
                model=one["ModelName"],
                instance=one.get("InstanceType", ""),
                instances=int(current.get("CurrentInstanceCount") or one.get("InitialInstanceCount", 1)),
                weight=float(current.get("DesiredWeight", one.get("InitialVariantWeight", 1.0))),
            )
        return variants

    def is_ours(self, arn: str) -> bool:
        """Whether operations made something, by its tag."""
        return MADE_BY["Value"] == self.tags_of(arn).get(MADE_BY["Key"])

    def tags_of(self, arn: str) -> Mapping[str, str]:
        """The tags of something of SageMaker's; none where it is not there."""
        said = self.account.find("sagemaker", "ListTags", {"ResourceArn": arn}, f"read the tags of {arn}")
        return {tag["Key"]: tag["Value"] for tag in (said or {}).get("Tags", ())}


def _mark(decided: Mapping[str, Any]) -> str:
    """A short digest of all that decides something."""
    return sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()[:MARK_LENGTH]
