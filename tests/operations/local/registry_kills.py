"""Register again and again, killed after a random time, and then once to the end; or in several processes at once.

    python -m tests.operations.local.registry_kills FOLDER TIMES
    python -m tests.operations.local.registry_kills FOLDER at-once TOKENS…

Says of each try how it ended; or what versions the tokens, comma by comma, have become in each process. A process that has
imported all forks one for each try.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.registry import LocalRegistry
from scaffolder.operations.port import Opening
from scaffolder.operations.values import Registration
from scaffolder.pipeline import synthesize

__all__ = ["registry_in"]

LONGEST_S = 0.2


def registry_in(folder: Path) -> LocalRegistry:
    platform = synthesize(folder / "platform.yaml").environments[0].platform
    return LocalRegistry(Opening(platform=platform, folder=folder, sleep=time.sleep), Layout(folder))


def _registers(folder: Path, number: int, kill_after_s: float | None) -> int:
    """Register in a process of its own; return how it ended."""
    child = os.fork()
    if not child:
        artifact = folder / f"artifact-{number}"
        artifact.mkdir(exist_ok=True)
        (artifact / "model.json").write_text(json.dumps({"below": number}))
        registry_in(folder).register(
            Registration(
                model="churn", artifact_uri=str(artifact), token=f"try {number}", metrics={"n": number}
            )
        )
        os._exit(0)
    if kill_after_s is not None:
        time.sleep(kill_after_s)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    folder = Path(sys.argv[1])
    _warm(folder / "warm")
    if sys.argv[2] == "at-once":
        _at_once(folder, [tokens.split(",") for tokens in sys.argv[3:]])
    else:
        _killed(folder, int(sys.argv[2]))


def _at_once(folder: Path, tokens: list[list[str]]) -> None:
    """Register in a process for each list, into a registry that none has made yet."""
    children = []
    for mine in tokens:
        read, write = os.pipe()
        child = os.fork()
        if not child:
            registry = registry_in(folder)
            versions = [
                registry.register(
                    Registration(model="churn", artifact_uri=str(folder / "artifact"), token=token)
                ).version
                for token in mine
            ]
            os.write(write, json.dumps(versions).encode())
            os._exit(0)
        os.close(write)
        children.append((child, read))
    for child, read in children:
        with os.fdopen(read) as said:
            versions = json.loads(said.read() or "[]")
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{json.dumps({'versions': versions, 'ended': ended})}\n")


def _killed(folder: Path, times: int) -> None:
    chance = random.Random(7)  # noqa: S311 - the same tries each time
    for number in range(times + 1):
        killed = number and _registers(folder, number, chance.random() * LONGEST_S)
        ended = _registers(folder, number, None)
        sys.stdout.write(f"{json.dumps({'killed': killed == -signal.SIGKILL, 'ended': ended})}\n")


def _warm(folder: Path) -> None:
    """Import what a registration needs, by one in a registry of its own."""
    shutil.copytree(folder.parent / "pipelines", folder / "pipelines")
    shutil.copy(folder.parent / "platform.yaml", folder)
    (folder / "artifact").mkdir()
    registry_in(folder).register(Registration(model="churn", artifact_uri="artifact", token="warm"))


if __name__ == "__main__":
    main()
