from __future__ import annotations

import pytest

from tests.cli.conftest import SPEC, Cli

pytestmark = pytest.mark.cli

MISSPELT = SPEC + "network: {zonse: 3}\n"
OPENED = SPEC + 'overrides: {"aws_s3_bucket_public_access_block.data": {block_public_acls: false}}\n'
UNKNOWN = "network.zonse is not a key of network; it has cidr, egress, existing, nat_gateways, private_endpoints, zones"


def test_a_valid_spec_is_called_so(cli: Cli) -> None:
    cli.write("platform.yaml")
    ran = cli.run("validate")
    assert (ran.code, ran.stdout, ran.stderr) == (0, "platform.yaml is valid: churn (dev)\n", "")


def test_findings_are_told_where_they_are(cli: Cli) -> None:
    cli.write("platform.yaml", MISSPELT)
    ran = cli.run("validate", "platform.yaml")
    assert ran.code == 2
    assert ran.stdout == f'platform.yaml:5:11: error[unknown-key]: {UNKNOWN}\n  Did you mean "zones"?\n'
    assert ran.stderr == "1 error\n"


def test_findings_as_annotations(cli: Cli) -> None:
    cli.write("a,b/50%.yaml", MISSPELT)
    ran = cli.run("validate", "a,b/50%.yaml", "--format", "github")
    assert ran.code == 2
    assert ran.stdout == (
        f'::error file=a%2Cb/50%25.yaml,line=5,col=11,title=unknown-key::{UNKNOWN}%0ADid you mean "zones"?\n'
    )
    assert ran.stderr == ""


def test_annotations_name_files_from_the_workspace_on(cli: Cli) -> None:
    cli.write("platform.yaml", MISSPELT)
    workspace = {"GITHUB_WORKSPACE": str(cli.folder.parent)}
    ran = cli.run("validate", "--format", "github", environment=workspace)
    assert ran.stdout.startswith(f"::error file={cli.folder.name}/platform.yaml,line=5,")


def test_findings_as_json(cli: Cli) -> None:
    cli.write("platform.yaml", MISSPELT)
    cli.write("good.yaml", SPEC.replace("churn", "fraud"))
    ran = cli.run("validate", "platform.yaml", "good.yaml", "--json")
    assert (ran.code, ran.stderr) == (2, "")
    assert ran.document == {
        "specs": [
            {
                "spec": "platform.yaml",
                "valid": False,
                "platform": None,
                "environments": [],
                "findings": [
                    {
                        "file": "platform.yaml",
                        "line": 5,
                        "column": 11,
                        "severity": "error",
                        "code": "unknown-key",
                        "path": "network.zonse",
                        "message": UNKNOWN,
                        "hint": 'Did you mean "zones"?',
                    }
                ],
                "error": None,
            },
            {
                "spec": "good.yaml",
                "valid": True,
                "platform": "fraud",
                "environments": ["dev"],
                "findings": [],
                "error": None,
            },
        ]
    }


def test_a_warning_is_an_error_only_if_strict(cli: Cli) -> None:
    cli.write("platform.yaml", OPENED)
    loose = cli.run("validate")
    assert loose.code == 0
    assert "platform.yaml:5:55: warning[public-access]: " in loose.stdout
    assert loose.stdout.endswith("platform.yaml is valid: churn (dev)\n")
    strict = cli.run("validate", "--strict")
    assert strict.code == 2
    assert "platform.yaml:5:55: error[public-access]: " in strict.stdout
    assert "is valid" not in strict.stdout


def test_overrides_are_held_to_the_schema(cli: Cli) -> None:
    cli.write("platform.yaml", SPEC + 'overrides: {"aws_s3_bucket.data": {force_destory: true}}\n')
    ran = cli.run("validate")
    assert ran.code == 2
    assert "force_destory" in ran.stdout
    assert 'Did you mean "force_destroy"?' in ran.stdout


def test_the_values_of_overrides_are_held_to_what_the_provider_takes(cli: Cli) -> None:
    cli.write("platform.yaml", SPEC + 'overrides: {"aws_kms_key.data": {key_usage: SIGN_VERIFYY}}\n')
    ran = cli.run("validate")
    assert ran.code == 2
    assert "error[not-one-of]: overrides of aws_kms_key.data: key_usage is" in ran.stdout
    assert 'Did you mean "SIGN_VERIFY"?' in ran.stdout


def test_specs_of_two_clouds_in_one_command(cli: Cli) -> None:
    other = (
        SPEC.replace("aws", "gcp")
        .replace("eu-west-1", "europe-west1")
        .replace("123456789012", "my-project-1")
    )
    cli.write("gcp.yaml", other)
    cli.write("platform.yaml")
    ran = cli.run("validate", "gcp.yaml", "platform.yaml")
    assert ran.code == 0
    assert ran.stdout == "gcp.yaml is valid: churn (dev)\nplatform.yaml is valid: churn (dev)\n"


def test_an_environment_that_there_is_not(cli: Cli) -> None:
    cli.write("platform.yaml")
    ran = cli.run("validate", "--env", "prod")
    assert (ran.code, ran.stdout) == (64, "")
    assert ran.stderr == 'platform.yaml: error: there is no environment "prod"; the spec has dev.\n'


def test_without_a_spec_the_missing_file_is_the_finding(cli: Cli) -> None:
    ran = cli.run("validate")
    assert (ran.code, ran.stdout) == (2, "platform.yaml:1:1: error[file]: there is no such file\n")
