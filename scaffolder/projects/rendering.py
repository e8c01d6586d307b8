"""Renders a template into a tree of files, as cookiecutter would, and runs nothing of it.

What a template brings to run (hooks, extensions) makes this refuse it; :mod:`scaffolder.projects.trusting` runs it with
cookiecutter itself, where somebody answers for it. May not write a disk or ask a question.
"""

from __future__ import annotations

import io
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatch
from functools import cache, partial
from pathlib import PurePosixPath
from typing import Final

from scaffolder.errors import TemplateError
from scaffolder.policies.place import POLICY_FILE
from scaffolder.projects.answering import Answers, context_of
from scaffolder.projects.containment import BOUNDS, contained_together
from scaffolder.projects.jinja import NO_CHANCE, Chance, Jinja
from scaffolder.projects.manifest import RECORD
from scaffolder.projects.template import Template
from scaffolder.projects.tree import LIMITS, File, Tree, checked_tree, path_problem, shown_path
from stacks.record import record

__all__ = ["OWN", "Job", "processors", "render", "render_together", "runs_something", "takes_chances"]

HOOKS: Final = ("pre_prompt", "pre_gen_project", "post_gen_project")
OWN: Final = (RECORD, POLICY_FILE)
LONGEST_PATH: Final = 2000
NEWLINES: Final = ("", "\n", "\r\n", "\r")


@record
class Job:
    """A template to render, with answers to all of its questions.

    ``given`` are ``project_slug`` and ``scaffolder_version``.
    """

    template: Template
    answers: Answers
    given: Mapping[str, str]
    chance: Chance = NO_CHANCE


@record
class _Source:
    """A file of the project's folder in a template, by its path there."""

    path: str
    file: File


@record
class _Share:
    """The files of a template that one process renders: from a path to before another; empty is without an end."""

    start: str = ""
    end: str = ""

    def has(self, path: str) -> bool:
        return self.start <= path and (not self.end or path < self.end)


ALL = _Share()


def render(
    template: Template, answers: Answers, given: Mapping[str, str], chance: Chance = NO_CHANCE
) -> Tree:
    """Render one template; the arguments are a :class:`Job`'s.

    Raises:
        TemplateError: as :func:`render_together`.
    """
    return render_together((Job(template=template, answers=answers, given=given, chance=chance),))[0]


def render_together(jobs: Sequence[Job]) -> tuple[Tree, ...]:
    """Render templates, each into a tree of its own; what several have in common is compiled once.

    Strangers' templates are rendered apart, in as many processes as there are processors if they are large.

    Raises:
        TemplateError: one would have to run something, is no right Jinja, or makes a path or a size that is refused.
    """
    for job in jobs:
        _refuse_running(job.template)
    apart = [job for job in jobs if not job.template.trusted]
    rendered = iter(_apart(apart) if apart else ())
    trees = []
    for job in jobs:
        what = f"the template {job.template.name}"
        pieces = _pieces(job, ALL) if job.template.trusted else next(rendered)
        trees.append(checked_tree(_joined(job.template, pieces), what))
    return tuple(trees)


def _refuse_running(template: Template) -> None:
    brought = runs_something(template)
    if brought:
        raise TemplateError(
            f"the template {template.name} runs code of its own ({', '.join(brought)}), and nothing of a template is "
            "run by itself. Read it, and say --trust if you answer for it; or name a catalog (--catalog) whose entry "
            "pins its commit."
        )


def _apart(jobs: Sequence[Job]) -> list[list[tuple[str, File]]]:
    """Render strangers' templates in processes of their own, each a share of every template's files."""
    names = [*dict.fromkeys(job.template.name for job in jobs)]
    what = f"rendering the template{'s' * (len(names) > 1)} {', '.join(names)}"
    bounds = replace(BOUNDS, result_bytes=BOUNDS.result_bytes * len(jobs))
    _judges()  # imported here once, not in each process
    works = [partial(_packed, jobs, share) for share in _shares(jobs, processors())]
    found: list[list[tuple[str, File]]] = [[] for _ in jobs]
    for listed, content in contained_together(works, what, bounds):
        for number, path, file in _unpacked(listed, content):
            found[number].append((path, file))
    return found


WORTH_A_PROCESS: Final = 150
"""Pieces of markup: fewer are compiled in the time that a process takes to start."""


