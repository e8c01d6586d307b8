"""Knows which arguments protect data, which say how long it is kept, and which say where it is.

Tables and the functions that read them; may not compare platforms. The arguments are those of Terraform's
providers as their documentation describes them (hashicorp/aws 5.100, November 2026).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scaffolder.report.arguments import names_of
from stacks.graph import JsonText, Node, Ref, RemoteRef, Text, Value
from stacks.record import record

__all__ = ["expiries", "is_lowered", "is_place", "lost_by_expiry", "parent_of"]

# True protects: to take it away, or to set it to false, lowers the protection.
GUARDS = frozenset(
    {
        *("deletion_protection", "deletion_protection_enabled", "enable_deletion_protection"),
        *("prevent_destroy", "skip_destroy", "object_lock_enabled", "purge_protection_enabled"),
    }
)
# True takes the protection away.
HAZARDS = frozenset({"force_destroy", "force_delete", "skip_final_snapshot", "delete_automated_backups"})
# Days in which a deletion can be taken back: fewer lower the protection.
WINDOWS = frozenset({"deletion_window_in_days", "recovery_window_in_days", "backup_retention_period"})
# (type, path) → the value that protects.
STATES: Mapping[tuple[str, tuple[str, ...]], str] = {
    ("aws_s3_bucket_versioning", ("versioning_configuration", "status")): "Enabled",
    ("aws_sagemaker_domain", ("retention_policy", "home_efs_file_system")): "Retain",
}
# Arguments of a provider that say where its resources are.
PLACES = frozenset({"region", "allowed_account_ids", "project", "subscription_id", "tenant_id"})


@record
class Expiry:
    """An argument after whose number data goes. ``parent`` names the argument that refers to what holds the data.

    Zero keeps everything where ``zero_keeps``.
    """

    path: tuple[str, ...]
    loses: str
    parent: str = ""
    zero_keeps: bool = False


EXPIRIES: Mapping[str, tuple[Expiry, ...]] = {
    "aws_s3_bucket_lifecycle_configuration": (
        Expiry(path=("rule", "expiration", "days"), loses="every object older than {} days", parent="bucket"),
        Expiry(
            path=("rule", "noncurrent_version_expiration", "noncurrent_days"),
            loses="every version replaced more than {} days ago",
            parent="bucket",
        ),
    ),
    "aws_cloudwatch_log_group": (
        Expiry(path=("retention_in_days",), loses="every log older than {} days", zero_keeps=True),
    ),
    "aws_ecr_lifecycle_policy": (
        Expiry(
            path=("policy", "rules", "selection", "countNumber"),
            loses="the images that its rule no longer keeps: {} now",
            parent="repository",
        ),
    ),
}
_KEYS = ("id", "rulePriority")


def is_lowered(type_name: str, path: str, old: Value, new: Value) -> bool:
    """Tell whether an argument's change takes a protection away; an argument that isn't there is None."""
    names = names_of(path)
    last = names[-1]
    if (protecting := STATES.get((type_name, names))) is not None:
        return old == protecting != new
    if last in GUARDS:
        return old is True and new is not True
    if last in HAZARDS:
        return old is not True and new is True
    return last in WINDOWS and _less(new, old)


def is_place(path: str) -> bool:
    """Tell whether an argument of a provider says where its resources are."""
    return names_of(path)[0] in PLACES


def parent_of(node: Node, expiry: Expiry) -> Value:
    """Return the reference to what holds the data that expires; None when it is the node itself."""
    return node.arguments.get(expiry.parent) if expiry.parent else None


def expiries(node: Node) -> tuple[Expiry, ...]:
    """Return the rules by which data goes in a node of this type."""
    return EXPIRIES.get(node.address.type, ())


def lost_by_expiry(expiry: Expiry, old: Node | None, new: Node) -> Iterator[str]:
    """Say what goes because the new node keeps it shorter than the old one did; no old node kept everything."""
    before = _numbers(expiry, old) if old else {}
    after = _numbers(expiry, new)
    only = next(iter(before.values())) if len(before) == len(after) == 1 else None
    for key, number in after.items():
        kept = before.get(key, only)
        if kept is None:
            yield f"{expiry.loses.format(number)} (all were kept)"
        elif number < kept:
            yield f"{expiry.loses.format(number)} ({kept} before)"


def _numbers(expiry: Expiry, node: Node) -> dict[tuple[str, ...], float]:
    found = _find(node.arguments, expiry.path, ())
    return {key: number for key, number in found if not (expiry.zero_keeps and number == 0)}


def _find(
    value: Value, path: tuple[str, ...], key: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], float]]:
    """Yield the numbers at a path of names, each with the keys of the list items that lead to it."""
    match value:
        case JsonText(document=document):
            yield from _find(document, path, key)
        case Mapping():
            if path and path[0] in value and value.get("status") != "Disabled":
                yield from _find(value[path[0]], path[1:], key)
        case None | str() | Ref() | RemoteRef() | Text():
            return
        case bool() | int() | float():
            if not path and not isinstance(value, bool):
                yield key, value
        case _:
            for index, item in enumerate(value):
                yield from _find(item, path, (*key, _key(item, index)))


def _key(item: Value, index: int) -> str:
    if not isinstance(item, Mapping):
        return str(index)
    return next((str(item[key]) for key in _KEYS if key in item), str(index))


def _number(value: Value) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _less(new: Value, old: Value) -> bool:
    after, before = _number(new), _number(old)
    return after is not None and before is not None and after < before
