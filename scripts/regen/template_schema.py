"""Write the schema that a generated project has beside its spec, for editors: as ``scaffolder schema`` prints it."""

from __future__ import annotations

import json
from pathlib import Path

from scaffolder.spec.json_schema import json_schema

TEMPLATE = Path(__file__).resolve().parents[2] / "templates" / "platform" / "{{ cookiecutter.project_slug }}"

if __name__ == "__main__":
    schema = json.dumps(json_schema(), indent=2, ensure_ascii=False)
    (TEMPLATE / "platform.schema.json").write_text(f"{schema}\n", encoding="utf-8")
