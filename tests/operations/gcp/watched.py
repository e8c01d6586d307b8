"""A world of Google Cloud with logged requests, and the drift code's job that looks at them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from stacks.gcp.watching import LOGGED, drift_log, looked_table
from tests.operations.fakes.gcp.bigquery import BigQuery
from tests.operations.fakes.gcp.project import Logging, Storage
from tests.operations.watching import NOON, Job, known, requests
from tests.operations.worlds.gcp import GcpWorld

__all__ = ["HOUR", "Watched"]

HOUR = timedelta(hours=1)
HOSTS = (
    "metadata.google.internal",
    "storage.googleapis.com",
    "bigquery.googleapis.com",
    "logging.googleapis.com",
)


class Watched:
    """A world with logged requests, and the job that looks at them."""

    def __init__(self, world: GcpWorld) -> None:
        self.world = world
        self.bucket, project = world.context.bucket("artifacts"), world.context.project
        self.table = (
            f"{project}.{world.context.name('dataset', LOGGED)}.{looked_table(world.context, 'churn')}"
        )
        self.job = Job(
            captured=f"bigquery:{self.table}",
            results=f"gs://{self.bucket}/monitoring/churn",
            baseline=f"gs://{self.bucket}/baselines/2026-11",
            publish=f"cloudlogging:{project}:{drift_log(world.context).rpartition('/')[2]}",
            more=["--cooldown-s=86400"],
            hosts=dict.fromkeys(HOSTS, world.servers.address),
        )
        world.cloud.part(Storage).put(self.bucket, "baselines/2026-11/drift-baseline.json", known())

    def hour(self, number: int, *, shift: float = 0.0) -> None:
        rows = self.world.cloud.part(BigQuery).tables.setdefault(self.table, [])
        for one in requests(NOON + number * HOUR, shift=shift):
            tenure, plan = one["captureData"]["endpointInput"]["data"].strip().split(",")
            rows.append(
                {
                    "request_id": one["eventMetadata"]["eventId"],
                    "logging_time": datetime.fromisoformat(one["eventMetadata"]["inferenceTime"]),
                    "request_payload": [f'{{"tenure": {tenure}, "plan": "{plan}"}}'],
                    "response_payload": [one["captureData"]["endpointOutput"]["data"].strip()],
                }
            )

    def after(self, number: int) -> datetime:
        return NOON + (number + 1) * HOUR + timedelta(minutes=10)

    def told(self, metric: str) -> list[Any]:
        """What the stack's alerts and workflows see of this monitor in its log."""
        log = drift_log(self.world.context)
        entries = self.world.cloud.part(Logging).entries
        return [it["jsonPayload"][metric] for it in entries if it["logName"] == log]
