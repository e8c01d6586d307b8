"""What applying a merge does to a project's files and index: what `git merge` does, or nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import CalledProcessError

import pytest

from scaffolder.errors import ProjectError
from scaffolder.projects.applying import apply, recover
from scaffolder.projects.merge import Merge, three_way
from scaffolder.projects.tree import Tree
from tests.projects.histories import HISTORIES, LABEL, History, build, git, numbered, read_tree, text

OLD = {"a.py": text(numbered(20)), "gone.txt": text("gone\n"), "folder/b.py": text(numbered(30))}
NEW = {
    "a.py": text(numbered(20, {19: "of the template"})),
    "added/c.txt": text("c\n"),
    "folder": text("a file\n"),
}

OTHERWISE = {
    "line endings that the owner normalised later make no conflict": "git merge does not know the new attributes",
    "attributes that the template adds later make no conflict": "git merge does not normalise unasked",
    "a file of the template is executable, whatever the owner's git makes of modes": "git add does not see it there",
    "a submodule in a folder that the template renames stays where it is": "git merge takes the submodule along",
    "a link of the owner is left alone": "git merge takes the link along",
    "names that the template passes on take the owner's edits along": "git merge cannot know the renames",
    "a rename with all lines edited by the owner holds where the template says so": "git merge cannot know the rename",
    "a folder that the template says is renamed takes the owner's files along": "git merge cannot know the rename",
    "a file that the owner's git ignores is never written over": "git merge writes over it",
    "a file of the template that the owner ignores is left out, and told": "git merge brings it",
    "a file that the template ignores and the owner has in git is merged": "the branch of the template lacks it",
    "a merge that the owner's attributes ask for is made": "the branch of the template has no attributes",
    "attributes that both sides changed hold together": "the branch of the template has only its own attributes",
}
"""Histories in which an update must not do what `git merge` does, and why."""

ALIKE = [each for each in HISTORIES if each.name not in OTHERWISE and each.place == "root"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return build(History(name="", old=OLD, new={}, expected={}), tmp_path)


@pytest.fixture
def merge(project: Path) -> Iterator[Merge]:
    with three_way(project, OLD, NEW, label_new=LABEL) as merge:
        yield merge


def index_of(project: Path) -> list[str]:
    return git(project, "ls-files", "-s", "-z").split("\0")


@pytest.mark.parametrize("history", ALIKE, ids=[history.name for history in ALIKE])
def test_files_and_index_are_as_after_a_merge_by_git(history: History, tmp_path: Path) -> None:
    """The template's side as a branch, merged by git's own command: it wrote none of what is tested."""
    project = build(history, tmp_path / "ours")
    merged = tmp_path / "theirs"
    shutil.copytree(project, merged, symlinks=True)
    git(merged, "checkout", "-q", "-b", "template", "main~1")
    git(merged, "rm", "-q", "-r", ".")
    for path, file in history.new.items():
        (merged / path).parent.mkdir(parents=True, exist_ok=True)
        (merged / path).write_bytes(file.content)
        (merged / path).chmod(0o755 if file.executable else 0o644)
    git(merged, "add", "--all")
    git(merged, "commit", "-q", "--allow-empty", "-m", "The template")
    git(merged, "checkout", "-q", "main")
    git(merged, "branch", "-m", "template", "model-2.0.0")
    directories = ("-c", "merge.directoryRenames=true", "-c", "merge.conflictStyle=merge")
    command = ("merge", "-q", "--no-commit", "--no-ff", "model-2.0.0")
    if history.conflicts:
        with pytest.raises(CalledProcessError):
            git(merged, *directories, *command)
    else:
        git(merged, *directories, *command)
    with three_way(project, history.old, history.new, label_new=LABEL) as merge:
        apply(merge)
    assert index_of(project) == index_of(merged)
    ours, theirs = read_tree(project), read_tree(merged)
    assert ours.keys() == theirs.keys()
    assert {path for path in ours if ours[path] != theirs[path]} <= set(history.conflicts)


def test_an_applied_merge_is_committed_like_any_work(project: Path, merge: Merge) -> None:
    apply(merge)
    assert git(project, "status", "--porcelain").splitlines() == [
        "M  a.py",
        "A  added/c.txt",
        "A  folder",
        "D  folder/b.py",
        "D  gone.txt",
    ]
    git(project, "commit", "-q", "-m", "Updated")
    assert read_tree(project) == NEW
    git(project, "fsck", "--strict")
    with three_way(project, NEW, NEW, label_new=LABEL) as again:
        assert again.changes == ()
        apply(again)
    assert git(project, "status", "--porcelain") == ""


def test_an_applied_merge_can_be_taken_back(project: Path, merge: Merge) -> None:
    apply(merge)
    git(project, "reset", "-q", "--hard")
    assert read_tree(project) == OLD
    assert git(project, "status", "--porcelain", "--ignored") == ""


def test_git_finds_the_files_as_it_left_them(project: Path, merge: Merge) -> None:
    """What git needs not read again: `diff-files` believes the times in the index."""
    apply(merge)
    assert git(project, "diff-files") == ""


@pytest.mark.parametrize("path", ["a.py", "gone.txt", "folder/b.py"])
def test_a_file_that_was_edited_since_the_merge_is_not_written_over(
    path: str, project: Path, merge: Merge
) -> None:
    (project / path).write_bytes(b"edited while the update was looked at\n")
    before = read_tree(project)
    with pytest.raises(ProjectError) as refused:
        apply(merge)
    assert str(refused.value) == (
        f"{path} changed while the update was made. Commit that, or move it away, and run this again."
    )
    assert read_tree(project) == before
    assert_nothing_is_left(project)


@pytest.mark.parametrize("path", ["added/c.txt", "folder/own.txt"])
def test_a_file_that_came_since_the_merge_is_not_written_over(path: str, project: Path, merge: Merge) -> None:
    (project / path).parent.mkdir(exist_ok=True)
    (project / path).write_bytes(b"made while the update was looked at\n")
    before = read_tree(project)
    with pytest.raises(ProjectError, match=rf"^{path} changed while the update was made\."):
        apply(merge)
    assert read_tree(project) == before
    assert_nothing_is_left(project)


def test_a_folder_that_became_a_link_since_the_merge_is_not_followed(
    project: Path, merge: Merge, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (project / "added").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ProjectError, match="added"):
        apply(merge)
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert_nothing_is_left(project)


def test_a_commit_since_the_merge_is_not_undone(project: Path, merge: Merge) -> None:
    (project / "own.py").write_bytes(b"own\n")
    git(project, "add", "own.py")
    git(project, "commit", "-q", "-m", "In between")
    with pytest.raises(ProjectError) as refused:
        apply(merge)
    assert str(refused.value) == f"{project} was changed while its update was made. Commit, and update again."
    assert_nothing_is_left(project)


def test_an_index_that_was_only_refreshed_since_the_merge_does_no_harm(project: Path, merge: Merge) -> None:
    before = (project / ".git" / "index").stat()
    time.sleep(0.01)
    git(project, "update-index", "--really-refresh")
    git(project, "update-index", "--index-version", "4")
    assert (project / ".git" / "index").stat().st_mtime_ns != before.st_mtime_ns
    apply(merge)
    assert read_tree(project) == NEW


@pytest.mark.parametrize(
    ("meanwhile", "result"),
    [("git update-index --index-version 4", NEW), ("git update-index --force-remove gone.txt", OLD)],
    ids=["refreshed", "changed"],
)
def test_an_index_that_another_git_writes_during_the_applying_is_read_again(
    meanwhile: str, result: Tree, project: Path, tmp_path: Path
) -> None:
    """The owner's own filter is the other git here: it runs when the files have been made ready in part."""
    script = tmp_path / "smudge"
    script.write_text(
        f"#!/bin/sh\nunset GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE GIT_OBJECT_DIRECTORY\ncd {project}\n"
        f"[ -e {tmp_path}/ran ] || {meanwhile}\ntouch {tmp_path}/ran\ncat\n"
    )
    script.chmod(0o755)
    git(project, "config", "filter.meddling.smudge", str(script))
    (project / ".git" / "info" / "attributes").write_text("a.py filter=meddling\n")
    with three_way(project, OLD, NEW, label_new=LABEL) as merge:
        if result is OLD:
            with pytest.raises(ProjectError, match="was changed while its update was made"):
                apply(merge)
        else:
            apply(merge)
    assert (tmp_path / "ran").exists()
    assert read_tree(project) == result
    assert_nothing_is_left(project)


