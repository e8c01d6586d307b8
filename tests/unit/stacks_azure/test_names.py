"""Any platform gets legal names that are its own, in every kind that Azure has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.azure.names import NAMED, RULES, unique

WORD = st.from_regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", fullmatch=True)
PLATFORM = WORD.filter(lambda name: 3 <= len(name) <= 20)
ENVIRONMENT = st.from_regex(r"[a-z][a-z0-9]{1,9}", fullmatch=True)
SUBSCRIPTION = st.uuids().map(str)
GLOBAL = ("storage-account", "key-vault", "registry")
PURPOSE = {"storage-account": "workspace", "key-vault": "kv", "registry": "images"}


@pytest.mark.parametrize("kind", GLOBAL)
@given(PLATFORM, ENVIRONMENT, SUBSCRIPTION)
def test_a_name_that_is_unique_in_all_of_azure_is_legal(
    kind: str, platform: str, environment: str, subscription: str
) -> None:
    name = unique(kind, (platform, environment, PURPOSE[kind]), subscription)
    assert RULES[kind].allows(name)


@given(st.sets(st.tuples(PLATFORM, ENVIRONMENT), min_size=2, max_size=2), SUBSCRIPTION)
def test_two_environments_never_share_a_name(environments: set[tuple[str, str]], subscription: str) -> None:
    for kind in GLOBAL:
        made = {unique(kind, (*each, PURPOSE[kind]), subscription) for each in environments}
        assert len(made) == len(environments)


def test_hyphens_that_a_kind_cannot_have_still_tell_platforms_apart() -> None:
    subscription = "11111111-2222-4333-8444-555555555555"
    joined = unique("storage-account", ("ab-c", "dev", "data"), subscription)
    split = unique("storage-account", ("a-bc", "dev", "data"), subscription)
    assert joined != split
    assert joined[:-8] == split[:-8] == "abcdevdata"


def test_another_subscription_gives_another_name() -> None:
    parts = ("churn", "dev", "kv")
    assert unique("key-vault", parts, "a") != unique("key-vault", parts, "b")


def test_the_purpose_is_kept_where_the_limit_cuts() -> None:
    name = unique("storage-account", ("a-very-long-platform", "production", "workspace"), "s")
    assert len(name) == RULES["storage-account"].longest
    assert "workspace" in name


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("storage-account", "Data"),
        ("storage-account", "ab"),
        ("key-vault", "1vault"),
        ("key-vault", "a--vault"),
        ("key-vault", "vault-"),
        ("registry", "a-registry"),
        ("registry", "abcd"),
        ("container", "ab"),
        ("container", "a--b"),
        ("resource-group", "group."),
        ("search", "a-b"),
        ("endpoint", "1st"),
        ("workspace", "ab"),
    ],
)
def test_what_azure_refuses_is_not_legal(kind: str, name: str) -> None:
    assert not RULES[kind].allows(name)


def test_every_argument_that_is_a_name_has_a_rule_with_a_source() -> None:
    assert set(NAMED.values()) <= RULES.keys()
    assert all(rule.source for rule in RULES.values())
