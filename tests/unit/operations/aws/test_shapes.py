"""The fake's reading of AWS's descriptions."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session
import pytest

from tests.operations.fakes.aws.shapes import problems


@cache
def _shape(operation: str) -> Any:
    return botocore.session.Session().get_service_model("sagemaker").operation_model(operation).input_shape


MODEL = {
    "ModelName": "churn-1",
    "PrimaryContainer": {"Mode": "SingleModel", "Image": "image:1"},
    "VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
}


def test_what_fits_has_no_problem() -> None:
    assert [*problems(_shape("CreateModel"), MODEL)] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ModelNmae": "x"}, ".ModelNmae is unknown"),
        ({"ModelName": "churn_1"}, "does not match"),
        ({"ModelName": "x" * 64}, "at most 63"),
        ({"ModelName": 7}, "is int, not string"),
        ({"PrimaryContainer": {"Mode": "Single"}}, "is not one of SingleModel"),
        ({"PrimaryContainer": "image:1"}, "not an object"),
        ({"VpcConfig": {"Subnets": ["subnet-1"]}}, ".VpcConfig.SecurityGroupIds is missing"),
        ({"VpcConfig": {"Subnets": [], "SecurityGroupIds": ["sg-1"]}}, "at least 1"),
        ({"VpcConfig": {"Subnets": "subnet-1", "SecurityGroupIds": ["sg-1"]}}, "not a list"),
        ({"Tags": [{"Key": "ké y", "Value": "§"}]}, ".Tags[0].Value"),
        ({"EnableNetworkIsolation": "yes"}, "not boolean"),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
def test_what_does_not_fit_is_named(change: dict[str, Any], said: str) -> None:
    found = [*problems(_shape("CreateModel"), {**MODEL, **change})]
    assert len(found) == 1
    assert said in found[0]


def test_a_name_that_is_needed_is_missed() -> None:
    assert [*problems(_shape("CreateModel"), {})] == [".ModelName is missing"]
