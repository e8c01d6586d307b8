"""What a template says of itself: ``template.yaml``, and cookiecutter's own ``cookiecutter.json``.

A template without ``template.yaml`` is a plain cookiecutter template, and its questions are read off its context. May
not answer a question or render a file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Final, TypeAlias

from scaffolder.errors import Finding, TemplateError
from scaffolder.projects.tree import File, shown_path
from scaffolder.projects.versions import Version
from scaffolder.spec.fields import (
    Anything,
    Boolean,
    Choice,
    Each,
    Either,
    Integer,
    Section,
    Str,
    Table,
    key,
    read,
)
from scaffolder.spec.nodes import Mark, Report, mark_of, nearest
from scaffolder.spec.secrets import is_secret_name
from scaffolder.spec.source import parse_source
from stacks.record import record

__all__ = [
    "CONTEXT",
    "GIVEN",
    "MANIFEST",
    "RECORD",
    "Answer",
    "Context",
    "Manifest",
    "MigrationSpec",
    "PartSpec",
    "QuestionSpec",
    "checked_manifest",
    "read_context",
    "read_manifest",
]

CONTEXT: Final = "cookiecutter.json"
MANIFEST: Final = "template.yaml"
RECORD: Final = ".scaffolder-project.json"
"""What the tool writes into each project; no template may render it."""

VERSION_OF_TOOL: Final = "scaffolder_version"
GIVEN: Final = ("project_slug", VERSION_OF_TOOL)
"""What nobody is asked: the project's name, after its folder, and the version of this program."""

Answer: TypeAlias = str | bool
MOST_BYTES = 256 * 1024
NAME_OF_VALUE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}")

NAME = Str(
    pattern=r"[a-z][a-z0-9]*(-[a-z0-9]+)*", minimum=1, maximum=60, says="lower-case words joined by hyphens"
)
QUESTION = Str(
    pattern=r"[A-Za-z][A-Za-z0-9_]*", minimum=1, maximum=60, says="a letter, then letters, digits and _"
)
SENTENCE = Str(minimum=1, maximum=200)
LONG = Str(minimum=1, maximum=4000)
EXPRESSION = Str(minimum=1, maximum=400)
VALUE = Str(minimum=0, maximum=400)
VERSION = Str(
    pattern=r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?",
    minimum=5,
    maximum=60,
    says="a version such as 1.2.0",
)
PATH = Str(minimum=1, maximum=400)
SPEC_FIELDS = ("name", "owner", "region", "account", "email", "repository")


@record
class QuestionSpec:
    """One question of a template."""

    ask: str = key(SENTENCE, "What is asked, in a few words.", required=True)
    help: str = key(LONG, "More, for those who want it.", default="")
    type: str = key(
        Choice("text", "choice", "flag", "integer", "spec"),
        "What is a valid answer; `spec` holds it to the rule of the platform spec's `field`.",
        default="text",
    )
    default: Answer | int = key(
        Either(Boolean(), Integer(), VALUE),
        "The answer where nobody gives one; text may be Jinja over the answers before it.",
        required=True,
    )
    choices: Mapping[str, str] = key(
        Table(Str(minimum=1, maximum=60), VALUE, 1, 100),
        "The valid answers and a title for each.",
        default={},
    )
    pattern: str = key(
        Str(minimum=1, maximum=400), "A regular expression that fits a whole valid text.", default=""
    )
    says: str = key(SENTENCE, "The pattern in words.", default="")
    shortest: int = key(Integer(minimum=0, maximum=1000), "The fewest characters of a text.", default=1)
    longest: int = key(Integer(minimum=1, maximum=1000), "The most characters of a text.", default=200)
    minimum: int | None = key(Integer(), "The least whole number.", default=None)
    maximum: int | None = key(Integer(), "The greatest whole number.", default=None)
    field: str = key(Choice(*SPEC_FIELDS), "The key of the platform spec whose rule holds.", default="")
    when: str = key(
        EXPRESSION,
        "A Jinja condition over the answers before it; where it is false, nothing is asked and the default holds.",
        default="",
    )


