"""Each role is held to the table that `scaffolder iam` prints, and to what it is for.

The emitted Terraform is read anew here (``emitted_policies``), and what an action is comes from AWS's definitions.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

from scaffolder.pipeline import Synthesis, synthesize
from scaffolder.report.access import RoleJson, StatementJson, access_as_json, accesses_of
from stacks.aws.granted import POLICIES
from stacks.emit.terraform_json import files
from stacks.graph import JsonText, Ref
from tests.contract.aws.emitted_policies import (
    Emitted,
    Statement,
    access_level,
    documents,
    effective,
    expanded,
    read_emitted,
)
from tests.contract.platforms import rich

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
EVERYTHING = "everything"
FULL = "04-full-aws"

TYPES = {
    "bucket": "aws_s3_bucket",
    "identity provider": "aws_iam_openid_connect_provider",
    "key": "aws_kms_key",
    "log group": "aws_cloudwatch_log_group",
    "network": "aws_vpc",
    "policy": "aws_iam_policy",
    "queue": "aws_sqs_queue",
    "repository": "aws_ecr_repository",
    "role": "aws_iam_role",
    "topic": "aws_sns_topic",
}
"""The words of the table that are not the type's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What a role may ever be allowed, as action patterns; ``levels`` are AWS's access levels that it may have."""

    may: tuple[str, ...]
    never: tuple[str, ...] = ()
    levels: frozenset[str] = frozenset({"List", "Read", "Write"})


LOOK = frozenset({"List", "Read"})
TAG = frozenset({"List", "Read", "Write", "Tagging"})
HANDS_ON = (
    *("iam:PassRole", "kms:CreateGrant"),
    *("ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterfacePermission"),
)
"""AWS calls these permissions management. The first two need a condition (below); SageMaker needs the others to join
a network (SageMaker Developer Guide, CreateTrainingJob API: execution role permissions, November 2026)."""

JOB = (
    *(
        "cloudwatch:PutMetricData",
        "ec2:*NetworkInterface",
        "ec2:*NetworkInterfacePermission",
        "ec2:Describe*",
    ),
    *("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetAuthorizationToken"),
    *("ecr:GetDownloadUrlForLayer", "kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"),
    *("kms:GenerateDataKey", "logs:CreateLog*", "logs:DescribeLogStreams", "logs:PutLogEvents"),
    *("s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:AbortMultipartUpload"),
)
TRACK = ("sagemaker:CreatePresignedMlflowTrackingServerUrl", "sagemaker:DescribeMlflowTrackingServer")
USE_MODELS = ("bedrock:ApplyGuardrail", "bedrock:InvokeModel*", "bedrock:Retrieve")
INGEST = ("bedrock:StartIngestionJob", "bedrock:GetIngestionJob", "bedrock:ListIngestionJobs")
SEE = (
    *("cloudwatch:Get*", "cloudwatch:ListMetrics", "logs:Describe*", "logs:FilterLogEvents"),
    *("logs:GetLogEvents", "sagemaker:Describe*", "sagemaker:List*", "sagemaker:Search"),
)
USE_KEY = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey")
DATA_IS_KEPT = (
    "s3:DeleteBucket*",
    "s3:DeleteObject*",
    "s3:PutBucket*",
    "kms:ScheduleKeyDeletion",
    "kms:Disable*",
)

DEPLOYED = (
    *(
        "aoss",
        "application-autoscaling",
        "bedrock",
        "budgets",
        "cloudtrail",
        "cloudwatch",
        "ec2",
        "ecr",
        "events",
    ),
    *("glue", "kms", "logs", "s3", "sagemaker", "scheduler", "sns", "sqs"),
)
"""The services of what the stacks have."""


PRIVATE_NAMES = ("route53:AssociateVPCWithHostedZone",)
"""What CreateVpcEndpoint of OpenSearch Serverless does with its caller's rights."""


def changing(*kinds: str) -> tuple[str, ...]:
    """The actions that make, change and end SageMaker's resources of some kinds."""
    return tuple(f"sagemaker:{verb}{kind}" for kind in kinds for verb in ("Create", "Update", "Delete"))


