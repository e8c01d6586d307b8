from __future__ import annotations

import json

import pytest

from tests.cli.conftest import SPEC, Cli

pytestmark = pytest.mark.cli

WORKSPACE = "workspace: {users: [ada], auth: %s, keep_home: %s}\n"


def test_diff_marks_a_replaced_domain_and_exits_10(cli: Cli) -> None:
    cli.write("old.yaml", SPEC + WORKSPACE % ("iam", "false"))
    cli.write("new.yaml", SPEC + WORKSPACE % ("sso", "false"))
    ran = cli.run("diff", "old.yaml", "new.yaml", "--exit-code")
    assert ran.code == 10
    assert (
        "    -/+ aws_sagemaker_domain.main\n"
        "          ! loses the users' home files and spaces\n"
        '          ~ auth_mode: "IAM" -> "SSO"  # forces replacement\n'
    ) in ran.stdout
    assert "! 2 changes may lose data or leave it behind." in ran.stdout
    ran = cli.run("diff", "old.yaml", "new.yaml", "--exit-code", "--json")
    assert ran.code == 10
    assert ran.document["totals"]["data_losing"] == 2
    assert "the users' home files and spaces" in json.dumps(ran.document, ensure_ascii=False)


def test_diff_marks_kept_home_files_as_left_behind(cli: Cli) -> None:
    cli.write("old.yaml", SPEC + WORKSPACE % ("iam", "true"))
    cli.write("new.yaml", SPEC + WORKSPACE % ("sso", "true"))
    ran = cli.run("diff", "old.yaml", "new.yaml", "--exit-code")
    assert ran.code == 10
    words = " ".join(ran.stdout.split())
    assert "! loses the users' spaces; their home files stay behind on the old file system" in words


def test_diff_marks_home_files_that_are_no_longer_kept(cli: Cli) -> None:
    cli.write("old.yaml", SPEC + WORKSPACE % ("iam", "true"))
    cli.write("new.yaml", SPEC + WORKSPACE % ("iam", "false"))
    assert (
        "  ~ aws_sagemaker_domain.main\n"
        "          ! protection lowered: retention_policy.home_efs_file_system\n"
        '          ~ retention_policy.home_efs_file_system: "Retain" -> "Delete"'
    ) in cli.run("diff", "old.yaml", "new.yaml").stdout
    lowered = [_lowered(cli, "old.yaml", "new.yaml"), _lowered(cli, "new.yaml", "old.yaml")]
    assert lowered == [["retention_policy.home_efs_file_system"], []]


def _lowered(cli: Cli, *specs: str) -> list[str]:
    document = cli.run("diff", *specs, "--json").document
    (domain,) = (
        resource
        for environment in document["environments"]
        for stack in environment["stacks"]
        for resource in stack["resources"]
    )
    return list(domain["protections_lowered"])
