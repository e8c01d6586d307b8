"""What a doctor finds on this machine, and that nothing of it needs an extra."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scaffolder.operations.adapters import open_provider
from scaffolder.operations.errors import NotFound, Unsupported
from scaffolder.operations.port import Opening, Provider
from scaffolder.operations.values import Capability, Lock, Outcome, RunRequest
from stacks.intents import SupportLevel
from tests.operations.local.scripts import Script, platform_of


def _provider(folder: Path, script: Script | None = None) -> Provider:
    platform = platform_of({"s": script or Script(text="")})
    return open_provider("local", Opening(platform=platform, folder=folder, sleep=lambda _: None))


def test_opening_it_writes_nothing_and_imports_no_extra(tmp_path: Path) -> None:
    before = {*sys.modules}
    provider = _provider(tmp_path)
    assert [*provider.runs.list()] == []
    assert [*provider.teardown.inventory()] == []
    assert [*tmp_path.iterdir()] == []
    new = {name.partition(".")[0] for name in {*sys.modules} - before}
    assert not new & {"mlflow", "fastapi", "numpy", "scipy", "sqlalchemy", "evidently"}


def test_every_probe_names_its_group_and_what_fails_has_a_remedy(tmp_path: Path) -> None:
    preflight = _provider(tmp_path).preflight
    groups = {
        "credentials": preflight.credentials,
        "permissions": preflight.permissions,
        "services": preflight.services,
        "quota": preflight.quotas,
        "names": preflight.names,
    }
    for group, probes in groups.items():
        found = [*probes()]
        assert found
        assert {probe.group for probe in found} <= {group, "tools"}
        assert all(probe.detail for probe in found)
        assert all(probe.remedy for probe in found if probe.outcome is not Outcome.PASS)
    assert [*tmp_path.iterdir()] == []


def test_a_folder_that_is_none_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (probe,) = _provider(tmp_path / "file/below").preflight.permissions()
    assert probe.outcome is Outcome.FAIL


def test_a_pipeline_that_needs_its_image_is_found_before_it_runs(tmp_path: Path) -> None:
    probes = [*_provider(tmp_path, Script(text="", code=None)).preflight.services()]
    (probe,) = [each for each in probes if each.subject == "pipeline p"]
    assert (probe.outcome, probe.detail) == (Outcome.FAIL, "runs in images only: s")


def test_there_is_no_state_of_terraform_here(tmp_path: Path) -> None:
    provider = _provider(tmp_path)
    assert provider.support[Capability.STATE].level is SupportLevel.NOT_POSSIBLE
    lock = Lock(name="a", owner="b", token="c")
    for call in (
        provider.state.ensure,
        lambda: provider.state.acquire("a", "b"),
        lambda: provider.state.release(lock),
    ):
        with pytest.raises(Unsupported, match="--env dev"):
            call()


def test_a_pipeline_that_is_not_in_the_spec_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no pipeline 'q'; it has p"):
        _provider(tmp_path).runs.submit(RunRequest(pipeline="q", token="t"))
