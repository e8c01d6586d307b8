"""Calls to Azure: Resource Manager, Azure ML's run history, Azure Storage and endpoints, over azure-core's pipeline.

Every answer is an error of the port's or a reply; what may be tried again is, a bounded number of times. May not know what
a platform is called in Azure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from http import HTTPStatus
from importlib import import_module
from typing import Any, TypeAlias
from urllib.parse import quote

from scaffolder.errors import MissingExtraError
from scaffolder.operations.azure.failures import raised, refused
from scaffolder.operations.errors import (
    Conflict,
    InvalidRequest,
    NotFound,
    OperationError,
    Throttled,
    Unavailable,
)
from scaffolder.operations.waiting import Patience, retried
from stacks.record import record

__all__ = ["ML_API", "Asked", "Calls", "Cloud", "Reply", "escaped"]

ML_API = "2025-12-01"
"""The version of Microsoft.MachineLearningServices that is spoken; the stacks' azapi resources are of it too."""

STORAGE_API = "2024-11-04"
"""The version of Azure Storage's data plane (Azure Storage, versioning, November 2026)."""

CONNECT_S, READ_S = 10.0, 60.0
Document: TypeAlias = dict[str, Any]


@record
class Cloud:
    """Where Azure is, and who asks; a test or a sovereign cloud sets others.

    ``credential`` makes a credential of azure-core, ``transport`` what carries a request; ``None`` are the default ones.
    """

    manager: str = "https://management.azure.com"
    manager_scope: str = "https://management.azure.com/.default"
    ml_scope: str = "https://ml.azure.com/.default"
    storage_scope: str = "https://storage.azure.com/.default"
    blobs: str = "https://{account}.blob.core.windows.net"
    credential: Callable[[], Any] | None = None
    transport: Callable[[], Any] | None = None


