"""Finds the values of a spec that are one cloud's own, and says what another cloud wants in their place.

Pure, by the shapes that are data for each cloud. May not know a cloud, nor what one carries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from scaffolder.spec.edits import Written, put, taken
from scaffolder.spec.model import PlatformSpec
from scaffolder.spec.nodes import Path, Tree
from scaffolder.spec.providers import PROVIDERS, ProviderShapes, Shape
from scaffolder.spec.scalars import NEUTRAL_INSTANCE, own_repository
from stacks.intents import TrainingPipeline
from stacks.pipelines import PipelineDefinition
from stacks.record import record

__all__ = ["Anew", "Destination", "anew", "images_of_definitions", "moved_tree"]

MACHINE = "cpu.medium"
LEAVE_OUT = "nothing: leave it out"


@record
class Destination:
    """Where a platform is to move; a region and an account that are not given are needed."""

    provider: str
    region: str | None = None
    account: str | None = None


@record
class Anew:
    """What is written at a path and must be given anew, in which shape, and what stands in for it until then.

    ``written`` are the values with their own paths; ``stand_in`` is None where it is left out, and so is its key.
    """

    at: tuple[str, ...]
    written: tuple[tuple[Path, str], ...]
    wants: str
    stand_in: Written | None


def anew(spec: PlatformSpec, to: Destination, providers: Sequence[str]) -> tuple[Anew, ...]:
    """Find all of them. ``providers`` are Terraform's, of the resources that the destination has."""
    shapes = PROVIDERS[to.provider]
    return (
        *_target(spec, to, shapes),
        *_network(spec, shapes),
        *_boundary(spec, shapes),
        *_principals(spec, shapes),
        *_users(spec, shapes),
        *_machines(spec, shapes),
        *_images(spec, shapes),
        *_models(spec, to, shapes),
        *_overrides(spec, to, providers),
    )


def moved_tree(tree: Tree, to: Destination, values: Sequence[Anew]) -> Tree:
    """Write the destination into a spec, and what stands in for what is needed."""
    tree = put(tree, ("target", "provider"), to.provider)
    for name, given in (("region", to.region), ("account", to.account)):
        if given is not None:
            tree = put(tree, ("target", name), given)
    for value in values:
        tree = taken(tree, value.at) if value.stand_in is None else put(tree, value.at, value.stand_in)
    return tree


def _one(at: tuple[str, ...], value: str, wants: str, stand_in: Written | None) -> Anew:
    return Anew(at=at, written=((at, value),), wants=wants, stand_in=stand_in)


def _fits(shape: Shape, value: str) -> bool:
    return re.fullmatch(shape.pattern, value) is not None


def _target(spec: PlatformSpec, to: Destination, shapes: ProviderShapes) -> Iterator[Anew]:
    if to.region is None:
        yield _one(("target", "region"), spec.target.region, shapes.region.says, shapes.region.example)
    if to.account is None:
        yield _one(("target", "account"), spec.target.account, shapes.account.says, shapes.account.example)


def _network(spec: PlatformSpec, shapes: ProviderShapes) -> Iterator[Anew]:
    zones, existing = spec.network.zones, spec.network.existing
    if existing is None:
        if not isinstance(zones, int):
            yield _list(("network", "zones"), zones, "zones of the new region, or how many", len(zones))
        return
    path = ("network", "existing")
    yield _one((*path, "network_id"), existing.network_id, shapes.network.says, shapes.network.example)
    yield _list((*path, "subnet_ids"), existing.subnet_ids, shapes.subnet.says, [shapes.subnet.example])
    groups = (*path, "security_group_ids")
    if shapes.security_group is not None:
        stand_in = [shapes.security_group.example]
        yield _list(groups, existing.security_group_ids, shapes.security_group.says, stand_in)
    elif existing.security_group_ids:
        yield _list(groups, existing.security_group_ids, LEAVE_OUT, None)


def _list(at: tuple[str, ...], values: Sequence[str], wants: str, stand_in: Written | None) -> Anew:
    """All values of a list at once; of one that is empty, the list."""
    written: tuple[tuple[Path, str], ...] = tuple(
        ((*at, number), value) for number, value in enumerate(values)
    )
    return Anew(at=at, written=written or ((at, ""),), wants=wants, stand_in=stand_in)