@record
class PartSpec:
    """Another template that is rendered into the same project, as a layer of its own."""

    template: str = key(
        NAME, "The part's template: a built-in name, or one beside this template.", required=True
    )
    when: str = key(EXPRESSION, "A Jinja condition over the answers.", default="")
    answers: Mapping[str, Answer | int] = key(
        Table(QUESTION, Either(Boolean(), Integer(), VALUE)),
        "Answers of the part; text may be Jinja. Others come from answers of the same name.",
        default={},
    )


@record
class AnswerChanges:
    """What a new version of a template calls otherwise."""

    rename: Mapping[str, str] = key(
        Table(QUESTION, QUESTION), "Old names of questions and their new ones.", default={}
    )
    set: Mapping[str, Answer | int] = key(
        Table(QUESTION, Either(Boolean(), Integer(), VALUE)),
        "Answers to give; text may be Jinja over the old answers.",
        default={},
    )
    drop: tuple[str, ...] = key(
        Each(QUESTION, maximum=100), "Answers that nobody asks for any more.", default=()
    )


@record
class MigrationSpec:
    """What an update to a version has to know beyond the two versions' files."""

    to: str = key(VERSION, "The version that needs it.", required=True)
    says: str = key(LONG, "What the project's owners should know.", default="")
    rename: Mapping[str, str] = key(
        Table(PATH, PATH),
        "Paths of files or folders in a project, and their new ones; may be Jinja.",
        default={},
    )
    answers: AnswerChanges = key(
        Section(AnswerChanges), "What becomes of the recorded answers.", default=AnswerChanges
    )


@record
class Manifest:
    """A template's account of itself."""

    template: int = key(Integer(minimum=1, maximum=1), "The version of this format.", required=True)
    name: str = key(NAME, "The template's name.", required=True)
    version: str = key(VERSION, "The template's version.", required=True)
    title: str = key(SENTENCE, "What a project of it is, in a few words.", required=True)
    owner: str = key(Str(minimum=1, maximum=100), "Who answers for it.", default="")
    questions: Mapping[str, QuestionSpec] = key(
        Table(QUESTION, Section(QuestionSpec), 0, 100),
        "The questions, in the order in which they are asked.",
        default={},
    )
    parts: tuple[PartSpec, ...] = key(
        Each(Section(PartSpec), maximum=10), "Other templates in the same project.", default=()
    )
    next: str = key(
        LONG,
        "What to do with a new project, a command a line; Jinja over the answers and `folder`.",
        default="",
    )
    migrations: tuple[MigrationSpec, ...] = key(
        Each(Section(MigrationSpec), maximum=200), "For updates, oldest first.", default=()
    )
    extra: object = key(Anything(), "Anything that others keep here.", default=None)


ROOT = Section(Manifest)


@record
class Context:
    """Cookiecutter's context: what is asked, what is worked out (``__x``), and settings (``_x``), as they stand there.

    ``order`` has all names in the file's order: each value sees those before it, and mappings see all.
    """

    public: Mapping[str, object]
    worked_out: Mapping[str, object]
    settings: Mapping[str, object]
    prompts: Mapping[str, str] = field(default_factory=dict)
    order: tuple[str, ...] = ()

    @property
    def extensions(self) -> tuple[str, ...]:
        """Modules that rendering would import."""
        named = self.settings.get("_extensions", ())
        return tuple(map(str, named)) if isinstance(named, list) else ()


def read_context(files: Mapping[str, File], where: str) -> Context:
    """Read a template's ``cookiecutter.json``.

    Raises:
        TemplateError: it is not there, or is no context.
    """
    content = _content(files, CONTEXT, where)
    if content is None:
        raise TemplateError(f"{where} is no template: it has no {CONTEXT}")
    try:
        declared = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise TemplateError(f"{where}/{CONTEXT} is no JSON: {error}") from error
    if not isinstance(declared, dict):
        raise TemplateError(f"{where}/{CONTEXT} must be an object of names and values")
    prompts = declared.pop("__prompts__", {})
    odd = [name for name in declared if not NAME_OF_VALUE.fullmatch(name)]
    if odd:
        raise TemplateError(
            f"{where}/{CONTEXT} has the name {shown_path(odd[0])}: a name has letters, digits and _, and at most 60 of them"
        )
    groups: tuple[dict[str, object], dict[str, object], dict[str, object]] = ({}, {}, {})
    for name, value in declared.items():
        group = 1 if name.startswith("__") else 2 if name.startswith("_") else 0
        groups[group][name] = value
    asks = prompts if isinstance(prompts, dict) else {}
    return Context(
        public=MappingProxyType(groups[0]),
        worked_out=MappingProxyType(groups[1]),
        settings=MappingProxyType(groups[2]),
        prompts={name: shown_path(told) for name, asked in asks.items() if (told := _prompt(asked))},
        order=tuple(declared),
    )


