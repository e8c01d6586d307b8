"""HTTP to the clouds' REST services, with Python alone: bounded, and with the machine's own identity.

No SDK of Google's or Azure's is needed in a job's image. May not follow a redirect, which would carry a token elsewhere,
nor put a token, a query or a header into a message.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

__all__ = ["Answer", "Around", "Refused", "Tokens", "address", "azure_tokens", "google_tokens"]

ATTEMPTS = 5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
CALL_S = 60.0
AGAIN = frozenset({408, 429, 500, 502, 503, 504})
"""What services answer when the same call may go well a little later."""
LONGEST_TEXT = 300
EARLY = timedelta(minutes=2)
"""How long before its end a token is not used any more."""
GOOGLE_METADATA = "http://metadata.google.internal"
AZURE_METADATA = "http://169.254.169.254"


class Refused(OSError):
    """A service did not do what it was asked for; ``status`` is 0 where nothing answered."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Answer:
    """What a service answered."""

    status: int
    body: bytes

    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class _Nowhere(HTTPRedirectHandler):
    """Takes a redirect for the refusal that it is here."""

    def redirect_request(self, *_args: Any, **_named: Any) -> None:
        return None


@dataclass
class Around:
    """What a job reaches: a clock, and hosts; ``hosts`` has other addresses for some, such as a test's."""

    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    hosts: Mapping[str, str] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    signing: dict[str, Tokens] = field(default_factory=dict)
    """The tokens that there are, by what they are for."""

    def ask(  # noqa: PLR0913 - what makes a call, and what its refusals mean
        self,
        method: str,
        url: str,
        what: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        fine: Collection[int] = (),
        again: Collection[int] = AGAIN,
        surely: bool = True,
    ) -> Answer:
        """Make a call, and again where that may help; ``fine`` are refusals that the caller understands.

        With ``surely`` a call whose answer was lost is made again. Without, it is not: nobody knows whether it was done.

        Raises:
            Refused: it was not done.
        """
        for attempt in range(1, ATTEMPTS + 1):
            answer, problem, wait_s = self._once(method, url, headers or {}, body)
            if answer is not None and (answer.status < 300 or answer.status in fine):
                return answer
            lasting = answer.status not in again if answer is not None else not surely
            if lasting or attempt == ATTEMPTS:
                status = 0 if answer is None else answer.status
                raise Refused(f"cannot {what}: {_shown(url)} {self._masked(problem)}", status)
            pause = min(FIRST_PAUSE_S * 2.0 ** (attempt - 1), LONGEST_PAUSE_S)
            self.sleep(max(wait_s, pause * (0.5 + random.random() / 2)))  # noqa: S311 - no secret
        raise AssertionError  # the last attempt returns or raises

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[Answer | None, str, float]:
        meant = {"Host": urlsplit(url).netloc, **headers}
        request = Request(self._placed(url), data=body, headers=meant, method=method)  # noqa: S310 - our own addresses
        try:
            with _opener(request.full_url).open(request, timeout=CALL_S) as reply:
                whole = reply.read()
                said = reply.headers.get("Content-Length")
                if said is not None and method != "HEAD" and len(whole) < int(said):
                    return None, "sent half an answer", 0.0
                return Answer(reply.status, whole), f"answered {reply.status}", 0.0
        except HTTPError as error:
            with error:
                text = error.read(100_000)
            after = error.headers.get("Retry-After", "")
            wait_s = min(float(after), LONGEST_PAUSE_S) if after.isdecimal() else 0.0
            return (
                Answer(error.code, text),
                f"answered {error.code}: {_message(self._masked(_decoded(text)))}",
                wait_s,
            )
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            return None, f"did not answer ({type(reason).__name__}: {reason})", 0.0

    def _placed(self, url: str) -> str:
        parts = urlsplit(url)
        other = self.hosts.get(parts.netloc)
        return (
            url if other is None else other.rstrip("/") + url.removeprefix(f"{parts.scheme}://{parts.netloc}")
        )

    def _masked(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def _opener(url: str) -> OpenerDirector:
    """The machine's own services speak plain HTTP, and are behind no proxy."""
    own = [ProxyHandler({})] if url.startswith("http://") else []
    return build_opener(_Nowhere, *own)


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}"


