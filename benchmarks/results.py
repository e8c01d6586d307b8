"""What measurements found, as values and as JSON. May not measure, and holds no host name or path."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Applied", "Apply", "Case", "Machine", "Many", "Results", "Size", "load_results", "save_results"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One command in rounds: the same place in ``seconds`` of two cases is the same round."""

    name: str
    seconds: tuple[float, ...]
    cpu_seconds: tuple[float, ...]
    peak_mib: tuple[float, ...]

    @property
    def median_s(self) -> float:
        return statistics.median(self.seconds)

    @property
    def median_mib(self) -> float:
        return statistics.median(self.peak_mib)

    def times_faster_than(self, peer: Case) -> float:
        """The median over the rounds of the peer's time by ours."""
        return statistics.median(
            theirs / ours for theirs, ours in zip(peer.seconds, self.seconds, strict=True)
        )

    def times_smaller_than(self, peer: Case) -> float:
        """The peer's peak memory by ours."""
        return peer.median_mib / self.median_mib

    def times_beyond(self, start: Case, floor: Case) -> float:
        """What this takes beyond the start, by what the floor takes beyond it: medians, less the start's median.

        Infinite where the machine was so busy that the floor took no longer than the start.
        """
        beyond = floor.median_s - start.median_s
        return (self.median_s - start.median_s) / beyond if beyond > 0 else math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """One command that synthesizes many platforms."""

    platforms: int
    seconds: tuple[float, ...]
    peak_mib: float

    @property
    def ms_per_platform(self) -> float:
        return 1000 * statistics.median(self.seconds) / self.platforms


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """One stack with Terraform, in seconds: each command alone on the machine, ``destroy`` after all stacks stood."""

    stack: str
    resources: int
    init_s: float
    plan_s: float
    apply_s: float
    second_plan_s: float
    destroy_s: float

    @property
    def seconds(self) -> tuple[float, ...]:
        """The commands' seconds, in the order in which they run."""
        return self.init_s, self.plan_s, self.apply_s, self.second_plan_s, self.destroy_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Apply:
    """One deployment of an example on emulated AWS, stack by stack in the order of their dependencies."""

    date: str
    example: str
    machine: Machine
    stacks: tuple[Applied, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What was measured on, and with which versions."""

    processor: str
    cores: int
    system: str
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of a platform a cloud's full example is."""

    stacks: int
    resources: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """One run of all cases, ``stacks`` and ``resources`` being those of the example; and the last deployment.

    ``clouds`` has the sizes of the other clouds' full examples, by the key of their cases.
    """

    date: str
    machine: Machine
    example: str
    stacks: int
    resources: int
    cases: Mapping[str, Case]
    many: Sequence[Many]
    clouds: Mapping[str, Size] = field(default_factory=dict)
    apply: Apply | None = None


def save_results(results: Results, file: Path) -> None:
    file.write_text(f"{json.dumps(_rounded(asdict(results)), indent=2)}\n", encoding="utf-8")


def load_results(file: Path) -> Results:
    read = json.loads(file.read_text(encoding="utf-8"))
    return Results(
        date=read["date"],
        machine=Machine(**read["machine"]),
        example=read["example"],
        stacks=read["stacks"],
        resources=read["resources"],
        cases={key: Case(**_tuples(case)) for key, case in read["cases"].items()},
        many=tuple(Many(**_tuples(case)) for case in read["many"]),
        clouds={key: Size(**size) for key, size in read.get("clouds", {}).items()},
        apply=_apply(read.get("apply")),
    )


def _apply(read: Mapping[str, Any] | None) -> Apply | None:
    if read is None:
        return None
    return Apply(
        date=read["date"],
        example=read["example"],
        machine=Machine(**read["machine"]),
        stacks=tuple(Applied(**stack) for stack in read["stacks"]),
    )


def _tuples(read: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in read.items()}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value
