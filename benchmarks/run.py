"""Measure what README claims, each command beside its peer in the same run.

    .venv/bin/python benchmarks/run.py            everything; rewrites results.json and RESULTS.md
    .venv/bin/python benchmarks/run.py --quick    few runs, nothing rewritten

Each group is run in rounds, one run of every command a round, after one run of each that warms caches and is not
counted. A full run takes some ten minutes; leave the machine alone meanwhile.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.cases import (
    BIN,
    CLOUDS,
    COMMANDS,
    EXAMPLE,
    OUT,
    PEER_PYTHON,
    PEER_WRITER,
    ROOT,
    START,
    SYNTHESIS,
    THREE,
    Bench,
    Cloud,
    Plan,
    document_writer,
    many_specs,
)
from benchmarks.fairness import Deployment, count_nodes, differences, read_deployment
from benchmarks.machine import this_machine
from benchmarks.measure import FailedError, Timing, command_environment, peak_mib, timed
from benchmarks.report import page, table, targets
from benchmarks.results import Apply, Case, Many, Results, Size, load_results, save_results

BENCHMARKS = ROOT / "benchmarks"
SAVED = BENCHMARKS / "results.json"
GROUPS = ("synthesis", "clouds", "commands", "many")
PEERS = ("cdktf", "cdktf-cdktf-provider-aws", "cdktn", "cdktn-provider-google", "cdktn-provider-azurerm")
SHOWN_DIFFERENCES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How often each thing is run."""

    synthesis: int
    commands: int
    memory: int
    many: Mapping[int, int]


QUICK = Effort(synthesis=1, commands=5, memory=1, many={10: 1})
FULL = Effort(synthesis=7, commands=25, memory=3, many={10: 5, 100: 3, 1000: 1})


class UnfairError(Exception):
    """The two sides do not deploy the same, so their times must not be compared."""


def main() -> int:
    options = _options()
    effort = QUICK if options.quick else FULL
    if options.runs:
        effort = Effort(
            synthesis=options.runs,
            commands=options.runs,
            memory=options.runs,
            many=dict.fromkeys(effort.many, options.runs),
        )
    groups = tuple(options.only or GROUPS)
    try:
        results = _measured(groups, effort)
    except (FailedError, UnfairError) as error:
        print(error, file=sys.stderr)
        return 1
    print(table(results), end="\n\n")
    for target in targets(results):
        print(f"{'met   ' if target.met else 'MISSED'}  {target.claim}: {target.measured}")
    if options.json:
        save_results(results, options.json)
    elif not options.quick and groups == GROUPS:
        save_results(results, SAVED)
        (BENCHMARKS / "RESULTS.md").write_text(page(results), encoding="utf-8")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what README claims, each command beside its peer.")
    parser.add_argument("--quick", action="store_true", help="few runs; rewrite nothing")
    parser.add_argument(
        "--runs", type=_positive, metavar="N", help="run each command N times instead of the usual"
    )
    parser.add_argument(
        "--only", action="append", choices=GROUPS, help="only this group; may be repeated; rewrite nothing"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the results to FILE instead of results.json"
    )
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it is at least 1")
    return number


def _measured(groups: Sequence[str], effort: Effort) -> Results:
    scaffolder = Path(os.environ.get("SCAFFOLDER_EXE") or BIN / "scaffolder")
    with TemporaryDirectory(prefix="scaffolder-benchmark-") as made:
        bench = Bench(scaffolder, Path(made))
        ours = _synthesized(bench, SYNTHESIS[0])
        cases: dict[str, Case] = {}
        sizes: dict[str, Size] = {}
        if {"synthesis", "clouds"} & {*groups} and not PEER_PYTHON.exists():
            raise FailedError("the peer is not installed; `make peer` does that (2 GB)")
        if "synthesis" in groups:
            _prepare_synthesis(bench, ours)
            cases |= _rounds(bench, (START, *SYNTHESIS), effort.synthesis, effort.memory)
        if "clouds" in groups:
            for cloud in CLOUDS:
                sizes[cloud.key] = _prepare_cloud(bench, cloud)
                cases |= _rounds(bench, (cloud.synth, cloud.bindings), effort.synthesis, effort.memory)
            cases |= _rounds(bench, THREE, effort.commands, effort.memory)
        if "commands" in groups:
            cases |= _rounds(bench, COMMANDS, effort.commands, effort.memory)
        many = [_many(bench, count, runs) for count, runs in effort.many.items()] if "many" in groups else []
    return Results(
        date=time.strftime("%Y-%m-%d"),
        machine=this_machine(_versions()),
        example=EXAMPLE,
        stacks=len(ours),
        resources=count_nodes(ours),
        cases=cases,
        clouds=sizes,
        many=tuple(many),
        apply=_last_deployment(),
    )


