"""From a template's questions and what was answered to one valid answer for each, in the questions' order.

An answer that becomes a value of the platform spec is held to the spec's own rule. May not ask: that is the command's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from types import MappingProxyType
from typing import Final, TypeAlias

from scaffolder.errors import TemplateError, UsageError
from scaffolder.projects.containment import Bounds, contained
from scaffolder.projects.jinja import NO_CHANCE, Chance, Jinja
from scaffolder.projects.manifest import GIVEN, Answer, Context, Manifest, QuestionSpec
from scaffolder.projects.tree import shown_path
from scaffolder.spec.fields import keys_of
from scaffolder.spec.model import Ci, PlatformSpec
from scaffolder.spec.nodes import nearest
from scaffolder.spec.providers import PROVIDERS
from scaffolder.spec.scalars import EMAIL, LONGEST_EMAIL, Email, Str
from scaffolder.spec.secrets import secret_in
from stacks.record import record

__all__ = [
    "Answered",
    "Answers",
    "Asking",
    "Given",
    "Question",
    "Remembered",
    "Scope",
    "context_of",
    "unknown_question",
]

Answers: TypeAlias = Mapping[str, Answer]
Given: TypeAlias = str | bool | int
"""An answer as it comes: from a flag as text, from a file as YAML has it."""

LONGEST_ANSWER: Final = 1000
QUICKLY = Bounds(seconds=5, memory_mib=256, result_bytes=1024 * 1024)
YES, NO = ("yes", "y", "true", "on", "1"), ("no", "n", "false", "off", "0")


@record
class Question:
    """One question as it stands after the answers before it: what is asked, the default, and what is valid."""

    name: str
    asks: str
    help: str
    kind: str
    default: Answer
    choices: Mapping[str, str]
    pattern: str
    says: str
    shortest: int
    longest: int
    minimum: int | None
    maximum: int | None

    def read(self, given: Given) -> Answer:
        """An answer of this question's type.

        Raises:
            UsageError: it does not fit; why, and the nearest that would.
        """
        if self.kind == "flag":
            return self._flag(given)
        text = str(given)
        refusal = self._refusal(text)
        if refusal:
            raise UsageError(refusal)
        return text

    def _flag(self, given: Given) -> bool:
        if isinstance(given, bool):
            return given
        word = str(given).lower()
        if word in YES or word in NO:
            return word in YES
        raise UsageError(f'{self.name} must be {self.valid}, not "{shown_path(str(given))}"')

    def _refusal(self, text: str) -> str:
        shown = shown_path(text) if text else ""
        if secret_in(text):
            return f"{self.name} looks like {secret_in(text)}: answers are kept in the project, and must hold no secret"
        if len(text) > LONGEST_ANSWER or not all(letter.isprintable() for letter in text):
            return f"{self.name} must be one line of at most {LONGEST_ANSWER} characters"
        if self.kind == "choice":
            if text in self.choices:
                return ""
            hint = nearest(text, tuple(self.choices))
            return f'{self.name} must be {self.valid}, not "{shown}"{f". {hint}" if hint else ""}'
        if self.kind == "integer":
            fits = self._is_whole_number(text)
        else:
            fits = self.shortest <= len(text) <= self.longest
            fits = fits and (not self.pattern or re.fullmatch(self.pattern, text) is not None)
        return "" if fits else f'{self.name} must be {self.valid}, not "{shown}"'

    @property
    def valid(self) -> str:
        """What is a valid answer, in words."""
        if self.kind == "flag":
            return "yes or no"
        if self.kind == "choice":
            return f"one of {', '.join(self.choices)}"
        if self.kind == "integer":
            bounds = "" if self.minimum is None else f" from {self.minimum}"
            return f"a whole number{bounds}{'' if self.maximum is None else self._up_to}"
        return self.says or f"{self.shortest} to {self.longest} characters"

    @property
    def _up_to(self) -> str:
        return f" {'up ' if self.minimum is None else ''}to {self.maximum}"

    def _is_whole_number(self, text: str) -> bool:
        if not re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", text):
            return False
        low, high = self.minimum, self.maximum
        return (low is None or int(text) >= low) and (high is None or int(text) <= high)


NOTHING: Mapping[str, Given] = MappingProxyType({})


@record
class Answered:
    """Answers to all questions, in their order.

    ``asked`` are the questions whose conditions hold, ``defaulted`` those of them that nothing but the default answered.
    """

    answers: Answers
    asked: tuple[str, ...]
    defaulted: tuple[str, ...]


@record
class Remembered:
    """Answers that nobody gives now.

    ``recorded`` are the project's to the same template, which must fit; ``elsewhere`` those to its other templates, taken
    where they fit; ``suggested`` are defaults where they fit: an organisation's, or what the folder's name suggests.
    """

    recorded: Mapping[str, Given] = field(default_factory=dict)
    elsewhere: Mapping[str, Given] = field(default_factory=dict)
    suggested: Mapping[str, Given] = field(default_factory=dict)


@record
class Scope:
    """What defaults see beside answers: what the ``context`` works out before them, and what the ``tool`` gives."""

    context: Context
    tool: Mapping[str, str]


NO_MEMORY = Remembered()
NO_SCOPE = Scope(
    context=Context(public=NOTHING, worked_out=NOTHING, settings=NOTHING), tool=MappingProxyType({})
)


class Asking:
    """A template's questions, one after the other; each sees the answers before it.

    ``trusted`` templates' expressions are evaluated in this process; others' apart, with bounds. ``given`` are answers
    by flag or file.
    """

    def __init__(
        self,
        manifest: Manifest,
        given: Mapping[str, Given],
        remembered: Remembered = NO_MEMORY,
        *,
        trusted: bool,
        chance: Chance = NO_CHANCE,
        scope: Scope = NO_SCOPE,
    ) -> None:
        self._manifest = manifest
        self._given = dict(given)
        self._remembered = remembered
        self._here = trusted
        self._scope = scope
        defaults = {name: str(question.default) for name, question in manifest.questions.items()}
        self._jinja = Jinja({}, defaults, chance)

    def _unknown(self) -> list[str]:
        names = tuple(self._manifest.questions)
        return [unknown_question(name, names) for name in self._given if name not in names]

    def answers(self, ask: Callable[[Question], Answer] | None = None) -> Answers:
        """All answers; see :meth:`answered`."""
        return self.answered(ask).answers

    def answered(self, ask: Callable[[Question], Answer] | None = None) -> Answered:
        """Answer all questions. Without ``ask``, what nobody answered takes its default.

        Raises:
            UsageError: some answers do not fit; all of them.
            TemplateError: a condition or a default of the template cannot be worked out.
        """
        if self._here or ask is not None:
            return self._worked_through(ask)
        value = self._apart(self._packed, f"answering the questions of the template {self._manifest.name}")
        told = value if isinstance(value, dict) else {}
        return Answered(
            answers=MappingProxyType(dict(told["answers"])),
            asked=tuple(told["asked"]),
            defaulted=tuple(told["defaulted"]),
        )

    def _packed(self) -> object:
        done = self._worked_through(None)
        return {"answers": dict(done.answers), "asked": done.asked, "defaulted": done.defaulted}

    def _worked_through(self, ask: Callable[[Question], Answer] | None) -> Answered:
        answers: dict[str, Answer] = {}
        asked: list[str] = []
        defaulted: list[str] = []
        wrong = self._unknown()
        if wrong and ask is not None:  # before a person answers anything
            raise UsageError("\n".join(wrong))
        for name, spec in self._manifest.questions.items():
            applies = not spec.when or self._truth(name, spec.when, answers)
            question = self._question(name, spec, answers)
            if applies:
                asked.append(name)
                question = self._suggesting(question)
            elif name in self._given:
                wrong.append(f'{name} is not asked here: it is for "{shown_path(spec.when)}". Leave it out.')
            try:
                answers[name] = (
                    self._answer(question, ask, defaulted) if applies else _typed(question, question.default)
                )
            except UsageError as error:
                wrong.append(str(error))
                answers[name] = question.default
        if wrong:
            raise UsageError("\n".join(wrong))
        return Answered(answers=MappingProxyType(answers), asked=tuple(asked), defaulted=tuple(defaulted))

    def _answer(
        self, question: Question, ask: Callable[[Question], Answer] | None, defaulted: list[str]
    ) -> Answer:
        name = question.name
        if name in self._given:
            return self._read(question, self._given[name])
        if name in self._remembered.elsewhere:
            with suppress(UsageError):  # another template's word for something else of that name
                return self._read(question, self._remembered.elsewhere[name])
        if name in self._remembered.recorded:
            try:
                return self._read(question, self._remembered.recorded[name])
            except UsageError as error:
                if ask is None:
                    stop = "" if str(error).endswith("?") else "."
                    raise UsageError(
                        f"{error}{stop} That is the project's answer, which no longer fits: answer it anew with "
                        f"--set {name}=VALUE"
                    ) from error
        if ask is not None:
            return ask(question)
        defaulted.append(name)
        try:
            return self._read(question, question.default)
        except UsageError as error:
            raise UsageError(f"{name} needs an answer: its default does not fit. {error}") from error

    def _suggesting(self, question: Question) -> Question:
        if question.name in self._remembered.suggested:
            with suppress(UsageError):
                return replace(
                    question, default=self._read(question, self._remembered.suggested[question.name])
                )
        return question

    def _apart(self, work: Callable[[], object], what: str) -> object:
        """Work in a process of its own, with bounds, unless this is one or the template is trusted."""
        if self._here:
            return work()

        def working() -> tuple[object, bytes]:
            self._here = True
            try:
                return {"done": work()}, b""
            except UsageError as error:
                return {"refused": str(error)}, b""

        value, _ = contained(working, what, QUICKLY)
        told = value if isinstance(value, dict) else {}
        if "refused" in told:
            raise UsageError(str(told["refused"]))
        return told["done"]

    def _read(self, question: Question, given: Given) -> Answer:
        """Read an answer; a stranger's pattern is matched apart, since it may take for ever."""
        if not question.pattern:
            return question.read(given)
        read = self._apart(lambda: question.read(given), f"the pattern of {question.name}")
        return read if isinstance(read, bool) else str(read)

    def _question(self, name: str, spec: QuestionSpec, answers: Answers) -> Question:
        default: Answer = spec.default if isinstance(spec.default, bool) else str(spec.default)
        if isinstance(default, str) and "{" in default and name not in self._given:
            default = self._text(name, default, answers)
            if spec.type == "flag":
                default = default.lower() in YES
        valid = _spec_rule(spec, answers) if spec.type == "spec" else None
        return Question(
            name=name,
            asks=spec.ask,
            help=spec.help,
            kind="text" if valid else spec.type,
            default=default,
            choices=self._choices(name, spec, answers),
            pattern=valid.pattern if valid else spec.pattern,
            says=valid.says if valid else spec.says,
            shortest=valid.shortest if valid else spec.shortest,
            longest=valid.longest if valid else spec.longest,
            minimum=spec.minimum,
            maximum=spec.maximum,
        )

    def _choices(self, name: str, spec: QuestionSpec, answers: Answers) -> Mapping[str, str]:
        """A plain cookiecutter template's choices may be Jinja, as its defaults."""
        if not any("{" in value for value in spec.choices):
            return spec.choices
        return {
            self._text(name, value, answers) if "{" in value else value: title
            for value, title in spec.choices.items()
        }

    def _text(self, name: str, source: str, answers: Answers) -> str:
        def render() -> object:
            context = {**self._scope.tool, **answers, "cookiecutter": self._seen(name, answers)}
            return self._jinja.text(source, context, f"the default of {name}", LONGEST_ANSWER)

        return str(self._apart(render, f"the default of {name}"))

    def _seen(self, name: str, answers: Answers) -> dict[str, object]:
        """What a default may say after ``cookiecutter.``: what cookiecutter itself knows when it comes to a name."""
        context = self._scope.context
        known: dict[str, object] = {**self._scope.tool, **context.settings, **answers}
        for before in context.order:
            if before == name:
                break
            worked_out = context.worked_out.get(before)
            if worked_out is not None:
                known[before] = _worked_out(worked_out, known, self._jinja, before)
        return known

    def _truth(self, name: str, when: str, answers: Answers) -> bool:
        values = dict(answers)
        return (
            self._apart(
                lambda: self._jinja.truth(when, values, f"the condition of {name}"),
                f"the condition of {name}",
            )
            is True
        )


