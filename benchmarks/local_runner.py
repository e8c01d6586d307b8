"""Measure what a pipeline on this machine takes beyond its steps: beside plain calls of the same commands, same run.

    .venv/bin/python benchmarks/local_runner.py            rewrites local_runner.json and LOCAL_RUNNER.md
    .venv/bin/python benchmarks/local_runner.py --quick    one round, nothing rewritten

A pipeline of twenty steps, each of which reads the one before and writes a number. Plain is `subprocess.run` of the same
commands with the same variables, one after another, in folders that are there already. Ours is from the request to the
run's end as its state says it, so with the start of the runner's process. Cached is the same run again, of which every
result is taken from the cache. Side by side is the same number of steps that take nothing from each other.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import this_machine
from scaffolder.operations.local.environment import step_variables
from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.records import find_run
from scaffolder.operations.local.runs import LocalRuns
from scaffolder.operations.values import FINISHED, RunState
from tests.operations.local.scripts import Script, runs_of, submitted

SAVED = Path(__file__).with_name("local_runner.json")
PAGE = Path(__file__).with_name("LOCAL_RUNNER.md")
STEPS, ROUNDS = 20, 9
LOOK_S = 0.002
AGAIN = "again"
TEXT = "(out / 'n').write_text(str(1 + int((pathlib.Path(os.environ['IN_N']) / 'n').read_text() if 'IN_N' in os.environ else 0)))"
INTRODUCTION = """\
A pipeline of {steps} trivial steps, from the request to its end; medians of {rounds} rounds, each of which runs everything.
What a step takes beyond a plain call is the median of the rounds' differences: a fresh folder, a copy of the code, the log,
digests of what it reads and writes, the state on disk, the cache."""
NAMES = {
    "plain": "plain calls, one after another",
    "chain": "ours, one after another",
    "cached": "ours, all from the cache",
    "wide": "ours, side by side",
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the local runner's overhead for each step.")
    parser.add_argument("--quick", action="store_true", help="one round; rewrite nothing")
    options = parser.parse_args()
    seconds = _measured(1 if options.quick else ROUNDS)
    machine = this_machine({"scaffolder": version("scaffolder")})
    page = _page(seconds, f"{machine.processor}, {machine.cores} cores, {machine.system}")
    print(page)
    if not options.quick:
        found = {
            "date": time.strftime("%Y-%m-%d"),
            "machine": asdict(machine),
            "steps": STEPS,
            "seconds": seconds,
        }
        SAVED.write_text(f"{json.dumps(found, indent=1)}\n", encoding="utf-8")
        PAGE.write_text(page, encoding="utf-8")
    return 0


def _measured(rounds: int) -> Mapping[str, list[float]]:
    """Run everything once uncounted, then in rounds, each of which runs everything."""
    seconds: dict[str, list[float]] = {name: [] for name in NAMES}
    for number in range(rounds + 1):
        with TemporaryDirectory(prefix="scaffolder-benchmark-") as made:
            for name, each in _round(Path(made)).items():
                if number:
                    seconds[name].append(round(each, 4))
    return seconds


def _round(folder: Path) -> Mapping[str, float]:
    chain = runs_of(folder / "chain", _pipeline(chained=True))
    wide = runs_of(folder / "wide", _pipeline(chained=False))
    return {
        "plain": _timed(lambda: _plain(folder / "plain")),
        "chain": _timed(lambda: _run(chain, folder / "chain", "one")),
        "cached": _timed(lambda: _run(chain, folder / "chain", AGAIN)),
        "wide": _timed(lambda: _run(wide, folder / "wide", "one")),
    }


def _pipeline(*, chained: bool) -> Mapping[str, Script]:
    return {
        f"s{number}": Script(
            text=TEXT, inputs={"n": f"s{number - 1}.out"} if chained and number else {}, cache_s=3600
        )
        for number in range(STEPS)
    }


def _timed(call: Callable[[], None]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _plain(folder: Path) -> None:
    code = folder / "code"
    code.mkdir(parents=True)
    head = "import json, os, pathlib, sys, time\nout = pathlib.Path(os.environ.get('OUT_OUT', '.'))\n"
    (code / "step.py").write_text(head + TEXT)
    variables = step_variables(os.environ, sys.executable)
    for number in range(STEPS):
        out = folder / f"s{number}"
        out.mkdir()
        before = {"IN_N": str(folder / f"s{number - 1}")} if number else {}
        own = {**variables, **before, "OUT_OUT": str(out)}
        subprocess.run([sys.executable, "step.py"], cwd=code, env=own, check=True, stdin=subprocess.DEVNULL)
    if (folder / f"s{STEPS - 1}/n").read_text() != str(STEPS):
        raise SystemExit("the plain calls did something else")


def _run(runs: LocalRuns, folder: Path, token: str) -> None:
    ref = submitted(runs, token)
    run = find_run(Layout(folder), ref)
    while (state := RunState(run.state().state)) not in FINISHED:
        time.sleep(LOOK_S)
    if state is not RunState.SUCCEEDED:
        raise SystemExit(runs.describe(ref).error)
    cached = {step.cached for step in runs.describe(ref).steps}
    if cached != {token == AGAIN}:
        raise SystemExit("the cache was not what it should be")


def _page(seconds: Mapping[str, list[float]], machine: str) -> str:
    plain = median(seconds["plain"])
    rows = []
    for name, words in NAMES.items():
        whole = median(seconds[name])
        beyond = [
            1000 * (ours - theirs) / STEPS
            for ours, theirs in zip(seconds[name], seconds["plain"], strict=True)
        ]
        own = "" if name in {"plain", "wide"} else f"{median(beyond):+.1f}"
        rows.append(f"| {words} | {whole:.2f} | {1000 * whole / STEPS:.1f} | {own} | {plain / whole:.1f} |")
    return "\n".join(
        [
            "# Pipelines on this machine",
            "",
            "<!-- Written by benchmarks/local_runner.py; do not edit. -->",
            "",
            INTRODUCTION.format(steps=STEPS, rounds=len(seconds["plain"])),
            "",
            "| | s | ms a step | beyond plain, ms a step | times as fast as plain |",
            "|---|---|---|---|---|",
            *rows,
            "",
            f"{machine}, {time.strftime('%Y-%m-%d')}.",
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
