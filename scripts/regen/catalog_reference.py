"""Write docs/reference/catalog.md and catalog.schema.json from the vocabulary of catalogs."""

from __future__ import annotations

import json
from pathlib import Path

from scaffolder.projects.catalog import Catalog
from scaffolder.spec.json_schema import document_schema
from scaffolder.spec.reference import document_page

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
INTRODUCTION = """\
What a file `catalog.yaml` may say. `*` stands for a name of your own, or for a place in a list. A required key has to be there;
one without a default is off when it is left out. [How catalogs and policies work](../catalogs.md).
"""


def page() -> str:
    """The page of all keys, as Markdown."""
    text = document_page(Catalog, "A catalog", INTRODUCTION.strip())
    return text.replace("spec_reference.py", Path(__file__).name)


def schema() -> str:
    """The JSON Schema (draft 2020-12), for editors."""
    return f"{json.dumps(document_schema(Catalog, 'Catalog'), indent=2, ensure_ascii=False)}\n"


if __name__ == "__main__":
    (REFERENCE / "catalog.md").write_text(page(), encoding="utf-8")
    (REFERENCE / "catalog.schema.json").write_text(schema(), encoding="utf-8")
