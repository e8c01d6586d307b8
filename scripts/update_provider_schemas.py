#!/usr/bin/env python3
"""Make ``stacks/schema/data/<provider>-<version>.pack`` from what a Terraform provider says of itself.

With no FILE, runs ``terraform providers schema -json`` for ``--provider NAME=SOURCE@VERSION``. FILE is such
output (whole, or one provider's part of it) or a compact schema made from a provider's bindings; both may be
gzipped. The same input and ``--date`` give the same bytes. To a compact schema, which has only resources, it
adds the data sources and the configuration that ``schema_supplement.toml`` beside it has, and with ``--flags`` what
is a secret and how often a block may stand.

May not guess: what a compact schema lost is written as not known, and the pack says that it isn't exact.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from stacks.schema.model import Mode, Records  # noqa: E402
from stacks.schema.pack import packed  # noqa: E402

Json: TypeAlias = Mapping[str, Any]
"""Somebody else's JSON: whatever Terraform or the compact schema has there."""

SECTIONS: tuple[tuple[Mode, str], ...] = (
    ("resource", "resource_schemas"),
    ("data", "data_source_schemas"),
)
FLAGS = (("required", "r"), ("optional", "o"), ("computed", "c"), ("sensitive", "s"), ("write_only", "w"))
ODD_TYPES = {
    "stringMapMap": "map(map(string))",
    "numberListList": "list(list(number))",
    "map(any)": "any",
}
"""Names that the compact schema kept from the bindings, which have a map where the provider takes any value."""
SUPPLEMENT = Path(__file__).with_name("schema_supplement.toml")


def main() -> None:
    """Read the arguments, write the pack, say where."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE")
    parser.add_argument("--provider", required=True, metavar="NAME=SOURCE@VERSION")
    parser.add_argument("--date", required=True, metavar="YYYY-MM", help="when the source was read")
    parser.add_argument(
        "--descriptions-of",
        type=Path,
        metavar="COMPACT",
        help="a compact schema near this version, for a dump that lost what is named description",
    )
    parser.add_argument(
        "--flags", type=Path, metavar="FILE", help="the provider's own schema, beside a compact one"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "stacks" / "schema" / "data")
    options = parser.parse_args()
    name, _, rest = options.provider.partition("=")
    source, _, version = rest.partition("@")
    if not (name and source and version):
        parser.error(f"--provider must look like aws=hashicorp/aws@5.100.0, not {options.provider!r}")
    document = _read(options.file) if options.file else ask_terraform(name, source, version)
    exact = any(key in document for key in ("provider_schemas", "resource_schemas"))
    supplement = {} if exact else supplement_of(name)
    if options.flags:
        flags = _read(options.flags)
        document = {
            type_: with_flags(arguments, flags.get(type_, {})) for type_, arguments in document.items()
        }
    origin = "bindings of the provider, compact" + ("; the rest copied from its source" if supplement else "")
    if options.flags:
        origin += "; secrets and how often a block stands from its own schema"
    header: dict[str, str | bool] = {
        "provider": name,
        "source": source,
        "version": version,
        "date": options.date,
        "origin": "terraform providers schema -json" if exact else origin,
        "exact": exact,
    }
    if exact and not options.descriptions_of and lost_descriptions(document):
        raise SystemExit(
            "the dump lost the arguments named description: name a schema near it by --descriptions-of"
        )
    if options.descriptions_of:
        header["origin"] = f"{header['origin']}; arguments named description from bindings"
        document = with_descriptions(document, _read(options.descriptions_of))
    types = of_dump(document, name, source) if exact else of_compact(document, name, supplement)
    target = options.out / f"{name}-{version}.pack"
    target.write_bytes(packed(header, types))
    print(f"{target} {target.stat().st_size} bytes, " + ", ".join(f"{len(types[m])} {m}" for m in types))


def _read(path: Path) -> Json:
    data = path.read_bytes()
    document: Json = json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
    return document


def lost_descriptions(dump: Json) -> bool:
    """Whether no type of a large dump has an argument that is named so."""
    types = dump.get("resource_schemas", {})
    enough = 100
    return len(types) > enough and not any(
        "description" in schema["block"].get("attributes", {}) for schema in types.values()
    )


def with_descriptions(dump: Json, compact: Json) -> Json:
    """One provider's dump whose texts were taken out by the key ``description``, with the arguments of that name again."""
    types = {
        type_: {**schema, "block": _described(schema["block"], compact.get(type_, {}))}
        for type_, schema in dump["resource_schemas"].items()
    }
    return {**dump, "resource_schemas": types}


