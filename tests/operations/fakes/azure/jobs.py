"""Jobs of the workspace and their run history: what a pipeline's steps write is written when a test says that they are over."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from tests.operations.fakes.azure.blobs import Blobs
from tests.operations.fakes.azure.inside import component_problems, ordered, pipeline_problems
from tests.operations.fakes.azure.requests import Answer, Refusal, Request, said
from tests.operations.fakes.azure.resources import Resource, Resources

__all__ = ["FINISHED", "LOGS", "Jobs"]

FINISHED = {"Completed", "Failed", "Canceled"}
LOGS = "logs.blob.core.windows.net"
READS = re.compile(r"\$\{\{inputs\.(\w+)\}\}/metrics\.json")
BOUND = re.compile(r"\$\{\{parent\.jobs\.(\w+)\.outputs\.(\w+)\}\}")
ACCURACY = 0.91


class Jobs:
    """The jobs. ``proof`` is what an address of a log has to have; ``places`` are containers by their datastore."""

    def __init__(self, resources: Resources, blobs: Blobs, proof: str, places: dict[str, str]) -> None:
        self._resources = resources
        self._blobs = blobs
        self._proof = proof
        self._places = places

    # --- Azure Resource Manager ---

    def put(self, path: str, body: dict[str, Any]) -> Resource:
        """Begin a job; of one that is there only what may change does."""
        known = self._resources.find(path)
        if known is not None:
            return known
        problems = [*self.problems(body["properties"])]
        if problems:
            raise Refusal(400, "UserError", "; ".join(problems))
        made = self._resources.put(path, {"properties": dict(body["properties"])})
        made.hidden |= {"status": "NotStarted", "children": {}}
        self._begin(made)
        return made

    def told(self, job: Resource) -> dict[str, Any]:
        """A job as it is told."""
        properties = {**job.document["properties"], "status": job.hidden["status"]}
        return {**job.document, "properties": properties}

    def cancel(self, path: str) -> None:
        """Ask a job to stop."""
        job = self._resources.get(path)
        if job.hidden["status"] in FINISHED:
            raise Refusal(400, "UserError", "the job has ended already")
        job.hidden["status"] = "CancelRequested"

    def problems(self, properties: dict[str, Any]) -> Iterator[str]:
        """Yield why a job cannot be submitted."""
        pipeline = properties["jobType"] == "Pipeline"
        if pipeline:
            yield from pipeline_problems(properties)
        for node in properties["jobs"].values() if pipeline else [properties]:
            for name in ("componentId", "computeId", "environmentId"):
                if name in node and self._resources.find(node[name]) is None:
                    yield f"{name} {node[name]} is not there"
        for value in (properties.get("inputs") or {}).values():
            if value["jobInputType"] == "literal" and re.search(r"\w", value["value"]) is None:
                yield "a literal's value has to match [a-zA-Z0-9_]"
        for value in (properties.get("tags") or {}).values():
            if len(value) > 256:
                yield "a tag's value is too long"

    def component(self, path: str, body: dict[str, Any]) -> Resource:
        """Register a component whose code and environment are there."""
        spec = body["properties"].get("componentSpec")
        problems = [*component_problems(spec, path.rpartition("/")[2])]
        needed = [
            str(spec[name]) for name in ("environment", "code") if isinstance(spec, dict) and name in spec
        ]
        problems += [f"{it} is not there" for it in needed if self._resources.find(it) is None]
        if problems:
            raise Refusal(400, "UserError", "; ".join(problems))
        return self._resources.put(path, body)

    # --- what becomes of it ---

    def _begin(self, job: Resource) -> None:
        job.hidden["started"] = self._resources.clock.now()
        job.hidden["status"] = "Running"
        nodes = job.document["properties"].get("jobs")
        if nodes:
            self._child(job, ordered(nodes)[0], "Running")

    def finish(self, path: str, status: str) -> None:
        """Bring a job to its end; a step train is the one that fails."""
        job = self._resources.get(path)
        if job.hidden["status"] in FINISHED:
            return
        for name in ordered(job.document["properties"].get("jobs") or {}):
            if status == "Canceled":
                if name in job.hidden["children"]:
                    self._child(job, name, "Canceled")
            elif status == "Failed" and name == "train":
                self._child(job, name, "Failed")
                break
            else:
                self._child(job, name, "Completed")
                self._write(job, name)
        job.hidden |= {"status": status, "ended": self._resources.clock.now()}

    def _child(self, job: Resource, name: str, status: str) -> None:
        now = self._resources.clock.now()
        known = job.hidden["children"].get(name)
        child = known or {"runId": str(uuid5(NAMESPACE_URL, f"{job.document['name']}/{name}")), "begun": now}
        child["status"] = status
        if status in FINISHED:
            child["ended"] = now + timedelta(seconds=30)
            self._resources.clock.sleep(0)
        job.hidden["children"][name] = child

    def _write(self, job: Resource, name: str) -> None:
        """Write the metrics of a step whose output another step reads as such."""
        nodes = job.document["properties"]["jobs"]
        for reader in nodes.values():
            spec = self._resources.get(reader["componentId"]).document["properties"]["componentSpec"]
            for read in READS.findall(spec["command"]):
                bound = BOUND.fullmatch(reader["inputs"][read]["value"])
                if bound is None or bound[1] != name:
                    continue
                uri = nodes[name]["outputs"][bound[2]]["uri"].replace(
                    "${{name}}", job.hidden["children"][name]["runId"]
                )
                store, _, path = uri.removeprefix("azureml://datastores/").partition("/paths/")
                body = json.dumps({"accuracy": ACCURACY}).encode()
                self._blobs.write(f"https://{self._places[store]}/{path}/metrics.json", body)

    # --- run history ---

    def run(self, job: Resource) -> dict[str, Any]:
        """A job as the run history tells it."""
        failed = job.hidden["status"] == "Failed"
        return _without(
            {
                "runId": job.document["name"],
                "status": job.hidden["status"],
                "createdUtc": job.created.isoformat(),
                "startTimeUtc": _text(job.hidden.get("started")),
                "endTimeUtc": _text(job.hidden.get("ended")),
                "displayName": job.document["properties"].get("displayName"),
                "error": _error("a child run failed: train") if failed else None,
            }
        )

    def children(self, job: Resource) -> Iterator[dict[str, Any]]:
        """The steps that have begun."""
        for name, child in job.hidden["children"].items():
            node = job.document["properties"]["jobs"][name]
            failed = child["status"] == "Failed"
            yield _without(
                {
                    "runId": child["runId"],
                    "rootRunId": job.document["name"],
                    "parentRunId": job.document["name"],
                    "displayName": node["display_name"],
                    "status": child["status"],
                    "createdUtc": child["begun"].isoformat(),
                    "startTimeUtc": _text(child["begun"]),
                    "endTimeUtc": _text(child.get("ended")),
                    "properties": {"azureml.moduleName": name},
                    "error": _error("the command ended with 1: told to fail") if failed else None,
                }
            )

    def details(self, ref: str, jobs: Iterator[Resource]) -> dict[str, Any]:
        """Where the logs of a step are, or of a job."""
        for job in jobs:
            known = {child["runId"] for child in job.hidden["children"].values()} | {job.document["name"]}
            if ref in known:
                address = f"https://{LOGS}/{ref}"
                names = ("user_logs/std_log.txt", "system_logs/lifecycler.log")
                return {
                    "runId": ref,
                    "logFiles": {
                        name: f"{address}/{name}?sv=2024-11-04&sp=r&sig={self._proof}" for name in names
                    },
                }
        raise Refusal(404, "UserError", f"Run {ref} was not found")

    def log(self, request: Request, jobs: Iterator[Resource]) -> Answer:
        """A log, for whoever has the proof, and no other."""
        if request.query.get("sig") != self._proof or "authorization" in request.headers:
            raise Refusal(403, "AuthenticationFailed", f"sig={request.query.get('sig')} is not right")
        ref = request.path.split("/")[1]
        for job in jobs:
            for name, child in job.hidden["children"].items():
                if child["runId"] == ref:
                    lines = [f"{name} begins"]
                    lines += [f"{name}: {child['status']}"] if child["status"] in FINISHED else []
                    return Answer(200, "\n".join(lines).encode() + b"\n", {"Content-Type": "text/plain"})
            if job.document["name"] == ref:
                return Answer(200, b"scored rows.csv\n", {"Content-Type": "text/plain"})
        raise Refusal(404, "BlobNotFound", "The specified blob does not exist.")

    def page(self, job: Resource, token: str) -> Answer:
        """A page of a job's steps: two at a time, so that there is a next one."""
        every = [*self.children(job)]
        start = int(token or 0)
        more = {"continuationToken": str(start + 2)} if start + 2 < len(every) else {}
        return said({"value": every[start : start + 2], **more})


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def _error(message: str) -> dict[str, Any]:
    return {"error": {"code": "UserError", "message": message}}


def _without(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None}
