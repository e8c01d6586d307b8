"""Calls to AWS: clients made when they are needed, in the spec's account only, retried, and their errors translated.

May not know what is asked, nor sleep but by the opening's clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from threading import Lock
from typing import Any, TypeAlias

import boto3
import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader, create_loader
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from scaffolder.operations.aws.failures import mapped
from scaffolder.operations.errors import NotFound, PermissionDenied
from scaffolder.operations.port import Opening
from scaffolder.operations.values import Principal
from scaffolder.operations.waiting import retried
from stacks.aws.context import Context
from stacks.record import record

__all__ = ["Account", "Reply", "Request", "Wire"]

Request: TypeAlias = Mapping[str, Any]
Reply: TypeAlias = Mapping[str, Any]

_RAISED = (BotoCoreError, ClientError, ResponseParserError, HTTPError)


@record
class Wire:
    """How long a connection and an answer may take, in seconds."""

    connect_s: float = 10.0
    read_s: float = 60.0


@cache
def _loader() -> Loader:
    """AWS's descriptions of its services, read once: SageMaker's alone is four megabytes."""
    return create_loader()


class Account:
    """The spec's account, as the credentials of this process see it."""

    def __init__(self, opening: Opening, wire: Wire | None = None) -> None:
        self.context = Context(opening.platform)
        self.opening = opening
        self._wire = wire or Wire()
        self._session: Any = None
        self._clients: dict[str, Any] = {}
        self._caller: Principal | None = None
        self._lock = Lock()

    def whoami(self) -> Principal:
        """Ask AWS whose the credentials are, whatever account that is."""
        if self._caller is None:
            said = self._ask("sts", "GetCallerIdentity", {}, "ask who the credentials are")
            self._caller = Principal(principal=said["Arn"], account=said["Account"])
        return self._caller

    def ask(self, service: str, operation: str, request: Request, what: str) -> Reply:
        """Make a call that is safe to repeat, and return its reply; ``what`` says what it is for (``list endpoints``).

        A reply's ``Body`` is read.

        Raises:
            OperationError: it failed.
            PermissionDenied: among them, the credentials are another account's.
        """
        self._stay_at_home()
        return self._ask(service, operation, request, what)

    def find(self, service: str, operation: str, request: Request, what: str) -> Reply | None:
        """Make a call as ``ask`` does; ``None`` where what it is about is not there."""
        try:
            return self.ask(service, operation, request, what)
        except NotFound:
            return None

    def each(
        self,
        service: str,
        operation: str,
        request: Request,
        items: str,
        what: str,
        *,
        token: tuple[str, str] = ("NextToken", "NextToken"),
    ) -> Iterator[Any]:
        """Yield the items of all pages; ``token`` names where the request and the reply have the next page's."""
        asked, told = token
        page: Request = request
        while True:
            reply = self.ask(service, operation, page, what)
            yield from reply.get(items, ())
            following = reply.get(told)
            if not following:
                return
            page = {**request, asked: following}

    def _stay_at_home(self) -> None:
        caller = self.whoami()
        if caller.account == self.context.account:
            return
        platform = self.context.platform
        raise PermissionDenied(
            f"the AWS credentials are of account {caller.account}, and environment {platform.environment} "
            f"of platform {platform.name} is in account {self.context.account}",
            remedy="Use a profile of that account (AWS_PROFILE), or mend the spec's account.",
        )

    def _ask(self, service: str, operation: str, request: Request, what: str) -> Reply:
        return retried(lambda: self._once(service, operation, request, what), sleep=self.opening.sleep)

    def _once(self, service: str, operation: str, request: Request, what: str) -> Reply:
        try:
            reply: dict[str, Any] = getattr(self._client(service), xform_name(operation))(**request)
            if hasattr(reply.get("Body"), "read"):
                with reply["Body"] as body:
                    reply["Body"] = body.read()
        except _RAISED as error:
            raise mapped(error, what, self._secrets()) from error
        return reply

    def _client(self, service: str) -> Any:
        with self._lock:
            if self._session is None:
                core = botocore.session.Session()
                core.register_component("data_loader", _loader())
                self._session = boto3.Session(botocore_session=core, region_name=self.context.region)
            if service not in self._clients:
                self._clients[service] = self._session.client(service, config=self._config())
            return self._clients[service]

    def _config(self) -> Config:
        """The SDK tries once: ``waiting`` tries again, and on a clock that tests can turn."""
        return Config(
            connect_timeout=self._wire.connect_s,
            read_timeout=self._wire.read_s,
            retries={"total_max_attempts": 1},
            user_agent_extra="scaffolder",
        )

    def _secrets(self) -> tuple[str, ...]:
        """What must not be in a message: the credentials that are loaded already."""
        found = self._session.get_credentials() if self._session is not None else None
        if found is None:
            return ()
        return tuple(value for value in (found.secret_key, found.token) if value)
