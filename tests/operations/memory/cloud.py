"""What the in-memory provider remembers, how it is kept between processes, and how time moves it on."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from scaffolder.operations.errors import NotFound, Unsupported
from scaffolder.operations.port import Opening
from scaffolder.operations.values import (
    BatchRequest,
    Capability,
    DeployRequest,
    DriftResult,
    Lock,
    ModelVersion,
    RunRequest,
)
from stacks.intents import Intent, Support, SupportLevel

__all__ = ["PACE_S", "Cloud", "Endpoint", "Job", "Memories", "Submitted", "named"]

PACE_S = 0.05
"""How long a step, a deployment and a scoring job take; queueing takes as long."""

One = TypeVar("One")


@dataclass
class Submitted:
    """A run that was asked for, and when it was asked to stop."""

    request: RunRequest
    created: datetime
    stopped: datetime | None = None


@dataclass
class Job:
    """A scoring job that was asked for, and when it was asked to stop."""

    request: BatchRequest
    created: datetime
    stopped: datetime | None = None


@dataclass
class Endpoint:
    """Deployments by name, with when they were made; their traffic; and how often the endpoint was asked."""

    deployments: dict[str, tuple[DeployRequest, datetime]] = field(default_factory=dict)
    traffic: dict[str, int] = field(default_factory=dict)
    asked: int = 0


@dataclass
class Cloud:
    """Everything that there is. ``tokens`` are of creating calls: kind and token → ref."""

    tokens: dict[tuple[str, str], str] = field(default_factory=dict)
    runs: dict[str, Submitted] = field(default_factory=dict)
    versions: dict[str, list[ModelVersion]] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    monitors: dict[str, Intent] = field(default_factory=dict)
    schedules: dict[str, str] = field(default_factory=dict)
    results: list[DriftResult] = field(default_factory=list)
    locks: dict[str, Lock] = field(default_factory=dict)
    state: bool = False
    counter: int = 0

    def number(self) -> int:
        self.counter += 1
        return self.counter


def _made(kind: type[Any], values: dict[str, object]) -> object:
    return kind(**values)


class _Pickler(pickle.Pickler):
    """Frozen records have no setter, which pickle would use: they are made again by their arguments."""

    def reducer_override(self, one: Any) -> Any:
        if not isinstance(one, type) and is_dataclass(one):
            return _made, (type(one), {each.name: getattr(one, each.name) for each in fields(one)})
        return NotImplemented


class Memories:
    """The one way to what is remembered, and to the clock; kept only where nothing was raised."""

    def __init__(self, opening: Opening, lacking: Mapping[Capability, Support]) -> None:
        self.opening = opening
        self.lacking = lacking
        self._file = opening.folder / ".scaffolder" / "memory"

    @contextmanager
    def open(self, *capabilities: Capability) -> Iterator[Cloud]:
        """Give what there is, and keep what was changed.

        Raises:
            Unsupported: the provider was made to lack one of these.
        """
        for capability in capabilities:
            if capability in self.lacking:
                support = self.lacking[capability]
                raise Unsupported(
                    capability, f"{capability} is {support.level} in the memory provider: {support.reason}"
                )
        cloud = pickle.loads(self._file.read_bytes()) if self._file.exists() else Cloud()  # noqa: S301 - our own
        yield cloud
        self._file.parent.mkdir(parents=True, exist_ok=True)
        written = io.BytesIO()
        _Pickler(written).dump(cloud)
        new = self._file.with_suffix(".new")
        new.write_bytes(written.getvalue())
        new.replace(self._file)  # at once: who is killed meanwhile leaves the old one

    def now(self) -> datetime:
        return self.opening.now()

    def steps_since(self, moment: datetime) -> int:
        """Count the whole paces since a moment."""
        return (self.now() - moment) // timedelta(seconds=PACE_S)

    def intents(self, kind: type[One]) -> dict[str, One]:
        """Name the platform's intents of a kind, in the spec's order."""
        return {getattr(i, "name", ""): i for i in self.opening.platform.intents if isinstance(i, kind)}

    def once(self, cloud: Cloud, kind: str, token: str, make: Callable[[], str]) -> str:
        """Return what a token made before, or make it."""
        if not token:
            return make()
        if (kind, token) not in cloud.tokens:
            cloud.tokens[kind, token] = make()
        return cloud.tokens[kind, token]

    def table(self) -> Mapping[Capability, Support]:
        return {each: self.lacking.get(each, Support(SupportLevel.FULL)) for each in Capability}


def named(what: str, name: str, there: Mapping[str, One]) -> One:
    """Look one up.

    Raises:
        NotFound: it is not there.
    """
    if name not in there:
        raise NotFound(f"there is no {what} {name!r}", remedy=f"There are: {', '.join(there) or 'none yet'}.")
    return there[name]