def _described(block: Json, body: Json) -> Json:
    attributes = dict(block.get("attributes", {}))
    found = body.get("description", ())
    if len(found) == 2:
        flags = {flag: True for flag, letter in FLAGS if letter in found[1]}
        attributes["description"] = {"type": found[0], **flags}
    inner = {
        name: {**each, "block": _described(each["block"], body[name][2])}
        if len(body.get(name, ())) > 2
        else each
        for name, each in block.get("block_types", {}).items()
    }
    return {**block, "attributes": attributes, "block_types": inner}


def ask_terraform(name: str, source: str, version: str) -> Json:
    """Install the provider into a folder of its own and let Terraform print its schema."""
    required = {"required_providers": {name: {"source": source, "version": version}}}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "main.tf.json").write_text(json.dumps({"terraform": required}))
        subprocess.run(["terraform", "init", "-input=false"], cwd=folder, check=True, capture_output=True)
        said = subprocess.run(
            ["terraform", "providers", "schema", "-json"], cwd=folder, check=True, capture_output=True
        )
    document: Json = json.loads(said.stdout)
    return document


def of_dump(document: Json, name: str, source: str) -> dict[Mode, dict[str, Records]]:
    """Read what ``terraform providers schema -json`` prints, or one provider's part of it."""
    if "provider_schemas" in document:
        matching = [part for key, part in document["provider_schemas"].items() if key.endswith("/" + source)]
        if len(matching) != 1:
            raise SystemExit(
                f"the dump has no single provider {source}: {', '.join(document['provider_schemas'])}"
            )
        document = matching[0]
    types: dict[Mode, dict[str, Records]] = {
        mode: {type_: records_of_block(schema["block"]) for type_, schema in document[section].items()}
        for mode, section in SECTIONS
    }
    types["provider"] = {name: records_of_block(document["provider"]["block"])}
    return types


def records_of_block(block: Json) -> Records:
    """Flatten a block into bodies, each distinct one once, the block's own first."""
    records: Records = [{}]
    known: dict[str, int] = {}
    records[0] = _body(block, records, known)
    return records


def _body(block: Json, records: Records, known: dict[str, int]) -> dict[str, str | list[str | int]]:
    body: dict[str, str | list[str | int]] = {}
    for name, attribute in block.get("attributes", {}).items():
        flags = "".join(letter for flag, letter in FLAGS if attribute.get(flag))
        if nested := attribute.get("nested_type"):
            body[name] = [
                nested["nesting_mode"],
                flags,
                _index(_body(nested, records, known), records, known),
            ]
        else:
            body[name] = f"{flags} {type_code(attribute['type'])}"
    for name, block_type in block.get("block_types", {}).items():
        least, most = block_type.get("min_items", 0), block_type.get("max_items", 0)
        nesting = block_type["nesting_mode"]
        index = _index(_body(block_type["block"], records, known), records, known)
        body[name] = ["single" if nesting == "group" else nesting, least, most, index]
    return dict(sorted(body.items()))


def _index(body: dict[str, str | list[str | int]], records: Records, known: dict[str, int]) -> int:
    key = json.dumps(body)
    if key not in known:
        known[key] = len(records)
        records.append(body)
    return known[key]


def type_code(type_: str | list[Any]) -> str:
    """Write Terraform's JSON form of a type constraint as the expression that a person would write."""
    match type_:
        case "dynamic":
            return "any"
        case "string" | "number" | "bool":
            return str(type_)
        case ["list" | "set" | "map" as kind, element]:
            return f"{kind}({type_code(element)})"
        case ["object", dict(attributes)]:
            return (
                "object({"
                + ",".join(f"{name}={type_code(of)}" for name, of in sorted(attributes.items()))
                + "})"
            )
        case _:
            raise SystemExit(f"this script does not know the type {type_!r} yet")


