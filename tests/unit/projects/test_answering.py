"""Questions: their types, conditions and defaults, what is refused, and that nothing is asked twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from scaffolder.errors import TemplateError, UsageError
from scaffolder.projects.answering import Answered, Asking, Question, Remembered, Scope, context_of
from scaffolder.projects.jinja import Jinja
from scaffolder.projects.manifest import Answer
from scaffolder.projects.template import Template
from tests.unit.projects.made import made, manifest_of

CONTEXT = {
    "name": "churn",
    "framework": ["sklearn", "pytorch"],
    "gpu": False,
    "nodes": "1",
    "region": "eu-west-1",
}
QUESTIONS = """\
questions:
  name: {ask: Name, default: churn, pattern: "[a-z][a-z0-9-]*", says: "lower-case letters, digits and hyphens", shortest: 3, longest: 20}
  framework: {ask: Framework, type: choice, choices: {sklearn: scikit-learn, pytorch: PyTorch}, default: sklearn}
  gpu: {ask: Train on GPUs, type: flag, default: false, when: "framework in ['pytorch', 'jax']"}
  nodes: {ask: Nodes, type: integer, minimum: 1, maximum: 8, default: 1, when: gpu}
  region: {ask: Region, default: eu-west-1}
"""


def template() -> Template:
    return made(CONTEXT, {"a.txt": ""}, manifest=manifest_of(QUESTIONS))


def asked(
    given: Mapping[str, Any] | None = None,
    remembered: Remembered | None = None,
    *,
    of: Template | None = None,
    ask: Any = None,
    trusted: bool = False,
) -> Answered:
    one = of or template()
    scope = Scope(context=one.context, tool={"project_slug": "churn-model", "scaffolder_version": "0.1.0"})
    asking = Asking(one.manifest, given or {}, remembered or Remembered(), trusted=trusted, scope=scope)
    return asking.answered(ask)


def refusal(
    given: Mapping[str, Any], of: Template | None = None, remembered: Remembered | None = None
) -> list[str]:
    with pytest.raises(UsageError) as refused:
        asked(given, remembered, of=of)
    return str(refused.value).splitlines()


# --- types -----------------------------------------------------------------------------------------------------------


def test_what_nobody_answers_takes_its_default_and_that_is_known() -> None:
    done = asked({"name": "fraud"})
    assert dict(done.answers) == {
        "name": "fraud",
        "framework": "sklearn",
        "gpu": False,
        "nodes": "1",
        "region": "eu-west-1",
    }
    assert done.asked == ("name", "framework", "region")
    assert done.defaulted == ("framework", "region")


@pytest.mark.parametrize("trusted", [True, False])
def test_strangers_templates_get_the_same_answers_apart(*, trusted: bool) -> None:
    given = {"framework": "pytorch", "gpu": "yes", "nodes": 4}
    done = asked(given, trusted=trusted)
    assert dict(done.answers) == {
        "name": "churn",
        "framework": "pytorch",
        "gpu": True,
        "nodes": "4",
        "region": "eu-west-1",
    }
    assert done.asked == ("name", "framework", "gpu", "nodes", "region")


@pytest.mark.parametrize(
    ("word", "means"),
    [
        (True, True),
        ("yes", True),
        ("Y", True),
        ("on", True),
        ("1", True),
        (1, True),
        ("no", False),
        ("FALSE", False),
        (0, False),
    ],
)
def test_a_flag_takes_the_usual_words(*, word: str | bool | int, means: bool) -> None:
    assert asked({"framework": "pytorch", "gpu": word}).answers["gpu"] is means


FAULTS = [
    ({"name": "Fraud!"}, 'name must be lower-case letters, digits and hyphens, not "Fraud!"'),
    ({"name": "ab"}, 'name must be lower-case letters, digits and hyphens, not "ab"'),
    ({"name": "x" * 21}, f'name must be lower-case letters, digits and hyphens, not "{"x" * 21}"'),
    ({"region": ""}, 'region must be 1 to 200 characters, not ""'),
    ({"region": "a\nb"}, "region must be one line of at most 1000 characters"),
    ({"region": "a\x1b[2Jb"}, "region must be one line of at most 1000 characters"),
    (
        {"framework": "pytorhc"},
        'framework must be one of sklearn, pytorch, not "pytorhc". Did you mean "pytorch"?',
    ),
    ({"framework": True}, 'framework must be one of sklearn, pytorch, not "True"'),
    ({"framework": "pytorch", "gpu": "maybe"}, 'gpu must be yes or no, not "maybe"'),
    ({"framework": "pytorch", "gpu": True, "nodes": 9}, 'nodes must be a whole number from 1 to 8, not "9"'),
    (
        {"framework": "pytorch", "gpu": True, "nodes": "2.0"},
        'nodes must be a whole number from 1 to 8, not "2.0"',
    ),
    (
        {"framework": "pytorch", "gpu": True, "nodes": "007"},
        'nodes must be a whole number from 1 to 8, not "007"',
    ),
    ({"framwork": "sklearn"}, 'there is no question "framwork". Did you mean "framework"?'),
    ({"zzz": "1"}, 'there is no question "zzz". There are name, framework, gpu, nodes, region.'),
    ({"gpu": True}, "gpu is not asked here: it is for \"framework in ['pytorch', 'jax']\". Leave it out."),
    (
        {"region": "AKIAIOSFODNN7EXAMPLE"},
        "region looks like an AWS access key: answers are kept in the project, and must hold no secret",
    ),
    (
        {"region": "-----BEGIN RSA PRIVATE KEY-----"},
        "region looks like a private key: answers are kept in the project, and must hold no secret",
    ),
]


@pytest.mark.parametrize(("given", "told"), FAULTS, ids=[told[:40] for _, told in FAULTS])
def test_an_answer_that_does_not_fit_is_refused_with_what_would(given: dict[str, Any], told: str) -> None:
    assert refusal(given) == [told]


def test_all_that_is_wrong_is_said_at_once() -> None:
    told = refusal({"name": "X", "framework": "jx", "region": "", "nodes": 3})
    assert [line.split(" ")[0] for line in told] == ["name", "framework", "nodes", "region"]
    assert refusal({"a": 1, "b": 2})[1].startswith('there is no question "b"')


def test_a_secret_is_not_repeated_in_the_message() -> None:
    assert "AKIA" not in "".join(refusal({"region": "AKIAIOSFODNN7EXAMPLE"}))


# --- conditions and defaults -----------------------------------------------------------------------------------------

DEFAULTS = """\
questions:
  name: {ask: Name, default: churn}
  package: {ask: Package, default: "{{ name|replace('-', '_') }}"}
  wide: {ask: Wide, type: flag, default: "{{ name|length > 5 }}"}
  repository: {ask: Repository, default: "acme/{{ project_slug }}"}
  image: {ask: Image, default: "{{ cookiecutter.__registry }}/{{ cookiecutter._team }}/{{ cookiecutter.__names.one }}"}
