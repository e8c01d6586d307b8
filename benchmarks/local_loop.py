"""Measure a model's whole life on this machine: the story of example 10, chapter by chapter, in a folder of its own.

    .venv/bin/python benchmarks/local_loop.py            rewrites local_loop.json and LOCAL_LOOP.md
    .venv/bin/python benchmarks/local_loop.py --quick    one round, nothing rewritten

Each command of the story is a process of its own, as a person types it; the time is the wall's, from a chapter's heading
to the next one's. Nothing is cached between rounds: each has a new folder.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import this_machine

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "10-churn-local"
SAVED = Path(__file__).with_name("local_loop.json")
PAGE = Path(__file__).with_name("LOCAL_LOOP.md")
ROUNDS = 3
CHAPTER = re.compile(r"(\d+)\. (.+)")
LEFT_BEHIND = shutil.ignore_patterns(".scaffolder", "data", "drift.html", "__pycache__")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Measure a model's whole life on this machine.")
    parser.add_argument("--quick", action="store_true", help="one round, nothing rewritten")
    options = parser.parse_args(arguments)
    rounds = [_round() for _ in range(1 if options.quick else ROUNDS)]
    machine = this_machine({"scaffolder": version("scaffolder")})
    page = _page(rounds, f"{machine.processor}, {machine.cores} cores, {machine.system}")
    print(page)
    if not options.quick:
        found = {"date": time.strftime("%Y-%m-%d"), "machine": asdict(machine), "rounds": rounds}
        SAVED.write_text(f"{json.dumps(found, indent=1)}\n", encoding="utf-8")
        PAGE.write_text(page, encoding="utf-8")
    return 0


def _round() -> Mapping[str, float]:
    """Tell the story once; seconds of each chapter by its heading."""
    with TemporaryDirectory(prefix="scaffolder-benchmark-") as made:
        folder = Path(made, "story")
        shutil.copytree(EXAMPLE, folder, ignore=LEFT_BEHIND)
        command = [sys.executable, "-u", "story.py"]
        seconds: dict[str, float] = {}
        chapter, start = "", time.perf_counter()
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as story:
            for line in story.stdout or ():
                if heading := CHAPTER.fullmatch(line.strip()):
                    now = time.perf_counter()
                    if chapter:
                        seconds[chapter] = round(now - start, 2)
                    chapter, start = heading[2], now
        seconds[chapter] = round(time.perf_counter() - start, 2)
        if story.returncode:
            raise SystemExit("the story did not come to its end")
        stop = [str(Path(sys.executable).with_name("scaffolder")), "destroy", "--yes", "churn"]
        subprocess.run(stop, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return seconds


def _page(rounds: Sequence[Mapping[str, float]], machine: str) -> str:
    chapters = list(rounds[0])
    rows = [f"| {name} | {median(each[name] for each in rounds):.1f} |" for name in chapters]
    whole = median(sum(each.values()) for each in rounds)
    return "\n".join(
        [
            "# A model's whole life on this machine",
            "",
            "<!-- Written by benchmarks/local_loop.py; do not edit. -->",
            "",
            f"Example 10, from data to rollback; medians of {len(rounds)} rounds. Each command is a process of its own.",
            "",
            "| chapter | s |",
            "|---|---|",
            *rows,
            f"| all of it | {whole:.1f} |",
            "",
            f"{machine}, {time.strftime('%Y-%m-%d')}.",
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