KNOWLEDGE = Purpose(
    may=(
        *(
            "aoss:APIAccessAll",
            "bedrock:InvokeModel",
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:GenerateDataKey",
        ),
        *("s3:GetObject", "s3:ListBucket"),
    ),
    never=DATA_IS_KEPT,
)

PURPOSES = {
    "audit": Purpose(may=("logs:CreateLogStream", "logs:PutLogEvents")),
    "flow-logs": Purpose(may=("logs:CreateLogStream", "logs:Describe*", "logs:PutLogEvents")),
    "training": Purpose(
        may=(
            *(*JOB, "glue:CreateTable", "glue:GetDatabase", "glue:GetPartitions", "glue:GetTable"),
            *("glue:UpdateTable", "s3:GetBucketAcl", "sagemaker-mlflow:*", "sagemaker:*Record"),
            *("sagemaker:DescribeFeatureGroup", "s3:PutObjectAcl", *USE_MODELS),
        ),
        levels=frozenset({"List", "Read", "Write", "Permissions management"}),
        never=("sagemaker:Create*", "sagemaker:DeleteRecord", "sagemaker-mlflow:Delete*", *DATA_IS_KEPT),
    ),
    "pipelines": Purpose(
        may=(
            *(
                "iam:PassRole",
                *USE_KEY,
                "s3:GetBucketLocation",
                "s3:GetObject",
                "s3:ListBucket",
                "s3:PutObject",
            ),
            *("sagemaker:*Job", "sagemaker:*Model", "sagemaker:*ModelPackage"),
            *("sagemaker:DescribeModelPackageGroup", "sagemaker:AddTags", "sagemaker:ListTags"),
        ),
        never=("sagemaker:UpdateModelPackage", *changing("Endpoint"), *DATA_IS_KEPT),
        levels=TAG,
    ),
    "serving": Purpose(
        may=(*JOB, *USE_MODELS, "cloudwatch:DescribeAlarms", "sns:Publish"),
        never=("sagemaker:*", *DATA_IS_KEPT),
    ),
    "monitoring": Purpose(
        may=(*JOB, "sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig"), never=DATA_IS_KEPT
    ),
    "workspace": Purpose(
        may=(
            *(*JOB, "iam:PassRole", "sagemaker:AddTags", "sagemaker:*App", "sagemaker:*Space"),
            *("sagemaker:DescribeDomain", "sagemaker:DescribeUserProfile", "sagemaker:List*"),
            *("sagemaker:*TrainingJob", "sagemaker:*ProcessingJob", "sagemaker:*HyperParameterTuningJob"),
            *("sagemaker:*PipelineExecution", "sagemaker-mlflow:*", *TRACK, *USE_MODELS, *INGEST),
        ),
        never=(
            *(*changing("Domain", "Endpoint", "ModelPackage", "Pipeline"), "sagemaker-mlflow:Delete*"),
            *("sagemaker:*UserProfile*Update", *DATA_IS_KEPT),
        ),
        levels=TAG,
    ),
    "triggers": Purpose(may=("sagemaker:StartPipelineExecution",), levels=frozenset({"Write"})),
    "llm-logs": Purpose(may=("logs:CreateLogStream", "logs:PutLogEvents")),
    **dict.fromkeys(("knowledge-docs", "knowledge-later"), KNOWLEDGE),
    "admins": Purpose(
        may=(
            *(*SEE, "iam:PassRole", "sagemaker:AddTags", "sagemaker:*Endpoint*", "sagemaker:*Model"),
            *("sagemaker:*PipelineExecution", "sagemaker:UpdateModelPackage", *INGEST, "aoss:APIAccessAll"),
        ),
        never=("s3:*", "kms:*", "sagemaker:CreateModelPackage*", *changing("Domain", "Pipeline")),
        levels=TAG,
    ),
    "scientists": Purpose(
        may=(
            *(
                *SEE,
                *USE_KEY,
                "iam:PassRole",
                "s3:AbortMultipartUpload",
                "s3:GetBucketLocation",
                "s3:GetObject",
            ),
            *("s3:ListBucket", "s3:PutObject", "sagemaker:*App", "sagemaker:CreatePresignedDomainUrl"),
            *("sagemaker:*TrainingJob", "sagemaker:*ProcessingJob", "sagemaker:*HyperParameterTuningJob"),
            *("sagemaker:*PipelineExecution", "sagemaker:UpdateSpace", "sagemaker:AddTags"),
            *(*TRACK, *USE_MODELS, *INGEST),
        ),
        never=(*changing("Domain", "Endpoint", "ModelPackage", "Pipeline"), *DATA_IS_KEPT),
        levels=TAG,
    ),
    "viewers": Purpose(may=SEE, never=("s3:*", "kms:*", "iam:*"), levels=LOOK),
    "ci-plan": Purpose(
        may=(*(f"{service}:*" for service in DEPLOYED), "iam:Get*", "iam:List*", "sts:GetCallerIdentity"),
        never=("sagemaker:Invoke*", "s3:PutBucket*"),
        levels=LOOK,
    ),
    "ci-build": Purpose(
        may=(
            *("ecr:*", "iam:PassRole", *USE_KEY, "s3:GetObject", "s3:PutObject", "sagemaker:AddTags"),
            *("sagemaker:*Pipeline", "sagemaker:*PipelineExecution", "sagemaker:ListPipelineExecutionSteps"),
        ),
        never=("ecr:*Delete*", "ecr:*Policy", "sagemaker:DeletePipeline", *DATA_IS_KEPT),
        levels=TAG,
    ),
    "ci-deploy": Purpose(
        may=(*(f"{service}:*" for service in DEPLOYED), "iam:*", "sts:GetCallerIdentity", *PRIVATE_NAMES),
        never=(
            *("iam:*User*", "iam:*AccessKey*", "iam:*LoginProfile*", "iam:*SAML*", "iam:*Group*"),
            *(
                "ec2:RunInstances",
                "sagemaker:Invoke*",
                "sagemaker:CreatePresigned*",
                "cloudtrail:StopLogging",
            ),
        ),
        levels=frozenset({*TAG, "Permissions management"}),
    ),
}
"""Written by hand, from what each role is for. A role that gains more than this says so here first."""

