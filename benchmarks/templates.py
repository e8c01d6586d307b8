"""Measure templates beside cookiecutter, copier and cruft: new projects, updates, and what an update makes of histories.

    .venv/bin/python benchmarks/templates.py                 everything; rewrites templates.json and TEMPLATES.md
    .venv/bin/python benchmarks/templates.py --only update   that part alone; the others stay as they were measured
    .venv/bin/python benchmarks/templates.py --quick         one round, few repositories, nothing rewritten

`make peer-templates` installs the peers. Whole processes, in rounds: each runs every command of a part once. Before
anything is timed, what the tools made is compared; a difference ends the run. A full run takes some twenty minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import this_machine
from benchmarks.measure import Command, FailedError, Timing, command_environment, peak_mib, timed
from benchmarks.results import Case
from benchmarks.template_histories import Tool, run_histories
from benchmarks.template_page import page, targets
from benchmarks.template_sample import conflicting_edits, edit, versions
from benchmarks.template_spelling import OWN_FILES, commit_all, commit_version, cookiecutters, copiers, write
from scaffolder import __version__
from stacks.record import record
from tests.projects.histories import git, read_tree

BENCHMARKS = Path(__file__).resolve().parent
SAVED = BENCHMARKS / "templates.json"
PAGE = BENCHMARKS / "TEMPLATES.md"
PEERS = BENCHMARKS.parent / ".tools/peer-templates/bin"
OURS = os.environ.get("SCAFFOLDER_EXE") or str(BENCHMARKS.parent / ".venv/bin/scaffolder")
COOKIECUTTER, COPIER, CRUFT = (str(PEERS / name) for name in ("cookiecutter", "copier", "cruft"))
PARTS = ("new", "update", "status", "histories")
CONFIGURATION = """\
[user]
	name = An Owner
	email = owner@example.com
[init]
	defaultBranch = main
"""


class UnfairError(Exception):
    """The tools did not make the same, so their times must not be compared."""


@record
class Effort:
    """How often each command is timed, how often its memory is watched, and how many repositories `status` looks at."""

    rounds: int
    memory: int
    repositories: int


QUICK = Effort(rounds=1, memory=1, repositories=12)
FULL = Effort(rounds=7, memory=3, repositories=200)


@record
class Runner:
    """A command with ``{place}`` for where a project is made. ``cold`` empties scaffolder's cache of repositories before."""

    name: str
    argv: tuple[str, ...]
    start: Path | None = None
    """The project that an update is of: each run is of a copy."""
    cold: bool = False


