"""The tables about clouds, backends and profiles fit each other and what the lowering knows."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from scaffolder.spec.backends import BACKENDS
from scaffolder.spec.fields import Choice, Each, keys_of
from scaffolder.spec.model import Security, State, Target
from scaffolder.spec.profiles import EEA_REGIONS, PROFILES
from scaffolder.spec.providers import PROVIDERS, Shape
from scaffolder.spec.secrets import SHAPES, is_secret_name, secret_in
from stacks.aws.catalog import regions

REGIONS = {
    "aws": (*regions(), "us-gov-west-1", "cn-northwest-1"),
    "gcp": (
        *EEA_REGIONS["gcp"],
        "us-central1",
        "northamerica-northeast1",
        "asia-southeast2",
        "me-west1",
        "us-east5",
    ),
    "azure": (*EEA_REGIONS["azure"], "eastus2", "uksouth", "switzerlandnorth", "westus3"),
}


def test_the_tables_have_a_line_for_each_word_of_the_vocabulary() -> None:
    provider, backend = keys_of(Target)["provider"].kind, keys_of(State)["backend"].kind
    profiles = keys_of(Security)["profiles"].kind
    assert isinstance(provider, Choice)
    assert isinstance(backend, Choice)
    assert isinstance(profiles, Each)
    assert isinstance(profiles.kind, Choice)
    assert set(PROVIDERS) == set(provider.values) == set(EEA_REGIONS)
    assert set(BACKENDS) == set(backend.values) - {"managed", "local"}
    assert set(PROFILES) == set(profiles.kind.values)


@pytest.mark.parametrize("provider", sorted(REGIONS))
def test_regions_are_known_as_their_own_providers_and_as_no_others(provider: str) -> None:
    for region in REGIONS[provider]:
        fitting = [name for name, shapes in PROVIDERS.items() if re.fullmatch(shapes.region.pattern, region)]
        assert fitting == [provider], region


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_each_example_has_its_own_shape(provider: str) -> None:
    values = [getattr(PROVIDERS[provider], each.name) for each in fields(PROVIDERS[provider])]
    shapes = [value for value in values if isinstance(value, Shape)]
    assert len(shapes) >= 7
    for shape in shapes:
        assert re.fullmatch(shape.pattern, shape.example), shape


def test_the_regions_of_the_eea_are_regions() -> None:
    assert set(EEA_REGIONS["aws"]) <= set(regions())


def test_what_a_backend_requires_it_takes_and_no_credential_is_taken() -> None:
    for backend in BACKENDS.values():
        assert set(backend.required) <= set(backend.types)
        assert not backend.secret & set(backend.types)


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "glpat-0123456789abcdefghij",
        "AIza" + "a" * 35,
        "xoxb-0123456789-abc",
        "AccountKey=" + "a" * 60,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.SflKxwRJSMeKKF",
        "postgres://user:hunter22@db.example",
    ],
)
def test_a_credential_is_known_as_one(text: str) -> None:
    assert secret_in(f"x {text} y") in SHAPES


@pytest.mark.parametrize(
    "text",
    [
        *(
            "arn:aws:iam::123456789012:role/team",
            "https://example.com:8443/path",
            "principal://iam.googleapis.com/a:b",
        ),
        *("growth-ml", "AKIA", "subnet-0123456789abcdef0", "-----BEGIN CERTIFICATE-----"),
    ],
)
def test_what_is_no_credential_is_not_taken_for_one(text: str) -> None:
    assert secret_in(text) == ""


def test_keys_with_secrets_are_known_by_their_names() -> None:
    assert [
        name
        for name in ("secret_key", "token", "DB_PASSWORD", "sas_token", "private_key", "access_key")
        if not is_secret_name(name)
    ] == []
    assert [
        name
        for name in ("key", "bucket", "tokens_per_second", "workspace_key_prefix")
        if is_secret_name(name)
    ] == []
