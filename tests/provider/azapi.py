"""What azapi does that no schema says: a resource's id grows from its parent's and its type.

May not judge a body: the types of Azure's own interface are not to be had here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.provider.rules import Refusal
from tests.provider.values import Value, dynamic, is_unknown, plain

__all__ = ["answers", "check"]

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000004/resourceGroups/mock-group"
RESOURCES = ("azapi_resource", "azapi_data_plane_resource")


def answers(type_name: str, value: Mapping[str, Value]) -> dict[str, Value]:
    """The id and the output of a resource, where they are not known."""
    if not type_name.startswith("azapi_"):
        return {}
    found: dict[str, Value] = {}
    if is_unknown(value.get("id")):
        found["id"] = _text(value, "resource_id", _id(value))
    for kind in ("", "sensitive_"):
        if is_unknown(value.get(f"{kind}output")):
            wanted = plain(value.get(f"{kind}response_export_values"))
            found[f"{kind}output"] = dynamic(_output(wanted))
    return found


def check(type_name: str, config: Mapping[str, Value]) -> Iterator[Refusal]:
    """Refuse a parent of another type than the resource's own type is below."""
    type_, parent = config.get("type"), config.get("parent_id")
    if type_name not in RESOURCES or not isinstance(type_, str) or is_unknown(type_):
        return
    if "@" not in type_:
        yield Refusal(("type",), f'"{type_}" is not of the form type@version')
    namespace, *segments = type_.partition("@")[0].split("/")
    if type_name == "azapi_resource" and len(segments) > 1 and isinstance(parent, str):
        wanted = [namespace, *segments[:-1]]
        after = parent.partition("/providers/")[2].split("/")
        if [part.lower() for part in after[:1] + after[1::2]] != [part.lower() for part in wanted]:
            yield Refusal(
                ("parent_id",), f"`parent_id` is invalid, expect ID of `{'/'.join(wanted)}`, got {parent}"
            )


def _id(value: Mapping[str, Value]) -> str:
    """The id of a resource, of a parent made up from its type where that is not known."""
    type_, name = _text(value, "type", "Microsoft.Mock/mocks@2026-11-01"), _text(value, "name", "mock-name")
    namespace, *segments = type_.partition("@")[0].split("/")
    above = f"{GROUP}/providers/{namespace}" if len(segments) > 1 else GROUP
    parent = _text(value, "parent_id", above + "".join(f"/{segment}/mock-name" for segment in segments[:-1]))
    return f"{parent}/{'' if len(segments) > 1 else f'providers/{namespace}/'}{segments[-1]}/{name}"


def _text(value: Mapping[str, Value], name: str, otherwise: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) and found else otherwise


def _output(exported: Value) -> dict[str, Value]:
    """A document that has each exported path; a map's keys are the paths to a text."""
    output: dict[str, Value] = {}
    if isinstance(exported, Mapping):
        return dict.fromkeys(exported, "mock-output")
    for path in exported if isinstance(exported, list) else []:
        place = output
        *above, last = str(path).split(".")
        for name in above:
            place = place.setdefault(name, {})
        if last != "*":
            place[last] = f"mock-{last}"
    return output