def unknown_question(name: str, names: Sequence[str]) -> str:
    """The message about an answer to what is not asked."""
    there_are = f"There are {', '.join(names)}." if names else "There is none."
    return f'there is no question "{shown_path(name)}". {nearest(name, tuple(names)) or there_are}'


def _typed(question: Question, default: Answer) -> Answer:
    """A default that holds because its question is not asked: of the right type, and otherwise as it is."""
    return question.read(default) if question.kind == "flag" else default


@record
class _Rule:
    pattern: str
    says: str
    shortest: int
    longest: int


def _spec_rule(spec: QuestionSpec, answers: Answers) -> _Rule:
    """What the platform spec takes for one of its keys; region and account on the cloud of the answer ``provider``."""
    kinds = {
        "name": keys_of(PlatformSpec)["name"].kind,
        "owner": keys_of(PlatformSpec)["owner"].kind,
        "repository": keys_of(Ci)["repository"].kind,
    }
    kind = kinds.get(spec.field)
    if isinstance(kind, Str):
        says = f"{kind.says}, {kind.minimum} to {kind.maximum} characters"
        return _Rule(pattern=kind.pattern, says=says, shortest=kind.minimum, longest=kind.maximum)
    if spec.field == "email":
        return _Rule(pattern=EMAIL, says=Email().valid, shortest=3, longest=LONGEST_EMAIL)
    cloud = PROVIDERS.get(str(answers.get("provider", "")))
    if cloud is None:  # no cloud: nothing is deployed, and nothing held to a cloud's shape
        return _Rule(pattern="", says="", shortest=0, longest=100)
    shape = cloud.region if spec.field == "region" else cloud.account
    return _Rule(pattern=shape.pattern, says=shape.says.removesuffix(", in quotes"), shortest=1, longest=100)


