"""What operations made on Vertex AI, and what keeps Terraform from destroying the rest, in the order in which it goes.

Runs and jobs that are still going are stopped, monitors and deployments taken off endpoints, models deleted with their
versions. May not delete what a stack made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from scaffolder.operations.errors import InvalidRequest, NotFound
from scaffolder.operations.gcp.batch import GcpBatch
from scaffolder.operations.gcp.calls import Calls
from scaffolder.operations.gcp.deployments import MAKING
from scaffolder.operations.gcp.runs import GcpRuns
from scaffolder.operations.values import FINISHED, Removable, RunState
from stacks.intents import ModelRegistry, OnlineEndpoint

__all__ = ["GcpTeardown"]

RUN, JOB, MONITOR, DEPLOYMENT, MODEL = "run", "batch job", "monitor", "deployment", "model"


class GcpTeardown:
    """The removal of what operations made on Vertex AI."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._place = calls.place
        self._runs = GcpRuns(calls)
        self._batch = GcpBatch(calls)

    def inventory(self) -> Iterator[Removable]:
        """Yield what there is: what goes on, what is deployed, what is registered."""
        yield from self._going()
        for endpoint in self._endpoints("realtime"):
            yield from self._behind(endpoint)
        for model in self._place.context.all_of(ModelRegistry):
            name = self._place.model_name(model.name)
            if self._there("model_service", "get_model", name) is not None:
                yield Removable(
                    kind=MODEL, name=model.name, ref=name, holds_data=True, detail="with all of its versions"
                )

    def _endpoints(self, mode: str) -> Iterator[OnlineEndpoint]:
        return (it for it in self._place.context.all_of(OnlineEndpoint) if it.mode == mode)

    def _going(self) -> Iterator[Removable]:
        for run in self._runs.list():
            if run.state not in FINISHED:
                yield Removable(kind=RUN, name=run.pipeline, ref=run.ref, detail=run.native_state)
        for endpoint in self._endpoints("batch"):
            for job in self._batch.list(endpoint.name):
                if job.state not in FINISHED:
                    yield Removable(kind=JOB, name=endpoint.name, ref=job.ref, detail=job.native_state)

    def _behind(self, endpoint: OnlineEndpoint) -> Iterator[Removable]:
        shell = self._shell(self._place.endpoint_name(endpoint.name))
        if shell is None:
            return
        if shell.model_deployment_monitoring_job:
            ref = self._place.named(shell.model_deployment_monitoring_job)
            yield Removable(kind=MONITOR, name=endpoint.name, ref=ref)
        for deployed in shell.deployed_models:
            ref = f"{self._place.named(shell.name)}/deployedModels/{deployed.id}"
            share = dict(shell.traffic_split).get(deployed.id, 0)
            detail = f"takes {share} % of the traffic" if share else ""
            yield Removable(
                kind=DEPLOYMENT, name=f"{endpoint.name}/{deployed.display_name}", ref=ref, detail=detail
            )

    def _shell(self, name: str) -> Any:
        return self._there("endpoint_service", "get_endpoint", name)

    def _there(self, service: str, method: str, name: str) -> Any:
        try:
            return self._calls.vertex(service, method, {"name": name}, f"look at {name}")
        except NotFound:
            return None

    # --- removing ---

    def remove(self, item: Removable) -> None:
        """Begin to remove one; what is gone, or is going, stays as it is."""
        try:
            self._calls.again(lambda: self._removed(item))
        except NotFound:
            return

    def _removed(self, item: Removable) -> None:
        doing = f"remove {item.kind} {item.name}"
        match item.kind:
            case "run":
                self._runs.cancel(item.ref)
            case "batch job":
                self._batch.cancel(item.ref)
            case "monitor":
                request = {"name": item.ref}
                self._calls.vertex(
                    "job_service", "delete_model_deployment_monitoring_job", request, doing, repeat=False
                )
            case "deployment":
                self._undeploy(item, doing)
            case "model":
                self._calls.vertex("model_service", "delete_model", {"name": item.ref}, doing, repeat=False)
            case _:
                raise InvalidRequest(f"{item.kind} is nothing that this provider removes")

    def _undeploy(self, item: Removable, doing: str) -> None:
        """Take the traffic off first: what is left is given it in proportion, and the last one's is no one's."""
        endpoint, _, ident = item.ref.partition("/deployedModels/")
        shell = self._shell(endpoint)
        if shell is None or ident not in {it.id for it in shell.deployed_models}:
            return
        split = {key: share for key, share in dict(shell.traffic_split).items() if share}
        labels = {key: it for key, it in dict(shell.labels).items() if not key.startswith(MAKING)}
        if ident in split or labels != dict(shell.labels):
            body = {
                "name": endpoint,
                "etag": shell.etag,
                "traffic_split": _without(split, ident),
                "labels": labels,
            }
            mask = {"paths": ["traffic_split", "labels"]}
            request: dict[str, Any] = {"endpoint": body, "update_mask": mask}
            self._calls.vertex("endpoint_service", "update_endpoint", request, doing)
        request = {"endpoint": endpoint, "deployed_model_id": ident}
        self._calls.vertex("endpoint_service", "undeploy_model", request, doing, repeat=False)

    def is_gone(self, item: Removable) -> bool:
        """Look whether one is gone; a run or a job is once it has ended."""
        match item.kind:
            case "run":
                return self._ended(lambda: self._runs.describe(item.ref).state)
            case "batch job":
                return self._ended(lambda: self._batch.describe(item.ref).state)
            case "monitor":
                return self._there("job_service", "get_model_deployment_monitoring_job", item.ref) is None
            case "deployment":
                endpoint, _, ident = item.ref.partition("/deployedModels/")
                shell = self._shell(endpoint)
                return shell is None or ident not in {it.id for it in shell.deployed_models}
            case _:
                return self._there("model_service", "get_model", item.ref) is None

    def _ended(self, look: Callable[[], RunState]) -> bool:
        try:
            return look() in FINISHED
        except NotFound:
            return True


def _without(split: dict[str, int], ident: str) -> dict[str, int]:
    """The traffic of the others, so that it is 100 together again; nothing when there are none."""
    others = {key: share for key, share in split.items() if key != ident}
    if ident not in split or not others:
        return others
    whole = sum(others.values())
    shares = {key: share * 100 // whole for key, share in others.items()}
    first = next(iter(shares))
    return {**shares, first: shares[first] + 100 - sum(shares.values())}
