"""Trains a model on examples and writes it as a folder. May not see the examples that it is tested on."""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from {{ cookiecutter.__package }}.artifact import save_model
{%- if cookiecutter.__deep %}
from {{ cookiecutter.__package }}.distributed import joined{{ ', leave' if cookiecutter.framework == 'pytorch' else '' }}
{%- endif %}
from {{ cookiecutter.__package }}.estimator import DEFAULTS, Estimator
from {{ cookiecutter.__package }}.examples import Examples, split
from {{ cookiecutter.__package }}.features import FEATURES
from {{ cookiecutter.__package }}.monitor import profile_of
from {{ cookiecutter.__package }}.settings import Note, Settings
from {{ cookiecutter.__package }}.tracking import NONE, TRACKING_HELP, Tracking

EXPERIMENT = "{{ cookiecutter.name }}"
VALID_PERCENT = 15


def trained(examples: Examples, settings: Settings, note: Note) -> Estimator:
    """An estimator of the examples, of which some are kept back to see when it is enough."""
    random.seed(settings.seed)
    np.random.seed(settings.seed)
    train, valid = split(examples, VALID_PERCENT, "valid")
    if not len(train) or not len(valid):
        raise SystemExit(f"{len(examples)} examples are too few to train on")
    estimator = Estimator(FEATURES, settings)
    estimator.fit(train, valid, note)
    return estimator


def settings_of(given: argparse.Namespace) -> Settings:
    """The estimator's own settings, but for those that were given."""
    told = {name: getattr(given, name) for name in asdict(DEFAULTS)}
    return replace(DEFAULTS, **{name: value for name, value in told.items() if value})


def main(argv: Sequence[str] | None = None) -> None:
    """Write the model, with what it learned from as numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with examples to learn from")
    parser.add_argument("--model", type=Path, required=True, help="folder for the model")
    for name, value in asdict(DEFAULTS).items():
        none = "" if isinstance(value, str) else 0
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=none, help=f"default {value}")
    parser.add_argument("--tracking", default=NONE, help=TRACKING_HELP)
    given = parser.parse_args(argv)
    settings = settings_of(given)
    examples = FEATURES.read(given.data)
{%- if cookiecutter.__deep %}
    with joined() as place:
        if place.rank != 0:  # it helps to learn; the first writes what was learned
            trained(examples, settings, lambda _name, _value, _round: None)
            return
        _first(given, examples, settings)


def _first(given: argparse.Namespace, examples: Examples, settings: Settings) -> None:
    tracking = Tracking(given.tracking, EXPERIMENT)
{%- else %}
    tracking = Tracking(given.tracking, EXPERIMENT)
{%- endif %}
    tracking.parameters({**asdict(settings), "examples": len(examples)})
    began = time.monotonic()
    estimator = trained(examples, settings, tracking.metric)
    tracking.metric("train_seconds", time.monotonic() - began)
    given.model.mkdir(parents=True, exist_ok=True)
    save_model(given.model, estimator, profile_of(examples, estimator.predict(examples.inputs)))
    tracking.write(given.model)
    tracking.end()
    print(f"trained on {len(examples)} examples in {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
{%- if cookiecutter.framework == 'pytorch' %}
    leave()
{%- endif %}
