"""The fake refuses what AWS's descriptions refuse, also from a client that checks nothing, and says what it lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.operations.worlds.aws import AwsWorld, open_world


def _unchecked(world: AwsWorld, service: str) -> Any:
    return boto3.client(
        service,
        region_name="eu-west-1",
        endpoint_url=world.cloud.url,
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )


@pytest.mark.parametrize(
    ("service", "operation", "request_", "said"),
    [
        ("sagemaker", "describe_pipeline", {}, ".PipelineName is missing"),
        ("sagemaker", "list_endpoints", {"SortOrder": "Upwards"}, "not one of Ascending, Descending"),
        ("sagemaker", "list_endpoints", {"MaxResults": 1000}, "at most 100"),
        ("sagemaker", "list_endpoints", {"NameContains": "no_such"}, "does not match"),
        ("logs", "describe_log_streams", {"logGroupName": "§"}, "does not match"),
        ("iam", "get_role", {"RoleName": "no/role"}, "does not match"),
        (
            "s3",
            "put_bucket_versioning",
            {"Bucket": "anything", "VersioningConfiguration": {"Status": "On"}},
            "is not one of Enabled, Suspended",
        ),
    ],
)
def test_what_the_description_refuses_is_refused(
    world: AwsWorld, service: str, operation: str, request_: dict[str, object], said: str
) -> None:
    with pytest.raises(ClientError, match=said):
        getattr(_unchecked(world, service), operation)(**request_)


def test_a_key_that_no_description_has_is_refused_as_it_was_sent(world: AwsWorld) -> None:
    client = _unchecked(world, "sagemaker")

    def add(model: object, params: dict[str, Any], **_others: object) -> None:
        del model
        params["body"] = b'{"PipelineName": "churn-dev-train", "PipelineNmae": "x"}'

    client.meta.events.register("before-call.sagemaker.DescribePipeline", add)
    with pytest.raises(ClientError, match=r"\.PipelineNmae is unknown"):
        client.describe_pipeline(PipelineName="churn-dev-train")


def test_an_operation_that_the_fake_lacks_is_refused_by_name_and_fails_the_test(tmp_path: Path) -> None:
    opened = open_world(tmp_path)
    client = opened.__enter__().cloud.client("sagemaker")
    with pytest.raises(ClientError, match="FakeUnknownOperation"):
        client.create_hub(HubName="hub", HubDescription="x")
    with pytest.raises(AssertionError, match="sagemaker:CreateHub is not known to the fake"):
        opened.__exit__(None, None, None)