def test_another_git_that_holds_the_index_is_waited_for(project: Path, merge: Merge) -> None:
    lock = project / ".git" / "index.lock"
    lock.touch()
    timer = threading.Timer(0.3, lock.unlink)
    timer.start()
    try:
        apply(merge)
    finally:
        timer.join()
    assert read_tree(project) == NEW


def test_another_git_that_holds_the_index_is_not_waited_for_without_end(project: Path, merge: Merge) -> None:
    lock = project / ".git" / "index.lock"
    lock.touch()
    with pytest.raises(ProjectError) as refused:
        apply(merge)
    assert str(refused.value) == (
        f"another git is at work in {project}. Wait for it, and update again; if there is none, one was killed: "
        "remove index.lock from git's folder (git rev-parse --git-dir)."
    )
    assert lock.exists()  # it is not ours
    lock.unlink()
    assert read_tree(project) == OLD
    assert git(project, "status", "--porcelain") == ""
    assert_nothing_is_left(project)


def test_two_projects_of_one_repository_are_updated_one_after_the_other(tmp_path: Path) -> None:
    first = build(History(name="", old=OLD, new={}, expected={}, place="nested"), tmp_path)
    second = first.parent / "other"
    shutil.copytree(first, second)
    git(second, "add", "--all", ".")
    git(second, "commit", "-q", "-m", "Another project")
    with (
        three_way(first, OLD, NEW, label_new=LABEL) as one,
        three_way(second, OLD, NEW, label_new=LABEL) as two,
    ):
        apply(one)
        assert read_tree(first) == NEW
        assert read_tree(second) == OLD
        apply(two)
    assert read_tree(second) == NEW
    assert {line[:2] for line in git(first, "status", "--porcelain").splitlines()} == {"M ", "A ", "D "}


