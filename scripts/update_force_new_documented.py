#!/usr/bin/env python3
"""Write ``stacks/schema/data/force_new_<provider>.toml`` from what a provider's own schema or documentation says.

``google`` reads a measurement of the provider's schema (gzipped JSON, which has the flag of every argument) and, for
types that only google-beta has, the Go source under ``--beta``. ``azurerm`` reads the documentation under ``--docs``
(``website/docs/r``): "Changing this forces a new resource to be created." at each argument.

May not guess: an argument that the source lacks, or of which it says something else about replacement, is unknown.
``update_force_new.py`` asks a real provider instead, which knows more; use it where the provider can be had.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from stacks.schema.load import Schemas, open_pack  # noqa: E402
from stacks.schema.model import Attribute, BlockSchema, BlockType, TypeSchema  # noqa: E402

Json: TypeAlias = Mapping[str, Any]
"""Somebody else's JSON."""
Names: TypeAlias = tuple[str, ...]
"""The path of an argument."""
Answers: TypeAlias = dict[Names, bool | None]
"""Whether each argument forces a replacement; None where that isn't known."""

DEEPEST = 12
"""No type of these providers nests deeper, but for blocks that hold themselves."""

GO_ARGUMENT = re.compile(r'^\t\t\t"(?P<name>\w+)": \{\n(?P<body>.*?)^\t\t\t\},$', re.MULTILINE | re.DOTALL)
GO_FORCES = re.compile(r"^\t\t\t\tForceNew: +true,$", re.MULTILINE)
GO_BLOCK = re.compile(r"^\t\t\t\tElem: +(&schema\.Resource\{|\w+\()", re.MULTILINE)
GO_SCHEMA = re.compile(
    r"^\t\tSchema: map\[string\]\*schema\.Schema\{\n(?P<body>.*?)^\t\t\},$", re.MULTILINE | re.DOTALL
)
GO_NAME = re.compile(r'^\t\tName: +"(?P<name>google_\w+)",$', re.MULTILINE)

ARGUMENT = re.compile(r"^\s*[*-] `(?P<name>\w+)` - (?P<text>.*)$")
BLOCK = re.compile(
    r"^(An?|The|Each) `(?P<name>\w+)` blocks?( (nested )?(with)?in the `(?P<holder>\w+)` block)? .*support",
    re.IGNORECASE,
)
FORCES = re.compile(
    r"\b(Changing|Modifying) (this|the [\w ]+|`\w+`) (forces|will force|requires) (a|an|the) new [^.]*\.?$",
    re.IGNORECASE,
)
CONDITIONAL = re.compile(r"\b(if|when|unless|from|once|only|between|except)\b", re.IGNORECASE)
MENTIONS = re.compile(
    r"force[sd]? (a|the|re)|new resource|recreat|re-creat|replac(e|ing) the|ForceNew", re.IGNORECASE
)


