"""Arguments and options that several commands share, so that they are the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

import click

__all__ = [
    "CATALOG_VARIABLE",
    "COMPLETE_VARIABLE",
    "DEFAULT_SPEC",
    "FindingsStyle",
    "as_json",
    "catalog",
    "environments",
    "findings_style",
    "spec",
    "specs",
    "strict",
    "trust",
]

DEFAULT_SPEC = Path("platform.yaml")
CATALOG_VARIABLE = "SCAFFOLDER_CATALOG"
COMPLETE_VARIABLE = "_SCAFFOLDER_COMPLETE"
"""Set by a shell's completion script, as click names it."""
FindingsStyle: TypeAlias = Literal["human", "github"]
F = TypeVar("F", bound=Callable[..., Any])


def spec(function: F) -> F:
    """One spec; ``platform.yaml`` when none is named."""
    path = click.Path(path_type=Path)
    return click.argument("spec", metavar="[SPEC]", default=DEFAULT_SPEC, type=path)(function)


def specs(function: F) -> F:
    """Any number of specs; the command puts ``DEFAULT_SPEC`` where none is named."""
    return click.argument("specs", metavar="[SPEC]...", nargs=-1, type=click.Path(path_type=Path))(function)


def environments(function: F) -> F:
    """Some of the spec's environments."""
    return click.option(
        "--env", "environments", metavar="ENV", multiple=True, help="Only this environment; may be repeated."
    )(function)


def as_json(function: F) -> F:
    """One JSON document on stdout."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(function)


def strict(function: F) -> F:
    """Warnings as errors."""
    return click.option("--strict", is_flag=True, help="Take warnings for errors.")(function)


def catalog(function: F) -> F:
    """Where the organisation's catalog of templates is."""
    return click.option(
        "--catalog",
        metavar="PLACE",
        envvar=CATALOG_VARIABLE,
        help="The catalog: a file, a folder or a git source. [env: SCAFFOLDER_CATALOG]",
    )(function)


def trust(function: F) -> F:
    """The user's word for what a template runs."""
    return click.option(
        "--trust", is_flag=True, help="Run the template's hooks and extensions: you have read them."
    )(function)


def findings_style(*names: str) -> Callable[[F], F]:
    """How findings are written; ``names`` are further names of the option."""
    return click.option(
        "--findings",
        *names,
        "style",
        type=click.Choice(["human", "github"]),
        default="human",
        show_default=True,
        help="Write findings for people, or as annotations of GitHub Actions.",
    )
