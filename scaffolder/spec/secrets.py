"""What a credential looks like, so that none is accepted, repeated in a message or written into an output.

May not decide what is done about one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["is_secret_name", "secret_in", "secrets_in"]

# Each vendor documents its prefix; only shapes that nothing else has (2026-11).
SHAPES = {
    "an AWS access key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,})",
    "a GitLab token": r"\bglpat-[A-Za-z0-9_.-]{20,}",
    "a Google API key": r"\bAIza[A-Za-z0-9_-]{35}",
    "a Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "an Azure storage key": r"\bAccountKey=[A-Za-z0-9+/]{40,}",
    "a signed web token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    "a password in a URL": r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{0,64}:[^\s/:@]{3,128}@",
}
ANY = re.compile("|".join(f"({shape})" for shape in SHAPES.values()))
SECRET_NAME = re.compile(
    r"(?:^|_)(?:password|passwd|secret|token|credentials?|private_?key|(?:secret_|account_|api_|access_)key)(?:$|_)",
    re.IGNORECASE,
)


def secrets_in(text: str) -> Iterator[tuple[int, str]]:
    """Find each credential's start and what it looks like."""
    for match in ANY.finditer(text):
        yield match.start(), tuple(SHAPES)[(match.lastindex or 1) - 1]


def secret_in(text: str) -> str:
    """Say what credential a text looks like; empty for none."""
    return next((kind for _, kind in secrets_in(text)), "")


def is_secret_name(name: str) -> bool:
    """Tell whether a key of that name may hold a secret."""
    return SECRET_NAME.search(name) is not None
