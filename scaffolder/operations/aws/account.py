"""Calls to AWS, in the spec's account only, and tried again within bounds.

May not import the SDK before a call, know what is asked, nor sleep but by the opening's clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from scaffolder.errors import MissingExtraError
from scaffolder.operations.errors import NotFound, PermissionDenied
from scaffolder.operations.port import Opening
from scaffolder.operations.values import Principal
from scaffolder.operations.waiting import retried
from stacks.aws.context import Context
from stacks.record import record

if TYPE_CHECKING:
    from scaffolder.operations.aws.sdk import Sdk

__all__ = ["Account", "Reply", "Request", "Wire"]

Request: TypeAlias = Mapping[str, Any]
Reply: TypeAlias = Mapping[str, Any]


@record
class Wire:
    """How long a connection and an answer may take, in seconds."""

    connect_s: float = 10.0
    read_s: float = 60.0


class Account:
    """The spec's account, as the credentials of this process see it."""

    def __init__(self, opening: Opening, wire: Wire | None = None) -> None:
        self.context = Context(opening.platform)
        self.opening = opening
        self._wire = wire or Wire()
        self._caller: Principal | None = None

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
        return retried(lambda: self._sdk.call(service, operation, request, what), sleep=self.opening.sleep)

    @cached_property
    def _sdk(self) -> Sdk:
        try:
            from scaffolder.operations.aws.sdk import Sdk  # noqa: PLC0415 - the SDK comes with the first call
        except ModuleNotFoundError as missing:
            raise MissingExtraError("aws", missing.name or "boto3") from missing
        return Sdk(self.context.region, connect_s=self._wire.connect_s, read_s=self._wire.read_s)
