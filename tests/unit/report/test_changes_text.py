from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from scaffolder.report.changes import compare
from scaffolder.report.changes_json import changes_as_json
from scaffolder.report.changes_text import COLUMNS, Style, render_changes
from scaffolder.report.columns import width_of
from stacks.graph import Backend, Lifecycle, Stack, StackBuilder, text
from stacks.intents import ModelRegistry
from tests.graphs import HOSTILE
from tests.unit.report.made import platform, stack, synthesis, synthesized, text_of

EXAMPLE = (Path(__file__).resolve().parents[3] / "examples/02-foundation-aws/platform.yaml").read_text(
    "utf-8"
)


def before() -> Stack:
    def fill(builder: StackBuilder) -> None:
        key = builder.resource(
            "aws_kms_key", "data", {"deletion_window_in_days": 30}, origin="t", holds="everything encrypted"
        )
        builder.resource(
            "aws_s3_bucket",
            "data",
            {"bucket": "churn-data", "force_destroy": False},
            origin="t",
            holds="every object and every version in it",
            lifecycle=Lifecycle(prevent_destroy=True),
        )
        builder.resource("aws_ssm_parameter", "key", {"name": "key", "value": key.ref("arn")}, origin="t")
        builder.resource(
            "aws_ecr_repository", "old", {"name": "churn"}, origin="t", holds="every image in it"
        )
        builder.export("key", key.ref("arn"))

    return stack("storage", fill)


def after() -> Stack:
    def fill(builder: StackBuilder) -> None:
        key = builder.resource(
            "aws_kms_key", "data", {"deletion_window_in_days": 7}, origin="t", holds="everything encrypted"
        )
        bucket = builder.resource(
            "aws_s3_bucket",
            "data",
            {"bucket": "churn-data-of-another-and-much-longer-name", "force_destroy": True},
            origin="t",
            holds="every object and every version in it",
            lifecycle=Lifecycle(prevent_destroy=True),
        )
        value = text(key.ref("arn"), "/", bucket.ref("arn"))
        builder.resource("aws_ssm_parameter", "key", {"name": "key", "value": value}, origin="t")
        builder.resource(
            "aws_ecr_repository", "new", {"name": "churn"}, origin="t", holds="every image in it"
        )
        builder.export("key", key.ref("key_id"))

    backend = Backend(kind="s3", config={"bucket": "state", "key": "storage"})
    return replace(stack("storage", fill), backend=backend)


def test_the_whole_text_of_a_change() -> None:
    assert (
        text_of(synthesis(before(), file="old.yaml"), synthesis(after(), file="new.yaml"))
        == """\
old.yaml -> new.yaml

environment dev
  ~ stack churn-dev-storage
    + backend bucket: "state"
    + backend key: "storage"
    ~ backend kind: "local" -> "s3"
          The state moves: run `terraform init -migrate-state` in this stack
            before its next plan.
      ~ aws_kms_key.data
          ! protection lowered: deletion_window_in_days
          ~ deletion_window_in_days: 30 -> 7
    -/+ aws_s3_bucket.data
          ! loses every object and every version in it
          ! protection lowered: force_destroy
          Terraform refuses this while the resource has prevent_destroy.
          ~ bucket:  # forces replacement
               "churn-data"
            -> "churn-data-of-another-and-much-longer-name"
          ~ force_destroy: false -> true
      ~ aws_ssm_parameter.key
          ~ value:
               aws_kms_key.data.arn
            -> "${aws_kms_key.data.arn}/${aws_s3_bucket.data.arn}"
      + aws_ecr_repository.new
      - aws_ecr_repository.old
          ! loses every image in it
          Same arguments as the new aws_ecr_repository.new. To keep it:
            `terraform state mv aws_ecr_repository.old aws_ecr_repository.new`
            before the next plan.
    ~ output key: aws_kms_key.data.arn -> aws_kms_key.data.key_id

Resources: 1 to add, 2 to change, 1 to replace, 1 to remove.
! 2 changes may lose data or leave it behind.
! 2 protections lowered."""
    )


def test_stacks_and_environments_that_go_are_counted_and_what_they_lose_is_named() -> None:
    old = synthesis(before(), prod=platform("prod", [replace(before(), name="churn-prod-storage")]))
    assert (
        text_of(old, synthesis())
        == """\
platform.yaml -> platform.yaml

environment dev
  - stack churn-dev-storage
    4 resources: 1 aws_ecr_repository, 1 aws_kms_key, 1 aws_s3_bucket,
      1 aws_ssm_parameter
      - aws_kms_key.data
          ! loses everything encrypted
      - aws_s3_bucket.data
          ! loses every object and every version in it
          Terraform refuses this while the resource has prevent_destroy.
      - aws_ecr_repository.old
          ! loses every image in it

- environment prod
  - stack churn-prod-storage
    4 resources: 1 aws_ecr_repository, 1 aws_kms_key, 1 aws_s3_bucket,
      1 aws_ssm_parameter
      - aws_kms_key.data
          ! loses everything encrypted
      - aws_s3_bucket.data
          ! loses every object and every version in it
          Terraform refuses this while the resource has prevent_destroy.
      - aws_ecr_repository.old
          ! loses every image in it

Resources: 0 to add, 0 to change, 0 to replace, 8 to remove.
! 6 changes may lose data or leave it behind.
A removed stack stays deployed until it is destroyed: run `terraform destroy` in
  the old output, the last stack first."""
    )


