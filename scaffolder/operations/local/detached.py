"""A runner's first moments: it leaves its parent, so that a command line may end and nobody has to bury it.

    python -m scaffolder.operations.local.detached FOLDER LOCK

FOLDER is a run's, LOCK a descriptor of its lock, which is taken. May not import what takes long before it has left.
"""

from __future__ import annotations

import os
import sys

__all__: list[str] = []


def _main(folder: str, lock: str) -> int:
    if os.fork():
        return 0
    os.set_inheritable(int(lock), False)  # noqa: FBT003 - it ends with this process, and not with a step's
    from scaffolder.operations.local.runner_process import run_to_the_end  # noqa: PLC0415 - it has left

    return run_to_the_end(folder, int(lock))


if __name__ == "__main__":
    os._exit(_main(*sys.argv[1:]))
