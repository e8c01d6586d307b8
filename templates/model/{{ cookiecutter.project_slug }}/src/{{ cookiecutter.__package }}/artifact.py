"""A trained model as a folder, and back: what it takes, what made it, its own code. May not train or measure.

- model.json: what it takes and gives, with which settings and libraries it was made
- profile.json: what it learned from, as numbers that `monitor` compares with
- estimator/: the framework's own files; reading them runs nothing that lies in them
- this package, as it was: an endpoint on your machine answers with it
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import logging
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from {{ cookiecutter.__package }}.estimator import FRAMEWORK, LIBRARIES, Estimator
from {{ cookiecutter.__package }}.examples import Inputs
from {{ cookiecutter.__package }}.features import FEATURES, derive
from {{ cookiecutter.__package }}.schema import SCHEMA
from {{ cookiecutter.__package }}.settings import Settings
from {{ cookiecutter.__package }}.signature import Signature

DOCUMENT, PROFILE, ESTIMATOR, ARCHIVE = "model.json", "profile.json", "estimator", "model.tar.gz"
FORMAT = 1
LOG = logging.getLogger(__name__)


class ModelError(Exception):
    """A folder from which no model can be loaded; the message says why."""


@dataclass(frozen=True)
class Model:
    """A loaded model: rows as they come in, probabilities out. ``version`` is the digest of its files."""

    estimator: Estimator
    schema: Signature
    version: str
    profile: Mapping[str, Any]

    @property
    def classes(self) -> tuple[str, ...]:
        return self.schema.classes

    def predict(self, inputs: Inputs) -> NDArray[np.float64]:
        """The probability of each class, for rows of the schema."""
        return self.estimator.predict(derive(inputs))


def save_model(folder: Path, estimator: Estimator, profile: Mapping[str, Any]) -> None:
    """Write a model; the same model gives the same bytes where its framework's files do."""
    (folder / ESTIMATOR).mkdir(parents=True, exist_ok=True)
    estimator.save(folder / ESTIMATOR)
    document = {
        "format": FORMAT,
        "framework": FRAMEWORK,
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
        "schema": SCHEMA.document(),
        "features": FEATURES.document(),
        "settings": asdict(replace(estimator.settings, checkpoints="")),
    }
    write_json(folder / DOCUMENT, document)
    write_json(folder / PROFILE, profile)
    here = Path(__file__).parent
    (folder / here.name).mkdir(exist_ok=True)
    for source in sorted(here.glob("*.py")):
        shutil.copyfile(source, folder / here.name / source.name)


def load_model(folder: Path) -> Model:
    """Load a model from its folder, or from the archive that a training job leaves there.

    Raises:
        ModelError: there is none, it is another framework's, or it cannot be read.
    """
    if (folder / ARCHIVE).is_file() and not (folder / DOCUMENT).is_file():
        with tempfile.TemporaryDirectory() as scratch:
            unpack(folder / ARCHIVE, Path(scratch))
            return load_model(Path(scratch))
    try:
        document = json.loads((folder / DOCUMENT).read_text())
        profile = json.loads((folder / PROFILE).read_text())
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} holds no model: {error}") from error
    if (document["format"], document["framework"]) != (FORMAT, FRAMEWORK):
        raise ModelError(
            f"{folder} holds a model of {document['framework']}, format {document['format']};"
            f" this code reads {FRAMEWORK}, format {FORMAT}"
        )
    for name, version in document["libraries"].items():
        if importlib.metadata.version(name) != version:
            LOG.warning("made with another version of %s: %s", name, version)
    settings = Settings(**document["settings"])
    try:
        estimator = Estimator.load(folder / ESTIMATOR, Signature.of(document["features"]), settings)
    except Exception as error:
        raise ModelError(f"{folder / ESTIMATOR} cannot be read: {error}") from error
    return Model(estimator, Signature.of(document["schema"]), digest_of(folder), profile)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a training job's archive; nothing leaves the folder."""
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")


def digest_of(folder: Path) -> str:
    """A short digest of what a model is made of: its document and its estimator's files."""
    made = hashlib.sha256()
    for path in sorted([folder / DOCUMENT, *(folder / ESTIMATOR).rglob("*")]):
        if path.is_file():
            made.update(f"{path.relative_to(folder).as_posix()}\0".encode())
            made.update(hashlib.sha256(path.read_bytes()).digest())
    return made.hexdigest()[:12]


def write_json(path: Path, document: object) -> None:
    """Write JSON the same way each time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
