"""Who may take CI's roles on AWS: one repository's jobs, by the subject that each system's tokens have."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest

from scaffolder.pipeline import synthesize_loaded
from scaffolder.spec.load import parse_spec
from stacks.emit.terraform_json import document
from tests.strategies import spec_text

ORGANIZATION = "00000000-0000-4000-8000-000000000000"
SYSTEMS = {
    "circleci": {"repository": "acme/churn", "organization": ORGANIZATION},
    "jenkins": {"repository": "ml/churn", "host": "jenkins.acme.com", "branch": "release/1"},
    "azure-devops": {"repository": "acme/ml", "organization": ORGANIZATION},
}
CIRCLE = f"org/{ORGANIZATION}/project/{'?' * 36}/user/{'?' * 36}/vcs-origin/github.com/acme/churn/vcs-ref/refs/heads/"
JENKINS = "https://jenkins.acme.com/job/ml/job/churn/job/"


def identity_of(system: str) -> dict[str, Any]:
    """The identity stack of a platform whose CI is this system, as Terraform reads it."""
    spec = {
        "version": 1,
        "name": "churn",
        "owner": "growth-ml",
        "target": {"provider": "aws", "region": "eu-west-1", "account": "123456789012"},
        "identity": {"ci": {"system": system, **SYSTEMS[system]}},
    }
    stacks = synthesize_loaded(parse_spec(spec_text(spec))).stacks
    (identity,) = (linked for linked in stacks if linked.stack.concern == "identity")
    found: dict[str, Any] = json.loads(json.dumps(document(identity)))
    return found


def trust_of(identity: dict[str, Any], job: str) -> dict[str, tuple[str, str]]:
    """What a role compares of a token: by claim, how and with what."""
    policy = identity["data"]["aws_iam_policy_document"][f"trust-ci-{job}"]
    (statement,) = policy["statement"]
    return {
        condition["variable"].rpartition(":")[2]: (condition["test"], *condition["values"])
        for condition in statement["condition"]
    }


@pytest.mark.parametrize(
    ("system", "url", "audience"),
    [
        ("circleci", f"https://oidc.circleci.com/org/{ORGANIZATION}", ORGANIZATION),
        ("jenkins", "https://jenkins.acme.com/oidc", "sts.amazonaws.com"),
        ("azure-devops", f"https://vstoken.dev.azure.com/{ORGANIZATION}", "api://AzureADTokenExchange"),
    ],
)
def test_the_issuer_and_the_audience_are_the_systems_own(system: str, url: str, audience: str) -> None:
    identity = identity_of(system)
    provider = identity["resource"]["aws_iam_openid_connect_provider"]["ci"]
    assert (provider["url"], provider["client_id_list"]) == (url, [audience])
    assert trust_of(identity, "plan")["aud"] == ("StringEquals", audience)


@pytest.mark.parametrize(
    ("system", "job", "subject"),
    [
        ("circleci", "plan", ("StringLike", f"{CIRCLE}*")),
        ("circleci", "build", ("StringLike", f"{CIRCLE}main")),
        ("circleci", "deploy", ("StringLike", f"{CIRCLE}main")),
        ("jenkins", "plan", ("StringLike", f"{JENKINS}PR-*/")),
        ("jenkins", "build", ("StringEquals", f"{JENKINS}release%252F1/")),
        ("jenkins", "deploy", ("StringEquals", f"{JENKINS}release%252F1/")),
        ("azure-devops", "plan", ("StringEquals", "sc://acme/ml/churn-dev-ci-plan")),
        ("azure-devops", "build", ("StringEquals", "sc://acme/ml/churn-dev-ci-build")),
        ("azure-devops", "deploy", ("StringEquals", "sc://acme/ml/churn-dev-ci-deploy")),
    ],
)
def test_each_job_is_trusted_by_its_own_subject(system: str, job: str, subject: tuple[str, str]) -> None:
    assert trust_of(identity_of(system), job)["sub"] == subject


@pytest.mark.parametrize(
    ("origin", "ref", "trusted"),
    [
        ("acme/churn", "main", True),
        ("acme/churn", "other", False),
        ("acme/evil", "main", False),
        # A branch that is called like the rest of a trusted subject: a "*" for the person would take it.
        ("acme/churn", "x/vcs-origin/github.com/acme/churn/vcs-ref/refs/heads/main", False),
        ("acme/evil", "x/vcs-origin/github.com/acme/churn/vcs-ref/refs/heads/main", False),
    ],
)
def test_no_name_of_a_branch_gets_circlecis_jobs_another_role(
    origin: str, ref: str, *, trusted: bool
) -> None:
    _, pattern = trust_of(identity_of("circleci"), "deploy")["sub"]
    person = "11111111-1111-4111-8111-111111111111"
    subject = f"org/{ORGANIZATION}/project/{person}/user/{person}/vcs-origin/github.com/{origin}/vcs-ref/refs/heads/{ref}"
    assert fnmatchcase(subject, pattern) is trusted
