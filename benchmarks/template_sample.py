"""A template of 100 files in two versions, and what an owner does to a project of it. The same each time.

Sixty of the files have markup: variables, conditions and a loop. May not know how a tool spells it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from benchmarks.template_spelling import Question, Version
from scaffolder.projects.tree import File

__all__ = ["FILES", "WITH_MARKUP", "conflicting_edits", "edit", "versions"]

FILES: Final = 100
WITH_MARKUP: Final = 60
QUESTIONS: Final = {
    "package": Question(values=("churn",)),
    "owner": Question(values=("growth-ml",)),
    "cloud": Question(values=("aws", "gcp", "azure")),
    "ci": Question(values=("github", "gitlab", "none")),
    "framework": Question(values=("sklearn", "xgboost", "pytorch")),
}
FOLDERS: Final = (
    "src/{{ cookiecutter.package }}",
    "tests",
    "conf",
    "docs",
    "deploy/{{ cookiecutter.cloud }}",
)
EDITED: Final = (0, 25, 30, 50, 1, 6, 22, 51)
"""The files that the owner edits; the second version changes the first four, at other lines."""
LAST_LINE: Final = "# End of the generated part."


def versions() -> tuple[Version, Version]:
    """The template, and its next version: 20 files changed, 5 added, 5 gone, a folder with another name."""
    first = {_path(number): _file(number) for number in range(FILES)}
    second = {}
    for number in range(FILES):
        path = _path(number)
        if number % 20 == 13:
            continue
        changed = number % 5 == 0
        second[path.replace("conf/", "configuration/")] = _file(number, changed=changed)
    for number in range(FILES, FILES + 5):
        second[_path(number)] = _file(number)
    return (
        Version(number="1.0.0", files=first, questions=QUESTIONS, renames={}),
        Version(number="2.0.0", files=second, questions=QUESTIONS, renames={}),
    )


def _has_markup(number: int) -> bool:
    return number % 5 < 3


def _path(number: int) -> str:
    folder = FOLDERS[number // 5 % len(FOLDERS)]
    name = f"part_{number:03}.{'md' if folder == 'docs' else 'yaml' if folder == 'conf' else 'py'}"
    if number % 25 == 2:
        name = f"{{% if cookiecutter.ci == 'github' %}}{name}{{% endif %}}"
    return f"{folder}/{name}"


def _file(number: int, *, changed: bool = False) -> File:
    lines = list(_lines(number, 20 + number * 37 % 101))
    if changed:
        lines[3] = f"# Part {number}, as the second version of the template says it."
        lines.insert(len(lines) - 2, f"after_{number} = {number} * 2")
    return File(content="".join(f"{line}\n" for line in lines).encode(), executable=number % 33 == 7)


def _lines(number: int, count: int) -> Iterator[str]:
    """The lines of a file, some of which are markup."""
    markup = _has_markup(number)
    for made, line in enumerate(_blocks(number, markup=markup), start=1):
        yield line
        if made >= count - 1 and not line.startswith("{%"):
            break
    yield LAST_LINE


def _blocks(number: int, *, markup: bool) -> Iterator[str]:
    package = "{{ cookiecutter.package }}" if markup else "the project"
    owner = "{{ cookiecutter.owner }}" if markup else "nobody"
    yield f'"""Part {number} of {package}."""'
    yield ""
    yield f"from pathlib import Path  # {number}"
    yield f"# Part {number} of the first version."
    yield f'OWNER_{number} = "{owner}"'
    if markup:
        yield "{% if cookiecutter.cloud == 'aws' -%}"
        yield f'BUCKET = "s3://{{{{ cookiecutter.package }}}}-{number}"'
        yield "{%- elif cookiecutter.cloud == 'gcp' -%}"
        yield f'BUCKET = "gs://{{{{ cookiecutter.package }}}}-{number}"'
        yield "{%- else -%}"
        yield f'BUCKET = "https://{{{{ cookiecutter.package }}}}{number}.example.com"'
        yield "{%- endif %}"
        yield "{% for step in ['ingest', 'train', 'serve'] -%}"
        yield "STEP_{{ step|upper }} = '{{ cookiecutter.framework }}-{{ step }}'"
        yield "{% endfor -%}"
    for step in range(1000):
        yield ""
        yield f"def step_{step}(folder: Path, rows: int = {number * step}) -> Path:"
        yield f'    """Work on {step} and write what comes of it."""'
        if markup and step % 3 == 1:
            yield f"    name = '{{{{ cookiecutter.package }}}}-{{{{ cookiecutter.ci }}}}-{step}'"
        else:
            yield f"    name = 'part-{number}-{step}'"
        yield "    return folder / name / str(rows)"


# --- the owner -------------------------------------------------------------------------------------------------------


def edit(project: Path) -> Mapping[str, str]:
    """Make ten edits that no update should trip over; each edited file's path and a line of the owner's in it."""
    kept = {}
    for number in EDITED:
        (path,) = project.rglob(f"part_{number:03}.py")
        lines = path.read_text(encoding="utf-8").splitlines()
        lines[9] = f"# Edit {number} of the owner."
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        kept[path.relative_to(project).as_posix()] = lines[9]
    own = project / "src/churn/own.py"
    own.write_text('"""The owner\'s own module."""\n', encoding="utf-8")
    kept["src/churn/own.py"] = '"""The owner\'s own module."""'
    (project / "docs/part_016.md").unlink()
    return kept


def conflicting_edits(project: Path) -> None:
    """Edit two lines that the second version has otherwise."""
    for path in sorted(project.glob("src/churn/part_*[05].py"))[:2]:
        lines = path.read_text(encoding="utf-8").splitlines()
        lines[3] = "# Another beginning, of the owner."
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
