"""How many machines a deployment has: targets and policies of Application Auto Scaling.

AWS scales a variant only once it serves, so what was asked is kept in the endpoint's tags until then. May not change
traffic.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scaffolder.operations.aws.hosting import Hosting, Live
from scaffolder.operations.errors import InvalidRequest, NotFound
from scaffolder.operations.values import Autoscaling
from stacks.aws.instances import shape_of
from stacks.aws.scaling import SCALE_IN_COOLDOWN_S, SCALE_OUT_COOLDOWN_S

__all__ = ["Scaling"]

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
NAMESPACE = "sagemaker"
TAG = "scaling/"


class Scaling:
    """The scaling of deployments."""

    def __init__(self, hosting: Hosting) -> None:
        self.hosting = hosting
        self.account = hosting.account
        self.context = hosting.context

    def tag(self, deployment: str, scaling: Autoscaling) -> dict[str, str]:
        """What is asked, as a tag of the endpoint."""
        asked = f"{scaling.min_replicas}/{scaling.max_replicas}/{scaling.metric}/{scaling.target}"
        return {"Key": f"{TAG}{deployment}", "Value": asked}

    def apply(self, endpoint: str, live: Live) -> None:
        """Let each deployment scale as its tag says; before the endpoint serves, nothing."""
        if not live.in_service:
            return
        asked = self._asked(live)
        wanted = {name: asked[name] for name in live.variants if name in asked}
        scaled = {name: one for name, one in wanted.items() if one.max_replicas > one.min_replicas}
        known = self._targets(endpoint, [*live.variants])
        for name in known:
            if name not in scaled:
                self.forget(endpoint, name)
        for name, scaling in scaled.items():
            if known.get(name) != (scaling.min_replicas, scaling.max_replicas):
                self._follow(endpoint, name, scaling, live.variants[name].instance)

    def forget(self, endpoint: str, deployment: str) -> None:
        """Let a deployment's machines be; AWS refuses to take a variant away that it scales."""
        try:
            self.account.ask(
                "application-autoscaling",
                "DeregisterScalableTarget",
                self._target(endpoint, deployment),
                f"stop scaling {deployment} of {endpoint}",
            )
        except NotFound:
            return

    def _asked(self, live: Live) -> Mapping[str, Autoscaling]:
        asked = {}
        for key, value in self.hosting.tags_of(live.said["EndpointArn"]).items():
            if key.startswith(TAG):
                least, most, metric, target = value.split("/")
                asked[key.removeprefix(TAG)] = Autoscaling(
                    min_replicas=int(least),
                    max_replicas=int(most),
                    metric="cpu_percent" if metric == "cpu_percent" else "requests_per_replica_per_minute",
                    target=int(target),
                )
        return asked

    def _targets(self, endpoint: str, deployments: list[str]) -> Mapping[str, tuple[int, int]]:
        """The bounds of what is scaled already."""
        resources = {self._resource(endpoint, name): name for name in deployments}
        targets = self.account.each(
            "application-autoscaling",
            "DescribeScalableTargets",
            {"ServiceNamespace": NAMESPACE, "ScalableDimension": DIMENSION, "ResourceIds": [*resources]},
            "ScalableTargets",
            f"look at the scaling of {endpoint}",
        )
        return {resources[one["ResourceId"]]: (one["MinCapacity"], one["MaxCapacity"]) for one in targets}

    def _follow(self, endpoint: str, deployment: str, scaling: Autoscaling, instance: str) -> None:
        target = self._target(endpoint, deployment)
        policy = {
            "PolicyName": f"{self.context.endpoint(endpoint)}-{deployment}-load",
            **target,
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                **self._metric(endpoint, deployment, scaling, instance),
                "ScaleInCooldown": SCALE_IN_COOLDOWN_S,
                "ScaleOutCooldown": SCALE_OUT_COOLDOWN_S,
            },
        }
        self.account.ask(
            "application-autoscaling",
            "RegisterScalableTarget",
            {**target, "MinCapacity": scaling.min_replicas, "MaxCapacity": scaling.max_replicas},
            f"scale {deployment} of {endpoint}",
        )
        self.account.ask(
            "application-autoscaling", "PutScalingPolicy", policy, f"scale {deployment} of {endpoint}"
        )

    def _metric(
        self, endpoint: str, deployment: str, scaling: Autoscaling, instance: str
    ) -> Mapping[str, Any]:
        """What is followed. SageMaker counts every processor to 100 %, so the target is that of all together."""
        if scaling.metric == "requests_per_replica_per_minute":
            invocations = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
            return {"TargetValue": float(scaling.target), "PredefinedMetricSpecification": invocations}
        shape = shape_of(instance)
        if shape is None:
            raise InvalidRequest(
                f"{endpoint} cannot be scaled by utilization on {instance}, whose processors the data does not have",
                remedy="Scale by requests_per_replica_per_minute, or take another instance.",
            )
        processors, accelerators = shape
        return {
            "TargetValue": float(scaling.target * (accelerators or processors)),
            "CustomizedMetricSpecification": {
                "Namespace": "/aws/sagemaker/Endpoints",
                "MetricName": "GPUUtilization" if accelerators else "CPUUtilization",
                "Statistic": "Average",
                "Dimensions": [
                    {"Name": "EndpointName", "Value": self.context.endpoint(endpoint)},
                    {"Name": "VariantName", "Value": deployment},
                ],
            },
        }

    def _resource(self, endpoint: str, deployment: str) -> str:
        return f"endpoint/{self.context.endpoint(endpoint)}/variant/{deployment}"

    def _target(self, endpoint: str, deployment: str) -> dict[str, str]:
        return {
            "ServiceNamespace": NAMESPACE,
            "ResourceId": self._resource(endpoint, deployment),
            "ScalableDimension": DIMENSION,
        }
