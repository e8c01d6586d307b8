"""The steps as the pipeline runs them, one after another, and the files of the pipelines themselves."""

from __future__ import annotations

import importlib
import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from {{ cookiecutter.__package }}.artifact import load_model
from {{ cookiecutter.__package }}.schema import METRIC

PROJECT = Path(__file__).parents[1]
MINIMUM = {{ '0.75' if cookiecutter.task == 'tabular' else '0.8' }}
"""`parameters.minimum` of pipelines/train.yaml; a test compares them."""


@dataclass(frozen=True)
class Done:
    """What a step said, and with which words it failed; none when it did not."""

    stdout: str
    failed: str = ""


def run(module: str, *words: object) -> Done:
    """Run a step as `python -m` does, but in this process: a new one takes seconds to import the libraries."""
    main = importlib.import_module(f"{{ cookiecutter.__package }}.{module}").main
    with redirect_stdout(io.StringIO()) as said:
        try:
            main([*map(str, words)])
        except SystemExit as end:
            return Done(said.getvalue(), str(end.code))
    return Done(said.getvalue())


def must(module: str, *words: object) -> str:
    done = run(module, *words)
    assert not done.failed, done.stdout + done.failed
    return done.stdout


@pytest.fixture(scope="module")
def made(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the pipeline ran, with MLflow's database in it."""
    out = tmp_path_factory.mktemp("made")
    tracking = f"sqlite:///{out}/mlflow.db"
    must("ingest", "--raw", raw, "--out", out / "examples")
    must("validate", "--data", out / "examples", "--out", out / "checked", "--report", out / "data")
    must("features", "--data", out / "checked", "--train", out / "train", "--test", out / "test")
    must("train", "--data", out / "train", "--model", out / "model", "--seed", "7", "--tracking", tracking)
    report = ("--report", out / "report")
    must("evaluate", "--model", out / "model", "--data", out / "test", *report, "--tracking", tracking)
    released = must("register", *register_words(out), "--out", out / "released", "--tracking", tracking)
    assert "version 1 in MLflow" in released
    return out


def register_words(out: Path, minimum: float = MINIMUM) -> list[object]:
    words: list[object] = ["--model", out / "model", "--report", out / "report", "--data-report", out / "data"]
    return [*words, "--minimum", minimum]


def test_a_model_that_is_good_enough_is_released_with_its_card(made: Path) -> None:
    metrics = json.loads((made / "report" / "metrics.json").read_text())
    card = (made / "released" / "MODEL_CARD.md").read_text()
    sheet = (made / "released" / "DATA_SHEET.md").read_text()
    assert metrics[METRIC] >= MINIMUM
    assert all(isinstance(value, int | float) for value in metrics.values())
    assert f"| {METRIC} | {metrics[METRIC]:.4g} |" in card
    assert load_model(made / "released").version in card
    assert "| rows | " in sheet


def test_mlflow_has_the_run(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{made}/mlflow.db")
    (version,) = client.search_model_versions("name='{{ cookiecutter.name }}'")
    run_of_it = client.get_run(version.run_id)
    metrics = json.loads((made / "report" / "metrics.json").read_text())
    assert run_of_it.data.metrics[f"test_{METRIC}"] == pytest.approx(metrics[METRIC])
    assert run_of_it.data.params["seed"] == "7"
    assert "valid_log_loss" in run_of_it.data.metrics
    assert run_of_it.info.artifact_uri.startswith((made / "mlruns").resolve().as_uri())


def test_a_model_that_is_not_good_enough_is_refused_by_register_too(made: Path, tmp_path: Path) -> None:
    done = run("register", *register_words(made, 1.01), "--out", tmp_path / "out")
    assert f"not released: {METRIC} is " in done.failed
    assert not (tmp_path / "out").exists()


def test_a_model_worse_than_the_commonest_answer_is_refused(made: Path, tmp_path: Path) -> None:
    metrics = json.loads((made / "report" / "metrics.json").read_text())
    (tmp_path / "metrics.json").write_text(json.dumps(metrics | {"accuracy": 0.1}))
    words = ["--model", made / "model", "--report", tmp_path, "--data-report", made / "data", "--minimum", 0.0]
    done = run("register", *words, "--out", tmp_path / "out")
    assert "the commonest answer alone is right in" in done.failed


def test_a_model_is_read_from_the_archive_of_a_training_job(made: Path, tmp_path: Path) -> None:
    import tarfile

    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(made / "model", ".")
    assert load_model(tmp_path).version == load_model(made / "model").version


def test_data_that_do_not_fit_stop_the_pipeline(made: Path, tmp_path: Path) -> None:
    file = next((made / "examples").iterdir())
    (tmp_path / "in").mkdir()
{%- if cookiecutter.task == "image" %}
    from {{ cookiecutter.__package }}.examples import read_examples, write_examples

    assert file.name == "images.npz"
    examples = read_examples(made / "examples")
    write_examples(tmp_path / "in", examples.select([number < 40 for number in range(len(examples))]))
{%- else %}
    lines = file.read_text().splitlines()
    (tmp_path / "in" / file.name).write_text("\n".join(lines[:40]) + "\n")
{%- endif %}
    done = run("validate", "--data", tmp_path / "in", "--out", tmp_path / "out", "--report", tmp_path / "report")
    assert "the data do not fit schema.py" in done.failed
    assert "at least 100 are needed" in done.stdout
    assert not (tmp_path / "out").exists()


def test_a_training_that_is_repeated_gives_the_same_files(made: Path, tmp_path: Path) -> None:
    must("train", "--data", made / "train", "--model", tmp_path / "model", "--seed", "7")
    before, after = load_model(made / "model"), load_model(tmp_path / "model")
{%- if cookiecutter.__deep %}
    assert before.profile == after.profile
{%- else %}
    assert (before.version, before.profile) == (after.version, after.profile)
{%- endif %}


def test_what_was_learned_from_has_not_moved_and_other_data_have(made: Path, raw: Path, tmp_path: Path) -> None:
    must("monitor", "--model", made / "released", "--data", raw, "--report", tmp_path / "same")
    same = json.loads((tmp_path / "same" / "metrics.json").read_text())
    assert same["drifted"] == 0
    assert same["now_accuracy"] > 0.7
    moved = tmp_path / "moved"
    moved.mkdir()
{%- if cookiecutter.task == "tabular" %}
    lines = (raw / "customers.csv").read_text().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    (moved / "a.csv").write_text("\n".join([lines[0], *(",".join([each[0], "300", *each[2:]]) for each in rows)]))
    name = "moved_tenure_months"
{%- elif cookiecutter.task == "text" %}
    lines = [f"m{number},{'my parcel is lost ' * 30},delivery" for number in range(200)]
    (moved / "a.csv").write_text("\n".join(["id,text,topic", *lines]))
    name = "moved_words"
{%- else %}
    from PIL import Image

    Image.new("L", (8, 8), 200).save(moved / "a.png")
    (moved / "labels.csv").write_text("file,label\n" + "a.png,1\n" * 150)
    name = "moved_contrast"
{%- endif %}
    must("monitor", "--model", made / "released", "--data", moved, "--report", tmp_path / "other")
    other = json.loads((tmp_path / "other" / "metrics.json").read_text())
    assert other[name] > 0.25
    assert other["drifted"] >= 1

{% if cookiecutter.__batch %}
def test_files_are_answered_and_what_does_not_fit_is_set_aside(made: Path, raw: Path, tmp_path: Path) -> None:
    rows, out = tmp_path / "rows", tmp_path / "out"
    rows.mkdir()
{%- if cookiecutter.task == "image" %}
    for number in range(20):
        (rows / f"{number}.png").write_bytes((raw / f"{number:04}.png").read_bytes())
    (rows / "broken.png").write_text("no picture")
    broken = "broken.png"
{%- else %}
    lines = next(raw.iterdir()).read_text().splitlines()[:21]
    lines.append("{{ 'broken,1,2,3,gold,card,no' if cookiecutter.task == 'tabular' else 'broken,,billing' }}")
    (rows / "rows.csv").write_text("\n".join(lines))
    broken = "broken"
{%- endif %}
    words = ["--model", made / "released", "--data", rows, "--out", out, "--report", tmp_path / "report"]
    must("batch", *words)
    answers = (out / "predictions.csv").read_text().splitlines()
    assert (answers[0].split(",")[:2], len(answers)) == (["id", "label"], 21)
    assert (out / "rejected.csv").read_text().splitlines()[1].startswith(broken)
    counts = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert (counts["answered"], counts["rejected"]) == (20, 1)
    strict = run("batch", *words, "--most-rejected", "0.01")
    assert "of the rows do not fit the model" in strict.failed

{% endif %}
def test_the_pipeline_asks_for_what_the_tests_ask_for() -> None:
    text = (PROJECT / "pipelines" / "train.yaml").read_text()
    assert f"minimum: {MINIMUM} " in text
    assert f"evaluate.report.{METRIC}, " in text


def test_what_an_endpoint_on_this_machine_loads_answers(made: Path, rows: list[object]) -> None:
    code = (
        "import sys, json, pathlib; sys.path.insert(0, sys.argv[1]); import serve;"
        "model = serve.load(pathlib.Path(sys.argv[1]));"
        "sys.stdout.write(serve.predict(model, sys.argv[2].encode(), 'application/json')[0].decode())"
    )
    folder = made / "released"
    (folder / "serve.py").write_bytes((PROJECT / "src" / "serve.py").read_bytes())
    command = [sys.executable, "-c", code, str(folder), json.dumps({"instances": rows})]
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["predictions"]) == len(rows)
