"""Decides whether results are good enough: no significant drop against the baseline, and no metric below its floor.

A drop is significant where the whole confidence interval of the paired differences is below zero, and it counts where it
is larger than what nobody would notice. Each metric is tested at a level that keeps all of them together at the asked
one (Bonferroni). May not ask a question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .evaluation import METRICS, Results
from .resampling import Interval, paired_difference

__all__ = ["Rules", "Verdict", "decide", "report"]


@dataclass(frozen=True, slots=True)
class Rules:
    """When to fail. ``noticed`` is the smallest drop that counts; ``floors`` are means that must be reached."""

    least_questions: int = 30
    confidence: float = 0.95
    noticed: float = 0.01
    floors: Mapping[str, float] = field(
        default_factory=lambda: {
            "recall": 0.8,
            "ndcg": 0.7,
            "grounded": 0.9,
            "correct": 0.5,
            "refusal_right": 0.8,
        }
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it passes, what is against it, and what was only noticed; differences by metric, where there is a baseline."""

    passed: bool
    problems: Sequence[str]
    notes: Sequence[str]
    differences: Mapping[str, Interval]


def decide(results: Results, baseline: Results | None, rules: Rules) -> Verdict:
    """Hold results to the rules and to the baseline."""
    problems, notes = [*_floors(results, rules)], list[str]()
    if len(results.scores) < rules.least_questions:
        problems.append(
            f"there are {len(results.scores)} questions; fewer than {rules.least_questions} tell a drop from chance too rarely"
        )
    differences: dict[str, Interval] = {}
    if baseline is None:
        notes.append(
            "there is no baseline for these systems: only floors were looked at. Write one with --accept."
        )
        return Verdict(not problems, problems, notes, differences)
    common = [id_ for id_, digest in results.digests.items() if baseline.digests.get(id_) == digest]
    changed = len(results.digests) - len(common)
    if changed:
        notes.append(f"{changed} questions are new or changed, and not compared")
    gone = len(set(baseline.digests) - set(results.digests))
    if gone:
        notes.append(f"{gone} questions of the baseline are gone")
    if len(common) < rules.least_questions:
        problems.append(
            f"{len(common)} questions are the same as in the baseline; {rules.least_questions} are needed. Accept a new one."
        )
        return Verdict(passed=False, problems=problems, notes=notes, differences=differences)
    metrics = _comparable(results, baseline, notes)
    confidence = 1 - (1 - rules.confidence) / len(metrics)
    for metric in metrics:
        before, after = baseline.of(metric), results.of(metric)
        shared = [id_ for id_ in common if id_ in before and id_ in after]
        if not shared:
            continue
        pairs = [before[id_] for id_ in shared], [after[id_] for id_ in shared]
        differences[metric] = paired_difference(*pairs, confidence=confidence)
        one = differences[metric]
        if one.high < 0 and one.estimate <= -rules.noticed:
            problems.append(
                f"{metric} fell by {-one.estimate:.3f} on {len(shared)} questions "
                f"({confidence:.1%} interval {one.low:.3f} to {one.high:.3f})"
            )
        elif one.estimate <= -rules.noticed:
            notes.append(f"{metric} is lower by {-one.estimate:.3f}, which may be chance")
    return Verdict(not problems, problems, notes, differences)


def _floors(results: Results, rules: Rules) -> list[str]:
    problems = []
    for metric, floor in rules.floors.items():
        values = results.of(metric)
        mean = sum(values.values()) / len(values) if values else None
        if mean is not None and mean < floor:
            problems.append(f"{metric} is {mean:.3f}; the floor is {floor}")
    return problems


def _comparable(results: Results, baseline: Results, notes: list[str]) -> Sequence[str]:
    """Retrieval always; answers only where the same judge judged them, for another one is another scale."""
    if results.passages != baseline.passages:
        notes.append(
            f"{results.passages} passages were retrieved for a question, and {baseline.passages} for the baseline"
        )
    if results.systems.get("judge") == baseline.systems.get("judge"):
        return METRICS
    notes.append("another judge judged the baseline: correctness is not compared")
    return [metric for metric in METRICS if metric != "correct"]


def report(results: Results, verdict: Verdict) -> str:
    """The verdict and the numbers, as Markdown for people."""
    summary = results.summary()
    lines = [f"# Evaluation: {'passed' if verdict.passed else 'failed'}", ""]
    lines += [f"- {problem}" for problem in verdict.problems]
    lines += [f"- note: {note}" for note in verdict.notes]
    lines += [
        "",
        "| Metric | Mean | 95 % interval | Between runs | Against the baseline |",
        "|---|---|---|---|---|",
    ]
    for metric in METRICS:
        if metric in summary:
            one = verdict.differences.get(metric)
            against = (
                "" if one is None else f"{_signed(one.estimate)} ({_signed(one.low)} to {_signed(one.high)})"
            )
            low, high, between = (summary[f"{metric}_{part}"] for part in ("low", "high", "between_runs"))
            lines.append(
                f"| {metric} | {summary[metric]:.3f} | {low:.3f} to {high:.3f} | {between:.3f} | {against} |"
            )
    cost = "unknown" if results.cost is None else f"{results.cost:.6f} {results.currency}".strip()
    lines += ["", f"{len(results.scores)} questions, {results.repeated} runs, cost {cost}."]
    lines += ["", *(f"- {name}: {value}" for name, value in sorted(results.systems.items()))]
    return "\n".join(lines) + "\n"


def _signed(difference: float) -> str:
    """With its sign, and no minus before nothing."""
    return f"{round(difference, 3) + 0.0:+.3f}"
