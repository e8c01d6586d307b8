"""Providers are found by an entry point, opened by name, and refused with what would be right."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from scaffolder.errors import UsageError
from scaffolder.operations.adapters import BUILT_IN, GROUP, open_provider, provider_names
from scaffolder.operations.port import Opening
from stacks.intents import Platform, StateBackend, Target
from tests.operations.worlds import WORLDS

PLATFORM = Platform(
    name="churn",
    environment="dev",
    tags={},
    target=Target(provider="aws", region="eu-west-1", account="123456789012"),
    first_in_account=True,
    deletion_protection=False,
    backend=StateBackend(kind="local", settings={}),
    intents=(),
    overrides=(),
)
MODULE = """\
class Mine:
    name = "mine"

def open_provider(opening):
    made = Mine()
    made.opening = opening
    return made

def breaks(opening):
    import a_package_that_nobody_has
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages with one that has a provider in it."""
    (tmp_path / "mine_operations.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def _install(site: Path, package: str, **points: str) -> None:
    info = site / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = [f"[{GROUP}]", *(f"{name} = {value}" for name, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


def _opening(folder: Path) -> Opening:
    return Opening(platform=PLATFORM, folder=folder, sleep=lambda _: None)


def test_the_providers_of_this_package_are_there_and_in_the_contract_suite() -> None:
    assert {*BUILT_IN} <= {*provider_names()}
    assert {*BUILT_IN} <= {*WORLDS}
    assert [*provider_names()] == sorted(provider_names())
    assert [module for module, _ in BUILT_IN.values() if find_spec(module) is None] == []


def test_a_provider_of_anybodys_is_found_and_opened(site: Path) -> None:
    _install(site, "mine", mine="mine_operations:open_provider")
    assert "mine" in provider_names()
    opening = _opening(site)
    provider = open_provider("mine", opening)
    assert provider.name == "mine"
    assert vars(provider)["opening"] is opening


def test_two_providers_of_one_name_are_refused(site: Path) -> None:
    _install(site, "mine", mine="mine_operations:open_provider")
    _install(site, "theirs", mine="their_operations:open_provider")
    with pytest.raises(UsageError) as refused:
        provider_names()
    said = str(refused.value)
    assert said.startswith("two operations providers are named 'mine': ")
    assert "mine_operations:open_provider" in said
    assert "their_operations:open_provider" in said
    assert said.endswith("Uninstall one of the packages.")


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_name_of_a_provider_of_this_package_is_taken(site: Path, name: str) -> None:
    _install(site, "mine", **{name: "mine_operations:open_provider"})
    with pytest.raises(UsageError) as refused:
        provider_names()
    assert str(refused.value) == (
        f"two operations providers are named {name!r}: {BUILT_IN[name][0]} and mine_operations:open_provider. "
        "Uninstall one of the packages."
    )


def test_a_provider_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        open_provider("digitalocean", _opening(tmp_path))
    assert str(refused.value) == (
        f"there is no operations provider 'digitalocean'; there are {', '.join(provider_names())}"
    )


def test_what_a_provider_of_anybodys_lacks_is_its_own_to_say(site: Path) -> None:
    _install(site, "mine", mine="mine_operations:breaks")
    with pytest.raises(ModuleNotFoundError, match="a_package_that_nobody_has"):
        open_provider("mine", _opening(site))
