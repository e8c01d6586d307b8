"""Pipeline jobs: they wait, run, and end as a test says; steps have jobs, logs and metrics then, as Vertex AI has them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests.operations.fakes.gcp.cloud import Cloud, Part, Refused, selected, stamp
from tests.operations.fakes.gcp.discovery import Called, Wrong
from tests.operations.fakes.gcp.models import Models
from tests.operations.fakes.gcp.project import Logging, Storage, check_labels
from tests.operations.fakes.gcp.specs import judge_template, leaves

__all__ = ["Pipelines"]

IDENT = re.compile(r"[a-z][-a-z0-9]{0,127}")
MEASURED = {"accuracy": 0.91}
ENDED = {"PIPELINE_STATE_SUCCEEDED", "PIPELINE_STATE_FAILED", "PIPELINE_STATE_CANCELLED"}
TYPES: Mapping[str, tuple[type, ...]] = {
    "STRING": (str,),
    "BOOLEAN": (bool,),
    "NUMBER_INTEGER": (int, float),
    "NUMBER_DOUBLE": (int, float),
}


class Pipelines(Part):
    """Vertex AI Pipelines."""

    METHODS: Mapping[str, str] = {
        "aiplatform.projects.locations.pipelineJobs.create": "create",
        "aiplatform.projects.locations.pipelineJobs.get": "get",
        "aiplatform.projects.locations.pipelineJobs.list": "list",
        "aiplatform.projects.locations.pipelineJobs.cancel": "cancel",
    }

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.jobs: dict[str, dict[str, Any]] = {}

    # --- methods ---

    def create(self, called: Called) -> Any:
        self.cloud.at_home(called)
        ident = called.query.get("pipelineJobId") or f"job-{self.cloud.fresh()}"
        name = f"{self.cloud.home}/pipelineJobs/{ident}"
        if not IDENT.fullmatch(ident):
            raise Refused(400, "INVALID_ARGUMENT", f"Invalid pipeline job id: {ident}")
        if name in self.jobs:
            raise Refused(409, "ALREADY_EXISTS", f"The PipelineJob already exists: {name}")
        self._judge(called.body)
        self.jobs[name] = {
            **called.body,
            "name": name,
            "state": "PIPELINE_STATE_PENDING",
            "createTime": stamp(self.cloud.now()),
            "jobDetail": {"taskDetails": []},
        }
        return self.jobs[name]

    def _judge(self, job: Mapping[str, Any]) -> None:
        try:
            judge_template(job["pipelineSpec"])
        except Wrong as wrong:
            raise Refused(400, "INVALID_ARGUMENT", str(wrong)) from wrong
        check_labels(job.get("labels", {}))
        self.cloud.check_account(job["serviceAccount"])
        bucket = job["runtimeConfig"]["gcsOutputDirectory"].removeprefix("gs://").partition("/")[0]
        if bucket not in self.cloud.part(Storage).buckets:
            raise Refused(400, "INVALID_ARGUMENT", f"Bucket {bucket} does not exist.")
        declared = job["pipelineSpec"]["root"].get("inputDefinitions", {}).get("parameters", {})
        for name, value in job["runtimeConfig"].get("parameterValues", {}).items():
            if name not in declared:
                raise Refused(400, "INVALID_ARGUMENT", f"Unknown parameter {name}")
            if not isinstance(value, TYPES[declared[name]["parameterType"]]):
                raise Refused(
                    400, "INVALID_ARGUMENT", f"Parameter {name} is {declared[name]['parameterType']}"
                )

    def _job(self, called: Called) -> dict[str, Any]:
        self.cloud.at_home(called)
        name = f"{self.cloud.home}/pipelineJobs/{called.path[2]}"
        if name not in self.jobs:
            raise Refused(404, "NOT_FOUND", f"The PipelineJob does not exist: {name}")
        return self.jobs[name]

    def get(self, called: Called) -> Any:
        return self._job(called)

    def list(self, called: Called) -> Any:
        self.cloud.at_home(called)
        found = selected([*self.jobs.values()], called.query.get("filter", ""))
        if called.query.get("orderBy") == "create_time desc":
            found.sort(key=lambda job: job["createTime"], reverse=True)
        first, size = int(called.query.get("pageToken", "0")), 2
        page = [
            {key: it for key, it in job.items() if key != "jobDetail"} for job in found[first : first + size]
        ]
        more = {"nextPageToken": str(first + size)} if first + size < len(found) else {}
        return {**({"pipelineJobs": page} if page else {}), **more}

    def cancel(self, called: Called) -> Any:
        job = self._job(called)
        if job["state"] in ENDED:
            raise Refused(400, "FAILED_PRECONDITION", "The PipelineJob has ended, and cannot be cancelled.")
        job["state"] = "PIPELINE_STATE_CANCELLING"
        return {}

    # --- what a test says ---

    def finish(self, name: str, state: str) -> None:
        """Bring a job to its end: every step, or all before the step ``train``, which fails."""
        job = self.jobs[self.cloud.ours(name)]
        if job["state"] in ENDED:
            return
        job["startTime"] = stamp(self.cloud.now())
        if state == "FAILED":
            job["error"] = {
                "code": 9,
                "message": "The DAG failed because some tasks failed. The failed tasks are: [train].",
            }
        if state != "CANCELLED":
            self._tasks(
                job, job["pipelineSpec"]["root"]["dag"]["tasks"], fails="train" if state == "FAILED" else ""
            )
        self.cloud.extra += timedelta(seconds=1)
        job |= {"state": f"PIPELINE_STATE_{state}", "endTime": stamp(self.cloud.now())}

    def _tasks(self, job: dict[str, Any], tasks: Mapping[str, Any], *, fails: str) -> bool:
        """Run the tasks of a level; return whether all could."""
        spec, details = job["pipelineSpec"], job["jobDetail"]["taskDetails"]
        for name, component, task in leaves(spec, tasks):
            detail = {"taskId": self.cloud.fresh(), "taskName": name, "createTime": stamp(self.cloud.now())}
            details.append(detail)
            if "dag" in spec["components"][component]:
                met = self._is_met(job, task)
                detail["state"] = "SUCCEEDED" if met else "NOT_TRIGGERED"
                if met and not self._tasks(job, spec["components"][component]["dag"]["tasks"], fails=fails):
                    return False
                continue
            self._step(spec, name, detail, failed=name == fails)
            if name == fails:
                return False
        return True

    def _step(self, spec: Mapping[str, Any], name: str, detail: dict[str, Any], *, failed: bool) -> None:
        launcher, job = self.cloud.fresh(), self.cloud.fresh()
        home, logging = f"{self.cloud.home}/customJobs", self.cloud.part(Logging)
        detail["startTime"] = stamp(self.cloud.now())
        logging.write(launcher, f"Creating CustomJob for {name}", structured=True)
        logging.write(job, f"{name} begins")
        self.cloud.extra += timedelta(seconds=1)
        logging.write(job, f"{name} ends")
        self._register(spec["deploymentSpec"]["executors"][f"exec-{name}"]["container"])
        resource = f"https://{self.cloud.region}-aiplatform.googleapis.com/v1/{home}/{job}"
        outputs = {"output:gcp_resources": json.dumps({"resources": [{"resourceUri": resource}]})}
        made = spec["components"][f"comp-{name}"].get("outputDefinitions", {}).get("parameters", {})
        outputs |= {
            f"output:{it}": json.dumps(MEASURED) for it in made if it != "gcp_resources" and not failed
        }
        detail |= {
            "endTime": stamp(self.cloud.now()),
            "state": "FAILED" if failed else "SUCCEEDED",
            "executorDetail": {"containerDetail": {"mainJob": f"{home}/{launcher}"}},
            "execution": {"displayName": name, "metadata": outputs},
        }
        if failed:
            detail["error"] = {
                "code": 9,
                "message": "The replica workerpool0-0 exited with a non-zero status of 1.",
            }
            detail["executorDetail"]["containerDetail"]["failedMainJobs"] = [f"{home}/{self.cloud.fresh()}"]

    def _register(self, container: Mapping[str, Any]) -> None:
        """Do what a step's program does that uploads a version, of the SDK's upper layer's own request."""
        if container["command"][:3] != ["python3", "-u", "-c"]:
            return
        _, _, model, image, data, content_type, alias, key, metrics = container["args"]
        upload: dict[str, Any] = {
            "displayName": model,
            "artifactUri": data,
            "containerSpec": {
                "imageUri": image,
                "env": [{"name": "MODEL_CONTENT_TYPE", "value": content_type}],
            },
            "versionAliases": [alias],
            "labels": {"approval": "pending" if alias == "candidate" else alias},
            **({"versionDescription": json.dumps(MEASURED)} if metrics else {}),
            **({"encryptionSpec": {"kmsKeyName": key}} if key else {}),
        }
        self.cloud.part(Models).add(f"{self.cloud.home}/models/{model}", upload)

    def _is_met(self, job: Mapping[str, Any], task: Mapping[str, Any]) -> bool:
        """Whether a gate's condition holds for what steps measure here."""
        condition = task["triggerPolicy"]["condition"]
        bound = task["inputs"]["parameters"].get("gate-bound", {}).get("componentInputParameter")
        if bound is None:
            limit = float(condition.split()[-1])
        else:
            defaults = job["pipelineSpec"]["root"]["inputDefinitions"]["parameters"]
            given = job["runtimeConfig"].get("parameterValues", {})
            limit = float(given.get(bound, defaults[bound].get("defaultValue")))
        value = next(iter(MEASURED.values()))
        return value >= limit if ">=" in condition else value <= limit
