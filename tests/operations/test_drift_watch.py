"""The scheduled look at the last window, over folders: what is decided when, and what a second look changes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import scaffolder.drift
from scaffolder.drift.history import History
from scaffolder.drift.job import main
from scaffolder.drift.places import Folder
from tests.operations.watching import NOON, Job, known, requests

HOUR = timedelta(hours=1)


class Desk:
    """A place with captures, and the job that reads them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "baseline").mkdir()
        (folder / "baseline" / "drift-baseline.json").write_bytes(known())
        self.job = Job(
            captured=f"sagemaker:{(folder / 'capture').as_uri()}",
            results=str(folder / "results"),
            baseline=str(folder / "baseline"),
        )

    def hour(self, number: int, *, shift: float = 0.0, size: int = 60) -> None:
        """Keep the requests of the hour that begins so many hours from noon."""
        begin = NOON + number * HOUR
        place = self.folder / "capture" / "acme-churn" / "AllTraffic" / begin.strftime("%Y/%m/%d/%H")
        place.mkdir(parents=True)
        lines = (json.dumps(one) for one in requests(begin, shift=shift, size=size))
        (place / "00-00-000.jsonl").write_text("\n".join(lines))

    def hours(self, pattern: str) -> None:
        """Keep an hour for each letter: x drifted, . as ever, - of too few requests."""
        for number, letter in enumerate(pattern):
            self.hour(number, shift=20.0 * (letter == "x"), size=5 if letter == "-" else 60)

    def after(self, number: int) -> datetime:
        """Ten minutes after the end of an hour, as the schedule starts the job."""
        return NOON + (number + 1) * HOUR + timedelta(minutes=10)

    def windows(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "results" / "windows").iterdir())

    def window(self, number: int) -> dict[str, Any]:
        name = (NOON + number * HOUR).strftime("%Y%m%dT%H%M%SZ.json")
        found: dict[str, Any] = json.loads((self.folder / "results" / "windows" / name).read_text())
        return found

    def retrainings(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "results" / "retrainings").iterdir())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_last_complete_window_is_looked_at_and_no_row_beside_it(desk: Desk) -> None:
    desk.hours("x.x")
    assert desk.job.figures(desk.after(1)) == (0, 0)
    assert desk.job.said["windows"] == [
        {
            "window_start": "2026-11-02T13:00:00+00:00",
            "window_end": "2026-11-02T14:00:00+00:00",
            "rows": 60,
            "unread": 0,
        }
    ]
    assert desk.job.said["drift_score"] == 0
    assert desk.windows() == ["20261102T130000Z.json"]


def test_a_window_that_has_just_ended_is_given_time_for_its_last_requests(desk: Desk) -> None:
    desk.hours(".")
    desk.job.figures(NOON + HOUR + timedelta(seconds=100))
    assert desk.job.clock.slept == 200


def test_two_breaches_of_three_are_an_alarm_and_ask_once_for_a_retraining(desk: Desk) -> None:
    desk.hours("x.xx..x")
    desk.job.more = ["--cooldown-s=7200"]
    said = [desk.job.figures(desk.after(number)) for number in range(7)]
    assert said == [(0, 0), (0, 0), (1, 1), (1, 0), (1, 1), (0, 0), (0, 0)]
    assert desk.retrainings() == ["00000001.json", "00000002.json"]


def test_of_two_jobs_that_decide_at_the_same_moment_one_asks(tmp_path: Path) -> None:
    one, other = (History(Folder(tmp_path)) for _ in range(2))
    assert one.last_retraining() == other.last_retraining() == (0, None)
    assert [job.claim(1, NOON, "tenure drifted") for job in (one, other)] == [True, False]
    number, started = other.last_retraining()
    assert started is not None
    assert (number, started.created) == (1, NOON)


def test_without_a_cool_down_a_monitor_retrains_nothing(desk: Desk) -> None:
    desk.hours("xx")
    assert [desk.job.figures(desk.after(number)) for number in range(2)] == [(0, 0), (1, 0)]
    assert not (desk.folder / "results" / "retrainings").exists()


def test_a_second_look_at_the_same_window_says_the_same_and_starts_nothing(desk: Desk) -> None:
    desk.hours("xx")
    desk.job.more = ["--cooldown-s=86400"]
    assert [desk.job.figures(desk.after(number)) for number in range(2)] == [(0, 0), (1, 1)]
    first, before = desk.job.said, desk.window(1)
    shutil.rmtree(desk.folder / "capture")
    assert desk.job.figures(desk.after(1) + timedelta(minutes=9)) == (1, 0)
    assert desk.job.said["drift_score"] == first["drift_score"]
    assert desk.window(1) == before


def test_missed_windows_are_caught_up_and_no_more_than_the_alarm_and_two_need(desk: Desk) -> None:
    desk.hours("........x")
    desk.job.figures(desk.after(0))
    desk.job.figures(desk.after(8))
    assert len(desk.job.said["windows"]) == 5
    assert desk.windows() == [f"20261102T{hour}0000Z.json" for hour in (12, 16, 17, 18, 19, 20)]
    assert desk.job.said["drift_score"] > 0.2


