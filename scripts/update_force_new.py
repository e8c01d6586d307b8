#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["grpcio", "msgpack"]
# ///
"""Measure which arguments force a replacement, and write ``stacks/schema/data/force_new_aws.toml``.

No provider publishes this in its schema, so the real one is asked: over its own protocol (tfplugin5), for each
argument, to plan a change of that argument alone; its answer says whether the resource is replaced. Nothing is
validated in such a plan, so made-up values do. What the provider can't be made to answer is listed as unknown.

Needs the packages grpcio and msgpack, and the provider's executable; types are those already in the file, and ``--add``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import grpc
import msgpack

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from stacks.schema.load import schema_of  # noqa: E402
from stacks.schema.model import (  # noqa: E402
    Attribute,
    BlockSchema,
    BlockType,
    Collection,
    NestedAttribute,
    ObjectType,
    Scalar,
    Type,
    TypeSchema,
)

TARGET = ROOT / "stacks" / "schema" / "data" / "force_new_aws.toml"
DEEPEST = 4
"""Arguments below this many names are left out: no type of a foundation has one there that matters."""
COOKIE = {"TF_PLUGIN_MAGIC_COOKIE": "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"}
"""What Terraform gives a provider so that it starts at all (terraform-plugin-go, tfprotov5/tf5server)."""
TIMEOUT_S = 3.0
"""A plan that takes longer asks the network; most take a millisecond."""
STRINGS = (
    ("a", "b"),
    ("arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/b"),
    ("10.1.0.0/16", "10.2.0.0/16"),
    ('{"a": 1}', '{"b": 1}'),
)
"""Pairs of values to change between, tried in turn: some providers compare the meaning of a text, not its letters."""
BESIDE: Mapping[str, Mapping[str, Json]] = {
    "aws_dynamodb_table": {
        "attribute": [{"name": "a", "type": "S"}],
        "billing_mode": "PAY_PER_REQUEST",
        "hash_key": "a",
    },
    "aws_lambda_function": {
        "filename": "f.zip",
        "handler": "f",
        "package_type": "Zip",
        "runtime": "python3.12",
    },
    "aws_lb_target_group": {"protocol": "HTTP", "port": 80, "vpc_id": "a"},
}
"""What a type's own checks of a plan want beside what its schema requires, where it isn't asked about."""

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"
Fields: TypeAlias = dict[int, list[bytes | int]]


def main() -> None:
    """Ask about each type and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("provider", type=Path, help="the executable, terraform-provider-aws_v…")
    parser.add_argument("--version", required=True, help="its version; a pack of it must be shipped")
    parser.add_argument("--date", required=True, metavar="YYYY-MM")
    parser.add_argument("--add", nargs="*", default=[], metavar="TYPE")
    options = parser.parse_args()
    known = tomllib.loads(TARGET.read_text())["types"] if TARGET.exists() else {}
    lines = [
        "# Which arguments of an aws resource force its replacement. Made by scripts/update_force_new.py: not to be",
        "# edited. A path leads into blocks; a path that ends at a block means all of it.",
        f'source = "answers of hashicorp/aws {options.version} to a planned change of each argument"',
        f'version = "{options.version}"',
        f'date = "{options.date}"',
        f"deepest = {DEEPEST}",
    ]
    with started(options.provider) as channel:
        configure(channel, options.version)
        for type_name in sorted({*known, *options.add}):
            lines += ["", f"[types.{type_name}]", *table(channel, type_name, options.version)]
            print(type_name, file=sys.stderr)
    TARGET.write_text("\n".join(lines) + "\n")


def table(channel: grpc.Channel, type_name: str, version: str) -> list[str]:
    """Ask about every argument of a type; return its lines of the table."""
    schema = schema_of("aws", "resource", type_name, version=version)
    answers = {path: ask(channel, type_name, schema, path) for path in paths(schema.block, ())}
    forced = [path for path, answer in answers.items() if answer]
    unknown = [path for path, answer in answers.items() if answer is None]
    return [
        f"{name} = {written(found)}" for name, found in (("forces", forced), ("unknown", unknown)) if found
    ] or ["forces = []"]


def written(found: Sequence[tuple[str, ...]]) -> str:
    """Write a list of paths as TOML, one a line when there are many."""
    items = [json.dumps(".".join(path)) for path in found]
    line = f"[{', '.join(items)}]"
    return line if len(line) < 100 else "[\n" + "".join(f"    {item},\n" for item in items) + "]"


