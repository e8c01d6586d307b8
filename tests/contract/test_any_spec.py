"""Whatever valid spec is given, the platform comes out whole; whatever is changed in it shows, or is refused."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scaffolder.errors import ScaffolderError
from scaffolder.pipeline import EnvironmentPlatform, Synthesis, synthesize_loaded
from scaffolder.spec.load import parse_spec
from stacks.adapter import STACKS, lowering_of
from stacks.aws.names import NAMED, RULES
from stacks.emit.terraform_json import document, dumps
from stacks.graph import Node
from stacks.intents import INTENT_TYPES, SupportLevel, describe
from tests.strategies import SPEC_FILE, Spec, spec_text, valid_specs

BY_PROVIDER = settings(
    max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def synthesized(spec: Spec) -> Synthesis:
    """Synthesize a spec given as data."""
    return synthesize_loaded(parse_spec(spec_text(spec), file=SPEC_FILE))


def documents(synthesis: Synthesis) -> dict[str, bytes]:
    """Each stack's Terraform JSON."""
    return {linked.stack.name: dumps(document(linked)) for linked in synthesis.stacks}


def named(synthesis: Synthesis) -> Iterator[tuple[str, str, str]]:
    """Every name that AWS will see: rule, account, name."""
    for environment in synthesis.environments:
        for linked in environment.stacks:
            for node in linked.stack.nodes:
                yield from (
                    (rule, environment.platform.target.account, name) for rule, name in _names_of(node)
                )


def _names_of(node: Node) -> Iterator[tuple[str, str]]:
    for (type_, argument), rule in NAMED.items():
        if node.address.mode == "resource" and node.address.type == type_:
            name = node.arguments[argument]
            assert isinstance(name, str)
            yield rule, name


@BY_PROVIDER
@given(valid_specs())
def test_any_valid_spec_synthesizes_with_legal_and_distinct_names(spec: Spec) -> None:
    synthesis = synthesized(spec)
    assert synthesis.stacks
    found = list(named(synthesis))
    assert [name for rule, _, name in found if not RULES[rule].allows(name)] == []
    assert len(set(found)) == len(found)
    stacks = [linked.stack.name for linked in synthesis.stacks]
    assert len(set(stacks)) == len(stacks)


@settings(BY_PROVIDER, max_examples=20)
@given(valid_specs())
def test_the_same_spec_gives_the_same_bytes(spec: Spec) -> None:
    assert documents(synthesized(spec)) == documents(synthesized(copy.deepcopy(spec)))


@settings(BY_PROVIDER, max_examples=150)
@given(valid_specs(), st.data())
def test_any_mutation_gives_findings_or_shows(spec: Spec, data: st.DataObject) -> None:
    before = synthesized(spec)
    mutated = copy.deepcopy(spec)
    _mutate(mutated, data)
    try:
        after = synthesized(mutated)
    except ScaffolderError:
        return
    if any(warning.code == "no-effect" for warning in after.warnings):
        return
    for old, new in zip(before.environments, after.environments, strict=False):
        if _carried(old) != _carried(new):
            assert documents(before) != documents(after)


def _carried(environment: EnvironmentPlatform) -> object:
    """What of a platform some stack carries wholly."""
    platform = environment.platform
    skipped = {each.intent for each in environment.skipped}
    lowering = lowering_of(platform.target.provider)
    assert lowering is not None
    table = lowering.support()
    intents = tuple(
        i
        for i in platform.intents
        if table[type(i)].level is SupportLevel.FULL and describe(i) not in skipped
    )
    return (
        platform.name,
        platform.environment,
        dict(platform.tags),
        platform.target,
        platform.deletion_protection,
        platform.backend,
        intents,
    )


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key)
            yield from _places(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield (*path, number)
            yield from _places(item, (*path, number))


def _mutate(spec: Spec, data: st.DataObject) -> None:
    """Delete, rename or replace one value anywhere in a spec."""
    path = data.draw(st.sampled_from(list(_places(spec))))
    parent: Any = spec
    for step in path[:-1]:
        parent = parent[step]
    match data.draw(st.sampled_from(["delete", "rename", "replace"])):
        case "delete":
            del parent[path[-1]]
        case "rename" if isinstance(parent, dict):
            parent[f"{path[-1]}x"] = parent.pop(path[-1])
        case _:
            odd = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
            parent[path[-1]] = data.draw(
                odd | st.lists(odd, max_size=2) | st.dictionaries(st.text(max_size=5), odd, max_size=2)
            )


@pytest.mark.parametrize("provider", sorted(STACKS))
def test_every_intent_has_a_declared_support(provider: str) -> None:
    lowering = lowering_of(provider)
    assert lowering is not None
    table = lowering.support()
    assert set(table) == set(INTENT_TYPES)
    assert [
        kind.__name__ for kind, s in table.items() if s.level is not SupportLevel.FULL and not s.reason
    ] == []