NO_ACCESS = {"aws_ecr_lifecycle_policy", "aws_opensearchserverless_security_policy"}
"""Types whose ``policy`` says nothing of who may do what: clean-up, encryption and network."""

NOT_IAM = "aws_opensearchserverless_access_policy."
"""Its permissions are OpenSearch's own."""

WRITES_OF_A_PLAN = ("s3:PutObject", "s3:DeleteObject", "kms:Decrypt", "kms:GenerateDataKey")
"""A plan takes the lock of the state and gives it back (Terraform, S3 backend)."""


@cache
def synthesis(name: str = EVERYTHING) -> Synthesis:
    """The spec with every key, or an example."""
    if name != EVERYTHING:
        return synthesize(EXAMPLES / name / "platform.yaml")
    return rich("aws")


@cache
def emitted(name: str = EVERYTHING) -> dict[str, Emitted]:
    """The roles of the emitted files."""
    return read_emitted(files(synthesis(name).stacks))


@cache
def table(name: str = EVERYTHING) -> dict[str, RoleJson]:
    """The roles of `scaffolder iam --json`."""
    (environment,) = access_as_json("", accesses_of(synthesis(name)), ())["environments"]
    return {role["role"]: role for role in environment["roles"]}


ROLES = sorted(PURPOSES)


def address(found: re.Match[str]) -> str:
    """``<bucket data>`` as ``{aws_s3_bucket.data}``."""
    words, name = found[1].rsplit(" ", 1)
    return f"{{{TYPES.get(words) or 'aws_' + words.replace(' ', '_')}.{name}}}"


def written(text: str) -> str:
    return re.sub(r"<([^<>]*)>", address, text)


def as_block(row: StatementJson) -> Statement:
    """A statement of the table as Terraform has it."""
    assert not row["not_actions"] + row["not_resources"] + row["not_principals"]
    block: Statement = {"sid": row["sid"], "effect": row["effect"], "actions": row["actions"]}
    if row["resources"]:
        block["resources"] = [written(resource) for resource in row["resources"]]
    block["condition"] = [
        {
            "test": each["test"],
            "variable": each["key"],
            "values": [written(value) for value in each["values"]],
        }
        for each in row["conditions"]
    ]
    return block


