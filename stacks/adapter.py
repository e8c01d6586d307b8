"""The lowering port: what a cloud's package provides, and the one list of clouds.

May not know what a cloud does with an intent; the cloud's package is imported on first use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from stacks.graph import Node, Stack
from stacks.intents import Intent, Platform, Support, SupportLevel, describe
from stacks.losses import Losses
from stacks.record import record

if TYPE_CHECKING:
    from stacks.access import Access

__all__ = [
    "STACKS",
    "Lowered",
    "Lowering",
    "PolicyViolation",
    "Skipped",
    "TargetProblem",
    "counted",
    "declared",
    "idle_of",
    "losses_of",
    "lowering_of",
]

STACKS: Mapping[str, str] = {"aws": "stacks.aws", "azure": "stacks.azure", "gcp": "stacks.gcp"}
"""Provider name → package; a new cloud adds one line here."""


@record
class Skipped:
    """An intent that no stack carries, or not wholly, and why. ``remedy`` is what the user does to get it, if anything.

    ``in_part``: the stacks make a part of it, and the reason names the rest.
    """

    intent: str
    reason: str
    remedy: str = ""
    in_part: bool = False


@record
class Lowered:
    """What a lowering made of a platform: stacks in deployment order, and what it left out."""

    stacks: tuple[Stack, ...]
    skipped: tuple[Skipped, ...]


@record
class TargetProblem:
    """Something the target does not offer; ``path`` is the spec's (``("network", "zones")``).

    A ``warning`` is about what an account may have: a quota that can be raised.
    """

    path: tuple[str, ...]
    code: str
    message: str
    hint: str = ""
    warning: bool = False


@record
class PolicyViolation:
    """A node that breaks a rule of security that every platform keeps."""

    stack: str
    address: str
    code: str
    message: str
    hint: str = ""


class Lowering(Protocol):
    """A cloud: six members, each a pure function of its arguments."""

    def support(self) -> Mapping[type[Intent], Support]:
        """Declare how far each type of intent is carried; every type is in it."""

    def provider_versions(self) -> Mapping[str, tuple[str, ...]]:
        """Name the provider versions whose schemas the output must satisfy, by provider."""

    def problems(self, platform: Platform) -> Sequence[TargetProblem]:
        """Say what the target does not offer of what the platform asks."""

    def lower(self, platform: Platform) -> Lowered:
        """Turn intents into stacks."""

    def violations(
        self, stacks: Sequence[Stack], platform: Platform, made: Sequence[Stack]
    ) -> Sequence[PolicyViolation]:
        """Check the finished graph, overrides included, against the cloud's own security rules.

        ``made`` is what the lowering made before anything was overridden.
        """

    def access(self, stacks: Sequence[Stack], platform: Platform) -> Access:
        """Read who may do what out of the finished graph, overrides included."""


def lowering_of(provider: str) -> Lowering | None:
    """Import and return a cloud's lowering; ``None`` when this version has none for it."""
    package = STACKS.get(provider)
    return cast("Lowering", import_module(package)) if package else None


def losses_of(provider: str) -> Losses:
    """Import and return the tables of a cloud's protections and losses, which lie beside its lowering."""
    return cast("Losses", import_module(f"{STACKS[provider]}.losses").LOSSES)


def idle_of(provider: str) -> Mapping[type[Intent], Mapping[str, str]]:
    """Import and return the fields of intents that change nothing in a cloud's stacks, each with its reason."""
    return cast(
        "Mapping[type[Intent], Mapping[str, str]]",
        getattr(import_module(f"{STACKS[provider]}.support"), "IDLE", {}),
    )


def declared(platform: Platform, support: Mapping[type[Intent], Support]) -> tuple[Skipped, ...]:
    """Name the intents that a cloud's table says are not carried, or not wholly."""
    levels = ((intent, support[type(intent)]) for intent in platform.intents)
    return tuple(
        Skipped(intent=describe(intent), reason=table.reason, in_part=table.level is SupportLevel.PARTIAL)
        for intent, table in levels
        if table.level is not SupportLevel.FULL
    )


def counted(nodes: Sequence[Node]) -> Mapping[str, int]:
    """Count resources by type, sorted by type; data sources are not counted."""
    counts: dict[str, int] = {}
    for node in nodes:
        if node.address.mode == "resource":
            counts[node.address.type] = counts.get(node.address.type, 0) + 1
    return dict(sorted(counts.items()))
