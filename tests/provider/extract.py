"""Makes ``data/<provider>.json.gz``: the id formats of a provider's types, and what it refuses beyond its schema.

The sources are what a real provider answered to a nonsense value in each of its attributes, and what its
documentation and bindings say of ids and enumerations. The same sources and ``--date`` give the same bytes. May not
read the product's own constraints: the stand-in is there to contradict them.

    python -m tests.provider.extract google --version 8.0.0 --date 2026-11 \\
        --constraints constraints-google.json.gz --enums enums-google.json.gz --ids ids-google.json.gz
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]
Rules: TypeAlias = "dict[str, dict[str, list[list[Any]]]]"
Groups: TypeAlias = "dict[str, list[list[Any]]]"

DATA = Path(__file__).with_name("data")
PROBES = ("§probe§", "-987654321")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
NUMBER = r"(-?[\d.]+)"
COMPUTE_PROJECT, COMPUTE_REGION = "acme-ml-dev", "europe-west4"
"""What the documentation's placeholders were filled with in the source."""
ONLY_ONES = ("default", "current", "Default")
"""Last segments of ids that are no example's name but always so."""
GROUPS = ("exactly_one_of", "at_least_one_of", "required_with", "conflicts")


def main() -> None:
    """Read the arguments, write the data, say how much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("provider")
    parser.add_argument("--version", required=True, help="of the provider that was asked")
    parser.add_argument("--date", required=True, metavar="YYYY-MM")
    parser.add_argument("--constraints", type=Path, required=True)
    parser.add_argument("--enums", type=Path)
    parser.add_argument("--ids", type=Path, required=True)
    options = parser.parse_args()
    rules, groups, sets = _constraints(_read(options.constraints))
    for type_, paths in (_read(options.enums) if options.enums else {}).items():
        for path, values in paths.items():
            if not any(rule[0] == "one_of" for rule in rules.get(type_, {}).get(path, [])):
                rules.setdefault(type_, {}).setdefault(path, []).append(["one_of", *values])
    document = {
        "provider": options.provider,
        "version": options.version,
        "date": options.date,
        "ids": {type_: template(id_) for type_, id_ in _read(options.ids).items()},
        "rules": rules,
        "groups": groups,
        "sets": sets,
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    target = DATA / f"{options.provider}.json.gz"
    target.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{target} {target.stat().st_size} bytes, {len(rules)} types with rules")  # noqa: T201


def _read(path: Path) -> Json:
    document: Json = json.loads(gzip.decompress(path.read_bytes()))
    return document


def template(id_: str) -> str:
    """Write a documented id with the names of the arguments that it is made of: ``projects/{project}/…``."""
    parts = id_.replace("{", "").replace("}", "").split("/")
    placed = [_placeholder(part, previous) for part, previous in zip(parts, ["", *parts], strict=False)]
    if len(parts) > 4 and parts[1] == "subscriptions" and placed[-1] in (parts[-1], "{resource_group_name}"):
        placed[-1] = placed[-1] if placed[-1] in ONLY_ONES else "{name}"
    return "/".join(placed)


def _placeholder(part: str, previous: str) -> str:
    match part:
        case _ if part == COMPUTE_PROJECT:
            return "{project}"
        case _ if part == COMPUTE_REGION:
            return {"zones": "{zone}", "regions": "{region}"}.get(previous, "{location}")
        case _ if part.startswith("mock-"):
            return "{" + part.removeprefix("mock-").replace("-", "_") + "}"
    match previous:
        case "subscriptions":
            return "{subscription_id}"
        case "resourceGroups":
            return "{resource_group_name}"
    return part


def _constraints(document: Json) -> tuple[Rules, Groups, dict[str, list[str]]]:
    """Read either form: the answers by path, or the provider's schema with its answers inside."""
    rules: Rules = {}
    groups: Groups = {}
    sets: dict[str, list[str]] = {}
    for type_, entries in document.items():
        if all(isinstance(entry, list) for entry in entries.values()):
            found, together = _of_answers(entries)
        else:
            found, together = _of_schema(entries)
            sets[type_] = [path for path, entry in _entries(entries, ()) if _is_single_set(entry)]
        if found:
            rules[type_] = found
        if together:
            groups[type_] = together
    return rules, groups, {type_: paths for type_, paths in sets.items() if paths}


def _of_answers(entries: Json) -> tuple[dict[str, list[list[Any]]], list[list[Any]]]:
    rules = {}
    for path, answers in entries.items():
        own = [answer for answer in answers if any(probe in answer for probe in PROBES)]
        if found := _alternatives([rule_of(answer) for answer in own]):
            rules[path] = found
    return rules, _unique(
        group for answers in entries.values() for answer in answers for group in _group(answer)
    )