def supplement_of(provider: str) -> Json:
    """Return what the supplement has for a provider, its own or that of one it is like."""
    supplement = tomllib.loads(SUPPLEMENT.read_text(encoding="utf-8"))
    tables = {name: table for name, table in supplement.items() if isinstance(table, dict)}
    like = {other: name for name, table in tables.items() for other in table.get("like", ())}
    return tables.get(like.get(provider, provider), {})


def of_compact(document: Json, name: str, supplement: Json) -> dict[Mode, dict[str, Records]]:
    """Read a compact schema: ``{"attr": ["string", "r"], "block": ["single*", "o", {…}]}`` for each type."""
    attributes = frozenset(supplement.get("attributes", ()))
    types: dict[Mode, dict[str, Records]] = {"resource": _each_records(document, attributes)}
    if supplement:
        types["data"] = _each_records(supplement["data"], attributes)
        types["provider"] = _each_records({name: supplement["provider"]}, attributes)
    return types


def _each_records(types: Json, attributes: frozenset[str]) -> dict[str, Records]:
    return {type_: _Compact(attributes).records(arguments) for type_, arguments in types.items()}


def with_flags(arguments: Json, measured: Json) -> dict[str, list[Any]]:
    """Add what a provider's own schema says and the bindings lost: secrets, how a block nests and how often it stands.

    ``measured`` is one type of what ``update_constraints.py`` reads too.
    """
    return {name: _with_flag(code, measured.get(name)) for name, code in arguments.items()}


def _with_flag(code: Sequence[Any], said: Json | None) -> list[Any]:
    kind, flags, *inside = code
    if said is None:
        return [*code]
    flags += "".join(letter for flag, letter in (("sensitive", "s"), ("write_only", "w")) if said.get(flag))
    if not inside:
        return [kind, flags]
    body = with_flags(inside[0], said.get("block", {}))
    nesting = {"TypeList": "list", "TypeSet": "set"}.get(said["t"])
    if not kind.endswith("*") or nesting is None:
        return [kind, flags, body]
    least = max(1, said.get("min", 0)) if "r" in said["f"] else 0
    return [f"{nesting}*", flags, body, (least, said.get("max", 0))]


class _Compact:
    """Flattens one type of a compact schema. A block that holds itself becomes a body that names itself.

    ``attributes`` are the names that only the bindings call blocks.
    """

    def __init__(self, attributes: frozenset[str]) -> None:
        self._attributes = attributes
        self._records: Records = [{}]
        self._known: dict[str, int] = {}
        self._open: list[tuple[str, int]] = []

    def records(self, arguments: Json) -> Records:
        self._records[0] = self._body(arguments)
        return self._records

    def _body(self, arguments: Json) -> dict[str, str | list[str | int]]:
        return {name: self._argument(name, *code) for name, code in sorted(arguments.items())}

    def _argument(
        self,
        name: str,
        kind: str,
        flags: str,
        inside: Json | None = None,
        bounds: tuple[int, int] | None = None,
    ) -> str | list[str | int]:
        if inside is None:
            return f"{flags} {ODD_TYPES.get(kind, kind)}"
        index = self._inside(name, inside)
        if bounds:
            return [kind[:-1], *bounds, index]
        if kind.endswith("=") or name in self._attributes:
            return [kind[:-1] if name in self._attributes else _nested_nesting(name, kind[:-1]), flags, index]
        nesting = _nested_nesting(name, kind[:-1])
        return [nesting, 1 if "r" in flags else 0, 1 if nesting in ("single", "one") else 0, index]

    def _inside(self, name: str, inside: Json) -> int:
        if "__recursive__" in inside:
            return next(index for other, index in reversed(self._open) if other == name)
        if not _holds_itself(inside):
            return _index(self._body(inside), self._records, self._known)
        self._records.append({})
        index = len(self._records) - 1
        self._open.append((name, index))
        self._records[index] = self._body(inside)
        self._open.pop()
        return index


def _holds_itself(inside: Json) -> bool:
    return "__recursive__" in inside or any(
        len(code) > 2 and _holds_itself(code[2]) for code in inside.values()
    )


def _nested_nesting(name: str, kind: str) -> str:
    """A compact schema writes every block that stands at most once as single; only ``timeouts`` surely is."""
    return "one" if kind == "single" and name != "timeouts" else kind


if __name__ == "__main__":
    main()
