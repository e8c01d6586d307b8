"""Pipeline definitions: the files that a spec's ``pipelines.*.definition`` names, read and checked."""

from __future__ import annotations

from stacks.record import record

__all__ = ["Lacking"]


@record
class Lacking:
    """Why a pipeline cannot be made yet, and what to do about it."""

    lacks: str
    remedy: str
