"""A platform as every lowering sees it: the start of its names, its stacks, and its intents by type.

May not know a cloud: each has a ``Context`` that adds its own names and ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from stacks.intents import Encryption, Intent, Platform

__all__ = ["View"]

SomeIntent = TypeVar("SomeIntent", bound=Intent)


@dataclass(frozen=True, slots=True)
class View:
    """A platform, and what can be asked of it on any cloud."""

    platform: Platform

    @property
    def prefix(self) -> str:
        """The start of every name: platform and environment."""
        return f"{self.platform.name}-{self.platform.environment}"

    @property
    def region(self) -> str:
        """The region's name."""
        return self.platform.target.region

    @property
    def protected(self) -> bool:
        """Whether what holds data may not be destroyed."""
        return self.platform.deletion_protection

    @property
    def own_keys(self) -> bool:
        """Whether the customer's own keys encrypt."""
        encryption = self.one_of(Encryption)
        return encryption is not None and encryption.customer_managed

    def stack(self, concern: str) -> str:
        """The name of a concern's stack."""
        return f"{self.prefix}-{concern}"

    def all_of(self, kind: type[SomeIntent]) -> Iterator[SomeIntent]:
        """Yield the platform's intents of one type, in order."""
        return (intent for intent in self.platform.intents if isinstance(intent, kind))

    def one_of(self, kind: type[SomeIntent]) -> SomeIntent | None:
        """Return the platform's only intent of a type, if it has one."""
        return next(self.all_of(kind), None)
