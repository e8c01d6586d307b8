"""Tells what is amiss with a project that was just written: its policies, its place. May not refuse it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from scaffolder.cli.terminal import tell_findings
from scaffolder.errors import Finding
from scaffolder.projects.checkout import is_below_top
from scaffolder.projects.layers import Planned
from scaffolder.projects.tree import shown_path

__all__ = ["tell_breaches", "tell_unseen_pipelines"]

CI_TEMPLATE = "ci"
COLUMNS = 80


def tell_breaches(breaches: Sequence[Finding]) -> None:
    """Say on stderr, as warnings: the project is there, and only its owners can mend it."""
    if not breaches:
        return
    click.echo("The catalog's policies ask for more than the project gives; `scaffolder validate`", err=True)
    click.echo("refuses this until it is mended:", err=True)
    tell_findings([replace(each, severity="warning") for each in breaches], "human", err=True)


def tell_unseen_pipelines(folder: Path, layers: Sequence[Planned]) -> None:
    """Say on stderr that CI systems look at the top of a repository, where a project with CI is below it."""
    if is_below_top(folder) and any(layer.template.name == CI_TEMPLATE for layer in layers):
        told = (
            f"warning: no CI system finds the pipelines in {shown_path(str(folder))}, since it is not the top of its "
            "repository. Give the project a repository of its own, or call its pipelines from the top."
        )
        click.echo(click.wrap_text(told, width=COLUMNS), err=True)
