"""What an endpoint on your own machine answers with: `scaffolder models deploy` loads a model's folder by this.

The folder holds the package as it was when the model was trained. May not write anything.
"""

from __future__ import annotations

from pathlib import Path

from {{ cookiecutter.__package }}.artifact import Model, load_model
from {{ cookiecutter.__package }}.inference import answered


def load(folder: Path) -> Model:
    """Load the model in a folder."""
    return load_model(folder)


def predict(model: Model, body: bytes, content_type: str) -> tuple[bytes, str]:
    """Answer a request; ValueError is the request's fault."""
    answer = answered(model, body, content_type)
    return answer.body, answer.content_type
