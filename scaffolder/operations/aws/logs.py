"""What steps print, from CloudWatch: step, job, streams, lines; each line with a cursor to go on after it.

May not know a pipeline.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from scaffolder.operations.aws.account import Account
from scaffolder.operations.errors import InvalidRequest, NotFound
from scaffolder.operations.values import LogLine

__all__ = ["GROUPS", "Position", "lines_after"]

GROUPS: Mapping[str, str] = {
    "TrainingJob": "/aws/sagemaker/TrainingJobs",
    "ProcessingJob": "/aws/sagemaker/ProcessingJobs",
    "TransformJob": "/aws/sagemaker/TransformJobs",
}


@dataclass(slots=True)
class Position:
    """How far each stream was read: the page (CloudWatch's token, empty for the first) and the lines of it."""

    read_so_far: dict[str, tuple[str, int]] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: str) -> Position:
        """Read a line's cursor; empty is the beginning.

        Raises:
            InvalidRequest: it is not one of ours.
        """
        if not cursor:
            return cls()
        try:
            told = json.loads(base64.urlsafe_b64decode(cursor.encode()))
            return cls({stream: (str(page), int(lines)) for stream, (page, lines) in told.items()})
        except (ValueError, TypeError, AttributeError) as error:
            raise InvalidRequest(f"{cursor!r} is not the cursor of a log line") from error

    def written(self) -> str:
        """Write it as a cursor."""
        told = json.dumps(self.read_so_far, sort_keys=True, separators=(",", ":"))
        return base64.urlsafe_b64encode(told.encode()).decode()


def lines_after(
    account: Account, jobs: Mapping[str, tuple[str, str]], position: Position
) -> Iterator[LogLine]:
    """Yield what is there after a position, job by job in the order given; ``jobs`` are kind and name, by step."""
    for step, (kind, job) in jobs.items():
        for stream in _streams(account, GROUPS[kind], job):
            yield from _lines(account, GROUPS[kind], stream, step, position)


def _streams(account: Account, group: str, job: str) -> list[str]:
    """The streams of a job: one for each of its machines."""
    request = {"logGroupName": group, "logStreamNamePrefix": f"{job}/"}
    found = account.each(
        "logs",
        "DescribeLogStreams",
        request,
        "logStreams",
        f"find the logs of {job}",
        token=("nextToken", "nextToken"),
    )
    try:
        return sorted(stream["logStreamName"] for stream in found)
    except NotFound:
        return []  # the group comes with the first job of its kind


def _lines(account: Account, group: str, stream: str, step: str, position: Position) -> Iterator[LogLine]:
    page, skipped = position.read_so_far.get(stream, ("", 0))
    while True:
        reply = account.ask("logs", "GetLogEvents", _page(group, stream, page), f"read the logs of {step}")
        events: list[Mapping[str, Any]] = reply["events"]
        for number, event in enumerate(events[skipped:], start=skipped + 1):
            position.read_so_far[stream] = (page, number)
            yield LogLine(
                time=datetime.fromtimestamp(event["timestamp"] / 1000, UTC),
                step=step,
                text=event["message"].rstrip("\n"),
                cursor=position.written(),
            )
        following = reply["nextForwardToken"]
        if following == page:
            return  # an empty page is not the end, a token that stays what it was is
        page, skipped = following, 0


def _page(group: str, stream: str, page: str) -> Mapping[str, Any]:
    start = {"nextToken": page} if page else {}
    return {"logGroupName": group, "logStreamName": stream, "startFromHead": True, **start}
