"""``scaffolder update``: what it says, its exit codes, and that a killed one leaves the old project or the new one."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from tests.cli.conftest import SPEC, Cli, Ran
from tests.cli.test_new import at_a_terminal
from tests.projects.published import Published

ROOT = "{{ cookiecutter.project_slug }}"
KILLS = 50
MANY = 60


def template(version: str, readme: str, rest: str = "", *, numbers: str = "numbers.txt") -> dict[str, str]:
    team = version >= "1.1.0"
    manifest = (
        f"template: 1\nname: model\nversion: {version}\ntitle: A model\nquestions:\n"
        "  name: {ask: Name, default: churn}\n"
        "  ci: {ask: CI, type: choice, choices: {github: GitHub, none: None}, default: github}\n"
        + ("  team: {ask: Team, default: ml}\n" if team else "")
        + rest
    )
    context = {
        "name": "churn",
        "ci": ["github", "none"],
        **({"team": "ml"} if team else {}),
        "project_slug": "x",
    }
    return {
        "cookiecutter.json": json.dumps(context),
        "template.yaml": manifest,
        f"{ROOT}/README.md": readme,
        f"{ROOT}/{numbers}": "".join(f"{number}\n" for number in range(20)),
        f"{ROOT}/{{% if cookiecutter.ci == 'github' %}}ci.yml{{% endif %}}": "on: push\n",
    }


@pytest.fixture
def templates(cli: Cli) -> Published:
    published = Published.at(cli.folder / "templates")
    published.commit(template("1.0.0", "# {{ cookiecutter.name }}\n\none\n"), tag="v1.0.0")
    return published


@pytest.fixture
def project(cli: Cli, templates: Published) -> Published:
    made = cli.run("new", templates.source, "churn", "--name", "fraud")
    assert made.code == 0, made.stderr
    repository = Published(cli.folder / "churn")
    repository.git("init", "--quiet", "--initial-branch=main")
    commit(repository)
    return repository


def commit(repository: Published) -> None:
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "as it is")


def status(repository: Published) -> list[str]:
    return repository.git("status", "--porcelain", "--untracked-files=all").splitlines()


def released(templates: Published) -> None:
    """Version 1.1.0: another README, and the numbers in a folder."""
    rest = (
        "migrations:\n  - {to: 1.1.0, says: Numbers are in data., rename: {numbers.txt: data/numbers.txt}}\n"
    )
    text = "# {{ cookiecutter.name }}\n\ntwo, of {{ cookiecutter.team }}\n"
    templates.commit(template("1.1.0", text, rest, numbers="data/numbers.txt"), tag="v1.1.0")


def update(cli: Cli, *arguments: str) -> Ran:
    return cli.run("update", "churn", *arguments)


TOLD = """\
model 1.0.0 → 1.1.0
  Numbers are in data.
3 files changed
  M .scaffolder-project.json
  M README.md
  R data/numbers.txt (was numbers.txt)
Next: look at it with git diff --cached, and commit it. To undo it: git reset --hard
"""


def test_an_update_keeps_what_the_owners_did_and_is_staged(
    cli: Cli, templates: Published, project: Published
) -> None:
    numbers = project.folder / "numbers.txt"
    numbers.write_text(numbers.read_text() + "mine\n")
    commit(project)
    released(templates)
    ran = update(cli)
    assert (ran.code, ran.stdout) == (0, TOLD)
    assert status(project) == [
        "M  .scaffolder-project.json",
        "M  README.md",
        "R  numbers.txt -> data/numbers.txt",
    ]
    assert (project.folder / "README.md").read_text() == "# fraud\n\ntwo, of ml\n"
    assert (project.folder / "data" / "numbers.txt").read_text().endswith("19\nmine\n")
    commit(project)
    assert (update(cli).stdout, update(cli, "--check").code) == ("churn (model 1.1.0) is up to date.\n", 0)


def test_nothing_is_changed_by_looking(cli: Cli, templates: Published, project: Published) -> None:
    released(templates)
    before = cli.files("churn")
    checked = update(cli, "--check")
    assert (checked.code, checked.stdout.splitlines()[2]) == (1, "3 files would change")
    shown = update(cli, "--dry-run")
    assert shown.code == 0
    assert "-one\n+two, of ml\n" in shown.stdout
    assert "rename from numbers.txt\nrename to data/numbers.txt\n" in shown.stdout
    assert "3 files would change" in shown.stderr
    document = update(cli, "--check", "--json").document
    assert (document["state"], document["applied"]) == ("clean", False)
    assert document["steps"] == [
        {"template": "model", "before": "1.0.0", "after": "1.1.0", "says": ["Numbers are in data."]}
    ]
    assert cli.files("churn") == before
    assert status(project) == []


def test_a_conflict_is_gits_and_has_its_exit_code(cli: Cli, templates: Published, project: Published) -> None:
    (project.folder / "README.md").write_text("# fraud\n\nmine\n")
    commit(project)
    released(templates)
    looked = update(cli, "--check")
    assert looked.code == 8
    assert "1 file would conflict\n  C README.md\n" in looked.stdout
    assert status(project) == []
    ran = update(cli)
    assert ran.code == 8
    assert "1 file conflicts\n  C README.md\n" in ran.stdout
    assert ran.stdout.endswith(
        "Next: solve the conflicts (git status lists them), git add the files, and commit.\n"
        "To undo the whole update: git reset --hard\n"
    )
    assert (project.folder / "README.md").read_text() == (
        "# fraud\n\n<<<<<<< yours\nmine\n=======\ntwo, of ml\n>>>>>>> model 1.1.0\n"
    )
    for again in (update(cli), update(cli, "--to", "1.0.0")):
        assert again.code == 7
        told = "has conflicts that are not resolved: README.md. Resolve them, git add them, and commit."
        assert told in again.stderr


POLICIES = """\
catalog: 1
name: acme
owner: platform-team
templates:
  model: {source: %s}
