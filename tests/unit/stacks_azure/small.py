"""A small spec on Azure, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from scaffolder.errors import SpecError
from scaffolder.pipeline import EnvironmentPlatform, Synthesis, synthesize_loaded
from scaffolder.spec.load import parse_spec
from stacks.graph import Node
from tests.strategies import Spec, spec_text

__all__ = ["BASE", "ada", "body", "environment", "nodes", "of_type", "refused", "synthesized"]

BASE: Spec = {
    "version": 1,
    "name": "churn",
    "owner": "growth-ml",
    "target": {
        "provider": "azure",
        "region": "westeurope",
        "account": "11111111-2222-3333-4444-555555555555",
    },
}

ada = "33333333-4444-5555-6666-777777777777"


def synthesized(**more: object) -> Synthesis:
    """The small spec with more in it."""
    return synthesize_loaded(parse_spec(spec_text({**BASE, **more})))


def environment(**more: object) -> EnvironmentPlatform:
    """The small spec's only environment."""
    (found,) = synthesized(**more).environments
    return found


def nodes(found: EnvironmentPlatform, concern: str) -> dict[str, Node]:
    """A stack's nodes by address; none when there is no such stack."""
    return {
        str(node.address): node
        for linked in found.stacks
        if linked.stack.concern == concern
        for node in linked.stack.nodes
    }


def of_type(found: EnvironmentPlatform, concern: str, type_: str) -> dict[str, Node]:
    """A stack's nodes of a type by name."""
    return {node.address.name: node for node in nodes(found, concern).values() if node.address.type == type_}


def body(node: Node) -> Any:
    """The properties that azapi sends."""
    written: Any = node.arguments["body"]
    return written["properties"]


def refused(**more: object) -> str:
    """What a spec is refused with."""
    with pytest.raises(SpecError) as caught:
        synthesized(**more)
    return str(caught.value)
