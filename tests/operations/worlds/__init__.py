"""What the contract suite and the command line's tests run a provider in: the provider, and hands on what is behind it.

Each provider has a module here with ``open_world``; the suite is parametrised over ``WORLDS`` and names no provider.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from scaffolder.operations.port import Provider
from scaffolder.operations.values import RunState
from stacks.intents import Platform

__all__ = ["WORLDS", "Fault", "Open", "World", "open_world"]

WORLDS = ("memory", "local", "aws", "gcp", "azure")

Fault: TypeAlias = Literal[
    "throttled", "server error", "timeout", "half a reply", "conflict", "expired credentials", "denied"
]


class World(Protocol):
    """A provider and what stands behind it: for real (local), or loopback servers (the clouds).

    The platform is the spec ``tests/operations/platform.yaml`` for that provider: pipeline ``train`` (steps prepare,
    train, evaluate, register behind a gate on ``min_auc``), model ``churn``, realtime endpoint ``churn``, batch endpoint
    ``scores``, monitor ``churn``.
    """

    @property
    def provider(self) -> Provider: ...
    @property
    def platform(self) -> Platform: ...

    def finish(self, ref: str, state: RunState = RunState.SUCCEEDED) -> None:
        """Bring a run or a job to its end: by waiting where it really runs, by saying so to a fake."""
        ...

    def settle(self, endpoint: str) -> None:
        """Bring what an endpoint is doing to its end."""
        ...

    def an_artifact(self) -> str:
        """A model's files in the provider's storage, good enough to be registered, deployed and asked."""
        ...

    def inject(self, fault: Fault, *, times: int = 1) -> None:
        """Let the next calls to the service fail. ``local`` and ``memory`` raise ``NotImplementedError``."""
        ...

    def slept(self) -> float:
        """The seconds that the provider has slept so far; a fake's clock moves only then."""
        ...


Open: TypeAlias = Callable[[Path], AbstractContextManager[World]]


def open_world(name: str, folder: Path) -> AbstractContextManager[World]:
    """Open a provider's world below a folder."""
    opener: Mapping[str, Open] = vars(import_module(f"tests.operations.worlds.{name}"))
    return opener["open_world"](folder)
