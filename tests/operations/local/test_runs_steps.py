"""Steps on this machine: what they find, what of them is kept, and how they end."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from scaffolder.operations.errors import InvalidRequest
from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.records import find_run
from scaffolder.operations.local.runs import LocalRuns
from scaffolder.operations.values import RunState
from stacks.pipelines import BucketPath, Gate, Output, Template, ValueOf
from tests.operations.local.scripts import Script, ended, ended_runs, processes_that_stay, runs_of, submitted

METRICS = Output(kind="metrics", place=None)
MODEL = Output(kind="model", place=None)


def _lines(runs: LocalRuns, ref: str) -> list[str]:
    return [line.text for line in runs.logs(ref)]


def _written(folder: Path, ref: str, step: str, file: str) -> str:
    run = find_run(Layout(folder), ref)
    return (run.path / run.state().steps[step].folder / "outputs/out" / file).read_text()


def test_a_step_finds_only_what_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    script = Script(
        text="(out / 'seen.json').write_text(json.dumps([dict(os.environ), os.getcwd(), os.listdir(), sys.executable]))",
        variables={"DEPTH": ("d=", ValueOf("depth"))},
    )
    folder = tmp_path / "a folder with spaces, ü and 'quotes'"
    run = ended(runs_of(folder, {"look": script}, {"depth": 3}))
    assert run.state is RunState.SUCCEEDED, run.error
    variables, cwd, files, python = json.loads(_written(folder, run.ref, "look", "seen.json"))
    assert "AWS_SECRET_ACCESS_KEY" not in variables
    assert (variables["PYTHONHASHSEED"], variables["OMP_NUM_THREADS"], variables["TZ"]) == ("0", "1", "UTC")
    assert variables["DEPTH"] == "d=3"
    assert variables["HOME"] != os.environ.get("HOME")
    assert Path(cwd).is_relative_to(folder / ".scaffolder/runs" / run.ref)
    assert files == ["look.py"]
    assert python == sys.executable


def test_parameters_stand_in_commands_as_json_writes_them(tmp_path: Path) -> None:
    values: list[Template] = [(ValueOf(name),) for name in ("flag", "share", "many", "text")]
    command: tuple[Template, ...] = (("python",), ("show.py",), *values)
    script = Script(text="(out / 'words').write_text(json.dumps(sys.argv[1:]))", command=command)
    runs = runs_of(tmp_path, {"show": script}, {"flag": False, "share": 1.0, "many": 3, "text": "x"})
    run = ended(runs, flag=True, share=2, text='$(touch /tmp/no) ; "é" {params.many}')
    assert json.loads(_written(tmp_path, run.ref, "show", "words")) == [
        "true",
        "2.0",
        "3",
        '$(touch /tmp/no) ; "é" {params.many}',
    ]


def test_what_a_step_writes_is_kept_line_by_line_whatever_it_is(tmp_path: Path) -> None:
    script = Script(
        text=r"""
        raw = sys.stdout.buffer
        raw.write(b"\xff\xfe no text\n")
        raw.write("10 %\r20 %\r30 %\n".encode())
        raw.write("é".encode() * 40_000 + b"\n")
        raw.write(b"\n")
        print("to the other one", file=sys.stderr)
        raw.write(b"no end")
        """,
    )
    runs = runs_of(tmp_path, {"talk": script})
    run = ended(runs)
    lines = _lines(runs, run.ref)
    assert "\\xff\\xfe no text" in lines
    assert "30 %" in lines
    assert "".join(line for line in lines if "é" in line) == "é" * 40_000
    assert max(map(len, lines)) <= 16_384
    assert {"", "to the other one", "no end"} <= {*lines}


def test_independent_steps_run_at_once_and_dependent_ones_in_order(tmp_path: Path) -> None:
    noting = "(out / 'times').write_text(json.dumps([time.time(), meet(), time.time()]))"
    together = len(os.sched_getaffinity(0)) > 1
    scripts = {
        name: Script(
            text=f"""
        def meet():
            pathlib.Path({str(tmp_path / name)!r}).touch()
            while {together} and not os.path.exists({str(tmp_path / other)!r}): time.sleep(0.02)
        {noting}
        """
        )
        for name, other in (("left", "right"), ("right", "left"))
    }
    runs = runs_of(
        tmp_path,
        {**scripts, "join": Script(text=f"meet = int\n{noting}", inputs={"a": "left.out", "b": "right.out"})},
    )
    run = ended(runs)
    left, right, join = (
        json.loads(_written(tmp_path, run.ref, name, "times")) for name in ("left", "right", "join")
    )
    assert max(left[2], right[2]) <= join[0]
    assert not together or max(left[0], right[0]) < min(left[2], right[2])


def test_a_step_that_fails_is_tried_again_as_often_as_it_says_each_time_in_an_empty_folder(
    tmp_path: Path,
) -> None:
    script = Script(
        text="""
        tries = pathlib.Path(sys.argv[1])
        assert not list(out.iterdir())
        (out / "half").touch()
        tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
        sys.exit(f"try {len(tries.read_text())}" if len(tries.read_text()) < 3 else 0)
        """,
        command=(("python",), ("fragile.py",), (str(tmp_path / "tries"),)),
        retries=2,
    )
    run = ended(runs_of(tmp_path, {"fragile": script}))
    assert (run.state, run.steps[0].attempt) == (RunState.SUCCEEDED, 3)
    assert (tmp_path / "tries").read_text() == "xxx"


def test_a_package_that_is_not_installed_is_wanted_where_steps_run(tmp_path: Path) -> None:
    run = ended(runs_of(tmp_path, {"lacks": Script(text="import nobody_has_this")}))
    assert run.error == (
        "step lacks: it ended with exit code 1: ModuleNotFoundError: No module named 'nobody_has_this' "
        f"(steps run with {sys.executable}: install there what their code imports)"
    )


def test_a_failure_names_the_step_its_exit_code_and_its_last_words(tmp_path: Path) -> None:
    runs = runs_of(
        tmp_path,
        {
            "good": Script(text=""),
            "bad": Script(text="sys.exit('no such column: age')", inputs={"a": "good.out"}, retries=1),
            "late": Script(text="", inputs={"a": "bad.out"}),
        },
    )
    run = ended(runs)
    assert run.state is RunState.FAILED
    assert run.error == "step bad: it ended with exit code 1: no such column: age"
    assert [(step.name, step.state, step.attempt) for step in run.steps] == [
        ("good", RunState.SUCCEEDED, 1),
        ("bad", RunState.FAILED, 2),
        ("late", RunState.STOPPED, 1),
    ]


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (Script(text="os.kill(os.getpid(), 9)"), "it was ended by SIGKILL (the machine may be out of memory)"),
        (Script(text="", command=(("no-such-program",),)), "no-such-program cannot be started: No such file or directory"),
        (Script(text="out.rmdir()"), "its output out is no folder any more"),
        (Script(text="(out / 'l').symlink_to('/etc/hostname')"), "its output out: the link l points to /etc/hostname"),
        (Script(text="(out / 'l').symlink_to('../../x')"), "its output out: the link l points to ../../x"),
        (Script(text="os.mkfifo(out / 'pipe')"), "its output out: pipe is no file"),
        (Script(text="", outputs={"out": MODEL}), "its output out of kind model is empty"),
        (Script(text="", outputs={"out": METRICS}), "it wrote no metrics.json into its output out"),
        (Script(text="(out / 'metrics.json').write_text('{\"a\": NaN}')", outputs={"out": METRICS}), "a is nan, and has to be a finite number"),
        (Script(text="(out / 'metrics.json').write_text('{\"a\": {\"b\": 1}}')", outputs={"out": METRICS}), "a is {'b': 1}, and has to be"),
        (Script(text="(out / 'metrics.json').write_text('[1]')", outputs={"out": METRICS}), "is no object of numbers by name"),
        (Script(text="", inputs={"raw": BucketPath(bucket="data", path=("gone/",))}), "its input raw, data:gone/, is not there"),
        (Script(text="", inputs={"raw": BucketPath(bucket="data", path=("../..",))}), "data:../.. leaves the bucket data"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)  # fmt: skip
def test_what_is_wrong_with_a_step_is_said(tmp_path: Path, script: Script, error: str) -> None:
    run = ended(runs_of(tmp_path, {"s": script}))
    assert run.state is RunState.FAILED
    assert error in run.error


def test_links_inside_an_output_stay(tmp_path: Path) -> None:
    script = Script(text="(out / 'a').write_text('1'); (out / 'b').symlink_to('a')", cache_s=3600)
    runs = runs_of(tmp_path, {"s": script})
    first, second = ended(runs), ended(runs, "two")
    assert second.steps[0].cached
    assert first.record["outputs"] == second.record["outputs"]
    assert _written(tmp_path, second.ref, "s", "b") == "1"


def test_a_step_may_not_write_what_it_reads(tmp_path: Path) -> None:
    data = tmp_path / "data/raw"
    data.mkdir(parents=True)
    (data / "rows.csv").write_text("1\n")
    raw = BucketPath(bucket="data", path=("raw",))
    script = Script(
        text="(pathlib.Path(os.environ['IN_RAW']) / 'rows.csv').write_text('2, changed')", inputs={"raw": raw}
    )
    run = ended(runs_of(tmp_path, {"s": script}))
    assert "it changed its input raw" in run.error


def test_a_file_of_a_bucket_comes_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/rows.csv").write_text("1\n")
    raw = BucketPath(bucket="data", path=("rows.csv",))
    text = "print(sorted(os.listdir(os.environ['IN_RAW'])), (pathlib.Path(os.environ['IN_RAW']) / 'rows.csv').read_text())"
    runs = runs_of(tmp_path, {"s": Script(text=text, inputs={"raw": raw})})
    run = ended(runs)
    assert "['rows.csv'] 1" in _lines(runs, run.ref)


def test_an_output_with_a_place_is_found_there_and_each_run_replaces_it(tmp_path: Path) -> None:
    place = BucketPath(bucket="artifacts", path=("baselines/", ValueOf("name")))
    script = Script(
        text="(out / sys.argv[1]).write_text('x')",
        outputs={"out": Output(kind="folder", place=place)},
        command=(("python",), ("s.py",), (ValueOf("file"),)),
    )
    runs = runs_of(tmp_path, {"s": script}, {"name": "churn", "file": "a"})
    for token, file in (("one", "a"), ("two", "b")):
        assert ended(runs, token, file=file).state is RunState.SUCCEEDED
        written = Layout(tmp_path).place("artifacts:baselines/churn")
        assert [each.name for each in written.iterdir()] == [file]
        (written / file).write_text("it is the user's now")


@pytest.mark.parametrize("otherwise", ["skip", "fail"])
def test_a_gate_that_is_not_met_leaves_out_what_comes_after_or_fails(tmp_path: Path, otherwise: str) -> None:
    measure = Script(text="(out / 'metrics.json').write_text('{\"auc\": 0.7}')", outputs={"out": METRICS})
    gate = Gate(step="measure", output="out", metric="auc", comparison="at_least", bound=ValueOf("least"), otherwise=otherwise)  # type: ignore[arg-type]  # fmt: skip
    scripts = {
        "measure": measure,
        "behind": Script(text="", gate=gate),
        "after": Script(text="", after=("behind",)),
        "beside": Script(text="", after=("measure",)),
    }
    runs = runs_of(tmp_path, scripts, {"least": 0.7})
    assert not any(step.skipped for step in ended(runs, "met").steps)
    run = ended(runs, "not met", least=0.71)
    skipped = [step.name for step in run.steps if step.skipped]
    if otherwise == "skip":
        assert (run.state, skipped) == (RunState.SUCCEEDED, ["behind", "after"])
        assert "[scaffolder] left out: measure.out.auc is 0.7, and has to be at least 0.71" in _lines(
            runs, run.ref
        )
    else:
        assert run.state is RunState.FAILED
        assert "step behind: measure.out.auc is 0.7, and has to be at least 0.71" in run.error
    assert run.metrics == {"auc": 0.7}


def test_a_gate_on_a_number_that_is_not_there_fails(tmp_path: Path) -> None:
    measure = Script(text="(out / 'metrics.json').write_text('{\"acu\": 0.7}')", outputs={"out": METRICS})
    gate = Gate(step="measure", output="out", metric="auc", comparison="at_most", bound=1.0, otherwise="skip")
    run = ended(runs_of(tmp_path, {"measure": measure, "behind": Script(text="", gate=gate)}))
    assert run.error == "step behind: its gate reads auc of measure.out, which has acu"


def test_a_timeout_ends_a_step_and_all_that_it_started(tmp_path: Path) -> None:
    beats = tmp_path / "beats"
    child = f"import time\nwhile True:\n    open({str(beats)!r}, 'a').write('x'); time.sleep(0.02)"
    text = (
        f"import subprocess; subprocess.Popen([sys.executable, '-c', {child!r}])\n"
        f"while not os.path.exists({str(beats)!r}): time.sleep(0.02)\n"
        "print('waiting', flush=True); time.sleep(3600)"
    )
    for timeout_s in (1, 5, 25, 125):  # until its child has begun in time, which takes a busy machine longer
        runs = runs_of(tmp_path, {"s": Script(text=text, timeout_s=timeout_s)})
        run = ended(runs, f"in {timeout_s} s")
        assert run.error.startswith("step s: it took longer than its timeout")
        if beats.exists() and "waiting" in _lines(runs, run.ref):
            break
    else:
        pytest.fail("its child does not begin")
    assert run.error == "step s: it took longer than its timeout: waiting"
    _stands_still(tmp_path, beats)


@pytest.mark.parametrize("escape", ["", "start_new_session=True"])
def test_what_a_step_leaves_running_ends_with_it(tmp_path: Path, escape: str) -> None:
    beats = tmp_path / "beats"
    child = f"import time\nwhile True:\n    open({str(beats)!r}, 'a').write('x'); print('y' * 1000); time.sleep(0.01)"
    script = Script(
        text=f"import subprocess; subprocess.Popen([sys.executable, '-c', {child!r}], {escape})\n"
        f"while not os.path.exists({str(beats)!r}): time.sleep(0.01)",
    )
    run = ended(runs_of(tmp_path, {"s": script, "next": Script(text="", after=("s",))}))
    assert run.state is RunState.SUCCEEDED
    _stands_still(tmp_path, beats)


def _stands_still(folder: Path, file: Path) -> None:
    assert processes_that_stay(folder) == []
    size = file.stat().st_size
    time.sleep(0.15)
    assert file.stat().st_size == size


def test_a_cancelled_run_ends_even_where_its_step_does_not_want_to(tmp_path: Path) -> None:
    text = "import signal; signal.signal(signal.SIGTERM, lambda *_: print('no', flush=True)); print('ready', flush=True)\nwhile True: time.sleep(0.1)"
    runs = runs_of(tmp_path, {"s": Script(text=text), "late": Script(text="", after=("s",))})
    for token in (
        "abcde"
    ):  # until the step was asked before it was ended: a busy machine may not let it say so in time
        ref = submitted(runs, token)
        while "ready" not in _lines(runs, ref):
            time.sleep(0.05)
        runner = find_run(Layout(tmp_path), ref).state().runner
        os.kill(runner, signal.SIGSTOP)
        runs.cancel(ref)
        assert runs.describe(ref).state is RunState.STOPPING
        os.kill(runner, signal.SIGCONT)
        run = ended_runs(runs, ref)
        assert run.state is RunState.STOPPED
        assert [step.state for step in run.steps] == [RunState.STOPPED, RunState.STOPPED]
        if "no" in _lines(runs, ref):
            break
    else:
        pytest.fail("the step is not asked")


@pytest.mark.parametrize(
    ("script", "lacks"),
    [(Script(text="", command=()), "command"), (Script(text="", code=None), "code folder")],
    ids=["command", "code"],
)
def test_a_step_that_runs_in_its_image_only_is_refused_by_name(
    tmp_path: Path, script: Script, lacks: str
) -> None:
    runs = runs_of(tmp_path, {"s": script})
    with pytest.raises(InvalidRequest, match=f"step s of pipeline p has no {lacks}.*training:1"):
        submitted(runs)
    assert [*runs.list()] == []
