"""Runs on this machine again: from the cache, after a crash, from a record, and two at once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from scaffolder.operations.errors import Conflict, InvalidRequest
from scaffolder.operations.local.cache import ENTRY
from scaffolder.operations.local.files import open_lock, read_json, take_lock
from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.records import find_run
from scaffolder.operations.local.runs import LocalRuns
from scaffolder.operations.local.trees import digest_of
from scaffolder.operations.port import Opening
from scaffolder.operations.values import Run, RunState
from stacks.pipelines import BucketPath, Output, Template, ValueOf
from tests.operations.local.scripts import (
    PATIENCE_S,
    Script,
    ended,
    ended_runs,
    platform_of,
    processes_of,
    processes_that_stay,
    runs_of,
    submitted,
)

HOUR = 3600
WRITES = "(out / 'a').write_text(os.environ.get('A', '')); (out / 'b').mkdir(); (out / 'b/c').write_bytes(bytes(9))"


def _cached(run: Run) -> list[bool]:
    return [step.cached for step in run.steps]


def _entries(folder: Path) -> list[Path]:
    return sorted(each.parent for each in Layout(folder).cache.glob(f"*/*/{ENTRY}"))


# --- cache -----------------------------------------------------------------------------------------------------------


def test_an_equal_step_is_taken_from_the_cache_with_the_same_bytes(tmp_path: Path) -> None:
    scripts = {
        "first": Script(text=WRITES, cache_s=HOUR),
        "second": Script(text=WRITES, inputs={"a": "first.out"}, cache_s=HOUR),
        "always": Script(text=WRITES, inputs={"a": "second.out"}),
    }
    runs = runs_of(tmp_path, scripts)
    one, two = ended(runs), ended(runs, "two")
    assert (_cached(one), _cached(two)) == ([False] * 3, [True, True, False])
    assert one.record["outputs"] == two.record["outputs"]
    assert all(each.equal for each in runs.compare(one.ref, two.ref))


def _change(folder: Path, what: str) -> tuple[Mapping[str, Script], dict[str, str]]:
    """A pipeline of which one thing is different, and its parameters."""
    raw = BucketPath(bucket="data", path=("raw",))
    variables: dict[str, Template] = {
        "A": (ValueOf("used"),),
        **({"B": ("1",)} if what == "variable" else {}),
    }
    text = f"{WRITES}{' # changed' if what == 'code' else ''}"
    command: tuple[Template, ...] = (("python",), ("s.py",), *([("more",)] if what == "command" else []))
    outputs = {"out": Output(kind="model" if what == "kind" else "folder", place=None)}
    script = Script(
        text=text, inputs={"raw": raw}, variables=variables, cache_s=HOUR, command=command, outputs=outputs
    )
    if what == "data":
        (folder / "data/raw/rows.csv").write_text("2\n")
    if what == "lock":
        (folder / "requirements.txt").write_text("numpy==2.0.0\n")
    return {"s": script}, {name: "changed" for name in ("used", "unused") if name == what}


@pytest.mark.parametrize(
    ("what", "again"),
    [("nothing", False), ("unused", False)]
    + [(each, True) for each in ("used", "code", "command", "variable", "data", "lock", "kind")],
)
def test_a_step_is_computed_again_when_what_decides_it_changes(
    tmp_path: Path, what: str, again: object
) -> None:
    rows = tmp_path / "data/raw/rows.csv"
    rows.parent.mkdir(parents=True)
    rows.write_text("1\n")
    parameters = {"used": "1", "unused": "1"}
    scripts, _ = _change(tmp_path, "nothing")
    assert ended(runs_of(tmp_path, scripts, parameters)).state is RunState.SUCCEEDED
    os.utime(rows)  # a time is no content
    scripts, given = _change(tmp_path, what)
    run = ended(runs_of(tmp_path, scripts, parameters), "two", **given)
    assert (run.state, run.steps[0].cached) == (RunState.SUCCEEDED, again is False)


def test_an_entry_that_is_too_old_is_replaced(tmp_path: Path) -> None:
    runs = runs_of(tmp_path, {"s": Script(text=WRITES, cache_s=HOUR)})
    ended(runs)
    (entry,) = _entries(tmp_path)
    text = (entry / ENTRY).read_text()
    made = read_json(entry / ENTRY)
    assert made is not None
    (entry / ENTRY).write_text(text.replace(str(made["created"]), str(time.time() - HOUR - 1)))
    assert [_cached(ended(runs, token)) for token in ("two", "three")] == [[False], [True]]


@pytest.mark.parametrize("damage", ["content", "gone", "more", "half", "no json"])
def test_an_entry_that_was_touched_is_never_taken(tmp_path: Path, damage: str) -> None:
    runs = runs_of(tmp_path, {"s": Script(text=WRITES, cache_s=HOUR)})
    first = ended(runs)
    (entry,) = _entries(tmp_path)
    file = entry / "outputs/out/a"
    match damage:
        case "content":
            file.chmod(0o644)
            file.write_text("poison")
        case "gone":
            file.unlink()
        case "more":
            (file.parent / "x").touch()
        case "half":
            shutil.rmtree(entry / "outputs")
        case _:
            (entry / ENTRY).write_text("{")
    second = ended(runs, "two")
    assert (_cached(second), second.record["outputs"]) == ([False], first.record["outputs"])
    assert _cached(ended(runs, "three")) == [True]


# --- tokens ----------------------------------------------------------------------------------------------------------


def test_requests_with_one_token_at_once_start_one_run(tmp_path: Path) -> None:
    count = tmp_path / "count"
    script = Script(text="open(sys.argv[1], 'a').write('x')", command=(("python",), ("s.py",), (str(count),)))
    runs = runs_of(tmp_path, {"s": script})
    with ThreadPoolExecutor(6) as pool:
        refs = {*pool.map(lambda _: submitted(runs), range(6))}
    (ref,) = refs
    assert ended_runs(runs, ref).state is RunState.SUCCEEDED
    assert count.read_text() == "x"
    assert [run.ref for run in runs.list()] == [ref]


def test_a_run_whose_maker_died_before_it_had_a_runner_begins_with_the_next_request(tmp_path: Path) -> None:
    runs = runs_of(tmp_path, {"s": Script(text="")})
    made = find_run(Layout(tmp_path), ended(runs).ref)
    while made.is_held():
        time.sleep(0.01)
    (made.path / "state.json").unlink()
    assert runs.describe(made.ref).state is RunState.FAILED
    assert submitted(runs) == made.ref
    assert ended_runs(runs, made.ref).state is RunState.SUCCEEDED


def test_two_runs_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    scripts = {
        "s": Script(text=WRITES, cache_s=HOUR),
        "t": Script(text=WRITES, inputs={"a": "s.out"}, cache_s=HOUR),
    }
    runs = runs_of(tmp_path, scripts)
    refs = [submitted(runs, token) for token in "abc"]
    seen = [ended_runs(runs, ref) for ref in refs]
    assert {run.state for run in seen} == {RunState.SUCCEEDED}
    assert len({str(run.record["outputs"]) for run in seen}) == 1
    assert len(_entries(tmp_path)) == 2


def test_runs_of_two_projects_with_one_token_do_not_end_each_other(tmp_path: Path) -> None:
    one, other, go_on = tmp_path / "one", tmp_path / "other", tmp_path / "go-on"
    text = f"print('on', flush=True)\nwhile not os.path.exists({str(go_on)!r}): time.sleep(0.02)"
    slow = runs_of(one, {"s": Script(text=text)})
    ref = submitted(slow)
    while not [*slow.logs(ref)]:
        time.sleep(0.02)
    quick = runs_of(other, {"s": Script(text="")})
    assert ended(quick).ref == ref
    quick.remove(ref)
    assert slow.describe(ref).state is RunState.RUNNING
    go_on.touch()
    assert ended_runs(slow, ref).state is RunState.SUCCEEDED


def test_a_run_that_a_step_starts_outlives_it(tmp_path: Path) -> None:
    go_on = tmp_path / "go-on"
    waits = f"while not os.path.exists({str(go_on)!r}): time.sleep(0.02)"
    inner = (
        "from pathlib import Path; from tests.operations.local.scripts import Script, runs_of, submitted\n"
        f"submitted(runs_of(Path({str(tmp_path / 'inner')!r}), {{'s': Script(text={waits!r})}}))"
    )
    root = str(Path(__file__).parents[3])
    text = f"import subprocess; subprocess.run([sys.executable, '-c', {inner!r}], cwd={root!r}, check=True)"
    run = ended(runs_of(tmp_path / "outer", {"s": Script(text=text)}))
    assert run.state is RunState.SUCCEEDED, run.error
    (started,) = (tmp_path / "inner/.scaffolder/runs").iterdir()
    runs = runs_of(tmp_path / "inner", {"s": Script(text="")})
    assert runs.describe(started.name).state in {RunState.QUEUED, RunState.RUNNING}
    go_on.touch()
    assert ended_runs(runs, started.name).state is RunState.SUCCEEDED


# --- crashes ---------------------------------------------------------------------------------------------------------


def _kill(folder: Path, *, runner: bool) -> bool:
    for process, is_runner in processes_of(folder):
        if is_runner == runner:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
            return True
    return False


@pytest.mark.parametrize("ended_already", [True, False])
def test_a_runner_that_is_slow_to_leave_is_waited_for(tmp_path: Path, *, ended_already: bool) -> None:
    """A busy machine may let seconds pass between the end of a run, which all can see, and that of its runner."""
    made = find_run(Layout(tmp_path), ended(runs_of(tmp_path, {"s": Script(text="")})).ref)
    assert processes_that_stay(tmp_path) == []
    if not ended_already:
        made.write_state(replace(made.state(), state="running"))
    lock, slept = open_lock(made.lock), 0.0
    assert take_lock(lock)

    def sleep(seconds: float) -> None:
        nonlocal slept
        before, slept = slept, slept + seconds
        if before < 5 <= slept:
            os.close(lock)

    opening = Opening(platform=platform_of({}), folder=tmp_path, sleep=sleep)
    runs = LocalRuns(opening, Layout(tmp_path))
    if ended_already:
        runs.remove(made.ref)
        assert (slept >= 5, [*runs.list()]) == (True, [])
    else:
        with pytest.raises(Conflict, match=f"run {made.ref} is going on"):
            runs.remove(made.ref)
        assert slept < 5
        os.close(lock)


def _running(runs: LocalRuns, ref: str, step: str) -> None:
    while not any(each.name == step and each.state is RunState.RUNNING for each in runs.describe(ref).steps):
        time.sleep(0.02)


def test_a_run_whose_runner_was_killed_has_failed_says_so_and_goes_on(tmp_path: Path) -> None:
    wait = tmp_path / "wait"
    wait.touch()
    count = tmp_path / "count"
    scripts = {
        "first": Script(text="open(sys.argv[1], 'a').write('x'); (out / 'n').write_text('1')", command=(("python",), ("first.py",), (str(count),))),
        "second": Script(text="import subprocess\np = subprocess.Popen(['sleep', '60'])\nwhile os.path.exists(sys.argv[1]): time.sleep(0.02)\np.kill()", command=(("python",), ("second.py",), (str(wait),)), inputs={"a": "first.out"}),
    }  # fmt: skip
    runs = runs_of(tmp_path, scripts)
    ref = submitted(runs)
    _running(runs, ref, "second")
    with pytest.raises(Conflict, match=f"run {ref} is going on"):
        runs.resume(ref)
    assert _kill(tmp_path, runner=True)
    dead = _dead(runs, ref)
    assert "it was killed, or the machine went down" in dead.error
    assert [(step.state, step.native_state) for step in dead.steps] == [
        (RunState.SUCCEEDED, "succeeded"),
        (RunState.FAILED, "died"),
    ]
    assert dead.ended is not None
    assert [run.state for run in runs.list()] == [RunState.FAILED]
    wait.unlink()
    assert runs.resume(ref) == ref
    assert RunState.FAILED not in {step.state for step in runs.describe(ref).steps}  # it waits, or goes on
    whole = ended_runs(runs, ref)
    assert (whole.state, count.read_text()) == (RunState.SUCCEEDED, "x")
    assert processes_that_stay(tmp_path) == []
    with pytest.raises(InvalidRequest, match="has succeeded"):
        runs.resume(ref)


def _dead(runs: LocalRuns, ref: str) -> Run:
    until = time.monotonic() + PATIENCE_S
    while (run := runs.describe(ref)).native_state != "died" and time.monotonic() < until:
        time.sleep(0.02)
    return run


def test_a_step_dies_with_its_runner(tmp_path: Path) -> None:
    beats = tmp_path / "beats"
    text = f"while True:\n    open({str(beats)!r}, 'a').write('x'); time.sleep(0.01)"
    runs = runs_of(tmp_path, {"s": Script(text=text)})
    ref = submitted(runs)
    while not beats.exists():
        time.sleep(0.02)
    assert _kill(tmp_path, runner=True)
    assert _dead(runs, ref).native_state == "died"
    assert processes_that_stay(tmp_path) == []
    size = beats.stat().st_size
    time.sleep(0.15)
    assert beats.stat().st_size == size


@pytest.mark.slow
def test_whatever_is_killed_and_whenever_a_run_ends_with_what_it_always_writes(tmp_path: Path) -> None:
    """Kills at moments that a seed draws, of runners and of steps; after each, the cache has whole entries only.

    Ten at least, and twenty where that takes no longer than half a minute.
    """
    write = "time.sleep(0.03)\nfor n in range(20): (out / f'f{n}').write_bytes(bytes(200_000 + n)); print(n)"
    scripts = {
        "a": Script(text=write, cache_s=HOUR),
        "b": Script(text=write, inputs={"x": "a.out"}, cache_s=HOUR),
        "c": Script(text=write, inputs={"x": "a.out"}),
        "d": Script(text=write, inputs={"x": "b.out", "y": "c.out"}, cache_s=HOUR),
    }
    expected = ended(runs_of(tmp_path / "undisturbed", scripts)).record["outputs"]
    runs, chance, kills, number, until = runs_of(tmp_path, scripts), Random(5), 0, 0, time.monotonic() + 35  # noqa: S311 - kills need no secrets
    while kills < 10 or (kills < 20 and time.monotonic() < until):
        number += 1
        assert number < 200, "nothing is there to kill"
        if chance.random() < 0.5:
            shutil.rmtree(Layout(tmp_path).cache, ignore_errors=True)
        ref = submitted(runs, f"t{number}")
        for _ in range(chance.randint(1, 3)):
            time.sleep(chance.uniform(0.0, 0.45))
            kills += _kill(tmp_path, runner=chance.random() < 0.7)
            run = runs.describe(ref)
            assert run.state is not RunState.SUCCEEDED or run.record["outputs"] == expected
            _check_cache(tmp_path)
            if run.native_state == "died":
                runs.resume(ref)
        run = ended_runs(runs, ref)
        while run.state is not RunState.SUCCEEDED:
            run = ended_runs(runs, runs.resume(ref))
        assert run.record["outputs"] == expected
        assert _log_is_whole(runs, ref)
    _check_cache(tmp_path)


def _check_cache(folder: Path) -> None:
    for entry in _entries(folder):
        said = read_json(entry / ENTRY)
        assert said is not None
        outputs = said["outputs"]
        assert isinstance(outputs, dict)
        for name, digest in outputs.items():
            assert digest_of(entry / "outputs" / name) == digest


def _log_is_whole(runs: LocalRuns, ref: str) -> bool:
    lines = [*runs.logs(ref)]
    return [line.time for line in lines] == sorted(line.time for line in lines) and lines[-1].step != ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_fails_the_run_and_says_so(tmp_path: Path) -> None:
    runs = runs_of(tmp_path, {"s": Script(text="print('x')")})
    made = find_run(Layout(tmp_path), ended(runs).ref)
    while made.is_held():
        time.sleep(0.01)
    (made.path / "state.json").unlink()
    made.log.unlink()
    made.log.symlink_to("/dev/full")
    submitted(runs)
    run = ended_runs(runs, made.ref)
    assert (run.state, run.native_state) == (RunState.FAILED, "failed")
    assert "the runner failed: No space left on device. Make room" in run.error
    assert processes_that_stay(tmp_path) == []


def test_a_command_line_that_goes_away_leaves_its_run_alone(tmp_path: Path) -> None:
    go_on = tmp_path / "go-on"
    waits = f"while not os.path.exists({str(go_on)!r}): time.sleep(0.02)"
    program = (
        "import sys; from pathlib import Path; from tests.operations.local.scripts import Script, runs_of, submitted\n"
        f"runs = runs_of(Path(sys.argv[1]), {{'s': Script(text={waits!r})}})\n"
        "print(submitted(runs), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
        cwd=Path(__file__).parents[3],
    ) as shell:
        assert shell.stdout is not None
        ref = shell.stdout.readline().strip()
        os.killpg(shell.pid, signal.SIGINT)
        os.killpg(shell.pid, signal.SIGHUP)
    go_on.touch()
    runs = runs_of(tmp_path, {"s": Script(text="")})
    assert ended_runs(runs, ref).state is RunState.SUCCEEDED


# --- records ---------------------------------------------------------------------------------------------------------


def _project(folder: Path) -> LocalRuns:
    rows = folder / "data/raw/2026-11-01/rows.csv"
    rows.parent.mkdir(parents=True)
    rows.write_text("1\n2\n")
    (folder / "requirements.txt").write_text("numpy==2.0.0\n")
    raw = BucketPath(bucket="data", path=("raw/", ValueOf("day")))
    train = "import random; random.seed(int(sys.argv[1])); (out / 'w').write_text(f'{random.random()} {hash(\"a\")}')"
    scripts = {
        "prepare": Script(text=WRITES, inputs={"raw": raw}, cache_s=HOUR),
        "train": Script(text=train, inputs={"a": "prepare.out"}, command=(("python",), ("train.py",), (ValueOf("seed"),))),
    }  # fmt: skip
    return runs_of(folder, scripts, {"day": "2026-11-01", "seed": 7})


def _git(folder: Path, *words: str) -> str:
    name = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    return subprocess.run(
        ["git", *name, *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_a_record_holds_what_it_takes_to_run_again(tmp_path: Path) -> None:
    runs = _project(tmp_path)
    _git(tmp_path, "init", "-q")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-qm", "one")
    clean = ended(runs, seed=3).record
    assert (clean["commit"], clean["uncommitted"]) == (_git(tmp_path, "rev-parse", "HEAD"), "")
    assert clean["parameters"] == {"day": "2026-11-01", "seed": 3}
    assert clean["seeds"] == {"seed": 3}
    assert clean["data"] == {"data:raw/2026-11-01": digest_of(tmp_path / "data/raw/2026-11-01")}
    environment = clean["environment"]
    assert isinstance(environment, dict)
    assert environment["lock_file"] == "requirements.txt"
    assert any(each.startswith("pytest-") for each in environment["packages"])
    outputs = clean["outputs"]
    assert isinstance(outputs, dict)
    assert sorted(outputs) == ["prepare.out", "train.out"]
    (tmp_path / "requirements.txt").write_text("numpy==2.1.0\n")
    dirty = ended(runs, "two", seed=3).record
    assert dirty["commit"] == clean["commit"]
    assert str(dirty["uncommitted"]).startswith("sha256:")


def test_a_run_that_is_reproduced_computes_the_same_anew(tmp_path: Path) -> None:
    runs = _project(tmp_path)
    first = ended(runs)
    again = ended_runs(runs, runs.reproduce(first.ref, "again"))
    assert (again.state, again.reason) == (RunState.SUCCEEDED, f"reproduce: {first.ref}")
    assert _cached(again) == [False, False]
    assert {each.output: each.equal for each in runs.compare(first.ref, again.ref)} == {
        "prepare.out": True,
        "train.out": True,
    }
    other = ended(runs, "other", seed=8)
    assert [each.output for each in runs.compare(first.ref, other.ref) if not each.equal] == ["train.out"]
    assert runs.reproduce(first.ref, "again") == again.ref


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("data", "data: data:raw/2026-11-01 is not the same"),
        ("gone", "data: data:raw/2026-11-01 is not there any more"),
        ("lock", "environment: the lock file requirements.txt is not the same"),
    ],
)
def test_a_run_is_not_reproduced_from_something_else(tmp_path: Path, change: str, says: str) -> None:
    runs = _project(tmp_path)
    first = ended(runs)
    rows = tmp_path / "data/raw/2026-11-01/rows.csv"
    match change:
        case "data":
            rows.write_text("1\n3\n")
        case "gone":
            shutil.rmtree(rows.parent)
        case _:
            (tmp_path / "requirements.txt").write_text("numpy==2.1.0\n")
    with pytest.raises(InvalidRequest, match=says):
        runs.reproduce(first.ref)
    assert len([*runs.list()]) == 1


def test_code_that_changes_after_a_run_has_begun_is_not_seen_by_it(tmp_path: Path) -> None:
    runs = runs_of(tmp_path, {"s": Script(text="(out / 'a').write_text('old')")})
    first = ended(runs)
    changed = runs_of(tmp_path, {"s": Script(text="(out / 'a').write_text('new')")})
    again = ended_runs(changed, changed.reproduce(first.ref))
    assert all(each.equal for each in changed.compare(first.ref, again.ref))
    assert not any(each.equal for each in changed.compare(first.ref, ended(changed, "two").ref))
