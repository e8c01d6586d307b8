"""A monitor as a pipeline of one step: the drift code looks at the last window, writes what it found and publishes it.

Each cloud says where requests are kept and how a metric is published, and makes the pipeline and its schedule as it makes
any other. May not know a cloud.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stacks.adapter import TargetProblem
from stacks.intents import ModelMonitor, OnlineEndpoint, TrainingPipeline
from stacks.pipelines import PipelineDefinition, Run, Step, Template, UriOf
from stacks.record import record

__all__ = [
    "ALARM_METRIC",
    "RETRAIN_METRIC",
    "SCORE_METRIC",
    "Sources",
    "baseline_remedy",
    "clock_problems",
    "cron_of",
    "every_s",
    "results_place",
    "unkept_problems",
    "watching_pipeline",
]

ALARM_METRIC = "drift_alarm"
"""1 while enough of the last windows drifted, else 0: hysteresis is the drift code's, the same on every cloud."""

RETRAIN_METRIC = "drift_retrain"
"""1 in the one window from which a retraining is to start, else 0: the cool-down is the drift code's too."""

SCORE_METRIC = "drift_score"
"""The highest score of a window's drift, from 0 to 1."""

_REMEDY = (
    "Let a step of the training pipeline run `python -m drift baseline` (code: drift) with an output at "
    "artifacts:baselines/NAME, which writes {file} there, and set {key} to NAME."
)
"""How the baseline of our own is made; ``file`` and ``key`` are filled in."""

BASELINE_FILE = "drift-baseline.json"

STEP = "look"
LONGEST_RUN_S = 3600
VOLUME_GB = 30
UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
HOUR_S, DAY_S, WEEK_S = 3600, 86400, 604800


@record
class Sources:
    """Where a cloud keeps what a monitor reads, and how its job publishes: ``FORMAT:…``, as the drift code takes it."""

    captured: Template
    captured_format: str
    publish: str


def baseline_remedy(monitor: ModelMonitor) -> str:
    """Say how a monitor with an image gets something to compare with."""
    return _REMEDY.format(file=BASELINE_FILE, key=f"monitors.{monitor.name}.baseline")


def every_s(monitor: ModelMonitor) -> int:
    """How long a monitor's window is, in seconds."""
    return int(monitor.every[:-1]) * UNITS_S[monitor.every[-1]]


def cron_of(monitor: ModelMonitor) -> str | None:
    """The clock of a monitor in five cron fields; ``None`` for a period that is not the same all day round."""
    seconds = every_s(monitor)
    if seconds == WEEK_S:
        return "0 0 * * 0"
    if seconds % HOUR_S or DAY_S % seconds:
        return None
    hours = seconds // HOUR_S
    return f"0 {'0' if hours == 24 else '*' if hours == 1 else f'*/{hours}'} * * *"


def clock_problems(monitors: Iterable[ModelMonitor]) -> Iterator[TargetProblem]:
    """Refuse periods that five cron fields cannot say, of monitors with a job of their own."""
    for monitor in monitors:
        if monitor.image is not None and cron_of(monitor) is None:
            yield TargetProblem(
                path=("monitors", monitor.name, "every"),
                code="monitor-period",
                message=f'monitors.{monitor.name}.every "{monitor.every}" is not a period of a schedule: hours that divide a '
                "day, or a week",
                hint="Set it to 1h, 2h, 3h, 4h, 6h, 8h, 12h, 24h or 7d.",
            )


def unkept_problems(
    monitors: Iterable[ModelMonitor], endpoints: Iterable[OnlineEndpoint]
) -> Iterator[TargetProblem]:
    """Refuse endpoints that keep no requests, under monitors with a job of their own."""
    known = {endpoint.name: endpoint for endpoint in endpoints}
    for monitor in monitors:
        endpoint = known[monitor.endpoint]
        if monitor.image is None or (endpoint.mode == "realtime" and endpoint.capture_percent):
            continue
        reason = f"is {endpoint.mode}" if endpoint.mode != "realtime" else "has capture_percent 0"
        yield TargetProblem(
            path=("monitors", monitor.name, "endpoint"),
            code="monitor-endpoint",
            message=f'monitors.{monitor.name}.endpoint "{monitor.endpoint}" {reason}: there is nothing to compare, '
            "since it keeps no requests",
            hint="Watch a realtime endpoint with capture_percent above 0.",
        )


def results_place(monitor: ModelMonitor) -> UriOf:
    """Where a monitor's job keeps what it found, and what it remembers from window to window."""
    return UriOf("artifacts", f"monitoring/{monitor.name}")


def watching_pipeline(monitor: ModelMonitor, sources: Sources) -> TrainingPipeline | None:
    """A monitor with an image as a pipeline; none where it has no image, or nothing to compare with yet.

    Its name has two hyphens in a row, which no name in a spec has.
    """
    if monitor.image is None or monitor.code is None or monitor.baseline is None:
        return None
    look = Step(
        name=STEP,
        action=Run(
            kind="job",
            image=monitor.image,
            command=(
                ("python",),
                ("-m",),
                ("drift",),
                ("watch",),
                *_words(monitor, sources, monitor.baseline),
            ),
            environment={},
            code=monitor.code.path,
            inputs={},
            outputs={},
            instance=monitor.instance,
            instances=1,
            volume_gb=VOLUME_GB,
            timeout_s=min(LONGEST_RUN_S, every_s(monitor)),
            cache_s=None,
            spot=False,
        ),
        after=(),
        gate=None,
        retries=0,
    )
    return TrainingPipeline(
        name=f"{monitor.name}--monitor",
        definition="",
        schedule=None,
        instance=monitor.instance,
        steps=PipelineDefinition(
            description=f"Look for drift at endpoint {monitor.endpoint}",
            parameters=(),
            steps=(look,),
            code={monitor.code.path: monitor.code},
        ),
    )


def _words(monitor: ModelMonitor, sources: Sources, baseline: str) -> Iterator[Template]:
    """The drift code's options; a kind of drift without a threshold is not looked for."""
    yield from _option("monitor", monitor.name)
    yield from _option("every-s", str(every_s(monitor)))
    yield (f"--captured={sources.captured_format}:", *sources.captured)
    yield ("--baseline=", UriOf("artifacts", f"baselines/{baseline}"))
    yield ("--labels=", UriOf("data", f"labels/{monitor.endpoint}"))
    yield ("--results=", results_place(monitor))
    thresholds = {
        "data": monitor.data_drift_threshold,
        "prediction": monitor.prediction_drift_threshold,
        "concept": monitor.concept_drift_threshold,
    }
    for kind, threshold in thresholds.items():
        if threshold is not None:
            yield from _option(kind, f"{threshold:g}")
    for column in monitor.columns:
        yield from _option("column", column)
    yield from _option("breaches", str(monitor.breaches))
    yield from _option("windows", str(monitor.windows))
    if monitor.retrain_pipeline is not None:
        yield from _option("cooldown-s", str(monitor.cooldown_s))
    yield from _option("publish", sources.publish)


def _option(name: str, value: str) -> Iterator[Template]:
    yield (f"--{name}={value}",)