def test_a_repository_on_another_file_system_than_its_files_is_updated(tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm")
    if not os.access(elsewhere, os.W_OK) or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system to write to at /dev/shm")
    with tempfile.TemporaryDirectory(dir=elsewhere) as store:
        git(tmp_path, "init", "-q", f"--separate-git-dir={store}/git", str(tmp_path / "project"))
        project = tmp_path / "project"
        write(project, OLD)
        git(project, "add", "--all")
        git(project, "commit", "-q", "-m", "Old")
        with three_way(project, OLD, NEW, label_new=LABEL) as merge:
            apply(merge)
        assert read_tree(project) == NEW
        assert git(project, "status", "--porcelain", "--ignored").count("!!") == 0
        assert not (Path(store) / "git" / "scaffolder-update").exists()


def test_a_folder_that_cannot_be_written_is_refused_before_anything(project: Path, merge: Merge) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    (project / "folder").chmod(0o555)
    try:
        with pytest.raises(
            ProjectError, match=r"folder cannot be written\. Make it writable, and update again\.$"
        ):
            apply(merge)
    finally:
        (project / "folder").chmod(0o755)
    assert read_tree(project) == OLD


def test_what_an_update_left_that_never_began_is_taken_away(project: Path, merge: Merge) -> None:
    workshop = project / ".git" / "scaffolder-update"
    (workshop / "files").mkdir(parents=True)
    (workshop / "files" / "a.py").write_bytes(b"half")
    (workshop / "journal.new").write_bytes(b"{")
    (workshop / "prefix").write_bytes(b"")
    shutil.copyfile(project / ".git" / "index", workshop / "index")
    os.link(workshop / "index", project / ".git" / "index.lock")
    assert recover(project / "folder") == "nothing"
    assert_nothing_is_left(project)
    apply(merge)
    assert read_tree(project) == NEW


def test_a_lock_that_another_git_left_is_not_taken_away(project: Path) -> None:
    workshop = project / ".git" / "scaffolder-update"
    workshop.mkdir()
    (project / ".git" / "index.lock").touch()
    assert recover(project) == "nothing"
    assert not workshop.exists()
    assert (project / ".git" / "index.lock").exists()


def test_a_folder_without_git_has_nothing_to_recover(tmp_path: Path) -> None:
    assert recover(tmp_path) == "nothing"
    assert recover(tmp_path / "nowhere") == "nothing"


@pytest.mark.parametrize(
    "history", [each for each in HISTORIES if each.place != "root"], ids=lambda each: each.place
)
def test_leftovers_are_found_wherever_git_keeps_its_files(history: History, tmp_path: Path) -> None:
    project = build(history, tmp_path)
    workshop = Path(
        git(project, "rev-parse", "--path-format=absolute", "--git-path", "scaffolder-update").strip()
    )
    workshop.mkdir()
    assert recover(project) == "nothing"
    assert not workshop.exists()


def assert_nothing_is_left(project: Path) -> None:
    inside = {path.name for path in (project / ".git").iterdir()}
    assert {name for name in inside if "scaffolder" in name or name.endswith(".lock")} == set()


def write(folder: Path, files: Tree) -> None:
    for path, file in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(file.content)
