"""Releases a model that is good enough, and refuses one that is not. May not measure: it reads the reports.

The pipeline's gate asks first; this asks again, so that a target without conditions, and whoever calls it by
hand, is held to the same. Writes the model with its card and data sheet to where batch jobs and monitors find the
current one, and registers it in MLflow where there is one; the pipeline's last step registers it on the platform.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from {{ cookiecutter.__package }}.artifact import ARCHIVE, load_model, unpack
from {{ cookiecutter.__package }}.card import data_sheet, model_card
from {{ cookiecutter.__package }}.schema import METRIC
from {{ cookiecutter.__package }}.tracking import NONE, TRACKING_HELP, Tracking
from {{ cookiecutter.__package }}.train import EXPERIMENT

CARD, SHEET = "MODEL_CARD.md", "DATA_SHEET.md"


def refusals(metrics: Mapping[str, float], minimum: float) -> list[str]:
    """Why a model may not be released; empty when it may."""
    found = []
    if not metrics.get(METRIC, float("-inf")) >= minimum:
        found.append(f"{METRIC} is {metrics.get(METRIC)}, and has to be at least {minimum:g}")
    if not metrics["accuracy"] >= metrics["accuracy_of_the_commonest"]:
        common = metrics["accuracy_of_the_commonest"]
        found.append(f"accuracy is {metrics['accuracy']:.4g}; the commonest answer alone is right in {common:.4g}")
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Release the model, or fail and say why not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder with the model")
    parser.add_argument("--report", type=Path, required=True, help="folder of `evaluate`'s report")
    parser.add_argument("--data-report", type=Path, required=True, help="folder of `validate`'s report")
    parser.add_argument("--minimum", type=float, required=True, help=f"the least {METRIC}")
    parser.add_argument("--out", type=Path, required=True, help="folder for the released model")
    parser.add_argument("--tracking", default=NONE, help=TRACKING_HELP)
    given = parser.parse_args(argv)
    metrics = json.loads((given.report / "metrics.json").read_text())
    found = refusals(metrics, given.minimum)
    if found:
        raise SystemExit("not released: " + "; ".join(found))
    given.out.mkdir(parents=True, exist_ok=True)
    if (given.model / ARCHIVE).is_file():
        unpack(given.model / ARCHIVE, given.out)
    else:
        shutil.copytree(given.model, given.out, dirs_exist_ok=True)
    model = load_model(given.out)
    by_group = given.report / "groups.json"
    groups = json.loads(by_group.read_text()) if by_group.is_file() else {}
    data = json.loads((given.data_report / "metrics.json").read_text())
    (given.out / CARD).write_text(model_card(model, metrics, given.minimum, groups))
    (given.out / SHEET).write_text(data_sheet(model, data))
    tracking = Tracking.of_model(given.tracking, EXPERIMENT, given.out)
    tracking.artifacts(given.out, "model")
    number = tracking.register(EXPERIMENT, "model", {"digest": model.version, METRIC: f"{metrics[METRIC]:.6f}"})
    tracking.end()
    print(f"released {model.version}{f', version {number} in MLflow' if number else ''}")


if __name__ == "__main__":
    main()
