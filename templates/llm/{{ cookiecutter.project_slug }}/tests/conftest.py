"""What tests share: the application over the project's own documents, with the stand-ins of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from {{ cookiecutter.__package }}.answering import Assistant
from {{ cookiecutter.__package }}.chunking import Chunking
from {{ cookiecutter.__package }}.settings import Settings
from {{ cookiecutter.__package }}.steps import chunk_step, embed_step, index_step, ingest_step
from {{ cookiecutter.__package }}.wiring import assistant_of

PROJECT = Path(__file__).parents[1]
DOCUMENTS = PROJECT / "data" / "kb" / "docs"


def build_index(folder: Path) -> Path:
    """All steps before the evaluation."""
    settings = Settings()
    ingest_step(DOCUMENTS, folder / "documents", print)
    chunk_step(folder / "documents", folder / "passages", Chunking(), print)
    embed_step(settings, folder / "passages", folder / "vectors", print)
    index_step(settings, folder / "passages", folder / "vectors", folder / "index", print)
    return folder / "index"


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_index(tmp_path_factory.mktemp("index"))


@pytest.fixture
def assistant(index: Path) -> Assistant:
    return assistant_of(Settings(), index)
