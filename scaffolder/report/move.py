"""Compares a platform with itself on another cloud: what a move needs, loses and changes.

Pure but for the pipeline definitions that both sides read. What the destination cannot know yet has a stand-in. May not
know a cloud: shapes, support levels and findings are each cloud's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from scaffolder.errors import Finding, SpecError, UnsupportedError, UsageError
from scaffolder.pipeline import EnvironmentPlatform, synthesize_loaded
from scaffolder.report.needs import Anew, Destination, anew, images_of_definitions, moved_tree
from scaffolder.report.preview import resource_count
from scaffolder.spec.load import EnvironmentSpec, LoadedSpec, reread
from scaffolder.spec.nodes import Path, dotted
from stacks.adapter import STACKS, Lowering, lowering_of
from stacks.intents import (
    Intent,
    Support,
    SupportLevel,
    Target,
    TrainingPipeline,
    describe,
    words_of,
)
from stacks.record import record

__all__ = ["Count", "Loss", "Move", "Need", "moved", "moves_of"]

WORST_LAST = (
    SupportLevel.FULL,
    SupportLevel.PARTIAL,
    SupportLevel.NOT_IMPLEMENTED,
    SupportLevel.NOT_POSSIBLE,
)


@record
class Need:
    """A value to give anew, where it is written, and what the destination wants there.

    ``stand_in`` is what is reckoned with until then; empty where the key is left out, or the value kept.
    """

    path: str
    line: int
    column: int
    value: str
    wants: str
    stand_in: str


@record
class Loss:
    """Intents of one kind that the destination carries less of; ``names`` are theirs, where they have any.

    ``after`` is a level of support, or ``not made`` for one that the destination could carry and does not make of this
    spec; ``remedy`` says what to do to get it, if anything.
    """

    kind: str
    names: tuple[str, ...]
    before: str
    after: str
    reason: str
    remedy: str = ""


@record
class Count:
    """A stack, and how many resources are in it on each side."""

    stack: str
    before: int
    after: int


@record
class Move:
    """One environment's move. ``counts`` is None where the destination refuses something; ``findings`` say what."""

    platform: str
    environment: str
    old: Target
    new: Target
    needs: tuple[Need, ...]
    losses: tuple[Loss, ...]
    findings: tuple[Finding, ...]
    counts: tuple[Count, ...] | None


def moves_of(loaded: LoadedSpec, to: Destination) -> tuple[Move, ...]:
    """Move each environment that is not on the destination's cloud already.

    Raises:
        SpecError: the spec, or what it asks of the clouds that it is on now, has findings.
        UnsupportedError: the destination has no stacks in this version.
        UsageError: every environment is there already.
    """
    lowering = lowering_of(to.provider)
    if lowering is None:
        raise UnsupportedError(
            f'the target "{to.provider}" has no stacks in this version; these have: {", ".join(STACKS)}'
        )
    # Not held to policies: one that refuses the cloud of today is a reason to move.
    before = {each.name: each for each in synthesize_loaded(loaded, policies=()).environments}
    elsewhere = [each for each in loaded.environments if each.spec.target.provider != to.provider]
    if not elsewhere:
        raise UsageError(f"there is nothing to move: every environment is on {to.provider} already")
    return tuple(_move(loaded.file, each, before[each.name], to, lowering) for each in elsewhere)


def moved(loaded: LoadedSpec, to: Destination) -> tuple[LoadedSpec, tuple[str, ...]]:
    """Move the only environment of a spec, and return what stands in for what the move needs, each by its path.

    Raises:
        SpecError: the spec has findings there.
        UnsupportedError: the destination has no stacks in this version.
    """
    (written,) = loaded.environments
    lowering = lowering_of(to.provider)
    if lowering is None:
        raise UnsupportedError(f'the target "{to.provider}" has no stacks in this version')
    values = anew(written.spec, to, tuple(lowering.provider_versions()))
    there = reread(written, moved_tree(written.tree, to, values), file=loaded.file)
    return there, tuple(f"{dotted(value.at)}: {_shown(value) or 'left out'}" for value in values)


def _move(
    file: str, written: EnvironmentSpec, old: EnvironmentPlatform, to: Destination, lowering: Lowering
) -> Move:
    values = anew(written.spec, to, tuple(lowering.provider_versions()))
    new, findings = _there(file, written, to, values)
    return Move(
        platform=old.platform.name,
        environment=written.name,
        old=old.platform.target,
        new=_target(to, values),
        needs=tuple(_needs(written, values, old, to)),
        losses=(*_dropped(old, lowering), *(_not_made(old, new, lowering) if new else ())),
        findings=findings,
        counts=_counts(old, new) if new else None,
    )


