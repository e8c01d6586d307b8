"""Rewrite the excerpt in README.md: a part of what README's own spec synthesizes to."""

from __future__ import annotations

import json
import re
from pathlib import Path

from scaffolder.pipeline import synthesize_loaded
from scaffolder.spec.load import parse_spec
from stacks.emit.terraform_json import document, document_path

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN, END = "<!-- excerpt:begin -->", "<!-- excerpt:end -->"
STACK = "churn-prod-storage"
SHOWN = (
    ("resource", "aws_s3_bucket", "data"),
    ("resource", "aws_s3_bucket_server_side_encryption_configuration", "data"),
)


def spec_text(readme: str) -> str:
    """The spec that README shows first."""
    found = re.search(r"```yaml\n(# platform\.yaml\n.*?)```", readme, re.DOTALL)
    if found is None:
        raise ValueError("README.md shows no spec")
    return found[1]


def excerpt(readme: str) -> str:
    """What stands between the markers."""
    synthesis = synthesize_loaded(parse_spec(spec_text(readme)))
    (linked,) = (linked for linked in synthesis.stacks if linked.stack.name == STACK)
    written = json.loads(json.dumps(document(linked)))
    shown: dict[str, dict[str, object]] = {}
    for mode, type_, name in SHOWN:
        body = {key: value for key, value in written[mode][type_][name].items() if key != "//"}
        shown[type_] = {name: body}
    stacks, resources = (
        len(synthesis.stacks),
        sum(node.address.mode == "resource" for linked in synthesis.stacks for node in linked.nodes),
    )
    return (
        f"{stacks} stacks with {resources} resources. An excerpt of `cdktf.out/{document_path(STACK)}`:\n\n"
        f"```json\n{json.dumps(shown, indent=2)}\n```\n"
    )


def rewritten(readme: str) -> str:
    """README with the excerpt as it is now."""
    head, rest = readme.split(BEGIN)
    _, tail = rest.split(END)
    return f"{head}{BEGIN}\n{excerpt(readme)}{END}{tail}"


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
