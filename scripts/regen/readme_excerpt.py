"""Rewrite the excerpt in README.md: a part of what the full example synthesizes to, of which README shows a part."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from scaffolder.pipeline import synthesize
from stacks.emit.terraform_json import document, document_path

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN, END = "<!-- excerpt:begin -->", "<!-- excerpt:end -->"
EXAMPLE = README.parent / "examples" / "04-full-aws" / "platform.yaml"
SHOWN = {
    "churn-dev-ml": (
        (
            "aws_sagemaker_endpoint_configuration",
            "churn",
            ("kms_key_arn", "lifecycle"),
        ),
    ),
    "churn-dev-monitoring": (
        ("aws_cloudwatch_event_rule", "drift-churn", ("event_pattern", "state")),
        ("aws_cloudwatch_event_target", "drift-churn--pipeline", ("arn", "role_arn", "dead_letter_config")),
    ),
}
"""Stack → types, names and arguments of the resources in the excerpt."""


def spec_text(readme: str) -> str:
    """The spec that README shows first; it is a part of the example's.

    Raises:
        ValueError: there is none, or it says what the example does not.
    """
    found = re.search(r"```yaml\n(# platform\.yaml.*?\n)```", readme, re.DOTALL)
    if found is None:
        raise ValueError("README.md shows no spec")
    if not _is_part(yaml.safe_load(found[1]), yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))):
        raise ValueError(f"README.md shows a spec that is no part of {EXAMPLE.parent.name}")
    return found[1]


def _is_part(part: object, whole: object) -> bool:
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and _is_part(value, whole[key]) for key, value in part.items())
    return part == whole


def excerpt(readme: str) -> str:
    """What stands between the markers."""
    spec_text(readme)
    synthesis = synthesize(EXAMPLE)
    written = {linked.stack.name: json.loads(json.dumps(document(linked))) for linked in synthesis.stacks}
    resources = sum(node.address.mode == "resource" for linked in synthesis.stacks for node in linked.nodes)
    parts = [f"{len(synthesis.stacks)} stacks with {resources} resources for one environment."]
    for stack, wanted in SHOWN.items():
        shown: dict[str, dict[str, object]] = {}
        for type_, name, arguments in wanted:
            body = written[stack]["resource"][type_][name]
            shown.setdefault(type_, {})[name] = {argument: body[argument] for argument in arguments}
        parts.append(
            f"From `cdktf.out/{document_path(stack)}`:\n\n```json\n{json.dumps(shown, indent=2)}\n```"
        )
    return "\n\n".join(parts) + "\n"


def rewritten(readme: str) -> str:
    """README with the excerpt as it is now."""
    head, rest = readme.split(BEGIN)
    _, tail = rest.split(END)
    return f"{head}{BEGIN}\n{excerpt(readme)}{END}{tail}"


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