def context_of(
    context: Context, answers: Answers, given: Mapping[str, str], jinja: Jinja, where: str
) -> dict[str, object]:
    """Cookiecutter's context for rendering: settings, answers, what is given, and what is worked out of them.

    Raises:
        TemplateError: something cannot be worked out.
    """
    values: dict[str, object] = dict(context.settings)
    declared = {**context.public, **context.worked_out}
    later = []
    for name in context.order:
        if name in answers:
            values[name] = answers[name]
        elif name in GIVEN and name in given:
            values[name] = given[name]
        elif name in declared:
            if isinstance(declared[name], dict):  # as in cookiecutter, mappings see all others in the end
                later.append(name)
                if name in context.public:
                    continue
            values[name] = _worked_out(declared[name], values, jinja, f"{where}: {name}")
    for name in later:
        values[name] = _worked_out(declared[name], values, jinja, f"{where}: {name}")
    return values


def _worked_out(declared: object, values: Mapping[str, object], jinja: Jinja, where: str) -> object:
    """Render a value of the context as cookiecutter does: lists and mappings throughout, numbers as text."""
    if declared is None or isinstance(declared, bool):
        return declared
    if isinstance(declared, dict):
        return {
            str(_worked_out(name, values, jinja, where)): _worked_out(value, values, jinja, where)
            for name, value in declared.items()
        }
    if isinstance(declared, list):
        return [_worked_out(value, values, jinja, where) for value in declared]
    try:
        return jinja.text(str(declared), {"cookiecutter": values}, where, 100_000)
    except RecursionError as error:
        raise TemplateError(f"{where} cannot be worked out") from error
