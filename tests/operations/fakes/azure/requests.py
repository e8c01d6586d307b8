"""A request to Azure, and what is answered: the shapes that the fake's parts share, and how Azure says no."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Answer", "Refusal", "Request", "said"]


@dataclass(frozen=True)
class Request:
    """A request as it came in; names of headers are in small letters."""

    method: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def document(self) -> Any:
        """The body as JSON."""
        if self.headers.get("content-type") != "application/json":
            raise Refusal(415, "UnsupportedMediaType", "the body is not said to be application/json")
        try:
            return json.loads(self.body)
        except ValueError:
            raise Refusal(400, "InvalidRequestContent", "the body is no JSON") from None


@dataclass(frozen=True)
class Answer:
    """What is answered."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """Azure says no."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code
        self.message = message
        super().__init__(f"{status} {code}: {message}")

    def answer(self, *, storage: bool) -> Answer:
        """As Azure Storage says it, or as everything else does."""
        if storage:
            text = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{self.code}</Code><Message>{self.message}</Message></Error>'
            headers = {"Content-Type": "application/xml", "x-ms-error-code": self.code}
            return Answer(self.status, text.encode(), headers)
        return said({"error": {"code": self.code, "message": self.message}}, self.status)


def said(document: Any, status: int = 200) -> Answer:
    """A document as an answer."""
    return Answer(status, json.dumps(document).encode(), {"Content-Type": "application/json; charset=utf-8"})
