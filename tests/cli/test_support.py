from __future__ import annotations

import pytest

from scaffolder.operations.adapters import BUILT_IN
from scaffolder.operations.values import Capability
from stacks.adapter import STACKS
from tests.cli.conftest import Cli

pytestmark = pytest.mark.cli


def test_every_cloud_has_a_column_and_every_intent_a_row(cli: Cli) -> None:
    ran = cli.run("support")
    assert (ran.code, ran.stderr) == (0, "")
    head, *rows = ran.stdout.split("\n\n")[0].splitlines()
    assert head.split() == [*STACKS]
    assert rows[0].startswith("state store")
    assert "permissions boundary" in {row[:20] for row in rows}
    assert [line for line in ran.stdout.splitlines() if len(line) > 80] == []


def test_what_is_not_whole_has_its_reason(cli: Cli) -> None:
    document = cli.run("support", "--json").document
    assert document["clouds"] == [*STACKS]
    levels = [
        (each.get("intent") or each["capability"], column["level"], column["reason"])
        for each in document["intents"] + document["operations"]
        for column in each["support"].values()
    ]
    assert {level for _, level, _ in levels} <= {"full", "partial", "not implemented", "not possible"}
    assert [intent for intent, level, reason in levels if (level == "full") == bool(reason)] == []
    shown = " ".join(cli.run("support").stdout.split())
    assert [reason for _, _, reason in levels if " ".join(reason.split()) not in shown] == []
    idle = [
        reason
        for each in document["intents"]
        for one in each["support"].values()
        for reason in one["idle"].values()
    ]
    assert idle
    assert [reason for reason in idle if reason not in shown] == []


def test_one_cloud_can_be_asked_for(cli: Cli) -> None:
    assert cli.run("support", "--provider", "aws", "--json").document["clouds"] == ["aws"]
    unknown = cli.run("support", "--provider", "digitalocean")
    assert (unknown.code, unknown.stdout) == (64, "")
    assert unknown.stderr == (
        f'error: there are no stacks for "digitalocean" in this version; there are for {", ".join(STACKS)}\n'
    )


def test_operations_have_a_table_of_their_own(cli: Cli) -> None:
    document = cli.run("support", "--json").document
    assert document["providers"] == [*BUILT_IN]
    assert [each["capability"] for each in document["operations"]] == [*Capability]
    tables = [block.splitlines() for block in cli.run("support").stdout.split("\n\n")]
    operations = next(block for block in tables if block[0].split() == [*BUILT_IN])
    assert [line[: len("invoke one deployment")].strip() for line in operations[1:]] == [*Capability]


def test_this_machine_has_operations_and_no_stacks(cli: Cli) -> None:
    document = cli.run("support", "--provider", "local", "--json").document
    assert (document["clouds"], document["intents"]) == ([], [])
    assert document["providers"] == ["local"]
    head, first, *_ = cli.run("support", "--provider", "local").stdout.splitlines()
    assert (head.split(), first.split()) == (["local"], ["identity", "full"])


def test_markdown_is_a_table(cli: Cli) -> None:
    ran = cli.run("support", "--markdown")
    assert ran.stdout.splitlines()[1] == "|---|" + "---|" * len(STACKS)
    assert ran.stdout.splitlines()[2].startswith("| state store | ")
    assert "| operation | " + " | ".join(f"`{name}`" for name in BUILT_IN) + " |" in ran.stdout.splitlines()
    both = cli.run("support", "--markdown", "--json")
    assert both.stderr == "error: --json and --markdown exclude each other\n"
