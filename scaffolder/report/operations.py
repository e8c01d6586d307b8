"""What the commands that run a platform print for people: tables of at most 80 columns, the same on each provider.

References are never cut: who copies one has to have it whole. May not ask a provider, nor print.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from textwrap import wrap

from scaffolder.operations.following import short_ref
from scaffolder.operations.rollout import RolloutPlan
from scaffolder.operations.values import (
    BatchJob,
    DriftResult,
    EndpointStatus,
    Ensured,
    LogLine,
    ModelVersion,
    MonitorStatus,
    Probe,
    Removable,
    Run,
    Schedule,
    StepRun,
)
from scaffolder.report.columns import shortened, width_of

__all__ = [
    "duration",
    "moment",
    "render_drift",
    "render_endpoint",
    "render_endpoints",
    "render_ensured",
    "render_job",
    "render_line",
    "render_monitors",
    "render_plan",
    "render_probes",
    "render_removables",
    "render_run",
    "render_runs",
    "render_schedules",
    "render_undecided",
    "render_version",
    "render_versions",
    "split_words",
    "state_of",
    "table",
]

COLUMNS = 80
GAP = "  "
LEAST_LAST = 15
"""Columns that the last one has at least, however wide the others are."""
FEATURE_COLUMNS = 22


def duration(seconds: float) -> str:
    """Write a duration with its two largest units."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


def moment(time: datetime | None) -> str:
    """Write a time in UTC, to the second."""
    return "-" if time is None else f"{time:%Y-%m-%d %H:%M:%S}"


