"""Syntheses made by hand or from the text of a spec, for the tests of reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from scaffolder.pipeline import EnvironmentPlatform, Synthesis, synthesize_loaded
from scaffolder.report.changes import Changes, ResourceChange, StackChange, compare
from scaffolder.report.changes_text import render_changes
from scaffolder.spec.load import parse_spec
from stacks.adapter import Skipped
from stacks.graph import Stack, StackBuilder, link
from stacks.intents import Intent, Platform, StateBackend, Target, describe
from tests.graphs import AWS, LOCAL

__all__ = ["only_resource", "only_stack", "platform", "stack", "synthesis", "synthesized", "text_of"]

Fill = Callable[[StackBuilder], object]


def stack(concern: str, fill: Fill = lambda _: None, *, environment: str = "dev") -> Stack:
    builder = StackBuilder(concern)
    fill(builder)
    return Stack(
        name=f"churn-{environment}-{concern}",
        concern=concern,
        environment=environment,
        nodes=builder.nodes,
        providers=(AWS,),
        backend=LOCAL,
        required_terraform=">= 1.10.0, < 2.0.0",
        exports=builder.exports,
    )


def platform(
    name: str, stacks: Sequence[Stack], intents: tuple[Intent, ...] = (), *, title: str = "churn"
) -> EnvironmentPlatform:
    """Make an environment; no stack carries its intents."""
    return EnvironmentPlatform(
        name=name,
        platform=Platform(
            name=title,
            environment=name,
            tags={},
            target=Target(provider="aws", region="eu-west-1", account="123456789012"),
            first_in_account=True,
            deletion_protection=False,
            backend=StateBackend(kind="local", settings={}),
            intents=intents,
            overrides=(),
        ),
        stacks=link(stacks),
        skipped=tuple(Skipped(intent=describe(intent), reason="not yet") for intent in intents),
    )


def synthesis(*stacks: Stack, file: str = "platform.yaml", **others: EnvironmentPlatform) -> Synthesis:
    """Make a synthesis of the environment ``dev`` with these stacks, and of others."""
    return Synthesis(file=file, environments=(platform("dev", stacks), *others.values()), warnings=())


def synthesized(text: str, changed: Mapping[str, str] | None = None) -> Synthesis:
    """Synthesize a spec's text with some of its words replaced, each of which has to be there."""
    for old, new in (changed or {}).items():
        assert old in text
        text = text.replace(old, new)
    return replace(synthesize_loaded(parse_spec(text)), file="platform.yaml")


def only_stack(changes: Changes) -> StackChange:
    (environment,) = changes.environments
    (found,) = environment.stacks
    return found


def only_resource(changes: Changes) -> ResourceChange:
    (resource,) = only_stack(changes).resources
    return resource


def text_of(old: Synthesis, new: Synthesis) -> str:
    return "\n".join(line.text for line in render_changes(compare(old, new)))
