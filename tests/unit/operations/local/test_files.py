"""Files that are whole, locks that end with their owner, and folders that stay where they belong."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from scaffolder.operations.errors import InvalidRequest, Unavailable
from scaffolder.operations.local.files import disk_errors, open_lock, read_json, take_lock, write_json
from scaffolder.operations.local.layout import Layout


def test_a_file_that_cannot_be_replaced_stays_as_it_was_and_nothing_is_left(tmp_path: Path) -> None:
    write_json(tmp_path / "a", {"n": 1})
    (tmp_path / "b").mkdir()
    (tmp_path / "b/in the way").touch()
    with pytest.raises(TypeError):
        write_json(tmp_path / "a", {"n": object()})
    with pytest.raises(OSError, match="directory"):
        write_json(tmp_path / "b", {"n": 2})
    assert read_json(tmp_path / "a") == {"n": 1}
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", b'{"n": 1'])
def test_half_a_file_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    assert read_json(tmp_path / "a") is None
    assert read_json(tmp_path / "b") is None


def test_names_that_are_no_utf_8_survive(tmp_path: Path) -> None:
    value = {"path": os.fsdecode(b"caf\xe9")}
    write_json(tmp_path / "a", value)
    assert read_json(tmp_path / "a") == value


def test_a_lock_is_held_by_one_and_free_when_it_is_closed(tmp_path: Path) -> None:
    first, second = open_lock(tmp_path / "lock"), open_lock(tmp_path / "lock")
    assert take_lock(first)
    slept: list[float] = []
    assert not take_lock(second, slept.append)
    assert 0.5 < sum(slept) < 2
    os.close(first)
    assert take_lock(second)
    os.close(second)


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "scaffolder destroy"),
        (errno.EROFS, "writable"),
        (errno.EACCES, "writable"),
        (errno.EIO, ""),
    ],
)
def test_what_the_disk_refuses_is_said_with_what_to_do(number: int, says: str) -> None:
    with pytest.raises(Unavailable) as refused, disk_errors("the run cannot be started"):
        raise OSError(number, os.strerror(number), "/x/.scaffolder")
    assert f"the run cannot be started: {os.strerror(number)} (/x/.scaffolder)" in str(refused.value)
    assert says in refused.value.remedy


def test_a_bucket_is_read_beside_the_spec_if_it_is_there_and_never_written_there(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    written = tmp_path / ".scaffolder/buckets/data/raw/a"
    assert layout.bucket_to_read("data", "raw/a") == written
    (tmp_path / "data/raw/a").mkdir(parents=True)
    assert layout.bucket_to_read("data", "/raw//./a/") == tmp_path / "data/raw/a"
    assert layout.bucket_to_write("data", "raw/a") == written
    assert layout.place("data:raw/a") == tmp_path / "data/raw/a"
    assert layout.place("data:raw/a", writing=True) == written


@pytest.mark.parametrize("path", ["..", "a/../../b", "../x", "a\0b"])
def test_no_path_leaves_its_bucket(tmp_path: Path, path: str) -> None:
    with pytest.raises(InvalidRequest, match="leaves the bucket data"):
        Layout(tmp_path).bucket_to_read("data", path)


def test_a_place_is_a_bucket_s_a_file_uri_or_a_path_and_nothing_of_a_cloud(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    assert layout.place("rows/a.csv") == tmp_path / "rows/a.csv"
    assert layout.place("/x y/a") == Path("/x y/a")
    assert layout.place("file:///x%20y/a") == Path("/x y/a")
    with pytest.raises(InvalidRequest, match="s3://bucket/key is not on this machine"):
        layout.place("s3://bucket/key")


def test_the_folder_keeps_itself_out_of_version_control(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.made(layout.runs)
    (tmp_path / ".scaffolder/.gitignore").write_text("mine")
    layout.made(layout.cache)
    assert (tmp_path / ".scaffolder/.gitignore").read_text() == "mine"
