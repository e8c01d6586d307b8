"""What Azure refuses is said by path, with what would be right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import stacks.azure
from stacks.intents import AuditTrail, CiIdentity, ExistingNetwork, Platform, PrivateNetwork, TrainingPipeline
from tests.unit.stacks_azure.platforms import VNET, platform


def with_(made: Platform, kind: type[Any], **fields: Any) -> Platform:
    """The platform with fields of its only intent of a type changed."""
    return replace(
        made,
        intents=tuple(
            replace(intent, **fields) if isinstance(intent, kind) else intent for intent in made.intents
        ),
    )


def said(made: Platform) -> list[tuple[str, str, bool]]:
    """Code, path and whether it is a warning only, of every problem."""
    return [
        (problem.code, ".".join(problem.path), problem.warning) for problem in stacks.azure.problems(made)
    ]


def test_a_sound_platform_has_no_problem() -> None:
    assert said(platform()) == []


def test_an_unknown_location_is_refused_with_the_nearest() -> None:
    made = platform()
    problems = stacks.azure.problems(replace(made, target=replace(made.target, region="westeurop")))
    assert [problem.code for problem in problems] == ["region"]
    assert "westeurope" in problems[0].hint


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"zones": 4}, "network.zones"),
        ({"zones": 1, "zone_ids": ("4",)}, "network.zones.0"),
        ({"private_endpoints": False}, "network.private_endpoints"),
    ],
)
def test_a_network_that_azure_cannot_make_is_refused(fields: dict[str, Any], path: str) -> None:
    assert [where for _, where, _ in said(with_(platform(), PrivateNetwork, **fields))] == [path]


def test_a_subnet_of_another_network_is_refused() -> None:
    existing = ExistingNetwork(
        network_id=VNET, subnet_ids=(f"{VNET}/subnets/a", f"{VNET}2/subnets/b"), security_group_ids=()
    )
    made = platform()
    others = tuple(intent for intent in made.intents if not isinstance(intent, PrivateNetwork))
    assert said(replace(made, intents=(*others, existing))) == [
        ("existing-network", "network.existing.subnet_ids.1", False)
    ]


def test_more_tags_than_a_private_zone_takes_are_refused() -> None:
    made = platform()
    assert said(replace(made, tags={f"t{number}": "x" for number in range(16)})) == [("tag", "tags", False)]


def test_tags_that_differ_in_capitals_only_are_refused() -> None:
    assert said(replace(platform(), tags={"Cost": "a", "cost": "b"})) == [("tag", "tags.cost", False)]


def test_a_tags_name_that_azure_does_not_take_is_refused() -> None:
    assert said(replace(platform(), tags={"team/unit": "x"})) == [("tag", "tags.team/unit", False)]


def test_logs_that_would_go_before_thirty_days_are_warned_of() -> None:
    (problem,) = stacks.azure.problems(with_(platform(), AuditTrail, log_retention_days=29))
    assert (problem.code, problem.path) == ("log-retention", ("security", "log_retention_days"))
    assert "30 days or more" in problem.message


def test_six_years_of_logs_are_no_problem() -> None:
    assert said(with_(platform(), AuditTrail, log_retention_days=2190)) == []


def test_what_changes_nothing_or_less_than_one_thinks_is_warned_of() -> None:
    made = platform(identity={"ci": {"system": "gitlab", "repository": "a/b", "host": "gitlab.com"}})
    existing = with_(made, CiIdentity, create_provider=False)
    assert said(existing) == [
        ("no-effect", "identity.ci.provider", True),
        ("ci-branches", "identity.ci.system", True),
    ]


def test_circlecis_subjects_cannot_be_compared_and_jenkins_are_one_branchs() -> None:
    jenkins = platform(
        identity={"ci": {"system": "jenkins", "repository": "a/b", "host": "jenkins.acme.com"}}
    )
    assert said(jenkins) == [("ci-branches", "identity.ci.system", True)]
    circle = with_(
        jenkins, CiIdentity, system="circleci", organization="00000000-0000-4000-8000-000000000000"
    )
    assert said(circle) == [("ci-subject", "identity.ci.system", False)]


def test_ci_without_a_state_in_azure_is_warned_of() -> None:
    made = platform(identity={"ci": {"system": "github", "repository": "a/b"}})
    local = replace(made, backend=replace(made.backend, kind="local"))
    assert said(local) == [("ci-state", "state.backend", True)]


def test_a_schedule_that_azure_would_read_as_another_is_refused() -> None:
    pipeline = TrainingPipeline(
        name="train", definition="train.yaml", schedule="0 6 1 jan *", instance="cpu.medium", steps=None
    )
    made = platform()
    assert said(replace(made, intents=(*made.intents, pipeline))) == [
        ("schedule", "pipelines.train.schedule", False)
    ]
    monthly = replace(pipeline, schedule="0 6 1 * *")
    assert said(replace(made, intents=(*made.intents, monthly))) == []