def paths(body: BlockSchema, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the path of every argument that can be given."""
    for name, argument in body.arguments.items():
        path = (*above, name)
        if isinstance(argument, Attribute):
            if not argument.read_only and path != ("id",):
                yield path
        elif isinstance(argument, BlockType) and name != "timeouts" and len(path) < DEEPEST:
            if not argument.min_items:  # else it is there whenever what holds it is
                yield path
            yield from paths(argument.body, path)


def ask(channel: grpc.Channel, type_name: str, schema: TypeSchema, path: tuple[str, ...]) -> bool | None:
    """Plan a change at ``path`` alone: does it replace the resource? None when the provider doesn't answer.

    A plan without the change is compared: it replaces too where the made-up state lacks some argument's default.
    """
    for before, after in STRINGS:
        beside = {name: item for name, item in BESIDE.get(type_name, {}).items() if name != path[0]}
        prior = state(schema.block, path, before, present=not schema.is_block(path)) | beside
        planned = state(schema.block, path, after, present=True) | beside
        try:
            same, anyway = plan(channel, type_name, prior, prior)
            changed, replaced = plan(channel, type_name, prior, planned)
        except grpc.RpcError:
            return None
        if any(path[: len(reason)] == reason or reason[: len(path)] == path for reason in replaced - anyway):
            return True
        if changed is not None and changed != same:
            return False
    return None


def state(body: BlockSchema, path: tuple[str, ...], text: str, *, present: bool) -> dict[str, Json]:
    """Make a state with what is required, and with ``text`` (or a number or bool like it) at ``path``."""
    made: dict[str, Json] = {}
    for name, argument in body.arguments.items():
        here = bool(path) and name == path[0]
        below = path[1:] if here else ()
        match argument:
            case Attribute(type=type_):
                given = here or argument.required or name == "id"
                fixed = STRINGS[1][0] if name.endswith("arn") else STRINGS[0][0]
                made[name] = sample(type_, text if here else fixed) if given else None
            case NestedAttribute():
                made[name] = None
            case BlockType(nesting=nesting, min_items=least):
                wanted = (here and (present or bool(below))) or (least and name != "timeouts")
                items: list[Json] = [state(argument.body, below, text, present=present)] * max(1, least)
                if nesting == "single":
                    made[name] = items[0] if wanted else None
                else:
                    made[name] = items if wanted else []
    return made


def sample(type_: Type, text: str) -> Json:
    """Make a value of a type that differs where ``text`` does."""
    second = text in [after for _, after in STRINGS]
    match type_:
        case Scalar(kind="number"):
            return 2 if second else 1
        case Scalar(kind="bool"):
            return second
        case Scalar():
            return text
        case Collection(kind="map", element=element):
            return {"k": sample(element, text)}
        case Collection(element=element):
            return [sample(element, text)]
        case ObjectType(attributes=attributes):
            return {name: sample(of, text) for name, of in attributes.items()}


def plan(
    channel: grpc.Channel, type_name: str, prior: Mapping[str, Json], proposed: Mapping[str, Json]
) -> tuple[bytes | None, frozenset[tuple[str, ...]]]:
    """Let the provider plan; return the planned state (None when it failed) and the paths that make it replace."""
    config = {name: item if name != "id" else None for name, item in proposed.items()}
    request = (
        field(1, type_name.encode())
        + field(2, value(prior))
        + field(3, value(proposed))
        + field(4, value(config))
    )
    answer = fields(call(channel, "PlanResourceChange", request))
    if any(fields(_bytes(diagnostic)).get(1) == [1] for diagnostic in answer.get(4, [])):
        return None, frozenset()
    return _bytes(answer.get(1, [b""])[0]), frozenset(names(_bytes(path)) for path in answer.get(2, []))


def names(path: bytes) -> tuple[str, ...]:
    """Decode an AttributePath into its names, without the keys of elements."""
    steps = (fields(_bytes(step)) for step in fields(path).get(1, []))
    return tuple(_bytes(step[1][0]).decode() for step in steps if 1 in step)


def configure(channel: grpc.Channel, version: str) -> None:
    """Configure the provider so that it wants nothing from the network."""
    block = schema_of("aws", "provider", "aws", version=version).block
    config = state(block, (), "", present=False) | {
        "region": "eu-west-1",
        "access_key": "none",
        "secret_key": "none",
        "max_retries": 1,
        "skip_credentials_validation": True,
        "skip_requesting_account_id": True,
        "skip_metadata_api_check": "true",
        "skip_region_validation": True,
    }
    answer = fields(call(channel, "Configure", field(1, b"1.11.4") + field(2, value(config))))
    for diagnostic in answer.get(1, []):
        print(_bytes(diagnostic).decode(errors="replace"), file=sys.stderr)


@contextmanager
def started(executable: Path) -> Iterator[grpc.Channel]:
    """Start the provider as Terraform does, and connect to it."""
    nowhere = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
    environment = {**os.environ, **COOKIE, **nowhere, "PLUGIN_PROTOCOL_VERSIONS": "5", "TF_LOG": "OFF"}
    with subprocess.Popen(
        [executable], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        said = process.stdout.readline() if process.stdout else ""
        _, _, network, address, *_ = said.split("|")
        target = f"unix:{address}" if network == "unix" else address
        try:
            with grpc.insecure_channel(
                target, options=[("grpc.max_receive_message_length", 64 << 20)]
            ) as channel:
                yield channel
        finally:
            process.kill()


def call(channel: grpc.Channel, method: str, request: bytes) -> bytes:
    """Call a method of the provider with an encoded message."""
    answer: bytes = channel.unary_unary(f"/tfplugin5.Provider/{method}")(request, timeout=TIMEOUT_S)
    return answer


def value(state: Mapping[str, Json]) -> bytes:
    """Encode a value as the protocol's DynamicValue."""
    packed: bytes = msgpack.packb(state)
    return field(1, packed)


def field(number: int, data: bytes) -> bytes:
    """Encode one length-delimited field of a protocol buffer."""
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def fields(data: bytes) -> Fields:
    """Decode the fields of a protocol buffer that holds numbers, bytes and messages only."""
    found: Fields = {}
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        number, at = _read_varint(data, at)
        if key & 7 == 2:
            found.setdefault(key >> 3, []).append(data[at : at + number])
            at += number
        else:
            found.setdefault(key >> 3, []).append(number)
    return found


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _bytes(value: bytes | int) -> bytes:
    if isinstance(value, int):
        raise TypeError(f"a number, {value}, stands where the protocol has bytes")
    return value


if __name__ == "__main__":
    main()
