"""What holds data is known, and protected when the spec says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stacks.graph import Node
from stacks.losses import Losses
from tests.clouds import Cloud, cloud
from tests.contract.platforms import PROVIDERS, applies, full, module, oldest_and_newest, resources, rich


def both(provider: str, *, protected: bool) -> Iterator[Node]:
    yield from resources(rich(provider, protected=protected))
    if not protected:
        yield from resources(full(provider))


def known_to_hold(of: Cloud, node: Node) -> bool | None:
    """Whether a cloud's data says that a resource holds data; an entry with a condition goes before one without."""
    said = dict.fromkeys(of.reasons("stateful"), True) | dict.fromkeys(of.contract["stateless"], False)
    about = sorted((":" in entry, holds) for entry, holds in said.items() if applies(entry, node))
    return about[-1][1] if about else None


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_type_is_known_to_hold_data_or_not(provider: str) -> None:
    of = cloud(provider)
    nodes = [*both(provider, protected=True), *both(provider, protected=False)]
    unknown = {node.address.type for node in nodes if known_to_hold(of, node) is None}
    assert sorted(unknown) == [], "say in the cloud's data what of it is lost when it goes"
    listed = [*of.reasons("stateful"), *of.contract["stateless"]]
    assert [entry for entry in listed if not any(applies(entry, node) for node in nodes)] == [], (
        "made no more"
    )
    assert len({*listed}) == len(listed)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_holds_data_says_so_and_nothing_else_does(provider: str) -> None:
    of = cloud(provider)
    nodes = [*both(provider, protected=True), *both(provider, protected=False)]
    wrong = {str(node.address) for node in nodes if bool(node.holds) != known_to_hold(of, node)}
    assert sorted(wrong) == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_deletion_protection_covers_all_that_holds_data(provider: str) -> None:
    """By Terraform, and by each argument of the provider's that protects: those of the oldest that is admitted."""
    losses: Losses = module(provider, "losses").LOSSES
    excuses = cloud(provider).reasons("unguarded")
    faults = []
    for node in both(provider, protected=True):
        given, settable = node.arguments, _settable(provider, node)
        if node.holds and not node.lifecycle.prevent_destroy and node.address.type not in excuses:
            faults.append(f"{node.address} can be destroyed")
        faults += [
            f"{node.address} has {name}" for name in losses.hazards & given.keys() if given[name] is True
        ]
        if not node.holds:
            continue
        faults += [
            f"{node.address} has no {name}"
            for name in losses.guards & settable
            if given.get(name) is not True and f"{node.address.type}.{name}" not in excuses
        ]
        faults += [
            f"{node.address} has no {name} {value}"
            for name, value in losses.policies.items()
            if name in settable and given.get(name) != value and f"{node.address.type}.{name}" not in excuses
        ]
    assert faults == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_deletion_protection_everything_can_go(provider: str) -> None:
    losses: Losses = module(provider, "losses").LOSSES
    excuses = cloud(provider).reasons("kept")
    held = []
    for node in both(provider, protected=False):
        given, settable, type_ = node.arguments, _settable(provider, node), node.address.type
        guarded = [
            name
            for name in losses.guards & given.keys()
            if given[name] is not False and f"{type_}.{name}" not in excuses
        ]
        kept = [name for name in losses.hazards & settable if node.holds and given.get(name) is not True]
        stays = [name for name, value in losses.policies.items() if given.get(name) == value]
        if node.lifecycle.prevent_destroy or guarded or kept or stays:
            held.append(f"{node.address}: {', '.join([*guarded, *kept, *stays])}")
    assert held == []


def _settable(provider: str, node: Node) -> set[str]:
    oldest = oldest_and_newest(provider)[0]
    return {*oldest.of("resource", node.address.type).block.settable()}
