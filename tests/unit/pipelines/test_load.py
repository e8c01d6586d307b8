"""Pipeline definitions: what is wrong is told at its place, all at once; what is not there yet is planned."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scaffolder.errors import SpecError
from scaffolder.pipeline import Synthesis, synthesize
from stacks.intents import TrainingPipeline
from stacks.pipelines import PipelineDefinition

SPEC = """\
version: 1
name: churn
owner: growth-ml
target: {provider: aws, region: eu-west-1, account: "123456789012"}
models: {churn: {}}
pipelines: {train: {definition: pipelines/train.yaml}}
"""
GOOD = """\
version: 1
image: training:1.0
parameters: {depth: 6, name: abc}
steps:
  prepare:
    command: [prepare, "{inputs.raw}"]
    inputs: {raw: "data:raw"}
    outputs: {table: folder, report: metrics}
  train:
    kind: training
    command: [train, "{params.depth}"]
    inputs: {table: prepare.table}
    outputs: {model: model}
  register:
    when: {metric: prepare.report.rows, at_least: 10}
    register: {model: churn, artifact: train.model}
"""


def synthesized(folder: Path, definition: str | None = None, spec: str = SPEC) -> Synthesis:
    """Synthesize a spec beside a definition."""
    (folder / "platform.yaml").write_text(spec, encoding="utf-8")
    if definition is not None:
        (folder / "pipelines").mkdir(exist_ok=True)
        (folder / "pipelines" / "train.yaml").write_text(definition, encoding="utf-8")
    return synthesize(folder / "platform.yaml")


def told(folder: Path, definition: str, spec: str = SPEC) -> list[str]:
    """What a definition is told, without its folder."""
    with pytest.raises(SpecError) as caught:
        synthesized(folder, definition, spec)
    return [str(finding).replace(f"{folder}/", "") for finding in caught.value.findings]


def steps_of(synthesis: Synthesis) -> PipelineDefinition:
    """The spec's only pipeline."""
    (intent,) = [
        intent
        for intent in synthesis.environments[0].platform.intents
        if isinstance(intent, TrainingPipeline)
    ]
    assert intent.steps is not None
    return intent.steps


def planned(synthesis: Synthesis) -> tuple[str, str]:
    """Why the pipeline is not made, and what to do."""
    (skipped,) = [each for each in synthesis.environments[0].skipped if "pipeline" in each.intent]
    return skipped.reason, skipped.remedy


def test_steps_come_in_the_order_of_what_they_take(tmp_path: Path) -> None:
    definition = steps_of(synthesized(tmp_path, GOOD))
    assert [step.name for step in definition.steps] == ["prepare", "train", "register"]
    head, prepare, rest = re.split(r"(?=  prepare:\n|  train:\n)", GOOD, maxsplit=2)
    train = rest.partition("  register:")[0]
    turned = f"{head}{train}{prepare}"
    assert [step.name for step in steps_of(synthesized(tmp_path, turned)).steps] == ["prepare", "train"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "image: training",
            "imge: training",
            "pipelines/train.yaml:2:1: error[unknown-key]: imge is not a key",
        ),
        ("prepare.table", "prepare.tabel", '"tabel" is not an output of step prepare; it has table, report'),
        ("prepare.table", "prep.table", '"prep" is not one of steps'),
        ("{params.depth}", "{params.dept}", "has {params.dept}, which is not there; params are depth, name"),
        (
            "{params.depth}",
            "{param.depth}",
            "has {param.depth}; there is {params.…}, {inputs.…}, {outputs.…}",
        ),
        ("{inputs.raw}", "{inputs.row}", "has {inputs.row}, which is not there; inputs are raw"),
        ('"data:raw"', '"dta:raw"', '"dta" is not a bucket of the spec'),
        ("table: folder", 'table: "dta:raw"', '"dta" is not a bucket of the spec'),
        (
            "table: folder",
            'table: "logs:raw"',
            '"logs" is not a bucket of the spec, which has artifacts, data',
        ),
        ("image: training", "image: trainin", '"trainin" is not one of containers.repositories'),
        ("model: churn", "model: chrun", '"chrun" is not one of the spec\'s models: churn'),
        ("artifact: train.model", "artifact: prepare.table", "is of kind folder, and must be of kind model"),
        ("prepare.report.rows", "prepare.table.rows", "is of kind folder, and must be of kind metrics"),
        ("at_least: 10", "otherwise: fail", "needs one of at_least and at_most, and not both"),
        ("at_least: 10", "at_least: '{params.name}'", "{params.name} is not a number"),
        ("outputs: {model: model}", "outputs: {model: folder}", "a training step has exactly one output"),
        ("outputs: {table", "spot: true\n    outputs: {table", "spot changes nothing with kind job"),
        ("inputs: {table: prepare.table}", "inputs: {code: prepare.table}", "is the code folder's own place"),
        (
            'command: [prepare, "{inputs.raw}"]',
            "environment: {}",
            "does nothing: it needs a command, an image of its own, or register",
        ),
        (
            "register: {model: churn, artifact: train.model}",
            "register: {model: churn, artifact: train.model}\n    command: [a]",
            "changes nothing beside register",
        ),
        (
            'inputs: {raw: "data:raw"}',
            'inputs: {raw: "data:raw"}\n    after: [train]',
            "steps.prepare can never start: prepare waits for train waits for prepare",
        ),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in GOOD
    findings = told(tmp_path, GOOD.replace(old, new, 1))
    assert any(expected in finding for finding in findings), findings
    assert all(finding.startswith("pipelines/train.yaml:") for finding in findings)


