from __future__ import annotations

import pytest

from tests.cli.conftest import SPEC, Cli

pytestmark = pytest.mark.cli

TWO = SPEC + "environments: {dev: {}, prod: {}}\nidentity: {ci: {system: github, repository: a/b}}\n"


def test_roles_are_listed_with_who_assumes_them_and_what_they_may_do(cli: Cli) -> None:
    cli.write("platform.yaml")
    ran = cli.run("iam")
    assert (ran.code, ran.stderr) == (0, "")
    training = ran.stdout.split("\ntraining\n")[1].split("\n\n")[0]
    assert "  assumed  sagemaker.amazonaws.com\n           if     aws:SourceAccount StringEquals" in training
    assert "  UseKey\n    allow  kms:Decrypt, kms:DescribeKey, kms:Encrypt," in training
    assert "\n    on     <key data>\n" in training
    assert "\nResources with a policy of their own\n" in ran.stdout


def test_lines_break_between_names_only(cli: Cli) -> None:
    cli.write("platform.yaml", TWO)
    lines = cli.run("iam").stdout.splitlines()
    assert [line for line in lines if len(line) > 80 and len(line.split(", ")) > 1] == []
    assert [line for line in lines if line.count("<") != line.count(">")] == []


def test_one_role_of_one_environment_can_be_asked_for_by_key_or_name(cli: Cli) -> None:
    cli.write("platform.yaml", TWO)
    by_key = cli.run("iam", "--env", "prod", "--role", "ci-plan", "--json")
    assert by_key.code == 0
    (environment,) = by_key.document["environments"]
    assert [role["name"] for role in environment["roles"]] == ["churn-prod-ci-plan"]
    assert environment["resources"] == environment["ceilings"] == []
    by_name = cli.run("iam", "--env", "prod", "--role", "churn-prod-ci-plan", "--json")
    assert by_name.document == by_key.document


def test_a_policy_that_is_attached_is_folded_into_its_role(cli: Cli) -> None:
    cli.write("platform.yaml", TWO)
    (environment,) = cli.run("iam", "--env", "dev", "--role", "ci-plan", "--json").document["environments"]
    policies = {statement["policy"] for statement in environment["roles"][0]["statements"]}
    assert policies == {"inline", "policy ci-read"}


def test_markdown_has_a_row_for_each_action_and_resource(cli: Cli) -> None:
    cli.write("platform.yaml")
    ran = cli.run("iam", "--markdown")
    assert ran.code == 0
    assert "| role | action | resource | condition |\n|---|---|---|---|\n" in ran.stdout
    row = "| `training` | `kms:CreateGrant` | `<key data>` | `kms:GrantIsForAWSResource` Bool `true` |"
    assert row in ran.stdout.splitlines()
    assert (
        "| `bucket data` | `*` | **deny** `s3:*` | `<bucket data>/*` | `aws:SecureTransport` Bool `false` |"
        in (ran.stdout.splitlines())
    )


def test_what_an_override_grants_is_listed_too(cli: Cli) -> None:
    policy = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}}'
    cli.write(
        "platform.yaml",
        SPEC + "overrides:\n"
        f"  aws_iam_role_policy.training: {{policy: '{policy}'}}\n"
        '  aws_iam_role.serving: {managed_policy_arns: ["arn:aws:iam::aws:policy/PowerUserAccess"]}\n'
        "  aws_iam_role_policy.monitoring: {policy: not json}\n",
    )
    (environment,) = cli.run("iam", "--json").document["environments"]
    roles = {role["role"]: role for role in environment["roles"]}
    (statement,) = roles["training"]["statements"]
    assert (statement["actions"], statement["not_actions"]) == ([], ["iam:*"])
    assert roles["serving"]["elsewhere"] == ["arn:aws:iam::aws:policy/PowerUserAccess"]
    assert [each["effect"] for each in roles["monitoring"]["statements"]] == ["Unreadable"]
    shown = cli.run("iam").stdout
    assert "allow  all but iam:*" in shown
    assert "policy arn:aws:iam::aws:policy/PowerUserAccess, whose text is" in shown
    assert "unreadable" in shown


def test_a_role_that_is_not_there_is_a_usage_error(cli: Cli) -> None:
    cli.write("platform.yaml")
    ran = cli.run("iam", "--role", "trainin")
    assert (ran.code, ran.stdout) == (64, "")
    assert 'there is no role "trainin". Did you mean "training"?' in ran.stderr
    assert cli.run("iam", "--json", "--markdown").code == 64


def test_a_spec_with_findings_is_told_in_the_document_too(cli: Cli) -> None:
    cli.write("platform.yaml", SPEC + "networks: {}\n")
    ran = cli.run("iam", "--json")
    assert ran.code == 2
    assert (ran.document["environments"], ran.document["platform"]) == ([], None)
    assert [finding["code"] for finding in ran.document["findings"]]
    assert cli.run("iam").stdout == ""
