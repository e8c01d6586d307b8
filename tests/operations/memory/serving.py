"""Endpoints and scoring jobs of the in-memory provider; a model is a threshold on the tenure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping

from scaffolder.operations.errors import AlreadyExists, Conflict, InvalidRequest, NotFound
from scaffolder.operations.values import (
    Answer,
    BatchJob,
    BatchRequest,
    Capability,
    Deployment,
    DeployRequest,
    EndpointState,
    EndpointStatus,
    RunState,
)
from stacks.intents import OnlineEndpoint
from tests.operations.memory.cloud import Endpoint, Job, Memories, named
from tests.operations.memory.registry import version_in
from tests.operations.memory.runs import NATIVE

__all__ = ["MemoryBatch", "MemoryServing"]

NAME = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]")
CHURNS_BELOW = 25


class MemoryServing:
    def __init__(self, memories: Memories) -> None:
        self._memories = memories

    def deploy(self, request: DeployRequest) -> str:
        with self._memories.open(Capability.REALTIME) as cloud:
            self._known(request.endpoint)
            if not NAME.fullmatch(request.deployment):
                raise InvalidRequest(f"a deployment cannot be named {request.deployment!r}: {NAME.pattern}")
            version_in(cloud, request.model, request.version)
            endpoint = cloud.endpoints.setdefault(request.endpoint, Endpoint())
            if request.deployment not in endpoint.deployments:
                endpoint.traffic[request.deployment] = 0 if endpoint.deployments else 100
                endpoint.deployments[request.deployment] = (request, self._memories.now())
            elif _wanted(endpoint.deployments[request.deployment][0]) != _wanted(request):
                raise AlreadyExists(f"the deployment {request.deployment!r} is there, and is another one")
        return f"endpoint-{request.endpoint}"

    def undeploy(self, endpoint: str, deployment: str) -> None:
        with self._memories.open(Capability.REALTIME) as cloud:
            self._known(endpoint)
            there = cloud.endpoints.get(endpoint, Endpoint())
            if there.traffic.get(deployment):
                raise InvalidRequest(
                    f"the deployment {deployment!r} takes {there.traffic[deployment]} % of the traffic",
                    remedy="Give the traffic to another one first.",
                )
            there.deployments.pop(deployment, None)
            there.traffic.pop(deployment, None)

    def set_traffic(self, endpoint: str, percent: Mapping[str, int]) -> None:
        with self._memories.open(Capability.REALTIME, Capability.TRAFFIC) as cloud:
            self._known(endpoint)
            if sum(percent.values()) != 100 or min(percent.values()) < 0:
                raise InvalidRequest(f"traffic is whole percents, 100 together, and not {dict(percent)}")
            there = cloud.endpoints.get(endpoint, Endpoint())
            for name in percent:
                _, made = named("deployment", name, there.deployments)
                if self._memories.steps_since(made) < 1:
                    raise Conflict(f"the deployment {name!r} is not in service yet")
            there.traffic = {name: percent.get(name, 0) for name in there.deployments}

    def describe(self, endpoint: str) -> EndpointStatus:
        with self._memories.open(Capability.REALTIME) as cloud:
            self._known(endpoint)
            return self._status(endpoint, cloud.endpoints.get(endpoint))

    def list(self) -> Iterator[EndpointStatus]:
        with self._memories.open(Capability.REALTIME) as cloud:
            found = [self._status(name, cloud.endpoints.get(name)) for name in self._endpoints()]
        yield from found

    def invoke(
        self, endpoint: str, body: bytes, *, content_type: str = "text/csv", deployment: str | None = None
    ) -> Answer:
        asked = (Capability.REALTIME, *([Capability.TARGETED_INVOKE] if deployment else []))
        with self._memories.open(*asked) as cloud:
            self._known(endpoint)
            there = cloud.endpoints.get(endpoint, Endpoint())
            if deployment:
                named("deployment", deployment, there.deployments)
            there.asked += 1
            served_by = deployment or _by_traffic(endpoint, there)
        rows = [*csv.DictReader(io.StringIO(body.decode()))]
        if not all("tenure" in row for row in rows):
            raise InvalidRequest(f"the deployment {served_by!r} answered with 400: there is no column tenure")
        answers = [int(float(row["tenure"]) < CHURNS_BELOW) for row in rows]
        return Answer(
            body="".join(f"{one}\n" for one in answers).encode(),
            content_type=content_type,
            served_by=served_by,
        )

    def _endpoints(self) -> dict[str, OnlineEndpoint]:
        found = self._memories.intents(OnlineEndpoint)
        return {name: one for name, one in found.items() if one.mode == "realtime"}

    def _known(self, endpoint: str) -> None:
        named("endpoint", endpoint, self._endpoints())

    def _status(self, name: str, there: Endpoint | None) -> EndpointStatus:
        deployments = []
        for made, (request, moment) in (there.deployments if there else {}).items():
            done = self._memories.steps_since(moment) >= 1
            state = EndpointState.IN_SERVICE if done else EndpointState.CREATING
            deployments.append(
                Deployment(
                    name=made,
                    model=request.model,
                    version=request.version,
                    traffic_percent=there.traffic[made] if there else 0,
                    state=state,
                    native_state="Awake" if done else "Waking",
                    instance=request.instance,
                    replicas=request.scaling.min_replicas,
                )
            )
        state = EndpointState.PLANNED if there is None else EndpointState.IN_SERVICE
        if any(one.state is EndpointState.CREATING for one in deployments):
            state = EndpointState.CREATING if len(deployments) == 1 else EndpointState.UPDATING
        return EndpointStatus(
            name=name,
            ref=f"endpoint-{name}",
            state=state,
            native_state=f"Memory{state.title().replace(' ', '')}",
            deployments=tuple(deployments),
        )


def _wanted(request: DeployRequest) -> tuple[object, ...]:
    """What makes two requests the same."""
    return request.model, request.version, request.instance, request.scaling, request.capture_percent


def _by_traffic(name: str, endpoint: Endpoint) -> str:
    """Choose by traffic: of a hundred requests, each deployment gets its percents."""
    place = (endpoint.asked * 37) % 100
    for deployment, percent in endpoint.traffic.items():
        if place < percent:
            return deployment
        place -= percent
    raise NotFound(f"nothing serves behind the endpoint {name!r}", remedy="Deploy a version.")


class MemoryBatch:
    def __init__(self, memories: Memories) -> None:
        self._memories = memories

    def submit(self, request: BatchRequest) -> str:
        with self._memories.open(Capability.BATCH) as cloud:
            named("endpoint", request.endpoint, self._memories.intents(OnlineEndpoint))
            version_in(cloud, request.model, request.version)

            def make() -> str:
                ref = f"job-{cloud.number():06d}"
                cloud.jobs[ref] = Job(request=request, created=self._memories.now())
                return ref

            return self._memories.once(cloud, "job", request.token, make)

    def describe(self, ref: str) -> BatchJob:
        with self._memories.open(Capability.BATCH) as cloud:
            return self._job(ref, named("job", ref, cloud.jobs))

    def list(self, endpoint: str) -> Iterator[BatchJob]:
        with self._memories.open(Capability.BATCH) as cloud:
            jobs = [self._job(ref, one) for ref, one in cloud.jobs.items()]
        yield from (job for job in reversed(jobs) if job.endpoint == endpoint)

    def cancel(self, ref: str) -> None:
        with self._memories.open(Capability.BATCH) as cloud:
            job = named("job", ref, cloud.jobs)
            if job.stopped is None and self._memories.steps_since(job.created) < 2:
                job.stopped = self._memories.now()

    def _job(self, ref: str, job: Job) -> BatchJob:
        gone = self._memories.steps_since(job.created)
        state = (RunState.QUEUED, RunState.RUNNING, RunState.SUCCEEDED)[min(gone, 2)]
        if job.stopped is not None:
            state = RunState.STOPPED if self._memories.steps_since(job.stopped) else RunState.STOPPING
        ended = job.stopped or (self._memories.now() if state is RunState.SUCCEEDED else None)
        return BatchJob(
            ref=ref,
            endpoint=job.request.endpoint,
            state=state,
            native_state=NATIVE[state],
            created=job.created,
            ended=ended if state in {RunState.SUCCEEDED, RunState.STOPPED} else None,
            output_uri=job.request.output_uri,
        )