def _boundary(spec: PlatformSpec, shapes: ProviderShapes) -> Iterator[Anew]:
    at = ("security", "permissions_boundary")
    boundary = spec.security.permissions_boundary
    if shapes.boundary is None and boundary is not None:
        yield _one(at, str(boundary).lower() if isinstance(boundary, bool) else boundary, LEAVE_OUT, None)
    elif shapes.boundary is not None and isinstance(boundary, str):
        yield _one(at, boundary, shapes.boundary.says, shapes.boundary.example)


def _principals(spec: PlatformSpec, shapes: ProviderShapes) -> Iterator[Anew]:
    groups = spec.identity.groups
    named = {"admins": groups.admins, "scientists": groups.scientists, "viewers": groups.viewers}
    for group, principals in named.items():
        if not all(_fits(shapes.principal, principal) for principal in principals):
            at = ("identity", "groups", group)
            yield _list(at, principals, shapes.principal.says, [shapes.principal.example])


def _users(spec: PlatformSpec, shapes: ProviderShapes) -> Iterator[Anew]:
    users = spec.workspace.users if spec.workspace else ()
    if not all(_fits(shapes.user, user) for user in users):
        yield _list(("workspace", "users"), users, shapes.user.says, [shapes.user.example])


def _machines(spec: PlatformSpec, shapes: ProviderShapes) -> Iterator[Anew]:
    sized: dict[tuple[str, ...], str] = {
        ("pipelines", name, "instance"): it.instance for name, it in spec.pipelines.items()
    }
    sized |= {("endpoints", name, "instance"): it.instance for name, it in spec.endpoints.items()}
    sized |= {("monitors", name, "instance"): it.instance for name, it in spec.monitors.items()}
    if spec.workspace is not None:
        sized["workspace", "instance"] = spec.workspace.instance
    for at, instance in sized.items():
        if re.fullmatch(NEUTRAL_INSTANCE, instance) is None and not _fits(shapes.instance, instance):
            yield _one(
                at, instance, f"{shapes.instance.says}; {MACHINE} and the like fit every cloud", MACHINE
            )


def _images(spec: PlatformSpec, shapes: ProviderShapes) -> Iterator[Anew]:
    for name, model in spec.models.items():
        if model.image is not None and _is_elsewhere(model.image, shapes):
            yield _one(("models", name, "image"), model.image, shapes.image.says, shapes.image.example)


def _is_elsewhere(image: str, shapes: ProviderShapes) -> bool:
    return not own_repository(image) and not _fits(shapes.image, image)


def images_of_definitions(
    pipelines: Sequence[TrainingPipeline], to: Destination
) -> Iterator[tuple[Path, str, str]]:
    """Yield the images that steps take from elsewhere: the definition's path in the spec, the image, what is wanted."""
    shapes = PROVIDERS[to.provider]
    for pipeline in pipelines:
        for image in sorted(_used(pipeline.steps)):
            if _is_elsewhere(image, shapes):
                yield ("pipelines", pipeline.name, "definition"), image, shapes.image.says


def _used(definition: PipelineDefinition | None) -> set[str]:
    steps = definition.steps if definition else ()
    return {step.action.image for step in steps}


def _models(spec: PlatformSpec, to: Destination, shapes: ProviderShapes) -> Iterator[Anew]:
    if spec.llm is None:
        return
    says = f"the id of a model, as {to.provider} spells it"
    if spec.llm.models:
        yield _list(("llm", "models"), spec.llm.models, says, [shapes.embedding_model])
    for name, base in spec.llm.knowledge_bases.items():
        if base.embedding_model is not None:
            at = ("llm", "knowledge_bases", name, "embedding_model")
            yield _one(at, base.embedding_model, f"{says}; {shapes.embedding_model} when left out", None)


def _overrides(spec: PlatformSpec, to: Destination, providers: Sequence[str]) -> Iterator[Anew]:
    from stacks.schema.load import provider_of  # noqa: PLC0415 - only where something is overridden

    for address in spec.overrides:
        if provider_of(address.split(".")[0]) not in providers:
            at = ("overrides", address)
            yield _one(at, address, f"an address of {to.provider}'s resources, or nothing", None)
