"""Small specs for GCP, and what they become: shared by the tests of this folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from scaffolder.errors import SpecError
from scaffolder.pipeline import EnvironmentPlatform, Synthesis, synthesize_loaded
from scaffolder.spec.load import parse_spec
from stacks.adapter import Skipped
from stacks.graph import JsonText, Node, Ref, RemoteRef, Text, Value
from tests.strategies import Spec, spec_text

BASE: Spec = {
    "version": 1,
    "name": "churn",
    "owner": "growth-ml",
    "target": {"provider": "gcp", "region": "europe-west4", "account": "acme-ml-dev"},
}
MODELS: Spec = {"churn": {"version": 3}, "uplift": {"approval": "automatic"}}


def synthesized(beside: Path | None = None, **more: object) -> Synthesis:
    """A small spec with more in it; pipelines' definitions are in the folder ``beside``."""
    return synthesize_loaded(parse_spec(spec_text({**BASE, **more})), beside=beside)


def asked(beside: Path | None = None, **more: object) -> EnvironmentPlatform:
    """The small spec's only environment."""
    (found,) = synthesized(beside, **more).environments
    return found


def nodes(found: EnvironmentPlatform, concern: str) -> dict[str, Node]:
    """A stack's nodes by address; none when there is no such stack."""
    return {
        str(node.address): node
        for linked in found.stacks
        if linked.stack.concern == concern
        for node in linked.stack.nodes
    }


def arguments(found: EnvironmentPlatform, concern: str, address: str) -> Any:
    """A node's arguments, references written out."""
    return written(dict(nodes(found, concern)[address].arguments))


def skipped(found: EnvironmentPlatform, start: str) -> Sequence[Skipped]:
    """What is left out of the intents whose names begin so."""
    return [left for left in found.skipped if left.intent.startswith(start)]


def refused(beside: Path | None = None, **more: object) -> str:
    """What a spec is refused with."""
    with pytest.raises(SpecError) as caught:
        asked(beside, **more)
    return "\n".join(str(finding) for finding in caught.value.findings)


def written(value: Value) -> Any:
    """A value with references in angle brackets and documents as they are."""
    match value:
        case Ref():
            return f"<{value.address}.{value.attribute}>"
        case RemoteRef():
            return f"<{value.stack}.{value.output}>"
        case Text(parts=parts):
            return "".join(str(written(part)) for part in parts)
        case JsonText(document=document):
            return written(document)
        case str() | None | bool() | int() | float():
            return value
        case Mapping():
            return {key: written(item) for key, item in value.items()}
        case _:
            return [written(item) for item in value]
