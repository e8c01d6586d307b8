"""Rewrite the excerpt in README.md: a part of what the full example synthesizes to, of which README shows a part."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import yaml

from scaffolder.pipeline import synthesize
from stacks.emit.terraform_json import document, document_path

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN, END = "<!-- excerpt:begin -->", "<!-- excerpt:end -->"
EXAMPLES = README.parent / "examples"
EXAMPLE = EXAMPLES / "04-full-aws" / "platform.yaml"
Shown: TypeAlias = Mapping[str, Sequence[tuple[str, str, Sequence[str]]]]
"""Stack → types, names and arguments of the resources in an excerpt."""

SHOWN: Shown = {
    "churn-dev-ml": (("aws_sagemaker_endpoint_configuration", "churn", ("kms_key_arn", "lifecycle")),),
}
ELSEWHERE: Mapping[str, Shown] = {
    "07-full-gcp": {"churn-dev-ml": (("google_vertex_ai_endpoint", "churn", ("encryption_spec",)),)},
    "08-full-azure": {
        "churn-dev-workspace": (
            (
                "azurerm_machine_learning_workspace",
                "ml-workspace",
                ("managed_network", "public_network_access_enabled", "storage_account_access_type"),
            ),
        )
    },
}
"""The same of the other clouds' full examples."""


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
    parts = [*_excerpts(EXAMPLE, SHOWN, "{} stacks with {} resources for one environment.")]
    for example, shown in ELSEWHERE.items():
        spec = EXAMPLES / example / "platform.yaml"
        target = yaml.safe_load(spec.read_text(encoding="utf-8"))["target"]
        parts.append(
            f"With another target, `{{{', '.join(f'{key}: {value}' for key, value in target.items())}}}`:"
        )
        parts += _excerpts(spec, shown, "The same {} stacks in the same order, with {} resources.")
    return "\n\n".join(parts) + "\n"


def _excerpts(spec: Path, shown: Shown, said: str) -> Iterator[str]:
    synthesis = synthesize(spec)
    written = {linked.stack.name: json.loads(json.dumps(document(linked))) for linked in synthesis.stacks}
    resources = sum(node.address.mode == "resource" for linked in synthesis.stacks for node in linked.nodes)
    yield said.format(len(synthesis.stacks), resources)
    for stack, wanted in shown.items():
        types: dict[str, dict[str, object]] = {}
        for type_, name, arguments in wanted:
            body = written[stack]["resource"][type_][name]
            types.setdefault(type_, {})[name] = {argument: body[argument] for argument in arguments}
        yield f"From `cdktf.out/{document_path(stack)}`:\n\n```json\n{json.dumps(types, indent=2)}\n```"


def rewritten(readme: str) -> str:
    """README with the excerpt as it is now."""
    head, rest = readme.split(BEGIN)
    _, tail = rest.split(END)
    return f"{head}{BEGIN}\n{excerpt(readme)}{END}{tail}"


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
