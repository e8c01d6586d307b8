"""Platforms for the tests of the Azure lowering, made of a spec's text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import stacks.azure
from scaffolder.pipeline import synthesize_loaded
from scaffolder.spec.load import parse_spec
from stacks.graph import Node, Stack
from stacks.intents import Platform
from tests.strategies import spec_text

__all__ = ["ACCOUNT", "SPEC", "VNET", "nodes_of", "of_type", "platform", "stacks_of"]

ACCOUNT = "11111111-2222-4333-8444-555555555555"
VNET = f"/subscriptions/{ACCOUNT}/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub"
SPEC: Mapping[str, Any] = {
    "version": 1,
    "name": "churn",
    "owner": "growth-ml",
    "target": {"provider": "azure", "region": "westeurope", "account": ACCOUNT},
}


def platform(**changes: Any) -> Platform:
    """The only environment of a small spec with some of its sections changed."""
    made = synthesize_loaded(parse_spec(spec_text({**SPEC, **changes})))
    return made.environments[0].platform


def stacks_of(**changes: Any) -> Sequence[Stack]:
    """The stacks of such a platform, before they are linked."""
    return stacks.azure.lower(platform(**changes)).stacks


def nodes_of(**changes: Any) -> Mapping[str, Node]:
    """The nodes of such a platform by their addresses."""
    return {str(node.address): node for stack in stacks_of(**changes) for node in stack.nodes}


def of_type(nodes: Mapping[str, Node], type_: str) -> Mapping[str, Node]:
    """The nodes of one type by their names."""
    return {node.address.name: node for node in nodes.values() if node.address.type == type_}
