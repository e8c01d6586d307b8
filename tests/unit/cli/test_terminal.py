from __future__ import annotations

import json
from io import StringIO

import pytest

from scaffolder.cli.terminal import JsonList, Progress


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_progress_waits_a_second_and_leaves_nothing_behind() -> None:
    stream, clock = Terminal(), Clock()
    progress = Progress(3, stream, clock)
    clock.now += 0.9
    progress.step(0, "a.yaml")
    assert stream.getvalue() == ""
    clock.now += 0.2
    progress.step(1, "b.yaml")
    progress.clear()
    progress.clear()
    assert stream.getvalue() == "\r\033[K1 of 3 done, now b.yaml\r\033[K"


def test_progress_fits_its_line() -> None:
    stream, clock = Terminal(), Clock()
    progress = Progress(3, stream, clock)
    clock.now += 2
    progress.step(1, "b" * 100)
    assert len(stream.getvalue().removeprefix("\r\033[K")) == 79


@pytest.mark.parametrize(("total", "stream"), [(3, StringIO()), (1, Terminal())], ids=["a pipe", "one spec"])
def test_progress_is_not_shown_in(total: int, stream: StringIO) -> None:
    clock = Clock()
    progress = Progress(total, stream, clock)
    clock.now += 2
    progress.step(0, "a.yaml")
    progress.clear()
    assert stream.getvalue() == ""


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("head", [{}, {"format": "hcl", "check": True}], ids=["alone", "with a head"])
def test_a_list_printed_item_by_item_is_the_document_printed_at_once(
    head: dict[str, object], count: int, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    items: list[dict[str, object]] = [{"n": n, "text": "日\n", "of": [{"x": None}]} for n in range(count)]
    written = JsonList(head, "items")
    for item in items:
        written.add(item)
    written.close()
    assert json.loads(capsysbinary.readouterr().out) == {**head, "items": items}
