"""The page on templates is true: its template is one, its commands are commands, and the reference is current."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import jsonschema
import pytest
import yaml

from scaffolder.cli.main import EXIT_CODES, scaffolder
from scaffolder.projects.sources import Folder
from scaffolder.projects.surveying import check_source
from scaffolder.projects.template import built_in_names

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGE = (DOCS / "templates.md").read_text(encoding="utf-8")
PAGES = [
    ROOT / "README.md",
    DOCS / "templates.md",
    DOCS / "catalogs.md",
    *sorted(ROOT.glob("examples/*/README.md")),
]
SLUG = "{{ cookiecutter.project_slug }}"


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


def script() -> ModuleType:
    path = ROOT / "scripts" / "regen" / "template_reference.py"
    spec = importlib.util.spec_from_file_location("template_reference", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def commands(page: Path) -> Iterator[list[str]]:
    """Each command of ours in a page's console blocks, split as a shell does."""
    for text in re.findall(
        r"^```console\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    ):
        for line in text.splitlines():
            if (said := line.removeprefix("$ ")).startswith("scaffolder "):
                yield shlex.split(said, comments=True)[1:]


def refusal(words: list[str]) -> str:
    """What the command line's parser says against a command; nothing where it takes it."""
    command: click.Command | None = scaffolder
    context, name = None, "scaffolder"
    try:
        while command is not None:
            context = command.make_context(name, [*words], parent=context)
            if not isinstance(command, click.Group):
                return ""
            protected = getattr(context, "_protected_args", ())  # until Click 9, which keeps them in args
            found, command, words = command.resolve_command(context, [*protected, *context.args])
            name = found or ""
    except click.BadParameter as refused:
        return "" if "does not exist" in str(refused) else str(refused)
    except click.UsageError as refused:
        return str(refused)
    return f"there is no command {name}"


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """The template that the page shows, as a folder."""
    shown = re.search(r"^    my-template/\n((?:      .*\n)+)", PAGE, re.MULTILINE)
    assert shown is not None
    files = [re.split(r"\s{3,}", line.strip())[0] for line in shown[1].splitlines()]
    assert f"{SLUG}/" in files
    folder = tmp_path / "my-template"
    for name in files[files.index(f"{SLUG}/") + 1 :]:
        path = folder / SLUG / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{{ cookiecutter.name }} {{ cookiecutter.framework }} {{ cookiecutter.gpu }}\n")
    (folder / "template.yaml").write_text(block("yaml"), encoding="utf-8")
    (folder / "cookiecutter.json").write_text(block("json"), encoding="utf-8")
    return folder


def test_the_template_of_the_page_is_one(template: Path) -> None:
    checked = check_source(Folder(path=template))
    assert [str(finding) for finding in checked.findings] == []
    assert checked.files == len([path for path in template.rglob("*") if path.is_file()])


def test_the_questions_of_the_page_are_those_that_cookiecutter_asks() -> None:
    asked = [*yaml.safe_load(block("yaml"))["questions"]]
    assert [name for name in json.loads(block("json")) if name != "project_slug"] == asked


def test_the_built_in_templates_are_all_there() -> None:
    assert sorted(re.findall(r"^\| `([a-z]+)` \| ", PAGE, re.MULTILINE)) == sorted(built_in_names())


def test_the_exit_codes_of_the_page_are_those_of_the_program() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d+) \| ", PAGE, re.MULTILINE)}
    assert told == {0, 1, 7, 8}
    assert told <= {code for code, _ in EXIT_CODES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_are_commands(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCAFFOLDER_CATALOG", raising=False)
    assert {shlex.join(words): told for words in commands(page) if (told := refusal(words))} == {}


def test_a_command_that_there_is_not_is_seen() -> None:
    assert "nosuch" in refusal(["nosuch"])
    assert "--chek" in refusal(["update", "--chek"])
    assert "xgbost" in refusal(["compile", "train", "--to", "xgbost"])


@pytest.mark.parametrize("page", [DOCS / "templates.md", DOCS / "catalogs.md"], ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = [
        link for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")) if "://" not in link
    ]
    assert links
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_reference_is_current() -> None:
    made = script()
    told = "python scripts/regen/template_reference.py rewrites it, then read the diff"
    assert (REFERENCE / "template.md").read_text(encoding="utf-8") == made.page(), told
    assert (REFERENCE / "template.schema.json").read_text(encoding="utf-8") == made.schema(), told


def test_editors_are_told_the_same_of_the_pages_template() -> None:
    schema = json.loads((REFERENCE / "template.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    manifests = [
        block("yaml"),
        *(path.read_text() for path in sorted(ROOT.glob("templates/*/template.yaml"))),
    ]
    assert len(manifests) > 1
    for text in manifests:
        assert [*validator.iter_errors(yaml.safe_load(text))] == []
    wrong = yaml.safe_load(block("yaml").replace("type: flag", "type: bool"))
    assert [error.validator for error in validator.iter_errors(wrong)] == ["enum"]
