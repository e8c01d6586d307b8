"""Makes projects from the built-in template `model` for tests. May not judge them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CHOICES", "FRAMEWORKS", "LONGEST", "MODULES", "TASKS", "Choice", "model_project"]

TASKS = ("tabular", "text", "image")
MODULES = {
    "sklearn": "sklearn",
    "xgboost": "xgboost",
    "pytorch": "torch",
    "tensorflow": "tensorflow",
    "jax": "jax",
}
"""What each framework is imported as."""
FRAMEWORKS = (*MODULES,)
DEEP = frozenset({"pytorch", "tensorflow", "jax"})
LONGEST = "a-name-of-20-letters"


@dataclass(frozen=True)
class Choice:
    """Answers, and the word that tests are called by; flags that a template does not ask for are not given."""

    framework: str = "sklearn"
    task: str = "tabular"
    provider: str = "local"
    serving: str = "both"
    flags: bool = False
    """GPUs, features, versions of the data and a notebook, where they are asked for."""
    name: str = "churn"

    @property
    def answers(self) -> Mapping[str, str | bool]:
        flags = ["data_versions", "notebook"]
        flags += ["gpu"] if self.framework in DEEP else []
        flags += ["features"] if self.task == "tabular" else []
        return {
            "name": self.name,
            "task": self.task,
            "framework": self.framework,
            "serving": self.serving,
            "provider": self.provider,
            **dict.fromkeys(flags, self.flags),
        }

    @property
    def package(self) -> str:
        """The name of the project's Python package."""
        return f"{self.name.replace('-', '_')}_model"

    def __str__(self) -> str:
        words = [self.framework, self.task, self.provider, self.serving, *(["all"] if self.flags else [])]
        return "-".join(words + (["long"] if self.name == LONGEST else []))


CHOICES = (
    Choice("sklearn", "tabular", "local", "both", flags=True),
    Choice("sklearn", "text", "aws", "realtime", name=LONGEST),
    Choice("sklearn", "image", "gcp", "batch", flags=True),
    Choice("xgboost", "tabular", "gcp", "realtime", name=LONGEST),
    Choice("xgboost", "text", "azure", "both", flags=True),
    Choice("xgboost", "image", "local", "batch", name="abc"),
    Choice("pytorch", "tabular", "aws", "batch", flags=True, name=LONGEST),
    Choice("pytorch", "text", "local", "realtime", flags=True),
    Choice("pytorch", "image", "azure", "both"),
    Choice("tensorflow", "tabular", "azure", "realtime", flags=True),
    Choice("tensorflow", "text", "gcp", "batch"),
    Choice("tensorflow", "image", "aws", "both", flags=True, name=LONGEST),
    Choice("jax", "tabular", "local", "batch"),
    Choice("jax", "text", "gcp", "both", flags=True, name=LONGEST),
    Choice("jax", "image", "aws", "realtime"),
    Choice("xgboost", "tabular", "aws", "both", flags=True),
    Choice("jax", "image", "azure", "batch", flags=True, name="abc"),
)
"""Every pair of framework, task, provider and serving but few, both values of each flag, the shortest and longest name."""


def model_project(scaffolder: Path, folder: Path, choice: Choice) -> Path:
    """Run ``scaffolder new model``; the user's own settings are out of reach."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    said = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in choice.answers.items()
    }
    answers = [word for name, value in said.items() for word in ("--set", f"{name}={value}")]
    subprocess.run(
        [scaffolder, "new", "model", folder, "--defaults", *answers],
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(home)},
    )
    return folder
