"""What AWS refuses, or a region lacks, of what a platform asks for.

May not add a resource or repeat what the spec's own rules say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from stacks.adapter import TargetProblem
from stacks.aws.catalog import regions, zones_of
from stacks.aws.context import Context
from stacks.aws.instances import Unavailable, Use, machine
from stacks.aws.limits import may_outgrow, policy_too_large, spec_limit_problems
from stacks.aws.llm_problems import llm_problems
from stacks.aws.monitoring import monitoring_problems
from stacks.aws.pipelines import USES, pipeline_problems
from stacks.aws.scaling import scaling_problems
from stacks.intents import (
    CiIdentity,
    ModelRegistry,
    OnlineEndpoint,
    PermissionsBoundary,
    Platform,
    PrivateNetwork,
    TrainingPipeline,
    Workspace,
)
from stacks.pipelines import Run
from stacks.schema.load import nearest

__all__ = ["problems_of"]


def problems_of(platform: Platform) -> tuple[TargetProblem, ...]:
    """Return every problem, in the order of the checks."""
    context = Context(platform)
    found = (
        *_region(context),
        *_network(context),
        *_ceiling(context),
        *_machines(context),
        *_pipelines(context),
        *_images(context),
        *_endpoints(context),
        *monitoring_problems(context),
        *llm_problems(context),
        *spec_limit_problems(context),
    )
    refused = any(not problem.warning for problem in found)
    return found if refused or not may_outgrow(context) else (*found, *_measured(context))


def _measured(context: Context) -> Iterator[TargetProblem]:
    """Lower a platform that is large and sound, and measure what it became."""
    from stacks.aws import lower  # noqa: PLC0415 - which imports this module

    yield from policy_too_large(context, lower(context.platform).stacks)


def _region(context: Context) -> Iterator[TargetProblem]:
    if zones_of(context.region):
        return
    yield TargetProblem(
        path=("target", "region"),
        code="region",
        message=f'target.region "{context.region}" is not a region that the aws catalog lists: {", ".join(regions())}',
        hint=nearest(context.region, regions()),
    )


def _network(context: Context) -> Iterator[TargetProblem]:
    intent = context.one_of(PrivateNetwork)
    known = zones_of(context.region)
    if intent is None or not known:
        return
    if intent.zones > len(known):
        yield TargetProblem(
            path=("network", "zones"),
            code="zones",
            message=f"network.zones {intent.zones} is more than {context.region} has: {len(known)}",
            hint=f"Set it to {len(known)} or less.",
        )
    for number, zone in enumerate(intent.zone_ids):
        if zone not in known:
            yield TargetProblem(
                path=("network", "zones", str(number)),
                code="zones",
                message=f'network.zones "{zone}" is not a zone id of {context.region}: {", ".join(known)}',
                hint=nearest(zone, known) or "Zone ids are the same in every account; zone names are not.",
            )
    if not intent.nat_gateways and not intent.private_endpoints:
        yield TargetProblem(
            path=("network", "private_endpoints"),
            code="network-isolated",
            message="network.private_endpoints false with network.egress none leaves workloads unable to reach AWS",
            hint="Set private_endpoints to true, or egress to nat.",
        )


def _machines(context: Context) -> Iterator[TargetProblem]:
    workspace = context.one_of(Workspace)
    if workspace is not None:
        yield from _machine(context, ("workspace", "instance"), workspace.instance, ("studio",))
    for endpoint in context.all_of(OnlineEndpoint):
        if endpoint.mode != "serverless":
            use: Use = "transform" if endpoint.mode == "batch" else "hosting"
            yield from _machine(context, ("endpoints", endpoint.name, "instance"), endpoint.instance, (use,))
    for pipeline in context.all_of(TrainingPipeline):
        path = ("pipelines", pipeline.name, "instance")
        yield from _machine(context, path, pipeline.instance, _uses_of(pipeline))


def _uses_of(pipeline: TrainingPipeline) -> tuple[Use, ...]:
    """What a pipeline's own machine is used for: by the steps that name none of their own, or by any in time."""
    runs = [step.action for step in pipeline.steps.steps] if pipeline.steps else []
    kinds = {run.kind for run in runs if isinstance(run, Run) and run.instance is None}
    return tuple(USES[kind] for kind in USES if kind in kinds) or ("training",)


def _machine(
    context: Context, path: tuple[str, ...], size: str, uses: Sequence[Use]
) -> Iterator[TargetProblem]:
    """Refuse a size that one of its uses cannot have; a region that the catalog lacks is refused elsewhere."""
    if not zones_of(context.region):
        return
    for use in uses:
        found = machine(size, use, context.region)
        if isinstance(found, Unavailable):
            yield TargetProblem(
                path=path, code="instance", message=f"{'.'.join(path)} {found.message}", hint=found.hint
            )
            return


def _pipelines(context: Context) -> Iterator[TargetProblem]:
    if not zones_of(context.region):
        return
    for pipeline in context.all_of(TrainingPipeline):
        for message, hint in pipeline_problems(pipeline, context.region):
            path = ("pipelines", pipeline.name, "definition")
            yield TargetProblem(path=path, code="pipeline", message=f"{'.'.join(path)}: {message}", hint=hint)


def _images(context: Context) -> Iterator[TargetProblem]:
    """SageMaker takes images from its own region's registries."""
    images = [
        (("models", model.name, "image"), model.image)
        for model in context.all_of(ModelRegistry)
        if model.image
    ]
    for pipeline in context.all_of(TrainingPipeline):
        path = ("pipelines", pipeline.name, "definition")
        used = {step.action.image for step in pipeline.steps.steps} if pipeline.steps else set()
        images += [(path, image) for image in sorted(used)]
    for path, image in images:
        found = re.match(r"[0-9]{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/", image)
        if found and found[1] != context.region:
            yield TargetProblem(
                path=path,
                code="image-region",
                message=f"{'.'.join(path)}: {image} is in {found[1]}, and SageMaker takes images from {context.region}",
                hint="Copy it into one of the platform's repositories.",
                warning=True,
            )


def _endpoints(context: Context) -> Iterator[TargetProblem]:
    if not zones_of(context.region):
        return
    for name, message, hint in scaling_problems(context):
        path = ("endpoints", name)
        yield TargetProblem(path=path, code="endpoint", message=f"{'.'.join(path)} {message}", hint=hint)


def _ceiling(context: Context) -> Iterator[TargetProblem]:
    if context.one_of(CiIdentity) is not None and context.one_of(PermissionsBoundary) is None:
        yield TargetProblem(
            path=("security", "permissions_boundary"),
            code="ci-without-boundary",
            message="security.permissions_boundary false with identity.ci would let CI's deploy role make an administrator",
            hint="Leave it out, set it to true, or give the ARN of your own boundary policy.",
        )