class Bench:
    """A folder with the template in each tool's spelling, and an environment of its own for whatever runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        home = folder / "home"
        home.mkdir()
        (home / ".gitconfig").write_text(CONFIGURATION, encoding="utf-8")
        own = {
            "HOME": str(home),
            "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_CONFIG_HOME": str(home / "config"),
        }
        self.environment = command_environment(own)
        os.environ.update(own)  # for the git that prepares
        self.cache = home / "cache"
        self.place = folder / "run" / "churn"
        first, second = versions()
        for kind, spell in (("cookiecutter", cookiecutters), ("copier", copiers)):
            write(self.folder / f"{kind}-folder", spell(first))
            commit_version(self.repository(kind), "1.0.0", spell(first))
            commit_version(self.repository(kind), "2.0.0", spell(second))

    def repository(self, kind: str) -> Path:
        """The git repository of the template, as cookiecutter or as copier spells it."""
        return self.folder / f"{kind}-repository"

    def new_from_folder(self) -> tuple[Runner, ...]:
        """Projects of version 1 in a folder."""
        ours, copier = self.folder / "cookiecutter-folder", self.folder / "copier-folder"
        return (
            Runner(name="scaffolder new", argv=(OURS, "new", str(ours), "{place}", "--defaults")),
            Runner(
                name="cookiecutter", argv=(COOKIECUTTER, "--no-input", "--output-dir", "{above}", str(ours))
            ),
            Runner(name="copier copy", argv=(COPIER, "copy", "--defaults", str(copier), "{place}")),
        )

    def new_from_git(self) -> tuple[Runner, ...]:
        """Projects of version 1 of a repository, by its tag."""
        ours, copier = self.repository("cookiecutter"), self.repository("copier")
        new = (OURS, "new", f"git+file://{ours}@v1.0.0", "{place}", "--defaults")
        return (
            Runner(name="scaffolder new", argv=new),
            Runner(name="scaffolder new, with an empty cache", argv=new, cold=True),
            Runner(
                name="cookiecutter",
                argv=(COOKIECUTTER, "--no-input", "-c", "v1.0.0", "-o", "{above}", f"git+file://{ours}"),
            ),
            Runner(
                name="copier copy",
                argv=(COPIER, "copy", "--defaults", "--vcs-ref", "v1.0.0", str(copier), "{place}"),
            ),
            Runner(
                name="cruft create",
                argv=(
                    CRUFT,
                    "create",
                    "--no-input",
                    "-c",
                    "v1.0.0",
                    "--output-dir",
                    "{above}",
                    f"file://{ours}",
                ),
            ),
        )

    def updates(self) -> tuple[Runner, ...]:
        """Updates to version 2 of a project that each tool made itself and that its owner edited."""
        makers = {runner.name: runner for runner in self.new_from_git()}
        update = (OURS, "update", "--defaults")
        ours = self.project(makers["scaffolder new"])
        return (
            Runner(name="scaffolder update", argv=update, start=ours),
            Runner(name="scaffolder update, with an empty cache", argv=update, start=ours, cold=True),
            Runner(
                name="copier update",
                argv=(COPIER, "update", "--defaults"),
                start=self.project(makers["copier copy"]),
            ),
            Runner(
                name="cruft update",
                argv=(CRUFT, "update", "--skip-apply-ask"),
                start=self.project(makers["cruft create"]),
            ),
        )

    def project(self, maker: Runner) -> Path:
        """A repository of a new project with its owner's ten edits."""
        self.run(maker)
        made = self.folder / "projects" / maker.name.replace(" ", "-")
        made.parent.mkdir(exist_ok=True)
        self.place.rename(made)
        committed(made, "As it was made")
        edit(made)
        commit_all(made, "The owner's work")
        return made

    def run(self, runner: Runner, how: Callable[[Command], Timing | float] = timed) -> Timing | float:
        """Prepare what a command finds, run it, and measure that."""
        shutil.rmtree(self.place.parent, ignore_errors=True)
        self.place.parent.mkdir()
        if runner.start is not None:
            shutil.copytree(runner.start, self.place, symlinks=True)
            git(self.place, "status")  # git's index knows the copies
        if runner.cold:
            shutil.rmtree(self.cache, ignore_errors=True)
        named = {"place": str(self.place), "above": str(self.place.parent)}
        argv = tuple(each.format(**named) for each in runner.argv)
        cwd = self.place.parent if runner.start is None else self.place
        return how(Command(argv=argv, cwd=cwd, environment=self.environment))

    def compared(self, runners: Sequence[Runner]) -> None:
        """Run each command once, and end where two did not make the same."""
        trees = {}
        for runner in runners:
            self.run(runner)
            trees[runner.name] = {
                path: file for path, file in read_tree(self.place).items() if path not in OWN_FILES
            }
        first, *others = trees
        for other in others:
            differing = sorted(
                path
                for path in {*trees[first], *trees[other]}
                if trees[first].get(path) != trees[other].get(path)
            )
            if differing:
                raise UnfairError(f"{first} and {other} make {differing[:5]} differently")

    def rounds(self, runners: Sequence[Runner], effort: Effort) -> dict[str, Case]:
        """Compare what the commands make, then time them in rounds, then watch their memory in rounds."""
        self.compared(runners)
        timings: dict[str, list[Timing]] = {runner.name: [] for runner in runners}
        peaks: dict[str, list[float]] = {runner.name: [] for runner in runners}
        for _ in range(effort.rounds):
            for runner in runners:
                found = self.run(runner)
                assert isinstance(found, Timing)  # noqa: S101 - what timed returns
                timings[runner.name].append(found)
        for _ in range(effort.memory):
            for runner in runners:
                peak = self.run(runner, peak_mib)
                assert isinstance(peak, float)  # noqa: S101 - what peak_mib returns
                peaks[runner.name].append(peak)
        return {
            name: Case(
                name=name,
                seconds=tuple(each.seconds for each in found),
                cpu_seconds=tuple(each.cpu_seconds for each in found),
                peak_mib=tuple(peaks[name]),
            )
            for name, found in timings.items()
        }


def committed(project: Path, message: str) -> None:
    """Make a repository of a new project."""
    git(project, "init", "-q")
    commit_all(project, message)


