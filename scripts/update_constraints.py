#!/usr/bin/env python3
"""Make ``stacks/schema/data/<provider>.constraints``: which values each argument takes, and which go together.

No provider publishes this in its schema. FILE is one of two measurements (gzipped JSON): a provider's own schema read
by a program that links it (google: flags, groups and what each validator says to a nonsense value), or what a real
provider answers to a nonsense value in each argument (aws, azurerm). ``--enums`` adds allowed values by type and path.

May not guess: a text that isn't one of those below, or that isn't alone, is left out.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from stacks.schema.load import SchemaError, schema_of, shipped_versions  # noqa: E402
from stacks.schema.model import Attribute, BlockType, TypeSchema  # noqa: E402
from stacks.schema.pack import packed  # noqa: E402

Json: TypeAlias = Mapping[str, Any]
"""Somebody else's JSON."""
Limits: TypeAlias = dict[str, Any]
"""What one value may be: ``in``, ``fold``, ``min``, ``max``, ``re``, ``form``, ``fewest``, ``most``."""
Group: TypeAlias = tuple[str, str, tuple[str, ...]]
"""How arguments go together: kind, the argument that says so, and the arguments."""

PROBES = ("§probe§", "-987654321", "-9.87654321")
"""The nonsense values; a text that repeats none of them may be about a placeholder in another argument."""

MANY_VALUES = 400
"""A longer list is one of names that grows with every release."""

FOLDED: Mapping[str, Mapping[str, frozenset[str]]] = {
    "aws": {
        "aws_batch_compute_environment": frozenset(
            {"compute_resources.allocation_strategy", "compute_resources.type", "state", "type"}
        ),
        "aws_batch_job_definition": frozenset(
            {
                "eks_properties.pod_properties.volumes.empty_dir.medium",
                "retry_strategy.evaluate_on_exit.action",
                "type",
            }
        ),
        "aws_batch_job_queue": frozenset({"state"}),
        "aws_cloudwatch_metric_alarm": frozenset(
            {"evaluate_low_sample_count_percentiles", "treat_missing_data"}
        ),
        "aws_glue_job": frozenset({"command.runtime"}),
        "aws_lb_listener": frozenset(
            {
                "alpn_policy",
                "default_action.authenticate_cognito.on_unauthenticated_request",
                "default_action.authenticate_oidc.on_unauthenticated_request",
                "default_action.type",
                "mutual_authentication.mode",
                "protocol",
            }
        ),
        "aws_lb_target_group": frozenset({"health_check.protocol", "protocol_version"}),
    },
    "google": {
        "google_cloudfunctions_function": frozenset({"ingress_settings", "vpc_connector_egress_settings"}),
        "google_compute_instance_group_manager": frozenset(),
        "google_compute_region_instance_group_manager": frozenset(),
    },
    "azurerm": {
        "azurerm_app_configuration": frozenset({"public_network_access"}),
        "azurerm_container_app": frozenset(),
        "azurerm_kubernetes_cluster": frozenset(
            {"default_node_pool.upgrade_settings.undrainable_node_behavior"}
        ),
        "azurerm_kubernetes_cluster_node_pool": frozenset({"upgrade_settings.undrainable_node_behavior"}),
        "azurerm_lb": frozenset(),
        "azurerm_search_service": frozenset({"hosting_mode"}),
    },
}
"""Where a provider compares without regard to case; an empty set is every argument of the type. aws 5.100.0 was asked
about a word of each list with upper and lower case swapped (2026-11), the others' source was read (2026-08)."""

