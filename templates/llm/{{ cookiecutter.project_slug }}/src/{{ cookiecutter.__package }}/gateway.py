"""The port to language models: one request, one answer or a stream of pieces. May not know which cloud is behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

__all__ = [
    "Completion",
    "Gateway",
    "GatewayError",
    "Message",
    "Refused",
    "Request",
    "Unavailable",
    "Usage",
    "collected",
]

Stop = Literal["end", "length", "filtered"]


class GatewayError(Exception):
    """The model gave no answer; the message has the cloud's own words."""


class Unavailable(GatewayError):
    """It may answer later: throttled, overloaded or out of reach."""


class Refused(GatewayError):
    """It will not answer this: no permission, no such model, or a request that it does not take."""


@dataclass(frozen=True, slots=True)
class Message:
    """What one side said."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Request:
    """What a model is asked. A temperature of 0 asks for the likeliest words; it promises no equal answers."""

    system: str
    messages: Sequence[Message]
    most_tokens: int = 512
    temperature: float = 0.0


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, as the model counts them."""

    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens)


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer, why it ended, and what it took."""

    text: str
    model: str
    stop: Stop
    usage: Usage


class Gateway(Protocol):
    """The port. Both raise :class:`Unavailable` or :class:`Refused`; a stream ends with the whole completion."""

    @property
    def model(self) -> str: ...
    def complete(self, request: Request) -> Completion: ...
    def stream(self, request: Request) -> Iterator[str | Completion]: ...


def collected(pieces: Iterator[str | Completion]) -> Completion:
    """Wait for a stream's end.

    Raises:
        Unavailable: it broke off before.
    """
    for piece in pieces:
        if isinstance(piece, Completion):
            return piece
    raise Unavailable("the stream broke off before the answer was whole")
