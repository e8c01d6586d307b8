"""Measures a model on examples that it never saw. May not decide whether it is good enough: the gates do."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score, log_loss, recall_score, roc_auc_score

from {{ cookiecutter.__package }}.artifact import load_model, write_json
{%- if cookiecutter.task == "tabular" %}
from {{ cookiecutter.__package }}.examples import Examples
{%- endif %}
from {{ cookiecutter.__package }}.features import FEATURES
from {{ cookiecutter.__package }}.signature import Signature
from {{ cookiecutter.__package }}.tracking import NONE, TRACKING_HELP, Tracking
from {{ cookiecutter.__package }}.train import EXPERIMENT

CALIBRATION_BINS = 10
{%- if cookiecutter.task == "tabular" %}
FEWEST_OF_A_GROUP = 20
"""Smaller groups say nothing."""
{%- endif %}


def measure(signature: Signature, labels: tuple[str, ...], likely: NDArray[np.float64]) -> dict[str, float]:
    """The metrics of probabilities against labels."""
    truth, codes = signature.codes(labels), list(range(len(signature.classes)))
    answers = likely.argmax(axis=1)
    most = Counter(labels).most_common(1)[0][1]
    recalls = recall_score(truth, answers, labels=codes, average=None, zero_division=0)
    return {
        "rows": len(labels),
        "accuracy": float(accuracy_score(truth, answers)),
        "accuracy_of_the_commonest": most / len(labels),
        "auc": _auc(truth, likely),
        "f1": float(f1_score(truth, answers, labels=codes, average="macro", zero_division=0)),
        "least_recall": float(min(recalls)),
        "log_loss": float(log_loss(truth, likely, labels=codes)),
        "calibration_error": calibration_error(truth, likely),
    }


def _auc(truth: NDArray[np.int64], likely: NDArray[np.float64]) -> float:
    """The area under the curve; of more classes, the mean of each against the rest that has examples of both."""
    classes = [1] if likely.shape[1] == 2 else range(likely.shape[1])
    both = [code for code in classes if 0 < (truth == code).mean() < 1]
    areas = [float(roc_auc_score(truth == code, likely[:, code])) for code in both]
    return float(np.mean(areas)) if areas else 0.5


def calibration_error(truth: NDArray[np.int64], likely: NDArray[np.float64]) -> float:
    """How far, on average, the share of right answers is from how sure the model was."""
    sure, right = likely.max(axis=1), likely.argmax(axis=1) == truth
    place = np.minimum((sure * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = [
        (place == each).mean() * abs(right[place == each].mean() - sure[place == each].mean())
        for each in np.unique(place)
    ]
    return float(sum(gaps))

{% if cookiecutter.task == "tabular" %}
def groups(examples: Examples, likely: NDArray[np.float64]) -> dict[str, dict[str, float]]:
    """The metrics of each category's rows: a model that is good for most may be bad for some."""
    found = {}
    for field in FEATURES.fields:
        for value in field.values:
            chosen = np.array([each == value for each in examples.inputs[field.name]])
            if chosen.sum() >= FEWEST_OF_A_GROUP:
                labels = examples.select(chosen).labels
                found[f"{field.name}={value}"] = measure(FEATURES, labels, likely[chosen])
    return found

{% endif %}
def main(argv: Sequence[str] | None = None) -> None:
    """Write `metrics.json`, a flat object of numbers, which the pipeline's gate reads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder with the model")
    parser.add_argument("--data", type=Path, required=True, help="folder with examples to test on")
    parser.add_argument("--report", type=Path, required=True, help="folder for metrics.json")
    parser.add_argument("--tracking", default=NONE, help=TRACKING_HELP)
    given = parser.parse_args(argv)
    model, examples = load_model(given.model), FEATURES.read(given.data)
    likely = model.estimator.predict(examples.inputs)
    metrics = measure(FEATURES, examples.labels, likely)
{%- if cookiecutter.task == "tabular" %}
    by_group = groups(examples, likely)
    if by_group:
        metrics["least_accuracy_of_a_group"] = min(each["accuracy"] for each in by_group.values())
    write_json(given.report / "groups.json", by_group)
{%- endif %}
    write_json(given.report / "metrics.json", metrics)
    tracking = Tracking.of_model(given.tracking, EXPERIMENT, given.model)
    for name, value in metrics.items():
        tracking.metric(f"test_{name}", value)
    tracking.end()
    print(", ".join(f"{name} {value:.4g}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
