"""The tables of measurements: what they say, where they go, and that README and results agree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.report import BEGIN, END, insert_table, page, table, targets
from benchmarks.results import Applied, Apply, Case, Machine, Many, Results, load_results, save_results

ROOT = Path(__file__).resolve().parents[3]
RESULTS = ROOT / "benchmarks" / "results.json"


def case(name: str, seconds: float, mib: float) -> Case:
    # Two rounds, the second one on a machine that is half as fast: ratios stay, medians do not.
    return Case(name=name, seconds=(seconds, 2 * seconds), cpu_seconds=(seconds, seconds), peak_mib=(mib,))


SAMPLE = Results(
    date="2026-11-24",
    machine=Machine(processor="a processor", cores=2, system="Linux", versions={"Python": "3.11.7"}),
    example="full example",
    stacks=10,
    resources=327,
    cases={
        "synth": case("scaffolder synth", 0.1, 30),
        "bindings": case("CDKTF with prebuilt bindings", 8, 1536),
        "constructs": case("scaffolder.constructs", 0.4, 180),
        "json": case("plain Python", 0.07, 11),
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
DEPLOYMENT = Apply(
    date="2026-11-25",
    example="full example",
    machine=Machine(processor="a processor", cores=2, system="Linux", versions={"Terraform": "1.9.0"}),
    stacks=(
        Applied(
            stack="churn-dev-state",
            resources=9,
            init_s=1,
            plan_s=2.5,
            apply_s=3,
            second_plan_s=2.26,
            destroy_s=4,
        ),
        Applied(
            stack="churn-dev-ml",
            resources=60,
            init_s=2,
            plan_s=3.5,
            apply_s=40,
            second_plan_s=3.5,
            destroy_s=20,
        ),
    ),
)


def test_the_table_says_what_was_measured() -> None:
    assert table(SAMPLE) == (
        "| ours | time | memory | the peer | time | memory | so ours takes |\n"
        "|---|---:|---:|---|---:|---:|---|\n"
        "| `scaffolder synth` of the full example (10 stacks, 327 resources and policy documents) "
        "| 0.150 s | 30 MiB | CDKTF with the prebuilt AWS bindings | 12.0 s | 1.50 GiB "
        "| 80× less time, 51× less memory |\n"
        "| the same through `scaffolder.constructs` in a CDKTF app | 0.600 s | 180 MiB "
        "| CDKTF with the prebuilt AWS bindings | 12.0 s | 1.50 GiB | 20× less time, 8.5× less memory |\n"
        "| `scaffolder validate` of it | 0.075 s | 20 MiB | `cookiecutter --help` | 0.180 s | 30 MiB "
        "| 2.4× less time, 1.5× less memory |\n"
        "| `scaffolder --help` | 0.030 s | 10 MiB | `cookiecutter --help` | 0.180 s | 30 MiB "
        "| 6.0× less time, 3.0× less memory |\n"
        "\n"
        "Below that is only the floor: `python -c pass` takes 0.012 s and 9 MiB and plain Python takes 0.105 s and "
        "11 MiB. Beyond the interpreter's start, `scaffolder synth` takes 1.5× as long as that plain Python.\n"
        "\n"
        "| platforms (the foundation example) in one `scaffolder synth` | time per platform | peak memory |\n"
        "|---:|---:|---:|\n"
        "| 10 | 70 ms | 30 MiB |\n"
        "| 1,000 | 70 ms | 31 MiB |\n"
        "\n"
        "Measured 2026-11-24: a processor, 2 cores, Linux; Python 3.11.7."
    )


def test_the_page_adds_the_deployment_with_its_sums() -> None:
    deployed = replace(SAMPLE, apply=DEPLOYMENT)
    assert table(deployed) == table(SAMPLE)
    assert page(SAMPLE) == f"{table(SAMPLE)}\n"
    assert page(deployed).removeprefix(page(SAMPLE)) == (
        "\n"
        "## Deployment on emulated AWS\n"
        "\n"
        "The full example, with plain Terraform, one stack after another, in seconds. AWS is the emulator of the "
        "tests on the same machine: the times say what Terraform, the provider and its own waits for AWS take, not "
        "what AWS takes.\n"
        "\n"
        "| stack | resources | init | plan | apply | second plan, empty | destroy |\n"
        "|---|---:|---:|---:|---:|---:|---:|\n"
        "| churn-dev-state | 9 | 1.0 | 2.5 | 3.0 | 2.3 | 4.0 |\n"
        "| churn-dev-ml | 60 | 2.0 | 3.5 | 40.0 | 3.5 | 20.0 |\n"
        "| together | 69 | 3.0 | 6.0 | 43.0 | 5.8 | 24.0 |\n"
        "\n"
        "Measured 2026-11-25: a processor, 2 cores, Linux; Terraform 1.9.0.\n"
    )


def test_without_the_start_of_python_nothing_is_said_of_what_is_beyond_it() -> None:
    cases = {key: case for key, case in SAMPLE.cases.items() if key != "python"}
    assert "Beyond" not in table(replace(SAMPLE, cases=cases))


def test_a_floor_that_is_no_slower_than_the_start_of_python_misses_the_target() -> None:
    results = replace(SAMPLE, cases={**SAMPLE.cases, "json": case("plain Python", 0.007, 11)})
    assert "takes inf× as long" in table(results)
    assert [target.measured for target in targets(results) if not target.met] == ["inf"]


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
        ("json", case("plain Python", 0.035, 11)),
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


@pytest.mark.parametrize("apply", [None, DEPLOYMENT], ids=["not-deployed", "deployed"])
def test_results_are_read_back_as_they_were_written(apply: Apply | None, tmp_path: Path) -> None:
    results = replace(SAMPLE, apply=apply)
    save_results(results, tmp_path / "results.json")
    assert load_results(tmp_path / "results.json") == results


def test_readme_and_results_say_what_was_measured() -> None:
    if not RESULTS.exists():
        pytest.skip("nothing was measured yet; `make bench` does")
    results = load_results(RESULTS)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert insert_table(readme, results) == readme, "`make regen` brings README up to date"
    assert (RESULTS.parent / "RESULTS.md").read_text(encoding="utf-8") == page(results)