def test_a_window_of_too_few_rows_publishes_nothing_and_is_no_failure(desk: Desk) -> None:
    desk.hours("-x-x")
    assert desk.job.run(desk.after(0)) == 0
    assert desk.job.said == {
        "monitor": "churn",
        "windows": [desk.window(0)["window"]],
        "notes": ["data: not enough rows: 5 of at least 30"],
        "published": False,
    }
    desk.job.figures(desk.after(1))
    assert desk.job.run(desk.after(2)) == 0
    assert desk.job.figures(desk.after(3)) == (1, 0)


def test_late_labels_decide_a_window_that_waited_for_them_and_change_nothing_else(desk: Desk) -> None:
    desk.hours("x...")
    desk.job.more = ["--concept=0.2", f"--labels={desk.folder / 'labels'}"]
    desk.job.figures(desk.after(0))
    before = desk.window(0)
    assert [one["kind"] for one in before["undecided"]] == ["concept"]
    (desk.folder / "labels").mkdir()
    wrong = [f"12-{number},{1 - number % 2}" for number in range(60)]
    (desk.folder / "labels" / "november.csv").write_text("\n".join(["id,label", *wrong]))
    desk.job.figures(desk.after(1))
    after = desk.window(0)
    assert after["undecided"] == []
    assert after["results"][:-1] == before["results"]
    assert (after["results"][-1]["kind"], after["results"][-1]["breached"]) == ("concept", True)
    assert len(desk.job.said["windows"]) == 2


def test_labels_that_come_after_the_alarms_windows_change_nothing(desk: Desk) -> None:
    desk.hours("....")
    desk.job.more = ["--concept=0.2", f"--labels={desk.folder / 'labels'}", "--windows=2"]
    for number in range(3):
        desk.job.figures(desk.after(number))
    (desk.folder / "labels").mkdir()
    (desk.folder / "labels" / "l.csv").write_text("\n".join(["id,label", *(f"12-{n},0" for n in range(60))]))
    desk.job.figures(desk.after(3))
    assert [one["kind"] for one in desk.window(0)["undecided"]] == ["concept"]


def test_only_named_columns_raise_the_alarm(desk: Desk) -> None:
    desk.hours("xx")
    desk.job.more = ["--column=plan"]
    assert [desk.job.figures(desk.after(number)) for number in range(2)] == [(0, 0), (0, 0)]
    assert desk.job.said["drift_score"] > 0.2


def test_a_longer_window_begins_where_the_shorter_ones_ended(desk: Desk) -> None:
    desk.hours("....")
    desk.job.figures(desk.after(0))
    desk.job.more = ["--every-s=7200"]
    desk.job.figures(desk.after(1))
    desk.job.figures(desk.after(3))
    assert desk.windows() == ["20261102T120000Z.json", "20261102T140000Z.json"]


def test_a_window_of_days_is_read_from_each_days_folders_and_a_request_that_is_filed_late_too(
    desk: Desk,
) -> None:
    for number in (
        -13,
        -12,
        -1,
        11,
        12,
    ):  # 23:00 the day before, 00:00, 11:00, 23:00, and 00:00 the day after
        desk.hour(number)
    place = desk.folder / "capture" / "acme-churn" / "AllTraffic" / "2026/11/03/00" / "late.jsonl"
    place.write_text("\n".join(json.dumps(one) for one in requests(NOON + 11 * HOUR, size=7)))
    desk.job.more = ["--every-s=86400"]
    desk.job.figures(NOON + timedelta(hours=12, minutes=10))
    (window,) = desk.job.said["windows"]
    assert (window["window_start"], window["rows"]) == ("2026-11-02T00:00:00+00:00", 3 * 60 + 7)


def test_without_a_baseline_the_job_fails_and_says_how_one_is_made(desk: Desk) -> None:
    desk.hours(".")
    shutil.rmtree(desk.folder / "baseline")
    assert desk.job.run(desk.after(0)) == 2
    assert desk.job.error == (
        f"drift: there is no drift-baseline.json below {desk.folder / 'baseline'}: `drift baseline` makes it from rows\n"
    )


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--captured=s3://bucket", "s3://bucket does not say FORMAT:ADDRESS"),
        ("--captured=bigquery:`; DROP", "`; DROP is no PROJECT.DATASET.TABLE"),
        ("--publish=cloudwatch:eu-west-1", "cloudwatch:eu-west-1 names no way to publish"),
        ("--every-s=0", "0 is not 1 or more"),
    ],
)
def test_an_option_that_is_not_understood_ends_the_job_before_it_looks(
    option: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["watch", option])
    assert says in capsys.readouterr().err


@pytest.mark.slow
def test_a_copy_of_the_folder_watches_where_this_project_is_not(desk: Desk) -> None:
    desk.hours("x")
    shutil.copytree(Path(scaffolder.drift.__file__).parent, desk.folder / "drift")
    program = (
        "import sys, runpy; sys.meta_path.insert(0, type('No', (), {'find_spec': staticmethod("
        "lambda name, path=None, target=None: (_ for _ in ()).throw(ImportError(name)) "
        "if name.split('.')[0] in ('scaffolder', 'stacks', 'boto3') else None)}));"
        "sys.path.insert(0, '.'); runpy.run_module('drift', run_name='__main__', alter_sys=True)"
    )
    options = [f"--{name}={desk.folder / name}" for name in ("baseline", "results")]
    done = subprocess.run(
        [
            *(sys.executable, "-I", "-c", program, "watch", "--monitor=churn", "--every-s=3600", *options),
            f"--captured=files:{desk.folder / 'capture'}",
        ],
        cwd=desk.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["published"] is False
    assert len(desk.windows()) == 1
