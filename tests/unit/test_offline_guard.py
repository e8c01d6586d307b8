from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.offline_guard import ROOT

Fails = pytest.fail.Exception
IN_HOME = Path.home() / "scaffolder-must-not-write-here"


def swallow_everything(act: Callable[[], object]) -> None:
    try:
        act()
    except Exception as error:
        raise AssertionError("the guard must not be caught by the code under test") from error


@pytest.mark.parametrize(
    "act",
    [
        lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        lambda: socket.create_connection(("127.0.0.1", 9)),
        lambda: socket.getaddrinfo("localhost", 80),
    ],
    ids=["socket", "connection", "name"],
)
def test_a_guarded_test_cannot_use_the_network(act: Callable[[], object]) -> None:
    with pytest.raises(Fails, match="must not use the network"):
        swallow_everything(act)


@pytest.mark.parametrize(
    "act",
    [
        lambda: IN_HOME.write_text("x", encoding="utf-8"),
        lambda: IN_HOME.open("a", encoding="utf-8"),
        IN_HOME.mkdir,
        IN_HOME.unlink,
        IN_HOME.rmdir,
        lambda: (ROOT / "pyproject.toml").rename(IN_HOME),
        lambda: IN_HOME.symlink_to(ROOT),
    ],
    ids=["write", "append", "mkdir", "unlink", "rmdir", "rename", "symlink"],
)
@pytest.mark.skipif(Path.home() == Path("/"), reason="this user's home is the whole file system")
def test_a_guarded_test_cannot_change_the_home_directory(act: Callable[[], object]) -> None:
    with pytest.raises(Fails, match="must not write to the home directory"):
        swallow_everything(act)
    assert not IN_HOME.is_symlink()
    assert not IN_HOME.exists()


def test_a_guarded_test_may_write_temporary_files_and_read_its_home(tmp_path: Path) -> None:
    written = tmp_path / "folder" / "file"
    written.parent.mkdir()
    written.write_text("x", encoding="utf-8")
    written.rename(tmp_path / "file")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "x"
    assert list(Path.home().iterdir()) is not None
