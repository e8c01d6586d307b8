from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.schema.load import (
    Schemas,
    UnknownProviderError,
    UnknownTypeError,
    nearest,
    open_pack,
    provider_of,
    schema_of,
    shipped_versions,
)
from stacks.schema.model import (
    Attribute,
    BlockType,
    Collection,
    NestedAttribute,
    ObjectType,
    Scalar,
    parse_type,
)
from stacks.schema.pack import Pack, packed
from stacks.schema.paths import AttributePathError, attribute_at

ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT / "stacks" / "schema" / "data"
OLD, NEW = "5.100.0", "6.69.1"


def test_both_aws_versions_are_shipped_with_every_type() -> None:
    assert shipped_versions("aws") == (OLD, NEW)
    assert shipped_versions("kubernetes") == ()
    assert len(list(open_pack("aws", OLD).names("resource"))) == 1526
    assert len(list(open_pack("aws", OLD).names("data"))) == 608
    assert len(list(open_pack("aws", NEW).names("resource"))) == 1735


def test_the_packs_of_the_other_clouds_hold_every_type_that_the_provider_has() -> None:
    counts = {
        (provider, version): tuple(
            len(open_pack(provider, version).names(mode)) for mode in ("resource", "provider")
        )
        for provider in ("google", "google-beta", "azurerm", "azapi")
        for version in shipped_versions(provider)
    }
    assert counts == {
        ("google", "8.7.0"): (1375, 1),
        ("google-beta", "8.7.0"): (1493, 1),
        ("azurerm", "5.1.0"): (1030, 1),
        ("azurerm", "5.10.0"): (1106, 0),
        ("azapi", "2.13.0"): (4, 1),
    }


@pytest.mark.parametrize(
    ("provider", "version", "source", "exact"),
    [
        ("aws", OLD, "hashicorp/aws", True),
        ("aws", NEW, "hashicorp/aws", False),
        ("google", "8.7.0", "hashicorp/google", False),
        ("google-beta", "8.7.0", "hashicorp/google-beta", False),
        ("azurerm", "5.1.0", "hashicorp/azurerm", True),
        ("azurerm", "5.10.0", "hashicorp/azurerm", False),
        ("azapi", "2.13.0", "Azure/azapi", False),
    ],
)
def test_a_pack_says_where_it_came_from_and_stays_small(
    provider: str, version: str, source: str, *, exact: bool
) -> None:
    pack = open_pack(provider, version)
    assert (pack.source, pack.version, pack.exact) == (source, version, exact)
    assert pack.origin
    assert pack.date == "2026-11"
    assert (DATA / f"{provider}-{version}.pack").stat().st_size < 300_000


def test_every_type_of_every_pack_can_be_read_to_its_depth() -> None:
    seen = 0
    for path in sorted(DATA.glob("*.pack")):
        pack = Pack(path)
        for mode in ("resource", "data", "provider"):
            for name in pack.names(mode):
                provider, _, version = path.stem.rpartition("-")
                schema = schema_of(provider, mode, name, version=version)
                bodies = [schema.block]
                done: set[int] = set()
                while bodies:
                    body = bodies.pop()
                    if id(body) not in done:
                        done.add(id(body))
                        seen += len(body.arguments)
                        children = (body.child(child) for child in body.arguments)
                        bodies.extend(child for child in children if child is not None)
    assert seen > 40_000


def test_an_argument_keeps_what_the_provider_says_of_it() -> None:
    endpoint = schema_of("aws", "resource", "aws_vpc_endpoint", version=OLD)
    assert endpoint.at(["vpc_id"]) == Attribute(
        Scalar("string"), required=True, optional=False, computed=False, sensitive=False, write_only=False
    )
    names = ObjectType({"dns_name": Scalar("string"), "hosted_zone_id": Scalar("string")})
    dns_entry = endpoint.at(["dns_entry"])
    assert isinstance(dns_entry, Attribute)
    assert (dns_entry.type, dns_entry.read_only) == (Collection("list", names), True)
    options = endpoint.at(["dns_options"])
    assert isinstance(options, BlockType)
    assert (options.nesting, options.min_items, options.max_items) == ("list", 0, 1)
    timeouts = endpoint.at(["timeouts"])
    assert isinstance(timeouts, BlockType)
    assert timeouts.nesting == "single"
    password = schema_of("aws", "resource", "aws_db_instance", version=OLD).at(["password"])
    assert isinstance(password, Attribute)
    assert password.sensitive


def test_an_emitter_learns_which_arguments_are_blocks() -> None:
    group = schema_of("aws", "resource", "aws_security_group", version=OLD)
    assert not group.is_block(["ingress"])  # a list of objects, written with =
    rule = schema_of("aws", "resource", "aws_s3_bucket_lifecycle_configuration", version=OLD)
    assert rule.is_block(["rule"])
    assert rule.is_block(["rule", "filter", "and"])
    assert not rule.is_block(["rule", "filter", "prefix"])
    assert not rule.is_block(["nothing", "here"])
    assert not rule.is_block([])
    child = rule.block.child("rule")
    assert child is not None
    assert child.is_block("expiration")
    assert child.child("status") is None