def test_all_findings_come_at_once_with_those_of_the_target(tmp_path: Path) -> None:
    findings = told(
        tmp_path,
        GOOD.replace("prepare.table", "prepare.tabel").replace("model: churn", "model: chrun"),
    )
    assert len(findings) == 2


def test_an_image_that_no_step_takes_is_told(tmp_path: Path) -> None:
    definition = """\
version: 1
image: training:1.0
steps:
  train: {image: "training:2.0", command: [train]}
"""
    (finding,) = told(tmp_path, definition)
    assert "2:8: error[no-effect]: image changes nothing: every step names its own" in finding


def test_a_script_that_is_not_in_the_code_is_warned_of(tmp_path: Path) -> None:
    definition = """\
version: 1
image: training:1.0
code: pipelines/src
steps:
  train: {command: [python, trian.py]}
  check: {command: [python, -m, checks]}
"""
    (tmp_path / "pipelines" / "src").mkdir(parents=True)
    (tmp_path / "pipelines" / "src" / "train.py").write_text("print(1)\n")
    (warning,) = synthesized(tmp_path, definition).warnings
    assert (warning.code, str(warning.severity)) == ("missing-script", "warning")
    assert "trian.py" in warning.message
    assert warning.hint == 'Did you mean "train.py"?'


def test_a_size_that_every_step_overrules_is_warned_of(tmp_path: Path) -> None:
    spec = SPEC.replace("definition:", "instance: cpu.large, definition:")
    assert not synthesized(tmp_path, GOOD, spec).warnings
    definition = re.sub(r"( +)command:", r"\1instance: cpu.small\n\1command:", GOOD)
    (warning,) = synthesized(tmp_path, definition, spec).warnings
    assert warning.code == "no-effect"
    assert warning.message.startswith("pipelines.train.instance changes nothing")


def test_code_that_no_step_runs_in_changes_nothing(tmp_path: Path) -> None:
    own = GOOD.replace("    command:", "    code: own\n    command:")
    (found,) = told(tmp_path, own.replace("image:", "code: src\nimage:", 1))
    assert "error[no-effect]: code changes nothing: no step's command runs in it" in found


def test_an_image_of_another_region_is_warned_of(tmp_path: Path) -> None:
    host = "123456789012.dkr.ecr.{}.amazonaws.com/training:1.0"
    here = GOOD.replace("training:1.0", host.format("eu-west-1"))
    assert not synthesized(tmp_path, here).warnings
    (warning,) = synthesized(tmp_path, GOOD.replace("training:1.0", host.format("us-east-1"))).warnings
    assert warning.code == "image-region"
    assert "is in us-east-1, and SageMaker takes images from eu-west-1" in warning.message


def test_a_definition_that_is_not_there_is_planned(tmp_path: Path) -> None:
    reason, remedy = planned(synthesized(tmp_path))
    assert reason == "its definition pipelines/train.yaml is not there"
    assert remedy.startswith("Write pipelines/train.yaml beside the spec")


def test_a_step_without_an_image_is_planned(tmp_path: Path) -> None:
    reason, remedy = planned(synthesized(tmp_path, GOOD.replace("image: training:1.0\n", "")))
    assert reason == "its step prepare has no image"
    assert "steps.prepare.image" in remedy


