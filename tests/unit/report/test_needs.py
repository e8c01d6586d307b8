"""What of a spec is one cloud's own, and what stands in for it on another."""

from __future__ import annotations

import pytest

from scaffolder.report.needs import Anew, Destination, anew, moved_tree
from scaffolder.spec.load import EnvironmentSpec, parse_spec, reread
from scaffolder.spec.nodes import dotted
from scaffolder.spec.providers import PROVIDERS

HEAD = "version: 1\nname: churn\nowner: growth-ml\n"
ON_AWS = """\
target: {provider: aws, region: eu-west-1, account: "123456789012"}
network:
  existing:
    network_id: vpc-0a1b2c3d4e5f60718
    subnet_ids: [subnet-0a1b2c3d4e5f60718, subnet-0b1c2d3e4f5061728]
    security_group_ids: [sg-0a1b2c3d4e5f60718]
security: {permissions_boundary: "arn:aws:iam::123456789012:policy/ours"}
identity:
  groups: {admins: ["arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/b"]}
models:
  churn: {image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/serving:1.2.0}
  own: {image: "serving:1.2.0"}
containers: {repositories: [serving]}
endpoints:
  churn: {model: churn, mode: realtime, instance: ml.m5.xlarge}
  own: {model: own, mode: realtime, instance: cpu.large}
llm:
  models: [eu.amazon.nova-lite-v1:0]
  knowledge_bases: {docs: {embedding_model: cohere.embed-multilingual-v3}, more: {}}
overrides:
  aws_kms_key.data: {deletion_window_in_days: 7}
"""
EVERYTHING = [
    "target.region",
    "target.account",
    "network.existing.network_id",
    "network.existing.subnet_ids[0]",
    "network.existing.subnet_ids[1]",
    "network.existing.security_group_ids[0]",
    "security.permissions_boundary",
    "identity.groups.admins[0]",
    "identity.groups.admins[1]",
    "endpoints.churn.instance",
    "models.churn.image",
    "llm.models[0]",
    "llm.knowledge_bases.docs.embedding_model",
    "overrides.aws_kms_key.data",
]


def environment(text: str) -> EnvironmentSpec:
    (only,) = parse_spec(HEAD + text).environments
    return only


def paths(values: tuple[Anew, ...]) -> list[str]:
    return [dotted(path) for value in values for path, _ in value.written]


@pytest.mark.parametrize("provider", sorted({*PROVIDERS} - {"aws"}))
def test_everything_of_the_old_cloud_is_needed_anew(provider: str) -> None:
    values = anew(environment(ON_AWS).spec, Destination(provider=provider), ["other"])
    assert paths(values) == EVERYTHING


@pytest.mark.parametrize("provider", sorted({*PROVIDERS} - {"aws"}))
def test_with_its_stand_ins_the_spec_is_sound_on_the_new_cloud(provider: str) -> None:
    old = environment(ON_AWS)
    to = Destination(provider=provider)
    tree = moved_tree(old.tree, to, anew(old.spec, to, ["other"]))
    (new,) = reread(old, tree, file="platform.yaml").environments
    assert new.spec.target.provider == provider
    assert new.spec.endpoints["churn"].instance == "cpu.medium"
    assert new.spec.endpoints["own"] == old.spec.endpoints["own"]
    assert (new.spec.overrides, new.spec.security.permissions_boundary) == ({}, None)
    assert new.position(("models", "own", "image")) == old.position(("models", "own", "image"))


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_a_neutral_spec_needs_a_region_and_an_account_and_what_is_given_is_not_needed(provider: str) -> None:
    other = next(name for name in PROVIDERS if name != provider)
    shapes = PROVIDERS[other]
    text = f"target: {{provider: {other}, region: {shapes.region.example}, account: '{shapes.account.example}'}}\n"
    spec = environment(
        text + "security: {encryption: provider}\nworkspace: {users: [ada], instance: gpu.t4}\n"
    ).spec
    to = PROVIDERS[provider]
    assert paths(anew(spec, Destination(provider=provider), [])) == ["target.region", "target.account"]
    given = Destination(provider=provider, region=to.region.example, account=to.account.example)
    assert anew(spec, given, []) == ()


def test_a_network_that_exists_wants_security_groups_on_aws_only() -> None:
    shapes = PROVIDERS["gcp"]
    text = (
        "target: {provider: gcp, region: europe-west4, account: acme-ml}\n"
        f"network: {{existing: {{network_id: {shapes.network.example}, subnet_ids: [{shapes.subnet.example}]}}}}\n"
    )
    found = anew(environment(text).spec, Destination(provider="aws"), [])
    groups = found[-1]
    assert (paths((groups,)), groups.written[0][1]) == (["network.existing.security_group_ids"], "")
    assert not any(
        "security_group" in path
        for path in paths(anew(environment(text).spec, Destination(provider="azure"), []))
    )


def test_zones_by_id_are_counted_until_the_new_ones_are_named() -> None:
    text = (
        'target: {provider: aws, region: eu-west-1, account: "123456789012"}\n'
        "network: {zones: [euw1-az1, euw1-az2]}\n"
    )
    *_, zones = anew(environment(text).spec, Destination(provider="gcp"), [])
    assert (paths((zones,)), zones.stand_in) == (["network.zones[0]", "network.zones[1]"], 2)
