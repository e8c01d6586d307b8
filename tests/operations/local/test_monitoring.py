"""A monitor's story on this machine, told once: served, looked at, drifted, labelled, retrained, judged, reported."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from scaffolder.drift.baseline import baseline, dumped
from scaffolder.operations.alarms import windows_of
from scaffolder.operations.errors import InvalidRequest, NotFound
from scaffolder.operations.local import open_provider
from scaffolder.operations.local.capture import Captured
from scaffolder.operations.local.monitoring import LocalMonitoring
from scaffolder.operations.local.provider import LocalProvider
from scaffolder.operations.local.reports import write_report
from scaffolder.operations.port import Opening
from scaffolder.operations.retraining import FileNotifier, Loop, Turn
from scaffolder.operations.values import (
    FINISHED,
    Approval,
    Autoscaling,
    DeployRequest,
    DriftResult,
    EndpointState,
    MonitorStatus,
    RunRequest,
    RunState,
    Stage,
)
from stacks.intents import ModelMonitor
from tests.operations.local.captures import captured
from tests.operations.platforms import platform_in
from tests.operations.registries import give_registry

SHIFT = 30
PATIENCE_S = 600.0


def customers(rows: int, shift: float = 0.0) -> list[tuple[float, int, int]]:
    """Tenure, charge and whether they leave: a short tenure decides, and after a shift what was short is longer."""
    return [
        ((number * 37) % 60 + shift, 20 + (number * 53) % 90, int((number * 37) % 60 < 25))
        for number in range(rows)
    ]


def training(shift: float = 0.0) -> str:
    lines = [f"{tenure},{charge},{leaves}" for tenure, charge, leaves in customers(300, shift)]
    return "\n".join(["tenure,charge,churned", *lines]) + "\n"


def request(rows: int, shift: float = 0.0) -> bytes:
    lines = [f"{tenure},{charge}" for tenure, charge, _ in customers(rows, shift)]
    return ("\n".join(["tenure,charge", *lines]) + "\n").encode()


class Story:
    """What happened, in order; the tests ask about it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        platform = platform_in("local", folder)
        give_registry(folder)
        self.provider: LocalProvider = open_provider(
            Opening(platform=platform, folder=folder, sleep=time.sleep)
        )
        self.monitoring: LocalMonitoring = self.provider.monitoring
        self.monitor = next(one for one in platform.intents if isinstance(one, ModelMonitor))
        self.told: list[str] = []
        notifier = FileNotifier(folder / ".scaffolder/monitors", self.told.append)
        self.loop = Loop(self.provider, platform, self.monitor, notifier)
        self.looks: list[tuple[DriftResult, ...]] = []
        self.statuses: list[MonitorStatus] = []
        self.turns: list[Turn] = []

    def train(self, shift: float = 0.0) -> None:
        self.write("data/raw/2026-11-01/rows.csv", training(shift))

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def finish(self, ref: str) -> None:
        until(lambda: self.provider.runs.describe(ref).state in FINISHED, ref)
        run = self.provider.runs.describe(ref)
        assert run.state is RunState.SUCCEEDED, (
            run.error,
            [line.text for line in self.provider.runs.logs(ref)],
        )

    def serve(self, version: int) -> None:
        self.provider.serving.deploy(
            DeployRequest(
                endpoint="churn",
                deployment=f"v{version}x",
                model="churn",
                version=version,
                instance="cpu.medium",
                scaling=Autoscaling(min_replicas=1, max_replicas=1),
                capture_percent=100,
            )
        )
        until(lambda: self.provider.serving.describe("churn").state is EndpointState.IN_SERVICE, "serving")

    def ask(self, rows: int, shift: float = 0.0) -> None:
        before = len(self.captured())
        self.provider.serving.invoke("churn", request(rows, shift))
        until(lambda: len(self.captured()) > before, "capture")  # it is written after the answer

    def captured(self) -> list[Captured]:
        return [*captured(self.folder / ".scaffolder/endpoints/churn/capture")]

    def look(self) -> None:
        before = max((one.window_end for one in self.monitoring.results("churn")), default=None)
        self.finish(self.monitoring.run("churn", f"look {len(self.looks)}"))
        self.looks.append((*self.monitoring.results("churn", since=before),))
        (status,) = self.monitoring.list()
        self.statuses.append(status)

    def label(self) -> None:
        """Say of every row so far what became true."""
        lines = ["id,row,churned"]
        for one in self.captured():
            rows = one.request.decode().splitlines()[1:]
            shift = SHIFT if float(rows[0].split(",")[0]) >= SHIFT else 0.0
            truth = customers(len(rows), shift)
            lines += [f"{one.id},{place},{leaves}" for place, (_, _, leaves) in enumerate(truth)]
        self.write("data/labels/churn/november.csv", "\n".join(lines) + "\n")

    def turn(self) -> Turn:
        self.turns.append(self.loop.turn(datetime.now().astimezone()))
        return self.turns[-1]

    def file(self, name: str) -> Any:
        (found,) = (self.folder / ".scaffolder/monitors/churn").glob(name)
        return json.loads(found.read_text())


