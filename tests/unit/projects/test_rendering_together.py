"""Templates that are rendered together, in several processes and compiled once, become what each becomes alone."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scaffolder.errors import TemplateError
from scaffolder.projects.containment import Bounds, contained_together
from scaffolder.projects.jinja import Chance
from scaffolder.projects.rendering import WORTH_A_PROCESS, Job, _shares, render, render_together
from scaffolder.projects.tree import Tree
from tests.unit.projects.made import by_cookiecutter, made

GIVEN = {"project_slug": "churn", "scaffolder_version": "0.1.0"}
LINE = "{{ cookiecutter.name }} and {% if cookiecutter.name %}more{% endif %}\n"
LARGE = {f"part-{number:02}/{'{{ cookiecutter.name }}'}.txt": LINE * 10 for number in range(4 * 6)}


def job(name: str, inside: dict[str, str], chance: Chance | None = None) -> Job:
    template = made({"name": "x"}, inside, name="large")
    return Job(template=template, answers={"name": name}, given=GIVEN, chance=chance or Chance())


def alone(one: Job) -> Tree:
    return render(one.template, one.answers, one.given, one.chance)


def test_a_large_template_is_divided_and_becomes_what_cookiecutter_makes_of_it(tmp_path: Path) -> None:
    large = job("y", LARGE)
    assert len(_shares([large], 100)) == 24 * 30 // WORTH_A_PROCESS
    assert alone(large) == by_cookiecutter(large.template, tmp_path, {"name": "y"})


@pytest.mark.parametrize("processors", [1, 2, 3, 7, 100])
def test_every_file_is_in_one_share(processors: int) -> None:
    jobs = [job("y", LARGE), job("z", {**LARGE, "other/a.txt": LINE * 40, "plain.txt": "no markup\n"})]
    shares = _shares(jobs, processors)
    assert 1 <= len(shares) <= processors
    for path in {path for each in jobs for path in each.template.files}:
        assert sum(share.has(path) for share in shares) == 1


def test_a_small_template_is_one_share() -> None:
    assert len(_shares([job("y", {"a.txt": LINE, "b.txt": LINE})], 100)) == 1


def test_two_versions_together_become_what_each_becomes_alone() -> None:
    changed = {
        **LARGE,
        "part-03/{{ cookiecutter.name }}.txt": "other {{ cookiecutter.name }}\n",
        "new.txt": LINE,
    }
    jobs = [job("y", LARGE), job("y", changed), job("z", LARGE)]
    assert render_together(jobs) == tuple(map(alone, jobs))


def test_what_is_drawn_by_chance_is_each_projects_own() -> None:
    inside = {"a.txt": "{{ [1, 2, 3, 4, 5, 6, 7, 8, 9]|random }} {{ random_ascii_string(20) }}"}
    jobs = [job("y", inside, Chance(seed=seed)) for seed in ("one", "two", "one")]
    one, two, again = render_together(jobs)
    assert one == again != two
    assert (one, two) == (alone(jobs[0]), alone(jobs[1]))


def test_two_files_of_one_path_are_refused_whichever_process_renders_them() -> None:
    first, last = (
        "part-00/{{ cookiecutter.name }}.txt",
        "{{ cookiecutter.there }}/{{ cookiecutter.name }}.txt",
    )
    template = made({"name": "x", "there": "part-00"}, {**LARGE, last: LINE * 10, first: LINE})
    answers = {"name": "y", "there": "part-00"}
    with pytest.raises(TemplateError, match=r"^the template small renders part-00/y\.txt twice$"):
        render(template, answers, GIVEN)


def test_the_first_file_that_is_wrong_is_told() -> None:
    wrong = {**LARGE, "part-01/wrong.txt": "{{ nothing.here }}", "part-22/wrong.txt": "{% if %}"}
    with pytest.raises(TemplateError, match=r"^part-01/wrong\.txt:1: 'nothing' is undefined$"):
        alone(job("y", wrong))


Work = Callable[[], tuple[object, bytes]]


def sleeping() -> tuple[object, bytes]:
    time.sleep(3600)
    return "never", b""


def refused() -> tuple[object, bytes]:
    raise TemplateError("a reason")


def numbered(number: int) -> Work:
    return lambda: (number, bytes([number]) * 100_000)


def test_results_come_in_the_order_of_their_functions() -> None:
    found = contained_together([numbered(number) for number in range(5)], "the work")
    assert found == tuple((number, bytes([number]) * 100_000) for number in range(5))


def test_one_that_is_refused_ends_the_others() -> None:
    started = time.monotonic()
    with pytest.raises(TemplateError, match=r"^a reason$"):
        contained_together((refused, sleeping, sleeping), "the work")
    assert time.monotonic() - started < 300
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_time_is_counted_from_each_ones_start() -> None:
    started = time.monotonic()
    with pytest.raises(TemplateError, match=r"^the work took more than 1 seconds"):
        contained_together((sleeping, sleeping, sleeping), "the work", Bounds(seconds=1))
    assert time.monotonic() - started < 300
