"""A project is made whole, of the answers given, with a record that says how; or not at all."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scaffolder.errors import OutputFolderError, TemplateError, UsageError
from scaffolder.projects.choosing import Chosen, chosen
from scaffolder.projects.making import make_project, recorded_place, slug_of, suggestions
from scaffolder.projects.record import RECORD, read_record
from tests.projects.published import write
from tests.unit.projects.made import made, manifest_of

ROOT = "{{ cookiecutter.project_slug }}"


def choose(
    folder: Path, files: dict[str, str], context: dict[str, object] | None = None, rest: str = ""
) -> Chosen:
    context = {"name": "churn", **(context or {})}
    asked = {name: {"ask": name, "default": value} for name, value in context.items()}
    manifest = manifest_of(f"questions: {json.dumps(asked)}\n{rest}", name="model")
    write(
        folder,
        {
            "cookiecutter.json": json.dumps({**context, "project_slug": "x"}),
            "template.yaml": manifest,
            **{f"{ROOT}/{path}": text for path, text in files.items()},
        },
    )
    return chosen(str(folder), catalog="", trust=False, say=lambda _told: None)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("churn", "churn"),
        ("My Model", "My-Model"),
        ("Ünï", "n"),
        ("...", "project"),
        ("{{ x }}", "x"),
        ("$HOME", "HOME"),
        ("a_b.c-1", "a_b.c-1"),
    ],
)
def test_a_projects_slug_can_stand_in_any_file(name: str, slug: str) -> None:
    assert slug_of(Path("/work") / name) == slug
    assert re.fullmatch(r"[A-Za-z0-9._-]+", slug)


def test_a_folder_suggests_the_name_without_the_templates() -> None:
    template = made(
        {"name": "x"},
        {"a.txt": ""},
        name="model",
        manifest=manifest_of("questions:\n  name: {ask: N, default: x}\n", name="model"),
    )
    assert suggestions(template, Path("/work/Churn-model")) == {"name": "churn"}
    assert suggestions(template, Path("/work/My Churn")) == {"name": "my-churn"}
    assert suggestions(template, Path("/work/...")) == {}


def test_a_project_is_made_with_its_record_and_what_to_do_next(tmp_path: Path) -> None:
    found = choose(
        tmp_path / "template", {"a.txt": "{{ cookiecutter.name }}"}, rest="next: |\n  cd {{ folder }}\n"
    )
    project = make_project(tmp_path / "fraud", found, version="0.1.0", given={}, called="./fraud")
    assert (project.files, project.next) == ((RECORD, "a.txt"), "cd ./fraud\n")
    assert (tmp_path / "fraud" / "a.txt").read_text() == "fraud"
    layer = read_record(tmp_path / "fraud").layers[0]
    assert (layer.template, layer.source, layer.version, dict(layer.answers)) == (
        "model",
        "../template",
        "1.0.0",
        {"name": "fraud"},
    )
    assert layer.digest == found.template.digest


def test_the_same_answers_make_the_same_bytes(tmp_path: Path) -> None:
    found = choose(tmp_path / "template", {"a.txt": "{{ cookiecutter.name }}", "b/c.txt": "x"})
    trees = [
        make_project(tmp_path / where / "churn", found, version="0.1.0", given={}).tree
        for where in ("one", "two")
    ]
    assert [path for path in trees[0] if trees[0][path] != trees[1][path]] == []


def test_chance_is_another_one_for_each_project_and_none_where_none_is_asked_for(tmp_path: Path) -> None:
    found = choose(tmp_path / "template", {"id.txt": "{{ uuid4() }}"})
    ids = set()
    for name in ("one", "two"):
        make_project(tmp_path / name, found, version="0.1.0", given={})
        chance = read_record(tmp_path / name).layers[0].chance
        assert re.fullmatch(r"[0-9a-f]{32}", chance.seed)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", chance.moment)
        ids.add((tmp_path / name / "id.txt").read_text())
    assert len(ids) == 2
    make_project(tmp_path / "plain", choose(tmp_path / "other", {"a.txt": ""}), version="0.1.0", given={})
    assert "seed" not in (tmp_path / "plain" / RECORD).read_text()


@pytest.mark.parametrize(
    ("files", "given", "error"),
    [
        ({"a.txt": "{{ cookiecutter.nope }}"}, {}, TemplateError),
        ({"a.txt": ""}, {"nmae": "x"}, UsageError),
        ({"a.txt": "", "con.txt": ""}, {}, TemplateError),
        ({"platform.yaml": "version: 1\nname: X\n"}, {}, UsageError),
    ],
)
def test_what_cannot_be_made_leaves_nothing(
    tmp_path: Path, files: dict[str, str], given: dict[str, str], error: type[Exception]
) -> None:
    def attempt() -> None:
        found = choose(tmp_path / "template", files)
        make_project(tmp_path / "made" / "churn", found, version="0.1.0", given=given)

    with pytest.raises(error):
        attempt()
    assert not (tmp_path / "made").exists()


def test_a_dry_run_makes_nothing_and_says_all(tmp_path: Path) -> None:
    found = choose(tmp_path / "template", {"a.txt": ""})
    project = make_project(tmp_path / "churn", found, version="0.1.0", given={}, dry_run=True)
    assert project.files == (RECORD, "a.txt")
    assert not (tmp_path / "churn").exists()


def test_a_folder_that_holds_something_is_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    found = choose(tmp_path / "template", {"a.txt": ""})
    write(tmp_path / "churn", {"mine.txt": "mine"})
    with pytest.raises(OutputFolderError) as refused:
        make_project(
            tmp_path / "churn",
            found,
            version="0.1.0",
            given={},
            ask=lambda question: pytest.fail(question.name),
        )
    assert str(refused.value) == (
        f"{tmp_path / 'churn'} is not empty: it holds mine.txt. Choose another folder, or empty it; in a git repository, "
        "`scaffolder add` gives it a template's files."
    )


def test_a_link_is_no_folder_to_make_a_project_in(tmp_path: Path) -> None:
    found = choose(tmp_path / "template", {"a.txt": ""})
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "churn").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(
        OutputFolderError, match=r"is there already, and is not a folder\. Choose another name\.$"
    ):
        make_project(tmp_path / "churn", found, version="0.1.0", given={})
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_catalog_on_this_machine_is_recorded_as_it_is_seen_from_the_project() -> None:
    assert recorded_place("/work/acme/catalog.yaml", Path("/work/teams/churn")) == "../../acme/catalog.yaml"
    place = "git+https://example.com/catalog.git"
    assert recorded_place(place, Path("/work/churn")) == place
    assert recorded_place("", Path("/work/churn")) == ""
