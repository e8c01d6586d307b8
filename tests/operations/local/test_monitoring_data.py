"""Where a monitor's baseline comes from, and how it says when to look."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scaffolder.operations.local import open_provider
from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.training_data import training_data
from scaffolder.operations.port import Opening
from scaffolder.operations.values import Approval, ModelVersion, Stage
from stacks.intents import ModelMonitor
from tests.operations.platforms import platform_in


def version(*, run: str = "", data_uri: str = "") -> ModelVersion:
    return ModelVersion(
        ref="churn/1",
        model="churn",
        version=1,
        approval=Approval.APPROVED,
        stage=Stage.PRODUCTION,
        created=datetime(2026, 11, 2, tzinfo=UTC),
        artifact_uri="",
        run=run,
        data_uri=data_uri,
    )


def test_a_version_whose_run_is_gone_has_the_data_that_it_was_registered_with(tmp_path: Path) -> None:
    rows = tmp_path / "data/raw"
    rows.mkdir(parents=True)
    found = training_data(
        Layout(tmp_path), version(run="train-1", data_uri="data:raw@sha256:0 data:gone@sha256:1")
    )
    assert (found.rows, found.held_out, found.lacks) == ((rows,), (), "")


@pytest.mark.parametrize(
    ("one", "lacks"),
    [
        (version(run="train-1"), "its run train-1 was removed"),
        (version(), "it was registered by no run"),
        (version(data_uri="s3://elsewhere/rows data:none"), "it was registered by no run"),
    ],
)
def test_a_version_without_rows_says_why(one: ModelVersion, lacks: str, tmp_path: Path) -> None:
    found = training_data(Layout(tmp_path), one)
    assert (found.rows, found.lacks) == ((), lacks)


@pytest.mark.parametrize(
    ("every", "line"),
    [
        ("1h", "0 * * * *"),
        ("90m", "0 * * * *"),
        ("6h", "0 */6 * * *"),
        ("24h", "0 0 * * *"),
        ("1d", "0 0 * * *"),
        ("7d", "0 0 */7 * *"),
    ],
)
def test_ensuring_a_monitor_gives_the_line_for_the_crontab(every: str, line: str, tmp_path: Path) -> None:
    platform = platform_in("local", tmp_path)
    provider = open_provider(Opening(platform=platform, folder=tmp_path, sleep=time.sleep))
    monitor = next(one for one in platform.intents if isinstance(one, ModelMonitor))
    made = provider.monitoring.ensure(replace(monitor, every=every))
    assert made.action == "created"
    command = Path(sys.executable).with_name("scaffolder")  # cron has a PATH of its own
    assert made.detail == (
        f"to look each {every}, add to your crontab:\n{line} cd {tmp_path} && {command} monitors run churn --env local"
    )


def test_the_line_for_the_crontab_is_quoted_for_cron_and_the_shell(tmp_path: Path) -> None:
    folder = tmp_path / "100 % ours"
    folder.mkdir()
    platform = platform_in("local", tmp_path)
    provider = open_provider(Opening(platform=platform, folder=folder, sleep=time.sleep))
    monitor = next(one for one in platform.intents if isinstance(one, ModelMonitor))
    assert f" cd '{tmp_path}/100 \\% ours' && " in provider.monitoring.ensure(monitor).detail
