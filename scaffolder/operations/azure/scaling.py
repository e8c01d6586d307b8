"""Autoscaling of a deployment: a setting of Azure Monitor that adds and takes machines by a metric.

Azure has no target to track: two rules stand around it, far enough apart not to chase each other. May not make a deployment.
"""

from __future__ import annotations

from scaffolder.operations.azure.calls import Calls, Document
from scaffolder.operations.azure.place import Place
from scaffolder.operations.values import DeployRequest
from stacks.azure.names import fitted
from stacks.record import record

__all__ = ["Setting", "autoscale_setting", "remove_autoscale"]

API = "2022-10-01"
"""The version of Microsoft.Insights/autoscaleSettings (azure-mgmt-monitor 7, November 2026)."""

DOWN_AT = 0.6
"""Machines go where the metric is below this part of the target: half of them may then go without passing it."""


@record
class Setting:
    """A setting, where it is, and the version of its service."""

    path: str
    body: Document
    api: str = API


def _path(place: Place, endpoint: str, deployment: str) -> str:
    name = fitted("alert", f"{place.context.prefix}-{endpoint}-{deployment}")
    return f"{place.group}/providers/Microsoft.Insights/autoscaleSettings/{name}"


def autoscale_setting(place: Place, request: DeployRequest, deployment_id: str) -> Setting:
    """Make the setting of a deployment."""
    scaling = request.scaling
    path = _path(place, request.endpoint, request.deployment)
    profile: Document = {
        "name": "load",
        "capacity": {
            "minimum": str(scaling.min_replicas),
            "maximum": str(scaling.max_replicas),
            "default": str(scaling.min_replicas),
        },
        "rules": [
            _rule(place, request, deployment_id, "GreaterThan", float(scaling.target), "Increase"),
            _rule(place, request, deployment_id, "LessThan", scaling.target * DOWN_AT, "Decrease"),
        ],
    }
    body: Document = {
        "location": place.context.region,
        "tags": dict(place.context.tags),
        "properties": {
            "name": path.rpartition("/")[2],
            "enabled": True,
            "targetResourceUri": deployment_id,
            "profiles": [profile],
        },
    }
    return Setting(path=path, body=body)


def _rule(
    place: Place, request: DeployRequest, deployment_id: str, operator: str, threshold: float, direction: str
) -> Document:
    trigger: Document = {
        "metricName": "CpuUtilizationPercentage",
        "metricResourceUri": deployment_id,
        "timeGrain": "PT1M",
        "statistic": "Average",
        "timeWindow": "PT5M",
        "timeAggregation": "Average",
        "operator": operator,
        "threshold": threshold,
    }
    if request.scaling.metric == "requests_per_replica_per_minute":
        # Requests are the endpoint's metric, with the deployment as a dimension.
        trigger |= {
            "metricName": "RequestsPerMinute",
            "metricResourceUri": place.endpoint_id(request.endpoint),
            "dividePerInstance": True,
            "dimensions": [
                {"DimensionName": "deployment", "Operator": "Equals", "Values": [request.deployment]}
            ],
        }
    action: Document = {"direction": direction, "type": "ChangeCount", "value": "1", "cooldown": "PT5M"}
    return {"metricTrigger": trigger, "scaleAction": action}


def remove_autoscale(calls: Calls, place: Place, endpoint: str, deployment: str) -> None:
    """Let a deployment's setting go, if it has one."""
    calls.delete(_path(place, endpoint, deployment), f"stop scaling {deployment}", api=API)
