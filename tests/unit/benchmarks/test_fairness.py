"""A comparison of two deployments sees every difference that matters, and none that does not."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.fairness import count_nodes, differences, read_deployment

OURS: dict[str, Any] = {
    "keys": {
        "terraform": {
            "backend": {"local": {"path": "here"}},
            "required_providers": {"aws": {"version": ">= 5"}},
        },
        "provider": {"aws": [{"region": "eu-west-1"}]},
        "resource": {"aws_kms_key": {"data": {"//": {"origin": "encryption"}, "description": "of data"}}},
        "output": {
            "aws_kms_key_data_arn": {"value": "${aws_kms_key.data.arn}"},
            "key": {"value": "${aws_kms_key.data.arn}"},
        },
    },
    "my-data": {
        "terraform": {"backend": {"s3": {"key": "dev/data"}}},
        "provider": {"aws": [{"region": "eu-west-1"}]},
        "data": {
            "aws_iam_policy_document": {"read": {"statement": [{"actions": ["s3:GetObject"]}]}},
            "terraform_remote_state": {"keys": {"backend": "s3"}},
        },
        "resource": {
            "aws_s3_bucket": {
                "data": {
                    "bucket": "churn",
                    "policy": "${data.aws_iam_policy_document.read.json}",
                    "key": "${data.terraform_remote_state.keys.outputs.aws_kms_key_data_arn}/x",
                    "rule": {"days": 3},
                    "code": "${null}",
                    "widgets": (
                        '{"bucket":${jsonencode(aws_kms_key.data.arn)},"image":${jsonencode("${aws_kms_key.data.id}:1")},'
                        '"key":"${data.terraform_remote_state.keys.outputs.aws_kms_key_data_arn}","sizes":[1]}'
                    ),
                }
            }
        },
    },
}
# The same as CDKTF and its bindings write it.
THEIRS: dict[str, Any] = {
    "keys": {
        "terraform": {
            "backend": {"local": {"path": "there"}},
            "required_providers": {"aws": {"version": "6.25.0"}},
        },
        "provider": {"aws": [{"region": "eu-west-1"}]},
        "resource": {"aws_kms_key": {"aws_kms_key_data": {"description": "of data"}}},
        "output": {
            "cross-stack-output-aws_kms_keyaws_kms_key_dataarn": {
                "value": "${aws_kms_key.aws_kms_key_data.arn}"
            },
            "key": {"value": "${aws_kms_key.aws_kms_key_data.arn}"},
        },
    },
    "my-data": {
        "terraform": {"backend": {"s3": {"key": "dev/data"}}},
        "provider": {"aws": [{"region": "eu-west-1"}]},
        "data": {
            "aws_iam_policy_document": {
                "data_aws_iam_policy_document_read": {"statement": [{"actions": ["s3:GetObject"]}]}
            },
            "terraform_remote_state": {"cross-stack-reference-input-keys": {"backend": "s3"}},
        },
        "resource": {
            "aws_s3_bucket": {
                "aws_s3_bucket_data": {
                    "bucket": "churn",
                    "policy": "${data.aws_iam_policy_document.data_aws_iam_policy_document_read.json}",
                    "key": (
                        "${data.terraform_remote_state.cross-stack-reference-input-keys.outputs"
                        ".cross-stack-output-aws_kms_keyaws_kms_key_dataarn}/x"
                    ),
                    "rule": [{"days": 3}],
                    "code": None,
                    "widgets": (
                        '{"sizes": [1], "bucket": "${aws_kms_key.aws_kms_key_data.arn}", '
                        '"image": "${aws_kms_key.aws_kms_key_data.id}:1", '
                        '"key": "${data.terraform_remote_state.cross-stack-reference-input-keys.outputs'
                        '.cross-stack-output-aws_kms_keyaws_kms_key_dataarn}"}'
                    ),
                }
            }
        },
    },
}
BUCKET = ("my-data", "resource", "aws_s3_bucket", "aws_s3_bucket_data")
WIDGETS = THEIRS["my-data"]["resource"]["aws_s3_bucket"]["aws_s3_bucket_data"]["widgets"]
CHANGED_JSON = (
    WIDGETS.replace("[1]", "[2]"),
    WIDGETS.replace("[1]", "1"),
    WIDGETS.replace("[1]", "[1, 1]"),
    WIDGETS.replace("data.id}:1", "data.id}:2"),
    WIDGETS.replace("data.arn}", "data.id}"),
    WIDGETS.replace("dataarn}", "dataarn}/x"),
    WIDGETS.replace('"sizes": [1], ', ""),
    WIDGETS.replace("}", ""),
    json.loads(WIDGETS),
)
CHANGES = [
    ((*BUCKET, "bucket"), "churned"),
    ((*BUCKET, "rule"), [{"days": 4}]),
    ((*BUCKET, "rule"), [{"days": 3}, {"days": 3}]),
    ((*BUCKET, "policy"), "${data.aws_iam_policy_document.data_aws_iam_policy_document_write.json}"),
    ((*BUCKET, "extra"), True),
    *(((*BUCKET, "widgets"), changed) for changed in CHANGED_JSON),
    (("my-data", "terraform", "backend"), {"s3": {"key": "prod/data"}}),
    (("my-data", "provider"), {"aws": [{"region": "us-east-1"}]}),
    (("my-data", "resource", "aws_s3_bucket"), {}),
    (("my-data", "data", "aws_iam_policy_document"), {}),
    (("keys", "resource", "aws_kms_key", "aws_kms_key_data", "description"), "of logs"),
    (("keys", "output", "key"), {"value": "${aws_kms_key.aws_kms_key_data.id}"}),
    (("keys", "output", "other"), {"value": "x"}),
    (
        ("keys", "output", "cross-stack-output-aws_kms_keyaws_kms_key_dataarn"),
        {"value": "${aws_kms_key.aws_kms_key_data.id}"},
    ),
]


def written(folder: Path, documents: dict[str, Any], dependencies: list[str]) -> Path:
    stacks = {name: {"dependencies": dependencies if name == "my-data" else []} for name in documents}
    for name, document in documents.items():
        (folder / "stacks" / name).mkdir(parents=True)
        (folder / "stacks" / name / "cdk.tf.json").write_text(json.dumps(document))
    (folder / "manifest.json").write_text(json.dumps({"stacks": stacks}))
    return folder


def compared(tmp_path: Path, theirs: dict[str, Any], dependencies: list[str]) -> list[str]:
    ours = read_deployment(written(tmp_path / "ours", OURS, ["keys"]))
    return differences(ours, read_deployment(written(tmp_path / "theirs", theirs, dependencies)))


def test_what_terraform_reads_as_the_same_is_the_same(tmp_path: Path) -> None:
    assert compared(tmp_path, THEIRS, ["keys"]) == []


@pytest.mark.parametrize(("path", "value"), CHANGES, ids=lambda part: str(part)[-40:])
def test_every_change_is_a_difference(tmp_path: Path, path: tuple[str, ...], value: object) -> None:
    changed = copy.deepcopy(THEIRS)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert compared(tmp_path, changed, ["keys"])


def test_every_change_of_a_json_text_changed_it() -> None:
    assert WIDGETS not in CHANGED_JSON


def test_another_order_of_stacks_is_a_difference(tmp_path: Path) -> None:
    assert compared(tmp_path, THEIRS, []) == ["my-data dependencies: ['keys'] here, [] in the peer"]


def test_a_difference_says_where_it_is(tmp_path: Path) -> None:
    changed = copy.deepcopy(THEIRS)
    changed["my-data"]["resource"]["aws_s3_bucket"]["aws_s3_bucket_data"]["bucket"] = "churned"
    assert compared(tmp_path, changed, ["keys"]) == [
        "my-data aws_s3_bucket.data bucket: 'churn' here, 'churned' in the peer"
    ]


def test_resources_and_data_sources_are_counted_without_reads_of_state(tmp_path: Path) -> None:
    assert count_nodes(read_deployment(written(tmp_path, OURS, ["keys"]))) == 3