def _alternatives(rules: list[list[Any] | None]) -> list[list[Any]]:
    """Join the kinds of id that an argument takes; drop them where it takes others that no rule can say."""
    ids = [rule for rule in rules if rule and rule[0] == "id"]
    others = [rule for rule in rules if rule and rule[0] != "id"]
    if not ids:
        return others
    if None in rules or others:
        return [rule for rule in others if rule == ["resource_id"]]
    return [["id", *(part for _, *rest in ids for part in rest)]]


def _of_schema(entries: Json) -> tuple[dict[str, list[list[Any]]], list[list[Any]]]:
    rules: dict[str, list[list[Any]]] = {}
    groups: list[list[Any]] = []
    for path, entry in _entries(entries, ()):
        for key in ("validate", "elem_validate"):
            if rule := rule_of(entry.get(key, "")):
                rules.setdefault(path, []).append(rule)
        groups += [[kind, path, sorted(map(_plain, entry[kind]))] for kind in GROUPS if kind in entry]
    return rules, _unique(groups)


def _entries(entries: Json, above: tuple[str, ...]) -> Iterator[tuple[str, Json]]:
    for name, entry in entries.items():
        if isinstance(entry, dict):
            yield ".".join((*above, name)), entry
            yield from _entries(entry.get("block") or {}, (*above, name))


def _is_single_set(entry: Json) -> bool:
    return "block" in entry and entry.get("max") == 1 and entry["t"].startswith("TypeSet")


def _unique(groups: Iterator[list[Any]] | list[list[Any]]) -> list[list[Any]]:
    """Each group once, though each of its members names it."""
    found: dict[str, list[Any]] = {}
    for kind, path, paths in groups:
        key = path if kind in ("conflicts", "required_with") else path.rpartition(".")[0]
        found.setdefault(json.dumps([kind, key, paths]), [kind, path, paths])
    return [found[key] for key in sorted(found)]


def _plain(path: str) -> str:
    """``ip_filter.0.mode`` without the places: ``ip_filter.mode``."""
    return ".".join(part for part in path.split(".") if not part.isdigit())


def rule_of(answer: str) -> list[Any] | None:
    """Read what a provider answered; None where it can't be turned into a rule."""
    first = answer.partition("\n")[0]
    if listed := re.search(r"to be one of \[(.*)\], got", first):
        words = [json.loads(f'"{word}"') for word in QUOTED.findall(listed[1])]
        return ["one_of", *(words or map(_number_or_word, listed[1].split()))]
    if bounds := re.search(rf"to be in the range \({NUMBER} - {NUMBER}\), got", first):
        return ["between", float(bounds[1]), float(bounds[2])] if "length" not in first else None
    if bound := re.search(rf"to be at least \({NUMBER}\), got", first):
        return ["between", float(bound[1]), None]
    if expression := re.search(
        r'(?:match(?:es)? reg(?:exp?|ex)|doesn\'t match regexp) "((?:[^"\\]|\\.)*)"', first
    ):
        return _pattern(json.loads(f'"{expression[1]}"'))
    if "to be a valid UUID" in first:
        return ["uuid"]
    if "cannot parse Azure ID" in first:
        return ["resource_id"]
    if "path segments, found" in first:
        return ["vault_item"]
    if kind := re.search(r"parsing the (\w+) ID: the number of segments didn't match", first):
        return ["id", kind[1], _segments(answer)]
    return None


def _number_or_word(text: str) -> int | str:
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def _pattern(expression: str) -> list[Any] | None:
    try:
        re.compile(expression)
    except re.error:
        return None  # a construct that only Go has
    return ["pattern", expression]


def _segments(answer: str) -> str:
    """``/subscriptions/*/resourceGroups/*/providers/Microsoft.Insights/components/*``."""
    parts = []
    for line in re.findall(r"\* Segment \d+ - this should be (.*)", answer):
        literal = re.match(r'the literal value "([^"]*)"', line)
        provider = re.search(r"Resource Provider \[for example '([^']*)'", line)
        parts.append(literal[1] if literal else provider[1] if provider else "*")
    return "/" + "/".join(parts)


def _group(answer: str) -> Iterator[list[Any]]:
    """Read the answers about arguments that stand together or exclude each other."""
    found = re.match(
        r'(Missing required argument|Invalid combination of arguments) "([^"]*)": (one|all) of `([^`]*)`',
        answer,
    )
    if not found or "can be specified" in answer:
        return
    kind = {
        ("Missing required argument", "all"): "required_with",
        ("Missing required argument", "one"): "at_least_one_of",
        ("Invalid combination of arguments", "one"): "exactly_one_of",
    }.get((found[1], found[3]))
    if kind:
        yield [kind, _plain(found[2]), sorted(map(_plain, found[4].split(",")))]


if __name__ == "__main__":
    main()
