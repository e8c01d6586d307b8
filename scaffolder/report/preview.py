"""Shows what a spec becomes, for people and for other programs: stacks, resources, and what they do not carry wholly.

At most 80 columns, ASCII apart from the spec's own words. May not print anything, nor know a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import TypedDict

from scaffolder.errors import Finding
from scaffolder.pipeline import EnvironmentPlatform, Synthesis
from scaffolder.report.findings import FindingJson, finding_as_json
from stacks.adapter import Skipped, counted
from stacks.graph import LinkedStack

__all__ = [
    "PreviewJson",
    "SkippedJson",
    "counted_words",
    "not_made",
    "preview_as_json",
    "render_preview",
    "resource_count",
    "skipped_as_json",
]

COLUMNS = 80
TYPE_COLUMNS = 54
"""Room for all but a few types' names; the numbers of a longer one stand below it."""


class ResourceJson(TypedDict):
    """One resource: its address, as `overrides` takes it, and the intent that it serves."""

    address: str
    intent: str


class StackJson(TypedDict):
    """One stack; `needs` are the stacks to deploy first, `types` counts its resources by type."""

    name: str
    concern: str
    needs: list[str]
    types: dict[str, int]
    total: int
    resources: list[ResourceJson]


class SkippedJson(TypedDict):
    """Something that the spec asks for and no stack carries, or with `in_part` not wholly: `reason` names the rest.

    `remedy` says what to do to get it, or is empty.
    """

    environment: str
    intent: str
    in_part: bool
    reason: str
    remedy: str


class EnvironmentJson(TypedDict):
    """One environment; `stacks` are in deployment order."""

    name: str
    provider: str
    region: str
    account: str
    stacks: list[StackJson]
    types: dict[str, int]
    total: int
    skipped: list[SkippedJson]


class PreviewJson(TypedDict):
    """What `preview --json` prints; `platform` is null and `environments` is empty when a finding is an error."""

    spec: str
    platform: str | None
    environments: list[EnvironmentJson]
    total: int
    findings: list[FindingJson]


def preview_as_json(spec: str, synthesis: Synthesis | None, findings: Sequence[Finding]) -> PreviewJson:
    """Make a document of JSON values; without a synthesis it has findings only."""
    environments = synthesis.environments if synthesis else ()
    return {
        "spec": spec,
        "platform": environments[0].platform.name if environments else None,
        "environments": [_environment_as_json(environment) for environment in environments],
        "total": sum(resource_count(environment.stacks) for environment in environments),
        "findings": [finding_as_json(finding) for finding in findings],
    }


def skipped_as_json(environment: EnvironmentPlatform) -> list[SkippedJson]:
    """Make JSON values of what an environment's stacks do not carry."""
    return [
        {
            "environment": environment.name,
            "intent": each.intent,
            "in_part": each.in_part,
            "reason": each.reason,
            "remedy": each.remedy,
        }
        for each in environment.skipped
    ]


def _environment_as_json(environment: EnvironmentPlatform) -> EnvironmentJson:
    target = environment.platform.target
    return {
        "name": environment.name,
        "provider": target.provider,
        "region": target.region,
        "account": target.account,
        "stacks": [_stack_as_json(stack) for stack in environment.stacks],
        "types": _types(environment.stacks),
        "total": resource_count(environment.stacks),
        "skipped": skipped_as_json(environment),
    }


def _stack_as_json(linked: LinkedStack) -> StackJson:
    return {
        "name": linked.stack.name,
        "concern": linked.stack.concern,
        "needs": [*linked.dependencies],
        "types": _types([linked]),
        "total": resource_count([linked]),
        "resources": [{"address": address, "intent": intent} for address, intent in _resources(linked)],
    }


def resource_count(stacks: Iterable[LinkedStack]) -> int:
    """Count the resources of some stacks; data sources are not counted."""
    return sum(node.address.mode == "resource" for linked in stacks for node in linked.nodes)


