"""Reads policies out of emitted Terraform JSON, by Terraform's own rules; shares no code with the report on access.

May not know what a role should be allowed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, TypeAlias

from policy_sentry.querying.actions import get_action_data, get_actions_for_service

__all__ = ["Emitted", "Granted", "access_level", "documents", "effective", "expanded", "read_emitted"]

Statement: TypeAlias = dict[str, Any]
"""A statement's block as the JSON has it, with ``{type.name}`` in the place of each reference."""
Granted: TypeAlias = tuple[str, str, str, frozenset[tuple[str, str, tuple[str, ...]]]]
"""Effect, action without wildcard, resource, conditions."""

_REFERENCE = re.compile(r"\$\{([^{}]*)\}")
_REMOTE = re.compile(r"data\.terraform_remote_state\.(\w+)\.outputs\.([\w-]+)")


@dataclass(frozen=True, slots=True)
class Emitted:
    """A role as Terraform is told of it."""

    name: str
    trust: tuple[Statement, ...]
    statements: tuple[Statement, ...]
    boundary: str


def read_emitted(files: Mapping[str, bytes]) -> dict[str, Emitted]:
    """The roles of all stacks, by their key, with inline and attached policies."""
    found: dict[str, Emitted] = {}
    for reader in _stacks(files):
        for key, role in reader.json.get("resource", {}).get("aws_iam_role", {}).items():
            assert key not in found, f"two roles named {key}"
            found[key] = Emitted(
                name=role["name"],
                trust=tuple(reader.document(role["assume_role_policy"])),
                statements=tuple(reader.statements_of(key)),
                boundary=reader.plain(role.get("permissions_boundary", "")),
            )
    return found


def documents(files: Mapping[str, bytes]) -> Iterator[tuple[str, list[Statement]]]:
    """Every policy document of all stacks, by its name."""
    for reader in _stacks(files):
        for name in reader.json.get("data", {}).get("aws_iam_policy_document", {}):
            yield name, [*reader.document(f"${{data.aws_iam_policy_document.{name}.json}}")]


def _stacks(files: Mapping[str, bytes]) -> Iterator[_Stack]:
    stacks = {
        path.split("/")[-2].replace("-", "_"): json.loads(content)
        for path, content in files.items()
        if path.endswith("/cdk.tf.json")
    }
    return (_Stack(stack, stacks) for stack in stacks.values())


@dataclass(frozen=True, slots=True)
class _Stack:
    json: Mapping[str, Any]
    others: Mapping[str, Mapping[str, Any]]

    def statements_of(self, role: str) -> Iterator[Statement]:
        resources = self.json["resource"]
        for policy in resources.get("aws_iam_role_policy", {}).values():
            if policy["role"] in (f"${{aws_iam_role.{role}.id}}", f"${{aws_iam_role.{role}.name}}"):
                yield from self.document(policy["policy"])
        for attached in resources.get("aws_iam_role_policy_attachment", {}).values():
            if attached["role"] in (f"${{aws_iam_role.{role}.id}}", f"${{aws_iam_role.{role}.name}}"):
                place = re.fullmatch(r"\$\{aws_iam_policy\.([\w-]+)\.arn\}", attached["policy_arn"])
                assert place, attached
                yield from self.document(resources["aws_iam_policy"][place[1]]["policy"])

    def document(self, expression: str) -> Iterator[Statement]:
        place = re.fullmatch(r"\$\{data\.aws_iam_policy_document\.([\w-]+)\.json\}", expression)
        assert place, expression
        document = self.json["data"]["aws_iam_policy_document"][place[1]]
        assert {*document} <= {"//", "statement"}, document.keys()
        for statement in document["statement"]:
            yield self.plain(statement)

    def plain(self, value: Any) -> Any:
        match value:
            case str():
                return _REFERENCE.sub(self.named, value)
            case list():
                return [self.plain(item) for item in value]
            case dict():
                return {key: self.plain(item) for key, item in value.items()}
        return value

    def named(self, found: re.Match[str]) -> str:
        expression = found[1]
        if remote := _REMOTE.fullmatch(expression):
            whole = self.others[remote[1]]["output"][remote[2]]["value"]
            expression = whole.removeprefix("${").removesuffix("}")
        type_, name, _ = expression.split(".", 2)
        return f"{{{type_}.{name}}}"


@cache
def _actions(service: str) -> Mapping[str, str]:
    return {action.lower(): action for action in get_actions_for_service(service)}


@cache
def expanded(action: str) -> tuple[str, ...]:
    """The actions that AWS has for a pattern."""
    known = _actions(action.split(":", maxsplit=1)[0])
    return tuple(name for lower, name in known.items() if fnmatchcase(lower, action.lower()))


@cache
def access_level(action: str) -> str:
    """AWS's own word: List, Read, Write, Tagging or Permissions management."""
    service, name = action.split(":")
    rows: Sequence[Mapping[str, Any]] = get_action_data(service, name)[service]
    return str(rows[0]["access_level"])


def effective(statements: Sequence[Statement]) -> set[Granted]:
    """What statements amount to, without wildcards in actions: one item for each action and resource."""
    found: set[Granted] = set()
    for statement in statements:
        assert {*statement} <= {"sid", "effect", "actions", "resources", "condition", "principals"}, statement
        conditions = frozenset(
            (each["test"], each["variable"], tuple(each["values"])) for each in statement.get("condition", [])
        )
        for pattern in statement["actions"]:
            names = expanded(pattern)
            assert names, f"{pattern} is no action"
            found |= {
                (statement["effect"], name, resource, conditions)
                for name in names
                for resource in statement.get("resources", [""])
            }
    return found
