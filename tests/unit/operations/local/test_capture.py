from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from scaffolder.operations.local.capture import Capture, Captured
from tests.operations.local.captures import captured

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def _one(number: int, request: bytes = b"tenure\n3\n") -> Captured:
    return Captured(
        time=NOON + timedelta(seconds=number),
        id=f"r{number}",
        deployment="blue",
        model="churn",
        version=3,
        content_type="text/csv",
        request=request,
        answer_content_type="text/csv",
        answer=b"1\n",
    )


def _written(folder: Path, *ones: Captured, rotated_at: int = 1 << 20) -> Capture:
    capture = Capture(folder, rotated_at=rotated_at)
    for one in ones:
        capture.put(one)
    capture.close()
    return capture


def test_what_was_put_is_read_back_whatever_its_bytes(tmp_path: Path) -> None:
    ones = [_one(1), _one(2, "é\n".encode()), _one(3, b"\xff\x00")]
    _written(tmp_path, *ones)
    assert [*captured(tmp_path)] == ones


def test_a_window_begins_with_its_start_and_ends_before_its_end(tmp_path: Path) -> None:
    _written(tmp_path, *(_one(number) for number in range(5)))
    found = captured(tmp_path, since=NOON + timedelta(seconds=1), until=NOON + timedelta(seconds=3))
    assert [one.id for one in found] == ["r1", "r2"]


def test_a_full_file_is_followed_by_another(tmp_path: Path) -> None:
    _written(tmp_path, _one(1), rotated_at=10)
    _written(tmp_path, _one(2), rotated_at=10)
    assert len([*tmp_path.iterdir()]) == 2
    assert [one.id for one in captured(tmp_path)] == ["r1", "r2"]


def test_a_line_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    _written(tmp_path, _one(1), _one(2))
    [file] = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-20])
    assert [one.id for one in captured(tmp_path)] == ["r1"]


def test_of_a_hundred_requests_as_many_are_wanted_as_the_percent_says(tmp_path: Path) -> None:
    capture = _written(tmp_path)
    for percent in (0, 1, 33, 100):
        assert sum(capture.is_wanted(f"d{percent}", percent) for _ in range(100)) == percent


def test_a_disk_that_takes_nothing_costs_lines_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert _written(tmp_path / "file", _one(1), _one(2)).dropped == 2


def test_a_folder_that_is_not_there_has_captured_nothing(tmp_path: Path) -> None:
    assert [*captured(tmp_path / "none")] == []
