"""Write docs/reference/platform.schema.json and docs/reference/spec.md from the spec's model."""

from __future__ import annotations

import json
from pathlib import Path

from scaffolder.spec.json_schema import json_schema
from scaffolder.spec.reference import reference_page

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"

if __name__ == "__main__":
    REFERENCE.mkdir(parents=True, exist_ok=True)
    schema = json.dumps(json_schema(), indent=2, ensure_ascii=False)
    (REFERENCE / "platform.schema.json").write_text(f"{schema}\n", encoding="utf-8")
    (REFERENCE / "spec.md").write_text(reference_page(), encoding="utf-8")
