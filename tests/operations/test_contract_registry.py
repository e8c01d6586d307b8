"""What every provider promises of the registry of models."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scaffolder.operations.errors import NotFound
from scaffolder.operations.values import Approval, Capability, Stage
from tests.operations.contract import needs, neutral, registration
from tests.operations.worlds import World


@needs(Capability.REGISTRY)
def test_a_model_without_a_version_has_an_empty_list(world: World) -> None:
    assert [*world.provider.registry.list("churn")] == []


@needs(Capability.REGISTRY)
def test_a_version_keeps_what_was_registered(world: World) -> None:
    given = registration(world, "one")
    made = neutral(world.provider.registry.register(given))
    assert (made.model, made.version) == ("churn", 1)
    assert (made.approval, made.stage) == (Approval.PENDING, Stage.NONE)
    assert made.metrics == given.metrics
    assert {type(value) for value in made.metrics.values()} == {float}
    assert (made.source_commit, made.digest) == (given.source_commit, given.digest)
    assert made.artifact_uri
    assert made.image == "" or made.image.endswith(given.image)
    assert neutral(world.provider.registry.get("churn", 1)) == made


@needs(Capability.REGISTRY)
def test_where_a_version_comes_from_is_kept(world: World) -> None:
    given = replace(
        registration(world, "one"),
        run="a-run-that-ended",
        report_uri=f"{world.an_artifact()}/report.json",
        data_uri=world.scoring_input(),
    )
    made = world.provider.registry.register(given)
    assert (made.run, made.report_uri, made.data_uri) == (given.run, given.report_uri, given.data_uri)
    assert world.provider.registry.get("churn", made.version) == made


@needs(Capability.REGISTRY)
def test_two_registrations_with_one_token_make_one_version(world: World) -> None:
    first = world.provider.registry.register(registration(world, "one"))
    again = world.provider.registry.register(registration(world, "one"))
    assert (again.ref, again.version) == (first.ref, first.version)
    assert [one.version for one in world.provider.registry.list("churn")] == [1]


@needs(Capability.REGISTRY)
def test_versions_count_from_one_and_lists_begin_with_the_newest(world: World) -> None:
    made = [world.provider.registry.register(registration(world, token)) for token in ("one", "two", "three")]
    assert [one.version for one in made] == [1, 2, 3]
    assert [*world.provider.registry.list("churn")] == made[::-1]


@needs(Capability.REGISTRY)
def test_a_version_that_is_not_there_is_not_found(world: World) -> None:
    world.provider.registry.register(registration(world, "one"))
    with pytest.raises(NotFound):
        world.provider.registry.get("churn", 2)
    with pytest.raises(NotFound):
        world.provider.registry.get("chrun", 1)
    with pytest.raises(NotFound):
        world.provider.registry.set_approval("churn", 2, Approval.APPROVED)


@needs(Capability.REGISTRY, Capability.STAGES)
def test_a_stage_of_a_version_that_is_not_there_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        world.provider.registry.set_stage("churn", 1, Stage.PRODUCTION)


@needs(Capability.REGISTRY)
@pytest.mark.parametrize("approval", [*Approval])
def test_an_approval_is_kept_and_set_twice_changes_nothing(world: World, approval: Approval) -> None:
    world.provider.registry.register(registration(world, "one"))
    for _ in range(2):
        made = world.provider.registry.set_approval("churn", 1, approval, "looked at on Monday")
        assert made.approval is approval
        assert world.provider.registry.get("churn", 1) == made


@needs(Capability.REGISTRY, Capability.STAGES)
@pytest.mark.parametrize("stage", [*Stage])
def test_a_stage_is_kept_apart_from_the_approval(world: World, stage: Stage) -> None:
    before = world.provider.registry.register(registration(world, "one"))
    world.provider.registry.set_approval("churn", 1, Approval.APPROVED)
    for _ in range(2):
        world.provider.registry.set_stage("churn", 1, stage)
        made = world.provider.registry.get("churn", 1)
        assert (made.approval, made.stage) == (Approval.APPROVED, stage)
    rejected = world.provider.registry.set_approval("churn", 1, Approval.REJECTED)
    assert (rejected.approval, rejected.stage) == (Approval.REJECTED, stage)
    assert (rejected.metrics, rejected.digest) == (before.metrics, before.digest)


@needs(Capability.REGISTRY, Capability.STAGES)
@pytest.mark.parametrize("stage", [Stage.STAGING, Stage.PRODUCTION])
def test_a_stage_that_one_version_holds_is_left_by_the_one_before(world: World, stage: Stage) -> None:
    for token in ("one", "two", "three"):
        world.provider.registry.register(registration(world, token))
    other = Stage.PRODUCTION if stage is Stage.STAGING else Stage.STAGING
    world.provider.registry.set_stage("churn", 1, stage)
    world.provider.registry.set_stage("churn", 3, other)
    assert world.provider.registry.set_stage("churn", 2, stage).stage is stage
    assert {one.version: one.stage for one in world.provider.registry.list("churn")} == {
        1: Stage.ARCHIVED,
        2: stage,
        3: other,
    }
