"""The commands that run a platform, over a provider that is installed as anybody's is: outputs, documents, errors."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from scaffolder.cli.main import COMMANDS, main
from tests.operations.installed import NAME, install_memory, on_path
from tests.operations.platforms import write_project

TOKEN = "0d5c2e0e-0000-4000-8000-000000000000"
BODY = "tenure,charge\n12,70\n"


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str


Run: TypeAlias = Callable[..., Ran]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The suite's project, and the provider installed beside it."""
    folder = tmp_path_factory.mktemp("project")
    write_project("memory", folder)
    with on_path(install_memory(tmp_path_factory.mktemp("installed"))):
        yield folder


@pytest.fixture
def run(project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command in the project's folder, in which nothing has happened yet."""
    monkeypatch.chdir(project)
    shutil.rmtree(project / ".scaffolder", ignore_errors=True)

    def run(*arguments: str) -> Ran:
        capfd.readouterr()
        code = main([*arguments, "--provider", NAME])
        out, err = capfd.readouterr()
        if "--json" not in arguments:
            assert [line for line in out.splitlines() if len(line) > 80] == []
        return Ran(code, out, err)

    return run


def documents() -> Mapping[str, Any]:
    """The document of each command, by what is typed."""
    found = {}
    for name, entry in COMMANDS.items():
        module = import_module(entry.module)
        if ".operations" in getattr(vars(module).get("operation"), "__module__", ""):
            if "DOCUMENT" in vars(module):
                found[name] = module.DOCUMENT
            found |= {f"{name} {below}": kind for below, kind in vars(module).get("DOCUMENTS", {}).items()}
    return found


def misfits(value: Any, kind: Any, path: str) -> Iterator[str]:
    """Yield where a value is not of a document's type: every key there, none more."""
    if is_typeddict(kind):
        hints = get_type_hints(kind)
        if not isinstance(value, dict) or value.keys() != hints.keys():
            yield f"{path}: {value} is not {kind.__name__}"
            return
        for name, inner in hints.items():
            yield from misfits(value[name], inner, f"{path}.{name}")
        return
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is list:
        for number, item in enumerate(value):
            yield from misfits(item, arguments[0], f"{path}[{number}]")
    elif origin is dict:
        for key, item in value.items():
            yield from misfits(item, arguments[1], f"{path}.{key}")
    elif arguments:
        if all([*misfits(value, argument, path)] for argument in arguments):
            yield f"{path}: {value}"
    elif kind is not object and not (isinstance(value, kind) or (kind is float and isinstance(value, int))):
        yield f"{path}: {value!r} is not {kind}"


def test_bootstrap_says_that_a_stack_would_make_the_same(run: Run) -> None:
    both = "The stack `state` would make the same place"
    assert both in run("bootstrap").err
    spec = Path("without-stack.yaml")
    spec.write_text(Path("platform.yaml").read_text() + "state: {create: false}\n")
    ran = run("bootstrap", "--spec", str(spec))
    assert (ran.code, both in ran.err) == (0, False)


def test_every_command_prints_its_document_and_nothing_else_with_json(run: Run) -> None:
    kinds = documents()
    seen: set[str] = set()

    def document(*arguments: str, code: int = 0) -> Any:
        ran = run(*arguments, "--json")
        assert ran.code == code, ran.err
        found = json.loads(ran.out)
        name = next(name for name in (" ".join(arguments[:2]), arguments[0]) if name in kinds)
        assert [*misfits(found, kinds[name], name)] == []
        assert (found["platform"], found["environment"], found["provider"]) == ("churn", "local", NAME)
        seen.add(name)
        return found

    assert document("doctor", code=1)["probes"]
    assert document("bootstrap", "--dry-run")["ensured"][0]["action"] == "created"
    ref = document("run", "train", "--token", TOKEN)["run"]["ref"]
    assert document("run", "train", "--set", "fail=yes", code=31)["run"]["state"] == "failed"
    assert [one["state"] for one in document("runs", "list")["runs"]] == ["failed", "succeeded"]
    assert document("runs", "show", ref)["run"]["metrics"] == {"accuracy": 0.9}
    assert len(document("runs", "logs", ref, "--follow")["lines"]) == 8
    assert document("runs", "cancel", ref)["run"]["state"] == "succeeded"
    assert document("schedules", "apply", "--dry-run")["ensured"][0]["action"] == "created"
    assert document("schedules", "list")["schedules"] == []
    document("schedules", "apply")
    assert document("schedules", "list")["schedules"][0]["key"] == "pipelines.train"
    assert document("models", "list")["versions"][0]["run"] == ref
    assert document("models", "register", "churn", "--artifact", "memory://m", "--metric", "auc=0.9")["token"]
    assert document("models", "approve", "churn", "1")["version"]["approval"] == "approved"
    assert document("models", "reject", "churn", "2")["version"]["approval"] == "rejected"
    assert document("models", "promote", "churn", "1")["version"]["stage"] == "production"
    assert document("models", "deploy", "churn", "1", "--dry-run")["steps"] == [{"v001": 100}]
    assert document("models", "deploy", "churn", "1", "--now")["deployment"] == "v001"
    run("models", "approve", "churn", "2")
    document("models", "deploy", "churn", "2", "--now", "--keep-old")
    assert document("models", "rollback", "churn")["version"] == 1
    assert document("endpoints", "list")["endpoints"][0]["state"] == "in service"
    assert document("endpoints", "show", "churn")["endpoint"]["deployments"][0]["traffic_percent"] == 100
    assert document("endpoints", "invoke", "churn", "--body", BODY)["served_by"] == "v001"
    job = document("score", "scores", "--input", "data:raw", "--output", "data:scores")["job"]
    assert job["output_uri"] == "data:scores"
    assert document("monitors", "run", "churn")["results"][0]["breached"] is True
    assert document("monitors", "list")["monitors"][0]["alarm"] is True
    assert document("monitors", "report", "churn", "--since", "2026-01-01")["run"] is None
    drawn = run("monitors", "report", "churn", "--html", "page.html")
    assert (drawn.code, drawn.out) == (4, "")
    assert "draws no page about a window" in drawn.err
    assert document("retrain", "churn")["why"] == "there is no alarm"
    assert document("retrain", "churn", "--force")["run"]["reason"] == "drift: churn"
    assert len(document("destroy", "--dry-run")["removed"]) == 3
    assert document("destroy", "--yes", "churn")["next"] == []
    assert {*kinds} - seen == {"runs reproduce", "runs resume"}, "which this provider has not"


def test_a_run_says_what_it_does_and_what_comes_next(run: Run) -> None:
    ran = run("run", "train", "--set", "seed=3", "--token", TOKEN)
    assert ran.code == 0
    first, *steps = ran.err.splitlines()
    assert first == f"run run-000001 of train on memory (token {TOKEN})"
    assert [line.rpartition(" in ")[0] for line in steps[:4]] == [
        "  prepare succeeded",
        "  train succeeded",
        "  evaluate succeeded",
        "  register succeeded",
    ]
    assert steps[4:] == [
        "Next:",
        "  scaffolder models approve churn 1 --provider memory",
        "  scaffolder models deploy churn --provider memory",
    ]
    assert f"  token      {TOKEN}\n" in ran.out
    assert "seed=3" in ran.out
    again = run("run", "train", "--token", TOKEN, "--detach")
    assert again.out.startswith("run-000001: train succeeded")


def test_a_failed_run_ends_with_its_last_lines_and_what_to_do(run: Run) -> None:
    ran = run("run", "train", "--set", "fail=yes")
    assert (ran.code, ran.out) == (31, "")
    told = ran.err.splitlines()[3:]
    assert told == [
        "The last lines of train:",
        "  train begins",
        "  told to fail",
        'error: the run run-000001 of the pipeline "train" failed: step train: told to fail',
        "  `scaffolder runs logs run-000001 --provider memory` prints its whole log.",
    ]
    shown = run("runs", "show", "run-000001")
    assert (shown.code, shown.err.splitlines()) == (
        0,
        ["Next:", "  scaffolder runs logs run-000001 --provider memory"],
    )


def test_a_run_can_be_left_alone_listed_and_its_log_be_followed(run: Run) -> None:
    ran = run("run", "train", "--detach")
    assert ran.err.splitlines() == [
        "Next:",
        "  scaffolder runs logs run-000001 --follow --provider memory",
        "  scaffolder runs show run-000001 --provider memory",
    ]
    logs = run("runs", "logs", "run-0", "--follow").out.splitlines()
    assert [line.partition(" ")[2] for line in logs][-1] == "register: register ends"
    assert len(logs) == 8
    listed = run("runs", "list").out.splitlines()
    assert listed[0].split() == ["pipeline", "state", "created", "(UTC)", "took", "run"]
    assert listed[1].startswith("train     succeeded  ")


def test_a_deployment_shows_its_plan_first_then_each_split_and_goes_back(run: Run, project: Path) -> None:
    for number in ("1", "2"):
        run("run", "train")
        run("models", "approve", "churn", number)
    first = run("models", "deploy", "churn", "1", "--now")
    assert first.out == "churn serves version 1 of churn: 100 % v001\n"
    plan = run("models", "deploy", "churn", "--dry-run", "--canary", "20,100", "--step-wait", "5m")
    assert plan.out.splitlines() == [
        "Version 2 of churn behind the endpoint churn:",
        "  1. deploy v002: cpu.medium, 1 to 3 replicas, no traffic",
        "  2. traffic 80 % v001, 20 % v002, watched for 5 min 0 s",
        "  3. traffic 100 % v002, watched for 5 min 0 s",
        "  4. take v001 away",
        "  5. or, when it is not healthy: back to 100 % v001",
    ]
    assert "v002" not in run("endpoints", "show", "churn").out
    rows = project / "rows.csv"
    rows.write_text(BODY)
    done = run("models", "deploy", "churn", "2", "--step-wait", "0s", "--smoke", str(rows))
    assert done.err.splitlines()[2:] == [
        "v002 answered the smoke test",
        "90 % to v001, 10 % to v002",
        "50 % to v001, 50 % to v002",
        "100 % to v002",
        "v001 is being taken away",
    ]
    rows.write_text("wrong\n1\n")
    failed = run("models", "deploy", "churn", "1", "--step-wait", "0", "--smoke", str(rows))
    assert failed.code == 32
    assert "The traffic is where it was (100 % to v002), and v001 is being taken away." in failed.err
    back = run("models", "rollback", "churn", "--reject")
    assert back.out == "churn serves version 1 of churn: 100 % v001\n"
    assert "version 2 of churn is rejected" in back.err
    assert "rejected" in run("models", "list", "churn").out


def test_whoever_serves_another_version_than_the_one_in_production_is_told(run: Run) -> None:
    for number in ("1", "2"):
        run("run", "train")
        run("models", "approve", "churn", number)
    for number in ("1", "2"):
        run("models", "deploy", "churn", number, "--now")
    run("models", "promote", "churn", "2")
    assert run("models", "rollback", "churn").err.splitlines()[-3:] == [
        "version 2 of churn is still in the stage production, which `score` goes by",
        "Next:",
        "  scaffolder models promote churn 1 --provider memory",
    ]
    run("models", "promote", "churn", "1")
    assert "production" not in run("models", "deploy", "churn", "1").err


def test_an_endpoint_answers_on_stdout_and_who_did_is_talk(run: Run, project: Path) -> None:
    run("run", "train")
    run("models", "approve", "churn", "1")
    run("models", "deploy", "churn", "--now")
    rows = project / "rows.csv"
    rows.write_text(BODY)
    ran = run("endpoints", "invoke", "churn", "--file", str(rows))
    assert (ran.out, ran.err) == ("1\n", "answered by v001, text/csv\n")
    neither = run("endpoints", "invoke", "churn")
    assert (neither.code, neither.err) == (
        64,
        "error: give the request with --body TEXT or with --file FILE\n",
    )


def test_destroy_asks_and_without_somebody_to_ask_wants_the_name(run: Run) -> None:
    run("monitors", "run", "churn")
    assert run("destroy", "--dry-run").out.splitlines()[1].split() == ["1", "monitor", "churn", "-"]
    nobody = run("destroy")
    assert nobody.code == 64
    assert nobody.err.endswith("add --yes churn to remove these\n")
    wrong = run("destroy", "--yes", "chrun")
    assert wrong.code == 26
    assert '"chrun" is not the name of this platform: nothing was removed' in wrong.err
    assert run("destroy", "--yes", "churn").out == "1 removed.\n"
    assert run("destroy", "--yes", "churn").out == "Nothing that operations made is left.\n"


def test_doctor_is_a_table_with_remedies_and_exits_with_1_where_something_fails(run: Run) -> None:
    ran = run("doctor")
    assert ran.code == 1
    assert ran.out.splitlines()[-3:] == [
        "                      -> Ask for a bigger memory.",
        "quota        unknown  cpu.medium for scores: nobody knows",
        "names        pass     churn: free",
    ]
    assert ran.err == "4 pass, 1 fail, 1 unknown\n"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("run", "trian"), 64, 'error: there is no pipeline "trian". Did you mean "train"?\n'),
        (
            ("run", "train", "--set", "sed=1"),
            64,
            'error: the pipeline has no parameter "sed". Did you mean "seed"?\n',
        ),
        (("run", "train", "--env", "dve"), 64, 'error: there is no environment "dve". Did you mean "dev"?\n'),
        (
            ("run", "train", "--token", "again"),
            64,
            None,
        ),
        (("models", "list", "chrn"), 64, 'error: there is no model "chrn". Did you mean "churn"?\n'),
        (
            ("endpoints", "show", "chrn"),
            64,
            'error: there is no endpoint "chrn". Did you mean "churn"?\n',
        ),
        (("monitors", "run", "churm"), 64, 'error: there is no monitor "churm". Did you mean "churn"?\n'),
        (
            ("models", "deploy", "churn"),
            26,
            (
                'error: the model "churn" has no version yet\n'
                "  `scaffolder run PIPELINE --provider memory` trains and registers one.\n"
            ),
        ),
        (
            ("models", "approve", "churn", "7"),
            23,
            "error: there is no version 7 of the model 'churn'\n",
        ),
        (
            ("runs", "show", "x"),
            23,
            None,
        ),
        (("runs", "reproduce", "x"), 23, None),
        (
            ("models", "deploy", "churn", "--now", "--canary", "5,100"),
            64,
            "error: --now and --canary exclude each other\n",
        ),
        (
            ("models", "deploy", "churn", "--canary", "50,20,100"),
            64,
            'error: "50,20,100" is no canary: whole percents that rise from 1 or more to 100, such as 10,50,100\n',
        ),
        (
            ("retrain", "churn", "--token", TOKEN),
            64,
            "error: --token is for --force: else the alarm itself keeps a retraining from starting twice\n",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_says_why_and_what_can(
    run: Run, arguments: tuple[str, ...], code: int, told: str | None
) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith("error: ")
    assert told is None or ran.err == told