def until(done: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < end, f"not in {PATIENCE_S:.0f} s: {what}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    told = Story(tmp_path_factory.mktemp("monitored"))
    told.train()
    told.finish(told.provider.runs.submit(RunRequest(pipeline="train", token=f"story {time.time_ns()}")))
    told.provider.registry.set_approval("churn", 1, Approval.APPROVED)
    told.provider.registry.set_stage("churn", 1, Stage.PRODUCTION)
    told.serve(1)
    try:
        told.monitoring.ensure(told.monitor)
        told.ask(200)
        told.look()  # 0: nothing new
        told.ask(10)
        told.look()  # 1: too few rows
        told.ask(40)
        told.look()  # 2: those and these
        told.ask(200, SHIFT)
        told.look()  # 3: drifted, and no label is there
        told.label()
        told.ask(200, SHIFT)
        told.look()  # 4: drifted again, and the labels of all before
        told.train(SHIFT)
        told.finish(told.turn().started)
        told.turn()
        told.provider.registry.set_approval("churn", 2, Approval.APPROVED)
        told.turn()
        yield told
    finally:
        for item in told.provider.teardown.inventory():
            told.provider.teardown.remove(item)


def names(results: Sequence[DriftResult]) -> set[tuple[str, str, str]]:
    return {(one.kind, one.feature, one.metric) for one in results if one.breached}


DRIFTED = {("data", "tenure", "ks"), ("prediction", "", "tv")}
pytestmark = pytest.mark.slow


def test_the_baseline_is_of_the_rows_that_the_version_was_trained_on(story: Story) -> None:
    made = story.file("baselines/churn-1/drift-baseline.json")
    assert (made["rows"], made["label"]) == (225, "churned")
    assert [column["name"] for column in made["columns"]] == ["tenure", "charge"]
    assert made["mistakes"]["rows"] == 75  # those that the run held out


def test_requests_like_the_training_rows_are_no_drift(story: Story) -> None:
    assert names(story.looks[0]) == set()
    assert {one.rows for one in story.looks[0]} == {200}
    assert story.statuses[0].alarm is False


def test_a_window_of_too_few_rows_is_not_decided_and_grows_until_it_has_enough(story: Story) -> None:
    assert story.looks[1] == ()
    assert "data drift not decided: not enough rows: 10 of at least 30" in story.statuses[1].detail
    assert {one.rows for one in story.looks[2]} == {50}
    assert {one.window_start for one in story.looks[2]} == {story.looks[0][0].window_end}


def test_windows_never_overlap(story: Story) -> None:
    windows = windows_of(story.monitoring.results("churn"))
    assert len(windows) == 4
    assert all(one.end <= other.start for one, other in itertools.pairwise(windows))


def test_shifted_requests_are_drift_of_the_column_and_of_what_the_model_answers(story: Story) -> None:
    assert names(story.looks[3]) == DRIFTED


def test_one_drifted_window_is_no_alarm_and_two_are(story: Story) -> None:
    assert [status.alarm for status in story.statuses] == [False, False, False, False, True]


def test_labels_that_come_later_decide_the_windows_that_waited_for_them(story: Story) -> None:
    assert "concept drift not decided: 0 of 200 rows have a label yet" in story.statuses[3].detail
    results = [one for one in story.monitoring.results("churn") if one.kind == "concept"]
    assert [(one.breached, one.rows) for one in results][:3] == [(False, 200), (False, 50), (True, 200)]
    drifted = results[2]
    assert drifted.window_end == story.looks[3][0].window_end
    assert drifted.value == pytest.approx(0.41, abs=0.06)  # those who leave, whom the old threshold misses


def test_the_alarm_retrains_and_the_better_version_waits_for_its_approval_and_is_promoted_then(
    story: Story,
) -> None:
    first, second, third = story.turns
    run = story.provider.runs.describe(first.started)
    assert (run.reason, run.pipeline) == ("drift: churn", "train")
    assert second.started == ""
    assert second.candidate is not None
    assert second.promotion is not None
    assert second.promotion.paired is not None
    assert (second.candidate.version, second.candidate.stage) == (2, Stage.NONE)
    assert (second.promotion.paired.test, second.promotion.paired.rows) == ("McNemar", 75)
    assert second.promotion.promote, second.promotion.why
    assert third.candidate is not None
    assert third.candidate.stage is Stage.PRODUCTION
    assert [one["kind"] for one in FileNotifier(story.folder / ".scaffolder/monitors").notices()] == [
        "alarm",
        "retraining",
        "better",
        "promoted",
    ]


def test_a_look_is_a_run_with_its_log(story: Story) -> None:
    run = next(one for one in story.provider.runs.list() if one.reason == "monitor: churn")
    lines = [line.text for line in story.provider.runs.logs(run.ref)]
    assert any("data drift tenure: ks" in line for line in lines), lines


def test_one_token_looks_once(story: Story) -> None:
    before = len([*story.provider.runs.list()])
    story.monitoring.run("churn", "look 4")
    assert len([*story.provider.runs.list()]) == before


def test_the_report_has_our_numbers_on_top_and_needs_no_network(story: Story) -> None:
    page = story.monitoring.report("churn").read_text()
    last = [
        one for one in story.monitoring.results("churn") if one.window_end == story.looks[4][0].window_end
    ]
    ours = page[page.index('<section class="scaffolder">') : page.index("</section>")]
    rows = [re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in re.findall(r"<tr[^>]*>(<td.*?)</tr>", ours)]
    assert [(row[0], row[1], row[3], row[4]) for row in rows] == [
        (one.kind, one.feature, f"{one.value:.3f}", f"{one.threshold:g}") for one in last
    ]
    assert '"column_name": "tenure"' in page  # Evidently's part
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"']?https?:", page)
    (place,) = {one.report_uri for one in story.monitoring.results("churn") if one.report_uri}
    assert Path(place).read_text() == page


