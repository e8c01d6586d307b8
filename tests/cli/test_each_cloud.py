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
    wide = [line for line in said.stdout.splitlines() if len(line) > 80]
    assert [line for line in wide if max(map(len, line.split())) < 70] == [], (
        "a type's name may be as long as a line"
    )


@pytest.mark.parametrize("level", ["stacks", "resources"])
def test_a_graph_is_drawn(cli: Cli, example: str, level: str) -> None:
    assert cli.run("graph", example, "--level", level).stdout.splitlines()[2] == "flowchart LR"
    ET.fromstring(cli.run("graph", example, "--level", level, "--format", "svg").stdout)  # noqa: S314 - our own


def test_who_may_do_what_is_listed(cli: Cli, example: str) -> None:
    ran = cli.run("iam", example, "--json")
    assert ran.code == 0, ran.stderr
    assert ran.document["environments"]


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


def test_what_is_not_offered_is_refused_in_its_place(cli: Cli, provider: str) -> None:
    one, _ = two(cli, provider)
    region = next(iter(cloud(provider).regions))
    spec = one.read_text("utf-8").replace(region, f"{region}9")
    ran = cli.run("validate", cli.write("platform.yaml", spec))
    assert ran.code != 0
    assert "platform.yaml:4:" in ran.stdout
    assert "error[region]" in ran.stdout
