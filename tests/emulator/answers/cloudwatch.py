"""CloudWatch: composite alarms, which moto 5.2.5 can tell and delete, but not make."""

from __future__ import annotations

import re
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from tests.emulator.call import Call, Refusal, Result, Service

__all__ = ["service"]

_NAMED_IN_RULE = re.compile(
    r"\b(?:ALARM|OK|INSUFFICIENT_DATA)\(\s*(?:\"([^\"]+)\"|'([^']+)'|([^\s\"')]+))\s*\)"
)

_SUPPRESSOR = {
    "ActionsSuppressor": "actions_suppressor",
    "ActionsSuppressorWaitPeriod": "actions_suppressor_wait_period",
    "ActionsSuppressorExtensionPeriod": "actions_suppressor_extension_period",
}

_OF_METRICS_ONLY = (
    "namespace",
    "metric_name",
    "comparison_operator",
    "evaluation_periods",
    "period",
    "threshold",
    "statistic",
)


def service() -> Service:
    """CloudWatch; the alarms are moto's."""
    return Service(name="cloudwatch", answers={"PutCompositeAlarm": _put_composite_alarm})


def _put_composite_alarm(call: Call) -> Result:
    backend: Any = cloudwatch_backends[call.account][call.region]
    unknown = sorted(_names_in(call.text("AlarmRule")) - set(backend.alarms))
    if unknown:
        message = f"Could not save the composite alarm as alarms {unknown} in the alarm rule do not exist"
        raise Refusal("ValidationError", message)
    before = backend.alarms.get(call.text("AlarmName"))
    alarm = backend.put_metric_alarm(
        name=call.text("AlarmName"),
        rule=call.text("AlarmRule"),
        description=call.parameters.get("AlarmDescription"),
        actions_enabled=call.parameters.get("ActionsEnabled") is not False,
        alarm_actions=call.listed("AlarmActions"),
        ok_actions=call.listed("OKActions"),
        insufficient_data_actions=call.listed("InsufficientDataActions"),
        tags=None if before else call.listed("Tags"),
        dimensions=[],
        **dict.fromkeys(_OF_METRICS_ONLY),
    )
    for member, attribute in _SUPPRESSOR.items():
        vars(alarm)[attribute] = call.parameters.get(member)
    return {}


def _names_in(rule: str) -> set[str]:
    """The alarms that a rule names; by its ARN, an alarm's name is what comes last."""
    return {next(filter(None, found)).rpartition(":alarm:")[2] for found in _NAMED_IN_RULE.findall(rule)}