def _last_deployment() -> Apply | None:
    """What benchmarks/apply.py measured stays."""
    return load_results(SAVED).apply if SAVED.exists() else None


def _synthesized(bench: Bench, plan: Plan) -> Deployment:
    """Run a synthesis once and read what it deploys."""
    with bench.run_folder() as folder:
        timed(bench.command(plan, folder))
        return read_deployment(folder / OUT)


def _prepare_synthesis(bench: Bench, ours: Deployment) -> None:
    """Make the floor, and make sure that all sides deploy the same."""
    with bench.run_folder() as folder:
        timed(bench.command(SYNTHESIS[0], folder))
        document_writer(folder / OUT, bench.folder / "floor")
    for plan in SYNTHESIS[1:]:
        _compare(bench, ours, plan)


def _prepare_cloud(bench: Bench, cloud: Cloud) -> Size:
    """Write the peer's app from what we make of the example, and make sure that it deploys the same."""
    app = cloud.app(bench)
    app.mkdir()
    with bench.run_folder() as folder:
        timed(bench.command(cloud.synth, folder))
        ours = read_deployment(folder / OUT)
        _say(f"writing the app of {cloud.name}")
        writer = Plan("writer", "write_cdktf_app.py", lambda _: (PEER_PYTHON, PEER_WRITER, folder / OUT, app))
        timed(bench.command(writer, folder))
    _compare(bench, ours, cloud.bindings)
    return Size(stacks=len(ours), resources=count_nodes(ours))


def _compare(bench: Bench, ours: Deployment, plan: Plan) -> None:
    _say(f"comparing what {plan.name} deploys")
    if found := differences(ours, _synthesized(bench, plan)):
        more = f"\n... {len(found)} in all" if len(found) > SHOWN_DIFFERENCES else ""
        shown = "\n".join(found[:SHOWN_DIFFERENCES])
        raise UnfairError(f"{plan.name} does not deploy what scaffolder synth does:\n{shown}{more}")


def _rounds(bench: Bench, plans: Sequence[Plan], rounds: int, memory_rounds: int) -> dict[str, Case]:
    _say(f"warming up, then {rounds} rounds of {', '.join(plan.name for plan in plans)}")
    timings: dict[str, list[Timing]] = {plan.key: [] for plan in plans}
    peaks: dict[str, list[float]] = {plan.key: [] for plan in plans}
    for number in range(rounds + 1):
        for plan in plans:
            with bench.run_folder() as folder:
                timing = timed(bench.command(plan, folder))
            if number:
                timings[plan.key].append(timing)
    for _ in range(memory_rounds):
        for plan in plans:
            with bench.run_folder() as folder:
                peaks[plan.key].append(peak_mib(bench.command(plan, folder)))
    return {
        plan.key: Case(
            name=plan.name,
            seconds=tuple(timing.seconds for timing in timings[plan.key]),
            cpu_seconds=tuple(timing.cpu_seconds for timing in timings[plan.key]),
            peak_mib=tuple(peaks[plan.key]),
        )
        for plan in plans
    }


def _many(bench: Bench, count: int, runs: int) -> Many:
    _say(f"{count} platforms in one command, {runs} times")
    with bench.run_folder() as specs:
        files = many_specs(specs, count)
        plan = Plan("many", "many", lambda bench: (bench.scaffolder, "synth", *files, "--out", OUT))
        seconds = []
        for _ in range(runs):
            with bench.run_folder() as folder:
                seconds.append(timed(bench.command(plan, folder)).seconds)
        with bench.run_folder() as folder:
            peak = peak_mib(bench.command(plan, folder))
            _check_many(folder / OUT, count)
    return Many(platforms=count, seconds=tuple(seconds), peak_mib=peak)


def _check_many(out: Path, count: int) -> None:
    """A command that left platforms out would look fast."""
    found = {path.parent.name.partition("-")[0] for path in out.rglob("cdk.tf.json")}
    if len(found) != count:
        raise FailedError(f"{count} platforms were asked for, and {len(found)} were written")


def _versions() -> dict[str, str]:
    asked = f"import importlib.metadata as m; print(*map(m.version, {PEERS!r}))"
    bindings = _said(PEER_PYTHON, "-c", asked).split() if PEER_PYTHON.exists() else ["-"] * len(PEERS)
    return {
        "Python": platform.python_version(),
        "Node": _said(BIN / "node", "--version").removeprefix("v"),
        **dict(zip(PEERS, bindings, strict=True)),
        "cookiecutter": version("cookiecutter"),
        "scaffolder": version("scaffolder"),
    }


def _said(*argv: str | Path) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=command_environment({}))
    return done.stdout.strip()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