def _prompt(asked: object) -> str:
    """A question's words; of a choice, they may stand beside its titles."""
    told = asked.get("__prompt__") if isinstance(asked, dict) else asked
    return told if isinstance(told, str) else ""


def _content(files: Mapping[str, File], name: str, where: str) -> bytes | None:
    file = files.get(name)
    if file is None:
        return None
    if len(file.content) > MOST_BYTES:
        raise TemplateError(f"{where}/{name} has {len(file.content)} bytes, and may have {MOST_BYTES}")
    return file.content


def read_manifest(files: Mapping[str, File], where: str, *, name: str = "") -> Manifest:
    """Read what a template says of itself; of a plain cookiecutter template, what its context says.

    ``where`` is the template in messages, ``name`` what a plain one is called.

    Raises:
        TemplateError: it does not say it right; all findings.
    """
    context = read_context(files, where)
    content = _content(files, MANIFEST, where)
    if content is None:
        return _plain(context, name or where.rsplit("/", 1)[-1])
    manifest, findings = checked_manifest(content, context, f"{where}/{MANIFEST}")
    if manifest is None:
        raise TemplateError("\n".join(map(str, findings)))
    return manifest


def checked_manifest(
    content: bytes, context: Context, file: str
) -> tuple[Manifest | None, tuple[Finding, ...]]:
    """Read a manifest against its context; all findings, and the manifest where none is an error."""
    report = Report(file, "the template", begins="template: 1")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        report.add(Mark(1, 1), "encoding", (), "the file is not UTF-8", "Save it as UTF-8.")
        return None, tuple(report.findings)
    tree = parse_source(text, report)
    manifest = None if tree is None else read(ROOT, tree, (), report)
    if isinstance(manifest, Manifest) and tree is not None:
        for path, code, message, hint in _problems(manifest, context):
            report.add(mark_of(tree, path), code, path, message, hint)
    found = tuple(sorted(set(report.findings)))
    sound = isinstance(manifest, Manifest) and not any(finding.severity == "error" for finding in found)
    return (manifest if isinstance(manifest, Manifest) and sound else None), found


Told: TypeAlias = tuple[tuple[str | int, ...], str, str, str]


def _problems(manifest: Manifest, context: Context) -> Iterator[Told]:
    """What does not fit together in a manifest, or between it and the context."""
    for name, question in manifest.questions.items():
        path = ("questions", name)
        if name not in context.public:
            near = nearest(name, tuple(context.public))
            yield path, "question", f"questions.{name} is not in {CONTEXT}", near or f'Add "{name}" there.'
        elif not _agree(question, context.public[name]):
            said = json.dumps(context.public[name])
            yield (
                path,
                "question",
                f"questions.{name} and {CONTEXT} differ: there it is {said}",
                "Make them agree.",
            )
        if name in GIVEN:
            yield (
                path,
                "question",
                f"questions.{name} is given by scaffolder, and asked of nobody",
                "Leave it out.",
            )
        if is_secret_name(name):
            yield (
                path,
                "secret",
                f"questions.{name} asks for a secret, and answers are kept in the project",
                "Let the project read it from its environment or a secret store.",
            )
        yield from _question_problems(name, question)
    for name in context.public:
        if name not in manifest.questions and name not in GIVEN:
            yield (
                ("questions",),
                "question",
                f"{CONTEXT} asks for {name}, which questions does not have",
                "Add it.",
            )
    told = [name for name in context.public if name in manifest.questions]
    if told != list(manifest.questions) and set(told) == set(manifest.questions):
        yield (
            ("questions",),
            "question",
            f"questions and {CONTEXT} have another order",
            "Give both the same order.",
        )
    versions = [Version(text=migration.to) for migration in manifest.migrations]
    if versions != sorted(set(versions)):
        yield ("migrations",), "migration", "migrations must go up, each version once", "Sort them by `to`."
    if versions and versions[-1] > Version(text=manifest.version):
        last = manifest.migrations[-1].to
        yield (
            ("migrations", len(versions) - 1, "to"),
            "migration",
            f"{last} is later than version {manifest.version}",
            "",
        )


