"""One turn after the other of the closed loop, over a provider that remembers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scaffolder.operations.port import Opening
from scaffolder.operations.promotion import Paired, compared
from scaffolder.operations.retraining import Compare, FileNotifier, Loop, by_metrics_only
from scaffolder.operations.values import Approval, ModelVersion, RunRequest, Stage
from stacks.intents import ModelMonitor
from tests.operations.memory import open_provider
from tests.operations.platforms import platform_in


def better(champion: ModelVersion, candidate: ModelVersion) -> Paired:
    assert champion.version < candidate.version
    return compared([1.0] * 30 + [0.0] * 70, [0.0] * 100)


class Desk:
    """A platform with a version in production, its clock and the loop of its monitor."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = datetime(2026, 11, 2, 12, tzinfo=UTC)
        self.told: list[str] = []
        platform = platform_in("memory", folder)
        self.provider = open_provider(
            Opening(platform=platform, folder=folder, sleep=self.later, now=lambda: self.now)
        )
        self.monitor = next(one for one in platform.intents if isinstance(one, ModelMonitor))
        self.platform = platform
        self.provider.runs.submit(RunRequest(pipeline="train", token="first"))
        self.later(60)
        first = self.provider.registry.get("churn", 1)
        self.provider.registry.set_approval("churn", first.version, Approval.APPROVED)
        self.provider.registry.set_stage("churn", 1, Stage.PRODUCTION)

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def window(self) -> None:
        """An hour in which all columns drift."""
        self.later(3600)
        self.provider.monitoring.run(self.monitor.name, f"look {self.now}")

    def loop(self, compare: Compare = by_metrics_only) -> Loop:
        notifier = FileNotifier(self.folder / "alerts", self.told.append)
        return Loop(self.provider, self.platform, self.monitor, notifier, compare=compare)

    def drift_runs(self) -> list[str]:
        return [run.ref for run in self.provider.runs.list("train") if run.reason == "drift: churn"]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_one_breached_window_starts_nothing(desk: Desk) -> None:
    desk.window()
    turn = desk.loop().turn(desk.now)
    assert (turn.alarm.raised, turn.retraining.why, turn.started) == (False, "there is no alarm", "")
    assert desk.told == []


def test_two_breached_windows_notify_and_retrain_once(desk: Desk) -> None:
    desk.window()
    desk.window()
    turns = [desk.loop().turn(desk.now) for _ in range(3)]
    assert turns[0].started
    assert [turn.started for turn in turns[1:]] == ["", ""]
    assert desk.drift_runs() == [turns[0].started]
    assert desk.told == [
        "monitor churn: tenure, charge drifted, since 2026-11-02 14:01 UTC",
        f"tenure, charge drifted, since 2026-11-02 14:01 UTC: train runs as {turns[0].started}",
    ]


def test_two_that_turn_at_the_same_time_start_one_run(desk: Desk) -> None:
    desk.window()
    desk.window()
    one, other = desk.loop(), desk.loop()
    found = one.turn(desk.now)
    again = RunRequest(pipeline="train", token=found.retraining.token, reason="drift: churn")
    assert desk.provider.runs.submit(again) == found.started
    assert other.turn(desk.now).started == ""
    assert len(desk.drift_runs()) == 1


def _retrained(desk: Desk, compare: Compare = by_metrics_only) -> tuple[Loop, str]:
    desk.window()
    desk.window()
    loop = desk.loop(compare)
    started = loop.turn(desk.now).started
    desk.later(60)
    return loop, started


def test_a_version_that_is_no_better_is_left_pending_and_it_is_said_why_once(desk: Desk) -> None:
    loop, _ = _retrained(desk)
    turns = [loop.turn(desk.now) for _ in range(2)]
    for turn in turns:
        assert turn.candidate is not None
        assert turn.promotion is not None
        assert (turn.candidate.version, turn.candidate.approval, turn.candidate.stage) == (
            2,
            "pending",
            "none",
        )
        assert not turn.promotion.promote
    (told,) = desk.told[2:]
    assert told == (
        "version 2 of churn is left pending: accuracy was 0.9 with version 1 and is 0.9, "
        "each on the rows that its own run held out: it is not better"
    )
    assert desk.provider.registry.get("churn", 1).stage is Stage.PRODUCTION


def test_a_better_version_waits_for_its_approval_where_people_approve(desk: Desk) -> None:
    loop, _ = _retrained(desk, better)
    turn = loop.turn(desk.now)
    assert turn.promotion is not None
    assert turn.promotion.promote
    assert desk.provider.registry.get("churn", 2).stage is Stage.NONE
    assert desk.told[-1].startswith(
        "version 2 of churn is better and waits for its approval: on the same 100 rows"
    )
    desk.provider.registry.set_approval("churn", 2, Approval.APPROVED)
    loop.turn(desk.now)
    assert desk.provider.registry.get("churn", 2).stage is Stage.PRODUCTION
    assert desk.provider.registry.get("churn", 1).stage is Stage.ARCHIVED
    assert loop.turn(desk.now).promotion is None


def test_a_version_that_a_person_rejected_is_not_promoted(desk: Desk) -> None:
    loop, _ = _retrained(desk, better)
    candidate = desk.provider.registry.get("churn", 2)
    desk.provider.registry.set_approval("churn", candidate.version, Approval.REJECTED)
    assert loop.turn(desk.now).promotion is None
    assert desk.provider.registry.get("churn", 1).stage is Stage.PRODUCTION


def test_drift_that_goes_on_retrains_again_after_the_cool_down_and_not_before(desk: Desk) -> None:
    loop, first = _retrained(desk)
    for _ in range(22):
        desk.window()
        assert loop.turn(desk.now).started == ""
    desk.window()
    desk.window()
    second = loop.turn(desk.now).started
    assert second
    assert desk.drift_runs() == [second, first]


def test_what_was_told_is_kept_and_a_line_that_was_cut_off_is_passed_over(desk: Desk) -> None:
    _retrained(desk)
    file = desk.folder / "alerts" / "alerts.jsonl"
    with file.open("a") as lines:
        lines.write('{"id": "churn: al')
    kept = [*FileNotifier(file.parent).notices()]
    assert [one["kind"] for one in kept] == ["alarm", "retraining"]
    assert json.loads(file.read_text().splitlines()[0])["time"] == "2026-11-02T14:01:00+00:00"
