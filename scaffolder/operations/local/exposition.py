"""What a server counted, in Prometheus' text format.

May not know how it was counted.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import accumulate

from scaffolder.operations.local.replicas import State

__all__ = ["CONTENT_TYPE", "Counts", "exposed"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Counts:
    """Requests by deployment and status, and how long they took."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, int], int] = {}
        self.took: dict[str, list[int]] = {}
        self.took_s: dict[str, float] = {}

    def add(self, deployment: str, status: int, took_s: float) -> None:
        self.requests[deployment, status] = self.requests.get((deployment, status), 0) + 1
        buckets = self.took.setdefault(deployment, [0] * (len(BOUNDS_S) + 1))
        buckets[bisect_left(BOUNDS_S, took_s)] += 1
        self.took_s[deployment] = self.took_s.get(deployment, 0.0) + took_s


def exposed(
    counts: Counts, pools: Mapping[str, tuple[State, int]], traffic: Mapping[str, int], dropped: int
) -> str:
    """Write what was counted, and how the deployments are now: their state and how many requests they have."""
    return "\n".join([*_of_requests(counts), *_of_pools(pools, traffic), *_of_capture(dropped), ""])


def _of_requests(counts: Counts) -> Iterator[str]:
    yield from _about("scaffolder_requests_total", "counter", "Answers by deployment and HTTP status.")
    for (deployment, status), number in sorted(counts.requests.items()):
        yield f'scaffolder_requests_total{{deployment="{deployment}",status="{status}"}} {number}'
    name = "scaffolder_request_seconds"
    yield from _about(name, "histogram", "Time from a request to its answer.")
    for deployment, buckets in sorted(counts.took.items()):
        for bound, number in zip((*BOUNDS_S, "+Inf"), accumulate(buckets), strict=True):
            yield f'{name}_bucket{{deployment="{deployment}",le="{bound}"}} {number}'
        yield f'{name}_sum{{deployment="{deployment}"}} {counts.took_s[deployment]:.6f}'
        yield f'{name}_count{{deployment="{deployment}"}} {sum(buckets)}'


def _of_pools(pools: Mapping[str, tuple[State, int]], traffic: Mapping[str, int]) -> Iterator[str]:
    by_name = sorted(pools.items())
    yield from _about("scaffolder_replicas", "gauge", "Processes that answer.")
    for deployment, (state, _) in by_name:
        yield f'scaffolder_replicas{{deployment="{deployment}"}} {len(state.pids)}'
    yield from _about("scaffolder_in_flight", "gauge", "Requests that have no answer yet.")
    for deployment, (_, asked) in by_name:
        yield f'scaffolder_in_flight{{deployment="{deployment}"}} {asked}'
    yield from _about("scaffolder_restarts_total", "counter", "Processes that died and were started again.")
    for deployment, (state, _) in by_name:
        yield f'scaffolder_restarts_total{{deployment="{deployment}"}} {state.restarts}'
    yield from _about("scaffolder_traffic_percent", "gauge", "The share of the traffic.")
    for deployment in sorted(pools):
        yield f'scaffolder_traffic_percent{{deployment="{deployment}"}} {traffic.get(deployment, 0)}'


def _of_capture(dropped: int) -> Iterator[str]:
    name = "scaffolder_capture_dropped_total"
    yield from _about(name, "counter", "Requests that should have been captured and were not.")
    yield f"{name} {dropped}"


def _about(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"