RANGE = re.compile(
    r"expected (?P<name>\S+) to be in the range \((?P<least>[-\d.]+) - (?P<most>[-\d.]+)\), got "
)
LENGTH = re.compile(
    r"expected length of (?P<name>\S+) to be in the range \((?P<least>\d+) - (?P<most>\d+)\), got "
)
LEAST = re.compile(r"expected (?P<name>\S+) to be at least \((?P<least>[-\d.]+)\), got ")
MOST = re.compile(r"expected (?P<name>\S+) to be at most \((?P<most>[-\d.]+)\), got ")
ONE_OF = re.compile(r"expected (?P<name>\S+) to be one of \[(?P<values>.*)\], got ", re.DOTALL)
ENUM = re.compile(
    r"Invalid String Enum Value .*?Path: (?P<name>\S+)\s+Given Value: .*?Valid Values: \[(?P<values>.*)\]",
    re.DOTALL,
)
MATCH = re.compile(
    r"Invalid Attribute Value Match Attribute (?P<name>\S+) value must be one of: \[(?P<values>.*)\], got: ",
    re.DOTALL,
)
PATTERNS = (
    re.compile(
        r'"(?P<name>[^"\s]+)" \("?§probe§"?\) doesn\'t match regexp "(?P<re>.*?)"(?:, .*)?$', re.DOTALL
    ),
    re.compile(r'"(?P<name>[^"\s]+)" \("?§probe§"?\) must match regex "(?P<re>.*)"$'),
    re.compile(r'"(?P<name>[^"\s]+)" doesn\'t comply with restrictions \("(?P<re>.*)"\): "§probe§"$'),
    re.compile(r'expected value of (?P<name>\S+) to match regular expression "(?P<re>.*)", got §probe§$'),
)
FORMS = (
    ("arn", re.compile(r'"(?P<name>[^"\s]+)" \(§probe§\) is an invalid ARN: arn: invalid prefix$')),
    (
        "json",
        re.compile(r'"(?P<name>[^"\s]+)" contains an invalid JSON: invalid character \'Â\' looking for '),
    ),
    ("uuid", re.compile(r'expected "?(?P<name>[^"\s]+)"? to be a valid UUID, got §probe§$')),
    ("cidr", re.compile(r'expected "?(?P<name>[^"\s]+)"? to be a valid CIDR Value, got §probe§: ')),
    ("cidr", re.compile(r'"(?P<name>[^"\s]+)" is not a valid IP CIDR range: invalid CIDR address: §probe§$')),
)
SAID = (
    ("must contain only letters (a-z, A-Z), numbers (0-9), or underscores (_)", "^[0-9A-Za-z_]+$"),
    ("must contain only lowercase letters (a-z), numbers (0-9), or dashes (-)", "^[0-9a-z-]+$"),
    ("can only contain lowercase letters, numbers and hyphens", "^[0-9a-z-]+$"),
    ("may only contain alphanumeric characters, dash, underscores, parentheses and periods", r"^[-\w._()]+$"),
)
"""What validators say of the characters they take, and the pattern that this is."""
MEMBERS = re.compile(r'invalid value "§probe§" for K( \(IAM members .*\))?$')
"""What google's IAM arguments say (google/tpgiamresource/resource_iam_member.go, 2026-08)."""
COMBINATION = re.compile(
    r'(?P<title>Invalid combination of arguments|Missing required argument) "(?P<owner>[^"]+)": '
    r"(?P<all>one|all) of `(?P<names>[^`]+)` must be specified"
)
CONFLICT = re.compile(
    r'Conflicting configuration arguments "(?P<owner>[^"]+)": conflicts with (?P<names>\S+)'
)
POSITION = re.compile(r"\.\d+(?=\.|$)|\[[^\]]*\]")


def main() -> None:
    """Read the arguments, write the constraints, say how many of which kind."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--enums", type=Path, metavar="FILE")
    parser.add_argument("--provider", required=True, metavar="NAME=SOURCE@VERSION")
    parser.add_argument("--date", required=True, metavar="YYYY-MM", help="when the source was read")
    parser.add_argument("--out", type=Path, default=ROOT / "stacks" / "schema" / "data")
    options = parser.parse_args()
    name, _, rest = options.provider.partition("=")
    source, _, version = rest.partition("@")
    document = _read(options.file)
    enums = _read(options.enums) if options.enums else {}
    is_tree = any("t" in argument for arguments in document.values() for argument in arguments.values())
    types = {}
    for type_name in sorted(document.keys() | enums.keys()):
        found = of_tree(document.get(type_name, {})) if is_tree else of_answers(document[type_name])
        add_enums(found[0], enums.get(type_name, {}))
        kept = _kept(name, type_name, *found)
        if kept["values"] or kept["groups"]:
            types[type_name] = kept
    header: dict[str, str | bool] = {
        "provider": name,
        "source": source,
        "version": version,
        "date": options.date,
        "origin": "the provider's own schema and validators"
        if is_tree
        else "the provider's answers to nonsense",
        "exact": False,
    }
    target = options.out / f"{name}.constraints"
    target.write_bytes(packed(header, {"resource": {type_: [kept] for type_, kept in types.items()}}))
    print(f"{target} {target.stat().st_size} bytes, {len(types)} types, {dict(_counted(types))}")


def _read(path: Path) -> Json:
    document: Json = json.loads(gzip.decompress(path.read_bytes()))
    return document


def _counted(types: Mapping[str, Any]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for kept in types.values():
        counts.update(kind for limits in kept["values"].values() for kind in limits)
        counts.update(group[0] for group in kept["groups"])
    return counts


def of_tree(arguments: Json) -> tuple[dict[str, Limits], list[Group]]:
    """Read one type of a provider's own schema."""
    values: dict[str, Limits] = {}
    groups: list[Group] = []
    for path, argument in _arguments(arguments, ()):
        dotted = ".".join(path)
        limits: Limits = {}
        for text in (argument.get("validate"), argument.get("elem_validate")):
            limits |= _limits(dotted, [text] if text else [])[1]
        limits |= _counts(argument)
        if limits and argument["f"] != "c" and not argument.get("sensitive"):
            values[dotted] = limits
        groups += _groups(dotted, argument)
    return values, groups


