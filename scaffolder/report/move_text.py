"""Writes moves to another cloud for people, at most 80 columns, and as data for other programs; prints nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TypedDict

from scaffolder.errors import Finding
from scaffolder.report.findings import FindingJson, finding_as_json
from scaffolder.report.move import Count, Loss, Move, Need
from scaffolder.spec.nodes import quoted

__all__ = ["MovesJson", "moves_as_json", "render_moves"]

COLUMNS = 80
STAYS = (
    "Nothing moves by itself: objects, images, registered models, features and logs stay where they are, and so does "
    "all that is deployed there until it is destroyed."
)


class NeedJson(TypedDict):
    """A value to give anew; `stand_in` is what the counts reckon with, or empty."""

    path: str
    line: int
    column: int
    value: str
    wants: str
    stand_in: str


class LossJson(TypedDict):
    """Intents of one kind that the new cloud carries less of."""

    intent: str
    names: list[str]
    before: str
    after: str
    reason: str
    remedy: str


class CountJson(TypedDict):
    """A stack's resources on each side."""

    stack: str
    before: int
    after: int


class TargetJson(TypedDict):
    """A cloud, region and account."""

    provider: str
    region: str
    account: str


class MoveJson(TypedDict):
    """One environment's move; `stacks` is null where a finding is an error."""

    environment: str
    old: TargetJson
    new: TargetJson
    needs: list[NeedJson]
    loses: list[LossJson]
    stacks: list[CountJson] | None
    findings: list[FindingJson]


class MovesJson(TypedDict):
    """What `diff --target --json` prints; `findings` are those of the spec as it is now."""

    spec: str
    moves: list[MoveJson]
    findings: list[FindingJson]


def moves_as_json(spec: str, moves: Sequence[Move], findings: Sequence[Finding]) -> MovesJson:
    """Make a document of JSON values."""
    return {
        "spec": spec,
        "moves": [_as_json(move) for move in moves],
        "findings": [finding_as_json(finding) for finding in findings],
    }


def _as_json(move: Move) -> MoveJson:
    old, new = move.old, move.new
    return {
        "environment": move.environment,
        "old": {"provider": old.provider, "region": old.region, "account": old.account},
        "new": {"provider": new.provider, "region": new.region, "account": new.account},
        "needs": [_need_as_json(need) for need in move.needs],
        "loses": [_loss_as_json(loss) for loss in move.losses],
        "stacks": None if move.counts is None else [_count_as_json(count) for count in move.counts],
        "findings": [finding_as_json(finding) for finding in move.findings],
    }


def _need_as_json(need: Need) -> NeedJson:
    return {
        "path": need.path,
        "line": need.line,
        "column": need.column,
        "value": need.value,
        "wants": need.wants,
        "stand_in": need.stand_in,
    }


def _loss_as_json(loss: Loss) -> LossJson:
    return {
        "intent": loss.kind,
        "names": [*loss.names],
        "before": loss.before,
        "after": loss.after,
        "reason": loss.reason,
        "remedy": loss.remedy,
    }


def _count_as_json(count: Count) -> CountJson:
    return {"stack": count.stack, "before": count.before, "after": count.after}


def render_moves(spec: str, moves: Sequence[Move]) -> Iterator[str]:
    """Yield the lines for people."""
    for move in moves:
        yield (
            f"{move.platform} {move.environment}: from {move.old.provider} {move.old.region} "
            f"to {move.new.provider} {move.new.region}"
        )
        yield ""
        yield from _needed(spec, move)
        yield from _lost(move)
        yield from _found(move)
        yield from _counted(move)
    yield from wrap(STAYS, COLUMNS)


def _needed(spec: str, move: Move) -> Iterator[str]:
    if not move.needs:
        return
    yield f"Needed, for these are {move.old.provider}'s own:"
    for need in move.needs:
        yield from _placed(f"  {spec}:{need.line}:{need.column}: {need.path}", _value(need))
        yield from _wrapped(f"wants {need.wants}", "      ", "      ")
    yield ""


def _placed(head: str, value: str) -> Iterator[str]:
    """A place is never cut: it is there to be followed. The value goes below a long one."""
    yield from [f"{head} {value}"] if len(head) + len(value) < COLUMNS else [head, f"      is {value}"]


def _value(need: Need) -> str:
    return quoted(need.value) if need.value else "(not there)"


def _lost(move: Move) -> Iterator[str]:
    if not move.losses:
        return
    yield f"Lost on {move.new.provider}:"
    for loss in move.losses:
        names = f" {', '.join(loss.names)}" if loss.names else ""
        yield from _wrapped(f"{loss.kind}{names} ({_less(loss)}): {loss.reason}", "  - ", "    ")
        if loss.remedy:
            yield from _wrapped(loss.remedy, "    > ", "      ")
    yield ""


def _less(loss: Loss) -> str:
    return loss.after if loss.before == "full" else f"{loss.before} before, {loss.after} there"


def _found(move: Move) -> Iterator[str]:
    if not move.findings:
        return
    refused = move.counts is None
    yield f"{move.new.provider} {'refuses' if refused else 'warns of'} what this spec asks:"
    for finding in move.findings:
        for line in str(finding).splitlines():
            yield from _wrapped(line.strip(), "    > " if line.startswith(" ") else "  - ", "      ")
    yield ""


def _counted(move: Move) -> Iterator[str]:
    if move.counts is None:
        yield f"Its resources on {move.new.provider} can be counted when that is mended."
        yield ""
        return
    old, new = move.old.provider, move.new.provider
    yield f"  {'RESOURCES IN':<14}{old:>7}{new:>7}"
    for count in move.counts:
        yield f"  {count.stack:<14}{count.before or '-':>7}{count.after or '-':>7}"
    before = sum(count.before for count in move.counts)
    yield f"  {'in all':<14}{before:>7}{sum(count.after for count in move.counts):>7}"
    yield ""
    stand_ins = {need.stand_in: None for need in move.needs if need.stand_in}
    if stand_ins:
        yield from wrap(
            f"Counted with stand-ins for what is needed: {', '.join(stand_ins)}.",
            COLUMNS,
            break_long_words=False,
        )
        yield ""


def _wrapped(text: str, first: str, then: str) -> Iterator[str]:
    yield from wrap(
        text,
        COLUMNS,
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    )
