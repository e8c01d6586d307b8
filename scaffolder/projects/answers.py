"""The questions of the built-in templates, and what is a valid answer.

An answer that becomes a value of the spec is held to the spec's own rule. May not ask: that is the command's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from scaffolder.errors import UsageError
from scaffolder.spec.fields import keys_of
from scaffolder.spec.model import Ci, PlatformSpec
from scaffolder.spec.nodes import nearest
from scaffolder.spec.providers import PROVIDERS, Shape
from scaffolder.spec.scalars import EMAIL, LONGEST_EMAIL, Email, Str
from stacks.record import record

__all__ = ["CLOUDS", "PLATFORM", "Question", "checked", "default_answers", "platform_questions"]

NO_CI = "none"


@record
class Question:
    """One question. Of ``choices`` or ``pattern`` and ``says`` there is one; ``example`` answers it for a try."""

    name: str
    asks: str
    example: str
    choices: tuple[str, ...] = ()
    pattern: str = ""
    says: str = ""
    longest: int = 200

    def refusal(self, answer: str) -> str:
        """Why an answer does not fit; empty when it does."""
        if self.choices:
            if answer in self.choices:
                return ""
            hint = nearest(answer, self.choices)
            return f'{self.name} must be one of {", ".join(self.choices)}, not "{answer}"{f". {hint}" if hint else ""}'
        if re.fullmatch(self.pattern, answer) and len(answer) <= self.longest:
            return ""
        return f'{self.name} must be {self.says}, not "{answer}"'


def _shaped(name: str, asks: str, example: str, shape: Shape) -> Question:
    """A question whose answer is a value of the cloud's own; it is the template that puts it in quotes."""
    says = shape.says.removesuffix(", in quotes")
    return Question(name=name, asks=asks, example=example, pattern=shape.pattern, says=says)


def _spec_question(name: str, asks: str, example: str, kind: object) -> Question:
    if not isinstance(kind, Str):
        raise TypeError(f"{name} is no text in the spec")
    shortest, longest = kind.minimum, kind.maximum
    says = f"{kind.says}, {shortest} to {longest} characters"
    pattern = f"(?=.{{{shortest},}}){kind.pattern or '.*'}"
    return Question(name=name, asks=asks, example=example, pattern=pattern, says=says, longest=longest)


CLOUDS: Mapping[str, tuple[Question, Question]] = {
    "aws": (
        _shaped("region", "AWS region", "eu-west-1", PROVIDERS["aws"].region),
        _shaped("account", "AWS account", "123456789012", PROVIDERS["aws"].account),
    ),
    "gcp": (
        _shaped("region", "Google Cloud region", "europe-west4", PROVIDERS["gcp"].region),
        _shaped("account", "Google Cloud project", "acme-ml-platform", PROVIDERS["gcp"].account),
    ),
    "azure": (
        _shaped("region", "Azure region", "westeurope", PROVIDERS["azure"].region),
        _shaped(
            "account",
            "Azure subscription",
            "11111111-2222-3333-4444-555555555555",
            PROVIDERS["azure"].account,
        ),
    ),
}
"""Each cloud's questions for where the platform is, in its own words and shapes; the first cloud is the default."""

_WHAT = (
    _spec_question(
        "name", "Platform name, the prefix of every name", "churn", keys_of(PlatformSpec)["name"].kind
    ),
    _spec_question("owner", "Team that answers for it", "ml-platform", keys_of(PlatformSpec)["owner"].kind),
    Question(name="provider", asks="Cloud", example=next(iter(CLOUDS)), choices=tuple(CLOUDS)),
)
_HOW = (
    Question(
        name="email",
        asks="Mail address that hears of alerts",
        example="ml-platform@example.com",
        pattern=EMAIL,
        says=Email().valid,
        longest=LONGEST_EMAIL,
    ),
    Question(name="engine", asks="CDKTF engine", example="cdktf", choices=("cdktf", "cdktn")),
    Question(
        name="ci",
        asks="CI system that plans and deploys",
        example="github",
        choices=("github", "gitlab", NO_CI),
    ),
    _spec_question(
        "repository",
        "Repository whose jobs may deploy (owner/name)",
        "acme/churn-platform",
        keys_of(Ci)["repository"].kind,
    ),
)


def platform_questions(provider: str) -> tuple[Question, ...]:
    """The questions of the template ``platform``, in the order in which they are asked, for a cloud or for what is none."""
    return (*_WHAT, *CLOUDS.get(provider, CLOUDS["aws"]), *_HOW)


PLATFORM = platform_questions("aws")
"""One cloud's, for what is the same on all: their names and order."""


def default_answers(questions: Sequence[Question], project: str) -> dict[str, str]:
    """Answers that make a project without a question; name and repository follow from the project's folder."""
    answers = {question.name: question.example for question in questions}
    slug = re.sub(r"[^a-z0-9]+", "-", project.lower()).strip("-").removesuffix("-platform")
    (name,) = (question for question in questions if question.name == "name")
    if not name.refusal(slug):
        answers["name"] = slug
        answers["repository"] = f"acme/{slug}-platform"
    return answers


def checked(questions: Sequence[Question], answers: Mapping[str, str]) -> dict[str, str]:
    """Return the answers in the questions' order.

    Raises:
        UsageError: an unknown or missing answer, or some that do not fit; all of them.
    """
    names = [question.name for question in questions]
    wrong = [
        f'there is no question "{name}"; {nearest(name, names) or "there is " + ", ".join(names)}'
        for name in answers
        if name not in names
    ]
    wrong += [f"{name} has no answer" for name in names if name not in answers]
    wrong += [
        refusal
        for question in questions
        if question.name in answers and (refusal := question.refusal(answers[question.name]))
    ]
    if wrong:
        raise UsageError("\n".join(wrong))
    return {name: answers[name] for name in names}
