"""Logs as JSON lines, and numbers in Prometheus' text format. May not hold a question or an answer."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Mapping

__all__ = ["JsonFormatter", "Metrics", "configure_logging"]

BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds; models take from tenths of one to tens."""
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """A record a line, with what was given as ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        told |= {name: value for name, value in vars(record).items() if name not in _OWN}
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told, default=str, ensure_ascii=False)


def configure_logging(level: int = logging.INFO) -> None:
    """Write records of this process to stdout, where containers' logs are read."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)


class Metrics:
    """Counters, gauges and one histogram of seconds by route."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], float] = defaultdict(float)
        self._gauges: dict[str, float] = {}
        self._buckets: dict[str, list[int]] = {}
        self._sums: dict[str, float] = defaultdict(float)

    def add(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """Add to a counter."""
        with self._lock:
            self._counts[name, _labels(labels)] += amount

    def set(self, name: str, value: float) -> None:
        """Set a gauge."""
        with self._lock:
            self._gauges[name] = value

    def took(self, route: str, seconds: float) -> None:
        """Note how long a request took."""
        with self._lock:
            buckets = self._buckets.setdefault(route, [0] * (len(BOUNDS) + 1))
            buckets[next((place for place, bound in enumerate(BOUNDS) if seconds <= bound), len(BOUNDS))] += 1
            self._sums[route] += seconds

    def text(self) -> str:
        """Everything, in Prometheus' text format 0.0.4."""
        with self._lock:
            lines: list[str] = []
            for name in dict.fromkeys(name for name, _ in sorted(self._counts)):
                lines.append(f"# TYPE {name} counter")
                lines += [
                    f"{name}{labels} {value:.10g}"
                    for (each, labels), value in sorted(self._counts.items())
                    if each == name
                ]
            for name, value in sorted(self._gauges.items()):
                lines += [f"# TYPE {name} gauge", f"{name} {value:.10g}"]
            if self._buckets:
                lines.append("# TYPE app_request_seconds histogram")
            for route, buckets in sorted(self._buckets.items()):
                lines += self._histogram(route, buckets)
        return "\n".join(lines) + "\n"

    def _histogram(self, route: str, buckets: list[int]) -> list[str]:
        lines, seen = [], 0
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), buckets, strict=True):
            seen += count
            lines.append(f"app_request_seconds_bucket{_labels({'route': route, 'le': bound})} {seen}")
        own = _labels({"route": route})
        return [
            *lines,
            f"app_request_seconds_sum{own} {self._sums[route]:.10g}",
            f"app_request_seconds_count{own} {seen}",
        ]


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    inner = ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(labels.items()))
    return "{" + inner + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
