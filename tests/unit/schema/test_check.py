from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import pytest

from stacks.graph import Address, Node, ProviderBlock, Ref, RemoteRef, Text, Value
from stacks.schema.check import Code, Path, Problem, check_node, check_nodes, check_provider
from stacks.schema.load import Schemas
from stacks.schema.model import Mode, Records, TypeSchema, block_schema
from tests.unit.schema.defects import DEFECTS, GOOD, VERSIONS, VPC, node, ref

ANYTHING = RemoteRef("network", "anything")


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_found_and_nothing_else_is(name: str) -> None:
    defect = DEFECTS[name]
    problems = check_nodes([*GOOD, defect.node], VERSIONS)
    said = [(problem.address, problem.code, problem.message, problem.hint) for problem in problems]
    assert said == [(defect.node.address, defect.code, defect.message, defect.hint)]


def test_every_code_has_a_defect() -> None:
    assert {defect.code for defect in DEFECTS.values()} == set(Code.__args__)  # type: ignore[attr-defined]


def test_good_nodes_have_no_problems() -> None:
    assert check_nodes(GOOD, VERSIONS) == ()


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("an argument with a typo", ("bucketz",)),
        ("an unknown argument in a block", ("rule", 0, "bucket_key_enable")),
        ("a list in a map of strings", ("tags", "owner")),
        ("a null in a list", ("layers", 1)),
        ("a missing block", ("rule",)),
        ("a resource type with a typo", ()),
    ],
)
def test_a_problem_says_where_it_is(name: str, path: Path) -> None:
    (problem,) = check_nodes([*GOOD, DEFECTS[name].node], VERSIONS)
    assert problem.path == path


def test_all_problems_are_found_at_once_and_sorted_by_address_and_path() -> None:
    rules: list[Value] = [{"bucket_key_enabled": "perhaps"} for _ in range(11)]
    nodes = [
        node("aws_s3_bucket_server_side_encryption_configuration", "b", {"rule": rules}),
        node("aws_s3_bucket", "a", {"bucketz": 1, "arn": "x"}),
    ]
    found = [(str(problem.address), problem.path) for problem in check_nodes(nodes, VERSIONS)]
    encryption = "aws_s3_bucket_server_side_encryption_configuration.b"
    assert found == [
        ("aws_s3_bucket.a", ("arn",)),
        ("aws_s3_bucket.a", ("bucketz",)),
        (encryption, ("bucket",)),
        *[(encryption, ("rule", at, "bucket_key_enabled")) for at in range(11)],
    ]


def test_a_problem_reads_as_one_finding() -> None:
    problem = Problem(
        Address("resource", "aws_vpc", "main"), ("id",), "read-only", "id is set", "Leave it out."
    )
    assert str(problem) == "aws_vpc.main: error[read-only]: id is set\n  Leave it out."
    assert str(replace(problem, hint="")) == "aws_vpc.main: error[read-only]: id is set"


def test_another_stacks_output_fits_every_argument_but_is_no_block() -> None:
    arguments: Mapping[str, Value] = {"vpc_id": ANYTHING, "subnet_ids": ANYTHING, "auto_accept": ANYTHING}
    assert check_nodes([node("aws_vpc_endpoint", "x", arguments)], VERSIONS) == ()
    (problem,) = check_nodes(
        [node("aws_vpc_endpoint", "x", {"vpc_id": "v", "dns_options": ANYTHING})], VERSIONS
    )
    assert (
        problem.message
        == "dns_options is output anything of stack network, but a block is a map of its arguments"
    )


def test_strings_numbers_and_bools_convert_as_in_terraform() -> None:
    arguments: Mapping[str, Value] = {
        "deletion_window_in_days": "30",
        "enable_key_rotation": "true",
        "description": 7,
        "policy": True,
        "rotation_period_in_days": Text(("9", ref("aws_vpc", "main", "instance_tenancy"))),
    }
    assert check_nodes([*GOOD, node("aws_kms_key", "x", arguments)], VERSIONS) == ()


