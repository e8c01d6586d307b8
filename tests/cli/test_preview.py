from __future__ import annotations

import pytest

from tests.cli.conftest import SPEC, Cli

pytestmark = pytest.mark.cli

TWO = SPEC + "environments: {dev: {}, production: {network: {cidr: 10.41.0.0/16}}}\n"
ORDER = ["state", "security", "network", "storage", "registry", "identity"]


def test_stacks_are_in_deployment_order_with_what_they_need(cli: Cli) -> None:
    cli.write("platform.yaml")
    ran = cli.run("preview", "--json")
    assert (ran.code, ran.stderr) == (0, "")
    (environment,) = ran.document["environments"]
    assert [stack["concern"] for stack in environment["stacks"]][: len(ORDER)] == ORDER
    deployed: set[str] = set()
    for stack in environment["stacks"]:
        assert set(stack["needs"]) <= deployed
        deployed.add(stack["name"])


def test_the_document_adds_up(cli: Cli) -> None:
    cli.write("platform.yaml", TWO)
    document = cli.run("preview", "--json").document
    assert list(document) == ["spec", "platform", "environments", "total", "findings"]
    assert document["total"] == sum(each["total"] for each in document["environments"]) > 0
    for environment in document["environments"]:
        assert environment["total"] == sum(environment["types"].values())
        assert environment["total"] == sum(len(stack["resources"]) for stack in environment["stacks"])
        for stack in environment["stacks"]:
            assert stack["total"] == sum(stack["types"].values()) == len(stack["resources"])


def test_people_see_the_same_numbers(cli: Cli) -> None:
    cli.write("platform.yaml")
    document = cli.run("preview", "--json").document
    (environment,) = document["environments"]
    ran = cli.run("preview")
    assert ran.code == 0
    lines = ran.stdout.splitlines()
    assert lines[0] == f"churn dev: {len(environment['stacks'])} stacks, {environment['total']} resources"
    assert lines[1] == "  aws eu-west-1, account 123456789012"
    rows = [line.split() for line in lines]
    for stack in environment["stacks"]:
        assert [stack["name"], str(stack["total"])] in [row[:2] for row in rows]
    for type_, count in environment["types"].items():
        assert [type_, str(count)] in rows


def test_what_no_stack_carries_is_named_with_the_reason(cli: Cli) -> None:
    cli.write("platform.yaml")
    reason = "nobody could assume it"
    ran = cli.run("preview")
    assert f"Planned, and not made yet:\n  - human role admins: {reason}\n" in ran.stdout
    (environment,) = cli.run("preview", "--json").document["environments"]
    remedy = "Name the roles of those who may in identity.groups.admins."
    assert {
        "environment": "dev",
        "intent": "human role admins",
        "in_part": False,
        "reason": reason,
        "remedy": remedy,
    } in environment["skipped"]


def test_every_address_can_be_copied_into_overrides(cli: Cli) -> None:
    cli.write("platform.yaml")
    (environment,) = cli.run("preview", "--json").document["environments"]
    shown = cli.run("preview", "--resources").stdout
    resources = [resource for stack in environment["stacks"] for resource in stack["resources"]]
    for resource in resources:
        assert f"    {resource['address']} " in shown or f"    {resource['address']}\n" in shown
        assert resource["intent"]
    overrides = "".join(f'  "{resource["address"]}": {{tags: {{a: b}}}}\n' for resource in resources)
    cli.write("all.yaml", f"{SPEC}overrides:\n{overrides}")
    unknown = [
        line for line in cli.run("validate", "all.yaml").stdout.splitlines() if "not a resource" in line
    ]
    assert unknown == []


@pytest.mark.parametrize("option", [(), ("--resources",)], ids=str)
def test_everything_fits_80_columns(cli: Cli, option: tuple[str, ...]) -> None:
    cli.write("platform.yaml", TWO)
    ran = cli.run("preview", *option)
    assert ran.code == 0
    assert [line for line in ran.stdout.splitlines() if len(line) > 80] == []


def test_one_environment_of_two(cli: Cli) -> None:
    cli.write("platform.yaml", TWO)
    ran = cli.run("preview", "--env", "dev", "--json")
    assert [each["name"] for each in ran.document["environments"]] == ["dev"]


def test_findings_are_in_the_document(cli: Cli) -> None:
    cli.write("platform.yaml", SPEC + "nmae: x\n")
    ran = cli.run("preview", "--json")
    assert (ran.code, ran.stderr) == (2, "")
    assert ran.document["environments"] == []
    assert [finding["code"] for finding in ran.document["findings"]] == ["unknown-key"]


def test_annotations_are_talk_here(cli: Cli) -> None:
    cli.write("platform.yaml", SPEC + "nmae: x\n")
    ran = cli.run("preview", "--findings", "github")
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.startswith("::error file=platform.yaml,line=5,col=1,title=unknown-key::")


def test_a_warning_shows_beside_the_preview_and_instead_of_it_if_strict(cli: Cli) -> None:
    opened = 'overrides: {"aws_s3_bucket_public_access_block.data": {block_public_acls: false}}\n'
    cli.write("platform.yaml", SPEC + opened)
    loose, strict = cli.run("preview"), cli.run("preview", "--strict")
    assert loose.code == 0
    assert loose.stdout.startswith("churn dev: ")
    assert "warning[public-access]" in loose.stderr
    assert (strict.code, strict.stdout) == (2, "")
    assert "error[public-access]" in strict.stderr
