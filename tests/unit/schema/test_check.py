from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from stacks.graph import Address, ProviderBlock, RemoteRef, Text, Value
from stacks.schema.check import Path, Problem, check_node, check_nodes, check_provider
from stacks.schema.load import Schemas
from tests.unit.schema.defects import DEFECTS, GOOD, VERSIONS, VPC, node, ref

ANYTHING = RemoteRef("network", "anything")


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_found_and_nothing_else_is(name: str) -> None:
    defect = DEFECTS[name]
    problems = check_nodes([*GOOD, defect.node], VERSIONS)
    said = [(problem.address, problem.code, problem.message, problem.hint) for problem in problems]
    assert said == [(defect.node.address, defect.code, defect.message, defect.hint)]


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
