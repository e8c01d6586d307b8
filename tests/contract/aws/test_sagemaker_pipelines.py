"""Compiled pipelines against the descriptions that AWS publishes of its API: each step's arguments are a request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from scaffolder.pipeline import synthesize_loaded
from scaffolder.spec.load import parse_spec
from stacks.graph import JsonText, Ref, Text, Value
from tests.external_tools import ROOT
from tests.strategies import SPEC_FILE

REQUESTS = {
    "Processing": ("CreateProcessingJob", {"ProcessingJobName": "x"}),
    "Training": ("CreateTrainingJob", {"TrainingJobName": "x"}),
    "Transform": ("CreateTransformJob", {"TransformJobName": "x"}),
    "RegisterModel": ("CreateModelPackage", {}),
}
"""A step's type → the request that it makes, and the name that SageMaker makes up for it."""

GENERATED = """
version: 1
name: churn
owner: growth-ml
target: {provider: aws, region: eu-west-1, account: "123456789012"}
pipelines: {train: {definition: pipelines/train.yaml}}
"""


def pipelines_of(text: str, file: str) -> dict[str, Any]:
    """The compiled pipelines of a spec, by their resource's name; references are texts."""
    synthesis = synthesize_loaded(parse_spec(text, file=file))
    found = {}
    for linked in synthesis.stacks:
        for node in linked.stack.nodes:
            if node.address.type == "aws_sagemaker_pipeline":
                definition = node.arguments["pipeline_definition"]
                assert isinstance(definition, JsonText)
                found[node.address.name] = _plain(definition.document)
    return found


def _plain(value: Value) -> Any:
    match value:
        case Ref():
            return f"<{value.address}.{value.attribute}>"
        case Text(parts=parts):
            return "".join(part if isinstance(part, str) else str(_plain(part)) for part in parts)
        case Mapping():
            return {key: _plain(item) for key, item in value.items()}
        case str() | int() | float() | None:
            return value
        case Sequence():
            return [_plain(item) for item in value]
        case _:
            raise AssertionError(value)


def steps_in(level: list[Any]) -> Iterator[dict[str, Any]]:
    """Every step, those behind conditions too."""
    for step in level:
        yield step
        if step["Type"] == "Condition":
            yield from steps_in(step["Arguments"]["IfSteps"])
            yield from steps_in(step["Arguments"]["ElseSteps"])


def with_dummies(value: Any, shape: Any) -> Any:
    """A value with a legal one of its shape in place of what only a run knows."""
    if isinstance(value, Mapping) and ("Get" in value or "Std:Join" in value):
        return 1 if shape.type_name in {"integer", "long"} else "s3://bucket/key"
    match shape.type_name:
        case "structure" if isinstance(value, Mapping):
            return {
                k: with_dummies(v, shape.members[k]) if k in shape.members else v for k, v in value.items()
            }
        case "map" if isinstance(value, Mapping):
            return {k: with_dummies(v, shape.value) for k, v in value.items()}
        case "list" if isinstance(value, list):
            return [with_dummies(item, shape.member) for item in value]
        case _:
            return value


def refused(step: dict[str, Any]) -> str:
    """What botocore finds wrong with a step's arguments; empty for nothing."""
    operation, names = REQUESTS[step["Type"]]
    shape = (
        botocore.session.get_session().get_service_model("sagemaker").operation_model(operation).input_shape
    )
    request = {**names, **with_dummies(step["Arguments"], shape)}
    unknown = sorted(_unknown(request, shape, ""))
    report = ParamValidator().validate(request, shape)
    return "\n".join([*unknown, report.generate_report() if report.has_errors() else ""]).strip()


def _unknown(value: Any, shape: Any, where: str) -> Iterator[str]:
    """Keys that a shape does not have, enumerations that it does not know, texts that break a limit."""
    match shape.type_name:
        case "structure":
            for key, item in value.items():
                if key not in shape.members:
                    yield f"{where}.{key} is unknown"
                else:
                    yield from _unknown(item, shape.members[key], f"{where}.{key}")
        case "list":
            for number, item in enumerate(value):
                yield from _unknown(item, shape.member, f"{where}[{number}]")
        case "map":
            for key, item in value.items():
                yield from _unknown(item, shape.value, f"{where}.{key}")
        case "string" if shape.enum and value not in shape.enum:
            yield f"{where} is {value!r}, not one of {shape.enum[:5]}"


@pytest.fixture(scope="module")
def generated() -> dict[str, Any]:
    """The definition that generated specs use, compiled."""
    return pipelines_of(GENERATED, SPEC_FILE)