def test_no_change_is_said_and_so_is_what_no_stack_carries() -> None:
    old, new = (
        replace(synthesis(), environments=(platform("dev", [before()], intents),))
        for intents in (
            (),
            (
                ModelRegistry(
                    name="churn",
                    approval="manual",
                    version=None,
                    image=None,
                    data=None,
                    approval_pipeline=None,
                ),
            ),
        )
    )
    assert text_of(old, old) == "platform.yaml -> platform.yaml\n\nNo changes to any stack."
    assert (
        text_of(old, new)
        == """\
platform.yaml -> platform.yaml

environment dev
  Of the spec, but in no stack of this version:
    + model registry churn

No changes to any stack."""
    )


def test_another_region_and_a_move_are_said_plainly() -> None:
    aws = before().providers[0]
    moved = replace(aws, config={**aws.config, "region": "eu-west-2"})
    here = replace(stack("other"), nodes=before().nodes[:1], providers=(moved,))
    lines = text_of(
        synthesis(replace(before(), exports={}), stack("other")), synthesis(stack("storage"), here)
    )
    assert (
        """\
      - aws_kms_key.data
          ! loses everything encrypted
          Moves to stack churn-dev-other, where it is made anew. To keep it:
            `terraform import` there, `terraform state rm` here.
"""
        in lines
    )
    assert (
        """\
    ! provider aws: region changes: all that is deployed is in the old place; it
      stays there or is destroyed
    ~ provider.aws.region: "eu-west-1" -> "eu-west-2"
      + aws_kms_key.data
          Moves from stack churn-dev-storage.
"""
        in lines
    )


def test_dangers_have_a_style_of_their_own() -> None:
    lines = [*render_changes(compare(synthesis(before()), synthesis(after())))]
    danger: Style = "danger"
    marked = [line for line in lines if line.text.lstrip().startswith("!")]
    assert len(marked) == 6
    assert [line for line in lines if line.style == danger] == marked


@pytest.mark.parametrize("word", [*HOSTILE, "長" * 200, "x" * 500, "e\u0301" * 90])
def test_no_line_is_wider_than_the_screen_or_broken_by_a_value(word: str) -> None:
    def of(value: str) -> Stack:
        tags = {"tags": {"a": value, value: "b"}}
        return stack("storage", lambda builder: builder.resource("aws_s3_bucket", "x", tags, origin="t"))

    for line in render_changes(compare(synthesis(of("plain")), synthesis(of(word)))):
        assert width_of(line.text) <= COLUMNS
        assert not {"\n", "\r", "\t", "\u2028", "\0"} & set(line.text)


@pytest.mark.parametrize(
    "words",
    [
        {"cidr: 10.40.0.0/16": "cidr: 10.44.0.0/16", "exports:": "imports:"},
        {"provider: aws, region: eu-west-1": "provider: aws, region: eu-central-1"},
        {"name: churn": "name: leave"},
        {"encryption: customer": "encryption: provider"},
    ],
)
def test_real_changes_fit_the_screen_and_are_told_alike_every_time(words: dict[str, str]) -> None:
    first = text_of(synthesized(EXAMPLE), synthesized(EXAMPLE, words))
    assert first == text_of(synthesized(EXAMPLE), synthesized(EXAMPLE, words))
    assert max(map(len, first.splitlines())) <= COLUMNS
    assert "$$" not in first


def test_the_json_holds_every_change_with_values_as_terraform_writes_them() -> None:
    document = changes_as_json(compare(synthesis(before()), synthesis(after())))
    assert json.loads(json.dumps(document)) == document
    assert document["totals"] == {
        "added": 1,
        "changed": 2,
        "replaced": 1,
        "removed": 1,
        "data_losing": 2,
        "lowered": 2,
    }
    found = json.loads(json.dumps(document))["environments"][0]["stacks"][0]
    assert found["backend"]["migrate"] == "terraform init -migrate-state"
    resources = {each["address"]: each for each in found["resources"]}
    assert resources["aws_s3_bucket.data"]["refused_by_prevent_destroy"] is True
    assert resources["aws_ecr_repository.old"]["renamed_to"] == "aws_ecr_repository.new"
    assert resources["aws_ssm_parameter.key"]["arguments"] == [
        {
            "path": "value",
            "action": "changed",
            "old": "${aws_kms_key.data.arn}",
            "new": "${aws_kms_key.data.arn}/${aws_s3_bucket.data.arn}",
            "forces_replacement": False,
            "follows": None,
            "ignored": False,
        }
    ]
    assert found["outputs"][0]["new"] == "${aws_kms_key.data.key_id}"
