"""``scaffolder monitors``: drift, and looking for it.

Thin: asks and prints. May not know a provider.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from scaffolder.cli.operations import Session, detach, follow, operation, show_run, token
from scaffolder.operations.following import short_ref
from scaffolder.operations.names import checked_token
from scaffolder.report.operations import render_drift, render_monitors, render_undecided
from scaffolder.report.operations_json import MonitorsJson, ReportJson

__all__ = ["DOCUMENTS", "command"]

DOCUMENTS = {"list": MonitorsJson, "run": ReportJson, "report": ReportJson}
monitor = click.argument("monitor", metavar="MONITOR")


@click.group("monitors", short_help="List monitors, look for drift, and show what was found.")
def command() -> None:
    r"""List monitors, look for drift, and show what was found.

    \b
    Examples:
      scaffolder monitors list
      scaffolder monitors run churn
      scaffolder monitors report churn
    """


@command.command("list")
@operation
def list_(session: Session) -> None:
    r"""List the spec's monitors, and which of them raise an alarm.

    \b
    Examples:
      scaffolder monitors list
      scaffolder monitors list --json | jq '.monitors[] | select(.alarm) | .name'
    """
    found = [*session.platform.monitors.list()]
    session.show(lambda: render_monitors(found), monitors=found)


@command.command("run")
@monitor
@detach
@token
@operation
def run(session: Session, monitor: str, token: str | None, *, detach: bool) -> None:
    r"""Look for drift now, in the window that ends now, and show what is found.

    \b
    Examples:
      scaffolder monitors run churn
      scaffolder monitors run churn --env prod --detach
    """
    platform = session.platform
    given = checked_token(token)
    before = max((one.window_end for one in platform.monitors.report(monitor)), default=None)
    with session.repeatable(given):
        ref = platform.monitors.run(monitor, token=given)
    if detach:
        looking = platform.runs.show(ref)
        if session.as_json:
            session.show(lambda: (), monitor=monitor, run=looking, results=())
        else:
            show_run(session, looking, given)
        session.next(f"runs logs {short_ref(ref)} --follow", f"monitors report {monitor}")
        return
    done = follow(session, ref, f"run {short_ref(ref)} of the monitor {monitor}", command_token=given)
    found = tuple(one for one in platform.monitors.report(monitor) if one.window_end != before)
    status = next((one for one in platform.monitors.list() if one.name == monitor), None)
    session.show(
        lambda: render_drift(found) if found else render_undecided(status),
        monitor=monitor,
        run=done,
        results=found,
    )


@command.command("report")
@monitor
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    help="All windows that ended after this time in UTC, and not the last one only.",
)
@click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write a page about the last window, by Evidently; it opens without a network.",
)
@operation
def report(session: Session, monitor: str, since: datetime | None, page: Path | None) -> None:
    r"""Show what a monitor found in its last window, or in all since a time.

    \b
    Examples:
      scaffolder monitors report churn
      scaffolder monitors report churn --since 2026-11-01 --json
      scaffolder monitors report churn --html churn.html
    """
    monitors = session.platform.monitors
    if since is None:
        found = monitors.report(monitor)
    else:
        found = tuple(monitors.results(monitor, since=since.replace(tzinfo=UTC)))
    if page is not None:
        written = monitors.page(monitor).read_bytes()
        page.write_bytes(written)
        session.talk.say(f"a page about the last window: {page}")
    session.show(lambda: render_drift(found), monitor=monitor, run=None, results=found)
