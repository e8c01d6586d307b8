"""Azure Storage's blobs: containers, blobs with metadata and leases, and nothing that its own client does not send.

The headers and parameters that each operation takes are read from azure-storage-blob's generated client.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from xml.sax.saxutils import escape

from tests.operations.fakes.azure.requests import Answer, Refusal, Request

__all__ = ["Blob", "Blobs"]

GENERATED = "azure.storage.blob._generated.operations"
OPERATIONS = {
    ("PUT", ""): ("_block_blob_operations", "build_upload_request"),
    ("PUT", "lease"): ("_blob_operations", "build_acquire_lease_request"),
    ("PUT", "metadata"): ("_blob_operations", "build_set_metadata_request"),
    ("GET", "list"): ("_container_operations", "build_list_blob_hierarchy_segment_request"),
    ("GET", ""): ("_blob_operations", "build_download_request"),
    ("HEAD", ""): ("_blob_operations", "build_get_properties_request"),
}
RELEASE = ("_blob_operations", "build_release_lease_request")
PLAIN = {"accept", "accept-encoding", "authorization", "connection", "content-length", "host", "user-agent"}
PAGE = 3
"""Few to a page, so that whoever reads only the first is found out."""
MOST_LEASE_S, LEAST_LEASE_S = 60, 15


@cache
def _taken(module: str, builder: str) -> tuple[frozenset[str], frozenset[str]]:
    """The headers and parameters that an operation's request is built with."""
    source = inspect.getsource(getattr(import_module(f"{GENERATED}.{module}"), builder))
    headers = {it.lower() for it in re.findall(r"_headers\[\"([^\"]+)\"\]", source)}
    return frozenset(headers), frozenset(re.findall(r"_params\[\"([^\"]+)\"\]", source))


@dataclass
class Blob:
    """A blob; ``lease`` is the id of who has it."""

    body: bytes
    metadata: dict[str, str] = field(default_factory=dict)
    lease: str = ""


