"""Spans of a request as JSON lines, with OpenTelemetry's names for what models do; and to OpenTelemetry, if it is there.

Questions and answers are not part of a span: they may hold what is nobody's business. May not stop a request: what cannot
be written is lost, and said once.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Attribute", "JsonLines", "Span", "Tracer", "opentelemetry_tracer"]

Attribute = str | int | float | bool
_CURRENT: ContextVar[Span | None] = ContextVar("span", default=None)
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Span:
    """A piece of work; times are nanoseconds since 1970."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str | None
    start_ns: int
    end_ns: int = 0
    status: str = "ok"
    attributes: dict[str, Attribute] = field(default_factory=dict)

    def set(self, **attributes: Attribute) -> None:
        """Add attributes; double underscores stand for dots."""
        self.attributes.update({name.replace("__", "."): value for name, value in attributes.items()})


class JsonLines:
    """Appends a span a line; lines of several threads do not mix."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._said = False

    def __call__(self, span: Span) -> None:
        line = json.dumps(
            {
                "attributes": dict(sorted(span.attributes.items())),
                "duration_ms": round((span.end_ns - span.start_ns) / 1e6, 3),
                "end_ns": span.end_ns,
                "name": span.name,
                "parent_id": span.parent_id,
                "span_id": span.span_id,
                "start_ns": span.start_ns,
                "status": span.status,
                "trace_id": span.trace_id,
            },
            ensure_ascii=False,
        )
        try:
            with self._lock, self._path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            if not self._said:
                self._said = True
                _LOG.warning("spans are lost: %s cannot be written: %s", self._path, error)


class Tracer:
    """Makes spans; each inside another is its child. ``exports`` get a span when it ends."""

    def __init__(self, *exports: Any) -> None:
        self._exports = exports

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, Attribute] | None = None) -> Iterator[Span]:
        parent = _CURRENT.get()
        span = Span(
            name=name,
            trace_id=parent.trace_id if parent else secrets.token_hex(16),
            span_id=secrets.token_hex(8),
            parent_id=parent.span_id if parent else None,
            start_ns=time.time_ns(),
            attributes=dict(attributes or {}),
        )
        started = time.perf_counter_ns()
        token = _CURRENT.set(span)
        try:
            yield span
        except BaseException as error:
            span.status = f"error: {type(error).__name__}"
            raise
        finally:
            _CURRENT.reset(token)
            span.end_ns = span.start_ns + time.perf_counter_ns() - started
            for export in self._exports:
                export(span)


def opentelemetry_tracer(provider: Any = None) -> Any:
    """An export to OpenTelemetry's tracer provider, the process's own when left out; nothing where it is not installed.

    Its spans have its ids: ``scaffolder.trace_id`` and ``scaffolder.parent_id`` lead to the lines of this module.
    """
    try:
        from opentelemetry import trace
        from opentelemetry.trace import Status, StatusCode
    except ModuleNotFoundError:
        return None
    tracer = trace.get_tracer(__package__ or __name__, tracer_provider=provider)

    def export(span: Span) -> None:
        made = tracer.start_span(span.name, start_time=span.start_ns, attributes=dict(span.attributes))
        made.set_attribute("scaffolder.trace_id", span.trace_id)
        if span.parent_id:
            made.set_attribute("scaffolder.parent_id", span.parent_id)
        if span.status != "ok":
            made.set_status(Status(StatusCode.ERROR, span.status))
        made.end(end_time=span.end_ns)

    return export
