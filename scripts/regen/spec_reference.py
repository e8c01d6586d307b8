"""Write docs/reference/{platform,pipeline}.schema.json, spec.md and pipeline.md from the two vocabularies, and from what targets say of them."""

from __future__ import annotations

import json
from pathlib import Path

from scaffolder.pipelines.reference import pipeline_page, pipeline_schema
from scaffolder.report.pipeline_targets import targets_page
from scaffolder.spec.json_schema import json_schema
from scaffolder.spec.reference import reference_page

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"

if __name__ == "__main__":
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, schema in (("platform", json_schema()), ("pipeline", pipeline_schema())):
        text = json.dumps(schema, indent=2, ensure_ascii=False)
        (REFERENCE / f"{name}.schema.json").write_text(f"{text}\n", encoding="utf-8")
    (REFERENCE / "spec.md").write_text(reference_page(), encoding="utf-8")
    (REFERENCE / "pipeline.md").write_text(f"{pipeline_page()}\n{targets_page()}", encoding="utf-8")
