"""Register again and again, killed after a random time, and then once to the end; say of each how it ended.

    python -m tests.operations.local.registry_kills FOLDER TIMES

A process that has imported all forks one for each try.
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
    folder, times = Path(sys.argv[1]), int(sys.argv[2])
    chance = random.Random(7)  # noqa: S311 - the same tries each time
    _warm(folder / "warm")
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