"""


def derived() -> Template:
    context = {
        "name": "churn",
        "_team": "ml",
        "package": "{{ cookiecutter.name|replace('-', '_') }}",
        "__registry": "registry.example.com/{{ cookiecutter.package }}",
        "__names": {"one": "{{ cookiecutter.name }}"},
        "wide": False,
        "repository": "acme/{{ cookiecutter.project_slug }}",
        "image": "{{ cookiecutter.__registry }}",
    }
    return made(context, {"a.txt": ""}, manifest=manifest_of(DEFAULTS))


def test_a_default_sees_the_answers_before_it_and_what_cookiecutter_would_know() -> None:
    assert dict(asked({"name": "churn-eu"}, of=derived()).answers) == {
        "name": "churn-eu",
        "package": "churn_eu",
        "wide": True,
        "repository": "acme/churn-model",
        "image": "registry.example.com/churn_eu/ml/churn-eu",
    }


def test_an_answer_that_is_given_needs_no_default() -> None:
    text = (
        'questions:\n  name: {ask: Name, default: churn}\n  slug: {ask: Slug, default: "{{ name|shout }}"}\n'
    )
    one = made(
        {"name": "churn", "slug": "{{ cookiecutter.name|shout }}"}, {"a.txt": ""}, manifest=manifest_of(text)
    )
    assert asked({"slug": "mine"}, of=one).answers["slug"] == "mine"
    with pytest.raises(TemplateError, match=r"^the default of slug:1: No filter named 'shout'\.$"):
        asked(of=one)


def test_a_default_that_does_not_fit_asks_for_an_answer() -> None:
    text = 'questions:\n  name: {ask: Name, default: "{{ \'X\' }}", pattern: "[a-z]+", says: lower-case letters}\n'
    one = made({"name": "{{ 'X' }}"}, {"a.txt": ""}, manifest=manifest_of(text))
    assert refusal({}, of=one) == [
        'name needs an answer: its default does not fit. name must be lower-case letters, not "X"'
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("when: nmae", "the condition of b:1: 'nmae' is undefined"),
        ('when: "a in"', "the condition of b:1: unexpected ')'"),
        (
            "when: \"''.__class__\"",
            "the condition of b: the sandbox refuses this: access to attribute '__class__' of 'str' object is unsafe.",
        ),
    ],
)
def test_a_condition_that_cannot_be_worked_out_is_the_templates_fault(text: str, told: str) -> None:
    manifest = f"questions:\n  a: {{ask: A, default: x}}\n  b: {{ask: B, default: y, {text}}}\n"
    one = made({"a": "x", "b": "y"}, {"a.txt": ""}, manifest=manifest_of(manifest))
    with pytest.raises(TemplateError) as refused:
        asked(of=one)
    assert str(refused.value) == told


def test_a_strangers_pattern_may_not_take_for_ever() -> None:
    manifest = 'questions:\n  a: {ask: A, default: ab, pattern: "(a+)+b", says: some a and a b}\n'
    one = made({"a": "ab"}, {"a.txt": ""}, manifest=manifest_of(manifest))
    with pytest.raises(TemplateError) as refused:
        asked({"a": "a" * 60}, of=one)
    assert str(refused.value) == (
        "answering the questions of the template small took more than 5 seconds, and was stopped"
    )


# --- the spec's rules ------------------------------------------------------------------------------------------------

SPEC = """\
questions:
  provider: {ask: Cloud, type: choice, choices: {aws: "", gcp: "", azure: "", none: ""}, default: aws}
  name: {ask: Name, type: spec, field: name, default: churn}
  region: {ask: Region, type: spec, field: region, default: "x"}
  account: {ask: Account, type: spec, field: account, default: "x"}
  email: {ask: Email, type: spec, field: email, default: a@example.com}
  repository: {ask: Repository, type: spec, field: repository, default: acme/churn}
