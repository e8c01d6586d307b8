"""What a measurement ran on. Linux only. May not say the machine's name."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path

from benchmarks.results import Machine

__all__ = ["this_machine"]


def this_machine(versions: Mapping[str, str]) -> Machine:
    """Describe this machine, with the versions of what was measured on it."""
    return Machine(
        processor=_processor(), cores=os.cpu_count() or 1, system=platform.system(), versions=versions
    )


def _processor() -> str:
    """The processor's model, as Linux names it."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