def test_a_compact_pack_says_what_it_does_not_know() -> None:
    options = schema_of("aws", "resource", "aws_vpc_endpoint", version=NEW).at(["dns_options"])
    assert isinstance(options, BlockType)
    assert options.nesting == "one"
    entry = schema_of("aws", "resource", "aws_vpc_endpoint", version=NEW).at(["dns_entry"])
    assert isinstance(entry, NestedAttribute)
    assert entry.read_only


def test_a_block_that_holds_itself_is_read_as_deep_as_it_is_asked() -> None:
    rule = schema_of("aws", "resource", "aws_wafv2_web_acl_rule", version=NEW)
    path = ["statement", *["and_statement", "statement"] * 9, "byte_match_statement"]
    assert rule.is_block(path)


@pytest.mark.parametrize(
    ("mode", "name", "message", "hint"),
    [
        (
            "resource",
            "aws_s3_bukcet",
            '"aws_s3_bukcet" is not a resource type of provider aws 5.100.0',
            'Did you mean "aws_s3_bucket"?',
        ),
        (
            "data",
            "aws_flow_log",
            '"aws_flow_log" is not a data source of provider aws 5.100.0',
            "It is a resource type there.",
        ),
        ("resource", "aws_qqqqqqqqqq", '"aws_qqqqqqqqqq" is not a resource type of provider aws 5.100.0', ""),
    ],
)
def test_an_unknown_type_gives_the_nearest_match(mode: str, name: str, message: str, hint: str) -> None:
    with pytest.raises(UnknownTypeError) as caught:
        schema_of("aws", mode, name, version=OLD)  # type: ignore[arg-type]
    assert (str(caught.value), caught.value.hint) == (message, hint)


def test_a_pack_without_data_sources_says_so_rather_than_that_there_is_no_such_type() -> None:
    with pytest.raises(UnknownTypeError) as caught:
        schema_of("aws", "data", "aws_iam_policy_document", version=NEW)
    assert str(caught.value) == (
        "the shipped schema of provider aws 6.69.1 has no data sources, "
        'so "aws_iam_policy_document" cannot be checked'
    )


def test_a_version_that_is_not_shipped_is_refused_with_those_that_are() -> None:
    with pytest.raises(UnknownProviderError) as caught:
        schema_of("aws", "resource", "aws_vpc", version="4.0.0")
    assert (
        str(caught.value) == "no schema of provider aws 4.0.0 is shipped; versions that are: 5.100.0, 6.69.1"
    )
    with pytest.raises(UnknownProviderError) as caught:
        open_pack("kubernetes", "2.38.0")
    assert str(caught.value) == "no schema of provider kubernetes 2.38.0 is shipped; versions that are: none"


def test_a_platform_reads_each_provider_at_its_own_version() -> None:
    schemas = Schemas({"aws": NEW})
    assert schemas.of("resource", "aws_vpc").version == NEW
    with pytest.raises(UnknownTypeError, match="which uses aws"):
        schemas.of("resource", "google_storage_bucket")
    assert provider_of("aws_vpc") == "aws"


def test_a_name_that_resembles_nothing_has_no_nearest() -> None:
    assert nearest("bucket", ["buckets", "bucketed"]) == 'Did you mean "buckets"?'
    assert nearest("zzz", ["bucket"]) == ""


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("id", "a string"),
        ("dns_entry", "a list of objects with dns_name, hosted_zone_id"),
        ("dns_entry[0]", "an object with dns_name, hosted_zone_id"),
        ("dns_entry[0].dns_name", "a string"),
        ("dns_entry[*].dns_name", "a list of strings"),
        ("subnet_ids[*]", "a list of strings"),
        ("tags", "a map of strings"),
        ('tags["owner"]', "a string"),
        ("tags.owner", "a string"),
        ("dns_options[0].dns_record_ip_type", "a string"),
        (
            "dns_options[0]",
            "an object with dns_record_ip_type, private_dns_only_for_inbound_resolver_endpoint",
        ),
        ("timeouts.create", "a string"),
        ("subnet_configuration[*].ipv4", "a list of strings"),
    ],
)
def test_a_path_of_attributes_has_a_type(path: str, words: str) -> None:
    assert (
        str(attribute_at(schema_of("aws", "resource", "aws_vpc_endpoint", version=OLD), path).type) == words
    )


@pytest.mark.parametrize(
    "path", ["", ".id", "[0]", "id.", "id[", "id[x]", "id..name", "tags[0]", "timeouts[0]"]
)
def test_a_path_that_terraform_would_not_read_is_refused(path: str) -> None:
    with pytest.raises(AttributePathError):
        attribute_at(schema_of("aws", "resource", "aws_vpc_endpoint", version=OLD), path)


