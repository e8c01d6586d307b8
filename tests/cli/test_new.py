"""``scaffolder new``: whole or not at all, over nothing of anybody's, and with words for what is wrong."""

from __future__ import annotations

import json
import os
import pty
import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from scaffolder.pipeline import synthesize
from scaffolder.projects.template import built_in
from scaffolder.spec.load import load_spec
from tests.projects.published import write
from tests.templates.projects import files_of

pytestmark = pytest.mark.cli

KILLS = 50
WRITES_S = 0.004
"""About as long as a project takes to be put in its place."""


def run(scaffolder: Path, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run it without a terminal."""
    return subprocess.run(
        [scaffolder, "new", *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_project_is_made_and_the_next_steps_are_said(scaffolder_cli: Path, tmp_path: Path) -> None:
    done = run(scaffolder_cli, "platform", "churn", "--ci", "none", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == f"churn: {len(files_of(tmp_path / 'churn'))} files"
    assert done.stdout.splitlines()[-7:] == [
        "Next:",
        "  cd churn",
        '  git init && git add --all && git commit -m "Start"   # updates need git',
        "  pip install -r requirements.txt",
        "  scaffolder preview",
        "  cdktf deploy churn-dev-state   # once: the others keep their state there",
        "  cdktf deploy 'churn-dev-*'",
    ]
    assert done.stderr == (
        "Taken by default: name churn, owner ml-platform, provider aws, region eu-west-1,\n"
        "  account 123456789012, email ml-platform@example.com, engine cdktf\n"
    )


def test_in_a_repository_no_other_one_is_begun(scaffolder_cli: Path, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    done = run(scaffolder_cli, "platform", "apps/churn", "--ci", "none", cwd=tmp_path)
    assert "  cd apps/churn\n  pip install" in done.stdout


def test_the_next_steps_can_be_pasted_whatever_the_folder_is_called(
    scaffolder_cli: Path, tmp_path: Path
) -> None:
    name = "a 'b' $HOME"
    done = run(scaffolder_cli, "platform", name, "--ci", "none", cwd=tmp_path)
    enter = done.stdout.partition("Next:\n")[2].splitlines()[0]
    told = subprocess.run(
        ["sh", "-c", f"{enter} && pwd"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert told.stdout == f"{tmp_path / name}\n"


def test_a_dry_run_makes_nothing(scaffolder_cli: Path, tmp_path: Path) -> None:
    done = run(scaffolder_cli, "platform", "churn", "--dry-run", "--json", cwd=tmp_path)
    made = json.loads(done.stdout)
    assert made["dry_run"] is True
    assert "platform.yaml" in made["files"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--account", "12"], 'error: account must be an AWS account\'s 12 digits, not "12"'),
        (
            ["--name", "Fraud!"],
            'error: name must be lower-case words joined by hyphens, 3 to 20 characters, not "Fraud!"',
        ),
        (
            ["--region", "eu-wst-1"],
            'error: the answers make no valid platform:\ntarget.region "eu-wst-1" is not a region',
        ),
        (["--engine", "xyz"], "Error: Invalid value for '--engine': 'xyz' is not one of 'cdktf', 'cdktn'.\n"),
        (
            ["--engine", "cdktff"],
            "Error: Invalid value for '--engine': 'cdktff' is not one of 'cdktf', 'cdktn'. Did you mean \"cdktf\"?\n",
        ),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(
    scaffolder_cli: Path, tmp_path: Path, flags: list[str], told: str
) -> None:
    done = run(scaffolder_cli, "platform", "churn", *flags, cwd=tmp_path)
    assert done.returncode == 64
    assert told in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_refused_and_left_alone(
    scaffolder_cli: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "churn"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    done = run(scaffolder_cli, "platform", "churn", cwd=tmp_path)
    assert done.returncode == 3
    assert f"error: {folder} is not empty: it holds mine.txt." in done.stderr
    assert files_of(tmp_path) == {"churn/mine.txt": b"mine"}


@pytest.mark.parametrize(
    ("folder", "why"),
    [
        ("mine.txt/churn", "mine.txt is not a folder. Choose another place."),
        ("a" * 300, "its name is too long. Choose a shorter one."),
        ("bell\a", "bell\\x07 is not empty: it holds a\\nb. Choose another folder"),
    ],
)
def test_a_place_that_cannot_be_says_what_to_do(
    scaffolder_cli: Path, tmp_path: Path, folder: str, why: str
) -> None:
    write(tmp_path, {"mine.txt": "mine", "bell\a/a\nb": ""})
    done = run(scaffolder_cli, "platform", folder, cwd=tmp_path)
    assert done.returncode == 3
    assert why in done.stderr
    assert files_of(tmp_path) == {"mine.txt": b"mine", "bell\a/a\nb": b""}


def test_an_empty_folder_is_filled(scaffolder_cli: Path, tmp_path: Path) -> None:
    (tmp_path / "churn").mkdir()
    assert run(scaffolder_cli, "platform", "churn", cwd=tmp_path).returncode == 0
    assert (tmp_path / "churn" / "platform.yaml").is_file()


@pytest.mark.parametrize("owner", ["1234", "on", "a: b", "@team", "- team", "null"])
def test_an_owner_is_text_whatever_yaml_makes_of_it(scaffolder_cli: Path, tmp_path: Path, owner: str) -> None:
    done = run(scaffolder_cli, "platform", "churn", "--name", "yes", "--owner", owner, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    spec = load_spec(tmp_path / "churn" / "platform.yaml").environments[0].spec
    assert (spec.name, spec.owner) == ("yes", owner)


@pytest.mark.parametrize("folder", ["{{ cookiecutter.name }}", 'my "churn"', "{% if", "Ünï", "$HOME", "a/b"])
def test_a_folder_may_have_any_name_and_lie_anywhere(
    scaffolder_cli: Path, tmp_path: Path, folder: str
) -> None:
    done = run(scaffolder_cli, "platform", folder, "--ci", "github", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    settings = json.loads((tmp_path / folder / "cdktf.json").read_text())
    assert re.fullmatch(r"[A-Za-z0-9._-]+", settings["projectId"])
    assert synthesize(tmp_path / folder / "platform.yaml").stacks


@pytest.mark.parametrize("flags", [["--dry-run"], ["--region", "eu-wst-1"]])
def test_what_is_not_made_leaves_no_folders_on_the_way(
    scaffolder_cli: Path, tmp_path: Path, flags: list[str]
) -> None:
    run(scaffolder_cli, "platform", "a/b/churn", *flags, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_current_folder_is_refused_since_it_would_be_another_one_afterwards(
    scaffolder_cli: Path, tmp_path: Path
) -> None:
    done = run(scaffolder_cli, "platform", ".", "--name", "churn", cwd=tmp_path)
    assert done.returncode == 3
    assert (
        done.stderr.splitlines()[-1]
        == f"error: {tmp_path} is the current folder, and would be replaced. Run this from outside of it."
    )


def test_what_a_killed_run_left_is_taken_away(scaffolder_cli: Path, tmp_path: Path) -> None:
    left = tmp_path / ".scaffolder-new" / "project" / "tests"
    left.mkdir(parents=True)
    (left / "half").write_text("")
    assert run(scaffolder_cli, "platform", "churn", cwd=tmp_path).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["churn"]
    assert not (tmp_path / "churn" / "tests" / "half").exists()


def test_runs_beside_each_other_wait_for_each_other(scaffolder_cli: Path, tmp_path: Path) -> None:
    names = ["one", "two", "three", "four"]
    runs = [
        subprocess.Popen(
            [scaffolder_cli, "new", "platform", tmp_path / name, "--defaults"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for name in names
    ]
    assert [each.wait(60) for each in runs] == [0] * len(names)
    assert {path.name for path in tmp_path.iterdir()} == {*names}


def test_the_users_own_settings_of_cookiecutter_are_neither_read_nor_written(
    scaffolder_cli: Path, tmp_path: Path
) -> None:
    settings = tmp_path / ".cookiecutterrc"
    settings.write_text(f"default_context: {{owner: theirs}}\nreplay_dir: {tmp_path / 'replay'}\n")
    subprocess.run(
        [scaffolder_cli, "new", "platform", "churn", "--defaults"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={"HOME": str(tmp_path), "COOKIECUTTER_CONFIG": str(settings), "PATH": os.defpath},
    )
    assert {path.name for path in tmp_path.iterdir()} == {"churn", ".cookiecutterrc"}
    assert "theirs" not in (tmp_path / "churn" / "platform.yaml").read_text()


def test_at_a_terminal_each_open_question_is_asked_until_its_answer_fits(
    scaffolder_cli: Path, tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [scaffolder_cli, "new", "platform", "churn", "--engine", "cdktn", "--region", "eu-north-1"],
        cwd=tmp_path,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.write(ours, b"\nteam: a\naws\n12\n\nnobody\nops@acme.io\ngithb\nnone\n")
        try:
            stdout, stderr = process.communicate(timeout=60)
        finally:
            process.kill()  # it would wait for an answer that nobody gives
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0, stderr
    assert stdout.startswith(f"churn: {len(files_of(tmp_path / 'churn'))} files\n")
    for told in (
        'account must be an AWS account\'s 12 digits, not "12"\nAWS account (12 digits), GCP project or Azure ',
        'email must be a mail address, such as team@example.com, not "nobody"\n',
        'ci must be one of github, gitlab, circleci, jenkins, azure-devops, none, not\n"githb". Did you mean "github"?\n',
    ):
        assert told in stderr
    for not_asked in ("Region, as", "CDKTF engine", "Repository"):
        assert not_asked not in stderr
    spec = load_spec(tmp_path / "churn" / "platform.yaml").environments[0].spec
    assert (spec.owner, spec.target.region, spec.identity.ci) == ("team: a", "eu-north-1", None)
    assert spec.alerts.emails == ("ops@acme.io",)


def at_a_terminal(
    scaffolder: Path, *arguments: str, answers: bytes, cwd: Path
) -> subprocess.CompletedProcess[str]:
    """Run it with somebody at the keyboard."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [scaffolder, *arguments],
        cwd=cwd,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.write(ours, answers)
        try:
            stdout, stderr = process.communicate(timeout=60)
        finally:
            process.kill()
    os.close(ours)
    os.close(theirs)
    return subprocess.CompletedProcess([], process.returncode, stdout, stderr)


MANIFEST = """\
template: 1
name: model
version: 1.0.0
title: A model
questions:
  name: {ask: Name, help: "The prefix of every name, which is long enough to be wrapped where a terminal of eighty columns ends.", default: churn}
  framework: {ask: Framework, type: choice, choices: {sklearn: scikit-learn, pytorch: PyTorch}, default: sklearn}
  gpu: {ask: Train on GPUs, type: flag, default: false, when: framework == 'pytorch'}
  nodes: {ask: Nodes, type: integer, minimum: 1, default: 1}
parts:
  - {template: ci, answers: {system: github}}
next: |
  cd {{ folder }}
"""
PART = """\
template: 1
name: ci
version: 1.0.0
title: CI
questions:
  name: {ask: Name of CI, default: nobody}
  system: {ask: System, default: none}
  python: {ask: Python, default: "3.12"}
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A template with a part, in a folder."""
    folder = tmp_path / "templates"
    context = {
        "name": "churn",
        "framework": ["sklearn", "pytorch"],
        "gpu": False,
        "nodes": "1",
        "project_slug": "x",
    }
    told = "{% for n in ['name', 'framework', 'gpu', 'nodes'] %}{{ cookiecutter[n] }} {% endfor %}\n"
    part = {"name": "nobody", "system": "none", "python": "3.12", "project_slug": "x"}
    root = "{{ cookiecutter.project_slug }}"
    write(
        folder,
        {
            "model/cookiecutter.json": json.dumps(context),
            "model/template.yaml": MANIFEST,
            f"model/{root}/a.txt": told,
            "ci/cookiecutter.json": json.dumps(part),
            "ci/template.yaml": PART,
            f"ci/{root}/ci.txt": "{{ cookiecutter.name }} {{ cookiecutter.system }} {{ cookiecutter.python }}\n",
        },
    )
    return folder / "model"


def test_a_template_in_a_folder_is_made_with_its_part_and_flags(
    scaffolder_cli: Path, tmp_path: Path, model: Path
) -> None:
    done = run(scaffolder_cli, "./templates/model", "fraud", "--framework", "pytorch", "--gpu", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "fraud" / "a.txt").read_text() == "fraud pytorch True 1 \n"
    assert (tmp_path / "fraud" / "ci.txt").read_text() == "fraud github 3.12\n"
    assert done.stderr == "Taken by default: name fraud, nodes 1, python 3.12\n"
    assert done.stdout == (
        "fraud: 3 files\n  .scaffolder-project.json\n  a.txt\n  ci.txt\nNext:\n  cd fraud\n"
        '  git init && git add --all && git commit -m "Start"   # updates need git\n'
    )
    assert model.is_dir()


def test_flags_win_over_set_and_set_over_the_file(scaffolder_cli: Path, tmp_path: Path, model: Path) -> None:
    (tmp_path / "answers.yaml").write_text("name: file\nframework: pytorch\nnodes: 3\ngpu: true\n")
    flags = ("--answers", "answers.yaml", "--set", "name=set", "--set", "gpu=no", "--name", "flag")
    done = run(scaffolder_cli, model, "made", *flags, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["answers"] == {"name": "flag", "framework": "pytorch", "gpu": False, "nodes": "3"}
    assert [layer["template"] for layer in document["layers"]] == ["model", "ci"]


@pytest.mark.parametrize(
    ("flags", "code", "told"),
    [
        (
            ["--set", "framwork=x", "--set", "nodes=0"],
            64,
            (
                'error: there is no question "framwork". Did you mean "framework"?\n'
                'nodes must be a whole number from 1, not "0"\n'
            ),
        ),
        (
            ["--gpu"],
            64,
            "error: gpu is not asked here: it is for \"framework == 'pytorch'\". Leave it out.\n",
        ),
        (["--set", "name"], 64, 'error: --set takes NAME=VALUE, not "name"\n'),
        (
            ["--name", "AKIAIOSFODNN7EXAMPLE"],
            64,
            "error: name looks like an AWS access key: answers are kept in the project, and must hold no secret\n",
        ),
        (["--answers", "none.yaml"], 2, "none.yaml:1:1: error[file]: there is no such file\n1 error\n"),
        (
            ["--answers", "list.yaml"],
            2,
            (
                "list.yaml:1:7: error[value]: name must be true or false, or a whole number, or text of 0 to 1000 characters, "
                "not a list\n1 error\n"
            ),
        ),
    ],
)
def test_answers_that_do_not_fit_make_nothing(
    scaffolder_cli: Path, tmp_path: Path, model: Path, flags: list[str], code: int, told: str
) -> None:
    (tmp_path / "list.yaml").write_text("name: [a]\n")
    done = run(scaffolder_cli, model, "made", *flags, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (code, told)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("source", "code", "told"),
    [
        ("modle", 64, 'there is no template "modle". Did you mean "model"?'),
        ("./none", 6, "there is no folder"),
        ("./empty", 6, "is no template: it has no cookiecutter.json"),
    ],
)
def test_a_template_that_is_not_there_is_said(
    scaffolder_cli: Path, tmp_path: Path, source: str, code: int, told: str
) -> None:
    (tmp_path / "empty").mkdir()
    done = run(scaffolder_cli, source, "made", cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_person_is_helped_asked_once_and_told_what_is_valid(
    scaffolder_cli: Path, tmp_path: Path, model: Path
) -> None:
    done = at_a_terminal(
        scaffolder_cli,
        "new",
        str(model),
        "fraud",
        answers=b"?\n\npytorch\nmaybe\nyes\n?\n0\n2\n\n",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "fraud" / "a.txt").read_text() == "fraud pytorch True 2 \n"
    assert done.stderr == (
        "Enter takes what is in brackets; ? says more about a question.\n"
        "Name [fraud]: The prefix of every name, which is long enough to be wrapped where a terminal of\n"
        "eighty columns ends.\n"
        "Name [fraud]:   sklearn  scikit-learn\n  pytorch  PyTorch\n"
        'Framework [sklearn]: Train on GPUs [no]: gpu must be yes or no, not "maybe"\n'
        "Train on GPUs [no]: Nodes [1]: It must be a whole number from 1.\n"
        'Nodes [1]: nodes must be a whole number from 1, not "0"\n'
        "Nodes [1]: Python [3.12]: "
    )


def test_with_defaults_nobody_is_asked_at_a_terminal(
    scaffolder_cli: Path, tmp_path: Path, model: Path
) -> None:
    done = at_a_terminal(scaffolder_cli, "new", str(model), "fraud", "--defaults", answers=b"", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr.startswith("Taken by default: name fraud, framework sklearn, nodes 1")


def test_who_ends_the_questions_makes_nothing(scaffolder_cli: Path, tmp_path: Path, model: Path) -> None:
    done = at_a_terminal(scaffolder_cli, "new", str(model), "fraud", answers=b"\n\x04", cwd=tmp_path)
    assert done.returncode == 130
    assert not (tmp_path / "fraud").exists()


def test_hooks_run_only_when_they_are_trusted(scaffolder_cli: Path, tmp_path: Path, model: Path) -> None:
    write(model, {"hooks/post_gen_project.sh": "#!/bin/sh\ntouch ran\n"})
    (model / "hooks" / "post_gen_project.sh").chmod(0o755)
    done = run(scaffolder_cli, model, "made", cwd=tmp_path)
    assert done.returncode == 6
    assert "runs code of its own (hooks/post_gen_project.sh)" in done.stderr
    assert not (tmp_path / "made").exists()
    done = run(scaffolder_cli, "--trust", model, "made", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "made" / "ran").is_file()


def test_what_to_do_next_is_worked_out_before_anything_is_made(
    scaffolder_cli: Path, tmp_path: Path, model: Path
) -> None:
    (model / "template.yaml").write_text(MANIFEST.replace("cd {{ folder }}", "cd {{ nope }}"))
    done = run(scaffolder_cli, model, "made", cwd=tmp_path)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        6,
        "error: the template model:1: 'nope' is undefined",
    )
    assert not (tmp_path / "made").exists()


def test_the_help_of_a_template_has_its_questions_and_the_options_of_all(
    scaffolder_cli: Path, tmp_path: Path, model: Path
) -> None:
    assert model.is_dir()
    told = run(scaffolder_cli, "./templates/model", "--help", cwd=tmp_path).stdout
    for option in (
        "--name TEXT",
        "--framework [sklearn|pytorch]",
        "--gpu / --no-gpu",
        "--nodes NUMBER",
        "--debug",
    ):
        assert option in told
    assert max(map(len, told.splitlines())) <= 80


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_nothing_or_all(scaffolder_cli: Path, tmp_path: Path) -> None:
    """Half of the kills come while the project is put in its place, the others at any time; one comes at once."""
    for name in ("platform", "ci"):  # nobody changes these while the test runs
        shutil.copytree(built_in(name), tmp_path / "templates" / name)
    template = tmp_path / "templates" / "platform"
    (tmp_path / "whole").mkdir()
    assert run(scaffolder_cli, template, "whole/churn", "--defaults", cwd=tmp_path).returncode == 0
    whole = files_of(tmp_path / "whole" / "churn")
    started = time.monotonic()
    assert run(scaffolder_cli, template, "whole/again", "--defaults", cwd=tmp_path).returncode == 0
    lasts_s = time.monotonic() - started
    moments = random.Random(0)  # noqa: S311 - the same moments every time
    made = []
    for number in range(KILLS):
        place = tmp_path / f"killed-{number}"
        place.mkdir()
        process = subprocess.Popen(
            [scaffolder_cli, "new", template, place / "churn", "--defaults"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        if number % 2:
            while process.poll() is None and not any(place.iterdir()):
                time.sleep(0.0001)
            time.sleep(moments.uniform(0, WRITES_S))
        elif number:
            time.sleep(moments.uniform(0, lasts_s))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        made.append((place / "churn").exists())
        if made[-1]:
            assert files_of(place / "churn") == whole
        again = run(scaffolder_cli, template, "other", cwd=place)
        assert again.returncode == 0, again.stderr
        assert [path.name for path in place.iterdir() if path.name.startswith(".scaffolder")] == []
    assert sum(made) < KILLS
