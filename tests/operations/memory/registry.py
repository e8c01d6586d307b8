"""The registry of the in-memory provider."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

from scaffolder.operations.errors import NotFound
from scaffolder.operations.values import Approval, Capability, ModelVersion, Registration, RunState, Stage
from stacks.intents import ModelRegistry
from stacks.pipelines import Register
from tests.operations.memory.cloud import Cloud, Memories, named
from tests.operations.memory.runs import MEASURED, definition_of, run_of

__all__ = ["MemoryRegistry", "version_in"]

EXCLUSIVE = {Stage.STAGING, Stage.PRODUCTION}


def version_in(cloud: Cloud, model: str, version: int) -> ModelVersion:
    """Look a version up.

    Raises:
        NotFound: it is not there.
    """
    for one in cloud.versions.get(model, []):
        if one.version == version:
            return one
    raise NotFound(f"there is no version {version} of the model {model!r}")


def _register(memories: Memories, cloud: Cloud, registration: Registration) -> ModelVersion:
    model = named("model", registration.model, memories.intents(ModelRegistry))
    kept = {each.name for each in fields(ModelVersion)} & {each.name for each in fields(Registration)}

    def make() -> str:
        versions = cloud.versions.setdefault(model.name, [])
        number = len(versions) + 1
        versions.append(
            ModelVersion(
                ref=f"{model.name}:{number}",
                version=number,
                approval=Approval.APPROVED if model.approval == "automatic" else Approval.PENDING,
                stage=Stage.NONE,
                created=memories.now(),
                **{name: getattr(registration, name) for name in kept},
            )
        )
        return str(number)

    number = int(memories.once(cloud, "version", registration.token, make))
    return version_in(cloud, model.name, number)


def _catch_up(memories: Memories, cloud: Cloud) -> None:
    """Register what runs have come to register by now."""
    for ref, submitted in cloud.runs.items():
        run = run_of(memories, ref, submitted)
        done = {step.name for step in run.steps if step.state is RunState.SUCCEEDED and not step.skipped}
        definition = definition_of(memories, run.pipeline)
        for step in definition.steps if definition else ():
            if isinstance(step.action, Register) and step.name in done:
                registration = Registration(
                    model=step.action.model,
                    artifact_uri=f"memory://runs/{ref}/{step.action.source.output}",
                    token=f"{ref} {step.name}",
                    image=step.action.image,
                    content_type=step.action.content_type,
                    metrics=MEASURED,
                    run=ref,
                )
                _register(memories, cloud, registration)


class MemoryRegistry:
    def __init__(self, memories: Memories) -> None:
        self._memories = memories

    def register(self, registration: Registration) -> ModelVersion:
        with self._memories.open(Capability.REGISTRY) as cloud:
            _catch_up(self._memories, cloud)
            return _register(self._memories, cloud, registration)

    def list(self, model: str) -> Iterator[ModelVersion]:
        with self._memories.open(Capability.REGISTRY) as cloud:
            _catch_up(self._memories, cloud)
            versions = [*cloud.versions.get(model, [])]
        yield from reversed(versions)

    def get(self, model: str, version: int) -> ModelVersion:
        with self._memories.open(Capability.REGISTRY) as cloud:
            _catch_up(self._memories, cloud)
            return version_in(cloud, model, version)

    def set_approval(self, model: str, version: int, approval: Approval, note: str = "") -> ModelVersion:
        del note
        with self._memories.open(Capability.REGISTRY) as cloud:
            return _put(cloud, replace(version_in(cloud, model, version), approval=approval))

    def set_stage(self, model: str, version: int, stage: Stage) -> ModelVersion:
        with self._memories.open(Capability.REGISTRY, Capability.STAGES) as cloud:
            one = version_in(cloud, model, version)
            for other in cloud.versions[model]:
                if stage in EXCLUSIVE and other.stage is stage and other.version != version:
                    _put(cloud, replace(other, stage=Stage.ARCHIVED))
            return _put(cloud, replace(one, stage=stage))


def _put(cloud: Cloud, one: ModelVersion) -> ModelVersion:
    cloud.versions[one.model][one.version - 1] = one
    return one