@pytest.fixture(scope="module")
def full() -> dict[str, Any]:
    """Those of the full example."""
    spec = ROOT / "examples" / "04-full-aws" / "platform.yaml"
    return pipelines_of(spec.read_text(encoding="utf-8"), str(spec))


def test_every_step_is_a_request_that_the_api_describes(
    generated: dict[str, Any], full: dict[str, Any]
) -> None:
    checked = []
    for pipeline in (*generated.values(), *full.values()):
        for step in steps_in(pipeline["Steps"]):
            if step["Type"] in REQUESTS:
                assert refused(step) == "", step["Name"]
                checked.append(step["Type"])
    assert set(checked) == set(REQUESTS)


def test_a_wrong_key_and_a_wrong_value_are_seen(generated: dict[str, Any]) -> None:
    (train,) = [s for s in steps_in(generated["train"]["Steps"]) if s["Name"] == "train"]
    arguments = train["Arguments"]
    assert "unknown" in refused({**train, "Arguments": {**arguments, "VpcConfg": {}}})
    resources = {**arguments["ResourceConfig"], "InstanceType": "ml.m5.huge"}
    assert "ml.m5.huge" in refused({**train, "Arguments": {**arguments, "ResourceConfig": resources}})


def test_names_are_unique_and_what_is_read_is_there(generated: dict[str, Any], full: dict[str, Any]) -> None:
    for pipeline in (*generated.values(), *full.values()):
        steps = list(steps_in(pipeline["Steps"]))
        names = [step["Name"] for step in steps]
        assert len(set(names)) == len(names)
        for step in steps:
            for reference in _gets(step):
                kind, _, rest = reference.partition(".")
                if kind == "Parameters":
                    assert rest in {parameter["Name"] for parameter in pipeline["Parameters"]}
                if kind == "Steps":
                    assert rest.partition(".")[0] in names


def _gets(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("Get"), str):
            yield value["Get"]
        for item in value.values():
            yield from _gets(item)
    elif isinstance(value, list):
        for item in value:
            yield from _gets(item)


def test_what_waits_for_a_gate_is_behind_it(generated: dict[str, Any]) -> None:
    outer = {step["Name"]: step for step in generated["train"]["Steps"]}
    assert set(outer) == {"prepare", "train", "evaluate", "publish-gate"}
    gate = outer["publish-gate"]
    assert gate["DependsOn"] == ["prepare"]
    condition = gate["Arguments"]["Conditions"][0]
    assert condition["Type"] == "GreaterThanOrEqualTo"
    assert condition["RightValue"] == {"Get": "Parameters.least"}
    assert [step["Type"] for step in gate["Arguments"]["ElseSteps"]] == ["Fail"]
    publish, inner = gate["Arguments"]["IfSteps"]
    assert (publish["Name"], inner["Name"]) == ("publish", "announce-gate")
    assert inner["Arguments"]["Conditions"][0]["Type"] == "LessThanOrEqualTo"
    assert [step["Name"] for step in inner["Arguments"]["IfSteps"]] == ["announce"]


def test_jobs_stay_inside_the_network_and_encrypt_what_they_write(full: dict[str, Any]) -> None:
    (pipeline,) = [value for name, value in full.items() if name == "train"]
    for step in steps_in(pipeline["Steps"]):
        arguments = step["Arguments"]
        match step["Type"]:
            case "Processing":
                assert arguments["NetworkConfig"]["VpcConfig"]["Subnets"]
                assert arguments["NetworkConfig"]["EnableInterContainerTrafficEncryption"] is True
                assert arguments["ProcessingOutputConfig"]["KmsKeyId"]
            case "Training":
                assert arguments["VpcConfig"]["Subnets"]
                assert arguments["EnableInterContainerTrafficEncryption"] is True
                assert arguments["OutputDataConfig"]["KmsKeyId"]


def test_code_of_another_content_is_another_place(tmp_path: Path) -> None:
    places = []
    for content in ("print(1)\n", "print(2)\n"):
        (tmp_path / "pipelines" / "code").mkdir(parents=True, exist_ok=True)
        (tmp_path / "pipelines" / "train.yaml").write_text(
            'version: 1\nimage: "a.example.com/t:1"\ncode: pipelines/code\n'
            "steps: {one: {command: [python, a.py]}}\n"
        )
        (tmp_path / "pipelines" / "code" / "a.py").write_text(content)
        pipeline = pipelines_of(GENERATED, str(tmp_path / "platform.yaml"))["train"]
        (step,) = pipeline["Steps"]
        assert step["Arguments"]["AppSpecification"]["ContainerArguments"] == ["python", "a.py"]
        places.append(step["Arguments"]["ProcessingInputs"][0]["S3Input"]["S3Uri"])
    assert places[0] != places[1]
