"""A model of the sample, trained once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from {{ cookiecutter.__package }}.artifact import Model, load_model, save_model
from {{ cookiecutter.__package }}.estimator import DEFAULTS
from {{ cookiecutter.__package }}.examples import Examples, split
from {{ cookiecutter.__package }}.features import derived
from {{ cookiecutter.__package }}.ingest import read_raw
from {{ cookiecutter.__package }}.monitor import profile_of
from {{ cookiecutter.__package }}.sample import write_sample
{%- if cookiecutter.task != "image" %}
from {{ cookiecutter.__package }}.schema import SCHEMA
{%- endif %}
from {{ cookiecutter.__package }}.train import trained
{%- if cookiecutter.task != "image" %}


def typed(examples: Examples) -> Examples:
    return Examples(examples.ids, SCHEMA.typed(examples.inputs), examples.labels)
{%- endif %}


def silent(_name: str, _value: float, _round: int) -> None:
    """Training tells nobody how it goes."""


@pytest.fixture(scope="session")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, as it would come in."""
    folder = tmp_path_factory.mktemp("raw")
    write_sample(folder)
    return folder


@pytest.fixture(scope="session")
def examples(raw: Path) -> Examples:
    """The sample's examples, as they come in."""
{%- if cookiecutter.task == "image" %}
    return read_raw(raw)
{%- else %}
    return typed(read_raw(raw))
{%- endif %}


@pytest.fixture(scope="session")
def parts(examples: Examples) -> tuple[Examples, Examples]:
    """What is learned from, and what is tested on."""
    return split(derived(examples), 20, "test")


@pytest.fixture(scope="session")
def model_folder(parts: tuple[Examples, Examples], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained model's folder."""
    folder = tmp_path_factory.mktemp("model")
    estimator = trained(parts[0], DEFAULTS, silent)
    save_model(folder, estimator, profile_of(parts[0], estimator.predict(parts[0].inputs)))
    return folder


@pytest.fixture(scope="session")
def model(model_folder: Path) -> Model:
    """The model, read back from its folder."""
    return load_model(model_folder)


@pytest.fixture(scope="session")
def rows() -> list[object]:
    """Rows as a request brings them."""
{%- if cookiecutter.task == "tabular" %}
    newcomer = {"tenure_months": 1, "monthly_charge": 40.0, "support_calls": 5, "plan": "basic", "payment": "invoice"}
    regular = {"tenure_months": 90, "monthly_charge": 40.0, "support_calls": 0, "plan": "plus", "payment": None}
    return [newcomer, regular]
{%- elif cookiecutter.task == "text" %}
    return [{"text": "I was charged twice on my invoice"}, {"text": "The parcel has not arrived, where is it?"}]
{%- else %}
    return [[[0.0] * 8] * 8, {"image": [[0.0, 0.0, 0.5, 1.0, 1.0, 0.5, 0.0, 0.0]] * 8}]
{%- endif %}
