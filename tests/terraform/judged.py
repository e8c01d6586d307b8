"""Which examples need a provider that the tests cannot install: the stand-in judges those."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from stacks.adapter import lowering_of
from stacks.schema.load import open_pack
from tests.external_tools import PROBE, ROOT

__all__ = ["EXAMPLES", "HAD"]

HAD = frozenset(re.findall(r'source\s*=\s*"([^"]+)"', PROBE.read_text(encoding="utf-8")))
"""The sources of the providers that the fixture ``terraform`` has shown it can install."""
TARGET = re.compile(r"\bprovider: (\w+)")


@cache
def sources(provider: str) -> frozenset[str]:
    """The sources of the Terraform providers that a cloud's stacks are checked against; none where it has no stacks."""
    lowering = lowering_of(provider)
    versions = lowering.provider_versions() if lowering else {}
    return frozenset(open_pack(name, listed[-1]).source for name, listed in versions.items())


def judged_here(spec: Path) -> bool:
    """Whether an example has a stack whose provider cannot be had: other tests apply all the rest."""
    named = TARGET.findall(spec.read_text(encoding="utf-8"))
    return any(sources(provider) - HAD for provider in named)


EXAMPLES = tuple(
    spec.parent.name for spec in sorted((ROOT / "examples").glob("*/platform.yaml")) if judged_here(spec)
)
"""The examples that have such a stack."""
