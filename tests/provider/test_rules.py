"""How the stand-in's data is read: answers of real providers become rules, documented ids become formats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from stacks.schema.load import schema_of
from tests.provider.answers import Answers, with_unknowns
from tests.provider.extract import rule_of, template
from tests.provider.rules import Refusals
from tests.provider.values import UNKNOWN

SEGMENTS = (
    'parsing "§probe§": parsing the Component ID: the number of segments didn\'t match\n\n'
    '* Segment 0 - this should be the literal value "subscriptions"\n'
    "* Segment 1 - this should be the UUID of the Azure Subscription\n"
    "* Segment 2 - this should be the name of the Resource Provider [for example 'Microsoft.Insights']\n"
    '* Segment 3 - this should be the literal value "components"\n'
    '* Segment 4 - this should be the user specified value for this component [for example "componentName"]\n'
)
ACCOUNT = schema_of("azurerm", "resource", "azurerm_storage_account", version="5.1.0").block
SOUND: Mapping[str, Any] = {"name": "a", "account_tier": "Standard", "account_replication_type": "LRS"}


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        ('expected K to be one of ["A" "B"], got §probe§', ["one_of", "A", "B"]),
        ("expected days to be one of [30 60], got -987654321", ["one_of", 30, 60]),
        ("expected K to be in the range (0 - 50), got -987654321", ["between", 0, 50]),
        ("expected K to be at least (1), got -987654321", ["between", 1, None]),
        ('"K" ("§probe§") doesn\'t match regexp "^[a-z]+\\\\d$"', ["pattern", "^[a-z]+\\d$"]),
        ('expected "K" to be a valid UUID, got §probe§', ["uuid"]),
        (SEGMENTS, ["id", "Component", "/subscriptions/*/Microsoft.Insights/components/*"]),
        ("expected length of K to be in the range (8 - 123), got §probe§", None),
        ('"K" may only contain dashes', None),
    ],
)
def test_an_answer_becomes_a_rule_or_none(answer: str, rule: list[Any] | None) -> None:
    assert rule_of(answer) == rule


@pytest.mark.parametrize(
    ("documented", "format_"),
    [
        ("projects/acme-ml-dev/regions/europe-west4/subnetworks/mock-name", "projects/{project}/regions/{region}/subnetworks/{name}"),
        ("mock-key-ring/cryptoKeys/mock-name", "{key_ring}/cryptoKeys/{name}"),
        ("/subscriptions/0/resourceGroups/group1", "/subscriptions/{subscription_id}/resourceGroups/{name}"),
        ("/subscriptions/0/resourceGroups/g/providers/M/accounts/{accountName}", "/subscriptions/{subscription_id}/resourceGroups/{resource_group_name}/providers/M/accounts/{name}"),
        ("/subscriptions/0/resourceGroups/g/providers/M/accounts/a/policies/default", "/subscriptions/{subscription_id}/resourceGroups/{resource_group_name}/providers/M/accounts/a/policies/default"),
    ],
)  # fmt: skip
def test_a_documented_id_becomes_a_format(documented: str, format_: str) -> None:
    assert template(documented) == format_


def refused(**arguments: object) -> list[str]:
    found = Refusals.of("azurerm").check("azurerm_storage_account", ACCOUNT, {**SOUND, **arguments})
    return [".".join(map(str, refusal.steps)) for refusal in found]


def test_what_is_sound_is_not_refused() -> None:
    assert refused() == []


def test_a_refusal_says_where() -> None:
    assert refused(account_tier="Gold") == ["account_tier"]
    assert refused(identity=[{"type": "UserAssignd", "identity_ids": []}]) == ["identity.0.type"]


def test_nothing_is_refused_inside_a_block_that_holds_something_unknown() -> None:
    assert refused(identity=[{"type": "UserAssignd", "identity_ids": [UNKNOWN]}]) == []


def test_what_is_known_stays_and_the_rest_is_answered_the_same_each_time() -> None:
    planned = with_unknowns(ACCOUNT, {**SOUND, "resource_group_name": "g", "primary_location": "here"})
    answers = [
        Answers("azurerm", {}).fill("resource", "azurerm_storage_account", ACCOUNT, planned) for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert answers[0]["primary_location"] == "here"
    assert answers[0]["id"].endswith("/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a")
    assert UNKNOWN not in answers[0].values()
