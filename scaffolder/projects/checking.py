"""Finds what is wrong with a template, all of it: what it says of itself, its files, and its renderings.

Rendered as a stranger's always: in a sandbox and apart. May not run what a template brings to run, nor write a file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from functools import cached_property
from typing import Final, TypeAlias

from scaffolder.errors import Finding, TemplateError, UsageError
from scaffolder.projects.jinja import Jinja
from scaffolder.projects.manifest import (
    CONTEXT,
    GIVEN,
    MANIFEST,
    Context,
    Manifest,
    checked_manifest,
    read_context,
)
from scaffolder.projects.mentions import Mention, Mentions, mentions_of
from scaffolder.projects.rendering import runs_something
from scaffolder.projects.shown import shown_text
from scaffolder.projects.template import Template, template_of
from scaffolder.projects.tree import File, checked_tree, path_problem, shown_path
from scaffolder.projects.trying import Trouble, misled_migrations, try_renderings
from scaffolder.spec.nodes import EMPTY as NO_TREE
from scaffolder.spec.nodes import Mark, Path, Report, mark_of, nearest
from scaffolder.spec.nodes import Tree as Nodes
from scaffolder.spec.secrets import is_secret_name, secrets_in
from scaffolder.spec.source import parse_source as parse_yaml

__all__ = ["Parts", "check_template"]

Parts: TypeAlias = Callable[[str], Manifest]
"""Opens a part by its name; raises a TemplateError where there is none."""

HEAD: Final = Mark(1, 1)
PLACED: Final = re.compile(r"(?P<file>[^:\n]+):(?P<line>[0-9]+): (?P<told>.*)", re.DOTALL)


def check_template(files: Mapping[str, File], where: str, parts: Parts) -> tuple[Finding, ...]:
    """Return everything that is wrong with a template, sorted; ``where`` is its folder or source in the findings."""
    check = _Check(files, where, parts)
    check.run()
    return tuple(sorted(set(check.findings)))


class _Check:
    """One template under examination."""

    def __init__(self, files: Mapping[str, File], where: str, parts: Parts) -> None:
        self._files = files
        self._where = where
        self._parts = parts
        self._opened: dict[str, Manifest] = {}
        self.findings: list[Finding] = []

    def run(self) -> None:
        self._check_paths()
        self._check_secrets()
        context = self._read_context()
        if context is None:
            return
        manifest = self._read_manifest(context)
        self._check_code(context)
        self._open_parts(manifest)
        used = (
            self._check_context(context)
            | self._check_files(context)
            | self._check_manifest(manifest, context)
        )
        self._check_unused(manifest, context, used)
        template = self._template()
        if template is not None and not runs_something(template):
            self._check_renderings(template)

    def _add(
        self, file: str, mark: Mark, code: str, message: str, hint: str = "", *, warning: bool = False
    ) -> None:
        where = f"{self._where}/{file}" if file else self._where
        self.findings.append(
            Finding(
                file=shown_text(where),
                line=mark.line,
                column=mark.column,
                code=code,
                path="",
                message=shown_text(message),
                hint=shown_text(hint),
                severity="warning" if warning else "error",
            )
        )

    # --- files, as they are ---

    def _check_paths(self) -> None:
        """Report paths that are not safe everywhere, and sizes."""
        bad = [path for path in self._files if path_problem(path, markup=True)]
        for path in bad:
            self._add(shown_path(path), HEAD, "path", f"the path {path_problem(path, markup=True)}")
        try:
            checked_tree(
                {path: file for path, file in self._files.items() if path not in bad}, "it", markup=True
            )
        except TemplateError as error:
            for line in str(error).splitlines()[1:]:
                self._add("", HEAD, "path", line.strip())

    def _check_secrets(self) -> None:
        for path, text in self._texts.items():
            for start, kind in secrets_in(text):
                self._add(
                    path,
                    _place(text, start),
                    "secret",
                    f"this looks like {kind}; a template is read by everyone who uses it",
                    "Revoke it, since it may have been seen, and let projects read theirs from a secret store.",
                )

    @cached_property
    def _texts(self) -> Mapping[str, str]:
        """The files that are text, by path."""
        texts = {}
        for path, file in self._files.items():
            if b"\0" not in file.content:
                try:
                    texts[path] = file.content.decode()
                except UnicodeDecodeError:
                    continue
        return texts

    # --- what it says of itself ---

    def _read_context(self) -> Context | None:
        try:
            context = read_context(self._files, self._where)
        except TemplateError as error:
            cause = error.__cause__
            mark = Mark(cause.lineno, cause.colno) if isinstance(cause, json.JSONDecodeError) else HEAD
            self._add(CONTEXT, mark, "context", _without(str(error), f"{self._where}/{CONTEXT} "))
            return None
        if CONTEXT not in self._texts:
            self._add(CONTEXT, HEAD, "encoding", "the file is not UTF-8", "Save it as UTF-8.")
            return None
        for name in self._repeated():
            self._add(
                CONTEXT,
                self._key(name),
                "duplicate-key",
                f"{shown_path(name)} is there twice; only the last counts",
            )
        return context

    def _repeated(self) -> Sequence[str]:
        seen: list[str] = []

        def note(pairs: list[tuple[str, object]]) -> dict[str, object]:
            names = [name for name, _ in pairs]
            seen.extend(name for name in {*names} if names.count(name) > 1)
            return dict(pairs)

        json.loads(self._files[CONTEXT].content, object_pairs_hook=note)
        return sorted(seen)

    def _key(self, name: str) -> Mark:
        """Where a key of the context is, as far as its text tells."""
        text = self._texts.get(CONTEXT, "")
        found = re.search(rf"{re.escape(json.dumps(name))}\s*:", text)
        return _place(text, found.start()) if found else HEAD

    def _read_manifest(self, context: Context) -> Manifest | None:
        file = self._files.get(MANIFEST)
        if file is None:
            self._add(
                "",
                HEAD,
                "manifest",
                f"there is no {MANIFEST}: its answers are not checked, and it has no versions but its tags",
                f"Add {MANIFEST}; what it says is in docs/templates.md.",
                warning=True,
            )
            for name in context.public:
                if is_secret_name(name):
                    self._add(
                        CONTEXT,
                        self._key(name),
                        "secret",
                        f"{shown_path(name)} asks for a secret, and answers are kept in the project",
                        "Let the project read it from its environment or a secret store.",
                    )
            return None
        manifest, findings = checked_manifest(file.content, context, f"{self._where}/{MANIFEST}")
        self.findings += findings
        return manifest

    @cached_property
    def _manifest_nodes(self) -> Nodes:
        text = self._texts.get(MANIFEST, "")
        return parse_yaml(text, Report(MANIFEST, "the template")) or NO_TREE

    def _in_manifest(
        self, path: Path, code: str, message: str, hint: str = "", *, warning: bool = False
    ) -> None:
        self._add(MANIFEST, mark_of(self._manifest_nodes, path), code, message, hint, warning=warning)

    def _check_code(self, context: Context) -> None:
        hooks = [path for path in self._files if path.startswith("hooks/")]
        told = "cookiecutter runs this"
        hint = (
            "Here it is run with --trust only, or where a catalog pins its commit: do without it if you can."
        )
        template = _bare(self._files, context)
        for name in runs_something(template):
            if name in hooks:
                self._add(name, HEAD, "runs-code", told, hint, warning=True)
            else:
                where = self._key("_extensions")
                self._add(CONTEXT, where, "runs-code", f"the extension {name}: {told}", hint, warning=True)

    def _open_parts(self, manifest: Manifest | None) -> None:
        for number, part in enumerate(manifest.parts if manifest else ()):
            try:
                self._opened[part.template] = opened = self._parts(part.template)
            except (TemplateError, UsageError) as error:
                self._in_manifest(("parts", number, "template"), "part", f"the part cannot be read: {error}")
                continue
            for name in part.answers:
                if name not in opened.questions:
                    self._in_manifest(
                        ("parts", number, "answers", name),
                        "part",
                        f"the part {part.template} does not ask for {name}",
                        nearest(name, opened.questions),
                    )

    # --- Jinja ---

    @cached_property
    def _jinja(self) -> Jinja:
        return Jinja({}, {})

    def _environment_of(self, context: Context) -> Jinja:
        options = context.settings.get("_jinja2_env_vars", {})
        try:
            return Jinja(options if isinstance(options, dict) else {}, dict(self._texts))
        except TemplateError as error:
            self._add(CONTEXT, self._key("_jinja2_env_vars"), "jinja", str(error))
            return Jinja({}, dict(self._texts))

    def _check_context(self, context: Context) -> set[str]:
        """Values of the context see those above them only."""
        used: set[str] = set()
        before = {*context.settings}
        declared = [name for name in [*context.public, *context.worked_out] if name not in GIVEN]
        texts = {**context.public, **context.worked_out}
        order = [name for name in _keys(self._files[CONTEXT].content) if name in texts]
        for name in order:
            for text in _strings(texts[name]):
                found = mentions_of(text, self._jinja.environment)
                mark = self._key(name)
                self._tell(CONTEXT, mark, found, texts, context)
                used |= {each.name for each in found.answers}
                for each in found.answers:
                    if each.name in texts and each.name not in before and not each.optional:
                        self._add(
                            CONTEXT,
                            mark,
                            "order",
                            f"{name} is worked out of {each.name}, which is below it",
                            f"Move {each.name} up.",
                        )
            before.add(name)
        return used & {*declared}

    def _check_files(self, context: Context) -> set[str]:
        """Report what the project's files mention wrongly; return the answers that they mention."""
        jinja = self._environment_of(context)
        known = {**context.public, **context.worked_out, **context.settings}
        patterns = context.settings.get("_copy_without_render", [])
        copied = tuple(map(str, patterns)) if isinstance(patterns, list) else ()
        used: set[str] = set()
        for path in self._files:
            top, _, inside = path.partition("/")
            if "cookiecutter" not in top or not inside:
                continue
            name = mentions_of(path, jinja.environment)
            self._tell(path, HEAD, name, known, context)
            used |= _used(name, known)
            if path in self._texts and not _is_copied(inside, copied):
                found = mentions_of(self._texts[path], jinja.environment)
                self._tell(path, None, found, known, context)
                used |= _used(found, known)
        for path, text in self._texts.items():
            if path.startswith("templates/"):
                used |= _used(mentions_of(text, jinja.environment), known)
        return used

    def _tell(
        self, path: str, mark: Mark | None, found: Mentions, known: Mapping[str, object], context: Context
    ) -> None:
        """Report what is wrong with a text; without a ``mark``, where each mention is in the file."""
        file = shown_path(path)

        def at(mention: Mention) -> Mark:
            return mark or self._column(path, mention)

        if found.problem:
            self._add(file, mark or Mark(found.line, 1), "jinja", found.problem)
        for each in found.answers:
            if each.name not in known and not each.optional:
                hint = nearest(each.name, known) or f"Add it to {CONTEXT}."
                self._add(file, at(each), "unknown-name", f"there is no cookiecutter.{each.name}", hint)
        for each in found.others:
            if not each.optional:
                hint = f"Write cookiecutter.{each.name}." if each.name in context.public else ""
                self._add(file, at(each), "unknown-name", f"nothing is called {each.name}", hint)
        for each in found.chances:
            self._add(
                file,
                at(each),
                "chance",
                f"{each.name} makes two renderings differ; each project has to remember what came out",
                "Do without it, so that the same answers give the same bytes.",
                warning=True,
            )

    def _column(self, path: str, mention: Mention) -> Mark:
        lines = self._texts[path].split("\n")
        line = lines[mention.line - 1] if mention.line <= len(lines) else ""
        return Mark(mention.line, max(line.find(mention.name), 0) + 1)

    def _check_manifest(self, manifest: Manifest | None, context: Context) -> set[str]:
        """Report what the manifest's own Jinja mentions wrongly; return the answers that it, or a part, makes use of."""
        if manifest is None:
            return set()
        used: set[str] = set()
        names: list[str] = [*GIVEN, *context.worked_out]
        for name, question in manifest.questions.items():
            used |= self._words(("questions", name), "when", question.when, names, condition=True)
            default = question.default if isinstance(question.default, str) else ""
            used |= self._words(("questions", name), "default", default, names)
            if question.type == "spec" and question.field in {"region", "account"}:
                used.add("provider")
            names.append(name)
        for number, part in enumerate(manifest.parts):
            used |= self._words(("parts", number), "when", part.when, names, condition=True)
            for name, value in part.answers.items():
                text = value if isinstance(value, str) else ""
                used |= self._words(("parts", number, "answers"), name, text, names)
            opened = self._opened.get(part.template)
            used |= {name for name in opened.questions if name not in part.answers} if opened else {*names}
        used |= self._words((), "next", manifest.next, [*names, "folder"])
        return used

    def _words(
        self, above: Path, key: str, text: str, known: Sequence[str], *, condition: bool = False
    ) -> set[str]:
        if not text or not (condition or "{" in text):
            return set()
        path = (*above, key)
        source = f"{{{{ 1 if ({text}) else 0 }}}}" if condition else text
        found = mentions_of(source, self._jinja.environment)
        if found.problem:
            self._in_manifest(path, "jinja", f"{_dotted(path)}: {found.problem}")
        for each in (*found.answers, *found.others):
            if each.name not in known and not each.optional:
                self._in_manifest(
                    path,
                    "unknown-name",
                    f"{_dotted(path)}: there is no answer {each.name} before it",
                    nearest(each.name, known),
                )
        return {each.name for each in (*found.answers, *found.others)}

    def _check_unused(self, manifest: Manifest | None, context: Context, used: set[str]) -> None:
        for name in manifest.questions if manifest else context.public:
            if name not in {*used, *GIVEN}:
                file, mark = CONTEXT, self._key(name)
                if manifest:
                    file, mark = MANIFEST, mark_of(self._manifest_nodes, ("questions", name))
                self._add(
                    file,
                    mark,
                    "unused",
                    f"the answer {shown_path(name)} changes nothing",
                    "Use it, or do not ask.",
                    warning=True,
                )

    # --- renderings ---

    def _template(self) -> Template | None:
        """Read the template, where it can be; why not is reported already, or here."""
        if any(finding.severity == "error" for finding in self.findings):
            return None
        try:
            name = self._where.rstrip("/").rpartition("/")[2]
            return template_of(self._files, source=self._where, name=name, where=self._where)
        except TemplateError as error:
            self._add("", HEAD, "template", str(error))
            return None

    def _check_renderings(self, template: Template) -> None:
        """Render with the defaults and each choice, and look where migrations lead; what fails is reported once."""
        rendered, troubles = try_renderings(template)
        for trouble in troubles:
            self._tell_rendering(trouble)
        if not troubles and not any(tree for _, tree in rendered):
            self._add("", HEAD, "rendering", "no answers render a file")
        for misled in misled_migrations(template, rendered):
            self._in_manifest(misled.path, "migration", misled.message, misled.hint, warning=misled.warning)

    def _tell_rendering(self, trouble: Trouble) -> None:
        given = ", ".join(f"{name} {str(value).lower()}" for name, value in trouble.given.items())
        file, mark, why = "", HEAD, trouble.why
        placed = PLACED.fullmatch(why)
        if placed and (path := self._inside(placed["file"])):
            file, mark, why = path, Mark(int(placed["line"]), 1), placed["told"]
        self._add(file, mark, "rendering", f"with {given or 'its defaults'}: {why}")

    def _inside(self, path: str) -> str:
        """The file of the template that a rendering calls by its path in the project's folder."""
        return next((each for each in self._files if each.partition("/")[2] == path), "")


def _bare(files: Mapping[str, File], context: Context) -> Template:
    """As much of a template as tells what it would run."""
    nobody = Manifest(template=1, name="template", version="0.0.0", title="A template")
    return Template(
        source="", commit="", digest="", manifest=nobody, context=context, files=files, trusted=False
    )


def _used(found: Mentions, known: Mapping[str, object]) -> set[str]:
    return {*known} if found.everything else {each.name for each in found.answers}


def _is_copied(path: str, patterns: Sequence[str]) -> bool:
    parts = path.split("/")
    return any(fnmatch("/".join(parts[:end]), each) for end in range(1, len(parts) + 1) for each in patterns)


def _keys(content: bytes) -> Sequence[str]:
    """The names of a context in the file's order."""
    return [*json.loads(content)]


def _strings(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from _strings(each)
        case dict():
            for name, each in value.items():
                yield str(name)
                yield from _strings(each)


def _place(text: str, offset: int) -> Mark:
    start = text.rfind("\n", 0, offset) + 1
    return Mark(text.count("\n", 0, offset) + 1, offset - start + 1)


def _without(text: str, start: str) -> str:
    return text.removeprefix(start)


def _dotted(path: Path) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")