def _arguments(arguments: Json, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Json]]:
    for name, argument in arguments.items():
        yield (*above, name), argument
        yield from _arguments(argument.get("block", {}), (*above, name))


def _counts(argument: Json) -> Limits:
    """How many values a list takes; of a block the schema says how often it stands."""
    bounds = {"fewest": argument.get("min", 0), "most": argument.get("max", 0)}
    return {key: bound for key, bound in bounds.items() if bound and "block" not in argument}


def _groups(owner: str, argument: Json) -> Iterator[Group]:
    """Read how an argument goes with others; the SDK counts the argument itself in, named or not."""
    for kind, key in (
        ("exactly", "exactly_one_of"),
        ("at-least", "at_least_one_of"),
        ("conflict", "conflicts"),
        ("with", "required_with"),
    ):
        if names := argument.get(key):
            paths = [_plain(name) for name in names]
            yield kind, owner, tuple(paths if kind == "conflict" else dict.fromkeys([*paths, owner]))


def of_answers(answers: Json) -> tuple[dict[str, Limits], list[Group]]:
    """Read what a provider answered to nonsense in each argument of one type."""
    values: dict[str, Limits] = {}
    groups: list[Group] = []
    for path, texts in answers.items():
        about = [text for text in texts if any(probe in text for probe in PROBES)]
        where, limits = _limits(path, about)
        if limits:
            values[where] = limits
        groups += (group for text in texts for group in _said_groups(text))
    return values, groups


def _said_groups(text: str) -> Iterator[Group]:
    if found := COMBINATION.match(text):
        if found["all"] == "all":
            kind = "with"
        else:
            kind = "exactly" if found["title"].startswith("Invalid") else "at-least"
        yield kind, _plain(found["owner"]), tuple(map(_plain, found["names"].split(",")))
    if found := CONFLICT.match(text):
        yield "conflict", _plain(found["owner"]), tuple(map(_plain, found["names"].split(",")))


def _limits(path: str, texts: Sequence[str]) -> tuple[str, Limits]:
    """Understand what is said about one argument; several texts may be alternatives, so they are none."""
    if len(set(texts)) != 1:
        return path, {}
    text = texts[0]
    for read in (_listed, _ranged, _patterned, _formed, _worded):
        name, limits = read(text)
        if limits:
            where = _where(path, _plain(name))
            return (where, limits) if where else (path, {})
    return path, {}


def _where(path: str, name: str) -> str:
    """Tell which argument a text is about: the one asked about, or one inside it; empty when it is another."""
    if name in ("", "K") or path == name or path.endswith("." + name):
        return path
    return name if name.startswith(path + ".") else ""


def _listed(text: str) -> tuple[str, Limits]:
    found = ONE_OF.search(text) or ENUM.search(text) or MATCH.search(text)
    values = _listed_values(found["values"]) if found else []
    return (found["name"], {"in": values}) if found and 0 < len(values) <= MANY_VALUES else ("", {})


