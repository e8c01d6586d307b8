from __future__ import annotations

import pytest

from stacks.emit.expressions import Json
from stacks.emit.merge import MergeConflictError, merged
from stacks.emit.terraform_json import document
from tests.graphs import foundation

OURS = document(foundation()[-1])


def ours(**sections: Json) -> dict[str, Json]:
    return {"//": {"metadata": {"stackName": "s"}}, **sections}


def test_nothing_of_the_users_leaves_the_document_as_it_is() -> None:
    assert merged(OURS, {}) == OURS


def test_a_document_joined_with_itself_is_itself() -> None:
    assert merged(OURS, OURS) == OURS


def test_resources_of_one_type_stand_beside_each_other() -> None:
    one: Json = {"aws_x": {"a": {"n": 1}}, "aws_y": {"a": {}}}
    other: Json = {"aws_x": {"b": {"n": 2}}, "aws_z": {"a": {}}}
    assert merged(ours(resource=one), {"resource": other})["resource"] == {
        "aws_x": {"a": {"n": 1}, "b": {"n": 2}},
        "aws_y": {"a": {}},
        "aws_z": {"a": {}},
    }


def test_a_section_that_only_the_user_has_is_kept() -> None:
    theirs: dict[str, Json] = {
        "variable": {"v": {}},
        "moved": [{"from": "a", "to": "b"}],
        "terraform": {"experiments": ["x"]},
    }
    joined = merged(ours(terraform={"required_version": ">= 1"}, moved=[{"from": "c", "to": "d"}]), theirs)
    assert joined["variable"] == {"v": {}}
    assert joined["moved"] == [{"from": "c", "to": "d"}, {"from": "a", "to": "b"}]
    assert joined["terraform"] == {"experiments": ["x"], "required_version": ">= 1", "required_providers": {}}


@pytest.mark.parametrize(
    "source", ["aws", "hashicorp/aws", "registry.terraform.io/hashicorp/aws", "HashiCorp/AWS"]
)
def test_a_provider_is_the_same_however_its_source_is_written(source: str) -> None:
    mine: Json = {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "1"}}}
    theirs: Json = {
        "required_providers": {"aws": {"source": source, "version": "2"}, "tls": {"source": "tls"}}
    }
    assert merged(ours(terraform=mine), {"terraform": theirs})["terraform"] == {
        "required_providers": {"aws": {"source": "hashicorp/aws", "version": "1"}, "tls": {"source": "tls"}}
    }


def test_two_of_the_users_configurations_with_one_alias_each_are_kept() -> None:
    theirs: Json = {"aws": [{"alias": "a"}, {"alias": "b"}], "tls": [{}]}
    assert merged(ours(provider={"aws": [{"region": "x"}]}), {"provider": theirs})["provider"] == {
        "aws": [{"region": "x"}, {"alias": "a"}, {"alias": "b"}],
        "tls": [{}],
    }


def test_terraform_cloud_is_a_backend_of_its_own() -> None:
    with pytest.raises(MergeConflictError, match=r"stack s has a backend of its own \(cloud\)"):
        merged(ours(terraform={"backend": {"s3": {}}}), {"terraform": {"cloud": {"organization": "x"}}})


@pytest.mark.parametrize(
    ("section", "mine", "theirs", "path"),
    [
        ("resource", {"aws_x": {"a": {"n": 1}}}, {"aws_x": {"a": {"n": 2}}}, "resource.aws_x.a"),
        ("data", {"aws_x": {"a": {"n": 1}}}, {"aws_x": {"a": {"n": 2, "m": 1}}}, "data.aws_x.a"),
        ("output", {"a": {"value": 1}}, {"a": {"value": 2}}, "output.a"),
    ],
)
def test_one_address_with_two_meanings_is_a_conflict(
    section: str, mine: Json, theirs: Json, path: str
) -> None:
    with pytest.raises(MergeConflictError, match=f"stack s has {path} twice"):
        merged(ours(**{section: mine}), {section: theirs})