def _decoded(body: bytes) -> str:
    return body.decode("utf-8", errors="replace")


def _message(text: str) -> str:
    """The service's own words, if it has any; JSON of Google's and Azure's, or XML of Azure's storage."""
    found = re.search(r"<Message>(.*?)</Message>", text, re.DOTALL)
    if found is not None:
        text = found[1]
    try:
        said = json.loads(text)
        told = said.get("error", said) if isinstance(said, dict) else text
        text = str(told.get("message", told)) if isinstance(told, dict) else str(told)
    except ValueError:
        pass
    return " ".join(text.split())[:LONGEST_TEXT]


def address(base: str, path: str = "", **query: str) -> str:
    """An address with its path and query escaped."""
    asked = f"?{urlencode(query, quote_via=quote)}" if query else ""
    return f"{base}{quote(path)}{asked}"


# --- identity --------------------------------------------------------------------------------------------------------


@dataclass
class Tokens:
    """The tokens of the machine's identity: each is kept until shortly before its end."""

    around: Around
    make: Callable[[Around], tuple[str, datetime]]
    _kept: tuple[str, datetime] | None = None

    def headers(self) -> dict[str, str]:
        """What a call is signed with."""
        if self._kept is None or self._kept[1] - EARLY <= self.around.now():
            self._kept = self.make(self.around)
            self.around.secrets.add(self._kept[0])
        return {"Authorization": f"Bearer {self._kept[0]}"}


def google_tokens(around: Around) -> Tokens:
    """Tokens of the job's service account, by Google's metadata server."""
    url = f"{GOOGLE_METADATA}/computeMetadata/v1/instance/service-accounts/default/token"

    def make(asked: Around) -> tuple[str, datetime]:
        what = "get a token of the job's service account"
        found = asked.ask("GET", url, what, headers={"Metadata-Flavor": "Google"}).document()
        return str(found["access_token"]), asked.now() + timedelta(seconds=int(found["expires_in"]))

    return around.signing.setdefault(url, Tokens(around, make))


def azure_tokens(around: Around, resource: str) -> Tokens:
    """Tokens of the job's managed identity: by Azure ML's own endpoint in a job of its, else by the machine's.

    Azure ML sets MSI_ENDPOINT, MSI_SECRET and DEFAULT_IDENTITY_CLIENT_ID (azure-identity, AzureMLCredential, 2026-11).
    """
    endpoint, secret = os.environ.get("MSI_ENDPOINT", ""), os.environ.get("MSI_SECRET", "")
    client = os.environ.get("DEFAULT_IDENTITY_CLIENT_ID", "")
    if endpoint and secret:
        around.secrets.add(secret)
        query = {
            "api-version": "2017-09-01",
            "resource": resource,
            **({"clientid": client} if client else {}),
        }
        url, headers = address(endpoint, **query), {"secret": secret}
    else:
        query = {
            "api-version": "2018-02-01",
            "resource": resource,
            **({"client_id": client} if client else {}),
        }
        url = address(f"{AZURE_METADATA}/metadata/identity/oauth2/token", **query)
        headers = {"Metadata": "true"}

    def make(asked: Around) -> tuple[str, datetime]:
        what = f"get a token of the job's managed identity for {resource}"
        found = asked.ask("GET", url, what, headers=headers, again=AGAIN | {404, 410}).document()
        try:
            ends = datetime.fromtimestamp(int(found["expires_on"]), UTC)
        except (KeyError, ValueError):
            ends = asked.now() + 2 * EARLY  # some versions write a date in words: ask again soon
        return str(found["access_token"]), ends

    return around.signing.setdefault(url, Tokens(around, make))