def counted_words(count: int, word: str) -> str:
    """Write a number of things: ``1 stack``, ``2 stacks``."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def render_preview(synthesis: Synthesis, *, resources: bool) -> Iterator[str]:
    """Yield the lines for people; with ``resources`` every address stands below its stack."""
    for environment in synthesis.environments:
        yield from _environment(environment, resources=resources)
        yield ""
    if not resources:
        for environments in _side_by_side(synthesis.environments):
            yield from _type_table(environments)
            yield ""
    if len(synthesis.environments) > 1:
        stacks = synthesis.stacks
        yield (
            f"In all: {counted_words(len(synthesis.environments), 'environment')}, "
            f"{counted_words(len(stacks), 'stack')}, {counted_words(resource_count(stacks), 'resource')}."
        )
        yield ""
    yield from not_made(synthesis.environments)


def not_made(environments: Sequence[EnvironmentPlatform]) -> Iterator[str]:
    """Yield what no stack carries, or not wholly, once for all environments and intents that say the same."""
    where: dict[Skipped, list[str]] = {}
    for environment in environments:
        for each in environment.skipped:
            where.setdefault(each, []).append(environment.name)
    planned = [each for each in where if each.remedy]
    left = [each for each in where if not each.remedy]
    count = len(environments)
    yield from _left_out("Made in part:", [each for each in left if each.in_part], where, count)
    yield from _left_out("In no stack:", [each for each in left if not each.in_part], where, count)
    yield from _left_out("Planned, and not made yet:", planned, where, count)


def _left_out(
    head: str, skipped: Sequence[Skipped], where: Mapping[Skipped, Sequence[str]], environments: int
) -> Iterator[str]:
    if skipped:
        yield head
    alike: dict[tuple[str, str, str], list[str]] = {}
    for each in skipped:
        only = "" if len(where[each]) == environments else f" ({', '.join(where[each])} only)"
        alike.setdefault((only, each.reason, each.remedy), []).append(each.intent)
    for (only, reason, remedy), intents in alike.items():
        said = f"{_in_one(intents)}{only}: {reason}"
        yield from wrap(said, COLUMNS, initial_indent="  - ", subsequent_indent=" " * 4)
        if remedy:
            yield from wrap(remedy, COLUMNS, initial_indent="    > ", subsequent_indent=" " * 6)


def _in_one(intents: Sequence[str]) -> str:
    """Write what begins alike once: ``image repository training, serving``."""
    first, *others = (intent.rpartition(" ") for intent in intents)
    same = all(kind == first[0] for kind, _, _ in others)
    return ", ".join([intents[0], *(name for _, _, name in others)] if same else intents)


def _environment(environment: EnvironmentPlatform, *, resources: bool) -> Iterator[str]:
    platform = environment.platform
    yield (
        f"{platform.name} {environment.name}: {counted_words(len(environment.stacks), 'stack')}, "
        f"{counted_words(resource_count(environment.stacks), 'resource')}"
    )
    yield f"  {platform.target.provider} {platform.target.region}, account {platform.target.account}"
    yield ""
    yield from _stack_table(environment.stacks, resources=resources)


def _stack_table(stacks: Sequence[LinkedStack], *, resources: bool) -> Iterator[str]:
    concerns = {linked.stack.name: linked.stack.concern for linked in stacks}
    widest = max((len(linked.stack.name) for linked in stacks), default=0)
    yield f"  {'STACK':<{widest}}  RESOURCES  NEEDS"
    for linked in stacks:
        head = f"  {linked.stack.name:<{widest}}  {resource_count([linked]):>9}  "
        needs = ", ".join(concerns.get(name, name) for name in _in_order(linked.dependencies, concerns))
        rows = wrap(needs or "-", COLUMNS - len(head), break_long_words=False) or [""]
        yield f"{head}{rows[0]}"
        yield from (f"{' ' * len(head)}{row}" for row in rows[1:])
        if resources:
            yield from _resource_table(linked)


def _in_order(names: Iterable[str], order: Mapping[str, str]) -> list[str]:
    """Sort as the stacks are deployed; stacks that are not among them come last."""
    places = {name: place for place, name in enumerate(order)}
    return sorted(names, key=lambda name: (places.get(name, len(places)), name))


def _resource_table(linked: LinkedStack) -> Iterator[str]:
    """An address is never cut: it is there to be copied. What serves as its explanation goes below a long one."""
    for address, intent in _resources(linked):
        line = f"    {address:<50}  {intent}"
        if len(line) <= COLUMNS:
            yield line
        else:
            yield f"    {address}"
            yield from wrap(intent, COLUMNS, initial_indent=" " * 56, subsequent_indent=" " * 56)


def _side_by_side(environments: Sequence[EnvironmentPlatform]) -> Iterator[list[EnvironmentPlatform]]:
    """Cut the environments into groups whose columns fit beside the types."""
    room = COLUMNS - TYPE_COLUMNS
    group: list[EnvironmentPlatform] = []
    for environment in environments:
        if group and sum(_column(each) for each in [*group, environment]) > room:
            yield group
            group = []
        group.append(environment)
    if group:
        yield group


def _column(environment: EnvironmentPlatform) -> int:
    """An environment's column: its name or a number of five digits, and a gap."""
    return max(len(environment.name), 5) + 2


def _type_table(environments: Sequence[EnvironmentPlatform]) -> Iterator[str]:
    counts = [_types(environment.stacks) for environment in environments]
    names = "".join(f"{environment.name:>{_column(environment)}}" for environment in environments)
    yield f"  {'TYPE':<{TYPE_COLUMNS - 2}}{names}"
    for type_ in sorted({type_ for each in counts for type_ in each}):
        yield from _type_row(type_, [each.get(type_, 0) for each in counts], environments)
    yield from _type_row("in all", [sum(each.values()) for each in counts], environments)


def _type_row(head: str, counts: Sequence[int], environments: Sequence[EnvironmentPlatform]) -> Iterator[str]:
    numbers = "".join(
        f"{count or '-':>{_column(environment)}}"
        for count, environment in zip(counts, environments, strict=True)
    )
    if len(head) > TYPE_COLUMNS - 2:
        yield f"  {head}"
        head = ""
    yield f"  {head:<{TYPE_COLUMNS - 2}}{numbers}"


def _resources(linked: LinkedStack) -> Iterator[tuple[str, str]]:
    for node in linked.nodes:
        if node.address.mode == "resource":
            yield str(node.address), node.origin


def _types(stacks: Iterable[LinkedStack]) -> dict[str, int]:
    return {**counted([node for linked in stacks for node in linked.nodes])}
