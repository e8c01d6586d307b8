"""Write docs/reference/template.md and template.schema.json from the vocabulary of templates."""

from __future__ import annotations

import json
from pathlib import Path

from scaffolder.projects.manifest import Manifest
from scaffolder.spec.json_schema import document_schema
from scaffolder.spec.reference import document_page

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
INTRODUCTION = """\
What a file `template.yaml` may say. `*` stands for a name of your own, or for a place in a list. A required key has to be there;
one without a default is off when it is left out. [How to write a template](../templates.md#write-one).
"""


def page() -> str:
    """The page of all keys, as Markdown."""
    text = document_page(Manifest, "A template", INTRODUCTION.strip())
    return text.replace("spec_reference.py", Path(__file__).name)


def schema() -> str:
    """The JSON Schema (draft 2020-12), for editors."""
    return f"{json.dumps(document_schema(Manifest, 'Template'), indent=2, ensure_ascii=False)}\n"


if __name__ == "__main__":
    (REFERENCE / "template.md").write_text(page(), encoding="utf-8")
    (REFERENCE / "template.schema.json").write_text(schema(), encoding="utf-8")
