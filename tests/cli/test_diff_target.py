"""``diff --target``: a move to another cloud."""

from __future__ import annotations

import pytest

from scaffolder.spec.providers import PROVIDERS
from stacks.adapter import STACKS, lowering_of
from stacks.intents import StateStore
from tests.cli.conftest import SPEC, Cli

pytestmark = pytest.mark.cli

MORE = """\
identity:
  ci: {system: github, repository: growth/churn}
  groups: {viewers: ["arn:aws:iam::123456789012:role/sso-everyone"]}
"""
PAIRS = [(old, new) for old in STACKS for new in STACKS if old != new]


def spec_on(provider: str) -> str:
    shapes = PROVIDERS[provider]
    target = f"{{provider: {provider}, region: {shapes.region.example}, account: '{shapes.account.example}'}}"
    return f"version: 1\nname: churn\nowner: growth-ml\ntarget: {target}\n"


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_a_move_says_what_is_needed_lost_and_changed(cli: Cli, old: str, new: str) -> None:
    cli.write("platform.yaml", spec_on(old))
    ran = cli.run("diff", "--target", new, "platform.yaml", "--json")
    assert (ran.code, ran.stderr) == (0, "")
    (move,) = ran.document["moves"]
    assert [need["path"] for need in move["needs"]] == ["target.region", "target.account"]
    assert [need["line"] for need in move["needs"]] == [4, 4]
    assert move["new"] == {
        "provider": new,
        "region": PROVIDERS[new].region.example,
        "account": PROVIDERS[new].account.example,
    }
    assert [each for each in move["findings"] if each["severity"] == "error"] == []
    counts = {each["stack"]: (each["before"], each["after"]) for each in move["stacks"]}
    assert all(counts["state"])
    assert all(counts["storage"])


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_what_is_lost_is_what_the_clouds_declare(cli: Cli, old: str, new: str) -> None:
    cli.write("platform.yaml", spec_on(old))
    here, there = lowering_of(old), lowering_of(new)
    assert here is not None
    assert there is not None
    assert here.support()[StateStore] == there.support()[StateStore]
    (move,) = cli.run("diff", "--target", new, "platform.yaml", "--json").document["moves"]
    declared = {support.reason for support in there.support().values() if support.reason}
    levels = {loss["reason"] for loss in move["loses"] if loss["after"] != "not made"}
    assert levels <= declared


@pytest.mark.parametrize("new", [name for name in STACKS if name != "aws"])
def test_people_read_it_at_80_columns(cli: Cli, new: str) -> None:
    cli.write("platform.yaml", SPEC + MORE)
    ran = cli.run("diff", "--target", new, "platform.yaml")
    assert (ran.code, ran.stderr) == (0, "")
    shown = ran.stdout
    assert shown.startswith(f"churn dev: from aws eu-west-1 to {new} {PROVIDERS[new].region.example}\n")
    assert '  platform.yaml:4:33: target.region "eu-west-1"\n' in shown
    assert "  platform.yaml:7:22: identity.groups.viewers[0]\n" in shown
    assert "  - permissions boundary (not possible): " in shown
    assert "Nothing moves by itself" in shown
    assert [line for line in shown.splitlines() if len(line) > 80] == []


def test_a_cloud_without_stacks_is_refused(cli: Cli) -> None:
    cli.write("platform.yaml")
    for provider in {*PROVIDERS} - {*STACKS}:
        ran = cli.run("diff", "--target", provider, "platform.yaml")
        assert (ran.code, ran.stdout) == (4, "")
        assert ran.stderr.startswith(f'error: the target "{provider}" has no stacks in this version')


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["--target", "aws", "platform.yaml"],
            "there is nothing to move: every environment is on aws already",
        ),
        (["--target", "nimbus", "platform.yaml"], '--target "nimbus" is no cloud; there are aws, gcp, azure'),
        (
            ["--target", "azure:eu-west-1", "platform.yaml"],
            '--target: "eu-west-1" is not an Azure region in one word, such as westeurope',
        ),
        (
            ["--target", "gcp:europe-west4:123", "platform.yaml"],
            '--target: "123" is not a project\'s id: 6 to 30 characters, a letter first',
        ),
        (
            ["--target", "gcp", "platform.yaml", "other.yaml"],
            "--target takes the place of OLD: name NEW only",
        ),
        (["--target", "gcp", "--exit-code", "platform.yaml"], "--target excludes --from and --exit-code"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(cli: Cli, arguments: list[str], says: str) -> None:
    cli.write("platform.yaml")
    ran = cli.run("diff", *arguments)
    assert (ran.code, ran.stdout, ran.stderr) == (64, "", f"error: {says}\n")


def test_findings_of_the_spec_come_first(cli: Cli) -> None:
    cli.write("platform.yaml", SPEC + "network: {zonse: 3}\n")
    ran = cli.run("diff", "--target", "aws", "platform.yaml", "--json")
    assert ran.code == 2
    assert ran.document["moves"] == []
    assert [each["code"] for each in ran.document["findings"]] == ["unknown-key"]
