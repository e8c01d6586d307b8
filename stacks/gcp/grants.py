"""Grants: a role, on one thing, for one holder. Each adds to what is there; none replaces anybody else's.

May not decide who gets what, and knows no basic role (owner, editor, viewer).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from stacks.gcp.context import Account, Context, Keys, Network, Registry, Stores
from stacks.graph import Node, StackBuilder, Value, text
from stacks.record import record

__all__ = [
    "Condition",
    "Holder",
    "Reach",
    "act_as",
    "add_account",
    "let_do",
    "on_bucket",
    "on_project",
    "on_registry",
    "under",
]

PREFIXES_AT_ONCE = 10
"""A condition has at most 12 logical operators (IAM, overview of conditions, November 2026)."""

ACT_AS = "roles/iam.serviceAccountUser"


@record
class Reach:
    """What a platform's accounts can be given."""

    context: Context
    keys: Keys
    network: Network
    stores: Stores
    registry: Registry

    @property
    def user_buckets(self) -> tuple[str, ...]:
        """The buckets that only the user knows the use of."""
        return tuple(name for name in self.stores.by_name if name not in ("data", "artifacts", "logs"))


@record
class Holder:
    """Who gets something: a name in the graph, and the IAM members by what tells them apart in it."""

    name: str
    members: Mapping[str, Value]
    origin: str

    def each(self, what: str) -> Iterator[tuple[str, Value]]:
        """A name for each member's grant, and the member."""
        for tail, member in self.members.items():
            yield "-".join(part for part in (self.name, what, tail) if part), member


@record
class Condition:
    """When a grant holds, in IAM's own expression language."""

    title: str
    expression: Value

    def block(self) -> Value:
        """The condition as a grant has it."""
        return {"title": self.title, "expression": self.expression}


def add_account(
    stack: StackBuilder, context: Context, name: str, description: str, *, origin: str
) -> tuple[Node, Holder]:
    """Add a service account, which has no key; return it, and what to grant to."""
    node = stack.resource(
        "google_service_account",
        name,
        {
            "project": context.project,
            "account_id": context.name("account", name),
            "display_name": f"{context.prefix} {name}",
            "description": description,
            "create_ignore_already_exists": False,
        },
        origin=origin,
    )
    return node, Holder(name=name, members={"": node.ref("member")}, origin=origin)


def on_project(
    stack: StackBuilder, reach: Reach, holder: Holder, *roles: str, condition: Condition | None = None
) -> None:
    """Grant roles on the whole project: for what has no policy of its own."""
    for role in roles:
        for name, member in holder.each(_short(role)):
            _grant(
                stack,
                "google_project_iam_member",
                name,
                {
                    "project": reach.context.project,
                    "role": role,
                    "member": member,
                    "condition": condition.block() if condition else None,
                },
                origin=holder.origin,
            )


def let_do(
    stack: StackBuilder,
    reach: Reach,
    holder: Holder,
    permissions: Iterable[str],
    *,
    what: str = "",
    condition: Condition | None = None,
) -> None:
    """Make a role of just these permissions, and grant it on the project. ``what`` tells two roles of a holder apart.

    A role's id stays taken for 37 days after the role was deleted (IAM, custom roles, November 2026).
    """
    label = f"{holder.name}-{what}" if what else holder.name
    role = stack.resource(
        "google_project_iam_custom_role",
        label,
        {
            "project": reach.context.project,
            "role_id": reach.context.name("role", label),
            "title": f"{reach.context.prefix} {label}",
            "stage": "GA",
            "permissions": sorted(set(permissions)),
        },
        origin=holder.origin,
    )
    for name, member in holder.each(f"own-{what}" if what else "own"):
        _grant(
            stack,
            "google_project_iam_member",
            name,
            {
                "project": reach.context.project,
                "role": role.ref("name"),
                "member": member,
                "condition": condition.block() if condition else None,
            },
            origin=holder.origin,
        )


def on_bucket(
    stack: StackBuilder, reach: Reach, holder: Holder, bucket: str, role: str, prefixes: Sequence[str] = ()
) -> None:
    """Grant a role on a bucket, or on its objects below some prefixes; its objects' names can be listed either way."""
    chunks = [prefixes[at : at + PREFIXES_AT_ONCE] for at in range(0, len(prefixes), PREFIXES_AT_ONCE)]
    for number, chunk in enumerate(chunks or [()]):
        what = f"{bucket}-{_short(role)}" + (f"-{number + 1}" if number else "")
        for name, member in holder.each(what):
            _grant(
                stack,
                "google_storage_bucket_iam_member",
                name,
                {
                    "bucket": reach.stores.bucket(bucket),
                    "role": role,
                    "member": member,
                    "condition": under(reach.stores.bucket(bucket), chunk).block() if chunk else None,
                },
                origin=holder.origin,
            )


def under(bucket: Value, prefixes: Sequence[str]) -> Condition:
    """The objects below some prefixes of a bucket, and the bucket itself, whose objects' names are then listed."""
    parts: list[Value] = ['resource.type == "storage.googleapis.com/Bucket"']
    for prefix in prefixes:
        parts += [' || resource.name.startsWith("projects/_/buckets/', bucket, f'/objects/{prefix}")']
    return Condition(title="below " + " ".join(prefixes)[:90], expression=text(*parts))


def on_registry(stack: StackBuilder, reach: Reach, holder: Holder, role: str) -> None:
    """Grant a role on each repository of the platform."""
    for repository, identifier in reach.registry.ids.items():
        for name, member in holder.each(f"{repository}-{_short(role)}"):
            _grant(
                stack,
                "google_artifact_registry_repository_iam_member",
                name,
                {
                    "project": reach.context.project,
                    "location": reach.context.region,
                    "repository": identifier,
                    "role": role,
                    "member": member,
                },
                origin=holder.origin,
            )


def act_as(stack: StackBuilder, holder: Holder, accounts: Mapping[str, Account], *names: str) -> None:
    """Let a holder hand service accounts to what it makes: jobs, pipelines, services."""
    for account in names:
        if account not in accounts:
            continue
        for name, member in holder.each(f"as-{account}"):
            _grant(
                stack,
                "google_service_account_iam_member",
                name,
                {"service_account_id": accounts[account].name, "role": ACT_AS, "member": member},
                origin=holder.origin,
            )


def _grant(
    stack: StackBuilder, type_: str, name: str, arguments: Mapping[str, Value], *, origin: str
) -> None:
    """Add a grant, once: two of the same would take each other away when one goes. Of a person in two groups, say."""
    given = {key: value for key, value in arguments.items() if value is not None}
    if not any(node.address.type == type_ and node.arguments == given for node in stack.nodes):
        stack.resource(type_, name, arguments, origin=origin)


def _short(role: str) -> str:
    """A role's own name, as a part of a name in the graph."""
    return role.rpartition("/")[2].replace(".", "-")
