"""The drift job as a program: from folders to a file, and from a copy of its folder alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scaffolder.drift
from scaffolder.drift.job import main
from scaffolder.drift.reading import captures, labels_of, window_of

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
COLUMNS = ("tenure", "plan")


def write_training(folder: Path) -> Path:
    folder.mkdir()
    dice = np.random.default_rng(1)
    tenures, plans = dice.normal(40, 10, 600), dice.choice(["basic", "größer"], 600)
    lines = [f"{tenure:.2f},{plan},{int(tenure < 40)}" for tenure, plan in zip(tenures, plans, strict=True)]
    (folder / "rows.csv").write_text("\n".join(["tenure,plan,churned", *lines]) + "\n", encoding="utf-8")
    answers = [f"{line},{line[-1]}" for line in lines[:200]]
    (folder.parent / "held-out").mkdir()
    (folder.parent / "held-out" / "rows.csv").write_text(
        "\n".join(["tenure,plan,churned,prediction", *answers]) + "\n", encoding="utf-8"
    )
    return folder


def asked(size: int, *, shift: float = 0.0, begin: datetime = NOON) -> list[dict[str, Any]]:
    """Requests of a row each, a minute apart, as the local endpoint keeps them."""
    dice = np.random.default_rng(size)
    return [
        {
            "time": (begin + timedelta(minutes=number)).isoformat(),
            "id": f"request-{number}",
            "deployment": "v1",
            "version": 1,
            "request": f"tenure,plan\n{dice.normal(40 + shift, 10):.2f},{dice.choice(['basic', 'größer'])}\n",
            "answer": "1\n" if dice.random() < 0.5 else "0\n",
        }
        for number in range(size)
    ]


def write_lines(folder: Path, lines: Sequence[object], name: str = "capture.jsonl") -> Path:
    folder.mkdir(exist_ok=True)
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def look(place: Path, *more: str) -> dict[str, Any]:
    """Make a baseline and look at the window below a place."""
    training = place / "training"
    if not training.exists():
        write_training(training)
    held_out = str(place / "held-out")
    made = ["baseline", "--rows", str(training), "--output", str(place), "--label", "churned"]
    assert main([*made, "--held-out", held_out]) == 0
    window = ["--window", str(place / "window"), "--output", str(place / "out")]
    assert main(["check", "--baseline", str(place), *window, *more]) == 0
    found: dict[str, Any] = json.loads((place / "out" / "drift.json").read_text(encoding="utf-8"))
    return found


def breached(found: dict[str, Any]) -> set[str]:
    return {one["feature"] or one["kind"] for one in found["results"] if one["breached"]}


def test_the_results_are_flat_records_with_their_window(tmp_path: Path) -> None:
    write_lines(tmp_path / "window", asked(100, shift=10))
    found = look(tmp_path, "--monitor", "churn")
    assert found["monitor"] == "churn"
    assert found["windows"] == [
        {
            "window_start": "2026-11-02T12:00:00+00:00",
            "window_end": "2026-11-02T13:39:00+00:00",
            "rows": 100,
            "unread": 0,
        }
    ]
    tenure = next(one for one in found["results"] if one["feature"] == "tenure")
    assert {name: tenure[name] for name in ("kind", "metric", "threshold", "breached", "rows")} == {
        "kind": "data",
        "metric": "ks",
        "threshold": 0.2,
        "breached": True,
        "rows": 100,
    }
    assert tenure["window_start"] == found["windows"][0]["window_start"]
    assert breached(found) == {"tenure"}


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    write_lines(tmp_path / "window", asked(100, shift=10))
    look(tmp_path)
    before = [(tmp_path / name).read_bytes() for name in ("drift-baseline.json", "out/drift.json")]
    look(tmp_path)
    assert [(tmp_path / name).read_bytes() for name in ("drift-baseline.json", "out/drift.json")] == before


def test_a_window_is_cut_by_time(tmp_path: Path) -> None:
    later = asked(60, shift=20, begin=NOON + timedelta(hours=6))
    write_lines(tmp_path / "window", [*asked(60), *later])
    until = (NOON + timedelta(hours=6)).isoformat()
    assert breached(look(tmp_path, "--until", until)) == set()
    assert breached(look(tmp_path, "--since", until)) == {"tenure"}


def test_each_window_that_is_given_is_a_window_of_its_own(tmp_path: Path) -> None:
    write_lines(tmp_path / "window", asked(60))
    other = write_lines(tmp_path / "other", asked(60, shift=20, begin=NOON + timedelta(hours=6)))
    found = look(tmp_path, "--window", str(other))
    assert [window["rows"] for window in found["windows"]] == [60, 60]
    assert {one["window_start"] for one in found["results"] if one["breached"]} == {
        "2026-11-02T18:00:00+00:00"
    }


def test_labels_join_by_request_and_a_window_without_is_pending(tmp_path: Path) -> None:
    lines = asked(100)
    write_lines(tmp_path / "window", lines)
    labels = tmp_path / "labels"
    found = look(tmp_path, "--concept", "0.2", "--labels", str(labels))
    assert [(one["kind"], one["pending"]) for one in found["undecided"]] == [("concept", True)]
    labels.mkdir()
    wrong = [f"{line['id']},{1 - int(line['answer'])}" for line in lines]
    (labels / "november.csv").write_text("\n".join(["id,label", *wrong]))
    found = look(tmp_path, "--concept", "0.2", "--labels", str(labels))
    assert breached(found) == {"concept"}
    assert found["undecided"] == []


def test_a_copy_of_the_folder_runs_where_this_project_is_not(tmp_path: Path) -> None:
    write_lines(tmp_path / "window", asked(100, shift=10))
    wanted = look(tmp_path)
    source = Path(scaffolder.drift.__file__).parent
    shutil.copytree(source, tmp_path / "code", ignore=shutil.ignore_patterns("__pycache__"))
    program = (
        "import sys, runpy; sys.meta_path.insert(0, type('No', (), {'find_spec': staticmethod("
        "lambda name, path=None, target=None: (_ for _ in ()).throw(ImportError(name)) "
        "if name.split('.')[0] in ('scaffolder', 'stacks') else None)}));"
        "sys.argv[0] = 'code'; runpy.run_path('code', run_name='__main__')"
    )
    arguments = ["check", "--baseline", ".", "--window", "window", "--output", "alone"]
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "alone" / "drift.json").read_text()) == wanted


def test_what_cannot_be_read_ends_with_2_and_says_what(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    window = ["--window", str(tmp_path), "--output", str(tmp_path)]
    assert main(["check", "--baseline", str(tmp_path / "none"), *window]) == 2
    assert "none" in capsys.readouterr().err
    assert main(["baseline", "--rows", str(tmp_path), "--output", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "drift: a baseline needs rows\n"


def test_an_empty_window_is_looked_at_and_not_decided(tmp_path: Path) -> None:
    (tmp_path / "window").mkdir()
    found = look(tmp_path)
    assert found["results"] == []
    assert [one["reason"] for one in found["undecided"]] == ["not enough rows: 0 of at least 30"]


# --- what platforms capture ------------------------------------------------------------------------------------------

ROWS = [{"tenure": "3", "plan": "basic"}, {"tenure": "9", "plan": "größer"}]
CSV = "3,basic\n9,größer\n"


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([{"id": "a", "request": CSV, "answer": "1\n0\n"}], id="CSV without a header"),
        pytest.param(
            [{"id": "a", "request": f"tenure,plan\n{CSV}", "answer": "churned\n1\n0\n"}], id="with one"
        ),
        pytest.param(
            [{"id": "a", "request": "plan,tenure\nbasic,3\ngrößer,9\n", "answer": "1\n0\n"}],
            id="in another order",
        ),
        pytest.param(
            [
                {
                    "id": "a",
                    "request": json.dumps({"instances": ROWS}),
                    "answer": json.dumps({"predictions": ["1", "0"]}),
                }
            ],
            id="JSON objects",
        ),
        pytest.param(
            [{"id": "a", "request": '[["3", "basic"], ["9", "größer"]]', "answer": '["1", "0"]'}],
            id="JSON lists",
        ),
        pytest.param(
            [
                {
                    "captureData": {
                        "endpointInput": {"data": CSV, "encoding": "CSV"},
                        "endpointOutput": {"data": "1\n0", "encoding": "CSV"},
                    },
                    "eventMetadata": {"eventId": "a", "inferenceTime": "2026-11-02T12:00:00Z"},
                }
            ],
            id="SageMaker",
        ),
        pytest.param(
            [
                {
                    "request_id": "a",
                    "logging_time": "2026-11-02T12:00:00Z",
                    "request_payload": [json.dumps(row) for row in ROWS],
                    "response_payload": ['"1"', '"0"'],
                }
            ],
            id="Vertex AI",
        ),
        pytest.param(
            [
                {
                    "type": "azureml.inference.model_outputs",
                    "correlationid": "a",
                    "data": [{"y": "1"}, {"y": "0"}],
                },
                {"type": "azureml.inference.model_inputs", "correlationid": "a", "data": ROWS},
            ],
            id="Azure ML",
        ),
    ],
)
def test_requests_and_answers_are_read_as_each_platform_keeps_them(
    lines: list[object], tmp_path: Path
) -> None:
    window = window_of(write_lines(tmp_path / "window", lines), COLUMNS)
    assert window.rows.to_dict("records") == ROWS
    assert (window.predictions, window.ids, window.places) == (["1", "0"], ["a", "a"], [0, 1])


def test_what_is_not_understood_is_counted_and_passed_over(tmp_path: Path) -> None:
    lines = [
        {"id": "a", "request": CSV, "answer": "1\n0\n"},
        {"id": "b", "request": "three,words,too many\n", "answer": "1\n"},
        {"id": "c", "request": "", "answer": ""},
        {"unknown": 1},
        '{"id": "d", "request": "3,ba',
    ]
    window = window_of(write_lines(tmp_path / "window", lines), COLUMNS)
    assert (len(window.rows), window.unread) == (2, 4)


def test_an_answer_that_is_not_of_the_rows_is_no_prediction(tmp_path: Path) -> None:
    lines = [{"id": "a", "request": CSV, "answer": "1\n"}]
    assert window_of(write_lines(tmp_path / "window", lines), COLUMNS).predictions == [None, None]


def test_labels_join_by_a_column_of_the_requests_or_by_the_row_of_a_request(tmp_path: Path) -> None:
    lines = [
        {"id": "a", "request": CSV, "answer": "1\n0\n"},
        {"id": "b", "request": "7,basic\n", "answer": "1\n"},
    ]
    window = window_of(write_lines(tmp_path / "window", lines), COLUMNS)
    by_key = tmp_path / "by-key"
    by_key.mkdir()
    (by_key / "labels.csv").write_text("tenure,churned\n9,1\n7,0\n5,1\n")
    assert labels_of(by_key, window, "churned") == [None, 1, 0]
    by_row = tmp_path / "by-row"
    by_row.mkdir()
    (by_row / "labels.csv").write_text("request_id,row,label\na,1,yes\nb,0,no\n")
    assert labels_of(by_row, window, "churned") == [None, "yes", "no"]
    (by_row / "strange.csv").unlink(missing_ok=True)
    assert labels_of(tmp_path / "none", window, "churned") == [None, None, None]


def test_only_one_versions_requests_are_taken_where_it_is_named(tmp_path: Path) -> None:
    lines = [
        {"id": str(version), "version": version, "request": CSV, "answer": "1\n0\n"} for version in (1, 2)
    ]
    folder = write_lines(tmp_path / "window", lines)
    assert len([*captures(folder)]) == 2
    assert window_of(folder, COLUMNS, version="2").ids == ["2", "2"]
