"""Keeps processes of the real provider running between commands of Terraform, which attach to one instead of starting it.

A command of its own starts the provider four times and builds its schema twice; attached, it needs a third of the
processor time. One process serves one command at a time: each command configures it anew. May not know of stacks.
"""

from __future__ import annotations

import atexit
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from tests.external_tools import Terraform

__all__ = ["run_attached"]

KEPT_ENVIRONMENTS = 2
"""Clouds whose providers stay: a test file has one, or one for each engine."""
_TOLD = "TF_REATTACH_PROVIDERS='"


class _Providers:
    """The processes of one provider in one environment."""

    def __init__(self, executable: Path, environment: Mapping[str, str]) -> None:
        self._executable = executable
        self._environment = {**environment, "TF_LOG": "OFF"}
        self._idle: list[str] = []
        self._processes: list[subprocess.Popen[str]] = []
        self._lock = Lock()

    @contextmanager
    def lent(self) -> Iterator[str]:
        """Lend a process that nobody else uses, as the value of ``TF_REATTACH_PROVIDERS``."""
        with self._lock:
            address = self._idle.pop() if self._idle else None
        address = address or self._started()
        yield address
        # One whose command failed may be in any state: it isn't lent again.
        with self._lock:
            self._idle.append(address)

    def end(self) -> None:
        """End all processes."""
        for process in self._processes:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
        self._idle.clear()
        self._processes.clear()

    def _started(self) -> str:
        process = subprocess.Popen(
            [self._executable, "-debug"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        with self._lock:
            self._processes.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            if _TOLD in line:
                return str(line.split(_TOLD)[1].rstrip().removesuffix("'"))
        raise AssertionError(f"{self._executable} ended before it told its address")


_running: dict[tuple[Path, frozenset[tuple[str, str]]], _Providers] = {}
_running_lock = Lock()


def run_attached(
    terraform: Terraform, *arguments: str, cwd: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Like ``terraform.run``, with a provider that is running already, where Terraform installed one.

    What the developer has set for AWS does not reach a provider that is told all of it by ``environment``.
    """
    added = environment or {}
    provider = terraform.provider()
    if provider is None:
        return terraform.run(*arguments, cwd=cwd, environment=added)
    kept = {name: value for name, value in terraform.environment.items() if not name.startswith("AWS_")}
    with _of(provider, {**kept, **added}).lent() as address:
        return terraform.run(*arguments, cwd=cwd, environment={**added, "TF_REATTACH_PROVIDERS": address})


def _of(executable: Path, environment: Mapping[str, str]) -> _Providers:
    key = (executable, frozenset(environment.items()))
    with _running_lock:
        providers = _running.pop(key, None) or _Providers(executable, environment)
        _running[key] = providers  # the one used last is the last
        ended = [_running.pop(old) for old in [*_running][:-KEPT_ENVIRONMENTS]]
    for old in ended:
        old.end()
    return providers


@atexit.register
def _end_all() -> None:
    for providers in _running.values():
        providers.end()