def _listed_values(text: str) -> list[str]:
    """Read ``"a" "b"`` or ``1 2 3``; nothing where words aren't quoted, since they may hold spaces."""
    if re.fullmatch(r"-?\d+(,? -?\d+)*", text):
        return re.findall(r"-?\d+", text)
    quoted = r'"(?:[^"\\]|\\.)*"'
    if re.fullmatch(rf"{quoted}(,? {quoted})*", text):
        return [json.loads(word) for word in re.findall(quoted, text)]
    return []


def _ranged(text: str) -> tuple[str, Limits]:
    if found := LENGTH.search(text):
        return found["name"], {"re": rf"^[\s\S]{{{found['least']},{found['most']}}}$"}
    found = RANGE.search(text) or LEAST.search(text) or MOST.search(text)
    if found is None:
        return "", {}
    said = found.groupdict()
    bounds = {"min": said.get("least"), "max": said.get("most")}
    return found["name"], {key: _number(bound) for key, bound in bounds.items() if bound is not None}


def _number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _patterned(text: str) -> tuple[str, Limits]:
    for pattern in PATTERNS:
        if found := pattern.search(text):
            said = found["re"].replace("\\\\", "\\").replace('\\"', '"')
            return (found["name"], {"re": said}) if _is_python(said) else ("", {})
    return "", {}


def _is_python(pattern: str) -> bool:
    """Tell whether a Go pattern means the same here."""
    if "[[:" in pattern or "\\p" in pattern or "\\z" in pattern:
        return False
    try:
        re.compile(pattern, re.ASCII)
    except re.error:
        return False
    return True


def _formed(text: str) -> tuple[str, Limits]:
    for form, pattern in FORMS:
        if found := pattern.search(text):
            return found["name"], {"form": form}
    return "", {}


def _worded(text: str) -> tuple[str, Limits]:
    if MEMBERS.match(text):
        return "K", {"form": "member"}
    for words, pattern in SAID:
        if found := re.fullmatch(rf'"(?P<name>[^"\s]+)" {re.escape(words)}', text):
            return found["name"], {"re": pattern}
    return "", {}


def _plain(path: str) -> str:
    return POSITION.sub("", path)


def add_enums(values: dict[str, Limits], enums: Json) -> None:
    """Add allowed values; a later list may have more than the validator that was asked."""
    for path, allowed in enums.items():
        limits = values.setdefault(path, {})
        if not limits or "in" in limits:
            limits["in"] = [*dict.fromkeys([*limits.get("in", ()), *allowed])]


def _kept(provider: str, type_name: str, values: dict[str, Limits], groups: list[Group]) -> dict[str, Any]:
    """Keep what is about arguments that the shipped schema has and that hold no secret; each group once."""
    schemas = _schemas(provider, type_name)
    folded = FOLDED.get(provider, {}).get(type_name)
    kept = {path: limits for path, limits in sorted(values.items()) if _is_judged(schemas, path)}
    for path, limits in kept.items():
        if "in" in limits and folded is not None and (not folded or path in folded):
            limits["fold"] = True
    seen: set[object] = set()
    once: list[Group] = []
    for kind, owner, names in groups:
        each = (
            [(kind, owner, (name,)) for name in names if name != owner]
            if kind == "conflict"
            else [(kind, owner, names)]
        )
        for group in each:
            paths = {*group[2], owner} if kind == "conflict" else {*group[2]}
            key = (kind, frozenset(paths), owner if kind == "with" else owner.rpartition(".")[0])
            if key not in seen and schemas and all(schemas[0].at(path.split(".")) for path in paths):
                seen.add(key)
                once.append(group)
    return {"values": kept, "groups": once}


def _schemas(provider: str, type_name: str) -> list[TypeSchema]:
    """Return the schema of a type at every shipped version that has it, the newest first."""
    found: list[TypeSchema] = []
    for version in reversed(shipped_versions(provider)):
        with suppress(SchemaError):
            found.append(schema_of(provider, "resource", type_name, version=version))
    return found


def _is_judged(schemas: Sequence[TypeSchema], path: str) -> bool:
    """Tell whether an argument can be given and is nowhere a secret: a compact schema doesn't say that it is one."""
    arguments = [schema.at(path.split(".")) for schema in schemas]
    for argument in arguments:
        if isinstance(argument, Attribute) and (argument.sensitive or argument.write_only):
            return False
    match arguments:
        case [BlockType() | Attribute(read_only=False), *_]:
            return True
        case _:
            return False


if __name__ == "__main__":
    main()