def differences(role: Emitted, row: RoleJson) -> list[str]:
    """How the table's row and the emitted role disagree."""
    said = {
        "name": row["name"],
        "ceiling": written(row["ceiling"] or ""),
        "trust": effective([as_block(each) for each in row["trust"]]),
        "who": sorted(written(who) for each in row["trust"] for who in each["principals"]),
        "statements": effective([as_block(each) for each in row["statements"]]),
        "elsewhere": row["elsewhere"],
    }
    true = {
        "name": role.name,
        "ceiling": role.boundary,
        "trust": effective(role.trust),
        "who": sorted(who for each in role.trust for p in each["principals"] for who in p["identifiers"]),
        "statements": effective(role.statements),
        "elsewhere": [],
    }
    return [what for what in said if said[what] != true[what]]


def breaches(key: str, statements: Sequence[Statement]) -> Iterator[str]:
    """What a role is allowed beyond its purpose."""
    purpose = PURPOSES[key]
    for statement in statements:
        if statement["effect"] != "Allow":
            continue
        keys = {condition["variable"] for condition in statement.get("condition", [])}
        for pattern in statement["actions"]:
            if pattern == "*" or pattern.endswith(":*"):
                yield f"{pattern} is every action of a service"
            for action in expanded(pattern) or [pattern]:
                yield from _breaches_of(key, purpose, action, keys)


def _breaches_of(key: str, purpose: Purpose, action: str, keys: set[str]) -> Iterator[str]:
    if not any(fnmatchcase(action, may) for may in purpose.may):
        yield f"{action} is not what {key} is for"
    if any(fnmatchcase(action, never) for never in purpose.never):
        yield f"{action} is never for {key}"
    if action == "iam:PassRole" and "iam:PassedToService" not in keys:
        yield "iam:PassRole without iam:PassedToService"
    grants = action == "kms:CreateGrant" and key != "ci-deploy"  # which sets the keys' policies anyway
    if grants and "kms:GrantIsForAWSResource" not in keys:
        yield "kms:CreateGrant without kms:GrantIsForAWSResource"
    if action in HANDS_ON or (key == "ci-plan" and action in WRITES_OF_A_PLAN):
        return
    if expanded(action) and access_level(action) not in purpose.levels:
        yield f"{action} is {access_level(action)}, which {key} has no need of"


def test_every_role_that_there_is_has_a_purpose() -> None:
    assert sorted(emitted()) == sorted(table()) == ROLES


def test_the_full_example_is_what_its_page_says_and_no_role_has_more() -> None:
    assert sorted(emitted(FULL)) == sorted(table(FULL))
    assert emitted(FULL).keys() <= PURPOSES.keys()
    for key, role in emitted(FULL).items():
        assert differences(role, table(FULL)[key]) == [], key
        assert [*breaches(key, role.statements)] == [], key


@pytest.mark.parametrize("key", ROLES)
def test_the_table_says_what_terraform_is_told(key: str) -> None:
    assert differences(emitted()[key], table()[key]) == []


@pytest.mark.parametrize("key", ROLES)
def test_a_role_is_allowed_no_more_than_it_is_for(key: str) -> None:
    assert [*breaches(key, emitted()[key].statements)] == []


def test_only_the_deploy_role_changes_identities() -> None:
    changing = {
        key
        for key, role in emitted().items()
        for effect, action, _, _ in effective(role.statements)
        if effect == "Allow" and action.startswith("iam:") and action != "iam:PassRole"
        if access_level(action) not in LOOK
    }
    assert changing == {"ci-deploy"}


def test_what_scientists_may_never_do_is_denied_by_name() -> None:
    denied = {
        action for effect, action, _, _ in effective(emitted()["scientists"].statements) if effect == "Deny"
    }
    assert {"sagemaker:UpdateModelPackage", "sagemaker:CreateEndpoint"} <= denied


