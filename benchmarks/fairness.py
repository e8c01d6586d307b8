"""Say whether two folders of synthesized stacks deploy the same: a comparison is fair only then.

Compared are, for each stack, its dependencies, backend, provider settings, named outputs, and every argument of every
resource and data source, with references followed into other stacks. Set aside is what the two sides write
differently and Terraform reads as the same: comments, the names of construct ids and of outputs that CDKTF makes, the
way a block that can stand once is written (alone or in a list), explicit nulls, the path of a local state, the bounds
of the provider's version, the spaces and the order of keys in a JSON text, and whether a value gets into it through
``jsonencode`` or between quotes (which is the same unless a value needs an escape). May not run anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

from benchmarks.peers.encoded import quoted

__all__ = ["Deployment", "count_nodes", "differences", "read_deployment"]

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
Deployment: TypeAlias = "dict[str, dict[str, Json]]"

_REMOTE = re.compile(r"\$\{data\.terraform_remote_state\.([\w-]+)\.outputs\.([\w-]+)\}")
_FAMILIES = "aws|azapi|azurerm|google"
_LOCAL = re.compile(rf"(?<![\w.@-])(data\.)?((?:{_FAMILIES})_\w+)\.([\w-]+)")
_REFERRED = re.compile(rf"cross-stack-output-|(data_)?({_FAMILIES})_")


@dataclass(frozen=True, slots=True)
class _Stack:
    name: str
    dependencies: tuple[str, ...]
    document: Mapping[str, Json]


def read_deployment(folder: Path) -> Deployment:
    """Read an output folder in the layout of ``cdktf.out``: what each stack deploys, by stack and address."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    stacks = {
        name: _Stack(
            name,
            tuple(sorted(stack["dependencies"])),
            json.loads((folder / "stacks" / name / "cdk.tf.json").read_bytes()),
        )
        for name, stack in manifest["stacks"].items()
    }
    return {name: _deployed(stack, stacks) for name, stack in sorted(stacks.items())}


def count_nodes(deployment: Deployment) -> int:
    """Count resources and data sources."""
    return sum(key.count(".") > 0 for stack in deployment.values() for key in stack)


def differences(ours: Deployment, theirs: Deployment) -> list[str]:
    """List where two deployments differ; empty when they are the same."""
    return list(_differences("", cast("Json", ours), cast("Json", theirs)))


def _deployed(stack: _Stack, stacks: Mapping[str, _Stack]) -> dict[str, Json]:
    document = stack.document
    terraform = _mapping(document["terraform"])
    found: dict[str, Json] = {
        "dependencies": [*stack.dependencies],
        "backend": _comparable_backend(_mapping(terraform["backend"])),
        "provider": _plain(document["provider"], stack, stacks),
        "outputs": _outputs(stack, stacks),
    }
    for mode in ("data", "resource"):
        for type_, nodes in _mapping(document.get(mode)).items():
            for name, arguments in _mapping(nodes).items():
                if type_ != "terraform_remote_state":
                    address = _short(f"{'data.' if mode == 'data' else ''}{type_}.{name}")
                    found[address] = _plain(arguments, stack, stacks)
    return found


def _comparable_backend(backend: Mapping[str, Json]) -> Json:
    return {kind: {} if kind == "local" else settings for kind, settings in backend.items()}


def _outputs(stack: _Stack, stacks: Mapping[str, _Stack]) -> Json:
    """The outputs for people: those that were made for other stacks' reads are seen where they are read."""
    outputs = _mapping(stack.document.get("output"))
    return {
        name: _plain(_mapping(output)["value"], stack, stacks)
        for name, output in outputs.items()
        if not _REFERRED.match(name)
    }


def _plain(value: Json, stack: _Stack, stacks: Mapping[str, _Stack]) -> Json:
    match value:
        case str():
            return _read_json(_short(_followed(quoted(value), stacks)))
        case dict():
            items = ((key, _plain(item, stack, stacks)) for key, item in value.items() if key != "//")
            return {key: item for key, item in items if item is not None and item != "${null}"}
        case [dict() as only]:
            return _plain(only, stack, stacks)
        case list():
            return [_plain(item, stack, stacks) for item in value]
        case _:
            return value


def _read_json(text: str) -> Json:
    """A JSON text as what it holds, marked as a text: an argument that holds the same without being one differs."""
    if text.startswith(("{", "[")):
        with suppress(ValueError):
            return {"JSON text": _inner(json.loads(text))}
    return text


def _inner(value: Json) -> Json:
    """What a JSON text holds, with the JSON texts inside it read as well."""
    match value:
        case str():
            return _read_json(value)
        case dict():
            return {key: _inner(item) for key, item in value.items()}
        case list():
            return [_inner(item) for item in value]
    return value


def _followed(value: str, stacks: Mapping[str, _Stack]) -> str:
    """Put the value of another stack's output, marked with the stack, in the place of its read."""

    def replaced(found: re.Match[str]) -> str:
        wanted = found[1].removeprefix("cross-stack-reference-input-").replace("_", "-")
        output = _mapping(_mapping(stacks[wanted].document["output"])[found[2]])
        return str(output["value"]).replace("${", f"${{@{wanted}/")

    return _REMOTE.sub(replaced, value)


def _short(text: str) -> str:
    """Take off the type that the peer's construct ids begin with: ``aws_vpc.aws_vpc_main`` is ``aws_vpc.main``."""

    def replaced(found: re.Match[str]) -> str:
        prefix = f"{'data_' if found[1] else ''}{found[2]}_"
        return f"{found[1] or ''}{found[2]}.{found[3].removeprefix(prefix)}"

    return _LOCAL.sub(replaced, text)


def _differences(path: str, ours: Json, theirs: Json) -> Iterator[str]:
    match ours, theirs:
        case dict(), dict():
            for key in sorted({*ours, *theirs}):
                below = f"{path} {key}".strip()
                if key not in ours or key not in theirs:
                    yield f"{below}: only {'ours' if key in ours else 'the peer'} has it"
                else:
                    yield from _differences(below, ours[key], theirs[key])
        case list(), list() if len(ours) == len(theirs):
            for place, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
                yield from _differences(f"{path}[{place}]", mine, other)
        case _ if ours != theirs:
            yield f"{path}: {ours!r} here, {theirs!r} in the peer"


def _mapping(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
