"""The contract suite's tests as functions of a world, run one at a time in this process, with a limit to their time."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from tests.operations.worlds import open_world

__all__ = ["Case", "cases", "complaint"]

MODULES = ("runs", "registry", "serving", "jobs", "platform")
LONGEST_S = 10.0
"""A test that computes for longer has noticed: it asks for ever for what a mistyped request never brings.

Counted in the process's own seconds, since a machine may be busy with others.
"""


@dataclass(frozen=True)
class Case:
    """One test of the contract suite, with its parameters."""

    name: str
    test: Callable[..., None]
    parameters: Mapping[str, Any]


def cases() -> Iterator[Case]:
    for module in MODULES:
        for name, it in vars(import_module(f"tests.operations.test_contract_{module}")).items():
            if name.startswith("test_"):
                for parameters in _parameters(it):
                    yield Case(f"{module}.{name}{[*parameters.values()] or ''}", it, parameters)


def _parameters(test: Any) -> Iterator[dict[str, Any]]:
    marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
    names = [mark.args[0] for mark in marks]
    for values in itertools.product(*(mark.args[1] for mark in marks)):
        yield dict(zip(names, values, strict=True))


class _TooLong(Exception):
    pass


def complaint(provider: str, case: Case, folder: Path) -> BaseException | None:
    """Run a test in a world of its own; return what it complains of."""
    folder.mkdir(parents=True)
    try:
        with _limited(), open_world(provider, folder) as world:
            case.test(world=world, **case.parameters)
    except pytest.skip.Exception:
        return None
    except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - whatever it is, it was noticed
        return error
    return None


@contextmanager
def _limited() -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise _TooLong(f"signal {number} in {frame}")

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, LONGEST_S, 1.0)  # again, where the first one rang in a finalizer
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
