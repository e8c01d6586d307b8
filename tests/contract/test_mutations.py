"""Whatever is changed in a valid spec shows, or is refused, or is said to change nothing."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scaffolder.errors import ScaffolderError
from tests.contract.platforms import PROVIDERS, documents, synthesized, to_show
from tests.strategies import Spec, valid_specs

MANY = settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@pytest.mark.parametrize("provider", PROVIDERS)
@MANY
@given(data=st.data())
def test_any_mutation_gives_findings_or_shows(provider: str, data: st.DataObject) -> None:
    spec = data.draw(valid_specs(provider=provider))
    before = synthesized(spec)
    mutated = copy.deepcopy(spec)
    place = _mutate(mutated, data)
    try:
        after = synthesized(mutated)
    except ScaffolderError:
        return
    if any(_is_about(warning.path, place) for warning in (*before.warnings, *after.warnings)):
        return
    for old, new in zip(before.environments, after.environments, strict=False):
        if to_show(old) != to_show(new):
            assert documents(before) != documents(after)


def _is_about(path: str, place: tuple[Any, ...]) -> bool:
    """Whether a finding is about a place, what holds it, or what is in it."""
    parts = [str(part) for part in place]
    if parts[0] == "environments":
        parts = parts[2:]
    ours, theirs = ".".join(parts), path
    return f"{ours}.".startswith(f"{theirs}.") or f"{theirs}.".startswith(f"{ours}.")


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key)
            yield from _places(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield (*path, number)
            yield from _places(item, (*path, number))


def _mutate(spec: Spec, data: st.DataObject) -> tuple[Any, ...]:
    """Delete, rename or replace one value anywhere in a spec, and say where."""
    path: tuple[Any, ...] = data.draw(st.sampled_from(list(_places(spec))))
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
    return path
