"""Publishing what a window found where a cloud's alarms look. May not decide what is published.

A retraining is asked for at most once: a call that asks for one is not made again after its answer was lost, where
twice would start two.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from .places import aws_client, aws_said
from .wire import AGAIN, Around, azure_tokens, google_tokens

__all__ = ["ALARM", "RETRAIN", "SCORE", "Figures", "Publisher", "publisher_of"]

SCORE, ALARM, RETRAIN = "drift_score", "drift_alarm", "drift_retrain"
DIMENSION = "Monitor"
AZURE_NAMESPACE = "Drift"
JSON = "application/json"


@dataclass(frozen=True)
class Figures:
    """What is published of a monitor's windows; ``window`` is the start of the last one."""

    monitor: str
    window: str
    score: float
    alarm: int
    retrain: int

    def metrics(self) -> dict[str, float]:
        """The figures by their names."""
        return {SCORE: self.score, ALARM: float(self.alarm), RETRAIN: float(self.retrain)}


Publisher = Callable[[Figures, Around], None]


def publisher_of(text: str) -> Publisher:
    """Read ``WAY:…``: ``cloudwatch:REGION:NAMESPACE``, ``cloudlogging:PROJECT:LOG``, ``azuremonitor:REGION:RESOURCE`` or
    ``stdout``, where the job's own line says it all.

    Raises:
        ValueError: it is none of these.
    """
    way, _, rest = text.partition(":")
    first, _, second = rest.partition(":")
    match way:
        case "stdout" if not rest:
            return lambda _figures, _around: None
        case "cloudwatch" if second:
            return _to_cloudwatch(first, second)
        case "cloudlogging" if second:
            return _to_cloud_logging(first, second)
        case "azuremonitor" if second:
            return _to_azure_monitor(first, second)
        case _:
            raise ValueError(f"{text} names no way to publish")


def _to_cloudwatch(region: str, namespace: str) -> Publisher:
    """Figures of CloudWatch; the alarms on them look at an hour's maximum, so that twice is as good as once."""

    def publish(figures: Figures, around: Around) -> None:
        data = [
            {
                "MetricName": name,
                "Dimensions": [{"Name": DIMENSION, "Value": figures.monitor}],
                "Timestamp": around.now(),
                "Value": value,
                "Unit": "None",
            }
            for name, value in figures.metrics().items()
        ]
        client = aws_client("cloudwatch", region)
        try:
            client.put_metric_data(Namespace=namespace, MetricData=data)
        except Exception as error:  # noqa: BLE001 - of botocore, whose classes only the image has
            raise aws_said(error, f"publish to CloudWatch's namespace {namespace}") from None

    return publish


def _to_cloud_logging(project: str, log: str) -> Publisher:
    """An entry of Cloud Logging: twice, and a workflow would start twice."""

    def publish(figures: Figures, around: Around) -> None:
        moment = around.now()
        entry = {
            "logName": f"projects/{project}/logs/{log}",
            "resource": {"type": "global", "labels": {"project_id": project}},
            "severity": "WARNING" if figures.alarm else "INFO",
            "timestamp": _written(moment),
            "insertId": f"{figures.monitor}-{moment:%Y%m%dT%H%M%S%f}",
            "jsonPayload": {
                "monitor": figures.monitor,
                "window": figures.window,
                SCORE: figures.score,
                ALARM: figures.alarm,
                RETRAIN: figures.retrain,
            },
        }
        around.ask(
            "POST",
            "https://logging.googleapis.com/v2/entries:write",
            f"write to the log {log}",
            headers={**google_tokens(around).headers(), "Content-Type": JSON},
            body=json.dumps({"entries": [entry]}).encode(),
            again=AGAIN if not figures.retrain else (429,),
            surely=not figures.retrain,
        )

    return publish


def _to_azure_monitor(region: str, resource: str) -> Publisher:
    """Custom metrics of a resource of Azure's (Azure Monitor, REST API of custom metrics, 2026-11)."""

    def publish(figures: Figures, around: Around) -> None:
        url = f"https://{region}.monitoring.azure.com/{resource.strip('/')}/metrics"
        headers = {**azure_tokens(around, "https://monitoring.azure.com/").headers(), "Content-Type": JSON}
        for name, value in figures.metrics().items():
            series = {"dimValues": [figures.monitor], "min": value, "max": value, "sum": value, "count": 1}
            data = {"metric": name, "namespace": AZURE_NAMESPACE, "dimNames": [DIMENSION], "series": [series]}
            written = {"time": _written(around.now()), "data": {"baseData": data}}
            body = json.dumps(written).encode()
            around.ask("POST", url, f"publish {name} to Azure Monitor", headers=headers, body=body)

    return publish


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
