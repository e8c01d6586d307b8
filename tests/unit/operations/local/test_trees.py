"""Folders as values: what their digest sees, what may not be in them, and copies that are the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scaffolder.operations.local.trees import (
    BadTreeError,
    digest_of,
    linked_copy,
    remove_tree,
    seal,
    stamp_of,
)


def _tree(top: Path) -> Path:
    (top / "b").mkdir(parents=True)
    (top / "a").write_text("1")
    (top / "b" / "ü c").write_bytes(bytes(9))
    (top / "link").symlink_to("b/ü c")
    return top


def test_equal_folders_have_one_digest_whatever_their_times_modes_and_empty_folders(tmp_path: Path) -> None:
    one, other = _tree(tmp_path / "one"), _tree(tmp_path / "other")
    os.utime(other / "a", (1, 1))
    (other / "a").chmod(0o755)
    (other / "empty").mkdir()
    assert digest_of(one) == digest_of(other)
    assert digest_of(one).startswith("sha256:")


@pytest.mark.parametrize("change", ["content", "name", "more", "less", "link", "moved", "kind"])
def test_any_other_difference_is_another_digest(tmp_path: Path, change: str) -> None:
    one, other = _tree(tmp_path / "one"), _tree(tmp_path / "other")
    match change:
        case "content":
            (other / "a").write_text("2")
        case "name":
            (other / "a").rename(other / "A")
        case "more":
            (other / "z").touch()
        case "less":
            (other / "a").unlink()
        case "link":
            (other / "link").unlink()
            (other / "link").symlink_to("a")
        case "moved":
            (other / "a").rename(other / "b/a")
        case _:
            (other / "link").unlink()
            (other / "link").write_text("b/ü c")
    assert digest_of(one) != digest_of(other)


def test_names_and_contents_cannot_be_taken_for_each_other(tmp_path: Path) -> None:
    for name, files in {"one": {"ab": "c"}, "other": {"a": "bc"}}.items():
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(text)
    assert digest_of(tmp_path / "one") != digest_of(tmp_path / "other")


@pytest.mark.parametrize("aim", ["/etc/hostname", "../outside", "gone", "b/../../outside"])
def test_a_link_that_leaves_a_folder_or_goes_nowhere_is_refused(tmp_path: Path, aim: str) -> None:
    (tmp_path / "outside").touch()
    top = _tree(tmp_path / "top")
    (top / "bad").symlink_to(aim)
    for function in (digest_of, seal, lambda place: linked_copy(place, tmp_path / "copy")):
        with pytest.raises(BadTreeError, match="the link bad points to"):
            function(top)


def test_what_links_point_to_is_followed_where_that_is_asked_for_and_circles_are_refused(
    tmp_path: Path,
) -> None:
    data = _tree(tmp_path / "data")
    (tmp_path / "project").mkdir()
    (tmp_path / "project/data").symlink_to(data)
    before = digest_of(tmp_path / "project", follow=True)
    (data / "a").write_text("2")
    assert digest_of(tmp_path / "project", follow=True) != before
    (data / "round").symlink_to(data)
    with pytest.raises(BadTreeError, match="in circles"):
        digest_of(tmp_path / "project", follow=True)


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadTreeError, match="pipe is no file"):
        digest_of(tmp_path)


def test_a_copy_shares_its_files_and_has_the_same_digest(tmp_path: Path) -> None:
    top = _tree(tmp_path / "top")
    seal(top)
    linked_copy(top, tmp_path / "copy")
    assert digest_of(tmp_path / "copy") == digest_of(top)
    assert (tmp_path / "copy/a").stat().st_ino == (top / "a").stat().st_ino
    assert (tmp_path / "copy/link").is_symlink()


def test_sealing_leaves_the_other_names_of_a_file_alone(tmp_path: Path) -> None:
    mine = tmp_path / "users.csv"
    mine.write_text("1")
    mine.chmod(0o644)
    (tmp_path / "top").mkdir()
    (tmp_path / "top/copied").hardlink_to(mine)
    seal(tmp_path / "top")
    assert mine.stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "top/copied").stat().st_mode & 0o777 == 0o444
    assert (tmp_path / "top/copied").read_text() == "1"


def test_a_stamp_tells_when_a_file_was_written_again(tmp_path: Path) -> None:
    top = _tree(tmp_path / "top")
    before = stamp_of(top)
    assert stamp_of(top) == before
    (top / "a").unlink()
    (top / "a").write_text("1")
    assert stamp_of(top) != before


def test_a_folder_that_nobody_may_write_is_removed_all_the_same(tmp_path: Path) -> None:
    top = _tree(tmp_path / "top")
    (top / "b").chmod(0o500)
    remove_tree(top)
    remove_tree(top)
    assert not top.exists()