def took(started: datetime | None, ended: datetime | None) -> str:
    """Write how long something took, where it is over."""
    return "-" if started is None or ended is None else duration((ended - started).total_seconds())


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Write rows below their heads; what the last column has no room for goes on below it."""
    lines = [[*heads], *([cell or "-" for cell in row] for row in rows)]
    widths = [max(width_of(line[place]) for line in lines) for place in range(len(heads) - 1)]
    indent = " " * (sum(widths) + len(GAP) * len(widths))
    for line in lines:
        before = "".join(
            f"{cell}{' ' * (width - width_of(cell))}{GAP}"
            for cell, width in zip(line[:-1], widths, strict=True)
        )
        room = max(COLUMNS - len(indent), LEAST_LAST)
        first, *more = wrap(line[-1], room, break_long_words=False, break_on_hyphens=False) or [""]
        yield f"{before}{first}".rstrip()
        yield from (f"{indent}{each}" for each in more)


def split_words(split: Mapping[str, int]) -> str:
    """Write a split of the traffic: ``90 % v001, 10 % v002``."""
    return ", ".join(f"{percent} % {name}" for name, percent in split.items() if percent) or "no traffic"


# --- runs ------------------------------------------------------------------------------------------------------------


def state_of(step: StepRun) -> str:
    """Say where a step is, and whether it ran at all."""
    if step.skipped:
        return "skipped"
    words = [step.state.value]
    if step.cached:
        words.append("(cached)")
    if step.attempt > 1:
        words.append(f"(attempt {step.attempt})")
    return " ".join(words)


def render_runs(runs: Iterable[Run]) -> Iterator[str]:
    """List runs."""
    rows = [
        [
            run.pipeline,
            run.state.value,
            moment(run.created),
            took(run.started or run.created, run.ended),
            short_ref(run.ref),
        ]
        for run in runs
    ]
    if not rows:
        yield "No runs yet: `scaffolder run PIPELINE` starts one."
        return
    yield from table(["pipeline", "state", "created (UTC)", "took", "run"], rows)


def render_run(run: Run) -> Iterator[str]:
    """Show a run and its steps."""
    short = short_ref(run.ref)
    over = f" in {took(run.started or run.created, run.ended)}" if run.ended else ""
    yield f"{short}: {run.pipeline} {run.state.value}{over}"
    if run.ref != short:
        yield f"  ref        {run.ref}"
    yield f"  created    {moment(run.created)} UTC, {run.reason or 'no reason given'}"
    for head, values in (("parameters", run.parameters), ("metrics", run.metrics)):
        if values:
            yield from _pairs(head, values)
    if run.error:
        yield from _wrapped("error", run.error)
    if run.steps:
        yield ""
        rows = [[step.name, state_of(step), took(step.started, step.ended), step.error] for step in run.steps]
        if not any(step.error for step in run.steps):
            yield from table(["step", "state", "took"], [row[:3] for row in rows])
        else:
            yield from table(["step", "state", "took", "error"], rows)


def _pairs(head: str, values: Mapping[str, object]) -> Iterator[str]:
    yield from _wrapped(head, ", ".join(f"{name}={_value(value)}" for name, value in values.items()))


def _value(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float():
            return f"{value:.6g}"
        case _:
            return str(value)


def _wrapped(head: str, text: str) -> Iterator[str]:
    yield from _filled(text, f"  {head:<11}", " " * 13)


def render_line(line: LogLine) -> str:
    """Write a log line behind its time and step; it is as long as its step wrote it."""
    return f"{line.time:%H:%M:%S} {line.step}: {line.text}"


# --- models and endpoints --------------------------------------------------------------------------------------------


def render_versions(versions: Iterable[ModelVersion]) -> Iterator[str]:
    """List versions."""
    rows = [
        [
            one.model,
            str(one.version),
            one.approval.value,
            one.stage.value,
            f"{one.created:%Y-%m-%d}",
            ", ".join(f"{name}={_short(value)}" for name, value in one.metrics.items()),
        ]
        for one in versions
    ]
    if not rows:
        yield "No versions yet: a pipeline's register step makes one, or `scaffolder models register`."
        return
    yield from table(["model", "version", "approval", "stage", "created", "metrics"], rows)


def _short(value: float) -> str:
    """Write a metric with three digits; what counts something, with all of them."""
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.3g}"


def render_version(one: ModelVersion) -> Iterator[str]:
    """Show a version."""
    stage = f", {one.stage.value}" if one.stage.value != "none" else ""
    yield f"{one.model} {one.version}: {one.approval.value}{stage}"
    yield f"  created    {moment(one.created)} UTC"
    shown = {
        "artifact": one.artifact_uri,
        "image": one.image,
        "run": one.run,
        "commit": one.source_commit,
        "digest": one.digest,
    }
    yield from (f"  {head:<11}{value}" for head, value in shown.items() if value)
    if one.metrics:
        yield from _pairs("metrics", one.metrics)


def render_plan(plan: RolloutPlan) -> Iterator[str]:
    """Say what a rollout will do, step by step."""
    request = plan.request
    yield f"Version {request.version} of {request.model} behind the endpoint {request.endpoint}:"
    steps = []
    if plan.is_there:
        steps.append(f"{request.deployment} is there already")
    else:
        scaling = request.scaling
        replicas = f"{scaling.min_replicas} to {scaling.max_replicas} replicas"
        steps.append(f"deploy {request.deployment}: {request.instance}, {replicas}, no traffic")
    for split in plan.splits:
        watched = f", watched for {duration(plan.step_wait_s)}" if plan.step_wait_s else ""
        steps.append(f"traffic {split_words(split)}{watched}")
    steps += [f"take {name} away" for name in plan.removes]
    if plan.before:
        steps.append(f"or, when it is not healthy: back to {split_words(plan.before)}")
    yield from (f"  {number}. {step}" for number, step in enumerate(steps, 1))


def render_endpoints(endpoints: Iterable[EndpointStatus]) -> Iterator[str]:
    """List endpoints."""
    rows = [[one.name, one.state.value, split_words(_traffic(one)), one.url or "-"] for one in endpoints]
    if not rows:
        yield "No endpoints: the spec has none that answer requests."
        return
    yield from table(["endpoint", "state", "traffic", "url"], rows)


def _traffic(one: EndpointStatus) -> dict[str, int]:
    return {each.name: each.traffic_percent for each in one.deployments}


def render_endpoint(one: EndpointStatus) -> Iterator[str]:
    """Show an endpoint and its deployments."""
    yield f"{one.name}: {one.state.value}"
    yield f"  ref        {one.ref}"
    if one.url:
        yield f"  url        {one.url}"
    if one.error:
        yield from _wrapped("error", one.error)
    if not one.deployments:
        yield "  nothing is deployed: `scaffolder models deploy MODEL` brings a version here"
        return
    yield ""
    rows = [
        [
            each.name,
            each.model,
            "-" if each.version is None else str(each.version),
            f"{each.traffic_percent} %",
            each.state.value,
            each.error or ("" if each.replicas is None else f"{each.replicas} of {each.instance}"),
        ]
        for each in one.deployments
    ]
    yield from table(["deployment", "model", "version", "traffic", "state", "replicas"], rows)


def render_job(job: BatchJob) -> Iterator[str]:
    """Show a scoring job."""
    over = f" in {took(job.created, job.ended)}" if job.ended else ""
    yield f"{short_ref(job.ref)}: {job.endpoint} {job.state.value}{over}"
    if short_ref(job.ref) != job.ref:
        yield f"  ref        {job.ref}"
    if job.output_uri:
        yield f"  output     {job.output_uri}"
    if job.error:
        yield from _wrapped("error", job.error)


# --- monitors and the platform as a whole ----------------------------------------------------------------------------


def render_monitors(monitors: Iterable[MonitorStatus]) -> Iterator[str]:
    """List monitors, and below the table what there is to say of one."""
    listed = [*monitors]
    if not listed:
        yield "No monitors: the spec has none."
        return
    yield from table(
        ["monitor", "endpoint", "state", "alarm", "last window (UTC)"],
        [
            [one.name, one.endpoint, one.state, "ALARM" if one.alarm else "-", moment(one.last_window_end)]
            for one in listed
        ],
    )
    for one in listed:
        if one.detail:
            text, *to_copy = one.detail.splitlines()
            yield from _filled(f"{one.name}: {text}", "", "  ")
            yield from (f"  {line}" for line in to_copy)


def render_schedules(schedules: Iterable[Schedule]) -> Iterator[str]:
    """List schedules, with what asks for each."""
    listed = [*schedules]
    if not listed:
        yield "No schedules: operations have made none."
        return
    yield from table(
        ["schedule", "of", "cron (UTC)", "state"],
        [[one.name, one.key, one.cron, one.native_state if one.enabled else "disabled"] for one in listed],
    )


def render_undecided(status: MonitorStatus | None) -> Iterator[str]:
    """Say why a look has found nothing, where the provider tells."""
    yield from _filled(f"Nothing was decided. {status.detail if status else ''}".rstrip(), "", "  ")


def render_drift(results: Sequence[DriftResult]) -> Iterator[str]:
    """Show what windows found, each below its own line."""
    if not results:
        yield "Nothing was found yet: `scaffolder monitors run MONITOR` looks now."
        return
    for window in sorted({(one.window_start, one.window_end) for one in results}):
        found = [one for one in results if (one.window_start, one.window_end) == window]
        breaches = sum(one.breached for one in found)
        rows_seen = max(one.rows for one in found)
        yield f"{moment(window[0])} to {moment(window[1])} UTC: {breaches} of {len(found)} breached, {rows_seen} rows"
        yield from table(
            ["kind", "feature", "metric", "value", "threshold", ""],
            [
                [
                    one.kind,
                    shortened(one.feature, FEATURE_COLUMNS) or "(all)",
                    one.metric,
                    f"{one.value:.4g}",
                    f"{one.threshold:.4g}",
                    "breached" if one.breached else " ",
                ]
                for one in found
            ],
        )
        if any(one.value == 0 for one in found):
            yield "A value of 0 is a difference that chance makes as well."
        yield from dict.fromkeys(f"report: {one.report_uri}" for one in found if one.report_uri)


def render_probes(probes: Iterable[Probe]) -> Iterator[str]:
    """Write doctor's table line by line, as answers come; the remedy of what does not pass stands below it."""
    yield _probe_row("group", "outcome") + "found"
    indent = " " * len(_probe_row("", ""))
    for one in probes:
        found = f"{one.subject}: {one.detail}" if one.detail else one.subject
        yield from _filled(found, _probe_row(one.group, one.outcome.value), indent)
        if one.remedy:
            yield from _filled(f"-> {one.remedy}", indent, f"{indent}   ")


def _probe_row(group: str, outcome: str) -> str:
    return f"{group:<{len('permissions')}}{GAP}{outcome:<{len('outcome')}}{GAP}"


def _filled(text: str, first: str, others: str) -> list[str]:
    return wrap(
        text,
        COLUMNS,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )


def render_ensured(ensured: Iterable[Ensured], *, dry_run: bool) -> Iterator[str]:
    """Say what was made, or would be."""
    would = {"created": "would create", "changed": "would change", "removed": "would remove"}
    for one in ensured:
        action = would.get(one.action, one.action) if dry_run else one.action
        yield f"{action} {one.subject}{f': {one.detail}' if one.detail else ''}"


def render_removables(items: Sequence[Removable]) -> Iterator[str]:
    """List what goes, in order, and warn of what holds data."""
    if not items:
        yield "Nothing that operations made is left."
        return
    rows = [
        [str(number), one.kind, one.name, f"{'HOLDS DATA ' if one.holds_data else ''}{one.detail}".strip()]
        for number, one in enumerate(items, 1)
    ]
    yield from table(["", "kind", "name", "what is lost"], rows)
    if any(one.holds_data for one in items):
        yield "What HOLDS DATA loses it for good: there is no other copy."
