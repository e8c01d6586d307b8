"""Turns results into the Markdown that README quotes and RESULTS.md holds, and judges them. May not measure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from benchmarks.results import Apply, Case, Machine, Results

__all__ = ["BEGIN", "END", "Target", "insert_table", "page", "table", "targets"]

BEGIN = "<!-- benchmarks:begin -->"
END = "<!-- benchmarks:end -->"
_GIB_FROM_MIB = 1024
_CLOUDS = {"gcp": "Google Cloud", "azure": "Azure"}


@dataclass(frozen=True, slots=True)
class Target:
    """A claim, the value that was measured, and whether it holds."""

    claim: str
    measured: str
    met: bool


def table(results: Results) -> str:
    """Write the tables and the line about the machine."""
    measured = _measured(results.date, results.machine)
    return "\n".join([*_comparisons(results), "", *_floors(results), "", *_many(results), "", measured])


def page(results: Results) -> str:
    """Write all of RESULTS.md: the tables of README, then the last deployment."""
    deployment = ["", *_applied(results.apply)] if results.apply else []
    return "\n".join([table(results), *deployment, ""])


def insert_table(text: str, results: Results) -> str:
    """Put the table between the markers; a text without both markers stays as it is."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        return text
    return f"{head}{begin}\n{table(results)}\n{end}{tail}"


def targets(results: Results) -> list[Target]:
    """Judge the measured values by what was promised for a quiet machine."""
    cases = results.cases
    found: list[Target] = []
    if {"synth", "constructs", "bindings"} <= cases.keys():
        peer = cases["bindings"]
        faster, smaller = cases["synth"].times_faster_than(peer), cases["synth"].times_smaller_than(peer)
        constructs = cases["constructs"].times_faster_than(peer)
        found += [
            Target("synth is at least 50 times faster than the peer", f"{faster:.1f}", faster >= 50),
            Target(
                "synth needs at least 12 times less memory than the peer", f"{smaller:.1f}", smaller >= 12
            ),
            Target(
                "constructs are at least 15 times faster than the peer", f"{constructs:.1f}", constructs >= 15
            ),
        ]
    found += _cloud_targets(results)
    if {"synth", "json", "python"} <= cases.keys():
        times = cases["synth"].times_beyond(cases["python"], cases["json"])
        claim = "synth beyond interpreter start takes at most 3 times as long as writing the same JSON does"
        found.append(Target(claim, f"{times:.1f}", times <= 3))
    for name in ("validate", "help"):
        if {name, "cookiecutter"} <= cases.keys():
            ours, limit = cases[name].median_s, min(0.15, cases["cookiecutter"].median_s)
            claim = f"{cases[name].name} takes at most 0.15 s and no longer than cookiecutter --help"
            found.append(Target(claim, f"{ours:.3f} s, limit {limit:.3f} s", ours <= limit))
    if len(results.many) > 1:
        first, last = results.many[0], results.many[-1]
        flat = last.ms_per_platform <= 1.1 * first.ms_per_platform and last.peak_mib <= 1.1 * first.peak_mib
        measured = (
            f"{first.ms_per_platform:.0f} to {last.ms_per_platform:.0f} ms, "
            f"{first.peak_mib:.0f} to {last.peak_mib:.0f} MiB"
        )
        claim = f"time and memory per platform stay flat from {first.platforms} to {last.platforms}"
        found.append(Target(claim, measured, flat))
    return found


def _cloud_targets(results: Results) -> Iterator[Target]:
    cases = results.cases
    for key in results.clouds:
        faster = cases[key].times_faster_than(cases[f"{key}-bindings"])
        claim = f"synth of {key}'s full example is at least 50 times faster than that cloud's bindings"
        yield Target(claim, f"{faster:.1f}", faster >= 50)
    if "three" in cases:
        times = cases["three"].median_s / _slowest_of_three(results).median_s
        claim = "one spec for three clouds takes at most 1.5 times as long as the slowest of the three alone"
        yield Target(claim, f"{times:.2f}", times <= 1.5)


def _slowest_of_three(results: Results) -> Case:
    alone = [case for key, case in results.cases.items() if key.startswith("three-")]
    return max(alone, key=lambda case: case.median_s)


