"""The preview of hand-made environments, to the letter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from scaffolder.pipeline import EnvironmentPlatform, Synthesis
from scaffolder.report.preview import not_made, render_preview
from stacks.adapter import Skipped
from stacks.graph import Backend, Stack, StackBuilder, link
from stacks.intents import Platform, StateBackend, Target

LONG = Skipped(intent="model registry churn", reason="this version makes no model package group on aws yet")
SHORT = Skipped(intent="budget", reason="not yet")
PART = Skipped(
    intent="online endpoint churn",
    reason="the endpoint is made; a release deploys the model",
    in_part=True,
)


def environment(name: str, buckets: int = 1, skipped: Sequence[Skipped] = ()) -> EnvironmentPlatform:
    keys, storage = StackBuilder("security"), StackBuilder("storage")
    key = keys.resource("aws_kms_key", "data", {}, origin="encryption")
    keys.data("aws_iam_policy_document", "data", {}, origin="encryption")
    for number in range(buckets):
        storage.resource(
            "aws_s3_bucket", f"b{number}", {"kms": key.ref("arn")}, origin=f"object store b{number}"
        )
    stacks = [
        Stack(
            name=f"churn-{name}-{builder.concern}",
            concern=builder.concern,
            environment=name,
            nodes=builder.nodes,
            providers=(),
            backend=Backend(kind="local", config={}),
            required_terraform=">= 1.11",
        )
        for builder in (storage, keys)
    ]
    platform = Platform(
        name="churn",
        environment=name,
        tags={},
        target=Target(provider="aws", region="eu-west-1", account="123456789012"),
        first_in_account=True,
        deletion_protection=False,
        backend=StateBackend(kind="local", settings={}),
        intents=(),
        overrides=(),
    )
    return EnvironmentPlatform(name=name, platform=platform, stacks=link(stacks), skipped=tuple(skipped))


def shown(*environments: EnvironmentPlatform, resources: bool = False) -> str:
    synthesis = Synthesis(file="p.yaml", environments=environments, warnings=())
    return "\n".join(render_preview(synthesis, resources=resources))


def test_environments_stand_side_by_side_where_types_are_counted() -> None:
    assert shown(environment("dev"), environment("prod", 2)) == (
        """\
churn dev: 2 stacks, 2 resources
  aws eu-west-1, account 123456789012

  STACK               RESOURCES  NEEDS
  churn-dev-security          1  -
  churn-dev-storage           1  security

churn prod: 2 stacks, 3 resources
  aws eu-west-1, account 123456789012

  STACK                RESOURCES  NEEDS
  churn-prod-security          1  -
  churn-prod-storage           2  security

  TYPE                                                    dev   prod
  aws_kms_key                                               1      1
  aws_s3_bucket                                             1      2
  in all                                                    2      3

In all: 2 environments, 4 stacks, 5 resources.
"""
    )


def test_resources_stand_below_their_stacks() -> None:
    assert shown(environment("dev"), resources=True) == (
        """\
churn dev: 2 stacks, 2 resources
  aws eu-west-1, account 123456789012

  STACK               RESOURCES  NEEDS
  churn-dev-security          1  -
    aws_kms_key.data                                    encryption
  churn-dev-storage           1  security
    aws_s3_bucket.b0                                    object store b0
"""
    )


def test_the_numbers_of_a_type_too_long_for_its_column_stand_below_it() -> None:
    storage = StackBuilder("storage")
    long = "azurerm_machine_learning_workspace_network_outbound_rule_private_endpoint"
    storage.resource(long, "one", {}, origin="object store one")
    dev = environment("dev")
    (kept, *_) = dev.stacks
    nodes = replace(kept, stack=replace(kept.stack, nodes=storage.nodes), nodes=storage.nodes)
    lines = shown(replace(dev, stacks=(nodes,))).splitlines()
    at = lines.index(f"  {long}")
    assert lines[at + 1 : at + 3] == [f"  {'':<52}{1:>7}", f"  {'in all':<52}{1:>7}"]


def test_many_environments_are_cut_into_tables_that_fit() -> None:
    text = shown(*(environment(f"env{number}") for number in range(9)))
    assert [line for line in text.splitlines() if len(line) > 80] == []
    heads = [line.split()[1:] for line in text.splitlines() if line.startswith("  TYPE")]
    assert [name for head in heads for name in head] == [f"env{number}" for number in range(9)]
    assert len(heads) == 3


@pytest.mark.parametrize(
    ("dev", "prod", "lines"),
    [
        ([], [], []),
        ([SHORT], [SHORT], ["In no stack:", "  - budget: not yet"]),
        (
            [LONG, SHORT],
            [SHORT],
            [
                "In no stack:",
                "  - model registry churn (dev only): this version makes no model package group",
                "    on aws yet",
                "  - budget: not yet",
            ],
        ),
        (
            [SHORT, replace(SHORT, intent="workspace")],
            [SHORT, replace(SHORT, intent="workspace")],
            ["In no stack:", "  - budget, workspace: not yet"],
        ),
        (
            [PART, replace(PART, intent="online endpoint uplift")],
            [PART, replace(PART, intent="online endpoint uplift")],
            [
                "Made in part:",
                "  - online endpoint churn, uplift: the endpoint is made; a release deploys the",
                "    model",
            ],
        ),
        (
            [PART, SHORT],
            [PART, replace(PART, intent="online endpoint uplift"), SHORT],
            [
                "Made in part:",
                "  - online endpoint churn: the endpoint is made; a release deploys the model",
                "  - online endpoint uplift (prod only): the endpoint is made; a release deploys",
                "    the model",
                "In no stack:",
                "  - budget: not yet",
            ],
        ),
    ],
    ids=["nothing", "both", "one only", "alike", "alike of a kind", "in part"],
)
def test_what_is_not_made_wholly_is_said_once(
    dev: list[Skipped], prod: list[Skipped], lines: list[str]
) -> None:
    environments = [environment("dev", skipped=dev), environment("prod", skipped=prod)]
    assert [*not_made(environments)] == lines
