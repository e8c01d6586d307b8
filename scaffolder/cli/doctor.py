"""``scaffolder doctor``: whether everything is there that a deployment and its operations need.

Thin: asks and prints. May not mend anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from scaffolder.cli.operations import Session, operation
from scaffolder.operations.values import Outcome, Probe
from scaffolder.report.operations import render_probes
from scaffolder.report.operations_json import DoctorJson

__all__ = ["DOCUMENT", "command"]

DOCUMENT = DoctorJson


@click.command(name="doctor", short_help="Check credentials, permissions, services, quotas and names.")
@operation
def command(session: Session) -> None:
    r"""Check everything that a deployment and its operations need, and say how to mend what is missing.

    Asks for credentials, permissions, enabled services, quotas for the spec's machines and free names; changes nothing.
    Exits with 1 when something fails; what nobody could tell is `unknown`, and no failure.

    \b
    Examples:
      scaffolder doctor
      scaffolder doctor --env prod
      scaffolder doctor --env prod --json | jq '.probes[] | .remedy'
    """
    found: list[Probe] = []
    probes = _kept(session.platform.doctor(), found)
    if session.as_json:
        session.show(lambda: (), probes=[*probes])
    else:
        for line in render_probes(probes):
            click.echo(line)
        counts = [f"{sum(one.outcome is kind for one in found)} {kind.value}" for kind in Outcome]
        click.echo(", ".join(counts), err=True)
    if any(one.outcome is Outcome.FAIL for one in found):
        click.get_current_context().exit(1)


def _kept(probes: Iterable[Probe], found: list[Probe]) -> Iterator[Probe]:
    for one in probes:
        found.append(one)
        yield one