def _comparisons(results: Results) -> Iterator[str]:
    cases = results.cases
    counts = f"{results.stacks} stacks, {results.resources} resources and policy documents"
    size = f"the {results.example} ({counts})"
    bindings = "CDKTF with the prebuilt AWS bindings"
    rows = [
        (f"`scaffolder synth` of {size}", "synth", bindings, "bindings"),
        ("the same through `scaffolder.constructs` in a CDKTF app", "constructs", bindings, "bindings"),
        ("`scaffolder validate` of it", "validate", "`cookiecutter --help`", "cookiecutter"),
        ("`scaffolder --help`", "help", "`cookiecutter --help`", "cookiecutter"),
        *_cloud_rows(results),
    ]
    yield "| ours | time | memory | the peer | time | memory | so ours takes |"
    yield "|---|---:|---:|---|---:|---:|---|"
    for what, ours, other, peer in rows:
        if ours in cases and peer in cases:
            yield _comparison(what, cases[ours], other, cases[peer])


def _cloud_rows(results: Results) -> Iterator[tuple[str, str, str, str]]:
    for key, size in results.clouds.items():
        what = f"`scaffolder synth` of the full example on {_CLOUDS[key]} ({size.stacks} stacks, {size.resources} resources)"
        yield what, key, f"cdktn with the prebuilt {_CLOUDS[key]} bindings", f"{key}-bindings"


def _comparison(what: str, ours: Case, other: str, peer: Case) -> str:
    gain = f"{_times(ours.times_faster_than(peer))} less time, {_times(ours.times_smaller_than(peer))} less memory"
    cells = [what, _time(ours), _memory(ours.median_mib), other, _time(peer), _memory(peer.median_mib), gain]
    return f"| {' | '.join(cells)} |"


def _floors(results: Results) -> Iterator[str]:
    floors = [results.cases[name] for name in ("python", "json") if name in results.cases]
    if floors:
        said = " and ".join(
            f"{case.name} takes {_time(case)} and {_memory(case.median_mib)}" for case in floors
        )
        yield f"Below that is only the floor: {said}.{_beyond(results)}{_three(results)}"


def _beyond(results: Results) -> str:
    cases = results.cases
    if not {"synth", "json", "python"} <= cases.keys():
        return ""
    times = _times(cases["synth"].times_beyond(cases["python"], cases["json"]))
    return f" Beyond the interpreter's start, `scaffolder synth` takes {times} as long as that plain Python."


def _three(results: Results) -> str:
    if "three" not in results.cases:
        return ""
    together, slowest = results.cases["three"], _slowest_of_three(results)
    times = _times(together.median_s / slowest.median_s)
    return f" One spec for three clouds takes {_time(together)}, {times} the slowest of the three alone."


def _many(results: Results) -> Iterator[str]:
    if results.many:
        yield "| platforms (the foundation example) in one `scaffolder synth` | time per platform | peak memory |"
        yield "|---:|---:|---:|"
        for case in results.many:
            yield f"| {case.platforms:,} | {case.ms_per_platform:.0f} ms | {_memory(case.peak_mib)} |"


def _applied(apply: Apply) -> Iterator[str]:
    yield "## Deployment on emulated AWS"
    yield ""
    yield (
        f"The {apply.example}, with plain Terraform, one stack after another, in seconds. AWS is the emulator of the "
        "tests on the same machine: the times say what Terraform, the provider and its own waits for AWS take, not "
        "what AWS takes."
    )
    yield ""
    yield "| stack | resources | init | plan | apply | second plan, empty | destroy |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for stack in apply.stacks:
        yield _row(stack.stack, stack.resources, stack.seconds)
    sums = tuple(map(sum, zip(*(stack.seconds for stack in apply.stacks), strict=True)))
    yield _row("together", sum(stack.resources for stack in apply.stacks), sums)
    yield ""
    yield _measured(apply.date, apply.machine)


def _row(name: str, resources: int, seconds: Iterable[float]) -> str:
    return f"| {' | '.join([name, str(resources), *(f'{value:.1f}' for value in seconds)])} |"


def _measured(date: str, machine: Machine) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    return f"Measured {date}: {machine.processor}, {machine.cores} cores, {machine.system}; {versions}."


def _time(case: Case) -> str:
    return f"{case.median_s:.1f} s" if case.median_s >= 3 else f"{case.median_s:.3f} s"


def _memory(mib: float) -> str:
    return f"{mib / _GIB_FROM_MIB:.2f} GiB" if mib >= _GIB_FROM_MIB else f"{mib:.0f} MiB"


def _times(ratio: float) -> str:
    return f"{ratio:.0f}×" if ratio >= 10 else f"{ratio:.1f}×"
