"""Who may do what on a platform, for people: text of at most 80 columns where words allow it, and a Markdown table.

May not print anything, nor know a terminal or a cloud.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap

from scaffolder.report.access import EnvironmentAccess
from stacks.access import Ceiling, Condition, Grant, Guarded, Name, Role
from stacks.intents import Target

__all__ = ["access_as_markdown", "render_access"]

COLUMNS = 80
NO_BREAK = "\xa0"
WHOLE = "(the whole resource)"


def render_access(accesses: Sequence[EnvironmentAccess]) -> Iterator[str]:
    """Yield lines: roles, then resources with policies of their own, then ceilings."""
    for each in accesses:
        target = each.environment.platform.target
        yield f"{each.environment.platform.name} {each.environment.name}: {_count(each)}"
        yield from _wrapped("  ", _note(target).split())
        for role in each.access.roles:
            yield ""
            yield from _role(role)
        yield from _policies("Resources with a policy of their own", each.access.guarded)
        yield from _policies("Ceilings: they cap roles, and grant nothing", each.access.ceilings)
        yield ""


def access_as_markdown(accesses: Sequence[EnvironmentAccess]) -> Iterator[str]:
    """Yield lines: tables with one row for each action and resource; role, action, resource, condition."""
    for each in accesses:
        yield f"## {each.environment.platform.name} {each.environment.name}\n"
        yield "### Who may assume a role\n"
        yield from _table(
            "role | who | condition",
            (row for role in each.access.roles for row in _trust_rows(role)),
        )
        yield "### What a role may do\n"
        yield from _table(
            "role | action | resource | condition",
            (row for role in each.access.roles for row in _role_rows(role)),
        )
        if each.access.guarded:
            yield "### Policies of resources\n"
            yield from _table(
                "on | who | action | resource | condition",
                (row for guarded in each.access.guarded for row in _policy_rows(guarded)),
            )
        if each.access.ceilings:
            yield "### Ceilings\n"
            yield "They cap what roles are allowed, and grant nothing.\n"
            yield from _table(
                "ceiling | action | resource | condition",
                (
                    row
                    for ceiling in each.access.ceilings
                    for row in _rows(_code(ceiling.what), ceiling.grants)
                ),
            )


def _note(target: Target) -> str:
    return (
        f"Names of {target.provider} {target.region}, account {target.account}, are written as service:resource; "
        "what only the cloud knows stands in <>"
    )


def _count(each: EnvironmentAccess) -> str:
    access = each.access
    if not each.whole:
        return f"{len(access.roles)} of its roles"
    return f"{len(access.roles)} roles, {len(access.guarded)} resources with a policy"


def _role(role: Role) -> Iterator[str]:
    yield f"{role.key}"
    yield from _wrapped("  name     ", [role.name])
    yield from _wrapped("  for      ", [role.origin])
    for grant in role.trust:
        yield from _wrapped("  assumed  ", _who(grant), joined=", ")
        yield from _conditions(grant, "           ")
    if role.ceiling:
        yield from _wrapped("  ceiling  ", [role.ceiling])
    for policy in role.elsewhere:
        yield from _wrapped("  also     ", [f"policy {policy}, whose text is not in the stacks"])
    for grant in role.grants:
        yield from _grant(grant)


def _policies(title: str, policies: Sequence[Guarded | Ceiling]) -> Iterator[str]:
    if not policies:
        return
    yield f"\n{title}"
    for what, grants in _alike(policies):
        yield ""
        yield from _wrapped("", what, joined=", ")
        for grant in grants:
            yield from _grant(grant)


def _alike(policies: Sequence[Guarded | Ceiling]) -> Iterator[tuple[list[str], tuple[Grant, ...]]]:
    """Put resources with one and the same text together: a network's endpoints differ in their names only."""
    groups: dict[tuple[object, ...], tuple[list[str], tuple[Grant, ...]]] = {}
    for policy in policies:
        text = tuple(_said(grant) for grant in policy.grants)
        groups.setdefault(text, ([], policy.grants))[0].append(policy.what)
    yield from groups.values()


