"""Two versions' mistakes on the same rows: those that the candidate's run held out.

Each version answers in a process of its own, as it does when it serves. May not decide which is better.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.training_data import training_data
from scaffolder.operations.promotion import Paired, compared
from scaffolder.operations.values import ModelVersion

__all__ = ["LocalComparison"]

LONGEST_S = 900


class LocalComparison:
    """Compares versions of the model that a monitor watches; its baselines know the label, the newest last."""

    def __init__(self, layout: Layout, baselines: Callable[[], Sequence[Path]]) -> None:
        self._layout = layout
        self._baselines = baselines

    def __call__(self, champion: ModelVersion, candidate: ModelVersion) -> Paired | None:
        """Compare their mistakes; ``None`` where no row was held out, or one of them does not answer."""
        held_out = training_data(self._layout, candidate).held_out
        known = self._baselines()
        if not held_out or not known:
            return None
        one, other = (self._mistakes(version, known[-1], held_out) for version in (champion, candidate))
        return compared(one, other) if one and other else None

    def _mistakes(self, version: ModelVersion, known: Path, held_out: tuple[Path, ...]) -> list[float]:
        artifact = self._layout.place(version.artifact_uri)
        done = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-P", "-m", __name__, str(artifact), str(known), *map(str, held_out)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )
        last = done.stdout.strip().rpartition("\n")[2]
        return [float(each) for each in json.loads(last)] if done.returncode == 0 and last else []


def _main(artifact: Path, known: Path, folders: list[str]) -> int:
    """Print how wrong a model is on each row, as a JSON list."""
    from scaffolder.drift.baseline import errors_of, load  # noqa: PLC0415 - numpy, for this process only
    from scaffolder.drift.columns import sketch  # noqa: PLC0415
    from scaffolder.operations.local.looking import predicted, rows_below  # noqa: PLC0415

    baseline, rows = load(known), rows_below(folders)
    if baseline.label not in rows:
        return 1
    predictions = predicted(artifact, rows[[name for name in baseline.columns if name in rows]])
    if predictions is None or any(each is None for each in predictions):
        return 1
    errors = errors_of(
        baseline.prediction or sketch(predictions, role="answer"), predictions, rows[baseline.label].tolist()
    )
    if errors is None or len(errors) != len(rows):
        return 1
    sys.stdout.write(f"\n{json.dumps([float(each) for each in errors])}\n")
    return 0


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
