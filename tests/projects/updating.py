"""A program that updates a project, for tests that kill it: `python -m tests.projects.updating PROJECT FILES`.

The template has that many files, which are changed, added, deleted, moved and made executable in turn.
"""

from __future__ import annotations

import sys
from pathlib import Path

from scaffolder.projects.applying import apply
from scaffolder.projects.merge import three_way
from scaffolder.projects.tree import File

__all__ = ["expected", "renderings", "start"]

LINES = 40


def renderings(count: int) -> tuple[dict[str, File], dict[str, File]]:
    """The old rendering and the new one: ``count`` files differ."""
    old, new = {}, {}
    for number in range(count):
        content = "".join(f"line {line} of {number}\n" for line in range(LINES)).encode()
        changed = content.replace(b"line 30 ", b"line 30, new, ")
        path = f"part-{number % 7}/file-{number}.txt"
        match number % 6:
            case 0 | 1:
                old[path], new[path] = File(content=content), File(content=changed)
            case 2:
                new[f"new-{number % 5}/{path}"] = File(content=content)
            case 3:
                old[f"old-{number % 5}/{path}"] = File(content=content)
            case 4:
                old[path], new[f"moved/{path}"] = File(content=content), File(content=changed)
            case _:
                old[path], new[path] = File(content=content), File(content=content, executable=True)
    return old, new


def start(count: int) -> dict[str, File]:
    """The old rendering as its owner has edited it."""
    return {path: _edited(file) for path, file in renderings(count)[0].items()}


def expected(count: int) -> dict[str, File]:
    """The new rendering with the owner's edits in what was there before."""
    _, new = renderings(count)
    return {path: file if path.startswith("new-") else _edited(file) for path, file in new.items()}


def _edited(file: File) -> File:
    number = int(file.content.splitlines()[0].split()[-1])
    if number % 6 == 3:
        return file  # the template deletes it
    return File(content=file.content.replace(b"line 3 ", b"line 3, mine, "), executable=file.executable)


if __name__ == "__main__":
    project, count = Path(sys.argv[1]), int(sys.argv[2])
    old, new = renderings(count)
    with three_way(project, old, new, label_new="model 2.0.0") as merge:
        apply(merge)
    sys.stdout.write("updated\n")
