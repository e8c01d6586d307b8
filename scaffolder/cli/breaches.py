"""Tells where a project that was just written breaks the policies that it carries. May not refuse it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import click

from scaffolder.cli.terminal import tell_findings
from scaffolder.errors import Finding

__all__ = ["tell_breaches"]


def tell_breaches(breaches: Sequence[Finding]) -> None:
    """Say on stderr, as warnings: the project is there, and only its owners can mend it."""
    if not breaches:
        return
    click.echo("The catalog's policies ask for more than the project gives; `scaffolder validate`", err=True)
    click.echo("refuses this until it is mended:", err=True)
    tell_findings([replace(each, severity="warning") for each in breaches], "human", err=True)
