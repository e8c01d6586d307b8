"""Turns what `templates.py` measured into TEMPLATES.md, and judges it. May not measure.

What it gets is the JSON of `templates.json`; a part that was not measured is left out of the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.results import Case

__all__ = ["Target", "page", "targets"]

BUSY = 2.5
"""A load from which on a page says that the machine was busy."""

OURS, PEERS = "scaffolder update", ("copier update", "cruft update")


@dataclass(frozen=True, slots=True)
class Target:
    """A claim, the value that was measured, and whether it holds."""

    claim: str
    measured: str
    met: bool


def targets(results: Mapping[str, Any]) -> list[Target]:
    """Judge what was measured."""
    found = []
    if "new" in results:
        cases = _cases(results["new"]["folder"])
        ratio = cases["scaffolder new"].times_faster_than(cases["cookiecutter"])
        found.append(Target("new takes no longer than cookiecutter", f"{ratio:.2f}× less", ratio >= 1))
    if "update" in results:
        cases = _cases(results["update"]["cases"])
        ratio = cases[OURS].times_faster_than(cases["copier update"])
        found.append(
            Target("update is at least 5 times faster than copier update", f"{ratio:.2f}×", ratio >= 5)
        )
    if "histories" in results:
        ours = results["histories"][OURS]
        bad = sum(bool(each["wrong"] or each["lost"] or _is_silent(each)) for each in ours)
        found.append(
            Target(
                "no history goes wrong, loses a line or hides a conflict", f"{bad} of {len(ours)}", bad == 0
            )
        )
    return found


def page(results: Mapping[str, Any]) -> str:
    """Write the whole page."""
    lines = [
        "# Templates beside cookiecutter, copier and cruft",
        "",
        "<!-- Written by benchmarks/templates.py, which says how; do not edit. -->",
        "",
        "The same template of 100 files (60 with variables, conditions and a loop) in the spelling of each tool. Whole",
        "processes in rounds, medians; a ratio is the median of the rounds' ratios. What the tools made was compared first,",
        "byte for byte.",
        "",
    ]
    if "new" in results:
        lines += ["## A new project", "", *_new(results["new"])]
    if "update" in results:
        lines += ["## An update", "", *_update(results["update"])]
    if "status" in results:
        lines += ["## The status of many repositories", "", *_status(results["status"])]
    if "histories" in results:
        lines += ["## What updates make of histories", "", *_histories(results["histories"])]
    versions = ", ".join(f"{name} {version}" for name, version in results["machine"]["versions"].items())
    machine = results["machine"]
    lines += [
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; {versions}.",
        "",
    ]
    return "\n".join(lines)


def _cases(read: Mapping[str, Any]) -> dict[str, Case]:
    return {
        name: Case(
            name=name,
            seconds=tuple(case["seconds"]),
            cpu_seconds=tuple(case["cpu_seconds"]),
            peak_mib=tuple(case["peak_mib"]),
        )
        for name, case in read.items()
    }


def _when(part: Mapping[str, Any]) -> str:
    busy = (
        " The machine was busy with other work: take the processors' time and the ratios, not the seconds."
        if part["load"] >= BUSY
        else ""
    )
    return f"Measured {part['date']}, at a load of {part['load']}, its own included.{busy}"


def _table(cases: Mapping[str, Case], ours: str) -> Iterator[str]:
    yield f"| command | time | processors' time | memory | beside `{ours}` |"
    yield "|---|---:|---:|---:|---:|"
    for name, case in cases.items():
        cpu = sorted(case.cpu_seconds)[len(case.cpu_seconds) // 2]
        ratio = "" if name == ours else f"{cases[ours].times_faster_than(case):.1f}× as long"
        yield f"| `{name}` | {case.median_s:.2f} s | {cpu:.2f} s | {case.median_mib:.0f} MiB | {ratio} |"
    yield ""


def _new(part: Mapping[str, Any]) -> Iterator[str]:
    yield "From a folder:"
    yield ""
    yield from _table(_cases(part["folder"]), "scaffolder new")
    yield "From a git repository on the same disk, by a tag. cookiecutter, copier and cruft clone it each time;"
    yield "scaffolder keeps what it fetched, and the second line is without that."
    yield ""
    yield from _table(_cases(part["git"]), "scaffolder new")
    yield _when(part)
    yield ""


def _update(part: Mapping[str, Any]) -> Iterator[str]:
    yield "From version 1 to version 2 (20 files changed, 5 new, 5 gone, a folder renamed) of a project with its owner's ten"
    yield "edits, none of which conflicts."
    yield ""
    yield from _table(_cases(part["cases"]), OURS)
    yield _when(part)
    yield ""


def _status(part: Mapping[str, Any]) -> Iterator[str]:
    states = part["states"]
    yield f"`scaffolder status` over {part['repositories']} repositories: {states['current']} up to date, {states['clean']} "
    yield f"that would merge cleanly and {states['conflicts']} that would conflict. Nobody else has such a command."
    yield ""
    yield "| output | time | for each repository | processors' time | memory |"
    yield "|---|---:|---:|---:|---:|"
    for name, case in _cases(part["cases"]).items():
        each = 1000 * case.median_s / part["repositories"]
        cpu = sorted(case.cpu_seconds)[len(case.cpu_seconds) // 2]
        memory = f"{case.median_mib:.0f} MiB" if case.peak_mib else ""
        yield f"| {name} | {case.median_s:.1f} s | {each:.0f} ms | {cpu:.1f} s | {memory} |"
    yield ""
    yield _when(part)
    yield ""


# --- histories -------------------------------------------------------------------------------------------------------


def _histories(part: Mapping[str, Any]) -> Iterator[str]:
    ours = part[OURS]
    yield f"The {len(ours)} histories of `tests/projects/histories.py`, each with real git: an old template, what the owner did,"
    yield "a new template, and the tree that must come out. One rule for all tools (`template_histories.judged`):"
    yield ""
    yield "- *Wrong tree*: where nothing conflicts, a file, a mode or a byte differs from what must come out, which is what git"
    yield "  makes of merging the template's change as a branch. Where something does, only the paths beside the conflict"
    yield "  count: each tool shows it in its own way. Whether a new file that the owner's git ignores is written is the"
    yield "  tool's affair. An update that fails without a conflict is a wrong tree."
    yield "- *Lost edits*: lines that the owner added and that are in no file any more. A line in a rejected piece (`.rej`) is not"
    yield "  lost if the exit code or the tool's words tell of it."
    yield "- *Silent conflict*: both sides changed the same thing, or the tool left conflict markers, a `.rej` or an unmerged"
    yield "  path, and the exit code is 0: a script or CI goes on. In brackets, where the tool's words do not name the file"
    yield "  either."
    yield ""
    yield "Each tool runs as its documentation says for use without questions, newest version, with git tags for the versions."
    yield "Where a template says what it renamed, scaffolder has it in `migrations:`, copier in `_migrations` (or not, whichever"
    yield "comes out better); cruft has no such thing. copier and cruft leave a file that the owner deleted deleted, by design,"
    yield "also when the template changed it: one of their silent conflicts."
    yield ""
    yield "| tool | histories | wrong trees | histories with lost edits | lines lost | silent conflicts |"
    yield "|---|---:|---:|---:|---:|---:|"
    for tool in (OURS, *PEERS):
        yield _total(tool, part[tool])
    yield ""
    yield "Each history; a blank is right."
    yield ""
    yield f"| history | {' | '.join((OURS, *PEERS))} |"
    yield "|---|---|---|---|"
    for number, each in enumerate(ours):
        verdicts = " | ".join(_verdict(part[tool][number]) for tool in (OURS, *PEERS))
        yield f"| {each['history']} | {verdicts} |"
    yield ""
    yield f"Ran {part['date']}."
    yield ""


def _is_silent(outcome: Mapping[str, Any]) -> bool:
    return bool(outcome["unresolved"] and outcome["exit_code"] == 0)


def _total(tool: str, outcomes: Sequence[Mapping[str, Any]]) -> str:
    wrong = sum(each["wrong"] for each in outcomes)
    losing = [each["lost"] for each in outcomes if each["lost"]]
    silent = [each for each in outcomes if _is_silent(each)]
    unnamed = sum(not each["named"] for each in silent)
    shown = f"{len(silent)} ({unnamed})" if silent else "0"
    return f"| `{tool}` | {len(outcomes)} | {wrong} | {len(losing)} | {sum(losing)} | {shown} |"


def _verdict(outcome: Mapping[str, Any]) -> str:
    told = []
    if outcome["said"]:
        told.append("fails")
    elif outcome["wrong"]:
        told.append("**wrong tree**")
    if outcome["lost"]:
        told.append(f"**loses {outcome['lost']} line{'s' * (outcome['lost'] > 1)}**")
    if _is_silent(outcome):
        told.append("exit code 0" if outcome["named"] else "exit code 0, not a word")
    return ", ".join(told)
