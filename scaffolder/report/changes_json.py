"""Writes changes as data for other programs; values are written as in Terraform's JSON syntax."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TypedDict

from scaffolder.errors import Finding
from scaffolder.report.arguments import ArgumentChange, ValueChange
from scaffolder.report.changes import Changes, EnvironmentChange, ResourceChange, StackChange
from scaffolder.report.findings import FindingJson, finding_as_json
from stacks.emit.expressions import Json, render

__all__ = ["ChangesJson", "changes_as_json"]


class ChangesJson(TypedDict):
    """What `diff --json` prints; with a finding that is an error there is nothing to compare."""

    old: str | None
    new: str | None
    totals: dict[str, Json] | None
    environments: list[Json]
    findings: list[FindingJson]


def changes_as_json(changes: Changes | None, findings: Sequence[Finding] = ()) -> ChangesJson:
    """Make a document of JSON values; an argument's ``forces_replacement`` is null where that isn't known."""
    return {
        "old": changes.old if changes else None,
        "new": changes.new if changes else None,
        "totals": {**asdict(changes.totals)} if changes else None,
        "environments": [_environment(environment) for environment in changes.environments]
        if changes
        else [],
        "findings": [finding_as_json(finding) for finding in findings],
    }


def _environment(environment: EnvironmentChange) -> Json:
    return {
        "name": environment.name,
        "action": environment.action,
        "stacks": [_stack(stack) for stack in environment.stacks],
        "in_part": _uncarried(environment, in_part=True),
        "in_no_stack": _uncarried(environment, in_part=False),
    }


def _uncarried(environment: EnvironmentChange, *, in_part: bool) -> Json:
    intents = [each for each in environment.uncarried if each.in_part is in_part]
    return [{"intent": each.intent, "action": each.action} for each in intents]


def _stack(stack: StackChange) -> Json:
    backend: Json = None
    if stack.backend is not None:
        backend = {
            "old": {"kind": stack.backend.old.kind, "config": {**stack.backend.old.config}},
            "new": {"kind": stack.backend.new.kind, "config": {**stack.backend.new.config}},
            "migrate": "terraform init -migrate-state",
        }
    return {
        "name": stack.name,
        "action": stack.action,
        "resources": [_resource(resource) for resource in stack.resources],
        "outputs": _values(stack.outputs),
        "settings": _values(stack.settings),
        "backend": backend,
        "leaves_behind": [*stack.leaves_behind],
    }


def _resource(resource: ResourceChange) -> Json:
    return {
        "address": str(resource.address),
        "mode": resource.address.mode,
        "action": resource.action,
        "origin": resource.origin,
        "arguments": [_argument(change) for change in resource.arguments],
        "loses": [*resource.loses],
        "protections_lowered": [*resource.lowered],
        "moved_from": resource.moved_from or None,
        "moved_to": resource.moved_to or None,
        "importable": resource.importable,
        "renamed_to": str(resource.renamed_to) if resource.renamed_to else None,
        "refused_by_prevent_destroy": resource.refused,
    }


def _argument(change: ArgumentChange) -> Json:
    return {
        **_value(change),
        "forces_replacement": change.forces,
        "follows": change.follows or None,
        "ignored": change.ignored,
    }


def _values(changes: Iterable[ValueChange]) -> list[Json]:
    return [_value(change) for change in changes]


def _value(change: ValueChange) -> dict[str, Json]:
    sides = {"old": change.kind != "added", "new": change.kind != "removed"}
    values = {"old": change.old, "new": change.new}
    return {
        "path": change.path,
        "action": change.kind,
        **{side: render(values[side]) for side, present in sides.items() if present},
    }
