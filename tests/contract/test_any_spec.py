"""Whatever valid spec is given, on every cloud the platform comes out whole, with legal names, the same every time."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scaffolder.pipeline import EnvironmentPlatform
from stacks.graph import Node
from stacks.schema.check import check_provider
from tests.clouds import cloud, excused
from tests.contract.platforms import (
    PROVIDERS,
    documents,
    full,
    module,
    oldest_and_newest,
    resources,
    rich,
    synthesized,
)
from tests.strategies import valid_specs

SOME = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
FEW = settings(SOME, max_examples=8)


def named(provider: str, environment: EnvironmentPlatform) -> Iterator[tuple[str, str, object]]:
    """Every name that the cloud will see: kind, name, and the place in which it may stand once."""
    of = cloud(provider)
    kinds, parents = module(provider, "names").NAMED, of.reasons("names_within")
    account = environment.platform.target.account
    for linked in environment.stacks:
        for node in linked.stack.nodes:
            type_ = node.address.type
            for argument in node.arguments if node.address.mode == "resource" else ():
                kind = kinds.get((type_, argument))
                parent = parents.get(f"{type_}.{argument}")
                if kind is None:
                    continue
                place: object = account if kind in of.contract["one_namespace"] else (account, type_)
                if parent is not None:
                    place = (environment.name, type_, repr(node.arguments.get(parent)))
                yield kind, str(node.arguments[argument]), place


def _unruled(provider: str, node: Node) -> Iterator[str]:
    """The literal names of a resource that no rule is known for."""
    ruled = module(provider, "names").NAMED
    for argument, value in node.arguments.items():
        is_name = argument == "name" or argument.endswith(("_name", "_id"))
        if is_name and isinstance(value, str) and (node.address.type, argument) not in ruled:
            yield f"{node.address.type}.{argument}"


@pytest.mark.parametrize("provider", PROVIDERS)
@SOME
@given(data=st.data())
def test_any_valid_spec_synthesizes_with_legal_and_distinct_names(provider: str, data: st.DataObject) -> None:
    synthesis = synthesized(data.draw(valid_specs(provider=provider)))
    assert synthesis.stacks
    rules = module(provider, "names").RULES
    found = [each for environment in synthesis.environments for each in named(provider, environment)]
    assert [(kind, name) for kind, name, _ in found if not rules[kind].allows(name)] == []
    assert [each for each in found if found.count(each) > 1] == []
    stacks = [linked.stack.name for linked in synthesis.stacks]
    assert len(set(stacks)) == len(stacks)


@pytest.mark.parametrize("provider", PROVIDERS)
@FEW
@given(data=st.data())
def test_the_same_spec_gives_the_same_bytes(provider: str, data: st.DataObject) -> None:
    spec = data.draw(valid_specs(provider=provider))
    assert documents(synthesized(spec)) == documents(synthesized(copy.deepcopy(spec)))


@pytest.mark.parametrize("provider", PROVIDERS)
@FEW
@given(data=st.data())
def test_any_spec_configures_providers_as_they_want_it(provider: str, data: st.DataObject) -> None:
    """What nodes say is checked by every synthesis; so is this, at both ends of the versions that are admitted."""
    synthesis = synthesized(data.draw(valid_specs(provider=provider)))
    blocks = {(block.name, str(block)): block for it in synthesis.stacks for block in it.stack.providers}
    for schemas in oldest_and_newest(provider):
        assert [problem for block in blocks.values() for problem in check_provider(block, schemas)] == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_name_has_a_rule(provider: str) -> None:
    excuses = cloud(provider).reasons("unruled_names")
    nodes = [*resources(full(provider)), *resources(rich(provider))]
    unruled = {name for node in nodes for name in _unruled(provider, node)}
    assert sorted(name for name in unruled if not excused(excuses, name)) == []
    assert sorted(name for name in excuses if not any(excused({name: ""}, each) for each in unruled)) == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_rule_has_a_source_and_a_use(provider: str) -> None:
    names = module(provider, "names")
    assert [kind for kind, rule in names.RULES.items() if not rule.source] == []
    assert set(names.NAMED.values()) <= names.RULES.keys()
