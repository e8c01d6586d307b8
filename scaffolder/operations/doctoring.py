"""Asks everything that has to be in order before a platform can be deployed and run, group by group.

A question that fails is an answer too: unknown, with the service's own words. Changes nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

from scaffolder.errors import MissingExtraError
from scaffolder.operations.errors import OperationError
from scaffolder.operations.port import Preflight, Provider
from scaffolder.operations.values import Outcome, Probe

__all__ = ["examine", "tool_probes"]


def examine(provider: Provider, *, deploys: bool) -> Iterator[Probe]:
    """Yield what each probe found, in the order in which things need each other.

    ``deploys`` says that Terraform makes this platform, so that its tools are asked for too.
    """
    if deploys:
        yield from tool_probes(shutil.which)
    for name, group in _groups(provider.preflight):
        try:
            yield from group()
        except (OperationError, MissingExtraError) as error:
            remedy = error.remedy if isinstance(error, OperationError) else ""
            detail = error.message if isinstance(error, OperationError) else str(error)
            yield Probe(group=name, subject=name, outcome=Outcome.UNKNOWN, detail=detail, remedy=remedy)


def tool_probes(find: Callable[[str], str | None]) -> Iterator[Probe]:
    """Look for the programs that deploy; ``find`` gives a program's path."""
    terraform = find("terraform") or find("tofu")
    yield Probe(
        group="tools",
        subject="terraform",
        outcome=Outcome.PASS if terraform else Outcome.FAIL,
        detail=terraform or "neither terraform nor tofu is on PATH",
        remedy="" if terraform else "Install Terraform: developer.hashicorp.com/terraform/install.",
    )
    engine = find("cdktf") or find("cdktn")
    yield Probe(
        group="tools",
        subject="cdktf",
        outcome=Outcome.PASS if engine else Outcome.UNKNOWN,
        detail=engine or "neither cdktf nor cdktn is on PATH; terraform alone deploys stack by stack",
        remedy="" if engine else "npm install --global cdktf-cli, if you want one command for all stacks.",
    )


def _groups(preflight: Preflight) -> tuple[tuple[str, Callable[[], Iterator[Probe]]], ...]:
    return (
        ("credentials", preflight.credentials),
        ("permissions", preflight.permissions),
        ("services", preflight.services),
        ("quota", preflight.quotas),
        ("names", preflight.names),
    )
