"""The stacks of a platform are the same on every cloud: names, order, bounds."""

from __future__ import annotations

import re

import pytest

from stacks.schema.load import shipped_versions
from tests.contract.platforms import PROVIDERS, full, lowering, rich

CONCERNS = (
    *(
        "state",
        "security",
        "network",
        "storage",
        "registry",
        "identity",
        "workspace",
        "ml",
        "llm",
        "monitoring",
    ),
)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_stacks_are_the_same_in_the_same_order(provider: str) -> None:
    for environment in (*full(provider).environments, *rich(provider).environments):
        concerns = [linked.stack.concern for linked in environment.stacks]
        assert concerns == [concern for concern in CONCERNS if concern in concerns]
        assert {*CONCERNS} - {*concerns} <= {"llm"}, "only what has no resource at all may be missing"
        platform = environment.platform
        assert [linked.stack.name for linked in environment.stacks] == [
            f"{platform.name}-{platform.environment}-{concern}" for concern in concerns
        ]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_stacks_need_only_what_comes_before(provider: str) -> None:
    before: set[str] = set()
    for linked in full(provider).stacks:
        assert {*linked.dependencies} <= before
        before.add(linked.stack.name)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_both_ends_of_a_providers_bounds_are_shipped_and_checked(provider: str) -> None:
    checked = lowering(provider).provider_versions()
    used = {block.name: block for linked in full(provider).stacks for block in linked.stack.providers}
    assert used.keys() == checked.keys()
    for name, versions in checked.items():
        assert {*versions} <= {*shipped_versions(name)}
        bounds = re.fullmatch(r">= (\d+)\.(\d+)\.(\d+), < (\d+)\.0\.0", used[name].version)
        assert bounds is not None, used[name].version
        least, below = tuple(map(int, bounds.groups()[:3])), int(bounds[4])
        assert all(least <= _version(each) < (below,) for each in versions), name


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def test_every_cloud_asks_for_the_same_terraform() -> None:
    asked = {linked.stack.required_terraform for provider in PROVIDERS for linked in full(provider).stacks}
    assert len(asked) == 1


def test_every_cloud_has_an_example_with_everything() -> None:
    assert [provider for provider in PROVIDERS if not full(provider).stacks] == []
