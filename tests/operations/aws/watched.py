"""A world of AWS with captured requests, and the drift code's job that looks at them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.cloudwatch.models import cloudwatch_backends

from tests.operations.watching import NOON, Job, known, requests
from tests.operations.worlds.aws import AwsWorld

__all__ = ["HOUR", "Watched"]

HOUR = timedelta(hours=1)
NAMESPACE = "acme-dev/drift"


class Watched:
    """A world with captures, and the job that looks at them."""

    def __init__(self, world: AwsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        data, artifacts = (world.context.bucket(name) for name in ("data", "artifacts"))
        self.data = data
        region = world.context.region
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
        self.job = Job(
            captured=f"sagemaker:s3://{data}/capture/churn",
            results=f"s3://{artifacts}/monitoring/churn",
            baseline=f"s3://{artifacts}/baselines/2026-11",
            publish=f"cloudwatch:{region}:{NAMESPACE}",
            more=["--cooldown-s=86400"],
        )
        world.cloud.write(f"s3://{artifacts}/baselines/2026-11/drift-baseline.json", known())

    def hour(self, number: int, *, shift: float = 0.0) -> None:
        begin = NOON + number * HOUR
        text = "\n".join(json.dumps(one) for one in requests(begin, shift=shift))
        place = f"s3://{self.data}/capture/churn/acme-dev-churn/AllTraffic/{begin:%Y/%m/%d/%H}"
        self.world.cloud.write(f"{place}/00-00-000-0a1b.jsonl", text.encode())

    def after(self, number: int) -> datetime:
        return NOON + (number + 1) * HOUR + timedelta(minutes=10)

    def maximum(self, metric: str, at: datetime) -> float | None:
        """What the stack's alarm looks at: an hour's maximum by the monitor's name."""
        place = self.world.cloud.place
        kept: Any = cloudwatch_backends[place.account][place.region].metric_data
        values = [
            float(one.value)
            for one in kept
            if (one.namespace, one.name) == (NAMESPACE, metric)
            and [(it.name, it.value) for it in one.dimensions] == [("Monitor", "churn")]
            and abs(one.timestamp.replace(tzinfo=UTC) - at) < HOUR / 2
        ]
        return max(values, default=None)
