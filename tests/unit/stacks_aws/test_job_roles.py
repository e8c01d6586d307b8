"""The role of pipelines' jobs may write where the steps say that they write, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

from scaffolder.pipeline import synthesize
from stacks.emit.terraform_json import document

SPEC = """\
version: 1
name: churn
owner: growth-ml
target: {provider: aws, region: eu-west-1, account: "123456789012"}
storage: {buckets: {curated: {}}}
pipelines: {train: {definition: train.yaml}}
"""
DEFINITION = """\
version: 1
image: training:1.0
parameters: {day: "1"}
steps:
  one: {command: [one], outputs: {table: "PLACE"}}
"""


def written(folder: Path, place: str) -> list[str]:
    """Where the training role may put objects."""
    (folder / "platform.yaml").write_text(SPEC)
    (folder / "train.yaml").write_text(DEFINITION.replace("PLACE", place))
    (identity,) = [
        linked for linked in synthesize(folder / "platform.yaml").stacks if linked.stack.concern == "identity"
    ]
    policy = json.loads(json.dumps(document(identity)))["data"]["aws_iam_policy_document"]["role-training"]
    statements = [each for each in policy["statement"] if "s3:PutObject" in each["actions"]]
    return [
        resource.partition("}")[2] for each in statements for resource in each["resources"] if "}" in resource
    ]


def test_a_place_of_its_own_may_be_written_up_to_what_the_run_decides(tmp_path: Path) -> None:
    before = written(tmp_path, "artifacts:baselines/a")
    after = written(tmp_path, "curated:day/{params.day}/x")
    assert [place for place in after if place not in before] == ["/day/*"]


def test_a_place_that_all_jobs_may_write_needs_nothing_more(tmp_path: Path) -> None:
    assert sorted(written(tmp_path, "artifacts:baselines/a")) == ["/*", "/features/*", "/processed/*"]
