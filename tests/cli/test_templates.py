from __future__ import annotations

import re
from pathlib import Path

import pytest

from scaffolder.projects.template import built_in_names
from tests.cli.conftest import Cli
from tests.projects.published import Published, small_template, write

pytestmark = pytest.mark.cli

QUESTIONS = """\
template: 1
name: small
version: 1.2.0
title: A small one
owner: its team
questions:
  name:
    ask: Project's name
    help: The prefix of every name.
    pattern: "[a-z]+"
    says: lower-case letters
    default: churn
  kind:
    ask: Kind of model
    type: choice
    choices: {trees: Forests and boosting, net: ""}
    default: trees
  gpu:
    ask: Train on GPUs
    type: flag
    default: false
    when: kind == 'net'
  copies:
    ask: Copies
    type: integer
    minimum: 1
    maximum: 9
    default: 2
parts:
  - {template: ci, when: kind == 'net'}
"""
CONTEXT = """\
{
  "name": "churn",
  "kind": ["trees", "net"],
  "gpu": false,
  "copies": "2",
  "project_slug": "{{ cookiecutter.name }}"
}
"""
CATALOG = """\
catalog: 1
name: acme
owner: platform@acme.example
templates:
  small:
    title: Ours, with a title that is much longer than any terminal is wide, so that it has to be cut
    source: ./small
    owner: small@acme.example
    deprecated: {"*": take the other one}
  platform: {source: ./small, title: Their own}
  gone: {source: "git+file:///nowhere/at/all", title: Not there}
"""


@pytest.fixture
def small(cli: Cli) -> Path:
    inside = "{{ cookiecutter.project_slug }}"
    files = {
        "cookiecutter.json": CONTEXT,
        "template.yaml": QUESTIONS,
        f"{inside}/README.md": "{{ cookiecutter.name }} {{ cookiecutter.kind }} {{ cookiecutter.copies }}\n",
        f"{inside}/{{% if cookiecutter.gpu %}}gpu.txt{{% endif %}}": "gpu\n",
    }
    write(cli.folder / "small", files)
    write(cli.folder / "ci", small_template(name="ci"))
    return cli.folder / "small"


def test_the_list_has_every_built_in_template(cli: Cli) -> None:
    ran = cli.run("templates", "list")
    assert (ran.code, ran.stderr) == (0, "")
    head, *lines = ran.stdout.splitlines()
    assert head.split() == ["template", "version", "from", "what", "it", "makes"]
    assert [line.split()[0] for line in lines] == [*built_in_names()]
    assert {line.split()[2] for line in lines} == {"scaffolder"}
    assert [line for line in ran.stdout.splitlines() if len(line) > 80] == []
    listed = cli.run("templates", "list", "--json").document["templates"]
    assert [each["source"] for each in listed] == [f"builtin:{name}" for name in built_in_names()]
    assert all(each["version"] and each["title"] and each["deprecated"] == "" for each in listed)


def test_a_catalogs_templates_come_first_and_what_is_not_there_is_said(cli: Cli, small: Path) -> None:
    cli.write("catalog.yaml", CATALOG)
    ran = cli.run("templates", "list", "--catalog", "catalog.yaml")
    assert ran.code == 0
    assert ran.stdout.splitlines()[1:5] == [
        "small             1.2.0    acme        Ours, with a title that is much longer...",
        "  deprecated: take the other one",
        "platform          1.2.0    acme        Their own",
        "gone              ?        acme        Not there",
    ]
    assert "builtin:platform" in ran.stdout
    assert ran.stderr == (
        "gone: the repository file:///nowhere/at/all cannot be read: '/nowhere/at/all' does not appear to be a git "
        "repository\n"
    )
    listed = cli.run(
        "templates", "list", "--json", environment={"SCAFFOLDER_CATALOG": "catalog.yaml"}
    ).document
    first, second, third, *_ = listed["templates"]
    assert (first["owner"], second["owner"]) == ("small@acme.example", "platform@acme.example")
    assert (first["where"], first["source"]) == ("acme", f"catalog:small@{small.parent}/catalog.yaml")
    assert (third["version"], third["title"]) == (None, "Not there")


