"""What a model learned from, as numbers, and how far what it is asked has moved from it. May not retrain anything.

The platform's monitors look at what endpoints are asked; this is the same question for files, and for a pipeline of
your own (`pipelines/monitor.yaml`).
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from {{ cookiecutter.__package }}.examples import Examples, Inputs
from {{ cookiecutter.__package }}.features import FEATURES, derive

CUTS = 10
"""Numbers are compared in tenths of what was learned from."""
DRIFTED = 0.25
"""A population stability index from which a field counts as moved (0.1 to 0.25: look at it)."""
FEWEST_ROWS = 100
SMALLEST = 1e-4


def measures(inputs: Inputs) -> dict[str, NDArray[np.float64] | list[str]]:
    """What is compared of each input: numbers, or categories as texts."""
{%- if cookiecutter.task == "tabular" %}
    found: dict[str, NDArray[np.float64] | list[str]] = {}
    for field in FEATURES.fields:
        if field.kind == "number":
            found[field.name] = inputs[field.name].to_numpy(dtype=np.float64)
        else:
            found[field.name] = ["" if each is None else str(each) for each in inputs[field.name]]
    return found
{%- elif cookiecutter.task == "text" %}
    texts = [str(text) for text in inputs[FEATURES.names[0]]]
    return {
        "characters": np.array([len(text) for text in texts], dtype=np.float64),
        "words": np.array([len(text.split()) for text in texts], dtype=np.float64),
        "letters_of_a_word": np.array([len(text) / max(len(text.split()), 1) for text in texts]),
    }
{%- else %}
    pixels = inputs.reshape(len(inputs), -1).astype(np.float64)
    return {"brightness": pixels.mean(axis=1), "contrast": pixels.std(axis=1), "dark": (pixels < 0.1).mean(axis=1)}
{%- endif %}


def profile_of(examples: Examples, likely: NDArray[np.float64]) -> dict[str, Any]:
    """Numbers that say what a model learned from and what it answered to it; no row can be read from them."""
    fields = {name: _sketch(values) for name, values in measures(examples.inputs).items()}
    return {"rows": len(examples), "fields": fields, "answers": _shares(_answers(likely))}


def _answers(likely: NDArray[np.float64]) -> list[str]:
    return [FEATURES.classes[code] for code in likely.argmax(axis=1)]


def _sketch(values: NDArray[np.float64] | Sequence[str]) -> dict[str, Any]:
    if isinstance(values, np.ndarray):
        known = values[np.isfinite(values)]
        cuts = np.unique(np.quantile(known, np.linspace(0, 1, CUTS + 1)[1:-1])).tolist() if known.size else []
        return {"cuts": cuts, "shares": _binned(values, cuts)}
    return {"shares": _shares(values)}


def _binned(values: NDArray[np.float64], cuts: Sequence[float]) -> dict[str, float]:
    """The share of each bin, and of what is missing."""
    known = values[np.isfinite(values)]
    counts = np.bincount(np.searchsorted(np.asarray(cuts), known, side="right"), minlength=len(cuts) + 1)
    shares = {str(number): int(count) / max(len(values), 1) for number, count in enumerate(counts)}
    return {**shares, "missing": 1 - known.size / max(len(values), 1)}


def _shares(values: Sequence[str]) -> dict[str, float]:
    return {name: count / max(len(values), 1) for name, count in sorted(Counter(values).items())}


def stability_index(before: Mapping[str, float], now: Mapping[str, float]) -> float:
    """The population stability index of two distributions over the same bins."""
    total = 0.0
    for name in {**before, **now}:
        then, later = max(before.get(name, 0.0), SMALLEST), max(now.get(name, 0.0), SMALLEST)
        total += float((later - then) * np.log(later / then))
    return total


def compared(profile: Mapping[str, Any], inputs: Inputs, likely: NDArray[np.float64]) -> dict[str, float]:
    """How far each field, and what is answered, has moved."""
    found = {}
    for name, values in measures(inputs).items():
        known = profile["fields"][name]
        now = _binned(values, known["cuts"]) if isinstance(values, np.ndarray) else _shares(values)
        found[f"moved_{name}"] = stability_index(known["shares"], now)
    found["moved_answers"] = stability_index(profile["answers"], _shares(_answers(likely)))
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Write `metrics.json`: how far each field moved, how many moved too far, and the quality on these rows."""
    from {{ cookiecutter.__package }}.artifact import load_model, write_json
    from {{ cookiecutter.__package }}.evaluate import measure
    from {{ cookiecutter.__package }}.ingest import read_raw
    from {{ cookiecutter.__package }}.schema import SCHEMA

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder with the model")
    parser.add_argument("--data", type=Path, required=True, help="folder with what came in, as for `ingest`")
    parser.add_argument("--report", type=Path, required=True, help="folder for metrics.json")
    given = parser.parse_args(argv)
    model, examples = load_model(given.model), read_raw(given.data)
    if len(examples) < FEWEST_ROWS:
        raise SystemExit(f"{len(examples)} rows say nothing about a drift, at least {FEWEST_ROWS} do")
{%- if cookiecutter.task == "image" %}
    inputs = derive(examples.inputs)
{%- else %}
    inputs = derive(SCHEMA.typed(examples.inputs))
{%- endif %}
    likely = model.estimator.predict(inputs)
    moved = compared(model.profile, inputs, likely)
    drifted = float(sum(each >= DRIFTED for each in moved.values()))
    numbers = {"rows": float(len(examples)), **moved, "drifted": drifted}
    numbers |= {f"now_{name}": value for name, value in measure(SCHEMA, examples.labels, likely).items()}
    write_json(given.report / "metrics.json", numbers)
    print(", ".join(f"{name} {value:.3g}" for name, value in numbers.items()))


if __name__ == "__main__":
    main()
