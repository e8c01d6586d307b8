"""Pipeline definitions: the files that a spec's ``pipelines.*.definition`` names, read and checked."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Lacking"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """Why a pipeline cannot be made yet, and what to do about it."""

    lacks: str
    remedy: str