def test_show_says_what_a_template_asks(cli: Cli, small: Path) -> None:
    ran = cli.run("templates", "show", "./small")
    assert (ran.code, ran.stderr) == (0, "")
    # A long path has lines of its own, as the width asks.
    head, source, rest = re.split(r"^source(?=\s)|^(?=owner )", ran.stdout, maxsplit=2, flags=re.MULTILINE)
    told = f"{head}source    {''.join(source.split())}\n{rest}"
    assert (
        told
        == f"""\
small 1.2.0: A small one
source    {small}
owner     its team
versions  1.2.0
parts     ci (when kind == 'net')
files     4

Questions:
  name: Project's name
    lower-case letters; default churn
    The prefix of every name.
  kind: Kind of model
    one of trees (Forests and boosting), net; default trees
  gpu: Train on GPUs
    yes or no; default no
    asked when kind == 'net'
  copies: Copies
    a whole number from 1 to 9; default 2
"""
    )
    document = cli.run("templates", "show", "./small", "--json").document
    assert [(each["name"], each["type"]) for each in document["questions"]] == [
        ("name", "text"),
        ("kind", "choice"),
        ("gpu", "flag"),
        ("copies", "integer"),
    ]
    assert document["questions"][1]["choices"] == {"trees": "Forests and boosting", "net": ""}
    assert (document["parts"], document["runs"]) == ([{"template": "ci", "when": "kind == 'net'"}], [])
    assert document["digest"].startswith("sha256:")


@pytest.mark.parametrize("name", built_in_names())
def test_show_fits_a_terminal(cli: Cli, name: str) -> None:
    ran = cli.run("templates", "show", name)
    assert ran.code == 0
    assert [line for line in ran.stdout.splitlines() if len(line) > 80] == []


def test_show_takes_a_version_and_a_repository(cli: Cli) -> None:
    published = Published.at(cli.folder / "repository")
    for version in ("1.0.0", "1.1.0"):
        published.commit(small_template(version), tag=f"v{version}")
    document = cli.run("templates", "show", published.source, "--json").document
    assert (document["version"], document["versions"]) == ("1.1.0", ["1.1.0", "1.0.0"])
    old = cli.run("templates", "show", f"{published.source}@v1.0.0", "--json").document
    assert (old["version"], old["commit"]) == ("1.0.0", published.git("rev-parse", "v1.0.0"))
    current = cli.run("templates", "show", "platform", "--json").document["version"]
    assert cli.run("templates", "show", f"platform@{current}", "--json").document["version"] == current
    missing = cli.run("templates", "show", "platform@0.0.1")
    assert (missing.code, missing.stdout) == (6, "")
    assert missing.stderr.startswith(
        "error: the template platform has no version 0.0.1 in this version of scaffolder;"
    )


def test_a_misspelt_template_is_refused_with_the_nearest(cli: Cli) -> None:
    ran = cli.run("templates", "show", "platfrom")
    assert (ran.code, ran.stdout) == (64, "")
    assert ran.stderr == 'error: there is no template "platfrom". Did you mean "platform"?\n'


def test_show_warns_of_what_is_deprecated(cli: Cli, small: Path) -> None:
    assert small.is_dir()
    cli.write("catalog.yaml", CATALOG)
    ran = cli.run("templates", "show", "small", "--catalog", "catalog.yaml")
    assert ran.stdout.splitlines()[:2] == ["small 1.2.0: A small one", "deprecated: take the other one"]
    assert "owner     small@acme.example" in ran.stdout.splitlines()


def test_a_good_template_has_nothing_to_say(cli: Cli, small: Path) -> None:
    assert small.is_dir()
    ran = cli.run("templates", "check", "./small", "--strict")
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout == "small is valid: 4 files, nothing to say.\n"


@pytest.mark.slow
@pytest.mark.parametrize("name", built_in_names())
def test_nothing_is_wrong_with_a_built_in_template(cli: Cli, name: str) -> None:
    ran = cli.run("templates", "check", name, "--strict")
    assert (ran.code, ran.stdout.splitlines()[:-1]) == (0, [])


def test_a_question_that_another_answer_brings_up_is_tried_as_well(cli: Cli, small: Path) -> None:
    inside = small / "{{ cookiecutter.project_slug }}"
    write(inside, {"gpu": "{% if cookiecutter.gpu %}{{ cookiecutter.name.cuda }}{% endif %}\n"})
    ran = cli.run("templates", "check", "./small")
    assert ran.code == 2
    assert ran.stdout == (
        "small/{{ cookiecutter.project_slug }}/gpu:1:1: error[rendering]: with gpu true: 'str object' has no "
        "attribute 'cuda'\n"
    )


