"""Example 10 as somebody has it who installed the wheel: a copied folder, the installed command, and its processes.

May not import scaffolder: what is under test is installed elsewhere.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.external_tools import ROOT

__all__ = ["Story", "Victim", "copied"]

EXAMPLE = ROOT / "examples" / "10-churn-local"
COMMAND_S = 600
"""Longer than any command of the story takes on a busy machine; what hangs fails."""
PROC = Path("/proc")
Victim = str
"""``command``, or a part of the module's name that a process of ours runs: ``detached``, ``server``, ``worker``…"""


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    stdout: str
    stderr: str


def copied(folder: Path) -> Path:
    """Copy what somebody would copy of the example."""
    return Path(
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".scaffolder", "data", "__pycache__"))
    )


@dataclass(frozen=True, slots=True)
class Story:
    """``python`` is the interpreter beside which the wheel's command is installed."""

    python: Path
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        home = self.folder.parent / "home"
        home.mkdir(exist_ok=True)
        return {"PATH": f"{self.python.parent}{os.pathsep}{os.defpath}", "HOME": str(home), "COLUMNS": "80"}

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.python.with_name("scaffolder"), *words],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ended(self, process: subprocess.Popen[str]) -> Ran:
        stdout, stderr = process.communicate(timeout=COMMAND_S)
        return Ran(process.returncode, stdout, stderr)

    def run(self, *words: str) -> Ran:
        return self.ended(self.start(*words))

    def done(self, *words: str) -> Ran:
        """Run a command that must succeed."""
        ran = self.run(*words)
        assert ran.code == 0, (words, ran.stdout, ran.stderr)
        return ran

    def asked(self, *words: str) -> Any:
        return json.loads(self.done(*words, "--json").stdout)

    def script(self, name: str, *words: str) -> str:
        done = subprocess.run(
            [self.python, self.folder / name, *words],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=2 * COMMAND_S,
            check=False,
        )
        assert done.returncode == 0, (name, done.stdout)
        return done.stdout

    # --- what is there -----------------------------------------------------------------------------------------------

    def versions(self) -> list[dict[str, Any]]:
        """The newest first."""
        found: list[dict[str, Any]] = self.asked("models", "list")["versions"]
        return found

    def runs(self) -> list[dict[str, Any]]:
        """The newest first."""
        found: list[dict[str, Any]] = self.asked("runs", "list")["runs"]
        return found

    def url(self) -> str:
        (endpoint,) = self.asked("endpoints", "list")["endpoints"]
        return str(endpoint["url"])

    def traffic(self) -> dict[str, int]:
        (endpoint,) = self.asked("endpoints", "list")["endpoints"]
        return {
            one["name"]: one["traffic_percent"] for one in endpoint["deployments"] if one["traffic_percent"]
        }

    def digest_of(self, path: str) -> str:
        """The digest of a folder as it is now, by the installed code."""
        program = (
            "import sys; from pathlib import Path; from scaffolder.operations.local.trees import digest_of; "
            "print(digest_of(Path(sys.argv[1])))"
        )
        told = subprocess.run(
            [self.python, "-P", "-c", program, path],
            cwd=self.folder.parent,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return told.stdout.strip()

    # --- processes ---------------------------------------------------------------------------------------------------

    def processes(self, what: str = "") -> Iterator[int]:
        """Yield the processes of this folder that run a module of ours named so; all of the folder's without a name."""
        for each in PROC.iterdir():
            if not each.name.isdecimal() or int(each.name) == os.getpid():
                continue
            with suppress(OSError):
                line = (each / "cmdline").read_bytes().decode(errors="replace").split("\0")
                ours = any(word.startswith(str(self.folder)) for word in line)
                if ours and (not what or f"scaffolder.operations.local.{what}" in line):
                    yield int(each.name)

    def processes_that_stay(self) -> list[int]:
        """The processes of this folder that do not end: some live on for a moment after the command that ends them."""
        end = time.monotonic() + COMMAND_S
        while (left := [*self.processes()]) and time.monotonic() < end:
            time.sleep(0.05)
        return left

    def killed(self, chance: random.Random, victim: Victim, most_s: float, *words: str) -> tuple[bool, Ran]:
        """Run a command, and ``kill -9`` the victim at a random moment of its life; say whether there was one."""
        process = self.start(*words)
        left = chance.uniform(0.0, most_s)
        hit = False
        while process.poll() is None and not hit:
            found = [process.pid] if victim == "command" else [*self.processes(victim)]
            if found and left <= 0:
                with suppress(ProcessLookupError):
                    os.kill(found[0], signal.SIGKILL)
                    hit = True
            time.sleep(0.02)
            left -= 0.02 if found else 0.0
        return hit, self.ended(process)

    def idle(self) -> None:
        """Wait until no run goes on; one whose runner was killed does not count as going on."""
        end = time.monotonic() + COMMAND_S
        while any(one["state"] in {"queued", "running", "stopping"} for one in self.runs()):
            assert time.monotonic() < end, self.runs()
            time.sleep(0.3)
