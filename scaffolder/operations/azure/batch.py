"""Scoring of files: a job on the endpoint's cluster that starts the image as its endpoint does, and asks it of each file.

A batch endpoint's own jobs want Azure ML's packages inside the image, which images for several clouds have not, and no name
for a job, so that one request could become two. May not make the endpoint.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from scaffolder.operations.azure.calls import Calls, Document
from scaffolder.operations.azure.history import History, error_of, moment, state_of
from scaffolder.operations.azure.jobs import environment_of, lasting
from scaffolder.operations.azure.place import Place, short_hash
from scaffolder.operations.azure.runs import cancel_job, register_once
from scaffolder.operations.errors import InvalidRequest, NotFound
from scaffolder.operations.values import FINISHED, BatchJob, BatchRequest, RunState
from stacks.azure.commands import placeholder, quoted

__all__ = ["SCORES", "AzureBatch"]

ENDPOINT = "scaffolder.endpoint"
TIMEOUT_S = 24 * 3600

SCORES = """\
import os, pathlib, subprocess, sys, time, urllib.request

model, data, scored, content_type, command, port = sys.argv[1:]
try:
    pathlib.Path("/opt/ml").mkdir(parents=True, exist_ok=True)
    pathlib.Path("/opt/ml/model").symlink_to(model)
except OSError:
    print("the model is at", model)
here = dict(os.environ, MODEL_CONTENT_TYPE=content_type, AZUREML_MODEL_DIR=model)
server = subprocess.Popen([command], env=here)
address = "http://127.0.0.1:" + port
try:
    for _ in range(600):
        if server.poll() is not None:
            sys.exit("the image's server ended with " + str(server.returncode))
        try:
            urllib.request.urlopen(address + "/ping", timeout=5).close()
            break
        except OSError:
            time.sleep(0.5)
    else:
        sys.exit("the image's server does not answer")
    rank, ranks = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    files = sorted(file for file in pathlib.Path(data).rglob("*") if file.is_file())
    if not files:
        sys.exit("there is nothing to score in " + data)
    for file in files[rank::ranks]:
        asked = urllib.request.Request(address + "/invocations", file.read_bytes(), {"Content-Type": content_type})
        with urllib.request.urlopen(asked, timeout=3600) as answer:
            made = pathlib.Path(scored, *file.relative_to(data).parts)
            made.parent.mkdir(parents=True, exist_ok=True)
            made.with_name(made.name + ".out").write_bytes(answer.read())
        print("scored", file.relative_to(data))
finally:
    server.terminate()
"""
"""Run by the image's Python with nothing installed; of several machines each takes its share of the files."""


class AzureBatch:
    """The scoring jobs of the platform's batch endpoints."""

    def __init__(self, calls: Calls, place: Place) -> None:
        self._calls = calls
        self._place = place
        self._history = History(calls, place)

    def submit(self, request: BatchRequest) -> str:
        """Start a job whose name comes from the request's token."""
        endpoint = self._place.endpoint(request.endpoint, "batch")
        ref = f"score-{endpoint.name}-{short_hash(endpoint.name, request.token)}"
        doing = f"start the scoring job {ref}"
        path = self._place.model_id(self._place.model(request.model).name, request.version)
        version = self._calls.get(path, f"read version {request.version} of {request.model}")
        if self._calls.find(self._place.job_id(ref), doing) is not None:
            return ref
        cluster = self._place.cluster_id(request.instance)
        if self._calls.find(cluster, doing) is None:
            raise InvalidRequest(
                f"the workspace has no cluster of {request.instance}",
                remedy=f"Use {endpoint.instance}, which the stacks make one of for endpoints.{endpoint.name}.",
            )
        self._calls.put(self._place.job_id(ref), self._job(request, version, cluster), doing)
        return ref

    def describe(self, ref: str) -> BatchJob:
        """Read a job."""
        job = self._calls.get(self._place.job_id(ref), f"read the scoring job {ref}")
        if ENDPOINT not in (job["properties"].get("properties") or {}):
            raise NotFound(f"{ref} is no scoring job")
        return _job(job, self._history.run(ref))

    def list(self, endpoint: str) -> Iterator[BatchJob]:
        """Yield an endpoint's jobs, the newest first."""
        path, doing = f"{self._place.workspace}/jobs", "list scoring jobs"
        jobs = [*self._calls.pages(path, doing, jobType="Command", listViewType="ActiveOnly")]
        found = [
            _job(job, {})
            for job in jobs
            if (job["properties"].get("properties") or {}).get(ENDPOINT) == endpoint
        ]
        return iter(sorted(found, key=lambda job: job.created, reverse=True))

    def cancel(self, ref: str) -> None:
        """Ask a job to stop."""
        cancel_job(self._calls, self._place, ref)

    def _job(self, request: BatchRequest, version: Document, cluster: str) -> Document:
        kept = version["properties"].get("properties") or {}
        if not kept.get("image"):
            raise InvalidRequest(
                f"version {request.version} of {request.model} was registered without an image that serves it"
            )
        environment = environment_of(self._place.workspace, kept["image"])
        register_once(self._calls, environment, f"score with {request.model}")
        content_type = kept.get("content_type", "text/csv")
        words = [
            *(
                placeholder("inputs", "model"),
                placeholder("inputs", "data"),
                placeholder("outputs", "scored"),
            ),
            *(content_type, "serve", "8080"),
        ]
        python = '"$(command -v python3 || command -v python)"'
        properties: Document = {
            "jobType": "Command",
            "displayName": f"{request.endpoint}: {request.model} version {request.version}",
            "experimentName": f"score-{request.endpoint}",
            "tags": {**self._place.context.tags, "endpoint": request.endpoint},
            "properties": {ENDPOINT: request.endpoint},
            "command": " ".join([python, "-c", quoted(SCORES), *map(quoted, words)]),
            "environmentId": environment.path,
            "computeId": cluster,
            "identity": {"identityType": "Managed"},
            "inputs": {
                "model": {
                    "jobInputType": "custom_model",
                    "uri": version["properties"]["modelUri"],
                    "mode": "ReadOnlyMount",
                },
                "data": {"jobInputType": "uri_folder", "uri": request.input_uri, "mode": "ReadOnlyMount"},
            },
            "outputs": {
                "scored": {"jobOutputType": "uri_folder", "uri": request.output_uri, "mode": "ReadWriteMount"}
            },
            "resources": {"instanceCount": request.replicas},
            "limits": {"jobLimitsType": "Command", "timeout": lasting(TIMEOUT_S)},
        }
        if request.replicas > 1:
            properties["distribution"] = {"distributionType": "PyTorch", "processCountPerInstance": 1}
        return {"properties": properties}


def _job(job: Document, seen: Document) -> BatchJob:
    properties = job["properties"]
    native = str(properties.get("status") or "Unknown")
    state = state_of(native)
    created = moment((job.get("systemData") or {}).get("createdAt"))
    error = (error_of(seen) or "the job failed; its logs say why") if state is RunState.FAILED else ""
    return BatchJob(
        ref=str(job["name"]),
        endpoint=(properties.get("properties") or {}).get(ENDPOINT, ""),
        state=state,
        native_state=native,
        created=created or datetime.min.replace(tzinfo=UTC),
        ended=moment(seen.get("endTimeUtc")) if state in FINISHED else None,
        output_uri=str(((properties.get("outputs") or {}).get("scored") or {}).get("uri") or ""),
        error=error,
    )
