"""A model card and a data sheet with a run's own numbers. May not measure: what no report has is not told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from {{ cookiecutter.__package }}.artifact import Model
from {{ cookiecutter.__package }}.estimator import FRAMEWORK
from {{ cookiecutter.__package }}.schema import LABEL, METRIC

NAME = "{{ cookiecutter.name }}"
OWNER = "{{ cookiecutter.owner }}"


def _table(numbers: Mapping[str, object], heads: tuple[str, str]) -> str:
    rows = [f"| {name} | {_shown(value)} |" for name, value in numbers.items()]
    return "\n".join([f"| {heads[0]} | {heads[1]} |", "|---|---:|", *rows])


def _shown(value: object) -> str:
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4g}"
    return str(int(value)) if isinstance(value, float) else str(value)


def _fields(model: Model) -> str:
    lines = []
    for field in model.schema.fields:
        says: list[str] = [field.kind]
        if field.values:
            says.append(f"one of {', '.join(field.values)}")
        if field.minimum is not None:
            says.append(f"from {field.minimum:g}")
        if field.maximum is not None:
            says.append(f"to {field.maximum:g}")
        if field.nullable:
            says.append("may be missing")
        lines.append(f"- `{field.name}`: {', '.join(says)}")
    if model.schema.shape:
        lines.append(f"- a grey image of {' x '.join(map(str, model.schema.shape))} pixels (height, width)")
    return "\n".join(lines)


def model_card(model: Model, metrics: Mapping[str, float], minimum: float, groups: Mapping[str, Any]) -> str:
    """The model card, in Markdown."""
    settings = {name: value for name, value in vars(model.estimator.settings).items() if value != ""}
    parts = [
        f"# Model card: {NAME} {model.version}",
        f"Answers for it: {OWNER}. Framework: {FRAMEWORK}. Written by `register` with the numbers of the run.",
        "## What it does",
        f"For each row it says how likely each value of `{LABEL}` is: {', '.join(model.classes)}. It takes:",
        _fields(model),
        "## What it is for, and what not",
        "<!-- Say who uses the answers and for what decision, and for whom the model was not made. -->",
        "It is a help for a decision; nobody has shown that it may decide alone.",
        "## How good it is",
        f"On {_shown(metrics['rows'])} rows that it never saw. It was released since `{METRIC}` is at least {minimum:g}"
        " and it is right oftener than the commonest answer.",
        _table({name: value for name, value in metrics.items() if name != "rows"}, ("metric", "value")),
    ]
    if groups:
        parts.append("### By group")
        head = "| group | rows | accuracy | least recall |\n|---|---:|---:|---:|"
        rows = [
            f"| {name} | {_shown(each['rows'])} | {_shown(each['accuracy'])} | {_shown(each['least_recall'])} |"
            for name, each in groups.items()
        ]
        parts.append("\n".join([head, *rows]))
    parts += ["## How it was made", _table(settings, ("setting", "value"))]
    parts += [
        "## Limits",
        "It knows what it learned from. `monitor` says when what it is asked has moved from that; then train again.",
    ]
    return "\n\n".join(parts) + "\n"


def data_sheet(model: Model, data: Mapping[str, float]) -> str:
    """The data sheet, in Markdown."""
    bins = {
        name: ", ".join(f"{value or '(none)'} {share:.0%}" for value, share in field["shares"].items())
        for name, field in model.profile["fields"].items()
        if "cuts" not in field
    }
    cuts = {
        name: f"{field['cuts'][0]:.4g} to {field['cuts'][-1]:.4g}"
        for name, field in model.profile["fields"].items()
        if field.get("cuts")
    }
    parts = [
        f"# Data sheet: what {NAME} {model.version} learned from",
        "<!-- Say where the data come from, who collected them, on what legal ground, how long they are kept. -->",
        f"{model.profile['rows']} examples to learn from; those to test on were put aside by the hash of their id.",
        "## What `validate` counted",
        _table(data, ("number", "value")),
    ]
    if cuts:
        parts += ["## Numbers: where the middle four fifths are", _table(cuts, ("field", "range"))]
    if bins:
        parts += ["## Categories", _table(bins, ("field", "shares"))]
    return "\n\n".join(parts) + "\n"
