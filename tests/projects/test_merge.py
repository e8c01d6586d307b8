"""What a merge tells before anything is written, what it refuses, and that it leaves the project and its git alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from scaffolder.errors import ProjectError, TemplateError
from scaffolder.projects.applying import apply
from scaffolder.projects.git import check_git
from scaffolder.projects.merge import Change, three_way
from scaffolder.projects.tree import File, Tree
from tests.projects.histories import HISTORIES, LABEL, History, build, git, numbered, read_tree, text

ROOT = Path(__file__).resolve().parents[2]
OLD = {"a.py": text(numbered(20)), "gone.txt": text("gone\n"), "moved.py": text(numbered(30, {1: "moved"}))}
NEW = {
    "a.py": text(numbered(20, {19: "line 19 of the template"})),
    "lib/moved.py": OLD["moved.py"],
    "added.txt": text("added\n"),
}


def project_of(files: Tree, folder: Path) -> Path:
    return build(History(name="", old=files, new={}, expected={}), folder)


def contents(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything in a folder, git's own included, with modes and times.

    But not the times of git's objects and shared indexes: git renews those of what it has use for.
    """
    return {
        path.relative_to(folder).as_posix(): (
            path.stat().st_mode,
            0 if "objects" in path.parts or "sharedindex" in path.name else path.stat().st_mtime_ns,
            path.read_bytes(),
        )
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_merge_tells_each_change_by_its_kind(tmp_path: Path) -> None:
    project = project_of(OLD, tmp_path)
    with three_way(project, OLD, NEW, label_new=LABEL) as merge:
        assert merge.changes == (
            Change(path="a.py", kind="changed"),
            Change(path="added.txt", kind="added"),
            Change(path="gone.txt", kind="deleted"),
            Change(path="lib/moved.py", kind="moved", origin="moved.py"),
        )
        assert merge.clean
        assert merge.notes == ()


def test_a_merge_shows_its_difference_as_git_does(tmp_path: Path) -> None:
    project = build(History(name="", old=OLD, new={}, expected={}, place="nested"), tmp_path)
    with three_way(project, OLD, {**OLD, "a.py": NEW["a.py"]}, label_new=LABEL) as merge:
        shown = merge.diff()
    assert shown.startswith("diff --git a/a.py b/a.py\n")
    assert shown.endswith(
        "@@ -16,5 +16,5 @@ line 15\n line 16\n line 17\n line 18\n-line 19\n+line 19 of the template\n line 20\n"
    )


def test_a_difference_shows_conflicts_with_the_names_of_their_sides(tmp_path: Path) -> None:
    project = project_of({"a.py": text("mine\n")}, tmp_path)
    with three_way(project, {"a.py": text("old\n")}, {"a.py": text("theirs\n")}, label_new=LABEL) as merge:
        assert "+<<<<<<< yours\n mine\n+=======\n+theirs\n+>>>>>>> model 2.0.0\n" in merge.diff()
        (conflict,) = merge.conflicts
    assert conflict.path == "a.py"
    assert conflict.message == "CONFLICT (content): Merge conflict in a.py"


@pytest.mark.parametrize("style", ["diff3", "zdiff3"])
def test_the_common_lines_of_a_conflict_are_shown_where_the_owner_wants_them(
    style: str, tmp_path: Path
) -> None:
    project = project_of({"a.py": text("mine\n")}, tmp_path)
    git(project, "config", "merge.conflictStyle", style)
    trees = {"a.py": text("old\n")}, {"a.py": text("theirs\n")}
    with three_way(project, *trees, label_new=LABEL, label_base="model 1.9.0") as merge:
        apply(merge)
    assert (project / "a.py").read_text() == (
        "<<<<<<< yours\nmine\n||||||| model 1.9.0\nold\n=======\ntheirs\n>>>>>>> model 2.0.0\n"
    )


def test_markers_are_as_long_as_the_owners_attributes_say(tmp_path: Path) -> None:
    attributes = {".gitattributes": text("*.md conflict-marker-size=12\n")}
    project = project_of({"a.md": text("mine\n"), **attributes}, tmp_path)
    trees = {"a.md": text("old\n"), **attributes}, {"a.md": text("theirs\n"), **attributes}
    with three_way(project, *trees, label_new=LABEL) as merge:
        apply(merge)
    shown = (project / "a.md").read_text()
    assert shown == f"{'<' * 12} yours\nmine\n{'=' * 12}\ntheirs\n{'>' * 12} model 2.0.0\n"


@pytest.mark.parametrize("history", HISTORIES, ids=[history.name for history in HISTORIES])
def test_a_merge_that_is_only_looked_at_writes_nothing(history: History, tmp_path: Path) -> None:
    project = build(history, tmp_path / "there")
    git(project, "status")  # which refreshes the index
    before = contents(tmp_path / "there")
    with (
        suppress(ProjectError),
        three_way(project, history.old, history.new, history.renames, label_new=LABEL) as merge,
    ):
        merge.diff()
    assert contents(tmp_path / "there") == before


def test_nothing_is_left_of_a_merge_in_the_folder_for_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_of(OLD, tmp_path / "there")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    three_way(project, OLD, NEW, label_new=LABEL).close()
    three_way(project, OLD, NEW, label_new=LABEL)  # forgotten
    (project / "added.txt").write_bytes(b"mine\n")
    with pytest.raises(ProjectError):
        three_way(project, OLD, NEW, label_new=LABEL)
    assert list((tmp_path / "temporary").iterdir()) == []


# What is refused, and what to do then.


def untracked(project: Path) -> None:
    (project / "own.py").write_bytes(b"own\n")


def edited(project: Path) -> None:
    (project / "a.py").write_bytes(b"edited\n")


def staged(project: Path) -> None:
    git(project, "rm", "-q", "--cached", "gone.txt")


def many(project: Path) -> None:
    for name in "bcdef":
        (project / name).write_bytes(b"own\n")


def merging(project: Path) -> None:
    git(project, "checkout", "-q", "-b", "other")
    edited(project)
    git(project, "commit", "-q", "-a", "-m", "Other")
    git(project, "checkout", "-q", "main")
    git(project, "merge", "-q", "--no-ff", "--no-commit", "other")


def conflicting(project: Path) -> None:
    git(project, "checkout", "-q", "-b", "other")
    edited(project)
    git(project, "commit", "-q", "-a", "-m", "Other")
    git(project, "checkout", "-q", "main")
    (project / "a.py").write_bytes(b"edited otherwise\n")
    git(project, "commit", "-q", "-a", "-m", "Mine")
    with pytest.raises(subprocess.CalledProcessError):
        git(project, "merge", "-q", "--squash", "other")


def rebasing(project: Path) -> None:
    (project / ".git" / "rebase-merge").mkdir()


def hidden(project: Path) -> None:
    git(project, "update-index", "--assume-unchanged", "a.py")


def sparse(project: Path) -> None:
    git(project, "sparse-checkout", "set", "--no-cone", "/moved.py")


def blocked(project: Path) -> None:
    (project / ".git" / "info" / "exclude").write_text("/lib\n!/lib/\n")
    (project / "lib").symlink_to(project.parent)


REFUSED: dict[Callable[[Path], None], str] = {
    untracked: "has work that is not committed: own.py not in git. Commit or stash it first.",
    edited: "has work that is not committed: a.py changed. Commit or stash it first.",
    staged: "has work that is not committed: gone.txt changed; gone.txt not in git. Commit or stash it first.",
    many: "has work that is not committed: b, c, d and 2 more not in git. Commit or stash it first.",
    merging: "is in the middle of a merge. Finish it, or leave it: git merge --abort.",
    rebasing: "is in the middle of a rebase. Finish it, or leave it: git rebase --abort.",
    conflicting: "has conflicts that are not resolved: a.py. Resolve them, git add them, and commit.",
    hidden: "the update changes a.py, and git was told not to look at that. Let it look again: "
    "git update-index --no-assume-unchanged or --no-skip-worktree, or git sparse-checkout disable.",
    sparse: "the update changes a.py, gone.txt, and git was told not to look at that. Let it look again: "
    "git update-index --no-assume-unchanged or --no-skip-worktree, or git sparse-checkout disable.",
    blocked: "the update writes where there is something that is not in git: lib. "
    "Move it away, or add and commit it, and update again.",
}


@pytest.mark.parametrize("state", REFUSED, ids=lambda state: state.__name__)
def test_a_project_in_no_state_to_be_merged_is_refused(state: Callable[[Path], None], tmp_path: Path) -> None:
    project = project_of(OLD, tmp_path / "there")
    state(project)
    before = contents(project)
    with pytest.raises(ProjectError) as refused:
        three_way(project, OLD, NEW, label_new=LABEL)
    assert str(refused.value).removeprefix(f"{project} ") == REFUSED[state]
    assert contents(project) == before


def test_a_folder_without_git_is_told_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as refused:
        three_way(tmp_path, OLD, NEW, label_new=LABEL)
    assert str(refused.value) == (
        f"{tmp_path} is in no git repository, and updates are merged by git. "
        "Make one of it as it was made: git init, git add --all, git commit."
    )


def test_a_repository_without_a_commit_is_told_to_make_one(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    with pytest.raises(
        ProjectError, match=r"has no commit yet\. Commit it as it was made: git add --all, git commit\.$"
    ):
        three_way(tmp_path, OLD, NEW, label_new=LABEL)


def test_a_project_that_its_repository_ignores_is_no_project_of_it(tmp_path: Path) -> None:
    outer = project_of({".gitignore": text("/build/\n")}, tmp_path)
    (outer / "build").mkdir()
    (outer / "build" / "a.py").write_bytes(OLD["a.py"].content)
    with pytest.raises(ProjectError, match=r"no file of .*build is in git\. Add and commit it first"):
        three_way(outer / "build", OLD, NEW, label_new=LABEL)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"there is no folder .*nowhere"):
        three_way(tmp_path / "nowhere", OLD, NEW, label_new=LABEL)


@pytest.mark.parametrize("path", ["../a", "/a", ".git/hooks/pre-commit", "a//b", "con"])
def test_a_rendering_that_leaves_its_folder_is_refused(path: str, tmp_path: Path) -> None:
    project = project_of(OLD, tmp_path)
    with pytest.raises(TemplateError, match=path):
        three_way(project, OLD, {**OLD, path: text("out\n")}, label_new=LABEL)


def test_a_submodule_where_the_template_has_a_folder_is_no_place_for_its_files(tmp_path: Path) -> None:
    history = next(
        history for history in HISTORIES if history.name == "a submodule of the owner is left alone"
    )
    project = build(history, tmp_path)
    new = {**history.new, "vendor/library/a.py": text("a\n")}
    with pytest.raises(ProjectError) as refused:
        three_way(project, history.old, new, label_new=LABEL)
    assert str(refused.value) == (
        "the template has files where this project has a submodule or a link: vendor/library. "
        "Move it elsewhere, commit, and update again."
    )


def old_git(folder: Path, says: str) -> None:
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\necho {says}\n")
    (folder / "git").chmod(0o755)


def test_a_git_that_is_too_old_is_refused_before_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_git(tmp_path / "bin", "git version 2.37.9.windows.1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    check_git.cache_clear()
    with pytest.raises(ProjectError) as refused:
        three_way(tmp_path, OLD, NEW, label_new=LABEL)
    assert str(refused.value) == (
        "updates need git 2.38 or newer, and this is 2.37.9.windows.1. Install a newer git (git-scm.com/downloads)."
    )


def test_a_machine_without_git_is_told_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    check_git.cache_clear()
    with pytest.raises(ProjectError) as refused:
        three_way(tmp_path, OLD, NEW, label_new=LABEL)
    assert str(refused.value) == "git is not installed, or not on PATH. Install git 2.38 or newer."


# The owner's git: what of it counts, and what has no say.


def test_no_hook_of_the_owner_runs(tmp_path: Path) -> None:
    project = project_of(OLD, tmp_path / "there")
    ran = tmp_path / "ran"
    names = "pre-commit post-commit post-checkout post-index-change post-merge pre-merge-commit reference-transaction"
    for folder in (project / ".git" / "hooks", tmp_path / "shared"):
        folder.mkdir(exist_ok=True)
        for name in names.split():
            (folder / name).write_text(f"#!/bin/sh\necho {name} >> {ran}\n")
            (folder / name).chmod(0o755)
    git(project, "config", "core.fsmonitor", str(tmp_path / "shared" / "pre-commit"))
    ran.unlink(missing_ok=True)
    with three_way(project, OLD, NEW, label_new=LABEL) as merge:
        apply(merge)
    git(project, "config", "core.hooksPath", str(tmp_path / "shared"))
    assert not ran.exists()
    git(project, "config", "--unset", "core.fsmonitor")
    git(project, "commit", "-q", "-m", "Updated")
    assert "pre-commit" in ran.read_text()  # they would have run
    ran.unlink()
    with three_way(project, NEW, {**NEW, "again.txt": text("again\n")}, label_new=LABEL) as merge:
        apply(merge)
    assert not ran.exists()


def test_the_callers_variables_do_not_lead_git_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_of(OLD, tmp_path / "one")
    other = project_of(OLD, tmp_path / "two")
    before = contents(other)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other / ".git" / "objects"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    with three_way(project, OLD, NEW, label_new=LABEL) as merge:
        apply(merge)
    assert read_tree(project) == NEW
    assert contents(other) == before


def test_the_owners_filters_see_what_the_template_writes(tmp_path: Path) -> None:
    history = History(
        name="",
        old={".gitattributes": text("*.up filter=up\n"), "a.up": text("one\ntwo\nthree\nfour\nfive\n")},
        new={".gitattributes": text("*.up filter=up\n"), "a.up": text("one\ntwo\nthree\nfour\nFIVE!\n")},
        expected={},
        settings={"filter.up.clean": "tr a-z A-Z", "filter.up.smudge": "tr A-Z a-z"},
    )
    project = build(history, tmp_path)
    (project / "a.up").write_text("mine\ntwo\nthree\nfour\nfive\n")
    git(project, "commit", "-q", "-a", "-m", "Mine")
    with three_way(project, history.old, history.new, label_new=LABEL) as merge:
        assert merge.clean
        apply(merge)
    assert git(project, "show", ":a.up") == "MINE\nTWO\nTHREE\nFOUR\nFIVE!\n"
    assert (project / "a.up").read_text() == "mine\ntwo\nthree\nfour\nfive!\n"


@pytest.mark.parametrize(
    "settings",
    [
        {"core.splitIndex": "true", "core.untrackedCache": "true", "feature.manyFiles": "true"},
        {"merge.renames": "false", "diff.renames": "false", "merge.directoryRenames": "false"},
        {
            "core.fileMode": "false",
            "core.safecrlf": "true",
            "core.quotePath": "true",
            "status.relativePaths": "true",
        },
        {"core.abbrev": "8", "merge.verbosity": "0", "diff.noprefix": "true", "diff.mnemonicPrefix": "true"},
        {
            "color.ui": "always",
            "core.pager": "false",
            "status.short": "true",
            "status.showUntrackedFiles": "all",
        },
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_the_owners_settings_do_not_change_what_is_merged(settings: dict[str, str], tmp_path: Path) -> None:
    project = build(History(name="", old=OLD, new={}, expected={}, settings=settings), tmp_path)
    with three_way(project, OLD, NEW, label_new=LABEL) as merge:
        assert "rename to lib/moved.py" in merge.diff()
        apply(merge)
    assert read_tree(project) == NEW
    assert git(project, "-c", "color.ui=false", "status", "--porcelain=v1").splitlines() == [
        "M  a.py",
        "A  added.txt",
        "D  gone.txt",
        "R  moved.py -> lib/moved.py" if settings.get("diff.renames") is None else "A  lib/moved.py",
        *(["D  moved.py"] if settings.get("diff.renames") else []),
    ]


def test_a_repository_of_the_newer_object_format_is_merged(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256")
    for path, file in OLD.items():
        (tmp_path / path).write_bytes(file.content)
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "-q", "-m", "Old")
    with three_way(tmp_path, OLD, NEW, label_new=LABEL) as merge:
        apply(merge)
    assert read_tree(tmp_path) == NEW


def test_a_merge_and_its_applying_start_few_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many for a hundred files as for three: each costs three milliseconds."""
    real = shutil.which("git")
    counted = tmp_path / "counted"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text(f'#!/bin/sh\necho "$@" >> {counted}\nexec {real} "$@"\n')
    (tmp_path / "bin" / "git").chmod(0o755)
    old = {f"{number}.txt": text(numbered(20, {1: str(number)})) for number in range(100)}
    new = {path: File(content=file.content + b"added\n") for path, file in old.items()}
    project = project_of(old, tmp_path / "there")
    check_git.cache_clear()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    with three_way(project, old, new, label_new=LABEL) as merge:
        merged = len(counted.read_text().splitlines())
        apply(merge)
    assert (merged, len(counted.read_text().splitlines()) - merged) == (16, 6)


def test_the_same_merge_makes_the_same_tree(tmp_path: Path) -> None:
    history = next(history for history in HISTORIES if history.name.startswith("two edits of one line"))
    script = (
        "import sys; from pathlib import Path; from scaffolder.projects.merge import three_way;"
        "from tests.projects.histories import HISTORIES;"
        "h = next(h for h in HISTORIES if h.name.startswith('two edits of one line'));"
        "print(three_way(Path(sys.argv[1]), h.old, h.new, label_new='model 2.0.0').tree)"
    )
    project = build(history, tmp_path)
    told = {
        subprocess.run(
            (sys.executable, "-c", script, str(project)),
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
