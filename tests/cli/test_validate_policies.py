"""``validate`` under policies: those that a project keeps, and those of a catalog that is named."""

from __future__ import annotations

import json

import pytest

from scaffolder.policies.files import digest_of, policy_file
from scaffolder.policies.model import Policy
from scaffolder.policies.place import POLICY_FILE, PROJECT_RECORD
from tests.cli.conftest import SPEC, Cli

pytestmark = pytest.mark.cli

CATALOG = """\
catalog: 1
name: acme
owner: platform-team@acme.example
policies:
  - {name: cost, owner: finops@acme.example, says: every invoice has an address, mandatory_tags: {cost-center: "[0-9]{4}"}}
"""
TOLD = (
    "platform.yaml:1:1: error[policy]: tags.cost-center is missing, against policy cost of finops@acme.example: every "
    "invoice has an address\n  Add cost-center to tags, with a value that fits [0-9]{4}\n"
)
SIZES = Policy(name="sizes", owner="finops", allowed_instances=("cpu.small",))
SIZED = SPEC + "workspace: {instance: cpu.large}\n"
SIZE_TOLD = (
    'platform.yaml:5:23: error[policy]: workspace.instance "cpu.large" is against policy sizes of finops\n'
    "  It allows cpu.small.\n"
)


def keep(cli: Cli, *policies: Policy) -> None:
    """What `new` and `update` write beside a spec."""
    content = policy_file("acme", policies)
    cli.write(POLICY_FILE, content.decode())
    record = {"policies": {"catalog": "acme", "digest": digest_of(content)}}
    cli.write(PROJECT_RECORD, json.dumps(record))


@pytest.mark.parametrize("place", ["catalog", "catalog/catalog.yaml", "./catalog"])
def test_a_catalog_is_named_by_its_file_or_folder(cli: Cli, place: str) -> None:
    cli.write("platform.yaml")
    cli.write("catalog/catalog.yaml", CATALOG)
    ran = cli.run("validate", "--catalog", place)
    assert (ran.code, ran.stdout, ran.stderr) == (2, TOLD, "1 error\n")


def test_a_catalog_is_named_by_the_environment(cli: Cli) -> None:
    cli.write("platform.yaml")
    cli.write("catalog.yaml", CATALOG)
    ran = cli.run("validate", environment={"SCAFFOLDER_CATALOG": str(cli.folder)})
    assert (ran.code, ran.stdout) == (2, TOLD)


def test_a_spec_that_fits_is_valid(cli: Cli) -> None:
    cli.write("platform.yaml", SPEC + 'tags: {cost-center: "1234"}\n')
    cli.write("catalog.yaml", CATALOG)
    ran = cli.run("validate", "--catalog", "catalog.yaml")
    assert (ran.code, ran.stdout, ran.stderr) == (0, "platform.yaml is valid: churn (dev)\n", "")


def test_a_named_catalog_takes_the_place_of_what_the_project_keeps(cli: Cli) -> None:
    cli.write("platform.yaml", SIZED)
    cli.write("catalog.yaml", CATALOG)
    keep(cli, SIZES)
    assert cli.run("validate").stdout == SIZE_TOLD
    assert cli.run("validate", "--catalog", "catalog.yaml").stdout == TOLD


def test_findings_as_json_have_the_code_policy(cli: Cli) -> None:
    cli.write("platform.yaml", SIZED)
    keep(cli, SIZES)
    (finding,) = cli.run("validate", "--json").document["specs"][0]["findings"]
    assert (finding["code"], finding["path"], finding["line"]) == ("policy", "workspace.instance", 5)


def test_a_catalog_with_findings_stops_before_any_spec(cli: Cli) -> None:
    cli.write("platform.yaml")
    cli.write("catalog.yaml", CATALOG.replace("mandatory", "mandatry"))
    ran = cli.run("validate", "--catalog", "catalog.yaml")
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr == (
        "catalog.yaml:5:82: error[unknown-key]: policies[0].mandatry_tags is not a key of policies[0]; it has "
        "allowed_instances, allowed_regions, environments, mandatory_tags, minimum_profiles, name, owner, says\n"
        '  Did you mean "mandatory_tags"?\n1 error\n'
    )


def test_a_repository_is_not_fetched(cli: Cli) -> None:
    """The variable may name one, for `new`: then a spec is held to what its project keeps, as without it."""
    cli.write("platform.yaml", SIZED)
    keep(cli, SIZES)
    place = "git+https://git.acme.example/ml/catalog.git"
    ran = cli.run("validate", "--catalog", place)
    assert (ran.code, ran.stdout) == (64, "")
    assert ran.stderr == (
        f"error: --catalog {place} is a repository, and validate fetches nothing. Clone it, and name its folder.\n"
    )
    assert cli.run("validate", environment={"SCAFFOLDER_CATALOG": place}).stdout == SIZE_TOLD


@pytest.mark.parametrize(
    "arguments",
    [
        ["preview"],
        ["synth", "--out", "out"],
        ["graph"],
        ["diff", "old.yaml", "platform.yaml"],
        ["iam", "platform.yaml"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_no_command_that_deploys_goes_past_a_policy(cli: Cli, arguments: list[str]) -> None:
    cli.write("platform.yaml", SIZED)
    cli.write("old.yaml")
    keep(cli, SIZES)
    ran = cli.run(*arguments)
    assert ran.code == 2
    assert SIZE_TOLD in ran.stderr
    assert not (cli.folder / "out").exists()


def test_what_was_before_a_policy_can_still_be_compared(cli: Cli) -> None:
    cli.write("old.yaml", SIZED)
    cli.write("platform.yaml", SPEC + "workspace: {instance: cpu.small}\n")
    keep(cli, SIZES)
    assert cli.run("diff", "old.yaml", "platform.yaml").code == 0


def test_what_is_deployed_is_operated_whatever_a_policy_says_since(cli: Cli) -> None:
    cli.write("platform.yaml", SIZED)
    keep(cli, SIZES)
    ran = cli.run("models", "list", "--env", "dev")
    assert (ran.code, ran.stderr) == (0, "")


def test_runs_on_this_machine_are_no_matter_of_policies(cli: Cli) -> None:
    cli.write("platform.yaml", SIZED)
    keep(cli, SIZES)
    ran = cli.run("models", "list")
    assert "policy" not in ran.stdout + ran.stderr
