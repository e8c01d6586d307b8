"""The table of measurements: what it says, where it goes, and that README and results agree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.report import BEGIN, END, insert_table, table, targets
from benchmarks.results import Case, Machine, Many, Results, load_results, save_results

ROOT = Path(__file__).resolve().parents[3]
RESULTS = ROOT / "benchmarks" / "results.json"


def case(name: str, seconds: float, mib: float) -> Case:
    # Two rounds, the second one on a machine that is half as fast: ratios stay, medians do not.
    return Case(name=name, seconds=(seconds, 2 * seconds), cpu_seconds=(seconds, seconds), peak_mib=(mib,))


SAMPLE = Results(
    date="2026-11-24",
    machine=Machine(processor="a processor", cores=2, system="Linux", versions={"Python": "3.11.7"}),
    stacks=12,
    resources=368,
    cases={
        "synth": case("scaffolder synth", 0.1, 30),
        "bindings": case("CDKTF with prebuilt bindings", 8, 1536),
        "constructs": case("scaffolder.constructs", 0.4, 180),
        "json": case("plain Python", 0.02, 11),
        "help": case("scaffolder --help", 0.02, 10),
        "validate": case("scaffolder validate", 0.05, 20),
        "cookiecutter": case("cookiecutter --help", 0.12, 30),
        "python": case("`python -c pass`", 0.008, 9),
    },
    many=(
        Many(platforms=10, seconds=(0.6, 0.7, 0.8), peak_mib=30),
        Many(platforms=1000, seconds=(70.0,), peak_mib=31),
    ),
)


def test_the_table_says_what_was_measured() -> None:
    assert table(SAMPLE) == (
        "| ours | time | memory | the peer | time | memory | so ours takes |\n"
        "|---|---:|---:|---|---:|---:|---|\n"
        "| `scaffolder synth` of the foundation example (12 stacks, 368 resources and policy documents) "
        "| 0.150 s | 30 MiB | CDKTF with the prebuilt AWS bindings | 12.0 s | 1.50 GiB "
        "| 80× less time, 51× less memory |\n"
        "| the same through `scaffolder.constructs` in a CDKTF app | 0.600 s | 180 MiB "
        "| CDKTF with the prebuilt AWS bindings | 12.0 s | 1.50 GiB | 20× less time, 8.5× less memory |\n"
        "| `scaffolder validate` of it | 0.075 s | 20 MiB | `cookiecutter --help` | 0.180 s | 30 MiB "
        "| 2.4× less time, 1.5× less memory |\n"
        "| `scaffolder --help` | 0.030 s | 10 MiB | `cookiecutter --help` | 0.180 s | 30 MiB "
        "| 6.0× less time, 3.0× less memory |\n"
        "\n"
        "Below that is only the floor: `python -c pass` takes 0.012 s and 9 MiB and plain Python takes 0.030 s and "
        "11 MiB.\n"
        "\n"
        "| platforms in one `scaffolder synth` | time per platform | peak memory |\n"
        "|---:|---:|---:|\n"
        "| 10 | 70 ms | 30 MiB |\n"
        "| 1,000 | 70 ms | 31 MiB |\n"
        "\n"
        "Measured 2026-11-24: a processor, 2 cores, Linux; Python 3.11.7."
    )


def test_the_table_replaces_what_is_between_the_markers_and_nothing_else() -> None:
    text = f"# Title\n{BEGIN}\nold\n{END}\nrest\n"
    assert insert_table(text, SAMPLE) == f"# Title\n{BEGIN}\n{table(SAMPLE)}\n{END}\nrest\n"


@pytest.mark.parametrize("text", ["", "# Title\n", f"{BEGIN}\nno end\n", f"no begin\n{END}\n"])
def test_a_text_without_both_markers_stays_as_it_is(text: str) -> None:
    assert insert_table(text, SAMPLE) == text


def test_a_good_measurement_meets_every_target() -> None:
    assert [target.claim for target in targets(SAMPLE) if not target.met] == []


@pytest.mark.parametrize(
    ("key", "worse"),
    [
        ("synth", case("scaffolder synth", 0.17, 30)),
        ("synth", case("scaffolder synth", 0.1, 130)),
        ("constructs", case("scaffolder.constructs", 0.54, 180)),
        ("validate", case("scaffolder validate", 0.11, 20)),
        ("help", case("scaffolder --help", 0.121, 10)),
        ("cookiecutter", case("cookiecutter --help", 0.04, 10)),
    ],
)
def test_a_measurement_that_is_too_slow_or_too_large_misses_its_target(key: str, worse: Case) -> None:
    results = replace(SAMPLE, cases={**SAMPLE.cases, key: worse})
    assert len([target for target in targets(results) if not target.met]) == 1


@pytest.mark.parametrize(
    "last",
    [Many(platforms=1000, seconds=(80.0,), peak_mib=30), Many(platforms=1000, seconds=(70.0,), peak_mib=60)],
)
def test_time_or_memory_that_grows_with_the_number_of_platforms_misses_its_target(last: Many) -> None:
    results = replace(SAMPLE, many=(SAMPLE.many[0], last))
    assert len([target for target in targets(results) if not target.met]) == 1


def test_results_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    save_results(SAMPLE, tmp_path / "results.json")
    assert load_results(tmp_path / "results.json") == SAMPLE


def test_readme_and_results_say_what_was_measured() -> None:
    if not RESULTS.exists():
        pytest.skip("nothing was measured yet; `make bench` does")
    results = load_results(RESULTS)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert insert_table(readme, results) == readme, "`make regen` brings README up to date"
    assert (RESULTS.parent / "RESULTS.md").read_text(encoding="utf-8") == f"{table(results)}\n"