def _question_problems(name: str, question: QuestionSpec) -> Iterator[Told]:
    path = ("questions", name)
    for unused, only in (("choices", "choice"), ("field", "spec"), ("pattern", "text")):
        if getattr(question, unused) and question.type != only:
            yield (
                (*path, unused),
                "question",
                f"questions.{name}.{unused} is for the type {only}, and this has type {question.type}",
                "",
            )
    if question.type == "choice" and not question.choices:
        yield (
            path,
            "question",
            f"questions.{name} has no choices",
            "Write them as a mapping of values to titles.",
        )
    if question.type == "spec" and not question.field:
        yield (
            path,
            "question",
            f"questions.{name} names no field of the spec",
            f"There are {', '.join(SPEC_FIELDS)}.",
        )
    if question.pattern:
        try:
            re.compile(question.pattern)
        except re.error as error:
            yield (
                (*path, "pattern"),
                "pattern",
                f"questions.{name}.pattern is no regular expression: {error}",
                "",
            )
        if not question.says:
            yield (
                path,
                "question",
                f"questions.{name} has a pattern, and nothing says it in words",
                "Add `says`.",
            )
    default = question.default
    if isinstance(default, str) and "{" in default:
        return
    fits = {
        "flag": isinstance(default, bool),
        "integer": isinstance(default, int) and not isinstance(default, bool),
        "choice": default in question.choices,
    }.get(question.type, isinstance(default, str))
    if not fits:
        near = nearest(str(default), tuple(question.choices)) if question.choices else ""
        yield (*path, "default"), "default", f"questions.{name}.default is no {question.type} of it", near


def _agree(question: QuestionSpec, declared: object) -> bool:
    """Whether cookiecutter would ask the same; its Jinja has ``cookiecutter.`` before each name, and is not compared."""
    if isinstance(declared, list):
        plain = isinstance(question.default, str) and "{" not in question.default
        return (
            question.type == "choice"
            and list(question.choices) == declared
            and (not plain or (bool(declared) and question.default == declared[0]))
        )
    if isinstance(declared, bool) or question.type == "flag":
        return question.type == "flag" and (declared == question.default or isinstance(question.default, str))
    if not isinstance(declared, str | int):
        return False
    if "{" in str(declared) or "{" in str(question.default):
        return ("{" in str(declared)) == ("{" in str(question.default))
    return str(declared) == str(question.default)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _plain(context: Context, name: str) -> Manifest:
    """A plain cookiecutter template's manifest: its version is nobody's, its questions are its context."""
    questions = {}
    for asked, value in context.public.items():
        if (
            asked == VERSION_OF_TOOL
        ):  # a slug is asked for: strangers' templates make packages and modules of it
            continue
        ask = context.prompts.get(asked) or asked.replace("_", " ")
        if isinstance(value, list) and value and all(_is_plain(each) for each in value):
            choices = MappingProxyType({str(each): "" for each in value})
            questions[asked] = QuestionSpec(ask=ask, type="choice", choices=choices, default=str(value[0]))
        elif isinstance(value, bool):
            questions[asked] = QuestionSpec(ask=ask, type="flag", default=value)
        elif _is_plain(value):
            questions[asked] = QuestionSpec(ask=ask, default=str(value), shortest=0, longest=1000)
        elif value is None:
            questions[asked] = QuestionSpec(ask=ask, default="", shortest=0, longest=1000)
        # Mappings are no questions here: what they hold is worked out as it stands.
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "template"
    return Manifest(
        template=1,
        name=plain,
        version="0.0.0",
        title="A cookiecutter template",
        questions=MappingProxyType(questions),
    )
