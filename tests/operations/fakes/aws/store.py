"""What the parts of the fake SageMaker share: where it is, what time it is, and how it refuses.

May not know a resource.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeAlias

from tests.emulator.call import Refusal

__all__ = ["Answers", "Parameters", "Place", "absent", "page", "refused", "taken"]

Parameters: TypeAlias = Mapping[str, Any]
Answers: TypeAlias = Mapping[str, Callable[[Parameters], Mapping[str, Any]]]

PAGE = 3
"""Few to a page, so that whoever reads only the first is found out."""


@dataclass(slots=True)
class Place:
    """An account in a region, at a time. ``tags`` are by ARN, for all that can be tagged."""

    account: str
    region: str
    now: Callable[[], datetime]
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    made: int = 0

    def arn(self, resource: str) -> str:
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{resource}"

    def word(self) -> str:
        """Twelve letters and digits that nothing else has."""
        self.made += 1
        return sha256(str(self.made).encode()).hexdigest()[:12]

    def tag(self, arn: str, tags: Iterable[Mapping[str, str]]) -> None:
        self.tags.setdefault(arn, {}).update({tag["Key"]: tag["Value"] for tag in tags})


def refused(message: str, code: str = "ValidationException") -> Refusal:
    return Refusal(code, message)


def absent(what: str, code: str = "ValidationException") -> Refusal:
    """What SageMaker says of what is not there; some operations have a code for it, most have not."""
    return Refusal(
        code, f"Could not find {what}." if code == "ValidationException" else f"{what} does not exist."
    )


def taken(kind: str, arn: str) -> Refusal:
    return Refusal("ValidationException", f'Cannot create already existing {kind} "{arn}".')


def page(items: Sequence[Mapping[str, Any]], asked: Parameters, member: str) -> dict[str, Any]:
    """A page of a list, and the token of the next."""
    start = int(asked.get("NextToken", "0").removeprefix("page-") or 0)
    size = min(int(asked.get("MaxResults", PAGE)), PAGE)
    more = {"NextToken": f"page-{start + size}"} if start + size < len(items) else {}
    return {member: list(items[start : start + size]), **more}
