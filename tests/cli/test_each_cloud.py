"""Every command does its work on each cloud's example, without a word about this program's own clouds."""

from __future__ import annotations

import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from stacks.adapter import STACKS
from tests.cli.conftest import Cli
from tests.clouds import cloud, examples_of

pytestmark = pytest.mark.cli

PROVIDERS = sorted(STACKS)
TWO = """\
version: 1
name: churn
owner: growth-ml
target: {{provider: {provider}, region: {region}, account: "{account}"}}
network: {{egress: {egress}}}
models: {{churn: {{}}}}
"""


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def example(provider: str, cli: Cli) -> str:
    """A copy of the example that has everything, in the folder that commands run in."""
    (spec,) = examples_of(provider, "*-full-*")
    shutil.copytree(spec.parent, cli.folder / "example", ignore=shutil.ignore_patterns("expected"))
    return "example/platform.yaml"


def two(cli: Cli, provider: str) -> tuple[Path, Path]:
    """Two small specs of a cloud that differ in one key."""
    of = cloud(provider)
    words = {
        "provider": provider,
        "region": next(iter(of.regions)),
        "account": of.choices("accounts")[0],
    }
    one, other = (TWO.format(**words, egress=egress) for egress in ("none", "nat"))
    return cli.write("one.yaml", one), cli.write("other.yaml", other)


def wide(text: str) -> list[str]:
    """The lines that could have been broken and are longer than 80 columns."""
    return [line for line in text.splitlines() if len(line) > 80 and len(line.split()) > 2]


def test_a_spec_is_valid(cli: Cli, example: str) -> None:
    ran = cli.run("validate", example)
    assert ran.code == 0, ran.stderr


@pytest.mark.parametrize("format_", ["terraform", "hcl"])
def test_stacks_are_written_and_a_second_run_changes_nothing(cli: Cli, example: str, format_: str) -> None:
    first = cli.run("synth", example, "--out", "out", "--format", format_)
    assert first.code == 0, first.stderr
    written = cli.files("out")
    assert any("/churn-dev-network/" in name for name in written)
    again = cli.run("synth", example, "--out", "out", "--format", format_, "--check")
    assert (again.code, cli.files("out")) == (0, written)


def test_a_preview_counts_what_is_made_and_names_what_is_not(cli: Cli, example: str) -> None:
    document = cli.run("preview", example, "--json").document
    (environment,) = document["environments"]
    assert environment["stacks"][0]["name"] == "churn-dev-state"
    assert all(each["reason"] for each in environment["skipped"])
    said = cli.run("preview", example)
    assert said.code == 0
    assert wide(said.stdout) == []


def test_only_the_place_of_the_states_is_deployed_before_the_rest(cli: Cli, example: str) -> None:
    cli.write("cdktf.json", "{}")
    apart, rest = cli.run("synth", example).stdout.splitlines()[-2:]
    assert apart.startswith("Next: cdktf deploy --skip-synth churn-dev-state ")
    assert rest == "      cdktf deploy --skip-synth 'churn-dev-*'"


def test_a_change_of_what_is_made_in_part_is_said(cli: Cli, provider: str) -> None:
    one, _ = two(cli, provider)
    other = cli.write("more.yaml", one.read_text("utf-8").replace("churn: {}", "churn: {}, uplift: {}"))
    said = cli.run("diff", one, other)
    (environment,) = cli.run("diff", one, other, "--json").document["environments"]
    changes = [{"intent": "model registry uplift", "action": "added"}]
    assert environment["in_part"] == (changes if provider != "aws" else [])
    assert ("Of the spec, and made in part:\n    + model registry uplift" in said.stdout) == (
        provider != "aws"
    )
    assert environment["in_no_stack"] == []


def test_what_is_made_in_part_is_said_apart_from_what_is_in_no_stack(
    cli: Cli, provider: str, example: str
) -> None:
    (environment,) = cli.run("preview", example, "--json").document["environments"]
    said = cli.run("preview", example).stdout
    partly = [each["intent"] for each in environment["skipped"] if each["in_part"]]
    assert bool(partly) == ("\nMade in part:\n" in said)
    assert cli.run("synth", example, "--out", "out").stdout.count("Made in part:") == bool(partly)
    table = {each["intent"]: each for each in cli.run("support", "--json").document["intents"]}
    levels = {level["support"][provider]["level"] for kind, level in table.items() if _any(kind, partly)}
    assert levels <= {"partial"}


def _any(kind: str, intents: list[str]) -> bool:
    return any(intent == kind or intent.startswith(f"{kind} ") for intent in intents)


@pytest.mark.parametrize("level", ["stacks", "resources"])
def test_a_graph_is_drawn(cli: Cli, example: str, level: str) -> None:
    assert cli.run("graph", example, "--level", level).stdout.splitlines()[2] == "flowchart LR"
    ET.fromstring(cli.run("graph", example, "--level", level, "--format", "svg").stdout)  # noqa: S314 - our own


def test_who_may_do_what_is_listed(cli: Cli, example: str) -> None:
    ran = cli.run("iam", example, "--json")
    assert ran.code == 0, ran.stderr
    assert ran.document["environments"]
    assert wide(cli.run("iam", example).stdout) == []


def test_a_change_is_told_from_none(cli: Cli, provider: str) -> None:
    one, other = two(cli, provider)
    same = cli.run("diff", one, one, "--exit-code")
    changed = cli.run("diff", one, other, "--exit-code")
    assert (same.code, changed.code) == (0, 1), changed.stderr
    assert "churn-dev-network" in changed.stdout


@pytest.mark.parametrize("target", PROVIDERS)
def test_a_move_to_another_cloud_is_told(cli: Cli, provider: str, target: str, example: str) -> None:
    moved = cli.run("diff", "--target", target, example, "--json")
    if target == provider:
        assert moved.code != 0
        return
    assert moved.code == 0, moved.stderr
    assert moved.document


@pytest.mark.parametrize("mode", ["realtime", "serverless", "async", "batch"])
def test_a_mode_that_a_cloud_lacks_is_refused_in_its_place(cli: Cli, provider: str, mode: str) -> None:
    one, _ = two(cli, provider)
    endpoint = f"endpoints: {{churn: {{model: churn, mode: {mode}}}}}\n"
    ran = cli.run("validate", cli.write("platform.yaml", one.read_text("utf-8") + endpoint))
    has = mode in cloud(provider).choices("modes")
    assert (ran.code == 0) == has
    assert ("platform.yaml:7:41: error[endpoint-mode]: endpoints.churn.mode" in ran.stdout) != has


def test_what_is_not_offered_is_refused_in_its_place(cli: Cli, provider: str) -> None:
    one, _ = two(cli, provider)
    region = next(iter(cloud(provider).regions))
    spec = one.read_text("utf-8").replace(region, f"{region}9")
    ran = cli.run("validate", cli.write("platform.yaml", spec))
    assert ran.code != 0
    assert "platform.yaml:4:" in ran.stdout
    assert "error[region]" in ran.stdout
