"""Write benchmarks/RESULTS.md and the table in README.md from benchmarks/results.json; nothing without results or markers."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.report import insert_table, page  # below the project's root
from benchmarks.results import load_results

ROOT = Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    results_file, readme = ROOT / "benchmarks" / "results.json", ROOT / "README.md"
    if results_file.exists():
        results = load_results(results_file)
        (results_file.parent / "RESULTS.md").write_text(page(results), encoding="utf-8")
        text = readme.read_text(encoding="utf-8")
        readme.write_text(insert_table(text, results), encoding="utf-8")