"""


def of_spec() -> Template:
    context = {
        "provider": ["aws", "gcp", "azure", "none"],
        "name": "churn",
        "region": "x",
        "account": "x",
        "email": "a@example.com",
        "repository": "acme/churn",
    }
    return made(context, {"a.txt": ""}, manifest=manifest_of(SPEC))


@pytest.mark.parametrize(
    ("provider", "region", "account"),
    [
        ("aws", "eu-west-1", "123456789012"),
        ("gcp", "europe-west4", "acme-ml-platform"),
        ("azure", "westeurope", "11111111-2222-3333-4444-555555555555"),
        ("none", "anything", "goes"),
    ],
)
def test_an_answer_of_the_spec_is_held_to_the_rule_of_its_cloud(
    provider: str, region: str, account: str
) -> None:
    given = {"provider": provider, "region": region, "account": account}
    assert asked(given, of=of_spec()).answers["account"] == account
    if provider != "none":
        told = refusal({"provider": provider, "region": "Not a region", "account": "12"}, of=of_spec())
        assert len(told) == 2
        assert told[0].startswith("region must be ")
        assert told[1].startswith("account must be ")


def test_a_name_is_the_platforms_and_a_mail_address_one() -> None:
    told = refusal(
        {"region": "eu-west-1", "account": "123456789012", "name": "X", "email": "nobody", "repository": "a"},
        of=of_spec(),
    )
    assert told == [
        'name must be lower-case words joined by hyphens, 3 to 20 characters, not "X"',
        'email must be a mail address, such as team@example.com, not "nobody"',
        "repository must be " + told[2].partition("must be ")[2],
    ]


# --- nothing is asked twice ------------------------------------------------------------------------------------------


def person(*answers: Answer) -> tuple[Any, list[str]]:
    left, heard = list(answers), []

    def ask(question: Question) -> Answer:
        heard.append(question.name)
        return question.read(left.pop(0))

    return ask, heard


def test_a_person_is_asked_what_applies_and_is_not_known() -> None:
    ask, heard = person("pytorch", "yes", "2")
    remembered = Remembered(elsewhere={"name": "fraud"}, suggested={"region": "eu-north-1"})
    done = asked({"region": "eu-west-3"}, remembered, ask=ask)
    assert heard == ["framework", "gpu", "nodes"]
    assert dict(done.answers) == {
        "name": "fraud",
        "framework": "pytorch",
        "gpu": True,
        "nodes": "2",
        "region": "eu-west-3",
    }
    assert done.defaulted == ()


def test_a_suggestion_is_a_default_where_it_fits() -> None:
    remembered = Remembered(suggested={"name": "fraud", "framework": "caffe", "region": "eu-north-1"})
    done = asked({}, remembered)
    assert (done.answers["name"], done.answers["framework"], done.answers["region"]) == (
        "fraud",
        "sklearn",
        "eu-north-1",
    )
    assert done.defaulted == ("name", "framework", "region")


def test_another_templates_answer_that_does_not_fit_is_not_taken() -> None:
    done = asked({}, Remembered(elsewhere={"framework": "caffe", "name": "fraud"}))
    assert (done.answers["framework"], done.answers["name"]) == ("sklearn", "fraud")


def test_a_recorded_answer_that_no_longer_fits_is_refused_and_never_replaced_in_silence() -> None:
    remembered = Remembered(recorded={"framework": "sklern", "name": "fraud"})
    assert refusal({}, remembered=remembered) == [
        (
            'framework must be one of sklearn, pytorch, not "sklern". Did you mean "sklearn"? That is the project\'s answer, '
            "which no longer fits: answer it anew with --set framework=VALUE"
        )
    ]
    assert asked({"framework": "sklearn"}, remembered).answers["name"] == "fraud"
    ask, heard = person("pytorch", "no", "eu-west-1")
    assert asked({}, remembered, ask=ask).answers["framework"] == "pytorch"
    assert heard == ["framework", "gpu", "region"]


# --- the context -----------------------------------------------------------------------------------------------------


def test_answers_win_in_the_context_and_the_tool_gives_its_own() -> None:
    one = derived()
    answers = asked({"name": "fraud"}, of=one).answers
    values = context_of(
        one.context, answers, {"project_slug": "p", "scaffolder_version": "9"}, Jinja({}, {}), "small"
    )
    assert values["project_slug"] == "p"
    assert values["__registry"] == "registry.example.com/fraud"
    assert values["_team"] == "ml"
    assert "scaffolder_version" not in values


def test_what_cannot_be_worked_out_says_where() -> None:
    one = made({"__x": "{{ cookiecutter.nope }}"}, {"a.txt": ""})
    with pytest.raises(TemplateError, match=r"^small: __x:1: 'dict object' has no attribute 'nope'$"):
        context_of(one.context, {}, {}, Jinja({}, {}), "small")
