"""Lines of a run's log: how they are cut, and that a cursor neither repeats nor loses one."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffolder.operations.errors import InvalidRequest
from scaffolder.operations.local.logs import Lines, Log, log_lines

NOW = datetime(2026, 11, 1, 12, 30, 1, 250_000, tzinfo=UTC)


@given(st.lists(st.binary(max_size=60)))
def test_however_the_bytes_come_the_lines_are_the_same(pieces: list[bytes]) -> None:
    at_once, one_by_one = Lines(), Lines()
    whole = at_once.add(b"".join(pieces)) + at_once.end()
    parts = [line for piece in pieces for line in one_by_one.add(piece)] + one_by_one.end()
    assert whole == parts
    assert not any("\n" in line.decode() or "\r" in line.decode().rstrip("\r") for line in whole)


@given(st.text(alphabet=st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]), max_size=50))
def test_a_long_line_comes_in_pieces_and_no_character_is_cut(text: str) -> None:
    lines = Lines()
    pieces = lines.add((text * 900).encode()) + lines.end()
    assert "".join(piece.decode() for piece in pieces) == text * 900


def test_what_a_progress_bar_overwrote_is_left_out() -> None:
    assert Lines().add(b"10 %\r20 %\r\n30 %\r40 %\n") == [b"20 %", b"40 %"]


def test_a_step_that_never_stops_writing_is_cut_off_and_says_so() -> None:
    lines, chunk = Lines(), b"x" * 999_999 + b"\n"
    written = [lines.add(chunk)[-1] for _ in range(100)]
    assert written[-1] == b"(the rest of what this step writes is left out)"
    assert lines.add(b"more\n") == []


def _log(path: Path) -> Path:
    log = Log(path)
    log.write("prepare", [b"one", b""], NOW)
    log.write("train", ["två  spaces ".encode()], NOW)
    log.close()
    return path


def test_lines_come_back_as_they_were(tmp_path: Path) -> None:
    lines = [*log_lines(_log(tmp_path / "log"), step=None, after="")]
    assert [(line.step, line.text, line.time) for line in lines] == [
        ("prepare", "one", NOW),
        ("prepare", "", NOW),
        ("train", "två  spaces ", NOW),
    ]
    for place, line in enumerate(lines):
        assert [*log_lines(tmp_path / "log", step=None, after=line.cursor)] == lines[place + 1 :]


def test_a_line_that_a_crash_cut_is_not_shown_and_ends_before_the_next(tmp_path: Path) -> None:
    path = _log(tmp_path / "log")
    with path.open("ab") as file:
        file.write(b"2026-11-01T12:3")
    assert len([*log_lines(path, step=None, after="")]) == 3
    log = Log(path)
    log.write("train", [b"again"], NOW)
    log.close()
    assert [line.text for line in log_lines(path, step="train", after="")] == ["två  spaces ", "again"]


def test_a_cursor_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="'abc' is no place in a log"):
        [*log_lines(_log(tmp_path / "log"), step=None, after="abc")]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")  # noqa: PTH110
def test_a_full_disk_is_an_error_and_no_silence() -> None:
    with pytest.raises(OSError, match="No space left"):
        Log(Path("/dev/full")).write("train", [b"x"], NOW)
