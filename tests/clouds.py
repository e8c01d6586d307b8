"""What tests have to know of a cloud, as data: words that its specs are made of, and exceptions with their reasons.

``cloud_data/<provider>.toml`` is the whole of it. May not know what a lowering makes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

__all__ = ["Cloud", "Reasons", "cloud", "clouds", "examples_of", "excused"]

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(__file__).with_name("cloud_data")

Reasons: TypeAlias = Mapping[str, str]
"""What is an exception, or several by a pattern with ``*`` → why it is one."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """A cloud's words and exceptions."""

    provider: str
    words: Mapping[str, Any]
    contract: Mapping[str, Any]

    def choices(self, name: str) -> Sequence[Any]:
        """The words of a kind, the first of which are those of the rich spec."""
        values: Sequence[Any] = self.words[name]
        return values

    @property
    def regions(self) -> Mapping[str, Sequence[str]]:
        """Region → some of its zones."""
        return {region: tuple(zones) for region, zones in self.words["regions"].items()}

    def reasons(self, name: str) -> Reasons:
        """A list of exceptions."""
        listed: Reasons = self.contract.get(name, {})
        return listed


def clouds() -> Iterator[Cloud]:
    """Every cloud that a spec may name, sorted."""
    return (cloud(path.stem) for path in sorted(DATA.glob("*.toml")))


@cache
def cloud(provider: str) -> Cloud:
    """A cloud by its provider's name."""
    data = tomllib.loads((DATA / f"{provider}.toml").read_text(encoding="utf-8"))
    return Cloud(provider=provider, words=data["words"], contract=data["contract"])


def examples_of(provider: str, name: str = "*") -> tuple[Path, ...]:
    """The specs among the examples that are of a cloud."""
    return tuple(
        spec
        for spec in sorted((ROOT / "examples").glob(f"{name}/platform.yaml"))
        if f"provider: {provider}" in spec.read_text(encoding="utf-8")
    )


def excused(reasons: Reasons, what: str) -> bool:
    """Whether something is on a list of exceptions."""
    return any(fnmatchcase(what, pattern) for pattern in reasons)
