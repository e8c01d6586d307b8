"""Topics and queues keep their messages encrypted, whatever is overridden."""

from __future__ import annotations

from typing import Any

import pytest

from scaffolder.pipeline import synthesize_loaded
from scaffolder.spec.load import parse_spec
from tests.strategies import spec_text

SPEC: dict[str, Any] = {
    "version": 1,
    "name": "churn",
    "owner": "growth-ml",
    "target": {"provider": "aws", "region": "eu-west-1", "account": "123456789012"},
    "models": {"churn": {}},
    "alerts": {"emails": ["a@example.com"]},
}


def warned(overrides: dict[str, Any]) -> list[str]:
    """The codes of what is warned of."""
    spec = spec_text({**SPEC, "overrides": overrides})
    return [warning.code for warning in synthesize_loaded(parse_spec(spec)).warnings]


@pytest.mark.parametrize(
    ("address", "code"),
    [("aws_sns_topic.alerts", "topic-encryption"), ("aws_sqs_queue.triggers", "queue-encryption")],
)
def test_taking_the_key_away_is_warned_of(address: str, code: str) -> None:
    assert warned({address: {"kms_master_key_id": None}}) == [code]


def test_other_overrides_and_the_key_of_the_service_are_not() -> None:
    own = {"kms_master_key_id": None, "sqs_managed_sse_enabled": True}
    assert warned({"aws_sns_topic.alerts": {"display_name": "x"}, "aws_sqs_queue.triggers": own}) == []
