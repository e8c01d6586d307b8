"""Places that a job reads and writes: a folder, a bucket of S3 or Cloud Storage, a container of Azure's blobs.

Each is a folder somewhere; names are paths in it. May not know what is kept there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, unquote, urlsplit
from uuid import uuid4
from xml.etree import ElementTree as ET

from .wire import Answer, Around, Refused, address, azure_tokens, google_tokens

__all__ = ["Place", "aws_client", "aws_said", "place_at"]

BLOBS = "2023-11-03"
"""Version of Azure's blob service, as its header has it."""
AWS_RETRIES = {"mode": "standard", "total_max_attempts": 5}
JSON = "application/json"


class Place(Protocol):
    """A folder somewhere."""

    def names(self, below: str = "") -> list[str]:
        """All files below a path of this place, sorted."""
        ...

    def folders(self, below: str = "") -> list[str]:
        """The names of the folders that are right below a path, sorted."""
        ...

    def read(self, name: str) -> bytes | None:
        """A file's content, or ``None`` where it is not there."""
        ...

    def create(self, name: str, content: bytes) -> bool:
        """Write a file that is not there yet, and say whether it is ours: another's stays as it is."""
        ...

    def replace(self, name: str, content: bytes) -> None: ...


def place_at(uri: str, around: Around) -> Place:
    """The place of an address: a path or ``file:``, ``s3:``, ``gs:``, or ``https:`` of Azure's blobs.

    Raises:
        ValueError: it is none of these.
    """
    parts = urlsplit(uri)
    match parts.scheme:
        case "":
            return Folder(Path(uri))
        case "file":
            return Folder(Path(unquote(parts.path)))
        case "s3":
            return S3(parts.netloc, parts.path.strip("/"))
        case "gs":
            return Gcs(around, parts.netloc, parts.path.strip("/"))
        case "https" if parts.netloc.partition(".")[2].startswith("blob."):
            container, _, path = parts.path.strip("/").partition("/")
            return Blobs(around, f"https://{parts.netloc}/{container}", path.strip("/"))
        case _:
            raise ValueError(
                f"{uri}: a path, file:, s3:, gs: or Azure's blobs are read, and this is none of them"
            )


def _joined(*parts: str) -> str:
    return "/".join(part for part in parts if part)


