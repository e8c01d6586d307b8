"""Batch predictions of Vertex AI: the same job as the stack *ml* writes for a schedule, with a version of one's choice.

May not deploy a model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scaffolder.operations.errors import Conflict, InvalidRequest
from scaffolder.operations.gcp import storage
from scaffolder.operations.gcp.calls import Calls
from scaffolder.operations.gcp.deployments import machine_spec
from scaffolder.operations.gcp.place import digest_of
from scaffolder.operations.gcp.registry import GcpRegistry
from scaffolder.operations.values import FINISHED, BatchJob, BatchRequest, RunState

__all__ = ["GcpBatch"]

SERVICE = "job_service"
ROLE = "serving"
TOKEN = "token"  # noqa: S105 - a label's key
STATES: Mapping[str, RunState] = {
    "JOB_STATE_QUEUED": RunState.QUEUED,
    "JOB_STATE_PENDING": RunState.QUEUED,
    "JOB_STATE_PAUSED": RunState.QUEUED,
    "JOB_STATE_RUNNING": RunState.RUNNING,
    "JOB_STATE_UPDATING": RunState.RUNNING,
    "JOB_STATE_CANCELLING": RunState.STOPPING,
    "JOB_STATE_SUCCEEDED": RunState.SUCCEEDED,
    "JOB_STATE_PARTIALLY_SUCCEEDED": RunState.SUCCEEDED,
    "JOB_STATE_FAILED": RunState.FAILED,
    "JOB_STATE_EXPIRED": RunState.FAILED,
    "JOB_STATE_CANCELLED": RunState.STOPPED,
}


class GcpBatch:
    """Batch scoring on Vertex AI."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._place = calls.place
        self._registry = GcpRegistry(calls)

    def submit(self, request: BatchRequest) -> str:
        """Start a job. Vertex AI takes no id for one: its label is looked for first."""
        self._place.endpoint(request.endpoint, "batch")
        return self._calls.again(lambda: self._submitted(request))

    def _submitted(self, request: BatchRequest) -> str:
        mark = digest_of(request.endpoint, request.token)
        for job in self._jobs(f'labels.{TOKEN}="{mark}"'):
            if dict(job.labels).get(TOKEN) == mark:
                return self._place.named(job.name)
        self._registry.get(request.model, request.version)
        asked = {"parent": self._place.parent, "batch_prediction_job": self._job(request, mark)}
        doing = f"score with endpoint {request.endpoint}"
        made = self._calls.vertex(SERVICE, "create_batch_prediction_job", asked, doing, repeat=False)
        return self._place.named(made.name)

    def _job(self, request: BatchRequest, mark: str) -> dict[str, Any]:
        source, target = self._place.uri(request.input_uri), self._place.uri(request.output_uri)
        key = self._place.around.keys.data
        job: dict[str, Any] = {
            "display_name": self._place.context.name("display", request.endpoint, "batch"),
            "model": f"{self._place.model_name(request.model)}@{request.version}",
            "input_config": {
                "instances_format": self._format(source),
                "gcs_source": {"uris": [f"{source}/*"]},
            },
            "output_config": {
                "predictions_format": "jsonl",
                "gcs_destination": {"output_uri_prefix": target},
            },
            "dedicated_resources": {
                "machine_spec": machine_spec(request.instance, self._place.context.region),
                "starting_replica_count": request.replicas,
                "max_replica_count": request.replicas,
            },
            "service_account": self._place.email(ROLE),
            "labels": {"endpoint": request.endpoint, TOKEN: mark},
        }
        if key is not None:
            job["encryption_spec"] = {"kms_key_name": key}
        return job

    def _format(self, source: str) -> str:
        """The format of what is below an address: CSV where all files say so, else a JSON record a line."""
        home, path = storage.divided(source)
        files = [
            it.name for it in storage.objects(self._calls, home, f"{path}/") if not it.name.endswith("/")
        ]
        return "csv" if files and all(name.endswith(".csv") for name in files) else "jsonl"

    def describe(self, ref: str) -> BatchJob:
        """Look at a job."""
        return self._of(self._get(ref))

    def _get(self, ref: str) -> Any:
        if "/batchPredictionJobs/" not in ref:
            raise InvalidRequest(
                f"{ref!r} is no batch prediction", remedy="Its ref is projects/…/batchPredictionJobs/…."
            )
        return self._calls.vertex(SERVICE, "get_batch_prediction_job", {"name": ref}, f"look at job {ref}")

    def list(self, endpoint: str) -> Iterator[BatchJob]:
        """Yield an endpoint's jobs, those of its schedule too; Vertex AI promises no order, so they are sorted here."""
        self._place.endpoint(endpoint)
        found = [
            self._of(job)
            for job in self._jobs(f'labels.endpoint="{endpoint}"')
            if dict(job.labels).get("endpoint") == endpoint and self._is_ours(job)
        ]
        yield from sorted(found, key=lambda job: job.created, reverse=True)

    def _is_ours(self, job: Any) -> bool:
        return str(job.service_account) == self._place.email(ROLE)

    def _jobs(self, filter_: str) -> Iterator[Any]:
        asked = {"parent": self._place.parent, "filter": filter_}
        return self._calls.every(SERVICE, "list_batch_prediction_jobs", asked, "list batch predictions")

    def cancel(self, ref: str) -> None:
        """Ask Vertex AI to stop a job; one that has ended stays as it is."""
        if self.describe(ref).state in FINISHED:
            return
        try:
            self._calls.vertex(SERVICE, "cancel_batch_prediction_job", {"name": ref}, f"cancel job {ref}")
        except (Conflict, InvalidRequest):
            if self.describe(ref).state not in FINISHED:
                raise

    def _of(self, job: Any) -> BatchJob:
        native = job.state.name
        info = job.output_info.gcs_output_directory if job.output_info else ""
        return BatchJob(
            ref=self._place.named(job.name),
            endpoint=dict(job.labels).get("endpoint", ""),
            state=STATES.get(native, RunState.UNKNOWN),
            native_state=native,
            created=job.create_time,
            ended=job.end_time,
            output_uri=info or job.output_config.gcs_destination.output_uri_prefix,
            error=job.error.message if job.error else "",
        )
