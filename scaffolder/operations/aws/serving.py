"""Endpoints that answer: deployments are variants, and traffic is their weights.

May not touch an endpoint that Terraform owns: one whose version or image the spec pins.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from scaffolder.operations.aws.hosting import Hosting, Live, Variant
from scaffolder.operations.aws.registry import Packages
from scaffolder.operations.aws.scaling import Scaling
from scaffolder.operations.aws.surroundings import Surroundings
from scaffolder.operations.errors import AlreadyExists, Conflict, InvalidRequest, NotFound, Unsupported
from scaffolder.operations.values import (
    Answer,
    Approval,
    Capability,
    Deployment,
    DeployRequest,
    EndpointState,
    EndpointStatus,
)
from stacks.intents import OnlineEndpoint

__all__ = ["Endpoints", "percents"]

STATES: Mapping[str, EndpointState] = {
    "Creating": EndpointState.CREATING,
    "Updating": EndpointState.UPDATING,
    "SystemUpdating": EndpointState.UPDATING,
    "RollingBack": EndpointState.UPDATING,
    "InService": EndpointState.IN_SERVICE,
    "Deleting": EndpointState.DELETING,
    "Failed": EndpointState.FAILED,
    "OutOfService": EndpointState.FAILED,
    "UpdateRollbackFailed": EndpointState.FAILED,
}
NAME = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]")


class Endpoints:
    """The platform's endpoints. An endpoint's ref is its ARN."""

    def __init__(self, surroundings: Surroundings, hosting: Hosting, packages: Packages) -> None:
        self.around = surroundings
        self.account = surroundings.account
        self.context = surroundings.context
        self.hosting = hosting
        self.packages = packages
        self.scaling = Scaling(hosting)

    # --- deploy ---

    def deploy(self, request: DeployRequest) -> str:
        endpoint = self._own(request.endpoint)
        if NAME.fullmatch(request.deployment) is None:
            raise InvalidRequest(
                f"{request.deployment!r} is not a name that every provider takes for a deployment",
                remedy=f"Take one of the form {NAME.pattern}, such as blue or v-3.",
            )
        version = self.packages.get(request.model, request.version)
        if version.approval is not Approval.APPROVED:
            raise InvalidRequest(
                f"{request.model} {request.version} is {version.approval}: only an approved version is deployed",
                remedy=f"Approve it: scaffolder models approve {request.model} {request.version}",
            )
        live = self._ours(endpoint)
        wanted = Variant(
            name=request.deployment,
            model=self.hosting.model(endpoint.name, request.model, request.version),
            instance=self.around.machine(request.instance, "hosting"),
            instances=max(request.scaling.min_replicas, 1),
            weight=1.0 if live is None else 0.0,
        )
        if live is None:
            return self._create(endpoint.name, wanted, request)
        arn = str(live.said["EndpointArn"])
        if wanted.name in live.wanted:
            self._is_the_same(live.wanted[wanted.name], wanted, request)
            self.scaling.apply(endpoint.name, live)
            return arn
        self._idle(endpoint.name, live)
        self.account.ask(
            "sagemaker",
            "AddTags",
            {"ResourceArn": arn, "Tags": [self.scaling.tag(wanted.name, request.scaling)]},
            f"keep how {wanted.name} scales",
        )
        variants = {**live.variants, wanted.name: wanted}
        self._update(endpoint.name, variants, request.capture_percent)
        return arn

    def _create(self, endpoint: str, variant: Variant, request: DeployRequest) -> str:
        configuration = self.hosting.configuration(endpoint, [variant], request.capture_percent)
        name = self.context.endpoint(endpoint)
        try:
            self.account.ask(
                "sagemaker",
                "CreateEndpoint",
                {
                    "EndpointName": name,
                    "EndpointConfigName": configuration,
                    "Tags": [*self.around.tags, self.scaling.tag(variant.name, request.scaling)],
                },
                f"make endpoint {endpoint}",
            )
        except AlreadyExists:
            live = self.hosting.live(endpoint)
            if live is None or variant.name not in live.wanted:
                raise
            self._is_the_same(live.wanted[variant.name], variant, request)
        return self.context.arn("sagemaker", f"endpoint/{name}")

    def _is_the_same(self, found: Variant, wanted: Variant, request: DeployRequest) -> None:
        if (found.model, found.instance) == (wanted.model, wanted.instance):
            return
        raise AlreadyExists(
            f"deployment {wanted.name} of {request.endpoint} is there already, and serves another version, or on other "
            "machines",
            remedy="Choose another name for the deployment, or undeploy that one first.",
        )

    def _update(self, endpoint: str, variants: Mapping[str, Variant], capture_percent: int) -> None:
        """Move the endpoint to another set of variants; those that stay keep their weights and machines."""
        configuration = self.hosting.configuration(endpoint, [*variants.values()], capture_percent)
        try:
            self.account.ask(
                "sagemaker",
                "UpdateEndpoint",
                {
                    "EndpointName": self.context.endpoint(endpoint),
                    "EndpointConfigName": configuration,
                    "RetainAllVariantProperties": True,
                },
                f"update endpoint {endpoint}",
            )
        except Conflict:
            live = self.hosting.live(endpoint)
            if live is None or set(live.wanted) != set(variants):
                raise  # else the answer to our first call was lost, and it is ours that goes on

    def undeploy(self, endpoint: str, deployment: str) -> None:
        intent = self._own(endpoint)
        live = self._ours(intent)
        if live is None or deployment not in live.wanted:
            return
        if live.wanted[deployment].weight > 0:
            raise InvalidRequest(
                f"deployment {deployment} of {endpoint} takes traffic",
                remedy="Give its share to others first; the last deployment goes with its endpoint: scaffolder destroy.",
            )
        self._idle(endpoint, live)
        self.scaling.forget(endpoint, deployment)
        left = {name: variant for name, variant in live.variants.items() if name != deployment}
        self._update(endpoint, left, self._captured(live))
        self.account.ask(
            "sagemaker",
            "DeleteTags",
            {
                "ResourceArn": live.said["EndpointArn"],
                "TagKeys": [f"scaling/{deployment}"],
            },
            f"forget how {deployment} scales",
        )

    def _captured(self, live: Live) -> int:
        """The percent of requests that an endpoint keeps."""
        capture = live.said.get("DataCaptureConfig", {})
        return int(capture.get("CurrentSamplingPercentage", 0)) if capture.get("EnableCapture") else 0

    # --- traffic ---

    def set_traffic(self, endpoint: str, percent: Mapping[str, int]) -> None:
        intent = self._own(endpoint)
        live = self._ours(intent)
        if live is None:
            raise NotFound(f"endpoint {endpoint} is not there yet", remedy="Deploy a version to it first.")
        _check_traffic(endpoint, percent, live.wanted)
        self._idle(endpoint, live)
        self.scaling.apply(endpoint, live)
        weights = {name: float(percent.get(name, 0)) for name in live.variants}
        if percents({name: one.weight for name, one in live.variants.items()}) == {
            name: percent.get(name, 0) for name in live.variants
        }:
            return
        self._weigh(endpoint, weights)

    def _weigh(self, endpoint: str, weights: Mapping[str, float]) -> None:
        try:
            self.account.ask(
                "sagemaker",
                "UpdateEndpointWeightsAndCapacities",
                {
                    "EndpointName": self.context.endpoint(endpoint),
                    "DesiredWeightsAndCapacities": [
                        {"VariantName": name, "DesiredWeight": weight} for name, weight in weights.items()
                    ],
                },
                f"split the traffic of {endpoint}",
            )
        except Conflict:
            live = self.hosting.live(endpoint)
            if live is None or {name: one.weight for name, one in live.variants.items()} != weights:
                raise  # else the answer to our first call was lost, and it is ours that goes on

    # --- look ---

    def describe(self, endpoint: str) -> EndpointStatus:
        intent = self.around.endpoint(endpoint)
        if intent.mode == "batch":
            return self._scoring(intent)
        name = self.context.endpoint(endpoint)
        arn = self.context.arn("sagemaker", f"endpoint/{name}")
        live = self.hosting.live(endpoint)
        if live is None:
            return EndpointStatus(name=endpoint, ref=arn, state=EndpointState.PLANNED, native_state="")
        host = f"runtime.sagemaker.{self.context.region}.amazonaws.com"
        return EndpointStatus(
            name=endpoint,
            ref=live.said["EndpointArn"],
            state=STATES.get(live.status, EndpointState.UNKNOWN),
            native_state=live.status,
            deployments=tuple(self._deployments(live)),
            url=f"https://{host}/endpoints/{name}/invocations",
            error=live.said.get("FailureReason", ""),
        )

    def list(self) -> Iterator[EndpointStatus]:
        for intent in self.context.all_of(OnlineEndpoint):
            yield self.describe(intent.name)

    def _scoring(self, intent: OnlineEndpoint) -> EndpointStatus:
        """A batch endpoint has nothing that serves: it is there once Terraform made its pipeline."""
        name = self.context.scoring(intent.name)
        found = self.account.find("sagemaker", "DescribePipeline", {"PipelineName": name}, f"look at {name}")
        return EndpointStatus(
            name=intent.name,
            ref=self.context.arn("sagemaker", f"pipeline/{name.lower()}"),
            state=EndpointState.IN_SERVICE if found else EndpointState.PLANNED,
            native_state=found["PipelineStatus"] if found else "",
        )

    def _deployments(self, live: Live) -> Iterator[Deployment]:
        running = {one["VariantName"]: one for one in live.said.get("ProductionVariants", ())}
        weights = {name: float(one.get("CurrentWeight", 0)) for name, one in running.items()}
        shares = percents(weights)
        first = STATES.get(live.status, EndpointState.UNKNOWN)
        for name, variant in {**live.variants, **live.pending}.items():
            model, version = self.hosting.version_of(variant.model)
            is_running = name in running
            said: Mapping[str, Any] = running.get(name, {})
            serves = is_running and first is EndpointState.UPDATING
            coming = EndpointState.CREATING if first is EndpointState.UPDATING else first
            yield Deployment(
                name=name,
                model=model,
                version=version,
                traffic_percent=shares.get(name, 0),
                state=EndpointState.IN_SERVICE if serves else coming,
                native_state=next((one["Status"] for one in said.get("VariantStatus", ())), live.status),
                instance=variant.instance,
                replicas=said.get("CurrentInstanceCount"),
            )

    def invoke(
        self, endpoint: str, body: bytes, *, content_type: str = "text/csv", deployment: str | None = None
    ) -> Answer:
        self.around.endpoint(endpoint)
        reply = self.account.ask(
            "sagemaker-runtime",
            "InvokeEndpoint",
            {
                "EndpointName": self.context.endpoint(endpoint),
                "Body": body,
                "ContentType": content_type,
                **({"TargetVariant": deployment} if deployment else {}),
            },
            f"ask endpoint {endpoint}",
        )
        return Answer(
            body=reply["Body"],
            content_type=reply.get("ContentType", ""),
            served_by=reply.get("InvokedProductionVariant", ""),
        )

    # --- whose ---

    def _own(self, name: str) -> OnlineEndpoint:
        """An endpoint of the spec that operations may deploy to."""
        endpoint = self.around.endpoint(name)
        model = self.around.model(endpoint.model)
        if model.version is not None or model.image is not None:
            pinned = f"models.{model.name}.{'version' if model.version is not None else 'image'}"
            raise InvalidRequest(
                f"endpoint {name} is Terraform's: the spec pins {pinned}",
                remedy=f"Set {pinned} and deploy {self.context.stack('ml')}, or take it out of the spec, deploy that "
                "stack once, and then deploy by operations.",
            )
        if endpoint.mode == "batch":
            raise InvalidRequest(
                f"endpoint {name} is of mode batch: nothing serves there", remedy="Use score."
            )
        if endpoint.mode != "realtime":
            raise Unsupported(
                Capability.REALTIME,
                f"endpoint {name} is {endpoint.mode}: operations deploy to realtime endpoints only",
                remedy=f"Set models.{model.name}.version and deploy {self.context.stack('ml')}.",
            )
        return endpoint

    def _ours(self, endpoint: OnlineEndpoint) -> Live | None:
        """An endpoint as it is, made by operations; ``None`` when there is none."""
        live = self.hosting.live(endpoint.name)
        if live is None or self.hosting.is_ours(live.said["EndpointArn"]):
            return live
        raise InvalidRequest(
            f"endpoint {self.context.endpoint(endpoint.name)} was not made by operations",
            remedy=f"Deploy {self.context.stack('ml')} so that Terraform takes it away, or pin the version in the spec.",
        )

    def _idle(self, endpoint: str, live: Live) -> None:
        if live.in_service:
            return
        if STATES.get(live.status) is EndpointState.FAILED:
            raise InvalidRequest(
                f"endpoint {endpoint} has failed: {live.said.get('FailureReason', live.status)}",
                remedy="SageMaker only lets it be removed: scaffolder destroy, then deploy again.",
            )
        raise Conflict(f"endpoint {endpoint} is busy ({live.status})", remedy="Wait until it is in service.")


def _check_traffic(endpoint: str, percent: Mapping[str, int], variants: Mapping[str, Variant]) -> None:
    unknown = sorted(set(percent) - set(variants))
    if unknown:
        raise NotFound(
            f"endpoint {endpoint} has no deployment {', '.join(unknown)}; it has {', '.join(variants) or 'none'}"
        )
    if any(share < 0 for share in percent.values()) or sum(percent.values()) != 100:
        raise InvalidRequest(
            f"the traffic of {endpoint} has to be whole percents, 100 together: {dict(percent)}"
        )


def percents(weights: Mapping[str, float]) -> Mapping[str, int]:
    """Relative weights as whole percents that are 100 together, the largest remainders rounded up."""
    total = sum(weights.values())
    if total <= 0:
        return dict.fromkeys(weights, 0)
    exact = {name: 100 * weight / total for name, weight in weights.items()}
    shares = {name: math.floor(share) for name, share in exact.items()}
    by_rest = sorted(exact, key=lambda name: (shares[name] - exact[name], name))
    for name in by_rest[: 100 - sum(shares.values())]:
        shares[name] += 1
    return shares