@record
class Reply:
    """An answer that is a success; names of headers are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def document(self) -> Document:
        """Read the answer as a JSON object.

        Raises:
            Unavailable: it is none, which a proxy's page or half an answer may be.
        """
        try:
            found = json.loads(self.body or b"{}")
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Unavailable(
                "Azure's answer is no JSON object", text=self.body[:200].decode("utf-8", "replace")
            )
        return found


@record
class Asked:
    """A request; ``doing`` says what for (``submit the run x``), ``scope`` of what its token is.

    An empty scope sends none, where the address itself proves who asks. Without ``repeat`` only what was certainly not
    done is tried again; without ``waits`` a conflict is an answer, and not somebody to wait for.
    """

    method: str
    url: str
    doing: str
    scope: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    repeat: bool = True
    waits: bool = True


def escaped(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="")


class Calls:
    """What every group of operations asks Azure through."""

    def __init__(self, cloud: Cloud, sleep: Callable[[float], None]) -> None:
        self.cloud = cloud
        self.patience = Patience()
        self._sleep = sleep
        self._pipelines: dict[str, Any] = {}
        self._credential: Any = None
        self._transport: Any = None

    # --- Azure Resource Manager ---

    def get(self, path: str, doing: str, *, api: str = ML_API, **params: str) -> Document:
        """Read a resource."""
        return self._manage("GET", path, doing, api, params=params).document()

    def find(self, path: str, doing: str, *, api: str = ML_API) -> Document | None:
        """Read a resource, if it is there."""
        try:
            return self.get(path, doing, api=api)
        except NotFound:
            return None

    def put(
        self, path: str, body: Document, doing: str, *, api: str = ML_API, waits: bool = True
    ) -> Document:
        """Make a resource or change it to this; ``waits`` for who is at it, or takes a conflict for the answer."""
        return self._manage("PUT", path, doing, api, body=body, waits=waits).document()

    def post(self, path: str, doing: str, *, body: Document | None = None, api: str = ML_API) -> Document:
        """Let a resource do something that may be asked twice."""
        return self._manage("POST", path, doing, api, body=body).document()

    def delete(self, path: str, doing: str, *, api: str = ML_API, **params: str) -> None:
        """Let a resource go; one that is gone already is fine."""
        try:
            self._manage("DELETE", path, doing, api, params=params)
        except NotFound:
            return

    def pages(self, path: str, doing: str, *, api: str = ML_API, **params: str) -> Iterator[Document]:
        """Yield what a list has, page by page."""
        page = self.get(path, doing, api=api, **params)
        while True:
            yield from page.get("value") or []
            following = page.get("nextLink")
            if not following:
                return
            if not following.startswith(f"{self.cloud.manager}/"):
                raise InvalidRequest(
                    f"Azure sends to another place to {doing}", text=following.partition("?")[0]
                )
            asked = Asked(method="GET", url=following, doing=doing, scope=self.cloud.manager_scope)
            page = self.send(asked).document()

    def _manage(
        self,
        method: str,
        path: str,
        doing: str,
        api: str,
        *,
        body: Document | None = None,
        params: Mapping[str, str] | None = None,
        waits: bool = True,
    ) -> Reply:
        return self.send(
            Asked(
                method=method,
                url=f"{self.cloud.manager}{path}",
                doing=doing,
                scope=self.cloud.manager_scope,
                params={**(params or {}), "api-version": api},
                headers={} if body is None else {"Content-Type": "application/json"},
                body=None if body is None else json.dumps(body, sort_keys=True).encode(),
                waits=waits,
            )
        )

    # --- Azure Storage ---

    def blob(
        self,
        method: str,
        url: str,
        doing: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Reply:
        """Ask Azure Storage about a blob or its container, by who the directory knows."""
        return self.send(
            Asked(
                method=method,
                url=url,
                doing=doing,
                scope=self.cloud.storage_scope,
                params=params or {},
                headers={"x-ms-version": STORAGE_API, **(headers or {})},
                body=body,
            )
        )

    # --- anything ---

    def send(self, asked: Asked) -> Reply:
        """Send a request, and again where that is safe and may help.

        Raises:
            OperationError: what Azure says, or that it does not answer.
        """

        def once() -> Reply:
            try:
                return self._once(asked)
            except OperationError as error:
                final = isinstance(error, Conflict) and not asked.waits
                if final or (not asked.repeat and not isinstance(error, Throttled)):
                    raise _Final(error) from None
                raise

        try:
            return retried(once, sleep=self._sleep, patience=self.patience)
        except _Final as final:
            raise final.error from None

    def _once(self, asked: Asked) -> Reply:
        headers = {"Accept": "application/json", **asked.headers}
        if asked.body is None and asked.method in {"PUT", "POST"}:
            headers["Content-Length"] = "0"
        request = _sdk("azure.core.rest").HttpRequest(
            asked.method, asked.url, params=dict(asked.params), headers=headers, content=asked.body
        )
        try:
            found = self._pipeline(asked.scope).run(request).http_response
            content = found.read()
        except _sdk("azure.core.exceptions").AzureError as error:
            # What the SDK raises may quote an address, and an address may be a secret: it is not kept as a cause.
            raise raised(error, asked.doing) from None
        answered = {name.lower(): value for name, value in found.headers.items()}
        if not HTTPStatus.OK <= found.status_code < HTTPStatus.MULTIPLE_CHOICES:
            raise refused(found.status_code, content, answered, asked.doing)
        return Reply(status=found.status_code, headers=answered, body=content)

    def token(self, scope: str) -> str:
        """A token that is good now. May not come into a message.

        Raises:
            NotAuthenticated: none can be had.
        """
        try:
            return str(self._who().get_token(scope).token)
        except _sdk("azure.core.exceptions").AzureError as error:
            raise raised(error, "sign in") from None

    def _pipeline(self, scope: str) -> Any:
        policies = _sdk("azure.core.pipeline.policies")
        if scope not in self._pipelines:
            proves = [policies.BearerTokenCredentialPolicy(self._who(), scope)] if scope else []
            steps = [policies.UserAgentPolicy("scaffolder"), *proves]
            self._pipelines[scope] = _sdk("azure.core.pipeline").Pipeline(self._carrier(), steps)
        return self._pipelines[scope]

    def _carrier(self) -> Any:
        if self._transport is None:
            made = self.cloud.transport
            self._transport = (
                _sdk("azure.core.pipeline.transport").RequestsTransport(
                    connection_timeout=CONNECT_S, read_timeout=READ_S
                )
                if made is None
                else made()
            )
        return self._transport

    def _who(self) -> Any:
        if self._credential is None:
            self._credential = (self.cloud.credential or _default_credential)()
        return self._credential


def _sdk(module: str) -> Any:
    """A module of the SDK's, imported once an operation runs.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as missing:
        raise MissingExtraError("azure", missing.name or module) from missing


class _Final(Exception):
    def __init__(self, error: OperationError) -> None:
        self.error = error
        super().__init__(str(error))


def _default_credential() -> Any:
    return _sdk("azure.identity").DefaultAzureCredential()
