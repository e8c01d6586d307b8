"""What is read back of a graph: accounts with their trust, people, and who is let in where."""

from __future__ import annotations

from typing import Any

from stacks.access import Access
from stacks.gcp.granted import access_of
from tests.unit.stacks_gcp.asked import asked


def access(**more: Any) -> Access:
    found = asked(**more)
    return access_of([linked.stack for linked in found.stacks], found.platform)


def test_an_account_is_read_with_who_acts_as_it_and_what_it_may_do() -> None:
    roles = {role.key: role for role in access().roles}
    training = roles["training"]
    assert training.name == "churn-dev-training"
    assert [grant.principals[0].full for grant in training.trust] == ["<account pipelines>"]
    custom = next(grant for grant in training.grants if grant.policy == "role training")
    assert "aiplatform.executions.create" in custom.actions
    assert {grant.resources[0].full for grant in training.grants} >= {"<bucket data>", "acme-ml-dev"}


def test_people_are_read_with_their_principals() -> None:
    roles = {
        role.key: role for role in access(identity={"groups": {"viewers": ["group:all@example.com"]}}).roles
    }
    (trust,) = roles["viewers"].trust
    assert [principal.full for principal in trust.principals] == ["group:all@example.com"]
    assert {grant.actions for grant in roles["viewers"].grants} >= {("roles/aiplatform.viewer",)}


def test_a_bucket_is_read_with_everybody_whom_it_lets_in() -> None:
    guarded = {each.what: each for each in access().guarded}
    assert "group:cloud-storage-analytics@google.com" in {
        grant.principals[0].full for grant in guarded["bucket logs"].grants
    }
    writes = [
        grant for grant in guarded["bucket data"].grants if grant.actions == ("roles/storage.objectUser",)
    ]
    assert all(grant.conditions for grant in writes)
    assert "key data" in guarded


def test_who_is_in_two_groups_is_read_with_what_both_give() -> None:
    both = {"groups": {group: ["group:ml@example.com"] for group in ("admins", "viewers")}}
    roles = {role.key: role for role in access(identity=both).roles}
    actions = {action for grant in roles["viewers"].grants for action in grant.actions}
    assert {"roles/aiplatform.viewer", "aiplatform.endpoints.deploy"} <= actions