def test_a_path_tells_whether_its_value_is_secret() -> None:
    database = schema_of("aws", "resource", "aws_db_instance", version=OLD)
    assert attribute_at(database, "password").sensitive
    assert not attribute_at(database, "arn").sensitive


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("string", "a string"),
        ("any", "any value"),
        ("list(any)", "a list of any values"),
        ("set(number)", "a set of numbers"),
        ("map(list(bool))", "a map of lists of bools"),
        ("object({a=string,b=object({c=list(number)}),d=bool})", "an object with a, b, d"),
        ("object({})", "an object with "),
    ],
)
def test_type_codes_are_read(code: str, words: str) -> None:
    assert str(parse_type(code)) == words


@pytest.mark.parametrize("code", ["strin", "", "lists(string)", "tuple(string)"])
def test_a_type_code_that_is_none_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="not a type"):
        parse_type(code)


def test_a_pack_gives_back_what_was_packed(tmp_path: Path) -> None:
    header = {"source": "a/b", "version": "1.0.0", "origin": "here", "date": "2026-11", "exact": True}
    types = {
        "resource": {f"b_{at}": [{"a": f"o string{at}"}] for at in range(9)},
        "data": {"b_0": [{"c": "c bool"}]},
    }
    path = tmp_path / "b-1.0.0.pack"
    path.write_bytes(packed(header, types))  # type: ignore[arg-type]
    pack = Pack(path)
    for mode in ("resource", "data"):
        assert {name: pack.records(mode, name) for name in pack.names(mode)} == types[mode]
    assert pack.records("resource", "b_9") is None
    assert pack.records("provider", "b") is None
    path.write_bytes(b"PK")
    with pytest.raises(ValueError, match="is not a schema pack"):
        Pack(path)


def test_the_import_stays_light() -> None:
    code = "import sys, stacks.schema.check; print(*sorted(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert not {"difflib", "importlib.resources", "tomllib", "yaml", "tempfile"} & set(done.stdout.split())


DUMP = {
    "provider_schemas": {
        "registry.example.org/acme/acme": {
            "provider": {
                "version": 0,
                "block": {"attributes": {"token": {"type": "string", "optional": True}}},
            },
            "resource_schemas": {
                "acme_box": {
                    "version": 0,
                    "block": {
                        "attributes": {
                            "description": {"type": "string", "optional": True, "sensitive": True},
                            "sizes": {
                                "type": ["list", ["object", {"b": "number", "a": ["map", "bool"]}]],
                                "computed": True,
                            },
                            "free": {"type": "dynamic", "required": True, "write_only": True},
                            "inner": {
                                "nested_type": {
                                    "nesting_mode": "map",
                                    "attributes": {
                                        "x": {"type": "string", "optional": True, "computed": True}
                                    },
                                },
                                "optional": True,
                            },
                        },
                        "block_types": {
                            "lid": {"nesting_mode": "set", "min_items": 1, "max_items": 3, "block": {}},
                            "group": {"nesting_mode": "group", "block": {}},
                        },
                    },
                }
            },
            "data_source_schemas": {},
        }
    }
}
COMPACT = {
    "acme_box": {
        "inner": ["single=", "c", {"x": ["string", "c"]}],
        "lid": ["single*", "r", {"lid": ["list*", "o", {"__recursive__": "AcmeBoxLid"}]}],
        "odd": ["stringMapMap", "o"],
        "timeouts": ["single*", "o", {"create": ["string", "o"]}],
    }
}


def _made(tmp_path: Path, document: object) -> Pack:
    (tmp_path / "in.json").write_text(json.dumps(document))
    script = ROOT / "scripts" / "update_provider_schemas.py"
    arguments: list[str | Path] = [
        tmp_path / "in.json",
        "--provider",
        "acme=acme/acme@1.2.3",
        "--date",
        "2026-11",
        "--out",
        tmp_path,
    ]
    subprocess.run([sys.executable, script, *arguments], check=True, capture_output=True)
    return Pack(tmp_path / "acme-1.2.3.pack")


def test_the_script_packs_what_terraform_prints(tmp_path: Path) -> None:
    pack = _made(tmp_path, DUMP)
    assert pack.exact
    assert pack.records("provider", "acme") == [{"token": "o string"}]
    assert pack.records("resource", "acme_box") == [
        {
            "description": "os string",
            "free": "rw any",
            "group": ["single", 0, 0, 2],
            "inner": ["map", "o", 1],
            "lid": ["set", 1, 3, 2],
            "sizes": "c list(object({a=map(bool),b=number}))",
        },
        {"x": "oc string"},
        {},
    ]
    first = (tmp_path / "acme-1.2.3.pack").read_bytes()
    _made(tmp_path, DUMP)
    assert (tmp_path / "acme-1.2.3.pack").read_bytes() == first


def test_the_script_packs_a_compact_schema(tmp_path: Path) -> None:
    pack = _made(tmp_path, COMPACT)
    assert not pack.exact
    assert pack.records("resource", "acme_box") == [
        {
            "inner": ["one", "c", 1],
            "lid": ["one", 1, 1, 2],
            "odd": "o map(map(string))",
            "timeouts": ["single", 0, 1, 3],
        },
        {"x": "c string"},
        {"lid": ["list", 0, 0, 2]},
        {"create": "o string"},
    ]
