"""How many projects stand: each of the states, by a template in a git repository with two versions."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from scaffolder import __version__
from scaffolder.errors import UsageError
from scaffolder.projects.status import Look, find_projects, statuses
from tests.external_tools import find_scaffolder
from tests.projects.histories import git, numbered

pytestmark = pytest.mark.cli

LOOK = Look(version=__version__, jobs=2)
MANIFEST = """\
template: 1
name: tiny
version: {version}
title: A tiny project
owner: us
questions:
  name:
    ask: Name
    type: text
    default: churn
"""


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (str(find_scaffolder()), *arguments), cwd=cwd, capture_output=True, text=True, check=False
    )


def release(template: Path, version: str, content: str) -> None:
    inside = template / "{{ cookiecutter.project_slug }}"
    inside.mkdir(parents=True, exist_ok=True)
    (template / "template.yaml").write_text(MANIFEST.format(version=version))
    (template / "cookiecutter.json").write_text(json.dumps({"name": "churn"}))
    (inside / "a.py").write_text(content)
    git(template, "add", "--all")
    git(template, "commit", "-q", "-m", version)
    git(template, "tag", f"v{version}")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with four projects of version 1.0.0, one of which is at 1.2.0, which the template is by now."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_AUTHOR_NAME", "us")
        patch.setenv("GIT_AUTHOR_EMAIL", "us@example.com")
        patch.setenv("GIT_COMMITTER_NAME", "us")
        patch.setenv("GIT_COMMITTER_EMAIL", "us@example.com")
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        template = folder / "template"
        template.mkdir()
        git(template, "init", "-q", "-b", "main")
        release(template, "1.0.0", numbered(20))
        (folder / "repositories").mkdir()
        source = f"git+file://{template}"
        for name in ("clean", "conflicts", "blocked", "broken"):
            start(folder / "repositories" / name, source)
        release(template, "1.1.0", numbered(20, {19: "of 1.1.0"}))
        release(template, "1.2.0", numbered(20, {19: "of 1.2.0"}))
        start(folder / "repositories" / "current", source)
    return folder


def start(project: Path, source: str) -> None:
    done = run("new", source, str(project), "--defaults", cwd=project.parent)
    assert done.returncode == 0, done.stderr
    git(project, "init", "-q", "-b", "main")
    if project.name == "conflicts":
        (project / "a.py").write_text(numbered(20, {19: "of the owner"}))
    if project.name == "clean":
        (project / "a.py").write_text(numbered(20, {2: "of the owner"}))
    git(project, "add", "--all")
    git(project, "commit", "-q", "-m", "Made")
    if project.name == "blocked":
        (project / "a.py").write_text("edited\n")
    if project.name == "broken":
        record = project / ".scaffolder-project.json"
        record.write_text(record.read_text().replace("/template", "/no-template"))


@pytest.fixture
def repositories(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(made / "cache"))
    shutil.copytree(made / "repositories", tmp_path / "repositories", symlinks=True)
    return tmp_path / "repositories"


def states(projects: Sequence[Path], look: Look = LOOK) -> dict[str, tuple[str, int, list[str]]]:
    return {
        Path(found["project"]).name: (found["state"], found["layers"][0]["behind"], found["conflicts"])
        for found in statuses(projects, look)
    }


def test_each_project_says_how_it_stands(repositories: Path) -> None:
    assert states(find_projects([repositories])) == {
        "blocked": ("blocked", 2, []),
        "broken": ("failed", 0, []),
        "clean": ("clean", 2, []),
        "conflicts": ("conflicts", 2, ["a.py"]),
        "current": ("current", 0, []),
    }


def test_an_update_whose_conflicts_are_not_solved_is_not_up_to_date(repositories: Path) -> None:
    assert run("update", "conflicts", cwd=repositories).returncode == 8
    (found,) = statuses(find_projects([repositories / "conflicts"]), LOOK)
    assert found["state"] == "blocked"
    assert "has conflicts that are not resolved: a.py. Resolve them" in found["message"]


def test_one_process_says_the_same_as_many(repositories: Path) -> None:
    projects = find_projects([repositories])
    assert list(statuses(projects, LOOK)) == list(statuses(projects, Look(version=__version__, jobs=1)))


def test_looking_changes_nothing(repositories: Path) -> None:
    before = {path: path.read_bytes() for path in repositories.rglob("*") if path.is_file()}
    states(find_projects([repositories]))
    assert {path: path.read_bytes() for path in repositories.rglob("*") if path.is_file()} == before


def test_projects_are_found_below_folders_but_not_in_hidden_ones(repositories: Path) -> None:
    shutil.move(repositories / "current", repositories / ".hidden")
    (repositories / "deep" / "er").mkdir(parents=True)
    shutil.move(repositories / "clean", repositories / "deep" / "er" / "clean")
    (repositories / "link").symlink_to(repositories / "blocked")
    names = [path.name for path in find_projects([repositories, repositories / "broken"])]
    assert names == ["blocked", "broken", "conflicts", "clean"]


def test_a_place_without_a_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        find_projects([tmp_path, tmp_path / "nowhere"])
    assert str(refused.value) == (
        f"there is no project of scaffolder in {tmp_path}, nor up to 6 folders below it\n"
        f"there is no folder {tmp_path / 'nowhere'}"
    )


def test_the_command_prints_a_table(repositories: Path) -> None:
    done = run("status", str(repositories), cwd=repositories)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "conflicts                  tiny 1.0.0 → 1.2.0 (2 behind)      would conflict" in lines
    assert "  C a.py" in lines
    assert "current                    tiny 1.2.0                         up to date" in lines
    assert lines[-1] == "5 projects, 3 behind"


def test_the_command_reads_a_list_and_prints_json(repositories: Path) -> None:
    (repositories / "list.txt").write_text("\ufeff# ours\r\nclean\n\ncurrent\n")
    done = run("status", "--list", "list.txt", "--json", cwd=repositories)
    assert done.returncode == 0, done.stderr
    projects = json.loads(done.stdout)["projects"]
    assert [(Path(each["project"]).name, each["state"]) for each in projects] == [
        ("clean", "clean"),
        ("current", "current"),
    ]


def test_a_list_that_names_nobodys_home_is_refused(repositories: Path) -> None:
    (repositories / "list.txt").write_text("~nobody-of-that-name/work\n")
    done = run("status", "--list", "list.txt", cwd=repositories)
    assert (done.returncode, done.stdout) == (64, "")
    assert '"~nobody-of-that-name/work" names no home folder. Write the path in full.' in done.stderr
