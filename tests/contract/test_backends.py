"""A backend of the user's own is the same on every cloud: it is no target's business."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clouds import cloud
from tests.contract.platforms import PROVIDERS, synthesized
from tests.contract.rich import changed, rich_spec

OWN: dict[str, dict[str, Any]] = {
    "s3": {"bucket": "acme-state", "region": "eu-west-1", "key": "teams/ml"},
    "gcs": {"bucket": "acme-state", "prefix": "teams/ml"},
    "azurerm": {
        "resource_group_name": "acme",
        "storage_account_name": "acmestate",
        "container_name": "state",
        "key": "teams/ml",
    },
}
SAFE = {
    "s3": {"encrypt": True, "use_lockfile": True},
    "gcs": {},
    "azurerm": {"use_azuread_auth": True},
}
PLACES = {"s3": "key", "gcs": "prefix", "azurerm": "key"}


def backends(provider: str, state: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each stack's backend, by its concern."""
    synthesis = synthesized(changed(rich_spec(cloud(provider)), {"state": state}))
    stacks = [linked.stack for linked in synthesis.stacks]
    assert {stack.backend.kind for stack in stacks} == {state["backend"]}
    return {stack.concern: {**stack.backend.config} for stack in stacks}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("kind", OWN)
def test_the_users_own_backend_is_safe_and_has_a_place_for_each_stack(kind: str, provider: str) -> None:
    found = backends(provider, {"backend": kind, "settings": OWN[kind]})
    place = PLACES[kind]
    for concern, config in found.items():
        ending = "" if kind == "gcs" else ".tfstate"
        assert config == {**SAFE[kind], **OWN[kind], place: f"teams/ml/churn/dev/{concern}{ending}"}
    assert "state" not in found


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_the_user_sets_is_left_alone(provider: str) -> None:
    settings = {**OWN["s3"], "use_lockfile": False, "dynamodb_table": "locks"}
    for config in backends(provider, {"backend": "s3", "settings": settings}).values():
        assert (config["use_lockfile"], config["dynamodb_table"]) == (False, "locks")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_files_beside_the_project_need_no_settings(provider: str) -> None:
    assert all(config == {} for config in backends(provider, {"backend": "local"}).values())
