"""The fixtures of the emulator's own tests."""

from __future__ import annotations

from tests.emulator.fixture import emulator

__all__ = ["emulator"]
