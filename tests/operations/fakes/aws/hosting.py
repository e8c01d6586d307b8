"""Models, configurations and endpoints, with what goes on in them by the clock. May not know who asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.operations.fakes.aws.packages import Packages
from tests.operations.fakes.aws.store import Answers, Parameters, Place, absent, page, refused, taken

__all__ = ["Endpoint", "Hosting"]

CREATE_S = 240
UPDATE_S = 300
WEIGHTS_S = 30
DELETE_S = 45


@dataclass(slots=True)
class Endpoint:
    name: str
    configuration: str
    created: datetime
    modified: datetime
    status: str
    until: datetime | None
    weights: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    coming: str | None = None
    coming_weights: dict[str, float] = field(default_factory=dict)
    served: dict[str, int] = field(default_factory=dict)


class Hosting:
    """``scaled`` says whether a variant is a target of Application Auto Scaling."""

    def __init__(self, place: Place, packages: Packages, scaled: Callable[[str, str], bool]) -> None:
        self.place = place
        self.packages = packages
        self.scaled = scaled
        self.models: dict[str, dict[str, Any]] = {}
        self.configurations: dict[str, dict[str, Any]] = {}
        self.endpoints: dict[str, Endpoint] = {}

    @property
    def answers(self) -> Answers:
        return {
            "CreateModel": self.create_model,
            "DescribeModel": lambda asked: self._of(self.models, asked["ModelName"], "model"),
            "ListModels": lambda asked: self._listed(self.models, asked, "Model", "Models"),
            "DeleteModel": self.delete_model,
            "CreateEndpointConfig": self.create_configuration,
            "DescribeEndpointConfig": lambda asked: self._of(
                self.configurations, asked["EndpointConfigName"], "endpoint configuration"
            ),
            "ListEndpointConfigs": lambda asked: self._listed(
                self.configurations, asked, "EndpointConfig", "EndpointConfigs"
            ),
            "DeleteEndpointConfig": self.delete_configuration,
            "CreateEndpoint": self.create_endpoint,
            "DescribeEndpoint": lambda asked: self._told(self.endpoint(asked["EndpointName"])),
            "ListEndpoints": self.list_endpoints,
            "UpdateEndpoint": self.update_endpoint,
            "UpdateEndpointWeightsAndCapacities": self.update_weights,
            "DeleteEndpoint": self.delete_endpoint,
            "InvokeEndpoint": self.invoke,
        }

    def _of(self, things: Mapping[str, dict[str, Any]], name: str, kind: str) -> dict[str, Any]:
        if name not in things:
            raise absent(f'{kind} "{self.place.arn(f"{kind}/{name}")}"')
        return things[name]

    def _listed(
        self, things: Mapping[str, dict[str, Any]], asked: Parameters, kind: str, member: str
    ) -> Mapping[str, Any]:
        names = (f"{kind}Name", f"{kind}Arn", "CreationTime")
        found = [
            {name: one[name] for name in names}
            for one in things.values()
            if asked.get("NameContains", "") in one[f"{kind}Name"]
        ]
        return page(found, asked, member)

    # --- models and configurations ---

    def create_model(self, asked: Parameters) -> Mapping[str, Any]:
        name = asked["ModelName"]
        arn = self.place.arn(f"model/{name}")
        if name in self.models:
            raise taken("model", arn)
        if "ExecutionRoleArn" not in asked or not ({"PrimaryContainer", "Containers"} & set(asked)):
            raise refused("A model needs a role and a container.")
        package = asked.get("PrimaryContainer", {}).get("ModelPackageName")
        if package is not None and package not in self.packages.packages:
            raise refused(f"ModelPackage {package} does not exist.")
        kept = {key: value for key, value in asked.items() if key != "Tags"}
        self.models[name] = {**kept, "ModelArn": arn, "CreationTime": self.place.now()}
        self.place.tag(arn, asked.get("Tags", ()))
        return {"ModelArn": arn}

    def delete_model(self, asked: Parameters) -> Mapping[str, Any]:
        self._of(self.models, asked["ModelName"], "model")
        del self.models[asked["ModelName"]]
        return {}

    def create_configuration(self, asked: Parameters) -> Mapping[str, Any]:
        name = asked["EndpointConfigName"]
        arn = self.place.arn(f"endpoint-config/{name}")
        if name in self.configurations:
            raise taken("endpoint configuration", arn)
        for variant in asked["ProductionVariants"]:
            self._of(self.models, variant.get("ModelName", ""), "model")
            if "ServerlessConfig" not in variant and not {"InstanceType", "InitialInstanceCount"} <= set(
                variant
            ):
                raise refused(
                    f"Variant {variant['VariantName']} needs InstanceType and InitialInstanceCount."
                )
        if sum(variant.get("InitialVariantWeight", 1.0) for variant in asked["ProductionVariants"]) <= 0:
            raise refused("The weights of all variants are 0.")
        names = [variant["VariantName"] for variant in asked["ProductionVariants"]]
        if len(set(names)) != len(names):
            raise refused("Two variants have one name.")
        kept = {key: value for key, value in asked.items() if key != "Tags"}
        self.configurations[name] = {**kept, "EndpointConfigArn": arn, "CreationTime": self.place.now()}
        self.place.tag(arn, asked.get("Tags", ()))
        return {"EndpointConfigArn": arn}

    def delete_configuration(self, asked: Parameters) -> Mapping[str, Any]:
        name = asked["EndpointConfigName"]
        self._of(self.configurations, name, "endpoint configuration")
        if any(name in {one.configuration, one.coming} for one in self.endpoints.values()):
            raise refused(f"Endpoint configuration {name} is in use.")
        del self.configurations[name]
        return {}

    # --- endpoints ---

    def endpoint(self, name: str) -> Endpoint:
        """An endpoint as it is now."""
        found = self.endpoints.get(name)
        if found is not None and found.until is not None and found.until <= self.place.now():
            self.settle(name)
            found = self.endpoints.get(name)
        if found is None:
            raise absent(f'endpoint "{self.place.arn(f"endpoint/{name}")}"')
        return found

    def settle(self, name: str) -> None:
        """Bring what goes on to its end."""
        endpoint = self.endpoints.get(name)
        if endpoint is None or endpoint.until is None:
            return
        if endpoint.status == "Deleting":
            del self.endpoints[name]
            return
        if endpoint.coming is not None:
            counts = self._counts(endpoint.coming)
            endpoint.counts = {one: endpoint.counts.get(one, count) for one, count in counts.items()}
            endpoint.configuration, endpoint.coming = endpoint.coming, None
        endpoint.weights, endpoint.status, endpoint.until = endpoint.coming_weights, "InService", None
        endpoint.modified = self.place.now()

    def _variants(self, configuration: str) -> list[dict[str, Any]]:
        return list(self.configurations[configuration]["ProductionVariants"])

    def _weights(self, configuration: str) -> dict[str, float]:
        return {
            one["VariantName"]: float(one.get("InitialVariantWeight", 1))
            for one in self._variants(configuration)
        }

    def _counts(self, configuration: str) -> dict[str, int]:
        return {
            one["VariantName"]: one.get("InitialInstanceCount", 1) for one in self._variants(configuration)
        }

    def _busy(self, endpoint: Endpoint, status: str, seconds: int) -> None:
        if endpoint.status != "InService":
            raise refused(f"Cannot update in-progress endpoint {endpoint.name}: it is {endpoint.status}.")
        endpoint.status, endpoint.modified = status, self.place.now()
        endpoint.until = self.place.now() + timedelta(seconds=seconds)

    def create_endpoint(self, asked: Parameters) -> Mapping[str, Any]:
        name, configuration = asked["EndpointName"], asked["EndpointConfigName"]
        arn = self.place.arn(f"endpoint/{name.lower()}")
        if name in self.endpoints:
            raise taken("endpoint", arn)
        self._of(self.configurations, configuration, "endpoint configuration")
        now = self.place.now()
        self.endpoints[name] = Endpoint(
            name=name,
            configuration=configuration,
            created=now,
            modified=now,
            status="Creating",
            until=now + timedelta(seconds=CREATE_S),
            counts=self._counts(configuration),
            coming_weights=self._weights(configuration),
        )
        self.place.tag(arn, asked.get("Tags", ()))
        return {"EndpointArn": arn}

    def update_endpoint(self, asked: Parameters) -> Mapping[str, Any]:
        endpoint, configuration = self.endpoint(asked["EndpointName"]), asked["EndpointConfigName"]
        self._of(self.configurations, configuration, "endpoint configuration")
        if configuration == endpoint.configuration:
            raise refused(f"Endpoint {endpoint.name} has configuration {configuration} already.")
        before = {one["VariantName"]: one for one in self._variants(endpoint.configuration)}
        after = {one["VariantName"]: one for one in self._variants(configuration)}
        for name, variant in before.items():
            changed = after.get(name, {}).get("InstanceType") != variant.get("InstanceType")
            if changed and self.scaled(endpoint.name, name):
                raise refused(f"The variant {name} has to be deregistered from automatic scaling before.")
        self._busy(endpoint, "Updating", UPDATE_S)
        endpoint.coming, weights = configuration, self._weights(configuration)
        if asked.get("RetainAllVariantProperties"):
            weights |= {name: weight for name, weight in endpoint.weights.items() if name in weights}
        else:
            endpoint.counts = {}
        endpoint.coming_weights = weights
        return {"EndpointArn": self._arn(endpoint)}

    def update_weights(self, asked: Parameters) -> Mapping[str, Any]:
        endpoint = self.endpoint(asked["EndpointName"])
        weights = dict(endpoint.weights)
        for one in asked["DesiredWeightsAndCapacities"]:
            if one["VariantName"] not in weights:
                raise absent(f'variant "{one["VariantName"]}" of endpoint {endpoint.name}')
            weights[one["VariantName"]] = float(one.get("DesiredWeight", weights[one["VariantName"]]))
        if sum(weights.values()) <= 0:
            raise refused("The weights of all variants are 0.")
        self._busy(endpoint, "Updating", WEIGHTS_S)
        endpoint.coming_weights = weights
        return {"EndpointArn": self._arn(endpoint)}

    def delete_endpoint(self, asked: Parameters) -> Mapping[str, Any]:
        endpoint = self.endpoint(asked["EndpointName"])
        if endpoint.status in {"Creating", "Updating"}:
            raise refused(f"Cannot update in-progress endpoint {endpoint.name}.")
        endpoint.status = "Deleting"
        endpoint.until = self.place.now() + timedelta(seconds=DELETE_S)
        return {}

    def list_endpoints(self, asked: Parameters) -> Mapping[str, Any]:
        for name in list(self.endpoints):
            endpoint = self.endpoints[name]
            if endpoint.until is not None and endpoint.until <= self.place.now():
                self.settle(name)
        found = [
            {
                "EndpointName": one.name,
                "EndpointArn": self._arn(one),
                "CreationTime": one.created,
                "LastModifiedTime": one.modified,
                "EndpointStatus": one.status,
            }
            for one in self.endpoints.values()
            if asked.get("NameContains", "") in one.name
        ]
        return page(found, asked, "Endpoints")

    def _arn(self, endpoint: Endpoint) -> str:
        return self.place.arn(f"endpoint/{endpoint.name.lower()}")

    def _told(self, endpoint: Endpoint) -> Mapping[str, Any]:
        capture = self.configurations[endpoint.configuration].get("DataCaptureConfig")
        told: dict[str, Any] = {
            "EndpointName": endpoint.name,
            "EndpointArn": self._arn(endpoint),
            "EndpointConfigName": endpoint.configuration,
            "EndpointStatus": endpoint.status,
            "CreationTime": endpoint.created,
            "LastModifiedTime": endpoint.modified,
        }
        if endpoint.status != "Creating":
            told["ProductionVariants"] = [
                {
                    "VariantName": name,
                    "CurrentWeight": weight,
                    "DesiredWeight": endpoint.coming_weights.get(name, weight),
                    "CurrentInstanceCount": endpoint.counts.get(name, 1),
                    "DesiredInstanceCount": endpoint.counts.get(name, 1),
                }
                for name, weight in endpoint.weights.items()
            ]
        if endpoint.coming is not None:
            told["PendingDeploymentSummary"] = {
                "EndpointConfigName": endpoint.coming,
                "StartTime": endpoint.modified,
                "ProductionVariants": [
                    {"VariantName": name, "DesiredWeight": weight}
                    for name, weight in endpoint.coming_weights.items()
                ],
            }
        if capture is not None:
            told["DataCaptureConfig"] = {
                "EnableCapture": capture["EnableCapture"],
                "CaptureStatus": "Started",
                "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
                "DestinationS3Uri": capture["DestinationS3Uri"],
                "KmsKeyId": capture.get("KmsKeyId", ""),
            }
        return told

    # --- answers ---

    def invoke(self, asked: Parameters) -> Mapping[str, Any]:
        name = asked["EndpointName"]
        try:
            endpoint = self.endpoint(name)
        except Exception as error:
            raise refused(
                f"Endpoint {name} of account {self.place.account} not found.", "ValidationError"
            ) from error
        if not endpoint.weights:
            raise refused(f"Endpoint {name} of account {self.place.account} not found.", "ValidationError")
        target = asked.get("TargetVariant")
        if target is not None and target not in endpoint.weights:
            raise refused(f"Variant {target} of endpoint {name} was not found.", "ValidationError")
        by = target or self._turn(endpoint)
        rows = bytes(asked["Body"]).decode().strip().splitlines()[1:]
        answers = "".join(f"{int(float(row.partition(',')[0]) < 25)}\n" for row in rows)
        return {"Body": answers.encode(), "ContentType": "text/csv", "InvokedProductionVariant": by}

    def _turn(self, endpoint: Endpoint) -> str:
        """Whose turn it is: each is asked as often as its weight says, and never when that is 0."""
        total = sum(endpoint.weights.values())
        asked = sum(endpoint.served.values()) + 1

        def behind(name: str) -> float:
            return asked * endpoint.weights[name] / total - endpoint.served.get(name, 0)

        chosen = max((name for name, weight in endpoint.weights.items() if weight > 0), key=behind)
        endpoint.served[chosen] = endpoint.served.get(chosen, 0) + 1
        return chosen
