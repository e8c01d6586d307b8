"""The operations suite's project for each provider: its files in a folder, and the platform that its spec says."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from scaffolder.pipeline import synthesize
from stacks.intents import Platform

__all__ = ["PROJECT", "platform_in", "raw_rows", "write_project"]

PROJECT = Path(__file__).with_name("project")
TARGETS = {
    "aws": '{provider: aws, region: eu-west-1, account: "123456789012"}',
    "gcp": "{provider: gcp, region: europe-west1, account: acme-ml-123456}",
    "azure": "{provider: azure, region: westeurope, account: 12345678-1234-4234-8234-123456789012}",
}
SAME_EVERYWHERE = "aws"
"""What the spec of a provider without a cloud names: it is never deployed."""


def write_project(provider: str, folder: Path) -> Path:
    """Write the project below a folder and return its spec's path."""
    shutil.copytree(PROJECT, folder, dirs_exist_ok=True)
    spec = folder / "platform.yaml"
    target = TARGETS.get(provider, TARGETS[SAME_EVERYWHERE])
    spec.write_text(spec.read_text().replace("target: TARGET", f"target: {target}"))
    return spec


def platform_in(provider: str, folder: Path) -> Platform:
    """Write the project, and return the platform of its only environment."""
    write_project(provider, folder)
    return _platform(provider if provider in TARGETS else SAME_EVERYWHERE)


@cache
def _platform(provider: str) -> Platform:
    """The platform that the project's spec says, which no folder changes."""
    with TemporaryDirectory() as folder:
        return synthesize(write_project(provider, Path(folder))).environments[0].platform


def raw_rows(*, shift: float = 0.0, rows: int = 200) -> str:
    """A CSV file of customers, the same each time: those with a short tenure churn. ``shift`` moves their tenure."""
    lines = ["tenure,charge,churned"]
    for number in range(rows):
        tenure = (number * 37) % 60 + shift
        charge = 20 + (number * 53) % 90
        lines.append(f"{tenure},{charge},{int(tenure < 25)}")
    return "\n".join(lines) + "\n"
