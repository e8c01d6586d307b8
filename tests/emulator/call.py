"""The values that pass between the parts of the emulator. May not know moto, HTTP or a service."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

__all__ = ["Amendment", "Answer", "Call", "Refusal", "Result", "Service"]


@dataclass(frozen=True, slots=True)
class Call:
    """One API call: who is asked for what, where, and with which parameters.

    `service` is botocore's name of the service; `operation` is the name of the operation, or
    `METHOD /path` where the service's API description has no operation for the request.
    """

    service: str
    operation: str
    region: str
    account: str
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """`service:operation`, as logs and refusals spell it."""
        return f"{self.service}:{self.operation}"

    def carrying(self, **parameters: object) -> Call:
        """The same call with these parameters beside, or instead of, its own."""
        return replace(self, parameters={**self.parameters, **parameters})

    def text(self, member: str) -> str:
        """The text of a parameter; empty where the caller gave none."""
        value = self.parameters.get(member)
        return value if isinstance(value, str) else ""

    def mapping(self, member: str) -> Mapping[str, object]:
        """A structure among the parameters; empty where the caller gave none."""
        value = self.parameters.get(member)
        return value if isinstance(value, Mapping) else {}

    def listed(self, member: str) -> Sequence[object]:
        """A list among the parameters; empty where the caller gave none."""
        value = self.parameters.get(member)
        return value if isinstance(value, list) else []


Result: TypeAlias = Mapping[str, object]
Answer: TypeAlias = Callable[[Call], Result | None]
"""None leaves the call to moto: after a check that let it pass, or because the thing is one of moto's."""
Amendment: TypeAlias = Callable[[Call, Result], Result]


class Refusal(Exception):
    """An error that the service answers with; `code` is one of its own error codes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Service:
    """What the layer does for one service.

    `answers` replace moto, or check what moto is then asked. `amendments` get moto's successful answer and return what is sent; only
    for services whose answers are JSON. `mistaken` are operations that moto takes for another one and
    seems to serve: they are refused.
    """

    name: str
    answers: Mapping[str, Answer] = field(default_factory=dict)
    amendments: Mapping[str, Amendment] = field(default_factory=dict)
    mistaken: frozenset[str] = frozenset()
