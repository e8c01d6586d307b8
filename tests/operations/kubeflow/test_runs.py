"""What a pipeline does on a cluster: its containers' commands as processes, by the rules of KFP's driver and launcher."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stacks.intents import TrainingPipeline
from stacks.kubeflow import Cluster as Around
from stacks.kubeflow import compiled, pipeline_problems
from stacks.pipelines import (
    CodeFolder,
    Gate,
    Output,
    Parameter,
    PathOf,
    PipelineDefinition,
    Run,
    Step,
    StepOutput,
    ValueOf,
)
from tests.operations.kubeflow.cluster import Cluster, Finished
from tests.operations.platforms import platform_in, raw_rows

AROUND = Around(buckets={"data": "s3://acme-data"}, images={})
DAY = "2026-11-01"


@pytest.fixture(scope="module")
def definition(tmp_path_factory: pytest.TempPathFactory) -> PipelineDefinition:
    platform = platform_in("aws", tmp_path_factory.mktemp("project"))
    (pipeline,) = (it for it in platform.intents if isinstance(it, TrainingPipeline))
    assert pipeline.steps is not None
    return pipeline.steps


def _documents(definition: PipelineDefinition) -> list[Mapping[str, Any]]:
    intent = TrainingPipeline(
        name="train", definition="train.yaml", schedule=None, instance="cpu.medium", steps=definition
    )
    assert [*pipeline_problems(intent, AROUND)] == []
    found: list[Mapping[str, Any]] = json.loads(json.dumps(compiled(intent, definition, AROUND, "churn")))
    return found


def _changed(step: Step, **changes: Any) -> Run:
    assert isinstance(step.action, Run)
    return replace(step.action, **changes)


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    made = Cluster(tmp_path)
    made.put(f"s3://acme-data/raw/{DAY}/rows.csv", raw_rows())
    made.put("s3://acme-data/raw/2026-11-02/rows.csv", raw_rows(rows=40))
    return made


# --- the suite's own project ---


def test_a_run_whose_gate_is_met_keeps_the_model_and_what_it_is(
    cluster: Cluster, definition: PipelineDefinition
) -> None:
    run = cluster.run(_documents(definition))
    assert run.state == "succeeded", run.printed
    assert [name for name, state in run.tasks.items() if state != "succeeded"] == []
    assert "register" in run.tasks
    kept = run.artifacts["register"]
    assert json.loads((kept["model"] / "model.json").read_text())["column"] == "tenure"
    record = json.loads((kept["record"] / "record.json").read_text())
    assert record == {
        "content_type": "text/csv",
        "image": "serving:1.0.0",
        "model": "churn",
        "pipeline": "train",
        "run": "run-1",
        "step": "train",
    }
    assert json.loads((kept["record"] / "metrics.json").read_text())["accuracy"] > 0.9


def test_a_run_whose_gate_is_not_met_ends_without_the_model(
    cluster: Cluster, definition: PipelineDefinition
) -> None:
    run = cluster.run(_documents(definition), min_accuracy=1.5)
    assert run.state == "succeeded"
    assert run.tasks["register--gate"] == "skipped"
    assert "register" not in run.tasks


def test_a_gate_that_asks_for_it_fails_the_run_and_says_why(
    cluster: Cluster, definition: PipelineDefinition
) -> None:
    *others, last = definition.steps
    assert last.gate is not None
    strict = replace(last, gate=replace(last.gate, otherwise="fail"))
    documents = _documents(replace(definition, steps=(*others, strict)))
    refused = cluster.run(documents, min_accuracy=1.5)
    assert (refused.state, refused.tasks["register--gate"]) == ("failed", "skipped")
    assert refused.printed["register--refusal"] == "evaluate.report.accuracy keeps register back\n"
    met = cluster.run(documents)
    assert (met.state, met.tasks["register--refused"]) == ("succeeded", "skipped")


def test_a_parameter_chooses_what_is_read_below_the_imported_folder(
    cluster: Cluster, definition: PipelineDefinition
) -> None:
    run = cluster.run(_documents(definition), day="2026-11-02")
    assert run.printed["prepare"] == "test: 10 rows\ntrain: 30 rows\n"


def test_a_step_that_fails_is_tried_again_and_nothing_comes_after_it(
    cluster: Cluster, definition: PipelineDefinition
) -> None:
    run = cluster.run(_documents(definition), fail="yes")
    assert run.printed["train"] == "told to fail\n" * 2
    assert (run.tasks["train"], run.tasks["evaluate"]) == ("failed", "omitted")


def test_a_step_that_takes_too_long_is_ended(cluster: Cluster, definition: PipelineDefinition) -> None:
    steps = tuple(
        replace(step, retries=0, action=_changed(step, timeout_s=1)) if step.name == "train" else step
        for step in definition.steps
    )
    run = cluster.run(_documents(replace(definition, steps=steps)), pause_s=20.0)
    assert run.printed["train"] == "DeadlineExceeded"
    assert run.state == "failed"


# --- words, variables, folders and gates inside gates ---

SHOWS = """\
import json, os, sys
from pathlib import Path
print(json.dumps([sys.argv[1:], os.environ["FIXED"], os.environ["DAY"], os.environ["PATHS"], sorted(os.listdir())]))
Path(os.environ["PATHS"].partition(":")[2], "metrics.json").write_text('{"auc": 0.75, "whole": 1}')
"""
CODE = CodeFolder(path="code", files={"show.py": SHOWS, "deep/er.txt": "ä"}, digest="0" * 64)


def _shown(*words: str | ValueOf | PathOf, name: str = "show", **more: Any) -> Step:
    action = Run(
        kind="job",
        image="training:1.0.0",
        command=(("python",), ("show.py",), *((word,) for word in words)),
        environment={
            "FIXED": ("$$ $(DAY) $(HOME)",),
            "DAY": ("on ", ValueOf("day")),
            "PATHS": ("here:", PathOf("outputs", "report")),
        },
        code="code",
        inputs={},
        outputs={"report": Output(kind="metrics", place=None)},
        instance=None,
        instances=1,
        volume_gb=30,
        timeout_s=60,
        cache_s=None,
        spot=False,
    )
    return Step(name=name, action=action, after=(), gate=None, retries=0, **more)


def _definition(*steps: Step) -> PipelineDefinition:
    parameters = (
        Parameter(name="day", default="$(FIXED) 'x' $$"),
        Parameter(name="many", default=3),
        Parameter(name="rate", default=0.25),
        Parameter(name="deep", default=True),
        Parameter(name="floor", default=0.5),
    )
    return PipelineDefinition(description="", parameters=parameters, steps=steps, code={"code": CODE})


WORDS = ["$FIXED", "$(FIXED)", "$$", "a$", "`id`", "*", " ", "", 'say "so"', "ünï\nline", "$$(FIXED)$"]


def test_words_arrive_as_they_are_written(cluster: Cluster) -> None:
    values = [ValueOf(name) for name in ("many", "rate", "deep")]
    run = cluster.run(_documents(_definition(_shown(*WORDS, *values))), day="today")
    assert run.state == "succeeded", run.printed
    words, fixed, day, _, files = json.loads(run.printed["show"])
    assert words == [*WORDS, "3", "0.25", "true"]
    assert (fixed, day) == ("$$ $(DAY) $(HOME)", "on today")
    assert files == ["deep", "show.py"]


def _gated(name: str, metric: str, bound: float | ValueOf, *after: str, comparison: str = "at_least") -> Step:
    gate = Gate(
        step="show",
        output="report",
        metric=metric,
        comparison=comparison,  # type: ignore[arg-type]
        bound=bound,
        otherwise="skip",
    )
    return replace(_shown(name=name), gate=gate, after=after)


@pytest.mark.parametrize(
    ("metric", "comparison", "bound", "goes_on"),
    [
        ("auc", "at_least", 0.75, True),
        ("auc", "at_least", 0.76, False),
        ("auc", "at_most", 0.75, True),
        ("auc", "at_most", -0.5, False),
        ("auc", "at_most", 1e16, True),
        ("whole", "at_least", ValueOf("floor"), True),
        ("whole", "at_least", ValueOf("many"), False),
    ],
)
def test_a_gate_compares_numbers_whatever_their_type(
    cluster: Cluster, metric: str, comparison: str, bound: float | ValueOf, *, goes_on: bool
) -> None:
    steps = (_shown(), _gated("then", metric, bound, comparison=comparison))
    run = cluster.run(_documents(_definition(*steps)), day="today")
    assert run.tasks["then--gate"] == ("succeeded" if goes_on else "skipped")
    assert ("then" in run.tasks) is goes_on


def test_a_metric_that_was_not_written_fails_the_run(cluster: Cluster) -> None:
    run = cluster.run(_documents(_definition(_shown(), _gated("then", "f1", 0.5))), day="today")
    assert (run.state, run.tasks["then--gate"]) == ("failed", "failed")


def _nested(cluster: Cluster, floor: float) -> Finished:
    reads = replace(
        _shown(),
        name="last",
        after=("outer",),
        action=_changed(
            _shown(),
            inputs={"seen": StepOutput(step="show", output="report")},
            command=(("cat",), (PathOf("inputs", "seen"), "/metrics.json")),
            outputs={},
            environment={},
        ),
    )
    inner = _gated("inner", "whole", ValueOf("floor"), "outer")
    steps = (_shown(), _gated("outer", "auc", 0.5), inner, replace(reads, after=("inner",)))
    return cluster.run(_documents(_definition(*steps)), day="today", floor=floor)


def test_what_is_written_outside_comes_in_through_gates_inside_gates(cluster: Cluster) -> None:
    run = _nested(cluster, 1.0)
    assert run.printed["last"] == '{"auc": 0.75, "whole": 1}'
    assert _nested(cluster, 1.5).tasks == {
        "show": "succeeded",
        "outer": "succeeded",
        "inner--gate": "skipped",
        "outer--gate": "succeeded",
    }