def main() -> None:
    """Read the arguments, write the table, say how much is known."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("provider", choices=("google", "azurerm"))
    parser.add_argument("--schema", type=Path, metavar="FILE", help="google: the measurement")
    parser.add_argument("--beta", type=Path, metavar="FOLDER", help="google: google-beta/services")
    parser.add_argument("--docs", type=Path, metavar="FOLDER", help="azurerm: website/docs/r")
    parser.add_argument("--date", required=True, metavar="YYYY-MM", help="when the source was read")
    parser.add_argument("--out", type=Path, default=ROOT / "stacks" / "schema" / "data")
    options = parser.parse_args()
    if options.provider == "google":
        version, family = "8.7.0", ["google-beta"]
        source = "the flags of hashicorp/google 8.0's own schema; of types in google-beta alone, its source"
        types = {**of_go(options.beta), **of_flags(_read(options.schema))}
    else:
        version, family = "5.10.0", []
        source = "the documentation of hashicorp/azurerm 5.2"
        types = of_documentation(options.docs)
    text = written(options.provider, source, version, family, options.date, types)
    target = options.out / f"force_new_{options.provider}.toml"
    target.write_text(text, encoding="utf-8")
    answers = [answer for of_type in types.values() for answer in of_type.values()]
    print(
        f"{target} {len(text)} bytes, {len(types)} types, {answers.count(True)} force a replacement, "
        f"{answers.count(False)} don't, {answers.count(None)} unknown"
    )


def _read(path: Path) -> Json:
    document: Json = json.loads(gzip.decompress(path.read_bytes()))
    return document


def of_flags(document: Json) -> dict[str, Answers]:
    """Read the flag of every argument that the shipped schema has; what came later is unknown."""
    schemas = Schemas({"google": "8.7.0"})
    shipped = open_pack("google", "8.7.0").names("resource")
    return {
        type_name: {path: _flag(arguments, path) for path in _paths(schemas.of("resource", type_name))}
        for type_name, arguments in sorted(document.items())
        if type_name in shipped
    }


def _flag(arguments: Json, path: Names) -> bool | None:
    argument: Json | None = None
    for name in path:
        argument = arguments.get(name)
        if argument is None:
            return None
        arguments = argument.get("block", {})
    return argument is not None and (bool(argument.get("forcenew")) or _needs_forcing(argument))


def _needs_forcing(argument: Json) -> bool:
    """Tell whether a block cannot stand without an argument that forces: adding the block sets that too."""
    return any(
        "r" in inner["f"] and (bool(inner.get("forcenew")) or _needs_forcing(inner))
        for inner in argument.get("block", {}).values()
    )


def of_go(folder: Path) -> dict[str, Answers]:
    """Read the top arguments of the types that only google-beta has from its source; those inside are unknown."""
    schemas = Schemas({"google-beta": "8.7.0"})
    only = _types("google-beta") - _types("google")
    types: dict[str, Answers] = {}
    for path in sorted(folder.rglob("resource_*.go")):
        text = path.read_text(encoding="utf-8")
        name, schema = GO_NAME.search(text), GO_SCHEMA.search(text)
        if name is None or schema is None or name["name"] not in only or path.name.endswith("_test.go"):
            continue
        bodies = {found["name"]: found["body"] for found in GO_ARGUMENT.finditer(schema["body"])}
        types[name["name"]] = {
            argument: _go_flag(bodies, argument) for argument in _paths(schemas.of("resource", name["name"]))
        }
    return types


def _types(provider: str) -> set[str]:
    return set(open_pack(provider, "8.7.0").names("resource"))


def _go_flag(bodies: Mapping[str, str], path: Names) -> bool | None:
    body = bodies.get(path[0])
    if len(path) > 1 or body is None:
        return None
    forces = GO_FORCES.search(body) is not None
    return forces or (None if GO_BLOCK.search(body) else False)


def of_documentation(folder: Path) -> dict[str, Answers]:
    """Read what the documentation of each type says of each argument that the shipped schema has."""
    schemas = Schemas({"azurerm": "5.10.0"})
    types: dict[str, Answers] = {}
    for type_name in open_pack("azurerm", "5.10.0").names("resource"):
        path = folder / f"{type_name.removeprefix('azurerm_')}.html.markdown"
        if path.is_file():
            said = _said(path.read_text(encoding="utf-8").splitlines())
            types[type_name] = {
                argument: _documented(said, argument)
                for argument in _paths(schemas.of("resource", type_name))
            }
    return types


def _said(lines: Sequence[str]) -> dict[tuple[str, str, str], list[str]]:
    """Gather the texts of each argument, by its name, its block's (empty at the top) and that block's holder."""
    said: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    block = holder = ""
    inside = False
    key: tuple[str, str, str] | None = None
    for line in lines:
        if line.startswith("## "):
            inside = line.startswith("## Argument")
            block = holder = ""
            key = None
        elif inside and (found := BLOCK.match(line)):
            block, holder, key = found["name"], found["holder"] or "", None
        elif inside and (found := ARGUMENT.match(line)):
            key = (found["name"], block, holder)
            said[key].append(found["text"])
        elif inside and key and line.strip():
            said[key][-1] += " " + line.strip()
    return said


def _documented(said: Mapping[tuple[str, str, str], Sequence[str]], path: Names) -> bool | None:
    """Judge what is said of one argument; None where nothing is, or different things are."""
    above = ("", "", *path)
    name, block, holder = above[-1], above[-2], above[-3]
    texts = said.get((name, block, holder)) or said.get((name, block, "")) or ()
    answers = {_forces(text) for text in texts}
    if len(answers) != 1:
        return None
    (answer,) = answers
    if answer is False and len(path) > 1 and _documented(said, path[:-1]) is not False:
        return None  # the block forces a replacement, and what is inside may be left out for that
    return answer


def _forces(text: str) -> bool | None:
    """Tell what a text says; None where it speaks of replacement under a condition or in other words."""
    mentions = [sentence for sentence in re.split(r"(?<=[.!])\s+", text) if MENTIONS.search(sentence)]
    if not mentions:
        return False
    plain = [
        sentence for sentence in mentions if FORCES.search(sentence) and not CONDITIONAL.search(sentence)
    ]
    return True if plain else None


def _paths(schema: TypeSchema) -> list[Names]:
    return list(_inside(schema.block, ()))


def _inside(body: BlockSchema, above: Names) -> Iterator[Names]:
    """Yield the path of every argument that can be given, as a change names it."""
    for name, argument in body.arguments.items():
        path = (*above, name)
        if isinstance(argument, Attribute):
            if not argument.read_only and path != ("id",):
                yield path
        elif isinstance(argument, BlockType) and name != "timeouts" and len(path) < DEEPEST:
            if not argument.min_items:  # else it is there whenever what holds it is
                yield path
            yield from _inside(argument.body, path)


def written(
    provider: str, source: str, version: str, family: Sequence[str], date: str, types: Mapping[str, Answers]
) -> str:
    """Write the table."""
    lines = [
        f"# Which arguments of an {provider} resource force its replacement. Made by",
        "# scripts/update_force_new_documented.py: not to be edited. A path leads into blocks; a path that ends at a",
        "# block means all of it.",
        f'source = "{source}"',
        f'version = "{version}"',
        *([f"family = {json.dumps(family)}"] if family else []),
        f'date = "{date}"',
        f"deepest = {DEEPEST}",
    ]
    for type_name, answers in sorted(types.items()):
        lines += ["", f"[types.{type_name}]"]
        lines += [
            f"{key} = {_listed(path for path, answer in answers.items() if answer is wanted)}"
            for key, wanted in (("forces", True), ("unknown", None))
            if wanted or None in answers.values()
        ]
    return "\n".join(lines) + "\n"


def _listed(paths: Iterable[Names]) -> str:
    """Write a list of paths as TOML, one a line when there are many."""
    items = [json.dumps(".".join(path)) for path in paths]
    line = f"[{', '.join(items)}]"
    return line if len(line) < 100 else "[\n" + "".join(f"    {item},\n" for item in items) + "]"


if __name__ == "__main__":
    main()
