"""The project around Vertex AI: buckets and objects, keys, APIs, permissions, logs, and whose a token is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.operations.fakes.gcp.cloud import Cloud, Part, Refused, stamp
from tests.operations.fakes.gcp.discovery import Answered, Called

__all__ = ["Keys", "Logging", "Project", "Storage"]

ENABLE_S = 20
PAGE = 3
"""Few to a page, so that whoever reads only the first is found out."""
LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")


def check_labels(labels: Mapping[str, str]) -> None:
    """Refuse labels that Google does not take."""
    for key, value in labels.items():
        if not LABEL_KEY.fullmatch(key) or not LABEL_VALUE.fullmatch(value):
            raise Refused(400, "INVALID_ARGUMENT", f"Invalid label {key}: {value}")


class Storage(Part):
    """Cloud Storage: buckets by name, objects by bucket and name."""

    METHODS: Mapping[str, str] = {
        "storage.buckets.get": "get_bucket",
        "storage.buckets.insert": "insert_bucket",
        "storage.buckets.patch": "patch_bucket",
        "storage.objects.insert": "insert",
        "storage.objects.get": "get",
        "storage.objects.delete": "delete",
        "storage.objects.list": "list",
        "storage.projects.serviceAccount.get": "agent",
    }

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.buckets: dict[str, dict[str, Any]] = {}
        self.closed: set[str] = set()
        """Buckets of others, as those see them who may not."""
        self.taken: set[str] = set()
        """Names that cannot be had, and say nothing."""
        self.objects: dict[tuple[str, str], tuple[dict[str, Any], bytes]] = {}

    def make(self, name: str) -> None:
        """Make a bucket, as the stacks do."""
        self.buckets[name] = {"kind": "storage#bucket", "name": name, "location": self.cloud.region.upper()}

    def put(self, bucket: str, name: str, content: bytes) -> dict[str, Any]:
        """Write an object."""
        kind = "application/octet-stream"
        found = {
            "kind": "storage#object",
            "bucket": bucket,
            "name": name,
            "generation": self.cloud.fresh(),
            "contentType": kind,
            "size": str(len(content)),
            "timeCreated": stamp(self.cloud.now()),
        }
        self.objects[bucket, name] = (found, content)
        return found

    def _bucket(self, name: str) -> dict[str, Any]:
        if name in self.closed:
            raise Refused(403, "PERMISSION_DENIED", "The caller does not have storage.buckets.get access.")
        if name not in self.buckets:
            raise Refused(404, "NOT_FOUND", "The specified bucket does not exist.")
        return self.buckets[name]

    def get_bucket(self, called: Called) -> Any:
        return self._bucket(called.path[0])

    def insert_bucket(self, called: Called) -> Any:
        name = called.body.get("name", "")
        if called.query["project"] != self.cloud.project:
            raise Refused(403, "PERMISSION_DENIED", "The project does not exist, or is closed.")
        if not re.fullmatch(r"(?!goog)[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]", name):
            raise Refused(400, "INVALID_ARGUMENT", f"Invalid bucket name: '{name}'")
        if name in {*self.buckets, *self.taken}:
            raise Refused(
                409, "ALREADY_EXISTS", "Your previous request to create the named bucket succeeded."
            )
        check_labels(called.body.get("labels", {}))
        self.buckets[name] = {"kind": "storage#bucket", "projectNumber": self.cloud.number, **called.body}
        return self.buckets[name]

    def patch_bucket(self, called: Called) -> Any:
        bucket = self._bucket(called.path[0])
        bucket |= called.body
        return bucket

    def _generation(self, bucket: str, name: str) -> str:
        found = self.objects.get((bucket, name))
        return str(found[0]["generation"]) if found else "0"

    def _match(self, called: Called, bucket: str, name: str) -> None:
        wanted = called.query.get("ifGenerationMatch")
        if wanted is not None and wanted != self._generation(bucket, name):
            raise Refused(
                412, "FAILED_PRECONDITION", "At least one of the pre-conditions you specified did not hold."
            )

    def insert(self, called: Called) -> Any:
        bucket, name = called.path[0], called.query.get("name", "")
        self._bucket(bucket)
        if called.query.get("uploadType") != "media" or not name:
            raise Refused(400, "INVALID_ARGUMENT", "An upload has a type and a name.")
        self._match(called, bucket, name)
        return self.put(bucket, name, called.body)

    def get(self, called: Called) -> Any:
        bucket, name = called.path
        self._bucket(bucket)
        if (bucket, name) not in self.objects:
            raise Refused(404, "NOT_FOUND", f"No such object: {bucket}/{name}")
        found, content = self.objects[bucket, name]
        if called.query.get("alt") == "media":
            return Answered(content, "application/octet-stream")
        return found

    def delete(self, called: Called) -> Any:
        bucket, name = called.path
        if (bucket, name) not in self.objects:
            raise Refused(404, "NOT_FOUND", f"No such object: {bucket}/{name}")
        self._match(called, bucket, name)
        del self.objects[bucket, name]
        return None

    def list(self, called: Called) -> Any:
        bucket = called.path[0]
        self._bucket(bucket)
        start = called.query.get("prefix", "")
        found = [
            it
            for (home, name), (it, _) in sorted(self.objects.items())
            if home == bucket and name.startswith(start)
        ]
        first = int(called.query.get("pageToken", "0"))
        size = int(called.query.get("maxResults", PAGE))
        page = found[first : first + size]
        more = {"nextPageToken": str(first + size)} if first + size < len(found) else {}
        return {"kind": "storage#objects", **({"items": page} if page else {}), **more}

    def agent(self, called: Called) -> Any:
        if called.path[0] != self.cloud.project:
            raise Refused(404, "NOT_FOUND", "The project does not exist.")
        email = f"service-{self.cloud.number}@gs-project-accounts.iam.gserviceaccount.com"
        return {"kind": "storage#serviceAccount", "email_address": email}


class Keys(Part):
    """Cloud KMS: key rings, keys, and who may use a key."""

    METHODS: Mapping[str, str] = {
        "cloudkms.projects.locations.keyRings.get": "get",
        "cloudkms.projects.locations.keyRings.create": "create_ring",
        "cloudkms.projects.locations.keyRings.cryptoKeys.get": "get",
        "cloudkms.projects.locations.keyRings.cryptoKeys.create": "create_key",
        "cloudkms.projects.locations.keyRings.cryptoKeys.getIamPolicy": "get_policy",
        "cloudkms.projects.locations.keyRings.cryptoKeys.setIamPolicy": "set_policy",
    }

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.there: dict[str, dict[str, Any]] = {}
        self.policies: dict[str, dict[str, Any]] = {}

    def _name(self, called: Called, *more: str) -> str:
        parts = ("projects", "locations", "keyRings", "cryptoKeys")
        return "/".join(f"{part}/{it}" for part, it in zip(parts, (*called.path, *more), strict=False))

    def get(self, called: Called) -> Any:
        name = self._name(called)
        if name not in self.there:
            raise Refused(404, "NOT_FOUND", f"{name} not found.")
        return self.there[name]

    def create_ring(self, called: Called) -> Any:
        return self._make(self._name(called, called.query.get("keyRingId", "")), called.body)

    def create_key(self, called: Called) -> Any:
        if called.body.get("rotationPeriod") and not called.body.get("nextRotationTime"):
            raise Refused(400, "INVALID_ARGUMENT", "A rotation period needs the time of the next rotation.")
        return self._make(self._name(called, called.query.get("cryptoKeyId", "")), called.body)

    def _make(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if name in self.there:
            raise Refused(409, "ALREADY_EXISTS", f"{name} already exists.")
        self.there[name] = {"name": name, "createTime": stamp(self.cloud.now()), **body}
        return self.there[name]

    def get_policy(self, called: Called) -> Any:
        self.get(called)
        return self.policies.get(self._name(called), {"version": 1, "etag": "BwX="})

    def set_policy(self, called: Called) -> Any:
        self.get(called)
        self.policies[self._name(called)] = called.body["policy"]
        return called.body["policy"]


class Logging(Part):
    """Cloud Logging: entries of jobs, by time and id."""

    METHODS: Mapping[str, str] = {"logging.entries.list": "list", "logging.entries.write": "written"}
    FILTER = re.compile(
        r'resource\.type="ml_job" AND resource\.labels\.job_id=\((?P<ids>"\d+"(?: OR "\d+")*)\)'
        r' AND timestamp>="(?P<start>[^"]+)"'
    )

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.entries: list[dict[str, Any]] = []

    DRIFT = re.compile(r'logName="(?P<log>[^"]+)" AND jsonPayload\.monitor="(?P<monitor>[^"]+)"')

    def tell(self, log: str, payload: Mapping[str, Any]) -> None:
        """Write an entry of a log of one's own."""
        self.entries.append(
            {
                "logName": log,
                "resource": {"type": "global", "labels": {"project_id": self.cloud.project}},
                "timestamp": stamp(self.cloud.now()),
                "insertId": f"{len(self.entries):06d}",
                "jsonPayload": payload,
            }
        )

    def written(self, called: Called) -> Any:
        """Take entries of a log of the project's; one with the id and the time of another is the same one."""
        for entry in called.body["entries"]:
            if not entry["logName"].startswith(f"projects/{self.cloud.project}/logs/"):
                raise Refused(403, "PERMISSION_DENIED", "Permission 'logging.logEntries.create' denied")
            known = {(it["insertId"], it["timestamp"]) for it in self.entries}
            if (entry["insertId"], entry["timestamp"]) not in known:
                self.entries.append(entry)
        return {}

    def write(self, job: str, text: str, *, structured: bool = False) -> None:
        """Write a line of a job; two in one moment have the same time."""
        payload: dict[str, Any] = {"jsonPayload": {"message": text}} if structured else {"textPayload": text}
        self.entries.append(
            {
                "logName": f"projects/{self.cloud.project}/logs/workerpool0-0",
                "resource": {"type": "ml_job", "labels": {"job_id": job, "project_id": self.cloud.project}},
                "timestamp": stamp(self.cloud.now()).replace("Z", "123Z"),
                "insertId": f"{len(self.entries):06d}",
                **payload,
            }
        )

    def list(self, called: Called) -> Any:
        if called.body.get("resourceNames") != [f"projects/{self.cloud.project}"]:
            raise Refused(400, "INVALID_ARGUMENT", "resource_names is required")
        drift = self.DRIFT.fullmatch(called.body.get("filter", ""))
        if drift is not None and called.body.get("orderBy") == "timestamp desc":
            told = [
                it
                for it in reversed(self.entries)
                if it["logName"] == drift["log"] and it["jsonPayload"].get("monitor") == drift["monitor"]
            ]
            return {"entries": told[: called.body["pageSize"]]} if told else {}
        match = self.FILTER.fullmatch(called.body.get("filter", ""))
        if match is None or called.body.get("orderBy") != "timestamp asc":
            raise Refused(400, "INVALID_ARGUMENT", f"Unparseable filter: {called.body.get('filter')}")
        ids = re.findall(r"\d+", match["ids"])
        start = match["start"].replace("+00:00", "Z")
        found = [
            it
            for it in self.entries
            if it["resource"]["labels"].get("job_id") in ids
            and it["timestamp"][:26] >= start[:26].rstrip("Z")
        ]
        found.sort(key=lambda it: (it["timestamp"], it["insertId"]))
        first = int(called.body.get("pageToken", "0"))
        page = found[first : first + 2]
        more = {"nextPageToken": str(first + 2)} if first + 2 < len(found) else {}
        return {**({"entries": page} if page else {}), **more}