def _shares(jobs: Sequence[Job], processors: int) -> list[_Share]:
    """Divide the files of templates by their paths, so that each processor has as much markup to compile."""
    weights: Counter[str] = Counter()
    for job in jobs:
        for path, file in job.template.files.items():
            weights[path] += file.content.count(b"{{") + file.content.count(b"{%")
    total = weights.total()
    count = max(1, min(processors, total // WORTH_A_PROCESS))
    borders = [""]
    before = 0
    for path in sorted(weights):
        if len(borders) < count and before >= total * len(borders) / count:
            borders.append(path)
        before += weights[path]
    return [_Share(start=start, end=end) for start, end in zip(borders, [*borders[1:], ""], strict=True)]


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _packed(jobs: Sequence[Job], share: _Share) -> tuple[object, bytes]:
    """Render a share of each template, as what a process gives back."""
    listed: list[object] = []
    contents: list[bytes] = []
    for number, job in enumerate(jobs):
        for path, file in _pieces(job, share):
            listed.append([number, path, file.executable, len(file.content)])
            contents.append(file.content)
    return listed, b"".join(contents)


def _unpacked(listed: object, content: bytes) -> Iterator[tuple[int, str, File]]:
    start = 0
    for number, path, executable, size in listed if isinstance(listed, list) else ():
        yield number, path, File(content=content[start : start + size], executable=executable is True)
        start += size


def _joined(template: Template, pieces: Iterable[tuple[str, File]]) -> dict[str, File]:
    """The files of a project, of which no two may have one path."""
    files: dict[str, File] = {}
    for path, file in pieces:
        if path in files:
            raise TemplateError(f"the template {template.name} renders {shown_path(path)} twice")
        files[path] = file
    return files


def runs_something(template: Template) -> tuple[str, ...]:
    """What rendering with cookiecutter itself would run of a template: its hooks, and extensions of Jinja."""
    hooks = sorted(
        path
        for path in template.files
        if path.startswith("hooks/") and path.count("/") == 1 and PurePosixPath(path).stem in HOOKS
    )
    return (*hooks, *(shown_path(name) for name in template.context.extensions))


CHANCES = re.compile(rb"\b(?:uuid4|random_ascii_string)\b|\|\s*random\b|%[-+]?\s*now\b")
FAR: Final = 2000
"""Bytes: how long a piece of markup may be that asks for a chance after its beginning."""


def takes_chances(template: Template) -> bool:
    """Whether a template asks for the time or for something random, which its project then has to remember."""
    own_markup = bool(template.context.settings.get("_jinja2_env_vars"))
    texts = (text for path, file in template.files.items() for text in (path.encode(), file.content))
    return any(own_markup or _is_in_markup(text, at.end()) for text in texts for at in CHANCES.finditer(text))


def _is_in_markup(text: bytes, end: int) -> bool:
    before = text[max(0, end - FAR) : end]
    return max(before.rfind(b"{{"), before.rfind(b"{%")) > max(before.rfind(b"}}"), before.rfind(b"%}"))


def _pieces(job: Job, share: _Share) -> Iterator[tuple[str, File]]:
    """A share of the files of a project, by the paths that they render to; an empty name leaves its file out."""
    template = job.template
    settings = template.context.settings
    options = settings.get("_jinja2_env_vars", {})
    if not isinstance(options, dict):
        raise TemplateError(f"the template {template.name}: _jinja2_env_vars must be a mapping")
    root = _root_of(template, str(options.get("variable_start_string", "{{")))
    inside = {
        path: _Source(path=path[len(root) + 1 :], file=file)
        for path, file in template.files.items()
        if path.startswith(f"{root}/")
    }
    jinja = Jinja(options, _includable(template, [*inside.values()]), job.chance)
    context = {"cookiecutter": context_of(template.context, job.answers, job.given, jinja, template.name)}
    copied = _patterns(settings)
    newline = settings.get("_new_lines") or ""
    if newline not in NEWLINES:
        raise TemplateError(f"the template {template.name}: _new_lines must be \\n, \\r\\n or \\r")
    names = _Names(jinja, context)
    total = 0
    for source in (source for path, source in inside.items() if share.has(path)):
        path = names.of(source.path, copied)
        if not path:
            continue
        problem = path_problem(path)
        if problem:
            raise TemplateError(f"the template {template.name} renders {shown_path(path)}, which {problem}")
        if path == RECORD and template.trusted:
            continue  # for those who render it with cookiecutter; the tool writes its own
        if path in OWN:
            raise TemplateError(
                f"the template {template.name} renders {path}, which is the tool's own to write"
            )
        content = source.file.content
        if not _is_copied(source.path, copied) and not _is_binary(source.path, content):
            most = LIMITS.total_bytes - total
            content = _text(jinja, context, source, str(newline), min(most, LIMITS.file_bytes))
        total += len(content)
        if total > LIMITS.total_bytes:
            raise TemplateError(f"the template {template.name} renders more than {LIMITS.total_bytes} bytes")
        yield path, File(content=content, executable=source.file.executable)


def _root_of(template: Template, opening: str) -> str:
    """The folder whose name is markup: what the project's folder is made of."""
    roots = sorted(
        {
            path.partition("/")[0]
            for path in template.files
            if "/" in path and "cookiecutter" in path.partition("/")[0] and opening in path.partition("/")[0]
        }
    )
    if len(roots) != 1:
        found = "none" if not roots else ", ".join(map(shown_path, roots))
        more = {"template", "templates"} & template.context.public.keys()
        raise TemplateError(
            f"the template {template.name} must have one folder named by markup, such as "
            f"{{{{ cookiecutter.project_slug }}}}; it has {found}"
            + ("; it is a choice of templates in folders: name the folder of one" if more else "")
        )
    return roots[0]


def _includable(template: Template, inside: Sequence[_Source]) -> Mapping[str, str]:
    """What a template's files may include or import: those beside them, and those in its folder ``templates``."""
    files = {source.path: source.file for source in inside}
    beside = {
        path.removeprefix("templates/"): file
        for path, file in template.files.items()
        if path.startswith("templates/")
    }
    texts = {}
    for path, file in {**beside, **files}.items():
        try:
            texts[path] = file.content.decode()
        except UnicodeDecodeError:
            continue
    return texts


def _patterns(settings: Mapping[str, object]) -> tuple[str, ...]:
    patterns = settings.get("_copy_without_render", [])
    return tuple(map(str, patterns)) if isinstance(patterns, list) else ()


def _is_copied(path: str, patterns: Sequence[str]) -> bool:
    """Whether a file, or a folder that it is in, is copied as it is."""
    parts = path.split("/")
    return any(fnmatch("/".join(parts[:end]), each) for end in range(1, len(parts) + 1) for each in patterns)


class _Names:
    """Renders paths, each folder's name once. Below a folder that is copied, names are as they are."""

    def __init__(self, jinja: Jinja, context: Mapping[str, object]) -> None:
        self._jinja = jinja
        self._context = context
        self._known: dict[str, str] = {}

    def of(self, path: str, copied: Sequence[str]) -> str:
        """The path that a file gets; empty when it, or a folder above it, is left out."""
        done: list[str] = []
        parts = path.split("/")
        for end, part in enumerate(parts, start=1):
            named = self._one(part)
            if not named:
                return ""
            done.append(named)
            above = "/".join(parts[:end])
            if end < len(parts) and any(fnmatch(above, pattern) for pattern in copied):
                return "/".join([*done, *parts[end:]])
        return "/".join(done)

    def _one(self, part: str) -> str:
        if not self._jinja.has_markup(part):
            return part
        if part not in self._known:
            self._known[part] = self._jinja.text(part, self._context, part, LONGEST_PATH)
        return self._known[part]


def _text(jinja: Jinja, context: Mapping[str, object], source: _Source, newline: str, most: int) -> bytes:
    """Render a text, and keep the line endings that its first line has."""
    try:
        reader = io.TextIOWrapper(io.BytesIO(source.file.content), encoding="utf-8")
        first = reader.readline()
        found = reader.newlines
        text = first + reader.read()
    except UnicodeDecodeError as error:
        raise TemplateError(
            f"{shown_path(source.path)} is neither UTF-8 nor binary. Save it as UTF-8, or list it in "
            "_copy_without_render."
        ) from error
    rendered = jinja.text(text, context, source.path, most) if jinja.has_markup(text) else text
    ending = newline or (found[0] if isinstance(found, tuple) else found) or "\n"
    try:
        return (rendered if ending == "\n" else rendered.replace("\n", ending)).encode()
    except UnicodeEncodeError as error:
        raise TemplateError(f"{shown_path(source.path)} becomes what is no text") from error


PLAIN: Final = bytes({9, 10, 13} | set(range(0x20, 0x7F)))
LONGEST_SIGNATURE: Final = 32


def _is_binary(path: str, content: bytes) -> bool:
    """What cookiecutter takes for binary, and copies: by name, then by its first bytes."""
    binary, extension, chunk = _judges()
    start = content[:chunk]
    if not extension(path) and not start.translate(None, PLAIN):
        return binary(
            start[:LONGEST_SIGNATURE]
        )  # plain text is binary by its beginning alone, such as "%PDF-1."
    return extension(path) or binary(start)


@cache
def _judges() -> tuple[Callable[[bytes], bool], Callable[[str], bool], int]:
    """Cookiecutter's own judges; before their version 0.5, names did not count and more bytes did."""
    from binaryornot import helpers  # noqa: PLC0415 - only what renders needs it

    by_name = getattr(helpers, "has_binary_extension", lambda _path: False)
    return helpers.is_binary_string, by_name, getattr(helpers, "CHUNK_SIZE", 1024)