@pytest.mark.parametrize("key", ROLES)
@pytest.mark.parametrize(
    ("actions", "says"),
    [
        (["iam:CreateAccessKey"], "iam:CreateAccessKey"),
        (["s3:*"], "s3:* is every action of a service"),
        (["*"], "* is every action of a service"),
        (["iam:PassRole"], "iam:PassRole without iam:PassedToService"),
        (["lambda:InvokeFunction"], "lambda:InvokeFunction is not what"),
    ],
)
def test_a_role_that_gains_an_action_is_refused(key: str, actions: list[str], says: str) -> None:
    gained = {"sid": "New", "effect": "Allow", "actions": actions, "resources": ["*"]}
    found = [*breaches(key, [*emitted()[key].statements, gained])]
    assert any(says in breach for breach in found)


@pytest.mark.parametrize(
    ("key", "action"),
    [
        ("scientists", "sagemaker:UpdateModelPackage"),
        ("viewers", "sagemaker:InvokeEndpoint"),
        ("training", "s3:DeleteObject"),
        ("training", "sagemaker:CreateEndpoint"),
        ("pipelines", "sagemaker:UpdateModelPackage"),
        ("serving", "sagemaker:CreateModel"),
        ("ci-plan", "sagemaker:CreateEndpoint"),
        ("ci-plan", "ec2:CreateVpc"),
        ("ci-build", "ecr:BatchDeleteImage"),
        ("admins", "s3:GetObject"),
        ("ci-deploy", "iam:CreateUser"),
        ("monitoring", "kms:ScheduleKeyDeletion"),
    ],
)
def test_an_action_of_a_service_that_a_role_uses_is_refused_too(key: str, action: str) -> None:
    statements = copy.deepcopy([*emitted()[key].statements])
    next(each for each in statements if each["effect"] == "Allow")["actions"].append(action)
    assert [breach for breach in breaches(key, statements) if action in breach]


@pytest.mark.parametrize("key", ROLES)
def test_a_table_that_leaves_something_out_is_refused(key: str) -> None:
    role, row = emitted()[key], table()[key]
    last = row["statements"][-1]
    shorter: RoleJson = {
        **row,
        "statements": [*row["statements"][:-1], {**last, "actions": last["actions"][1:]}],
    }
    more = {
        "sid": "New",
        "effect": "Allow",
        "actions": ["s3:DeleteBucket"],
        "resources": ["{aws_s3_bucket.x}"],
    }
    unconditional: RoleJson = {**row, "trust": [{**each, "conditions": []} for each in row["trust"]]}
    assert differences(role, shorter) == ["statements"]
    assert differences(replace(role, statements=(*role.statements, more)), row) == ["statements"]
    assert key in {"admins", "scientists", "viewers"} or differences(role, unconditional) == ["trust"]


def test_no_policy_is_left_out_of_the_table() -> None:
    (environment,) = access_as_json("", accesses_of(synthesis()), ())["environments"]
    rows = [row for role in environment["roles"] for row in (*role["trust"], *role["statements"])]
    policies = [*environment["resources"], *environment["ceilings"]]
    policies = [policy for policy in policies if not policy["address"].startswith(NOT_IAM)]
    rows += [row for policy in policies for row in policy["statements"]]
    said = effective([as_block(row) for row in rows])
    for name, document in documents(files(synthesis().stacks)):
        assert effective(document) <= said, name


def test_an_argument_that_is_a_policy_is_known_to_the_report() -> None:
    nodes = [node for linked in synthesis().stacks for node in linked.stack.nodes]
    with_policy = {
        (node.address.type, argument)
        for node in nodes
        if node.address.mode == "resource"
        for argument, value in node.arguments.items()
        if argument.endswith(("policy", "policy_document")) and isinstance(value, Ref | JsonText)
    }
    known = {(type_, argument) for type_, (argument, _) in POLICIES.items()}
    assert with_policy - known == {
        ("aws_iam_role", "assume_role_policy"),
        ("aws_iam_role_policy", "policy"),
        ("aws_iam_policy", "policy"),
        *((type_, "policy") for type_ in NO_ACCESS & {node.address.type for node in nodes}),
    }