policies:
  - {name: sizes, owner: finops, says: small ones do, allowed_instances: [cpu.small]}
"""


def test_a_breach_of_the_catalogs_policies_is_told_as_a_warning_once_the_project_is_written(
    cli: Cli, templates: Published, project: Published
) -> None:
    cli.write("churn/platform.yaml", f"{SPEC}workspace: {{instance: cpu.large}}\n")
    commit(project)
    cli.write("catalog.yaml", POLICIES % templates.source)
    for looking in ("--check", "--dry-run"):
        assert "policy sizes" not in update(cli, "--catalog", "catalog.yaml", looking).stderr
    ran = update(cli, "--catalog", "catalog.yaml")
    assert ran.code == 0
    assert ran.stderr == (
        "The catalog's policies ask for more than the project gives; `scaffolder validate`\n"
        "refuses this until it is mended:\n"
        'churn/platform.yaml:5:23: warning[policy]: workspace.instance "cpu.large" is against policy sizes of finops: '
        "small ones do\n  It allows cpu.small.\n1 warning\n"
    )
    assert status(project) == ["M  .scaffolder-project.json", "A  .scaffolder-policies.yaml"][::-1]
    assert cli.run("validate", "churn/platform.yaml").code == 2


def test_a_version_may_be_named_and_one_that_is_not_there_is_refused(
    cli: Cli, templates: Published, project: Published
) -> None:
    released(templates)
    templates.commit(template("2.0.0", "# {{ cookiecutter.name }}\n\nthree\n"), tag="v2.0.0")
    assert update(cli, "--to", "1.1.0").stdout == TOLD
    commit(project)
    back = update(cli, "--to", "1.0.0")
    assert (back.code, back.stdout.splitlines()[0]) == (0, "model 1.1.0 → 1.0.0")
    assert (project.folder / "README.md").read_text() == "# fraud\n\none\n"
    commit(project)
    gone = update(cli, "--to", "9.9.9")
    assert gone.code == 6
    assert "9.9.9" in gone.stderr
    assert status(project) == []


def test_another_answer_takes_files_away(cli: Cli, project: Published) -> None:
    ran = update(cli, "--set", "ci=none")
    assert ran.code == 0, ran.stderr
    assert ran.stdout.splitlines()[:4] == [
        "model 1.0.0",
        "2 files changed",
        "  M .scaffolder-project.json",
        "  D ci.yml",
    ]
    assert status(project) == ["M  .scaffolder-project.json", "D  ci.yml"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--set", "cii=none"), 64, 'error: there is no question "cii". Did you mean "ci"?\n'),
        (
            ("--set", "ci=nnone"),
            64,
            'error: ci must be one of github, none, not "nnone". Did you mean "none"?\n',
        ),
        (("--set", "ci"), 64, 'error: --set takes NAME=VALUE, not "ci"\n'),
    ],
)
def test_answers_that_do_not_fit_change_nothing(
    cli: Cli, project: Published, arguments: tuple[str, ...], code: int, told: str
) -> None:
    ran = update(cli, *arguments)
    assert (ran.code, ran.stderr, ran.stdout, status(project)) == (code, told, "", [])


def test_work_that_is_not_committed_is_refused_before_anybody_is_asked(
    cli: Cli, templates: Published, project: Published
) -> None:
    released(templates)
    (project.folder / "README.md").write_text("work\n")
    done = at_a_terminal(cli.executable, "update", "churn", answers=b"growth\n", cwd=cli.folder)
    assert done.returncode == 7
    assert done.stderr == (
        f"error: {project.folder} has work that is not committed: README.md changed. Commit or stash it first.\n"
    )
    assert (project.folder / "README.md").read_text() == "work\n"


def test_at_a_terminal_only_what_is_new_is_asked(cli: Cli, templates: Published, project: Published) -> None:
    released(templates)
    done = at_a_terminal(cli.executable, "update", "churn", answers=b"growth\n", cwd=cli.folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "Enter takes what is in brackets; ? says more about a question.\nTeam [ml]: "
    assert (project.folder / "README.md").read_text() == "# fraud\n\ntwo, of growth\n"


def test_a_folder_that_is_no_project_is_said(cli: Cli) -> None:
    (cli.folder / "empty").mkdir()
    assert cli.run("update", "none").stderr == f"error: there is no folder {cli.folder / 'none'}\n"
    ran = cli.run("update", "empty")
    assert ran.code == 6
    assert ran.stderr.startswith(f"error: {cli.folder / 'empty'} is no project of scaffolder: it has no ")


def test_a_project_of_the_first_format_gets_its_record_and_its_newer_template(cli: Cli) -> None:
    """What version 0.1.0 of scaffolder made, with CI in the template platform itself."""
    made = cli.run("new", "platform@1.0.0", "churn", "--ci", "github", "--defaults")
    assert made.code == 0, made.stderr
    record = cli.folder / "churn" / ".scaffolder-project.json"
    now = json.loads(record.read_text())
    old = {
        "template": "platform",
        "scaffolder_version": now["scaffolder_version"],
        "project": now["project"],
        "answers": now["layers"][0]["answers"],
    }
    record.write_text(json.dumps(old, indent=2) + "\n")
    repository = Published(cli.folder / "churn")
    repository.git("init", "--quiet", "--initial-branch=main")
    commit(repository)
    ran = update(cli)
    assert ran.code == 0, ran.stdout + ran.stderr
    layers = json.loads(record.read_text())["layers"]
    assert [(layer["template"], layer.get("part", False)) for layer in layers] == [
        ("platform", False),
        ("ci", True),
    ]
    fresh = cli.run(
        "new", "platform", "fresh", "--set", f"name={layers[0]['answers']['name']}", "--ci", "github"
    )
    assert fresh.code == 0
    updated, new = cli.files("churn"), cli.files("fresh")
    updated = {path: content for path, content in updated.items() if not path.startswith(".git/")}
    assert updated.keys() == new.keys()


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_the_old_project_or_the_new_one(cli: Cli, templates: Published) -> None:
    """The process group is killed; the child that puts an update in its place may end its work, some milliseconds."""
    many = {f"{ROOT}/part-{number % 7}/{number}.txt": f"{number}\n" * 30 for number in range(MANY)}
    templates.commit({**template("1.0.1", "one\n"), **many}, tag="v1.0.1")
    made = cli.run("new", templates.source, "churn")
    assert made.code == 0, made.stderr
    pristine = Published(cli.folder / "churn")
    pristine.git("init", "--quiet", "--initial-branch=main")
    commit(pristine)
    changed = {path: text.replace("\n", ", new\n", 3) for path, text in [*many.items()][::2]}
    templates.commit({**template("1.0.2", "two\n"), **many, **changed}, tag="v1.0.2")
    old, whole = cli.files("churn"), cli.folder / "whole"
    shutil.copytree(pristine.folder, whole, symlinks=True)
    started = time.monotonic()
    assert cli.run("update", whole).code == 0
    lasts_s = time.monotonic() - started
    new = _work(cli.files("whole"))
    moments = random.Random(0)  # noqa: S311 - the same moments every time
    seen: list[bool] = []
    while len(seen) < KILLS or (len({*seen}) < 2 and len(seen) < 2 * KILLS):
        folder = cli.folder / f"killed-{len(seen)}"
        shutil.copytree(pristine.folder, folder, symlinks=True)
        process = subprocess.Popen(
            [cli.executable, "update", folder],
            env=cli.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        time.sleep(moments.uniform(0, lasts_s * 1.1))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=600)  # the pipe closes with the last process that has it
        found = _work(cli.files(folder.name))
        assert found in (_work(old), new)
        repository = Published(folder)
        lines = status(repository)
        assert (lines == []) == (found == _work(old))
        assert [line for line in lines if line[1] != " "] == []
        repository.git("fsck", "--strict", "--no-dangling")
        seen.append(found == new)
        if seen[-8:] == [False] * 8:  # the machine is busier than it was: an update takes longer
            lasts_s *= 1.5
        elif seen[-8:] == [True] * 8:
            lasts_s /= 1.5
        again = cli.run("update", folder)
        assert again.code == 0, again.stdout + again.stderr
        assert _work(cli.files(folder.name)) == new
        assert [path.name for path in (folder / ".git").iterdir() if "scaffolder" in path.name] == []
        shutil.rmtree(folder)
    assert set(seen) == {True, False}


def _work(files: dict[str, bytes]) -> dict[str, bytes]:
    """The project's own files."""
    return {path: content for path, content in files.items() if not path.startswith(".git/")}