def test_code_that_is_not_there_is_planned_and_then_made(tmp_path: Path) -> None:
    definition = GOOD.replace("image:", "code: pipelines/src\nimage:", 1)
    assert planned(synthesized(tmp_path, definition))[0] == "its code folder pipelines/src is not there"
    code = tmp_path / "pipelines" / "src"
    (code / "__pycache__").mkdir(parents=True)
    (code / "__pycache__" / "a.cpython-311.pyc").write_bytes(b"\0")
    (code / ".hidden").write_text("no")
    assert planned(synthesized(tmp_path, definition))[0] == "its code folder pipelines/src has no files"
    (code / "sub").mkdir()
    (code / "sub" / "b.py").write_text("print('b')\n")
    (code / "a.py").write_text("print('a')\n")
    folder = steps_of(synthesized(tmp_path, definition)).code["pipelines/src"]
    assert list(folder.files) == ["a.py", "sub/b.py"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (b"key = '" + b"AKIA" + b"IOSFODNN7EXAMPLE'\n", "holds what looks like a credential"),
    ],
)
def test_code_that_cannot_travel_is_told(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "pipelines" / "src").mkdir(parents=True)
    (tmp_path / "pipelines" / "src" / "a.py").write_bytes(content)
    findings = told(tmp_path, GOOD.replace("image:", "code: pipelines/src\nimage:", 1))
    assert len(findings) == 1
    assert findings[0].startswith("pipelines/train.yaml:2:7: error[code-file]: pipelines/src/a.py")
    assert expected in findings[0]


def test_too_much_code_is_told_without_reading_it(tmp_path: Path) -> None:
    code = tmp_path / "pipelines" / "src"
    code.mkdir(parents=True)
    (code / "a.py").write_bytes(b"\xff" * (1024 * 1024 + 1))
    (finding,) = told(tmp_path, GOOD.replace("image:", "code: pipelines/src\nimage:", 1))
    assert "pipelines/src has 1048577 bytes; at most 200 files of 1 MiB together" in finding
    (code / "a.py").unlink()
    for number in range(201):
        (code / f"m{number}.py").write_text("")
    (finding,) = told(tmp_path, GOOD.replace("image:", "code: pipelines/src\nimage:", 1))
    assert "has more than 200 files" in finding


def test_what_is_there_under_nearly_the_same_name_is_named(tmp_path: Path) -> None:
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "trian.yaml").write_text(GOOD)
    assert planned(synthesized(tmp_path))[1] == 'Did you mean "trian.yaml"?'


@pytest.mark.parametrize("what", ["pipelines/train.yaml", "pipelines/src"])
def test_a_link_that_leaves_the_specs_folder_is_refused(tmp_path: Path, what: str) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    (outside / "src").mkdir(parents=True)
    (outside / "src" / "a.py").write_text("print(1)\n")
    (outside / "train.yaml").write_text(GOOD)
    (inside / "pipelines").mkdir(parents=True)
    definition = None
    if what.endswith("src"):
        definition = GOOD.replace("image:", "code: pipelines/src\nimage:", 1)
    (inside / what).symlink_to(outside / Path(what).name)
    with pytest.raises(SpecError) as caught:
        synthesized(inside, definition)
    assert "a link that leaves the spec's folder" in str(caught.value)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "pipelines" / "src").mkdir(parents=True)
    (tmp_path / "pipelines" / "src" / "a.py").symlink_to(tmp_path / "secret.txt")
    (finding,) = told(tmp_path, GOOD.replace("image:", "code: pipelines/src\nimage:", 1))
    assert "is not a plain file" in finding


def test_gates_that_sagemaker_cannot_join_are_refused(tmp_path: Path) -> None:
    definition = """\
version: 1
image: training:1.0
steps:
  one: {command: [one], outputs: {report: metrics}}
  left: {command: [left], when: {metric: one.report.a, at_least: 1}, outputs: {out: folder}}
  right: {command: [right], when: {metric: one.report.b, at_least: 1}, outputs: {out: folder}}
  both: {command: [both], inputs: {left: left.out, right: right.out}}
"""
    with pytest.raises(SpecError) as caught:
        synthesized(tmp_path, definition)
    assert "step both waits for the gates of steps" in str(caught.value)
