"""A neutral pipeline as a pipeline job of Azure ML: what its commands do when a shell runs them, and what is refused."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from scaffolder.pipeline import synthesize
from stacks.azure.context import Context
from stacks.azure.pipelines import compiled, gates_of, parameter_problem
from stacks.intents import TrainingPipeline
from stacks.pipelines import PipelineDefinition, Run, UriOf
from tests.definitions import definitions
from tests.operations.platforms import platform_in, write_project
from tests.unit.stacks_azure.definitions import flaws

EXAMPLE = Path(__file__).parents[3] / "examples/08-full-azure/platform.yaml"


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Context:
    return Context(platform_in("azure", tmp_path_factory.mktemp("project")))


def pipeline(context: Context) -> tuple[TrainingPipeline, PipelineDefinition]:
    intent = next(context.all_of(TrainingPipeline))
    assert intent.steps is not None
    return intent, intent.steps


def document(context: Context, **values: Any) -> Any:
    return compiled(*pipeline(context), context, values)


def test_steps_are_bound_to_each_other_and_to_parameters(context: Context) -> None:
    jobs = document(context)["jobs"]
    assert jobs["train"]["inputs"]["train"] == {
        "type": "uri_folder",
        "path": "${{parent.jobs.prepare.outputs.train}}",
        "mode": "ro_mount",
    }
    assert jobs["train"]["inputs"]["seed"] == "${{parent.inputs.seed}}"
    assert "python' 'train.py' '--data' '${{inputs.train}}'" in jobs["train"]["component"]["command"]
    assert jobs["train"]["limits"] == {"timeout": 600}
    assert jobs["prepare"]["component"]["is_deterministic"]
    assert not jobs["train"]["component"]["is_deterministic"]
    assert list(flaws(document(context))) == []


def test_a_buckets_path_is_as_the_runs_parameters_make_it(context: Context) -> None:
    raw = document(context, day="2026-12-24")["jobs"]["prepare"]["inputs"]["raw"]
    assert raw["path"] == "azureml://datastores/data/paths/raw/2026-12-24"


def test_images_and_clusters_are_those_that_the_stacks_make(context: Context) -> None:
    train = document(context)["jobs"]["train"]
    assert re.fullmatch(
        r"[a-z0-9]+\.azurecr\.io/training:1\.0\.0", train["component"]["environment"]["image"]
    )
    assert train["compute"] == "azureml:cpu-medium"


def test_every_step_behind_a_gate_looks_at_its_metrics() -> None:
    platform = synthesize(EXAMPLE).environments[0].platform
    context = Context(platform)
    jobs = document(context)["jobs"]
    assert (
        "gate '${{inputs.metrics}}/metrics.json' 'auc' 'at_least'" in jobs["register"]["component"]["command"]
    )
    baseline = jobs["baseline"]["component"]
    assert "gate '${{inputs.gate_evaluate}}/metrics.json' 'auc'" in baseline["command"]
    assert jobs["baseline"]["inputs"]["after_register"]["path"] == "${{parent.jobs.register.outputs.Done}}"
    assert jobs["train"]["compute"].endswith("-spot")
    assert "PLATFORM_CHECKPOINTS='${{outputs.Checkpoints}}'" in jobs["train"]["component"]["command"]
    assert list(flaws(compiled(*pipeline(context), context))) == []


def shell(command: str, inputs: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Put values over placeholders, as Azure ML does, and let a shell run the text."""
    for name, value in inputs.items():
        command = command.replace(f"${{{{inputs.{name}}}}}", value)
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("metrics", "code", "said"),
    [
        ('{"other": 1, "auc": 0.81}', 0, "ran"),
        ('{\n "auc" : 8.1e-1\n}', 0, "ran"),
        ('{"auc": 0.79}', 0, "left out: auc is 0.79, and baseline waits for at_least 0.8"),
        ('{"auc": NaN}', 2, "auc is no number: NaN"),
        ('{"xauc": 1}', 2, "no auc in the metrics"),
    ],
)
def test_a_shell_ends_early_where_a_gate_is_not_met(
    tmp_path: Path, metrics: str, code: int, said: str
) -> None:
    from stacks.azure.commands import Check, command_of  # noqa: PLC0415 - the shell's own text, alone

    (tmp_path / "metrics.json").write_text(metrics, encoding="utf-8")
    check = Check(
        folder=str(tmp_path), metric="auc", comparison="at_least", bound="0.8", step="baseline", fails=False
    )
    done = shell(command_of([("echo",), ("ran",)], {}, [check], {}), {})
    assert (done.returncode, done.stdout.strip()) == (code, said)


def test_a_gate_that_asks_for_it_fails_the_run(tmp_path: Path) -> None:
    from stacks.azure.commands import Check, command_of  # noqa: PLC0415 - the shell's own text, alone

    (tmp_path / "metrics.json").write_text(json.dumps({"loss": 2}), encoding="utf-8")
    check = Check(
        folder=str(tmp_path), metric="loss", comparison="at_most", bound="1.5", step="s", fails=True
    )
    assert shell(command_of([("echo",)], {}, [check], {}), {}).returncode == 1


@pytest.mark.parametrize("word", ["$(id)", "a'b", "`id`", "a b", '"', "\\", "*", "a\nb", ";", "-n", "ü"])
def test_no_word_is_anything_but_a_word(word: str) -> None:
    from stacks.azure.commands import command_of  # noqa: PLC0415 - the shell's own text, alone

    done = shell(command_of([("printf",), ("%s",), (word,)], {}, [], {}), {})
    assert done.stdout == word


@pytest.mark.parametrize("value", ["it's", "a\nb", "${{parent.inputs.x}}", "", "--"])
def test_values_that_would_end_the_text_are_refused(value: str) -> None:
    assert parameter_problem("day", value).startswith("parameter day: ")


@pytest.mark.parametrize("value", ["2026-11-01", '$(rm) "x" \\', 0, -0.5, False])
def test_other_values_are_taken(value: str | float) -> None:
    assert not parameter_problem("day", value)


def test_what_azure_ml_does_otherwise_is_said_and_what_it_cannot_is_refused(tmp_path: Path) -> None:
    spec = write_project("azure", tmp_path)
    warnings = [str(it) for it in synthesize(spec).warnings]
    assert any("step train: Azure ML does not try a step again" in it for it in warnings)
    assert any("step prepare: Azure ML keeps a cached result" in it for it in warnings)


def test_a_program_that_goes_to_a_bucket_by_itself_is_told_its_address(context: Context) -> None:
    intent, definition = pipeline(context)
    first = definition.steps[0]
    assert isinstance(first.action, Run)
    action = replace(first.action, command=((UriOf("artifacts", "monitoring/churn"),),))
    made = compiled(intent, replace(definition, steps=(replace(first, action=action),)), context)
    assert re.fullmatch(
        r"'https://[a-z0-9]+\.blob\.core\.windows\.net/churn-dev-artifacts/monitoring/churn'",
        made["jobs"]["prepare"]["component"]["command"],
    )


@settings(max_examples=60, deadline=None)
@given(definition=definitions())
def test_nothing_hangs_in_the_air_whatever_the_definition(
    context: Context, definition: PipelineDefinition
) -> None:
    intent, _ = pipeline(context)
    made = compiled(intent, definition, context)
    assert list(flaws(made)) == []
    assert compiled(intent, definition, context) == made
    gates = gates_of(definition)
    for step in definition.steps:
        commands = made["jobs"][step.name.replace("-", "_")]["component"]["command"]
        assert commands.count("met=0; gate ") == len(gates[step.name])
