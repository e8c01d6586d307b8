"""What a template says of itself: read with all its findings, and held to cookiecutter's own file."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from scaffolder.errors import TemplateError
from scaffolder.projects.manifest import read_context, read_manifest
from scaffolder.projects.tree import File
from tests.unit.projects.made import manifest_of

CONTEXT = {"name": "churn", "ci": ["github", "none"], "gpu": False, "project_slug": "{{ cookiecutter.name }}"}
QUESTIONS = """\
questions:
  name: {ask: Name, default: churn}
  ci: {ask: CI, type: choice, choices: {github: GitHub Actions, none: None}, default: github}
  gpu: {ask: GPU, type: flag, default: false}
"""


def files(manifest: str | bytes | None, context: object = CONTEXT) -> Mapping[str, File]:
    told = context if isinstance(context, bytes) else json.dumps(context).encode()
    found = {"cookiecutter.json": File(content=told)}
    if manifest is not None:
        found["template.yaml"] = File(content=manifest if isinstance(manifest, bytes) else manifest.encode())
    return found


def findings(manifest: str | bytes, context: object = CONTEXT) -> str:
    with pytest.raises(TemplateError) as refused:
        read_manifest(files(manifest, context), "small")
    return str(refused.value)


def test_a_manifest_is_read_as_it_stands() -> None:
    told = manifest_of(
        QUESTIONS
        + "parts:\n  - {template: ci, when: ci != 'none', answers: {kind: model, system: \"{{ ci }}\"}}\n"
        "next: |\n  cd {{ folder }}\nmigrations:\n  - {to: 1.0.0, says: why, rename: {a: b}, "
        "answers: {rename: {old: new}, set: {x: 1}, drop: [y]}}\nextra: {anything: [goes]}\n"
    )
    manifest = read_manifest(files(told), "small")
    assert (manifest.name, manifest.version, [*manifest.questions]) == (
        "small",
        "1.0.0",
        ["name", "ci", "gpu"],
    )
    assert manifest.parts[0].answers == {"kind": "model", "system": "{{ ci }}"}
    migration = manifest.migrations[0]
    assert (migration.rename, migration.answers.rename, migration.answers.set, migration.answers.drop) == (
        {"a": "b"},
        {"old": "new"},
        {"x": 1},
        ("y",),
    )
    assert manifest.next == "cd {{ folder }}\n"


FAULTS = [
    ("template: 2\nname: x\nversion: 1.0.0\ntitle: t\n" + QUESTIONS, "template.yaml:1:11: error"),
    (manifest_of(QUESTIONS + "pats: []\n"), 'Did you mean "parts"?'),
    (manifest_of(QUESTIONS, version="1.0"), "a version such as 1.2.0"),
    (
        manifest_of("questions:\n  nmae: {ask: Name, default: churn}\n"),
        'questions.nmae is not in cookiecutter.json\n  Did you mean "name"?',
    ),
    (
        manifest_of("questions:\n  name: {ask: Name, default: churn}\n"),
        "cookiecutter.json asks for ci, which questions does not have\n  Add it.",
    ),
    (
        manifest_of(QUESTIONS.replace("default: churn", "default: fraud")),
        'questions.name and cookiecutter.json differ: there it is "churn"\n  Make them agree.',
    ),
    (
        manifest_of(QUESTIONS.replace("none: None", "gitlab: GitLab")),
        'questions.ci and cookiecutter.json differ: there it is ["github", "none"]',
    ),
    (
        manifest_of(QUESTIONS.replace("default: false", "default: true")),
        "questions.gpu and cookiecutter.json differ: there it is false",
    ),
    (
        manifest_of(QUESTIONS.replace("default: github", "default: githb")),
        'questions.ci.default is no choice of it\n  Did you mean "github"?',
    ),
    (
        manifest_of(QUESTIONS.replace("default: churn", "default: churn, pattern: '(', says: x")),
        "questions.name.pattern is no regular expression: missing ), unterminated subpattern at position 0",
    ),
    (
        manifest_of(QUESTIONS.replace("default: churn", "default: churn, pattern: 'a'")),
        "questions.name has a pattern, and nothing says it in words\n  Add `says`.",
    ),
    (
        manifest_of(QUESTIONS.replace("default: churn", "default: churn, field: name")),
        "questions.name.field is for the type spec, and this has type text",
    ),
    (
        manifest_of(QUESTIONS + "migrations:\n  - to: 1.0.0\n  - to: 0.9.0\n"),
        "migrations must go up, each version once\n  Sort them by `to`.",
    ),
    (manifest_of(QUESTIONS + "migrations:\n  - to: 2.0.0\n"), "2.0.0 is later than version 1.0.0"),
    (b"\xff\xfe", "the file is not UTF-8"),
    ("", "template: 1"),
]


@pytest.mark.parametrize(("manifest", "told"), FAULTS, ids=[told[:40] for _, told in FAULTS])
def test_what_does_not_fit_together_is_found_with_its_place(manifest: str | bytes, told: str) -> None:
    found = findings(manifest)
    assert found.startswith("small/template.yaml:")
    assert told in found


def test_all_findings_come_at_once() -> None:
    found = findings(
        manifest_of("questions:\n  nmae: {ask: Name, default: churn}\nmigrations:\n  - to: 3.0.0\n")
    )
    assert found.count("error[") == 5


@pytest.mark.parametrize("name", ["password", "api_key", "db_password"])
def test_a_question_for_a_secret_is_refused(name: str) -> None:
    context = {**CONTEXT, name: ""}
    found = findings(manifest_of(f"{QUESTIONS}  {name}: {{ask: Secret, default: ''}}\n"), context)
    assert f"questions.{name} asks for a secret, and answers are kept in the project" in found


@pytest.mark.parametrize("name", ["project_slug", "scaffolder_version"])
def test_what_the_tool_gives_is_asked_of_nobody(name: str) -> None:
    context = {**CONTEXT, name: "x"}
    found = findings(manifest_of(f"{QUESTIONS}  {name}: {{ask: It, default: x}}\n"), context)
    assert f"questions.{name} is given by scaffolder, and asked of nobody\n  Leave it out." in found


def test_questions_keep_the_order_of_cookiecutter() -> None:
    moved = {"gpu": False, "name": "churn", "ci": ["github", "none"]}
    assert "questions and cookiecutter.json have another order\n  Give both the same order." in findings(
        manifest_of(QUESTIONS), moved
    )


# --- cookiecutter's own file -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("context", "told"),
    [
        (b"{", "small/cookiecutter.json is no JSON: "),
        (b"[" * 100_000, "small/cookiecutter.json is no JSON: "),
        ([], "small/cookiecutter.json must be an object of names and values"),
        (
            {"a b": ""},
            "small/cookiecutter.json has the name a b: a name has letters, digits and _, and at most 60 of them",
        ),
        ({"style\x1b[2J": ""}, "small/cookiecutter.json has the name style\\x1b[2J: a name has"),
        (b" " * 300_000, "small/cookiecutter.json has 300000 bytes, and may have 262144"),
    ],
)
def test_a_context_that_is_none_is_refused(context: object, told: str) -> None:
    with pytest.raises(TemplateError) as refused:
        read_manifest(files(None, context), "small")
    assert str(refused.value).startswith(told)


def test_a_folder_without_a_context_is_no_template() -> None:
    with pytest.raises(TemplateError, match=r"^small is no template: it has no cookiecutter\.json$"):
        read_context({}, "small")


def test_a_plain_template_asks_what_its_context_has() -> None:
    context = {
        "full_name": 'A "B"',
        "ci": ["github", "none"],
        "sizes": [1, 2],
        "gpu": True,
        "port": 8080,
        "nothing": None,
        "files": {"a": "b"},
        "_private": "x",
        "__derived": "{{ cookiecutter.ci }}",
        "_extensions": ["a.B"],
        "__prompts__": {"full_name": "Your name\x1b[2J", "ci": {"__prompt__": "Which CI"}},
    }
    manifest = read_manifest(files(None, context), "gh:acme/cookiecutter-model", name="Cookiecutter Model")
    asked = {
        name: (each.ask, each.type, each.default, [*each.choices])
        for name, each in manifest.questions.items()
    }
    assert asked == {
        "full_name": ("Your name\\x1b[2J", "text", 'A "B"', []),
        "ci": ("Which CI", "choice", "github", ["github", "none"]),
        "sizes": ("sizes", "choice", "1", ["1", "2"]),
        "gpu": ("gpu", "flag", True, []),
        "port": ("port", "text", "8080", []),
        "nothing": ("nothing", "text", "", []),
    }
    assert (manifest.name, manifest.version) == ("cookiecutter-model", "0.0.0")
    read = read_context(files(None, context), "x")
    assert read.extensions == ("a.B",)
    assert read.order[:2] == ("full_name", "ci")
