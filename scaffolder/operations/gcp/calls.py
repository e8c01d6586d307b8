"""Calls to Google: credentials, Vertex AI's generated clients over REST, and bare HTTP for what has none; mapped, retried.

A service's address can be set as gcloud takes it (``CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM`` and others), for Private
Service Connect. May not know a platform's resources.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from importlib import import_module
from typing import Any, TypeVar
from urllib.parse import quote

from scaffolder.operations.errors import TimedOut
from scaffolder.operations.gcp.faults import caught, failed_operation, mapped, said, timed_out
from scaffolder.operations.gcp.place import Place
from scaffolder.operations.port import Opening
from scaffolder.operations.waiting import Polling, retried, wait_until

__all__ = ["Calls", "escaped"]

T = TypeVar("T")

SCOPES = (
    "https://www.googleapis.com/auth/cloud-platform",
    "https://www.googleapis.com/auth/userinfo.email",
)
HOSTS: Mapping[str, str] = {
    "aiplatform": "https://{region}-aiplatform.googleapis.com",
    "cloudkms": "https://cloudkms.googleapis.com",
    "cloudresourcemanager": "https://cloudresourcemanager.googleapis.com",
    "logging": "https://logging.googleapis.com",
    "oauth2": "https://www.googleapis.com",
    "serviceusage": "https://serviceusage.googleapis.com",
    "storage": "https://storage.googleapis.com",
}
OVERRIDE = "CLOUDSDK_API_ENDPOINT_OVERRIDES_"
TIMEOUT_S = 60.0
LONG = Polling(start_s=2.0, factor=1.5, most_s=30.0, timeout_s=1800.0)


def escaped(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="")


class Calls:
    """What the groups of operations call Google through."""

    def __init__(self, opening: Opening) -> None:
        self.opening = opening
        self.place = Place(opening.platform)
        self._clients: dict[str, Any] = {}
        self._again = 0

    # --- credentials ---

    @cached_property
    def credentials(self) -> Any:
        """The application default credentials; what they use counts against the platform's project, as in its stacks.

        Raises:
            NotAuthenticated: there are none.
        """
        return self.ask(self._default, "find credentials")[0]

    @property
    def credentials_project(self) -> str:
        """The project that the credentials themselves name; empty where they name none."""
        return str(self.ask(self._default, "find credentials")[1] or "")

    def _default(self) -> Any:
        import google.auth  # noqa: PLC0415 - only once an operation runs

        return google.auth.default(scopes=SCOPES, quota_project_id=self.place.project)

    @cached_property
    def _session(self) -> Any:
        from google.auth.transport.requests import AuthorizedSession  # noqa: PLC0415 - only once an operation runs

        return AuthorizedSession(self.credentials)

    def token(self) -> str:
        """A token that is good now. May not come into a message.

        Raises:
            NotAuthenticated: none can be had.
        """
        from google.auth.transport.requests import Request  # noqa: PLC0415 - only once an operation runs

        credentials = self.credentials
        if not credentials.valid:
            self.ask(lambda: credentials.refresh(Request()), "sign in")
        return str(credentials.token)

    # --- calls ---

    def ask(self, call: Callable[[], T], doing: str, *, repeat: bool = True) -> T:
        """Make a call; again where that may help and ``repeat`` says that it is safe.

        Raises:
            OperationError: what the service says, or that it does not.
        """

        def once() -> T:
            try:
                return call()
            except caught() as error:
                raise mapped(error, doing) from said(error)

        return once() if self._again or not repeat else retried(once, sleep=self.opening.sleep)

    def again(self, act: Callable[[], T]) -> T:
        """Do something of several calls, and again while an error says so; each time it has to look what is there.

        The calls inside are not tried again by themselves, so that the tries are bounded together.
        """
        self._again += 1
        try:
            return retried(act, sleep=self.opening.sleep)
        finally:
            self._again -= 1

    def vertex(
        self, service: str, method: str, request: Mapping[str, Any], doing: str, *, repeat: bool = True
    ) -> Any:
        """Call a method of one of Vertex AI's generated clients (``pipeline_service``, ``create_pipeline_job``)."""
        bound = getattr(self._client(service), method)
        return self.ask(lambda: bound(request=request, retry=None, timeout=TIMEOUT_S), doing, repeat=repeat)

    def every(self, service: str, method: str, request: Mapping[str, Any], doing: str) -> Iterator[Any]:
        """Yield what a list of a generated client has, page by page."""
        asked: dict[str, Any] = {"page_size": 100, **request}
        while True:
            page = self.vertex(service, method, asked, doing)
            first = next(page.pages)
            yield from _items(first)
            if not first.next_page_token:
                return
            asked["page_token"] = first.next_page_token

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            words = "".join(word.capitalize() for word in service.split("_"))
            home = f"google.cloud.aiplatform_v1.services.{service}"
            transport = getattr(import_module(f"{home}.transports"), f"{words}RestTransport")
            made = transport(host=self.host("aiplatform"), credentials=self.credentials)
            self._clients[service] = getattr(import_module(home), f"{words}Client")(transport=made)
        return self._clients[service]

    def host(self, service: str) -> str:
        """The address of a service, without a slash at its end."""
        given = os.environ.get(f"{OVERRIDE}{service.upper()}", "")
        return given.rstrip("/") or HOSTS[service].format(region=self.place.context.region)

    def http(
        self,
        method: str,
        url: str,
        doing: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        repeat: bool = True,
        **body: Any,
    ) -> Any:
        """Send a request and return the answer, which is a success; ``body`` is ``json`` or ``data``."""

        def send() -> Any:
            from google.api_core.exceptions import from_http_response  # noqa: PLC0415 - only once an operation runs

            answer = self._session.request(
                method, url, params=params, headers=headers, timeout=TIMEOUT_S, **body
            )
            if not answer.ok:
                raise from_http_response(answer)
            return answer

        return self.ask(send, doing, repeat=repeat)

    def rest(self, service: str, method: str, path: str, doing: str, **more: Any) -> dict[str, Any]:
        """Call one of Google's REST methods by its path, and return what it answers."""

        def read() -> dict[str, Any]:
            answer = self.http(method, f"{self.host(service)}/{path}", doing, repeat=False, **more)
            found: dict[str, Any] = answer.json() if answer.content else {}
            return found

        repeat = bool(more.pop("repeat", True))
        return self.ask(read, doing, repeat=repeat)

    # --- long-running operations ---

    def finished(self, operation: str, doing: str, service: str = "aiplatform") -> dict[str, Any]:
        """Wait for a long-running operation by its name, and return what came of it.

        Polls the documented path: the generated clients ask below ``/ui/``, which is no part of the published API.
        """
        try:
            last = wait_until(
                lambda: self.rest(service, "GET", f"v1/{operation}", doing),
                lambda seen: bool(seen.get("done")),
                what=doing,
                sleep=self.opening.sleep,
                polling=LONG,
            )
        except TimedOut as late:
            raise timed_out(late, doing, operation) from late
        if "error" in last:
            raise failed_operation(last["error"], doing)
        found: dict[str, Any] = last.get("response", {})
        return found


def _items(page: Any) -> Iterator[Any]:
    """The only repeated field of a page of a list."""
    for field in type(page).meta.fields.values():
        if field.repeated:
            yield from getattr(page, field.name)
            return