def _said(grant: Grant) -> tuple[object, ...]:
    return (
        *(grant.sid, grant.effect, grant.principals, grant.not_principals, grant.actions),
        *(grant.not_actions, grant.resources, grant.not_resources, grant.conditions),
    )


def _grant(grant: Grant) -> Iterator[str]:
    yield f"  {grant.sid or '(no sid)'}"
    who = _who(grant)
    if who:
        yield from _wrapped("    who    ", who, joined=", ")
    yield from _wrapped(f"    {grant.effect.lower():<7}", _actions(grant), joined=", ")
    yield from _wrapped("    on     ", _short_resources(grant), joined=", ")
    yield from _conditions(grant, "    ")


def _who(grant: Grant) -> list[str]:
    return [name.short for name in grant.principals] + [
        f"all but {name.short}" for name in grant.not_principals
    ]


def _actions(grant: Grant) -> list[str]:
    return [*grant.actions, *(f"all but {action}" for action in grant.not_actions)] or ["(unreadable)"]


def _short_resources(grant: Grant) -> list[str]:
    return [name.short for name in _resources(grant)]


def _resources(grant: Grant) -> list[Name]:
    """A statement's resources; a trust policy's names none."""
    excluded = [Name(f"all but {name.full}", f"all but {name.short}") for name in grant.not_resources]
    return [*grant.resources, *excluded] or [Name(WHOLE, WHOLE)]


def _conditions(grant: Grant, indent: str) -> Iterator[str]:
    for condition in grant.conditions:
        *others, last = [value.short for value in condition.values] or ["(nothing)"]
        test = [condition.test] if condition.test else []
        words = [condition.key, *test, *(f"{value}," for value in others), last]
        yield from _wrapped(f"{indent}if     ", words)


def _wrapped(head: str, words: Sequence[str], joined: str = " ") -> Iterator[str]:
    """Fill lines; a line ends between words of the list, and inside one only where it is longer than a line."""
    room = COLUMNS - len(head)
    whole = [word.replace(" ", NO_BREAK) if len(word) <= room else word for word in words]
    lines = wrap(
        joined.join(whole),
        COLUMNS,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from (line.replace(NO_BREAK, " ") for line in lines or [head.rstrip()])


def _table(head: str, rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {head} |"
    yield "|" + "---|" * len(head.split(" | "))
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _trust_rows(role: Role) -> Iterator[list[str]]:
    for grant in role.trust:
        for who in _who(grant):
            yield [_code(role.key), _effect(grant, _code(who)), _condition_cell(grant.conditions)]


def _role_rows(role: Role) -> Iterator[list[str]]:
    yield from _rows(_code(role.key), role.grants)
    for policy in role.elsewhere:
        yield [_code(role.key), f"what {_code(policy)} says, which is not in the stacks", "", ""]


def _policy_rows(guarded: Guarded) -> Iterator[list[str]]:
    for grant in guarded.grants:
        who = ", ".join(_code(name) for name in _who(grant))
        for _, *rest in _rows("", [grant]):
            yield [_code(guarded.what), who, *rest]


def _rows(first: str, grants: Iterable[Grant]) -> Iterator[list[str]]:
    for grant in grants:
        conditions = _condition_cell(grant.conditions)
        for action in _actions(grant):
            for resource in _resources(grant):
                yield [first, _effect(grant, _code(action)), _code(resource.full), conditions]


def _effect(grant: Grant, text: str) -> str:
    return text if grant.effect == "Allow" else f"**{grant.effect.lower()}** {text}"


def _condition_cell(conditions: Sequence[Condition]) -> str:
    return "; ".join(
        f"{_code(condition.key)} {condition.test} {', '.join(_code(value.full) for value in condition.values)}"
        for condition in conditions
    )


def _code(text: str) -> str:
    """A code span of a table's cell, in which angle brackets and stars mean themselves."""
    return f"`{text.replace('|', chr(92) + '|')}`"
