"""Each target's list of keys is the vocabulary's, and is true of what its compiler makes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from scaffolder.errors import SpecError
from scaffolder.operations.compiling import KUBEFLOW, SERVICES, for_kubeflow, for_service
from scaffolder.pipelines.model import PipelineSpec
from scaffolder.report.pipeline_targets import TARGETS, carried_by
from scaffolder.spec.fields import Section, Table, keys_of
from scaffolder.spec.load import load_spec
from stacks.pipeline_keys import KEYS, carries
from tests.operations.platforms import write_project

Steps = dict[str, dict[str, Any]]
Change = Callable[[Steps], object]


def _vocabulary(model: type[object], at: str = "") -> Iterator[str]:
    for name, key in keys_of(model).items():
        match key.kind:
            case Section(model=inner):
                yield from _vocabulary(inner, f"{at}{name}.")
            case Table(kind=Section(model=inner)):
                yield from _vocabulary(inner, f"{at}{name}.*.")
            case _:
                yield at + name


def test_the_keys_are_the_vocabularys() -> None:
    listed = {key.split(":")[0].split(",")[0] for key in KEYS}
    assert listed == {*_vocabulary(PipelineSpec)} - {"version", "image", "code"}
    assert all(tuple(carried_by(target)) == KEYS for target in TARGETS)


def test_a_list_of_a_key_that_is_none_is_an_error() -> None:
    with pytest.raises(KeyError, match=r"steps\.\*\.spots"):
        carries(ignored={"steps.*.spots": "no such key"})


def _set(step: str, **values: Any) -> Change:
    return lambda steps: steps[step].update(values)


def _within(step: str, section: str, **values: Any) -> Change:
    return lambda steps: steps[step][section].update(values)


def _left_out(step: str, key: str) -> Change:
    return lambda steps: steps[step].pop(key)


def _at_most(steps: Steps) -> None:
    steps["register"]["when"] = {"metric": "evaluate.report.accuracy", "at_most": 0.9}


CHANGES: dict[str, Change] = {
    "steps.*.kind": _set("train", kind="job"),
    "steps.*.image": _set("train", image="serving:1.0.0"),
    "steps.*.code": _set("train", code="pipelines/other"),
    "steps.*.command": _set("train", command=["python", "train.py", "--other"]),
    "steps.*.command, left out": _left_out("extra", "command"),
    "steps.*.environment": _set("train", environment={"A": "b"}),
    "steps.*.inputs: STEP.OUTPUT": _set("train", inputs={"train": "prepare.test"}),
    "steps.*.inputs: BUCKET:PATH": _set("prepare", inputs={"raw": "data:other/{params.day}"}),
    "steps.*.outputs": _within("prepare", "outputs", more="folder"),
    "steps.*.outputs: BUCKET:PATH": _within("prepare", "outputs", test="data:test"),
    "steps.*.instance": _set("train", instance="cpu.large"),
    "steps.*.instances": _set("train", instances=2),
    "steps.*.volume_gb": _set("train", volume_gb=200),
    "steps.*.timeout": _set("train", timeout="11m"),
    "steps.*.spot": _set("train", spot=True),
    "steps.*.cache": _set("evaluate", cache="7d"),
    "steps.*.retries": _set("train", retries=2),
    "steps.*.after": _set("train", after=["extra"]),
    "steps.*.when.metric": _within("register", "when", metric="evaluate.report.other"),
    "steps.*.when.at_least": _within("register", "when", at_least=0.9),
    "steps.*.when.at_most": _at_most,
    "steps.*.when.otherwise": _within("register", "when", otherwise="fail"),
    "steps.*.register.model": _within("register", "register", model="other"),
    "steps.*.register.artifact": _within("register", "register", artifact="again.model"),
    "steps.*.register.image": _within("register", "register", image="training:2.0.0"),
    "steps.*.register.content_type": _within("register", "register", content_type="text/plain"),
    "steps.*.register.metrics": lambda steps: steps["register"]["register"].pop("metrics"),
}
"""One change of each key of a step, to the suite's pipeline with two more steps."""


class Project:
    """The suite's project for one target, whose pipeline can be changed and compiled."""

    def __init__(self, target: str, folder: Path) -> None:
        self.compile = for_kubeflow if target == KUBEFLOW else for_service
        self.spec = write_project(SERVICES.get(target, "aws"), folder)
        text = self.spec.read_text().replace("models: {churn:", "models: {other: {approval: manual}, churn:")
        self.spec.write_text(text)
        shutil.copytree(folder / "pipelines/churn", folder / "pipelines/other")
        (folder / "pipelines/other/more.py").write_text("")
        self.file = folder / "pipelines/train.yaml"
        definition = yaml.safe_load(self.file.read_text())
        steps = definition["steps"]
        register = steps.pop("register")
        steps["again"] = deepcopy(steps["train"])
        definition["steps"] = {
            "extra": {"image": "serving:1.0.0", "command": ["true"]},
            **steps,
            "register": register,
        }
        self.definition = definition
        self.document, self.warnings = self.compiled(lambda _: None)

    def compiled(self, change: Callable[[dict[str, Any]], object]) -> tuple[str | None, set[str]]:
        """The document, or nothing where it is refused; and what is warned of."""
        definition = deepcopy(self.definition)
        change(definition)
        # JSON is YAML, and quickly written.
        self.file.write_text(json.dumps(definition))
        loaded = load_spec(self.spec)
        try:
            document, warnings = self.compile(loaded, "train")
        except SpecError as error:
            if {it.code for it in error.findings if it.severity == "error"} <= {"pipeline", KUBEFLOW}:
                return None, set()
            raise
        return json.dumps(document.parts), {it.message for it in warnings}


@pytest.fixture(scope="module")
def project_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Project]:
    return cache(lambda target: Project(target, tmp_path_factory.mktemp(target)))


BESIDE = {("sagemaker", "description")}
"""What is not in a document: the stack gives it to the pipeline itself."""

CASES = [(target, key) for target in (*SERVICES, KUBEFLOW) for key in KEYS if (target, key) not in BESIDE]


@pytest.mark.parametrize(("target", "key"), CASES)
def test_a_list_says_what_the_compiler_does(
    project_of: Callable[[str], Project], target: str, key: str
) -> None:
    def change(definition: dict[str, Any]) -> None:
        if key == "description":
            definition["description"] = "Another"
        elif key == "parameters":
            definition["parameters"]["seed"] = 8
        else:
            CHANGES[key](definition["steps"])

    project = project_of(target)
    before, said = project.document, project.warnings
    after, then_said = project.compiled(change)
    assert before is not None
    carried = carried_by(target)[key]
    match carried.how:
        case "full":
            assert (after is not None, after != before, then_said - said) == (True, True, set())
        case "differs":
            assert after is not None
            assert after != before or then_said - said
        case "ignored":
            assert after == before
        case "refused":
            assert after is None
    assert bool(carried.reason) is (carried.how != "full")
