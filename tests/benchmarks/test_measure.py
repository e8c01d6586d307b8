"""Time and memory are those of the whole process tree."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from benchmarks.measure import Command, FailedError, command_environment, peak_mib, timed

MIB = 1024 * 1024
HOLD = "import time; held = bytearray({size}); held[::4096] = b'x' * len(held[::4096]); time.sleep({seconds})"
FAMILY = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {child!r}])
{own}
child.wait()
"""


def python(code: str, cwd: Path) -> Command:
    return Command(argv=(sys.executable, "-c", code), cwd=cwd, environment=command_environment({}))


def peak_of(code: str, cwd: Path, least: float) -> float:
    """The peak; again where nobody looked in time, since a busy machine may not let the watcher."""
    for _ in range(5):
        peak = peak_mib(python(code, cwd))
        if peak > least:
            break
    else:
        pytest.fail(f"never more than {least} MiB")
    return peak


def test_time_is_that_on_the_wall(tmp_path: Path) -> None:
    began = time.perf_counter()
    timing = timed(python("import time; time.sleep(0.3)", tmp_path))
    assert 0.3 <= timing.seconds <= time.perf_counter() - began
    assert timing.cpu_seconds < timing.seconds - 0.25  # a tick of the clock more than it did not sleep


def test_processor_time_counts_children(tmp_path: Path) -> None:
    spin = "import time\nwhile time.process_time() < 0.3: pass"
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {spin!r}], check=True)"
    assert timed(python(code, tmp_path)).cpu_seconds >= 0.3


def test_memory_is_that_of_one_process(tmp_path: Path) -> None:
    small = peak_of("import time; time.sleep(0.1)", tmp_path, 2)
    assert peak_of(HOLD.format(size=100 * MIB, seconds=0.1), tmp_path, small + 95) < small + 120


def test_memory_is_summed_over_a_process_and_its_children(tmp_path: Path) -> None:
    child = HOLD.format(size=100 * MIB, seconds=1)
    own = HOLD.format(size=60 * MIB, seconds=0.5)
    assert peak_of(FAMILY.format(child=child, own=own), tmp_path, 155) < 200


def test_memory_at_different_moments_is_not_summed(tmp_path: Path) -> None:
    first, then = HOLD.format(size=100 * MIB, seconds=0.1), HOLD.format(size=60 * MIB, seconds=0.1)
    code = "\n".join(
        f"subprocess.run([sys.executable, '-c', {code!r}], check=True)" for code in (first, then)
    )
    assert peak_mib(python(f"import subprocess, sys\n{code}", tmp_path)) < 140


@pytest.mark.parametrize("measured", [timed, peak_mib], ids=["time", "memory"])
def test_a_command_that_fails_is_not_measured(measured: object, tmp_path: Path) -> None:
    assert callable(measured)
    with pytest.raises(FailedError, match=r"exit code 3 from .*\n.*it went wrong"):
        measured(python("import sys; print('it went wrong'); sys.exit(3)", tmp_path))


def test_the_environment_is_that_of_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("KEPT", "yes")
    environment = command_environment({"ADDED": "too"})
    assert "PYTHONDONTWRITEBYTECODE" not in environment
    assert (environment["KEPT"], environment["ADDED"]) == ("yes", "too")