def main() -> int:
    options = _options()
    effort = QUICK if options.quick else FULL
    if options.rounds:
        effort = Effort(rounds=options.rounds, memory=effort.memory, repositories=effort.repositories)
    missing = [name for name in (COOKIECUTTER, COPIER, CRUFT) if not Path(name).exists()]
    if missing:
        print("the peers are not installed; `make peer-templates` does that", file=sys.stderr)
        return 1
    results: dict[str, Any] = {}
    results["machine"] = asdict(this_machine(_versions()))
    try:
        for part in options.only or PARTS:
            load = os.getloadavg()[0]
            with TemporaryDirectory(prefix="scaffolder-benchmark-") as made:
                found = _measured(part, Bench(Path(made).resolve()), effort)
            load = max(load, os.getloadavg()[0])
            results[part] = {"date": time.strftime("%Y-%m-%d"), "load": round(load, 1), **found}
    except (FailedError, UnfairError) as error:
        print(error, file=sys.stderr)
        return 1
    results = json.loads(json.dumps(results, default=_plain))
    if SAVED.exists() and options.only and not options.quick:
        results = {**json.loads(SAVED.read_text(encoding="utf-8")), **results}
    print(page(results))
    for target in targets(results):
        print(f"{'met   ' if target.met else 'MISSED'}  {target.claim}: {target.measured}")
    if not options.quick:
        SAVED.write_text(json.dumps(_rounded(results), indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(page(results), encoding="utf-8")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure templates beside cookiecutter, copier and cruft.")
    parser.add_argument("--quick", action="store_true", help="one round, few repositories; rewrite nothing")
    parser.add_argument("--rounds", type=int, help="time each command so often instead of 7 times")
    parser.add_argument("--only", action="append", choices=PARTS, help="only this part; may be repeated")
    return parser.parse_args()


def _versions() -> Mapping[str, str]:
    """The versions of everything that is measured."""
    code = (
        "import importlib.metadata as m; print(*(m.version(n) for n in ('cookiecutter', 'copier', 'cruft')))"
    )
    told = subprocess.run([PEERS / "python", "-c", code], check=True, capture_output=True, text=True).stdout
    peers = dict(zip(("cookiecutter", "copier", "cruft"), told.split(), strict=True))
    found = git(BENCHMARKS, "--version").split()[2]
    python = ".".join(map(str, sys.version_info[:3]))
    return {
        **peers,
        "git": found,
        "Python": python,
        "scaffolder": __version__,
        "Jinja2": version("jinja2"),
    }


def _measured(part: str, bench: Bench, effort: Effort) -> Mapping[str, Any]:
    match part:
        case "new":
            return {
                "folder": bench.rounds(bench.new_from_folder(), effort),
                "git": bench.rounds(bench.new_from_git(), effort),
            }
        case "update":
            return {"cases": bench.rounds(bench.updates(), effort)}
        case "status":
            return _status(bench, effort)
        case _:
            return {tool.name: run_histories(tool, bench.environment) for tool in tools()}


def tools() -> tuple[Tool, ...]:
    """Each tool as its documentation says that it is run without questions."""
    return (
        Tool(
            name="scaffolder update",
            is_copier=False,
            new=(OURS, "new", "git+file://{repository}@v1.0.0", "{folder}", "--defaults"),
            update=(OURS, "update", "--defaults"),
        ),
        Tool(
            name="copier update",
            is_copier=True,
            # --trust lets it run a template's migrations
            new=(
                *(COPIER, "copy", "--defaults", "--trust", "--vcs-ref", "v1.0.0"),
                *("{repository}", "{folder}"),
            ),
            update=(COPIER, "update", "--defaults", "--trust"),
        ),
        Tool(
            name="cruft update",
            is_copier=False,
            new=(
                CRUFT,
                "create",
                "--no-input",
                "-c",
                "v1.0.0",
                "--output-dir",
                "{parent}",
                "file://{repository}",
            ),
            update=(CRUFT, "update", "--skip-apply-ask"),
        ),
    )


# --- status ----------------------------------------------------------------------------------------------------------

STATES = ("current", "clean", "conflicts", "blocked", "failed")


def _status(bench: Bench, effort: Effort) -> Mapping[str, Any]:
    """Look at many repositories: half at version 1, half of those with edits that the update conflicts with."""
    many = bench.folder / "many"
    repository = bench.repository("cookiecutter")
    for number in range(effort.repositories):
        project = many / f"team-{number:03}"
        tag = "v1.0.0" if number % 2 else "v2.0.0"
        argv = (OURS, "new", f"git+file://{repository}@{tag}", str(project), "--defaults")
        timed(Command(argv=argv, cwd=bench.folder, environment=bench.environment))
        committed(project, "As it was made")
        edit(project)
        if number % 4 == 1:
            conflicting_edits(project)
        commit_all(project, "The owner's work")
    return looked(many, effort.repositories, bench.environment)


def looked(many: Path, repositories: int, environment: Mapping[str, str]) -> Mapping[str, Any]:
    """Let `status` count the repositories, and end where it counts wrong; then time it."""
    counts = _states(many, environment)
    quarter, half = repositories // 4, repositories // 2
    expected = {"current": half, "clean": half - quarter, "conflicts": quarter, "blocked": 0, "failed": 0}
    if counts != expected:
        raise UnfairError(f"status counts {counts}, and there are {expected}")
    looks: dict[str, tuple[str, ...]] = {
        "text": (),
        "JSON": ("--json",),
        "JSON, one process": ("--json", "--jobs", "1"),
    }
    cases = {}
    for name, flags in looks.items():
        look = Command(argv=(OURS, "status", str(many), *flags), cwd=many, environment=environment)
        found = timed(look)
        cases[name] = Case(
            name=f"scaffolder status, {name}",
            seconds=(found.seconds,),
            cpu_seconds=(found.cpu_seconds,),
            peak_mib=(peak_mib(look),) if name == "text" else (),
        )
    return {"repositories": repositories, "states": counts, "cases": cases}


def _states(many: Path, environment: Mapping[str, str]) -> Mapping[str, int]:
    argv = (OURS, "status", str(many), "--json")
    done = subprocess.run(argv, env=dict(environment), check=True, capture_output=True, text=True)
    found = Counter(project["state"] for project in json.loads(done.stdout)["projects"])
    return {state: found[state] for state in STATES}


def _plain(value: Any) -> Any:
    """A record as JSON has it."""
    return asdict(value)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    sys.exit(main())