def test_everything_that_is_wrong_is_told_at_once(cli: Cli, small: Path) -> None:
    inside = small / "{{ cookiecutter.project_slug }}"
    write(
        inside,
        {
            "aux.txt": "",
            "syntax.txt": "fine\n{% if %}\n",
            "unknown.txt": "{{ cookiecutter.nmae }} and {{ kind }}\n",
            "chance.txt": "{{ uuid4() }}\n{% now 'utc' %}\n",
            "secret.txt": f"key = AKIA{'ABCD' * 4}\n",
        },
    )
    (inside / "link").symlink_to("/etc/passwd")
    (small / "hooks").mkdir()
    (small / "hooks" / "post_gen_project.sh").write_text("true\n")
    manifest = small / "template.yaml"
    manifest.write_text(
        manifest.read_text()
        .replace("when: kind == 'net'\n  copies", "when: kidn == 'net'\n  copies")
        .replace("template: ci, when", "template: cii, when")
    )
    ran = cli.run("templates", "check", "./small")
    assert ran.code == 2
    at = "small/{{ cookiecutter.project_slug }}"
    assert (
        ran.stdout
        == f"""\
small/hooks/post_gen_project.sh:1:1: warning[runs-code]: cookiecutter runs this
  Here it is run with --trust only, or where a catalog pins its commit: do without it if you can.
small/template.yaml:22:11: error[unknown-name]: questions.gpu.when: there is no answer kidn before it
  Did you mean "kind"?
small/template.yaml:30:16: error[part]: the part cannot be read: there is no built-in template "cii"; there is \
{", ".join(built_in_names())}. Did you mean "ci"?
{at}/aux.txt:1:1: error[path]: the path has the name of a device of Windows
{at}/chance.txt:1:4: warning[chance]: uuid4 makes two renderings differ; each project has to remember what came out
  Do without it, so that the same answers give the same bytes.
{at}/chance.txt:2:4: warning[chance]: now makes two renderings differ; each project has to remember what came out
  Do without it, so that the same answers give the same bytes.
{at}/link:1:1: error[path]: this is a symbolic link, and only files are let through
{at}/secret.txt:1:7: error[secret]: this looks like an AWS access key; a template is read by everyone who uses it
  Revoke it, since it may have been seen, and let projects read theirs from a secret store.
{at}/syntax.txt:2:1: error[jinja]: Expected an expression, got 'end of statement block'
{at}/unknown.txt:1:17: error[unknown-name]: there is no cookiecutter.nmae
  Did you mean "name"?
{at}/unknown.txt:1:32: error[unknown-name]: nothing is called kind
  Write cookiecutter.kind.
"""
    )
    assert ran.stderr == "8 errors, 3 warnings\n"
    document = cli.run("templates", "check", "./small", "--json").document
    assert (document["valid"], len(document["findings"])) == (False, 11)
    github = cli.run("templates", "check", "./small", "--findings", "github").stdout
    assert github.count("::error ") == 8


