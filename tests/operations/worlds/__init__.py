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

    The platform is the spec ``tests/operations/project/platform.yaml`` for that provider: pipeline ``train`` (steps
    prepare, train, evaluate, and register behind a gate on ``min_accuracy``), model ``churn`` (approved by hand), realtime
    endpoint ``churn``, batch endpoint ``scores``, monitor ``churn``.

    What runs measures an accuracy of at least 0.8 and at most 1, for real or because a fake says so. A run with
    ``fail="yes"`` fails in its step train. A run with ``min_accuracy=1.5`` leaves out the step register, and succeeds.
    Each step that ran has logged at least one line, and there are at least two.
    """

    @property
    def provider(self) -> Provider: ...
    @property
    def platform(self) -> Platform: ...

    def finish(self, ref: str, state: RunState = RunState.SUCCEEDED) -> None:
        """Bring a run or a job to its end: by waiting where it really runs, by saying so to a fake.

        ``state`` is what the test expects; a fake makes it so. ``STOPPED`` is asked for after a cancel only.
        """
        ...

    def settle(self, endpoint: str) -> None:
        """Bring what an endpoint is doing to its end."""
        ...

    def an_artifact(self) -> str:
        """A model's files in the provider's storage, good enough to be registered, deployed and asked."""
        ...

    def much_to_score(self) -> str:
        """As ``scoring_input``, and so much that a job can be cancelled before it has scored all of it."""
        ...

    def scoring_input(self) -> str:
        """A folder of the provider's storage with rows to score, as ``BatchRequest.input_uri`` wants it."""
        ...

    def find_drift(self, monitor: str) -> None:
        """Let a monitor that was ensured find a breach, in a window that ends about now.

        By shifted requests and a look where it really runs; by writing what the drift job writes where it is a fake.
        """
        ...

    def inject(self, fault: Fault, *, times: int = 1, after: int = 0) -> None:
        """Let the next ``times`` calls to the service fail, once ``after`` more have passed; 0 ends what was injected.

        Of ``timeout`` and ``half a reply`` only the answer is lost: the service has done what it was asked.
        ``local`` and ``memory`` raise ``NotImplementedError``.
        """
        ...

    def slept(self) -> float:
        """The seconds that the provider has slept so far; a fake's clock moves only then."""
        ...

    def calls(self) -> int:
        """The requests that have reached the service so far, refused ones too; 0 where there is no service."""
        ...

    def secrets(self) -> tuple[str, ...]:
        """What the provider was given to prove who it is, and no message may hold; none where it needs none."""
        ...


Open: TypeAlias = Callable[[Path], AbstractContextManager[World]]


def open_world(name: str, folder: Path) -> AbstractContextManager[World]:
    """Open a provider's world below a folder."""
    opener: Mapping[str, Open] = vars(import_module(f"tests.operations.worlds.{name}"))
    return opener["open_world"](folder)
