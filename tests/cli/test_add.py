"""``scaffolder add``: one more template in a project, or the first in a repository, as git sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, Ran
from tests.projects.published import Published, write

ROOT = "{{ cookiecutter.project_slug }}"
HEAD = "template: 1\nname: {name}\nversion: 1.0.0\ntitle: {name}\nquestions:\n"
MODEL = HEAD.format(name="model") + (
    "  name: {ask: Name, default: churn}\n"
    "  ci: {ask: CI, type: choice, choices: {none: None, github: GitHub}, default: none}\n"
    "parts:\n  - {template: ci, when: ci != 'none', answers: {kind: model, system: '{{ ci }}'}}\n"
)
CI = HEAD.format(name="ci") + (
    "  kind: {ask: Kind, default: platform}\n"
    "  system: {ask: System, type: choice, choices: {github: GitHub, gitlab: GitLab}, default: github}\n"
    "  name: {ask: Name, default: nobody}\n"
    "  python: {ask: Python, default: '3.12'}\n"
)


@pytest.fixture
def templates(cli: Cli) -> Path:
    """A model, and CI as a part of it or by itself."""
    told = "{{ cookiecutter.kind }} {{ cookiecutter.system }} {{ cookiecutter.name }} {{ cookiecutter.python }}\n"
    context = {
        "kind": "platform",
        "system": ["github", "gitlab"],
        "name": "nobody",
        "python": "3.12",
        "project_slug": "x",
    }
    return write(
        cli.folder / "templates",
        {
            "model/cookiecutter.json": json.dumps(
                {"name": "churn", "ci": ["none", "github"], "project_slug": "x"}
            ),
            "model/template.yaml": MODEL,
            f"model/{ROOT}/README.md": "# {{ cookiecutter.name }}\n",
            "ci/cookiecutter.json": json.dumps(context),
            "ci/template.yaml": CI,
            f"ci/{ROOT}/ci.yml": told,
        },
    )


@pytest.fixture
def project(cli: Cli, templates: Path) -> Published:
    """A model without CI, which its owners have committed."""
    made = cli.run("new", templates / "model", "churn", "--name", "fraud")
    assert made.code == 0, made.stderr
    return committed(cli.folder / "churn")


def committed(folder: Path) -> Published:
    repository = Published(folder)
    repository.git("init", "--quiet", "--initial-branch=main")
    commit(repository)
    return repository


def commit(repository: Published) -> None:
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "as it is")


def status(repository: Published) -> list[str]:
    return repository.git("status", "--porcelain", "--untracked-files=all").splitlines()


def add(cli: Cli, *arguments: str | Path) -> Ran:
    return cli.run("add", *arguments)


def test_a_model_gets_ci_later_with_what_is_known_of_it(
    cli: Cli, project: Published, templates: Path
) -> None:
    ran = add(cli, templates / "ci", "churn")
    assert ran.code == 0, ran.stderr
    assert (project.folder / "ci.yml").read_text() == "model github fraud 3.12\n"
    assert status(project) == ["M  .scaffolder-project.json", "A  ci.yml"]
    assert ran.stderr == "Taken by default: system github, python 3.12\n"
    assert ran.stdout == (
        "ci 1.0.0, which is new here\n2 files changed\n  M .scaffolder-project.json\n  A ci.yml\n"
        "Next: look at it with git diff --cached, and commit it. To undo it: git reset --hard\n"
    )
    layers = json.loads((project.folder / ".scaffolder-project.json").read_text())["layers"]
    assert [(layer["template"], layer["source"]) for layer in layers] == [
        ("model", "../templates/model"),
        ("ci", "../templates/ci"),
    ]


def test_pipelines_below_the_top_of_a_repository_are_warned_of(
    cli: Cli, project: Published, templates: Path
) -> None:
    assert (
        cli.run("new", templates / "model", project.folder / "inner", "--defaults").stderr.count("CI system")
        == 0
    )
    commit(project)
    ran = add(cli, templates / "ci", "churn/inner")
    assert ran.code == 0, ran.stderr
    assert "warning: no CI system finds the pipelines in" in ran.stderr


def test_a_part_that_was_added_by_itself_is_not_added_again(
    cli: Cli, project: Published, templates: Path
) -> None:
    assert add(cli, templates / "ci", "churn", "--system", "gitlab").code == 0
    commit(project)
    ran = cli.run("update", "churn", "--set", "ci=github")
    assert ran.code == 0, ran.stderr
    assert (project.folder / "ci.yml").read_text() == "model gitlab fraud 3.12\n"
    assert status(project) == ["M  .scaffolder-project.json"]
    commit(project)
    ran = cli.run("update", "churn", "--set", "system=github", "--set", "python=3.13")
    assert ran.code == 0, ran.stderr
    assert (project.folder / "ci.yml").read_text() == "model github fraud 3.13\n"


def test_the_same_template_twice_is_refused(cli: Cli, project: Published, templates: Path) -> None:
    ran = add(cli, templates / "model", "churn")
    assert (ran.code, status(project)) == (64, [])
    assert ran.stderr == (
        "error: the project has the template model already. `scaffolder update` brings its newest version, and other "
        "answers: scaffolder update --set NAME=VALUE\n"
    )


def test_a_dry_run_shows_a_diff_and_changes_nothing(cli: Cli, project: Published, templates: Path) -> None:
    before = cli.files("churn")
    ran = add(cli, templates / "ci", "churn", "--dry-run")
    assert ran.code == 0
    assert "diff --git a/ci.yml b/ci.yml\nnew file mode 100644\n" in ran.stdout
    assert "+model github fraud 3.12\n" in ran.stdout
    assert "2 files would change" in ran.stderr
    assert (status(project), cli.files("churn")) == ([], before)


def test_a_repository_of_anybody_gets_its_first_template(cli: Cli, templates: Path) -> None:
    write(cli.folder / "mine", {"README.md": "mine\n"})
    repository = committed(cli.folder / "mine")
    ran = add(cli, templates / "ci", "mine", "--name", "fraud", "--set", "python=3.13")
    assert ran.code == 0, ran.stderr
    assert status(repository) == ["A  .scaffolder-project.json", "A  ci.yml"]
    assert (repository.folder / "README.md").read_text() == "mine\n"
    commit(repository)
    assert cli.run("update", "mine").stdout == "mine (ci 1.0.0) is up to date.\n"


def test_a_file_that_is_there_conflicts_and_is_not_lost(cli: Cli, templates: Path) -> None:
    write(cli.folder / "mine", {"ci.yml": "mine\n"})
    repository = committed(cli.folder / "mine")
    ran = add(cli, templates / "ci", "mine", "--json")
    assert ran.code == 8
    assert ran.document["state"] == "conflicts"
    assert [conflict["path"] for conflict in ran.document["conflicts"]] == ["ci.yml"]
    assert status(repository) == ["A  .scaffolder-project.json", "AA ci.yml"]
    assert (repository.folder / "ci.yml").read_text() == (
        "<<<<<<< yours\nmine\n=======\nplatform github nobody 3.12\n>>>>>>> ci 1.0.0\n"
    )


def test_the_project_around_the_current_folder_is_meant(
    cli: Cli, project: Published, templates: Path
) -> None:
    (project.folder / "src").mkdir()
    ran = Cli(cli.executable, project.folder / "src").run("add", templates / "ci")
    assert ran.code == 0, ran.stderr
    assert status(project) == ["M  .scaffolder-project.json", "A  ci.yml"]


@pytest.mark.parametrize(
    ("prepare", "code", "told"),
    [
        ("nothing", 64, "error: there is no folder mine. `scaffolder new` makes one.\n"),
        (
            "folder",
            7,
            "is in no git repository, and updates are merged by git. Make one of it as it was made: git init,",
        ),
        ("empty", 7, "has no commit yet. Commit it as it was made: git add --all, git commit."),
        ("dirty", 7, "has work that is not committed: README.md changed. Commit or stash it first."),
        ("untracked", 7, "has work that is not committed: new.txt not in git. Commit or stash it first."),
    ],
)
def test_a_folder_that_git_cannot_restore_is_refused(
    cli: Cli, templates: Path, prepare: str, code: int, told: str
) -> None:
    folder = cli.folder / "mine"
    if prepare != "nothing":
        write(folder, {"README.md": "mine\n"})
    if prepare == "empty":
        Published(folder).git("init", "--quiet")
    if prepare in {"dirty", "untracked"}:
        committed(folder)
        write(folder, {"README.md" if prepare == "dirty" else "new.txt": "more\n"})
    before = cli.files("mine")
    ran = add(cli, templates / "ci", "mine")
    assert ran.code == code
    assert told in ran.stderr
    assert cli.files("mine") == before


def test_a_platform_that_its_target_refuses_is_not_added(cli: Cli) -> None:
    write(cli.folder / "mine", {"README.md": "mine\n"})
    repository = committed(cli.folder / "mine")
    ran = add(cli, "platform", "mine", "--name", "churn", "--region", "eu-wst-1")
    assert ran.code == 64
    assert (
        'error: the answers make no valid platform:\ntarget.region "eu-wst-1" is not a region' in ran.stderr
    )
    assert status(repository) == []


def test_a_template_that_wants_the_projects_own_files_gets_a_folder(
    cli: Cli, templates: Path, project: Published
) -> None:
    write(
        templates,
        {
            "infra/cookiecutter.json": json.dumps({"project_slug": "x"}),
            "infra/template.yaml": HEAD.format(name="infra").removesuffix("questions:\n"),
            f"infra/{ROOT}/README.md": "infrastructure\n",
        },
    )
    ran = cli.run("add", templates / "infra", project.folder)
    assert ran.code == 64
    assert ran.stderr.splitlines()[-1] == (
        "error: the template infra and the project's own want the same files: README.md. Make it a project in a folder "
        "of its own, beside this one's files: scaffolder new infra FOLDER. `update` and `status` know both."
    )
    assert cli.run("new", templates / "infra", project.folder / "deployed" / "here").code == 0
    found = json.loads(cli.run("status", project.folder, "--json").stdout)["projects"]
    assert [Path(each["project"]).name for each in found] == ["churn", "here"]