WRONG: list[tuple[dict[str, str | bytes], str]] = [
    (
        {"cookiecutter.json": '{"name": "churn"}'.encode("utf-16")},
        "cookiecutter.json:1:1: error[encoding]: the file is not UTF-8",
    ),
    (
        {"cookiecutter.json": '{"name": "churn",\n "name": "x",,}'},
        "cookiecutter.json:2:14: error[context]: is no JSON: ",
    ),
    (
        {
            "cookiecutter.json": '{"project_slug": "{{ cookiecutter.name }}", "name": "churn"}',
            "template.yaml": "",
        },
        "cookiecutter.json:1:2: error[order]: project_slug is worked out of name, which is below it",
    ),
    (
        {"template.yaml": small_template()["template.yaml"] + "  more: {ask: More, default: x}\n"},
        "template.yaml:8:9: error[question]: questions.more is not in cookiecutter.json",
    ),
    (
        {"cookiecutter.json": '{"name": "churn", "name": "churn", "project_slug": "x"}'},
        "cookiecutter.json:1:2: error[duplicate-key]: name is there twice; only the last counts",
    ),
    (
        {"+a.txt": "{{ cookiecutter.name.nothing }}"},
        "a.txt:1:1: error[rendering]: with its defaults: ",
    ),
    (
        {"+{{ cookiecutter.name }}": "1", "+churn": "2"},
        "error[rendering]: with its defaults: the template small renders churn twice",
    ),
    (
        {
            "template.yaml": small_template("2.0.0")["template.yaml"]
            + "migrations:\n  - {to: 2.0.0, rename: {README.md: README.rst, old.txt: ../new.txt}}\n"
        },
        "migration]: README.md is to become README.rst, and is rendered still",
    ),
    (
        {
            "template.yaml": small_template("2.0.0")["template.yaml"]
            + "migrations:\n  - {to: 2.0.0, rename: {old.txt: new.txt}, answers: {rename: {a: nmae}, set: {b: c}}}\n"
        },
        'error[migration]: there is no question nmae that a could become\n  Did you mean "name"?',
    ),
    (
        {
            "template.yaml": small_template("2.0.0")["template.yaml"]
            + "migrations:\n  - {to: 2.0.0, rename: {old.txt: new.txt}}\n"
        },
        "warning[migration]: old.txt is to become new.txt, which no rendering has",
    ),
    (
        {
            "template.yaml": small_template("2.0.0")["template.yaml"]
            + "migrations:\n  - {to: 2.0.0, rename: {old.txt: ../new.txt}}\n"
        },
        "error[migration]: a path here does not stay in the project's folder",
    ),
]


@pytest.mark.parametrize(("files", "finding"), WRONG, ids=[finding[-40:] for _, finding in WRONG])
def test_each_mistake_has_its_finding(cli: Cli, files: dict[str, str | bytes], finding: str) -> None:
    inside = "{{ cookiecutter.project_slug }}/"
    changed = {inside + path[1:] if path.startswith("+") else path: text for path, text in files.items()}
    write(cli.folder / "small", {**small_template(), **changed})
    ran = cli.run("templates", "check", "./small")
    assert finding in ran.stdout


def test_a_migration_that_a_later_one_moves_on_is_followed(cli: Cli) -> None:
    template = small_template("3.0.0", files={"third.txt": "{{ cookiecutter.name }}"})
    template["template.yaml"] += (
        "migrations:\n  - {to: 2.0.0, rename: {first.txt: second.txt}}\n"
        "  - {to: 3.0.0, rename: {second.txt: third.txt}}\n"
    )
    write(cli.folder / "small", template)
    ran = cli.run("templates", "check", "./small", "--strict")
    assert (ran.code, ran.stdout) == (0, "small is valid: 3 files, nothing to say.\n")


def test_a_plain_cookiecutter_template_can_be_checked(cli: Cli) -> None:
    template = small_template()
    del template["template.yaml"]
    write(cli.folder / "small", template)
    ran = cli.run("templates", "check", "./small")
    assert ran.code == 0
    assert ran.stdout.splitlines()[0] == (
        "small:1:1: warning[manifest]: there is no template.yaml: its answers are not checked, and it has no versions "
        "but its tags"
    )
    assert cli.run("templates", "check", "./small", "--strict").code == 2


def test_a_repository_is_checked_at_its_version(cli: Cli) -> None:
    published = Published.at(cli.folder / "repository")
    published.commit(small_template(files={"a.txt": "{{ cookiecutter.nmae }}"}), tag="v1.0.0")
    published.commit(small_template("1.1.0"), tag="v1.1.0")
    assert cli.run("templates", "check", published.source).code == 0
    old = cli.run("templates", "check", f"{published.source}@v1.0.0")
    assert old.code == 2
    assert (
        f"{published.source}/{{{{ cookiecutter.project_slug }}}}/a.txt:1:17: error[unknown-name]"
        in old.stdout
    )


def test_what_is_no_template_is_refused(cli: Cli) -> None:
    (cli.folder / "empty").mkdir()
    empty = cli.run("templates", "check", "./empty")
    assert (empty.code, empty.stdout) == (
        2,
        "empty/cookiecutter.json:1:1: error[context]: empty is no template: it has no cookiecutter.json\n",
    )
    missing = cli.run("templates", "check", "./emty")
    assert (missing.code, missing.stdout) == (6, "")
    assert missing.stderr.endswith('/emty. Did you mean "empty"?\n')
