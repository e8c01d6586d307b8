"""Makes projects from the built-in template `llm` for tests. May not judge them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CHOICES", "Choice", "llm_project", "package_of"]


@dataclass(frozen=True)
class Choice:
    """Answers, and the word that tests are called by."""

    provider: str
    store: str = "embedded"
    pdf: str = "yes"
    name: str = "assistant"

    @property
    def answers(self) -> Mapping[str, str]:
        return {
            "provider": self.provider,
            "pdf": self.pdf,
            "name": self.name,
            **({} if self.provider == "local" else {"store": self.store}),
        }

    def __str__(self) -> str:
        return f"{self.provider}-{self.store}-{'pdf' if self.pdf == 'yes' else 'no-pdf'}"


LONGEST = "a-name-of-20-letters"
CHOICES = (
    Choice("local"),
    Choice("local", pdf="no", name="qa1"),
    Choice("aws", "platform"),
    Choice("aws", "embedded", "no", LONGEST),
    Choice("gcp", "platform", "no"),
    Choice("gcp", "embedded", "yes", LONGEST),
    Choice("azure", "platform", "yes", LONGEST),
    Choice("azure", "embedded", "no"),
)
"""Every pair of answers, and the shortest and the longest name."""


def llm_project(scaffolder: Path, folder: Path, choice: Choice) -> Path:
    """Run ``scaffolder new llm``; the user's own settings are out of reach."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    answers = [word for name, value in choice.answers.items() for word in ("--set", f"{name}={value}")]
    subprocess.run(
        [scaffolder, "new", "llm", folder, "--defaults", *answers],
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(home)},
    )
    return folder


def package_of(choice: Choice) -> str:
    """The name of the project's Python package."""
    return f"{choice.name.replace('-', '_')}_app"