@pytest.mark.parametrize("value", ["1_000", " 1", "inf", float("inf"), float("nan"), "0x10", "True", ""])
def test_numbers_that_only_python_reads_are_refused(value: str | float) -> None:
    (problem,) = check_nodes([node("aws_kms_key", "x", {"deletion_window_in_days": value})], VERSIONS)
    assert (problem.code, problem.path) == ("wrong-type", ("deletion_window_in_days",))


def test_lists_and_sets_convert_and_maps_do_not() -> None:
    good = node(
        "aws_vpc_endpoint", "x", {"vpc_id": VPC, "subnet_ids": ref("aws_vpc_endpoint", "vpce", "cidr_blocks")}
    )
    assert check_nodes([*GOOD, good], VERSIONS) == ()
    bad = node("aws_vpc_endpoint", "x", {"vpc_id": VPC, "subnet_ids": ref("aws_vpc", "main", "tags")})
    (problem,) = check_nodes([*GOOD, bad], VERSIONS)
    assert (
        problem.message == "subnet_ids is aws_vpc.main.tags, a map of strings, but must be a set of strings"
    )


def test_a_secret_is_never_shown() -> None:
    arguments: Mapping[str, Value] = {"name": "c", "connection_properties": "hunter2"}
    (problem,) = check_nodes([node("aws_glue_connection", "x", arguments)], VERSIONS)
    assert problem.message == "connection_properties is a secret, but must be a map of strings"


def test_a_long_value_is_cut_in_the_message() -> None:
    (problem,) = check_nodes([node("aws_kms_key", "x", {"is_enabled": "x" * 99})], VERSIONS)
    assert problem.message == f'is_enabled is "{"x" * 39}…", but must be true or false'


def test_depends_on_must_exist() -> None:
    missing = Address("resource", "aws_vpc", "gone")
    problems = check_nodes([replace(node("aws_s3_bucket", "x", {}), depends_on=(missing,))], VERSIONS)
    assert [problem.message for problem in problems] == [
        "depends_on names aws_vpc.gone, which does not exist"
    ]


def test_ignore_changes_may_name_a_part_of_an_argument() -> None:
    ignoring = replace(GOOD[0].lifecycle, ignore_changes=('tags["owner"]', "cidr_block"))
    assert check_nodes([replace(GOOD[0], lifecycle=ignoring)], VERSIONS) == ()


def test_a_reference_to_a_node_of_unknown_type_is_said_once() -> None:
    nodes = [node("aws_vpcc", "x", {}), node("aws_s3_bucket", "x", {"bucket": ref("aws_vpcc", "x", "id")})]
    assert [problem.code for problem in check_nodes(nodes, VERSIONS)] == ["unknown-type"]


def test_a_provider_block_is_checked_too() -> None:
    schemas = Schemas(VERSIONS)
    config: Mapping[str, Value] = {"region": "eu-west-1", "default_tags": {"tags": {"owner": "a"}}}
    block = ProviderBlock(name="aws", source="hashicorp/aws", version=">= 5.100, < 6.0", config=config)
    assert check_provider(block, schemas) == []
    (problem,) = check_provider(replace(block, config={**config, "regionn": "x"}), schemas)
    assert str(problem) == (
        'provider.aws: error[unknown-argument]: "regionn" is not an argument of provider aws\n  Did you mean "region"?'
    )


def test_check_node_takes_the_addresses_that_exist() -> None:
    bucket = node("aws_s3_bucket", "x", {"bucket": VPC})
    assert check_node(bucket, Schemas(VERSIONS), {VPC.address}) == []
    assert [problem.code for problem in check_node(bucket, Schemas(VERSIONS), set())] == ["unknown-address"]


def test_two_hundred_nodes_take_a_few_milliseconds() -> None:
    nodes = [_renamed(node, copy) for copy in range(17) for node in GOOD]
    assert len(nodes) > 200
    took = []
    for _ in range(5):
        start = time.perf_counter()
        assert check_nodes([*GOOD, *nodes], VERSIONS) == ()
        took.append(time.perf_counter() - start)
    assert min(took) < 0.015


