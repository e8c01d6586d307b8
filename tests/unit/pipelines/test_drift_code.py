"""The drift code as a step's code folder: Scaffolder's own, unless the project has a folder of that name."""

from __future__ import annotations

from pathlib import Path

from scaffolder.pipelines.drift import drift_code
from tests.unit.pipelines.test_load import steps_of, synthesized

BASELINE = """\
version: 1
image: training:1.0
steps:
  baseline:
    code: drift
    command: [python, -m, drift, baseline, --rows, "{inputs.rows}", --output, "{outputs.baseline}"]
    inputs: {rows: "data:raw"}
    outputs: {baseline: folder}
"""


def test_a_step_may_run_the_drift_code_to_make_a_baseline(tmp_path: Path) -> None:
    definition = steps_of(synthesized(tmp_path, BASELINE))
    assert definition.code == {"drift": drift_code()}
    assert "drift/__main__.py" in definition.code["drift"].files


def test_a_folder_of_the_projects_own_comes_before_it(tmp_path: Path) -> None:
    (tmp_path / "drift").mkdir()
    (tmp_path / "drift" / "mine.py").write_text("print()\n")
    definition = steps_of(synthesized(tmp_path, BASELINE))
    assert [*definition.code["drift"].files] == ["mine.py"]