def test_what_clients_send_cannot_become_a_script_of_the_report(tmp_path: Path) -> None:
    attack = "</script><script>alert(1)</script>"
    made = baseline({"plan": ["basic", attack] * 50, attack: [1.5, 2.5] * 50})
    (tmp_path / "drift-baseline.json").write_text(dumped(made))
    moment = "2026-11-02T12:00:00+00:00"
    (tmp_path / "capture.jsonl").write_text(
        "".join(
            json.dumps(
                {"id": "a", "version": 1, "time": moment, "request": f"{attack},{number}", "answer": "1"}
            )
            + "\n"
            for number in range(50)
        )
    )
    look = {
        "baseline": str(tmp_path / "drift-baseline.json"),
        "captured": str(tmp_path),
        "version": 1,
        "start": moment,
        "end": "2026-11-02T13:00:00+00:00",
    }
    found: dict[str, Any] = {"window": {"rows": 50}, "results": [], "undecided": []}
    page = write_report(tmp_path / "report.html", attack, look, found).read_text()
    assert "\\u2039script\\u203aalert(1)" in page  # shown, and harmless
    assert "<script>alert(1)" not in page


def test_the_status_says_how_to_look_regularly(story: Story) -> None:
    detail = story.statuses[0].detail
    assert "to look each 1h, add to your crontab:\n0 * * * * cd " in detail
    assert detail.endswith("/scaffolder monitors run churn --env local")


def test_a_monitor_of_an_endpoint_that_serves_nothing_says_so(tmp_path: Path) -> None:
    other = Story(tmp_path)
    with pytest.raises(InvalidRequest, match="nothing serves behind the endpoint 'churn'"):
        other.monitoring.run("churn", "one")
    with pytest.raises(NotFound, match="has decided no window yet"):
        other.monitoring.report("churn")