def _there(
    file: str, written: EnvironmentSpec, to: Destination, values: Sequence[Anew]
) -> tuple[EnvironmentPlatform | None, tuple[Finding, ...]]:
    """Synthesize the moved environment; where it is refused there are findings only."""
    shares = written.spec.target.account in written.earlier_accounts
    try:
        again = reread(written, moved_tree(written.tree, to, values), file=file)
        (moved,) = again.environments
        earlier = (moved.spec.target.account,) if shares else ()
        alone = replace(again, environments=(replace(moved, earlier_accounts=earlier),))
        synthesis = synthesize_loaded(alone)
    except SpecError as error:
        return None, tuple(error.findings)
    return synthesis.environments[0], synthesis.warnings


def _target(to: Destination, values: Sequence[Anew]) -> Target:
    stand_ins = {value.at: str(value.stand_in) for value in values}
    return Target(
        provider=to.provider,  # type: ignore[arg-type]  # one that has stacks
        region=to.region or stand_ins["target", "region"],
        account=to.account or stand_ins["target", "account"],
    )


def _needs(
    written: EnvironmentSpec, values: Sequence[Anew], old: EnvironmentPlatform, to: Destination
) -> Iterator[Need]:
    for value in values:
        for path, text in value.written:
            yield _need(written, path, text, value.wants, _shown(value))
    pipelines = [each for each in old.platform.intents if isinstance(each, TrainingPipeline)]
    for path, image, wants in images_of_definitions(pipelines, to):
        yield _need(written, path, image, wants, "")


def _need(written: EnvironmentSpec, path: Path, value: str, wants: str, stand_in: str) -> Need:
    line, column = written.position(path)
    return Need(path=dotted(path), line=line, column=column, value=value, wants=wants, stand_in=stand_in)


def _shown(value: Anew) -> str:
    match value.stand_in:
        case None:
            return ""
        case str() | int():
            return str(value.stand_in)
        case items:
            return ", ".join(items)


def _dropped(old: EnvironmentPlatform, lowering: Lowering) -> Iterator[Loss]:
    """Intents whose kind the destination carries less of, by kind."""
    here = lowering_of(old.platform.target.provider)
    before, after = here.support() if here else {}, lowering.support()
    kinds: dict[type[Intent], list[str]] = {}
    for intent in old.platform.intents:
        if _is_worse(before[type(intent)], after[type(intent)]):
            kinds.setdefault(type(intent), []).append(_own(intent))
    for kind, names in kinds.items():
        yield Loss(
            kind=words_of(kind),
            names=tuple(name for name in names if name),
            before=before[kind].level,
            after=after[kind].level,
            reason=after[kind].reason,
        )


def _is_worse(before: Support, after: Support) -> bool:
    return WORST_LAST.index(after.level) > WORST_LAST.index(before.level)


def _own(intent: Intent) -> str:
    return describe(intent).removeprefix(words_of(type(intent))).strip()


def _not_made(old: EnvironmentPlatform, new: EnvironmentPlatform, lowering: Lowering) -> Iterator[Loss]:
    """What the destination carries whole and leaves out of this spec, though it is made now."""
    after: Mapping[type[Intent], Support] = lowering.support()
    missing = {each.intent for each in old.skipped}
    whole = {
        describe(intent): intent
        for intent in new.platform.intents
        if after[type(intent)].level is SupportLevel.FULL
    }
    for skipped in new.skipped:
        if skipped.intent in whole and skipped.intent not in missing:
            intent = whole[skipped.intent]
            yield Loss(
                kind=words_of(type(intent)),
                names=(_own(intent),) if _own(intent) else (),
                before=SupportLevel.FULL,
                after="not made",
                reason=skipped.reason,
                remedy=skipped.remedy,
            )


def _counts(old: EnvironmentPlatform, new: EnvironmentPlatform) -> tuple[Count, ...]:
    """Count by stack, in the destination's order, and what only the old side has after it."""
    before = {each.stack.concern: resource_count([each]) for each in old.stacks}
    after = {each.stack.concern: resource_count([each]) for each in new.stacks}
    return tuple(
        Count(stack=stack, before=before.get(stack, 0), after=after.get(stack, 0))
        for stack in dict.fromkeys([*after, *before])
    )
