"""Who may do what on a platform, as JSON: each role's trust and statements, and the policies of resources.

Pure: reads a synthesis. May not know how a cloud writes a policy, nor print.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Literal, TypedDict

from scaffolder.errors import Finding, UsageError
from scaffolder.pipeline import EnvironmentPlatform, Synthesis
from scaffolder.report.findings import FindingJson, finding_as_json
from stacks.access import Access, Ceiling, Condition, Grant, Guarded, Name, Role
from stacks.adapter import lowering_of
from stacks.record import record

__all__ = ["AccessJson", "EnvironmentAccess", "access_as_json", "accesses_of"]


@record
class EnvironmentAccess:
    """One environment and who may do what there; ``whole`` is false when only some roles were asked for."""

    environment: EnvironmentPlatform
    access: Access
    whole: bool


class ConditionJson(TypedDict):
    """A condition: `key` compared by `test` with any of `values`."""

    test: str
    key: str
    values: list[str]


class StatementJson(TypedDict):
    """One statement. `policy` names the policy that it is in; `not_...` are "all but these".

    In angle brackets is what only the cloud knows: `<bucket data>` is the cloud's own id of the bucket with this address.
    """

    policy: str
    sid: str
    effect: Literal["Allow", "Deny", "Unreadable"]
    principals: list[str]
    not_principals: list[str]
    actions: list[str]
    not_actions: list[str]
    resources: list[str]
    not_resources: list[str]
    conditions: list[ConditionJson]


class RoleJson(TypedDict):
    """A role: who may assume it (`trust`), and what it may do then (`statements`), attached policies included.

    `ceiling` is its permissions boundary or null; `elsewhere` are attached policies whose text is not in the stacks.
    """

    role: str
    name: str
    address: str
    stack: str
    intent: str
    ceiling: str | None
    trust: list[StatementJson]
    statements: list[StatementJson]
    elsewhere: list[str]


class PolicyJson(TypedDict):
    """The policy of a resource, or a ceiling: `on` is what it guards, `address` is the resource that has the policy."""

    on: str
    address: str
    stack: str
    intent: str
    statements: list[StatementJson]


class EnvironmentAccessJson(TypedDict):
    """One environment; with `--role` only those roles, and neither resources nor ceilings."""

    name: str
    roles: list[RoleJson]
    resources: list[PolicyJson]
    ceilings: list[PolicyJson]


class AccessJson(TypedDict):
    """What `iam --json` prints; `environments` is empty when a finding is an error."""

    spec: str
    platform: str | None
    environments: list[EnvironmentAccessJson]
    findings: list[FindingJson]


def accesses_of(synthesis: Synthesis, roles: Sequence[str] = ()) -> tuple[EnvironmentAccess, ...]:
    """Read who may do what in each environment; ``roles`` are keys or names, and all of them when empty.

    Raises:
        UsageError: a role that no environment has.
    """
    read = [(environment, _access(environment)) for environment in synthesis.environments]
    if not roles:
        return tuple(EnvironmentAccess(environment=each, access=access, whole=True) for each, access in read)
    there = [role for _, access in read for role in access.roles]
    _check_roles(roles, there)
    return tuple(
        EnvironmentAccess(
            environment=environment,
            access=Access(
                roles=tuple(role for role in access.roles if {role.key, role.name} & {*roles}),
                guarded=(),
                ceilings=(),
            ),
            whole=False,
        )
        for environment, access in read
    )


def access_as_json(
    spec: str, accesses: Sequence[EnvironmentAccess], findings: Iterable[Finding]
) -> AccessJson:
    """Make a document of JSON values; without environments it has findings only."""
    return {
        "spec": spec,
        "platform": accesses[0].environment.platform.name if accesses else None,
        "environments": [
            {
                "name": each.environment.name,
                "roles": [_role(role) for role in each.access.roles],
                "resources": [_policy(guarded) for guarded in each.access.guarded],
                "ceilings": [_policy(ceiling) for ceiling in each.access.ceilings],
            }
            for each in accesses
        ],
        "findings": [finding_as_json(finding) for finding in findings],
    }


def _access(environment: EnvironmentPlatform) -> Access:
    lowering = lowering_of(environment.platform.target.provider)
    if lowering is None:
        raise LookupError(environment.platform.target.provider)
    return lowering.access([linked.stack for linked in environment.stacks], environment.platform)


def _check_roles(wanted: Sequence[str], there: Sequence[Role]) -> None:
    keys = dict.fromkeys(role.key for role in there)
    known = {*keys, *(role.name for role in there)}
    for role in wanted:
        if role not in known:
            near = get_close_matches(role, known, n=1)
            hint = f'Did you mean "{near[0]}"?' if near else f"There are {', '.join(keys)}."
            raise UsageError(f'there is no role "{role}". {hint}')


def _role(role: Role) -> RoleJson:
    return {
        "role": role.key,
        "name": role.name,
        "address": role.address,
        "stack": role.stack,
        "intent": role.origin,
        "ceiling": role.ceiling or None,
        "trust": [*_statements(role.trust)],
        "statements": [*_statements(role.grants)],
        "elsewhere": [*role.elsewhere],
    }


def _policy(policy: Guarded | Ceiling) -> PolicyJson:
    return {
        "on": policy.what,
        "address": policy.address,
        "stack": policy.stack,
        "intent": policy.origin,
        "statements": [*_statements(policy.grants)],
    }


def _statements(grants: Iterable[Grant]) -> Iterator[StatementJson]:
    for grant in grants:
        yield {
            "policy": grant.policy,
            "sid": grant.sid,
            "effect": grant.effect,
            "principals": _full(grant.principals),
            "not_principals": _full(grant.not_principals),
            "actions": [*grant.actions],
            "not_actions": [*grant.not_actions],
            "resources": _full(grant.resources),
            "not_resources": _full(grant.not_resources),
            "conditions": [_condition(condition) for condition in grant.conditions],
        }


def _condition(condition: Condition) -> ConditionJson:
    return {"test": condition.test, "key": condition.key, "values": _full(condition.values)}


def _full(names: Iterable[Name]) -> list[str]:
    return [name.full for name in names]
