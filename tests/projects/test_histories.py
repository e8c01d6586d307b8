"""Each history, by real git: the tree that an update makes, the conflicts that it tells, and git's own view of both."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaffolder.errors import ProjectError
from scaffolder.projects.applying import apply, recover
from scaffolder.projects.merge import three_way
from tests.projects.histories import HISTORIES, LABEL, History, build, git, read_tree

by_name = pytest.mark.parametrize("history", HISTORIES, ids=[history.name for history in HISTORIES])


@by_name
def test_an_update_makes_the_expected_tree(history: History, tmp_path: Path) -> None:
    project = build(history, tmp_path)
    others = git(project, "rev-parse", "--show-toplevel").strip()
    if history.refused:
        with pytest.raises(ProjectError, match=history.refused):
            three_way(project, history.old, history.new, history.renames, label_new=LABEL)
        assert read_tree(project) == history.expected
        return
    with three_way(project, history.old, history.new, history.renames, label_new=LABEL) as merge:
        assert {conflict.path: conflict.kind for conflict in merge.conflicts} == history.conflicts
        assert merge.left_out == history.left_out
        for note in history.notes:
            assert note in "\n".join(merge.notes)
        apply(merge)
    assert read_tree(project) == history.expected
    assert unmerged(project) == set(history.conflicts)
    assert not git(project, "ls-files", "--others", "--exclude-standard")
    assert recover(project) == "nothing"
    if not history.conflicts:
        assert git(project, "diff-files", "--name-only") == ""
    git(project, "add", "--all", ".")
    git(project, "commit", "-q", "--allow-empty", "-m", "Updated")
    assert git(Path(others), "status", "--porcelain") == ""
    git(project, "fsck", "--strict", "--no-dangling")


def unmerged(project: Path) -> set[str]:
    told = git(project, "ls-files", "--unmerged", "-z").split("\0")[:-1]
    return {line.partition("\t")[2] for line in told}