class Blobs:
    """Containers by their address (``host/container``), and what is in them."""

    def __init__(self) -> None:
        self.containers: dict[str, dict[str, Blob]] = {}

    def write(self, url: str, body: bytes) -> None:
        """Write a blob as some job does."""
        host, container, path = url.removeprefix("https://").split("/", 2)
        self.containers[f"{host}/{container}"][path] = Blob(body)

    def answer(self, request: Request) -> Answer:
        """Answer a request for a blob."""
        container, _, path = request.path.lstrip("/").partition("/")
        there = self.containers.get(f"{request.host}/{container}")
        action = request.query.get("comp", "")
        if (request.method, action) not in OPERATIONS:
            raise AssertionError(f"the fake has no {request.method} comp={action} of blobs")
        self._check(request, action)
        if there is None:
            raise Refusal(404, "ContainerNotFound", "The specified container does not exist.")
        if action == "list":
            return _listed(request, sorted(there))
        if (request.method, action) == ("PUT", ""):
            return self._put(request, there, path)
        blob = there.get(path)
        if blob is None:
            raise Refusal(404, "BlobNotFound", "The specified blob does not exist.")
        match action:
            case "lease":
                return self._lease(request, blob)
            case "metadata":
                self._held(request, blob)
                blob.metadata = _metadata(request)
                return Answer(200)
        headers = {f"x-ms-meta-{name}": value for name, value in blob.metadata.items()}
        return Answer(200, b"" if request.method == "HEAD" else blob.body, headers)

    def _check(self, request: Request, action: str) -> None:
        chosen = OPERATIONS[request.method, action]
        if action == "lease" and request.headers.get("x-ms-lease-action") == "release":
            chosen = RELEASE
        headers, parameters = _taken(*chosen)
        for name in request.headers:
            if name not in headers | PLAIN and not name.startswith("x-ms-meta-"):
                raise Refusal(400, "InvalidHeaderValue", f"there is no header {name} of {chosen[1]}")
        if set(request.query) - parameters - {"comp"}:
            raise Refusal(400, "InvalidQueryParameterValue", f"parameters {set(request.query)}")
        if re.fullmatch(r"20\d\d-\d\d-\d\d", request.headers.get("x-ms-version", "")) is None:
            raise Refusal(400, "InvalidHeaderValue", "x-ms-version is not there")

    def _put(self, request: Request, there: dict[str, Blob], path: str) -> Answer:
        if request.headers.get("x-ms-blob-type") != "BlockBlob":
            raise Refusal(400, "MissingRequiredHeader", "x-ms-blob-type")
        known = there.get(path)
        if known is not None and request.headers.get("if-none-match") == "*":
            raise Refusal(409, "BlobAlreadyExists", "The specified blob already exists.")
        if known is not None:
            self._held(request, known)
        there[path] = Blob(request.body, _metadata(request))
        return Answer(201)

    def _held(self, request: Request, blob: Blob) -> None:
        given = request.headers.get("x-ms-lease-id", "")
        if blob.lease and not given:
            raise Refusal(
                412, "LeaseIdMissing", "There is currently a lease on the blob and no lease ID was specified."
            )
        if given != blob.lease:
            raise Refusal(412, "LeaseIdMismatchWithBlobOperation", "The lease ID did not match the blob's.")

    def _lease(self, request: Request, blob: Blob) -> Answer:
        match request.headers.get("x-ms-lease-action"):
            case "acquire":
                length = int(request.headers.get("x-ms-lease-duration", "0"))
                if length != -1 and not LEAST_LEASE_S <= length <= MOST_LEASE_S:
                    raise Refusal(400, "InvalidHeaderValue", "x-ms-lease-duration")
                proposed = request.headers.get("x-ms-proposed-lease-id", "")
                if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", proposed) is None:
                    raise Refusal(400, "InvalidHeaderValue", "x-ms-proposed-lease-id")
                if blob.lease not in ("", proposed):
                    raise Refusal(409, "LeaseAlreadyPresent", "There is already a lease present.")
                blob.lease = proposed
                return Answer(201, headers={"x-ms-lease-id": proposed})
            case "release":
                if blob.lease != request.headers.get("x-ms-lease-id"):
                    raise Refusal(409, "LeaseIdMismatchWithLeaseOperation", "The lease ID did not match.")
                blob.lease = ""
                return Answer(200)
        raise Refusal(400, "InvalidHeaderValue", "x-ms-lease-action")


def _listed(request: Request, names: list[str]) -> Answer:
    """A page of what is below a prefix; with a delimiter, folders as one."""
    if request.query.get("restype") != "container":
        raise Refusal(400, "InvalidQueryParameterValue", "restype")
    prefix, cut = request.query.get("prefix", ""), request.query.get("delimiter", "")
    found: dict[str, str] = {}
    for name in names:
        if name.startswith(prefix):
            rest = name.removeprefix(prefix)
            inner = rest.partition(cut)[0] + cut if cut and cut in rest else ""
            found[prefix + inner if inner else name] = "BlobPrefix" if inner else "Blob"
    start = int(request.query.get("marker") or "0")
    page = [*found.items()][start : start + PAGE]
    items = "".join(f"<{kind}><Name>{escape(name)}</Name></{kind}>" for name, kind in page)
    following = str(start + PAGE) if start + PAGE < len(found) else ""
    text = (
        f"<EnumerationResults><Blobs>{items}</Blobs><NextMarker>{following}</NextMarker></EnumerationResults>"
    )
    return Answer(200, f'<?xml version="1.0" encoding="utf-8"?>{text}'.encode())


def _metadata(request: Request) -> dict[str, str]:
    start = "x-ms-meta-"
    return {
        name.removeprefix(start): value for name, value in request.headers.items() if name.startswith(start)
    }
