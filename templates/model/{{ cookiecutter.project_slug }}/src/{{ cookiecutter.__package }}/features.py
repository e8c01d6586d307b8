"""What the model learns from, made of what comes in: the same function in training and in serving.

May not look at a label, nor at another row: what is known of one row is what a request brings.
"""

from __future__ import annotations

import argparse
{%- if cookiecutter.task == "text" %}
import re
import unicodedata
{%- endif %}
from collections.abc import Sequence
{%- if cookiecutter.task == "tabular" %}
from dataclasses import replace
{%- endif %}
from pathlib import Path

{% if cookiecutter.task == "image" -%}
import numpy as np

{% endif -%}
from {{ cookiecutter.__package }}.examples import Examples, Inputs, split, write_examples
from {{ cookiecutter.__package }}.schema import SCHEMA
{%- if cookiecutter.task == "tabular" %}
from {{ cookiecutter.__package }}.signature import Field
{%- endif %}

TEST_PERCENT = 20
{%- if cookiecutter.task == "tabular" %}

DERIVED = (Field("calls_per_year", "number", minimum=0), Field("paid_so_far", "number", minimum=0))
FEATURES = replace(SCHEMA, fields=(*SCHEMA.fields, *DERIVED))
"""What the estimator takes: the fields that come in, and what is made of them."""


def derive(inputs: Inputs) -> Inputs:
    """Add the derived columns."""
    made = inputs.copy()
    made["calls_per_year"] = inputs["support_calls"] * 12 / (inputs["tenure_months"] + 1)
    made["paid_so_far"] = inputs["monthly_charge"] * inputs["tenure_months"]
    return made[list(FEATURES.names)]
{%- elif cookiecutter.task == "text" %}

FEATURES = SCHEMA
"""What the estimator takes."""
NUMBER = re.compile(r"\d+")
SPACE = re.compile(r"\s+")


def plain(text: str) -> str:
    """Lower case, one space between words, and every number alike."""
    return NUMBER.sub("0", SPACE.sub(" ", unicodedata.normalize("NFKC", text)).strip().casefold())


def derive(inputs: Inputs) -> Inputs:
    """Write the texts plainly."""
    made = inputs.copy()
    made["text"] = [plain(text) for text in inputs["text"]]
    made["text"] = made["text"].astype("object")
    return made
{%- else %}

FEATURES = SCHEMA
"""What the estimator takes."""


def derive(inputs: Inputs) -> Inputs:
    """Stretch each image to the whole range of grey: a dim picture says the same."""
    low = inputs.min(axis=(1, 2), keepdims=True, initial=1)
    high = inputs.max(axis=(1, 2), keepdims=True, initial=0)
    stretched: Inputs = ((inputs - low) / np.maximum(high - low, np.float32(1 / 255))).astype(np.float32)
    return stretched
{%- endif %}


def derived(examples: Examples) -> Examples:
    """The same examples with what the estimator takes."""
    return Examples(examples.ids, derive(examples.inputs), examples.labels)


def main(argv: Sequence[str] | None = None) -> None:
    """Write what is learned from and what is tested on; the hash of an id decides, so that rows stay there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with checked examples")
    parser.add_argument("--train", type=Path, required=True, help="folder for examples to learn from")
    parser.add_argument("--test", type=Path, required=True, help="folder for examples to test on")
    given = parser.parse_args(argv)
    train, test = split(derived(SCHEMA.read(given.data)), TEST_PERCENT, "test")
    write_examples(given.train, train)
    write_examples(given.test, test)
    print(f"{len(train)} examples to learn from, {len(test)} to test on")


if __name__ == "__main__":
    main()
