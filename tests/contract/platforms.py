"""What the contract suite asks of every cloud's lowering, found through the registry.

May not name a cloud.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, TypeAlias

from scaffolder.pipeline import EnvironmentPlatform, Synthesis, synthesize, synthesize_loaded
from scaffolder.spec.load import parse_spec
from stacks.adapter import STACKS, Lowering, idle_of, lowering_of
from stacks.emit.terraform_json import document, dumps
from stacks.graph import JsonText, Node, Text, Value
from stacks.intents import Intent, SupportLevel, describe
from stacks.schema.load import Schemas
from tests.clouds import cloud, examples_of
from tests.contract.rich import changed, rich_spec
from tests.strategies import SPEC_FILE, Spec, spec_text

__all__ = [
    "PROVIDERS",
    "applies",
    "documents",
    "full",
    "idle",
    "lowering",
    "module",
    "oldest_and_newest",
    "resources",
    "rich",
    "shown",
    "skipped_wholly",
    "synthesized",
    "to_show",
    "values_in",
]

PROVIDERS = sorted(STACKS)

Idle: TypeAlias = Mapping[type[Intent], Mapping[str, str]]


def lowering(provider: str) -> Lowering:
    """A registered cloud's lowering."""
    found = lowering_of(provider)
    assert found is not None
    return found


def module(provider: str, name: str) -> ModuleType:
    """A module of a cloud's package."""
    return import_module(f"{STACKS[provider]}.{name}")


def idle(provider: str) -> Idle:
    """The fields of intents that change nothing on a cloud, each with its reason."""
    return idle_of(provider)


def oldest_and_newest(provider: str) -> tuple[Schemas, Schemas]:
    """The schemas at both ends of what the output admits."""
    versions = lowering(provider).provider_versions()
    return (
        Schemas({name: known[0] for name, known in versions.items()}),
        Schemas({name: known[-1] for name, known in versions.items()}),
    )


def synthesized(spec: Spec) -> Synthesis:
    """Synthesize a spec given as data, beside whose file are the definitions of its pipelines."""
    return synthesize_loaded(parse_spec(spec_text(spec), file=SPEC_FILE))


@cache
def full(provider: str) -> Synthesis:
    """The example that has everything."""
    (spec,) = examples_of(provider, "*-full-*")
    return synthesize(spec)


@cache
def rich(provider: str, *, protected: bool = True) -> Synthesis:
    """The rich spec of a cloud, with nothing overridden."""
    plain = {"overrides": {}, "deletion_protection": protected}
    return synthesized(changed(rich_spec(cloud(provider)), plain))


def documents(synthesis: Synthesis) -> dict[str, bytes]:
    """Each stack's Terraform JSON."""
    return {linked.stack.name: dumps(document(linked)) for linked in synthesis.stacks}


def resources(synthesis: Synthesis) -> Iterator[Node]:
    """Every resource, before stacks were linked."""
    for linked in synthesis.stacks:
        yield from (node for node in linked.stack.nodes if node.address.mode == "resource")


def values_in(value: Value, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Value]]:
    """Every value below a value with the names that lead to it; a mapping and a list are values too."""
    yield path, value
    match value:
        case JsonText(document=document):
            yield from values_in(document, path)
        case Text(parts=parts):
            yield from ((path, part) for part in parts)
        case Mapping():
            for name, item in value.items():
                yield from values_in(item, (*path, name))
        case str():
            return
        case Sequence():
            for item in value:
                yield from values_in(item, path)
        case _:
            return


def applies(entry: str, node: Node) -> bool:
    """Whether an entry of a cloud's data is about a resource.

    It names a type, ``type:path`` for those that have a value there, or ``type:path=value`` for those that have this
    one, in which ``*`` stands for anything.
    """
    type_, _, condition = entry.partition(":")
    path, _, wanted = condition.partition("=")
    if type_ != node.address.type:
        return False
    return not condition or any(
        ".".join(at) == path and fnmatchcase(str(value), wanted or "*")
        for at, value in values_in(node.arguments)
    )


def skipped_wholly(environment: EnvironmentPlatform) -> set[str]:
    """The intents that are named as not made: of which no stack has a part, or which a cloud else makes whole."""
    table = lowering(environment.platform.target.provider).support()
    made = {node.origin for linked in environment.stacks for node in linked.stack.nodes}
    named = {each.intent for each in environment.skipped}
    partly = {
        describe(intent)
        for intent in environment.platform.intents
        if table[type(intent)].level is SupportLevel.PARTIAL and describe(intent) in made
    }
    return named - partly


def to_show(environment: EnvironmentPlatform) -> object:
    """What of a platform has to show in its stacks: all but what is skipped by name or declared idle."""
    platform = environment.platform
    left_out, without = skipped_wholly(environment), idle(platform.target.provider)
    return (
        platform.name,
        platform.environment,
        dict(platform.tags),
        platform.target,
        platform.deletion_protection,
        platform.backend,
        [
            (type(intent).__name__, values_of(intent, without=without.get(type(intent), {})))
            for intent in platform.intents
            if describe(intent) not in left_out
        ],
    )


def values_of(intent: Intent, *, without: Mapping[str, str]) -> dict[str, Any]:
    """An intent's fields, but for some."""
    return {each.name: getattr(intent, each.name) for each in fields(intent) if each.name not in without}


def shown(synthesis: Synthesis) -> tuple[dict[str, bytes], list[object]]:
    """What a user gets: documents, what is named as not made, and the fields that are declared to change nothing."""
    said: list[object] = []
    for environment in synthesis.environments:
        left_out, declared = skipped_wholly(environment), idle(environment.platform.target.provider)
        said += [(each.intent, each.reason, each.remedy) for each in environment.skipped]
        for intent in environment.platform.intents:
            if describe(intent) in left_out:
                said.append(intent)
            else:
                said += [getattr(intent, field) for field in declared.get(type(intent), {})]
    return documents(synthesis), said
