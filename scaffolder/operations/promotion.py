"""Whether a new version takes the old one's place: only when it is better on data that neither was trained on.

Values in, a decision with its reasons out. May not ask a provider, nor deploy.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from scaffolder.operations.errors import InvalidRequest
from scaffolder.operations.values import ModelVersion
from stacks.pipelines import PipelineDefinition, Register
from stacks.record import record

__all__ = ["Measure", "Paired", "Promotion", "compared", "measure_of", "promotion_of"]

DRAWS = 2_000
CHANCE = 0.05
"""How probable chance may be where a better result is told from an equal one."""
MOST_DRAWN = 1_000
"""Rows from which on the mean's distribution is known well enough without drawing."""
LEAST_SHOWN = 1e-6
ERRORS = frozenset(
    {"error", "error_rate", "loss", "log_loss", "brier", "mae", "mape", "mse", "rmse", "mean_absolute_error"}
    | {"mean_squared_error", "root_mean_squared_error", "false_positive_rate", "false_negative_rate"}
)
"""Numbers that are better when they are smaller; every other one is better when it is larger."""


@record
class Measure:
    """The number that decides. ``least_gain`` is what a version has to be better by, in the number's own unit."""

    metric: str
    smaller_is_better: bool = False
    least_gain: float = 0.0

    def gain(self, champion: float, candidate: float) -> float:
        return champion - candidate if self.smaller_is_better else candidate - champion


@record
class Paired:
    """Both versions' mistakes on the same rows: the mean of what the candidate saves on a row, and its interval.

    ``low`` and ``high`` hold it in 19 of 20 cases; ``p_value`` is the probability of as much where none is better.
    """

    rows: int
    champion: float
    candidate: float
    gain: float
    low: float
    high: float
    p_value: float
    test: str


@record
class Promotion:
    """Whether to promote, and why or why not, for a person to read."""

    promote: bool
    why: str
    paired: Paired | None = None


def measure_of(definition: PipelineDefinition | None, model: str, *, metric: str = "") -> Measure | None:
    """Find what decides: the named metric, or the one that the registering step's gate asks for."""
    if metric:
        return Measure(metric=metric, smaller_is_better=metric.lower() in ERRORS)
    for step in definition.steps if definition is not None else ():
        if isinstance(step.action, Register) and step.action.model == model and step.gate is not None:
            return Measure(metric=step.gate.metric, smaller_is_better=step.gate.comparison == "at_most")
    return None


def compared(champion: Sequence[float], candidate: Sequence[float], *, seed: int = 0) -> Paired:
    """Compare two versions' mistakes, row by row of the same rows: 1 and 0 for wrong and right, or how far off.

    Right and wrong are compared by McNemar's exact test (Psychometrika 12, 1947), other numbers by a paired bootstrap, and
    of more than a thousand rows by a z-test, which comes to the same there.

    Raises:
        InvalidRequest: they are not as many, or none.
    """
    if len(champion) != len(candidate) or not champion:
        raise InvalidRequest(f"{len(champion)} and {len(candidate)} mistakes are not of the same rows")
    saved = [one - other for one, other in zip(champion, candidate, strict=True)]
    rows = len(saved)
    gain = math.fsum(saved) / rows
    low, high, chance = _bootstrap(saved, gain, seed)
    test = "paired bootstrap" if rows <= MOST_DRAWN else "paired z-test"
    if {*champion, *candidate} <= {0.0, 1.0}:
        chance, test = _mcnemar(sum(one > 0 for one in saved), sum(one < 0 for one in saved)), "McNemar"
    return Paired(
        rows=rows,
        champion=math.fsum(champion) / rows,
        candidate=math.fsum(candidate) / rows,
        gain=gain,
        low=low,
        high=high,
        p_value=chance,
        test=test,
    )


def _shown(probability: float) -> str:
    return f"= {probability:.2g}" if probability >= LEAST_SHOWN else f"< {LEAST_SHOWN:g}"