class Project(Part):
    """Who we are, what we may, which APIs are on, and how much of them."""

    METHODS: Mapping[str, str] = {
        "oauth2.tokeninfo": "token",
        "cloudresourcemanager.projects.testIamPermissions": "test",
        "serviceusage.services.batchGet": "services",
        "serviceusage.services.batchEnable": "enable",
        "serviceusage.operations.get": "operation",
        "serviceusage.services.consumerQuotaMetrics.list": "quotas",
    }

    def __init__(self, cloud: Cloud, email: str) -> None:
        super().__init__(cloud)
        self.email = email
        self.enabled: set[str] = set()
        self.enabling: dict[str, tuple[datetime, list[str]]] = {}
        self.limits: dict[str, int] = {}

    def token(self, called: Called) -> Any:
        if not called.query.get("access_token"):
            raise Refused(400, "INVALID_ARGUMENT", "either access_token, id_token, or token_handle required")
        return {
            "email": self.email,
            "verified_email": True,
            "expires_in": 3000,
            "issued_to": "1",
            "audience": "1",
        }

    def test(self, called: Called) -> Any:
        asked = called.body["permissions"]
        if len(asked) > 100 or not all(re.fullmatch(r"[a-z]+\.[a-zA-Z]+\.[a-zA-Z]+", it) for it in asked):
            raise Refused(400, "INVALID_ARGUMENT", f"Permissions are not valid: {asked}")
        found = [it for it in asked if it not in self.cloud.permissions_denied]
        return {"permissions": found} if found else {}

    def services(self, called: Called) -> Any:
        names = called.query["names"]
        names = names if isinstance(names, list) else [names]
        if len(names) > 30:
            raise Refused(400, "INVALID_ARGUMENT", "At most 30 services at once.")
        return {"services": [self._service(name) for name in names]}

    def _service(self, name: str) -> dict[str, Any]:
        service = name.rpartition("/")[2]
        if name != f"projects/{self.cloud.project}/services/{service}":
            raise Refused(400, "INVALID_ARGUMENT", f"Invalid service name: {name}")
        state = "ENABLED" if service in self.enabled else "DISABLED"
        return {"name": f"projects/{self.cloud.number}/services/{service}", "state": state}

    def enable(self, called: Called) -> Any:
        if len(called.body["serviceIds"]) > 20:
            raise Refused(400, "INVALID_ARGUMENT", "At most 20 services at once.")
        name = f"operations/acf.{self.cloud.fresh()}"
        self.enabling[name] = (self.cloud.now() + timedelta(seconds=ENABLE_S), [*called.body["serviceIds"]])
        return {"name": name, "done": False}

    def operation(self, called: Called) -> Any:
        name = f"operations/{called.path[0]}"
        if name not in self.enabling:
            raise Refused(404, "NOT_FOUND", f"The operation does not exist: {name}")
        due, services = self.enabling[name]
        if due > self.cloud.now():
            return {"name": name, "done": False}
        self.enabled.update(services)
        return {"name": name, "done": True, "response": {}}

    def quotas(self, called: Called) -> Any:
        if called.query.get("view") not in {"BASIC", "FULL"}:
            raise Refused(400, "INVALID_ARGUMENT", "view is BASIC or FULL")
        metrics = [*self._metrics(called.path[2])]
        first = int(called.query.get("pageToken", "0"))
        more = {"nextPageToken": str(first + 2)} if first + 2 < len(metrics) else {}
        return {"metrics": metrics[first : first + 2], **more}

    def _metrics(self, service: str) -> Iterator[dict[str, Any]]:
        for metric, limit in self.limits.items():
            buckets = [
                {"effectiveLimit": "0", "defaultLimit": "0"},
                {"effectiveLimit": "7", "defaultLimit": "7", "dimensions": {"region": "us-central1"}},
                {
                    "effectiveLimit": str(limit),
                    "defaultLimit": "0",
                    "dimensions": {"region": self.cloud.region},
                },
            ]
            unit = "1/{project}/{region}"
            yield {
                "metric": f"{service}/{metric}",
                "consumerQuotaLimits": [
                    {"metric": f"{service}/{metric}", "unit": unit, "quotaBuckets": buckets}
                ],
            }
