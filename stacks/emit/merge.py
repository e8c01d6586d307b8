"""Join a stack's document with what a user's own constructs in the same stack synthesize.

Both sides are Terraform's JSON syntax as plain values. Knows no engine. Nothing is dropped silently: what both sides
say has to be the same or can be told apart, else it is a conflict that names what to change.
"""

from __future__ import annotations

from collections.abc import Mapping

from stacks.emit.expressions import Json

__all__ = ["MergeConflictError", "merged"]


class MergeConflictError(Exception):
    """A user's constructs and the platform say different things about one thing."""


def merged(ours: Mapping[str, Json], theirs: Mapping[str, Json]) -> dict[str, Json]:
    """Join the platform's document (``ours``) with the user's.

    The platform decides the backend and the versions of its providers; a configuration of the same provider without
    an alias is the same configuration.

    Raises:
        MergeConflictError: an address, an output or a provider's setting that both define differently.
    """
    stack = _text_at(ours, "//", "metadata", "stackName")
    result: dict[str, Json] = {}
    for section in sorted({*ours, *theirs}):
        mine, other = ours.get(section), theirs.get(section)
        if mine is None or other is None:
            result[section] = other if mine is None else mine
        elif section == "//":
            result[section] = _overlaid(mine, other)
        elif section == "terraform":
            result[section] = _terraform(_mapping(mine), _mapping(other), stack)
        elif section == "provider":
            result[section] = _providers(_mapping(mine), _mapping(other), stack)
        else:
            result[section] = _joined(mine, other, section, stack)
    return result


def _terraform(ours: dict[str, Json], theirs: dict[str, Json], stack: str) -> dict[str, Json]:
    backends = sorted({*_mapping(theirs.get("backend")), *(["cloud"] if "cloud" in theirs else [])})
    if others := [kind for kind in backends if kind not in _mapping(ours.get("backend"))]:
        raise MergeConflictError(
            f"stack {stack} has a backend of its own ({', '.join(others)}). "
            "Where its state lives is said in the platform spec (state): leave the backend out of the app"
        )
    mine, other = _mapping(ours.get("required_providers")), _mapping(theirs.get("required_providers"))
    for name in sorted({*mine} & {*other}):
        if _source(mine[name]) != _source(other[name]):
            raise MergeConflictError(
                f"stack {stack} has two providers named {name}: {_source(mine[name])} and {_source(other[name])}"
            )
    return {**theirs, **ours, "required_providers": {**other, **mine}}


def _source(requirement: Json) -> str:
    """Write a provider's source in full: ``aws`` and ``hashicorp/aws`` are the same."""
    given = str(_mapping(requirement).get("source", "")).lower().removeprefix("registry.terraform.io/")
    return given if "/" in given else f"hashicorp/{given}"


def _providers(ours: dict[str, Json], theirs: dict[str, Json], stack: str) -> dict[str, Json]:
    result = {**theirs, **ours}
    for name in sorted({*ours} & {*theirs}):
        configs = _list(ours[name])
        for other in _list(theirs[name]):
            alias = _mapping(other).get("alias")
            same = next((at for at, mine in enumerate(configs) if _mapping(mine).get("alias") == alias), None)
            if same is None:
                configs.append(other)
            else:
                configs[same] = _settings(_mapping(configs[same]), _mapping(other), name, stack)
        result[name] = configs
    return result


def _settings(ours: dict[str, Json], theirs: dict[str, Json], provider: str, stack: str) -> dict[str, Json]:
    for setting in sorted({*ours} & {*theirs}):
        if ours[setting] != theirs[setting]:
            raise MergeConflictError(
                f"stack {stack} sets {setting} of provider {provider} to {theirs[setting]!r}, the platform to "
                f"{ours[setting]!r}. Give your provider an alias, or change the platform spec"
            )
    return {**theirs, **ours}


def _joined(ours: Json, theirs: Json, path: str, stack: str) -> Json:
    """Join sections down to the addresses in them."""
    depth = {"resource": 2, "data": 2, "ephemeral": 2}.get(path.partition(".")[0], 1)
    if ours == theirs:
        return ours
    if isinstance(ours, list) and isinstance(theirs, list):
        return [*ours, *theirs]
    if not (isinstance(ours, dict) and isinstance(theirs, dict)) or path.count(".") == depth:
        raise MergeConflictError(
            f"stack {stack} has {path} twice: from the platform and from the app. Give yours another id"
        )
    both = {
        key: _joined(ours[key], theirs[key], f"{path}.{key}", stack) for key in ours.keys() & theirs.keys()
    }
    return {**theirs, **ours, **both}


def _overlaid(ours: Json, theirs: Json) -> Json:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        both = {key: _overlaid(ours[key], theirs[key]) for key in ours.keys() & theirs.keys()}
        return {**ours, **theirs, **both}
    return theirs


def _text_at(document: Mapping[str, Json], *path: str) -> str:
    value: Json = {**document}
    for key in path:
        value = _mapping(value).get(key)
    return str(value)


def _mapping(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return [*value] if isinstance(value, list) else [value]
