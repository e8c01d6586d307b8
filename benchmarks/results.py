"""What a measurement found, as a value and as JSON. May not measure, and holds no host name or path."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["Case", "Machine", "Many", "Results", "load_results", "save_results"]


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
class Machine:
    """What was measured on, and with which versions."""

    processor: str
    cores: int
    system: str
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """One run of all cases. ``stacks`` and ``resources`` are those of the foundation example."""

    date: str
    machine: Machine
    stacks: int
    resources: int
    cases: Mapping[str, Case]
    many: Sequence[Many]


def save_results(results: Results, file: Path) -> None:
    file.write_text(f"{json.dumps(_rounded(asdict(results)), indent=2)}\n", encoding="utf-8")


def load_results(file: Path) -> Results:
    read = json.loads(file.read_text(encoding="utf-8"))
    return Results(
        date=read["date"],
        machine=Machine(**read["machine"]),
        stacks=read["stacks"],
        resources=read["resources"],
        cases={key: Case(**_tuples(case)) for key, case in read["cases"].items()},
        many=tuple(Many(**_tuples(case)) for case in read["many"]),
    )


def _tuples(read: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in read.items()}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value
