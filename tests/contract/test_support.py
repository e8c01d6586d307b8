"""Each cloud says how far it carries each intent, and what it says it carries is there."""

from __future__ import annotations

from dataclasses import fields

import pytest

from stacks.intents import INTENT_TYPES, SupportLevel, describe
from tests.clouds import cloud
from tests.contract.platforms import PROVIDERS, full, idle, lowering, skipped_wholly


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_intent_has_a_declared_support(provider: str) -> None:
    table = lowering(provider).support()
    assert set(table) == set(INTENT_TYPES)
    unreasoned = [
        kind.__name__ for kind, it in table.items() if bool(it.reason) == (it.level is SupportLevel.FULL)
    ]
    assert unreasoned == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_idle_field_is_there_and_has_a_reason(provider: str) -> None:
    for kind, declared in idle(provider).items():
        assert declared.keys() < {each.name for each in fields(kind)}, kind.__name__
        assert all(declared.values()), kind.__name__


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_is_carried_makes_a_resource(provider: str) -> None:
    """An intent may share a resource's origin with another: that is named after both."""
    table = lowering(provider).support()
    for environment in full(provider).environments:
        origins = " ".join(node.origin for linked in environment.stacks for node in linked.stack.nodes)
        left_out = skipped_wholly(environment)
        carried = [
            describe(intent)
            for intent in environment.platform.intents
            if table[type(intent)].level in (SupportLevel.FULL, SupportLevel.PARTIAL)
            and describe(intent) not in left_out
        ]
        elsewhere = cloud(provider).reasons("carried_by_another")
        assert [intent for intent in carried if intent not in origins and intent not in elsewhere] == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_intent_that_is_not_carried_makes_nothing(provider: str) -> None:
    table = lowering(provider).support()
    for environment in full(provider).environments:
        origins = {node.origin for linked in environment.stacks for node in linked.stack.nodes}
        none = (SupportLevel.NOT_POSSIBLE, SupportLevel.NOT_IMPLEMENTED)
        made = [describe(i) for i in environment.platform.intents if table[type(i)].level in none]
        assert origins & {*made} == set()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_example_with_everything_asks_for_everything(provider: str) -> None:
    """But for the one network, and what a cloud has nothing of."""
    asked = {type(i) for environment in full(provider).environments for i in environment.platform.intents}
    table = lowering(provider).support()
    missing = {
        kind.__name__
        for kind in INTENT_TYPES
        if kind not in asked and table[kind].level is not SupportLevel.NOT_POSSIBLE
    }
    assert missing == {"ExistingNetwork"}