class Folder:
    """A folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self, below: str = "") -> list[str]:
        found = (path for path in (self._root / below).rglob("*") if path.is_file())
        return sorted(path.relative_to(self._root).as_posix() for path in found if path.suffix != ".half")

    def folders(self, below: str = "") -> list[str]:
        place = self._root / below
        return sorted(path.name for path in place.iterdir() if path.is_dir()) if place.is_dir() else []

    def read(self, name: str) -> bytes | None:
        try:
            return (self._root / name).read_bytes()
        except FileNotFoundError:
            return None

    def create(self, name: str, content: bytes) -> bool:
        half = self._half(name, content)
        try:
            os.link(half, self._root / name)  # at once, and only where nothing is
        except FileExistsError:
            return False
        finally:
            half.unlink()
        return True

    def replace(self, name: str, content: bytes) -> None:
        self._half(name, content).replace(self._root / name)

    def _half(self, name: str, content: bytes) -> Path:
        half = self._root / f"{name}.{uuid4().hex}.half"
        half.parent.mkdir(parents=True, exist_ok=True)
        half.write_bytes(content)
        return half


# --- S3 --------------------------------------------------------------------------------------------------------------


def aws_client(service: str, region: str | None = None) -> Any:
    """A client of boto3's, which the image has to have.

    Raises:
        Refused: it has not.
    """
    try:
        boto3, config = import_module("boto3"), import_module("botocore.config")
    except ModuleNotFoundError as missing:
        raise Refused(f"the image has no {missing.name}: add boto3 to it") from missing
    try:
        return boto3.client(service, region_name=region, config=config.Config(retries=AWS_RETRIES))
    except Exception as error:  # noqa: BLE001 - of botocore, whose classes only the image has
        raise Refused(f"boto3 makes no client of {service}: {type(error).__name__}") from None


def aws_said(error: Exception, what: str) -> Refused:
    """An error of boto3's with its code alone: AWS's texts may quote what was sent."""
    said = getattr(error, "response", {})
    code = str(said.get("Error", {}).get("Code", "")) or type(error).__name__
    status = int(said.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return Refused(f"cannot {what}: AWS answered {code}", status)


class S3:
    """A prefix of a bucket of S3."""

    def __init__(self, bucket: str, path: str) -> None:
        self._bucket, self._path = bucket, path
        self._client: Any = None

    def names(self, below: str = "") -> list[str]:
        start = len(self._path) + 1 if self._path else 0
        return sorted(
            str(item["Key"])[start:]
            for page in self._pages(below)
            for item in page.get("Contents", ())
            if not str(item["Key"]).endswith("/")
        )

    def folders(self, below: str = "") -> list[str]:
        found = (
            item for page in self._pages(below, Delimiter="/") for item in page.get("CommonPrefixes", ())
        )
        return sorted(str(item["Prefix"]).rstrip("/").rpartition("/")[2] for item in found)

    def read(self, name: str) -> bytes | None:
        what = f"read {self._shown(name)}"
        try:
            reply = self._call("get_object", what, Key=_joined(self._path, name))
        except Refused as refused:
            if refused.status == 404:
                return None
            raise
        try:
            whole: bytes = reply["Body"].read()
        except Exception as error:  # noqa: BLE001 - of urllib3 and botocore, whose classes only the image has
            raise aws_said(error, what) from None
        return whole

    def create(self, name: str, content: bytes) -> bool:
        try:
            self._put(name, content, IfNoneMatch="*")
        except Refused as refused:
            if refused.status not in {409, 412}:
                raise
            return self.read(name) == content  # the answer to an earlier attempt may have been lost
        return True

    def replace(self, name: str, content: bytes) -> None:
        self._put(name, content)

    def _put(self, name: str, content: bytes, **more: str) -> None:
        key = _joined(self._path, name)
        self._call(
            "put_object", f"write {self._shown(name)}", Key=key, Body=content, ContentType=JSON, **more
        )

    def _pages(self, below: str, **more: str) -> Iterator[Mapping[str, Any]]:
        asked = {"Prefix": f"{_joined(self._path, below.strip('/'))}/".lstrip("/"), **more}
        while True:
            page = self._call("list_objects_v2", f"list {self._shown(below)}", **asked)
            yield page
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def _call(self, method: str, what: str, **asked: Any) -> Any:
        if self._client is None:
            self._client = aws_client("s3")
        try:
            return getattr(self._client, method)(Bucket=self._bucket, **asked)
        except Exception as error:  # noqa: BLE001 - of botocore, whose classes only the image has
            raise aws_said(error, what) from None

    def _shown(self, name: str) -> str:
        return f"s3://{self._bucket}/{_joined(self._path, name)}"


# --- Cloud Storage ---------------------------------------------------------------------------------------------------


class Gcs:
    """A prefix of a bucket of Cloud Storage, by its JSON API."""

    def __init__(self, around: Around, bucket: str, path: str) -> None:
        self._around, self._bucket, self._path = around, bucket, path
        self._tokens = google_tokens(around)
        self._home = f"https://storage.googleapis.com/storage/v1/b/{quote(bucket, safe='')}/o"

    def names(self, below: str = "") -> list[str]:
        start = len(self._path) + 1 if self._path else 0
        found = (item for page in self._pages(below) for item in page.get("items", ()))
        return sorted(str(item["name"])[start:] for item in found if not str(item["name"]).endswith("/"))

    def folders(self, below: str = "") -> list[str]:
        found = (name for page in self._pages(below, delimiter="/") for name in page.get("prefixes", ()))
        return sorted(str(name).rstrip("/").rpartition("/")[2] for name in found)

    def read(self, name: str) -> bytes | None:
        url = address(f"{self._home}/{quote(_joined(self._path, name), safe='')}", alt="media")
        answer = self._around.ask(
            "GET", url, f"read {self._shown(name)}", headers=self._tokens.headers(), fine=(404,)
        )
        return None if answer.status == 404 else answer.body

    def create(self, name: str, content: bytes) -> bool:
        if self._put(name, content, ifGenerationMatch="0") == 412:
            return self.read(name) == content  # the answer to an earlier attempt may have been lost
        return True

    def replace(self, name: str, content: bytes) -> None:
        self._put(name, content)

    def _put(self, name: str, content: bytes, **more: str) -> int:
        home = self._home.replace("/storage/v1/", "/upload/storage/v1/", 1)
        url = address(home, uploadType="media", name=_joined(self._path, name), **more)
        headers = {**self._tokens.headers(), "Content-Type": JSON}
        what = f"write {self._shown(name)}"
        fine = (412,) if more else ()
        return self._around.ask("POST", url, what, headers=headers, body=content, fine=fine).status

    def _pages(self, below: str, **more: str) -> Iterator[Mapping[str, Any]]:
        asked = {"prefix": f"{_joined(self._path, below.strip('/'))}/".lstrip("/"), **more}
        while True:
            url = address(self._home, **asked)
            page = self._around.ask("GET", url, f"list {self._shown(below)}", headers=self._tokens.headers())
            found: Mapping[str, Any] = page.document()
            yield found
            if not found.get("nextPageToken"):
                return
            asked["pageToken"] = str(found["nextPageToken"])

    def _shown(self, name: str) -> str:
        return f"gs://{self._bucket}/{_joined(self._path, name)}"


# --- Azure's blobs ---------------------------------------------------------------------------------------------------


class Blobs:
    """A prefix of a container of Azure's blob service."""

    def __init__(self, around: Around, container: str, path: str) -> None:
        self._around, self._container, self._path = around, container, path
        self._tokens = azure_tokens(around, "https://storage.azure.com/")

    def names(self, below: str = "") -> list[str]:
        start = len(self._path) + 1 if self._path else 0
        return sorted(name[start:] for name in self._listed(below, "Blob") if not name.endswith("/"))

    def folders(self, below: str = "") -> list[str]:
        found = self._listed(below, "BlobPrefix", delimiter="/")
        return sorted(name.rstrip("/").rpartition("/")[2] for name in found)

    def read(self, name: str) -> bytes | None:
        answer = self._ask("GET", self._url(name), f"read {self._url(name)}", fine=(404,))
        return None if answer.status == 404 else answer.body

    def create(self, name: str, content: bytes) -> bool:
        if self._put(name, content, {"If-None-Match": "*"}) in {409, 412}:
            return self.read(name) == content  # the answer to an earlier attempt may have been lost
        return True

    def replace(self, name: str, content: bytes) -> None:
        self._put(name, content, {})

    def _put(self, name: str, content: bytes, condition: Mapping[str, str]) -> int:
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": JSON, **condition}
        fine = (409, 412) if condition else ()
        url = self._url(name)
        return self._ask("PUT", url, f"write {url}", fine=fine, headers=headers, body=content).status

    def _listed(self, below: str, kind: str, **more: str) -> Iterator[str]:
        prefix = f"{_joined(self._path, below.strip('/'))}/".lstrip("/")
        asked = {"restype": "container", "comp": "list", "prefix": prefix, **more}
        while True:
            reply = self._ask("GET", address(self._container, **asked), f"list {self._container}/{prefix}")
            document = ET.fromstring(reply.body)  # noqa: S314 - the storage service's, over TLS
            yield from (item.findtext("Name") or "" for item in document.iter(kind))
            marker = document.findtext("NextMarker")
            if not marker:
                return
            asked["marker"] = marker

    def _url(self, name: str) -> str:
        return address(f"{self._container}/", _joined(self._path, name))

    def _ask(
        self, method: str, url: str, what: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> Answer:
        signed = {**self._tokens.headers(), "x-ms-version": BLOBS, **(headers or {})}
        return self._around.ask(method, url, what, headers=signed, **more)