def _renamed(good: Node, copy: int) -> Node:
    return replace(good, address=replace(good.address, name=f"{good.address.name}-{copy}"))


class _HandMade(Schemas):
    """One type with every nesting, which no shipped provider has in a single type."""

    records: ClassVar[Records] = [
        {
            "labelled": ["map", 0, 0, 1],
            "once": ["one", 0, 1, 1],
            "pair": ["list", 2, 2, 1],
            "nested": ["single", "r", 1],
            "nested_list": ["list", "o", 1],
            "nested_map": ["map", "o", 1],
            "nested_out": ["set", "c", 1],
            "anything": "o any",
            "given_once": "ow string",
        },
        {"size": "r number", "again": ["single", 0, 1, 1]},
    ]

    def of(self, mode: Mode, type_name: str) -> TypeSchema:
        return TypeSchema("hand", "1.0.0", mode, type_name, block_schema(self.records))


VALID: Mapping[str, Value] = {"nested": {"size": 1}, "pair": [{"size": 1}, {"size": 2}]}
SELF = Address("resource", "hand_made", "x")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, []),
        ({"labelled": {"a": {"size": 1}, "b": {"size": 2}}}, []),
        ({"labelled": {"a": {}}}, ['labelled.a in hand_made needs "size", a number']),
        ({"labelled": {"a": 1}}, ["labelled.a is 1, but a block is a map of its arguments for each label"]),
        ({"once": {"size": 1, "again": {"size": 2, "again": {"sise": 1, "size": 3}}}},
         ['"sise" is not an argument of once.again.again in hand_made']),
        ({"once": [{"size": 1}, {"size": 2}]}, ["once stands 2 times, but at most 1 is taken"]),
        ({"pair": {"size": 1}}, ["pair stands 1 times, but at least 2 are needed"]),
        ({"pair": None}, ['hand_made needs at least 2 "pair" blocks']),
        ({"nested": None}, ['hand_made needs "nested", an object with size, again']),
        ({"nested": {}}, ['nested in hand_made needs "size", a number']),
        ({"nested": [1]}, ["nested is a list, but must be an object with size, again"]),
        ({"nested_list": [{"size": "x"}]}, ['nested_list[0].size is "x", but must be a number']),
        ({"nested_list": [1]}, ["nested_list[0] is 1, but must be a map of its arguments"]),
        ({"nested_list": [Ref(SELF, "sise")]},
         ['nested_list[0] refers to hand_made.x.sise: hand_made has no attribute "sise"']),
        ({"nested_map": {"a": {"size": 1}, "b": {}}}, ['nested_map.b in hand_made needs "size", a number']),
        ({"nested_map": ANYTHING}, []),
        ({"nested_out": []}, ["nested_out is set by the provider and cannot be given"]),
        ({"anything": {"a": [Ref(SELF, "anything.b[0]")]}}, []),
        ({"anything": [Ref(SELF, "once.size"), Ref(SELF, "once[0].size"), Ref(SELF, "labelled.a.size")]}, []),
        ({"anything": [Ref(SELF, "nested_out[*].size"), Ref(SELF, 'nested_map["a"].size')]}, []),
        ({"anything": float("nan")}, ["anything is nan, which no document can hold"]),
        ({"anything": [float("nan")]}, ["anything is nan, which no document can hold"]),
        ({"anything": Ref(SELF, "given_once")},
         ['anything refers to hand_made.x.given_once: "given_once" of hand_made is write-only, so it cannot be read']),
        ({"anything": Ref(SELF, "nested_out[0].size")},
         ["anything refers to hand_made.x.nested_out[0].size: nested_out is a set, which an index cannot follow"]),
    ],
)  # fmt: skip
def test_every_nesting_is_checked(arguments: Mapping[str, Value], said: list[str]) -> None:
    problems = check_node(node("hand_made", "x", {**VALID, **arguments}), _HandMade({}), {SELF})
    assert [problem.message for problem in problems] == said