def _mcnemar(mended: int, broken: int) -> float:
    """How probable so uneven a split is of the rows on which only one of the two is right, where none is better."""
    rows = mended + broken
    tail = sum(math.comb(rows, each) for each in range(min(mended, broken) + 1))
    return min(1.0, 2 * tail / (1 << rows))


def _bootstrap(saved: Sequence[float], gain: float, seed: int) -> tuple[float, float, float]:
    """An interval of the mean by drawing rows anew, and how often the mean is as far off where it is really zero.

    Of many rows the mean's distribution is known well enough without drawing.
    """
    rows = len(saved)
    spread = math.sqrt(math.fsum((each - gain) ** 2 for each in saved) / rows)
    if rows > MOST_DRAWN:
        error = spread / math.sqrt(rows)
        chance = math.erfc(abs(gain) / error / math.sqrt(2)) if error else float(gain == 0)
        return gain - 1.96 * error, gain + 1.96 * error, chance
    dice = random.Random(seed)  # noqa: S311 - the same each time
    means = sorted(math.fsum(dice.choices(saved, k=rows)) / rows for _ in range(DRAWS))
    edge = round(DRAWS * 0.025)
    as_far = sum(abs(mean - gain) >= abs(gain) - 1e-12 for mean in means)
    return means[edge], means[-edge - 1], (as_far + 1) / (DRAWS + 1)


def promotion_of(
    champion: ModelVersion | None,
    candidate: ModelVersion,
    measure: Measure | None,
    paired: Paired | None = None,
) -> Promotion:
    """Decide whether a candidate takes the champion's place.

    The mistakes of both on the same rows decide where they can be had; else the number that each was registered with,
    which may be of different rows.
    """
    if champion is None:
        return Promotion(promote=True, why="no version is in production yet")
    if champion.version == candidate.version:
        return Promotion(promote=False, why=f"version {candidate.version} is in production already")
    if champion.digest and champion.digest == candidate.digest:
        return Promotion(promote=False, why=f"its files are those of version {champion.version}")
    if paired is not None:
        return _by_rows(champion, paired, measure)
    if measure is None:
        return Promotion(
            promote=False, why="no metric is named to compare by, and the step that registers it has no gate"
        )
    return _by_metric(champion, candidate, measure)


def _by_rows(champion: ModelVersion, paired: Paired, measure: Measure | None) -> Promotion:
    least = measure.least_gain if measure is not None else 0.0
    said = (
        f"on the same {paired.rows} rows version {champion.version} is wrong by {paired.champion:.4g} and this one by "
        f"{paired.candidate:.4g} ({paired.test}: p {_shown(paired.p_value)})"
    )
    better = paired.gain > 0 and paired.gain >= least and paired.p_value <= CHANCE
    if better:
        return Promotion(promote=True, why=said, paired=paired)
    lacks = (
        "it is not better"
        if paired.gain <= 0
        else "that may be chance"
        if paired.gain >= least
        else "too little"
    )
    return Promotion(promote=False, why=f"{said}: {lacks}", paired=paired)


def _by_metric(champion: ModelVersion, candidate: ModelVersion, measure: Measure) -> Promotion:
    numbers = [version.metrics.get(measure.metric) for version in (champion, candidate)]
    before, after = numbers
    if before is None or after is None:
        lacks = champion if before is None else candidate
        return Promotion(promote=False, why=f"version {lacks.version} has no {measure.metric} to compare")
    gain = measure.gain(before, after)
    said = (
        f"{measure.metric} was {before:.4g} with version {champion.version} and is {after:.4g}, "
        "each on the rows that its own run held out"
    )
    if math.isfinite(gain) and gain > 0 and gain >= measure.least_gain:
        return Promotion(promote=True, why=said)
    return Promotion(promote=False, why=f"{said}: {'too little' if gain > 0 else 'it is not better'}")
