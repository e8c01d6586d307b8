"""boto3: clients made when they are needed, and one call at a time with its errors translated.

May not try again, nor know what is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from threading import Lock
from typing import Any

import boto3
import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, IncompleteReadError
from botocore.loaders import Loader, create_loader
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from scaffolder.operations.aws.failures import mapped

__all__ = ["Sdk"]

_RAISED = (BotoCoreError, ClientError, ResponseParserError, HTTPError)


@cache
def _loader() -> Loader:
    """AWS's descriptions of its services, read once: SageMaker's alone is some megabytes."""
    return create_loader()


def _check_whole(response_dict: Mapping[str, Any], **_others: object) -> None:
    """Refuse half a reply: boto3 does not count, and reads a list of JSON that was cut off as an empty one."""
    body, said = response_dict.get("body"), response_dict["headers"].get("content-length")
    if isinstance(body, bytes) and body and said is not None and len(body) < int(said):
        raise IncompleteReadError(actual_bytes=len(body), expected_bytes=int(said))


class Sdk:
    """boto3 in one region. It tries once: ``waiting`` tries again, and on a clock that tests can turn."""

    def __init__(self, region: str, *, connect_s: float, read_s: float) -> None:
        core = botocore.session.Session()
        core.register_component("data_loader", _loader())
        self._session = boto3.Session(botocore_session=core, region_name=region)
        self._config = Config(
            connect_timeout=connect_s,
            read_timeout=read_s,
            retries={"total_max_attempts": 1},
            user_agent_extra="scaffolder",
        )
        self._clients: dict[str, Any] = {}
        self._lock = Lock()

    def call(self, service: str, operation: str, request: Mapping[str, Any], what: str) -> Mapping[str, Any]:
        """Make one call, and read its reply's ``Body``."""
        try:
            reply: dict[str, Any] = getattr(self._client(service), xform_name(operation))(**request)
            if hasattr(reply.get("Body"), "read"):
                with reply["Body"] as body:
                    reply["Body"] = body.read()
        except _RAISED as error:
            # AWS quotes in some messages what was sent: the chain would show it.
            raise mapped(error, what, self._secrets()) from None
        return reply

    def _client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                client = self._session.client(service, config=self._config)
                client.meta.events.register("before-parse.*", _check_whole)
                self._clients[service] = client
            return self._clients[service]

    def _secrets(self) -> tuple[str, ...]:
        """What must not be in a message: the credentials that are loaded already."""
        found = self._session.get_credentials()
        return tuple(value for value in (found.secret_key, found.token) if value) if found else ()
