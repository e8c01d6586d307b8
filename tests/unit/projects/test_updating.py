"""What an update plans: which version, which answers, which paths are called otherwise; and what one more template does.

Templates are in real git repositories and folders; projects are folders with a record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from scaffolder.errors import TemplateError, UsageError
from scaffolder.projects.catalogs import load_catalog
from scaffolder.projects.choosing import Chosen, chosen
from scaffolder.projects.making import make_project
from scaffolder.projects.record import RECORD, parse_record, read_record
from scaffolder.projects.repositories import remote
from scaffolder.projects.status import Look, statuses
from scaffolder.projects.updating import Plan, Wish, plan_addition, plan_update
from tests.projects.published import Published, write

ROOT = "{{ cookiecutter.project_slug }}"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SCAFFOLDER_CATALOG", raising=False)


def template(
    version: str,
    questions: Mapping[str, Any],
    files: Mapping[str, str],
    *,
    name: str = "model",
    rest: str = "",
) -> dict[str, str]:
    """A template's files; a question is its default, or a list of choices."""
    asked, context = {}, {}
    for question, default in questions.items():
        is_choice = isinstance(default, list)
        kind = "choice" if is_choice else "flag" if isinstance(default, bool) else "text"
        asked[question] = {"ask": question, "type": kind, "default": default[0] if is_choice else default}
        if is_choice:
            asked[question]["choices"] = dict.fromkeys(default, "")
        context[question] = default
    manifest = f"template: 1\nname: {name}\nversion: {version}\ntitle: A model\nquestions: {json.dumps(asked)}\n{rest}"
    return {
        "cookiecutter.json": json.dumps({"project_slug": "x", **context}),
        "template.yaml": manifest,
        **{f"{ROOT}/{path}": text for path, text in files.items()},
    }


def forget() -> None:
    """What a process remembers of repositories and catalogs."""
    remote.cache_clear()
    load_catalog.cache_clear()


def choose(text: str, *, catalog: str = "", trust: bool = False) -> Chosen:
    forget()
    return chosen(text, catalog=catalog, trust=trust, say=lambda _told: None)


def new(folder: Path, text: str, *, catalog: str = "", trust: bool = False, **given: Any) -> Path:
    make_project(folder, choose(text, catalog=catalog, trust=trust), version="0.1.0", given=given)
    return folder


def plan(project: Path, *, version: str = "0.1.0", **wish: Any) -> Plan:
    forget()
    return plan_update(project, Wish(**wish), version, lambda _told: None)


def steps(made: Plan) -> list[tuple[str, str, str]]:
    return [(step.template, step.before, step.after) for step in made.steps]


@pytest.fixture
def repository(tmp_path: Path) -> Published:
    return Published.at(tmp_path / "templates")


# --- versions --------------------------------------------------------------------------------------------------------


def test_an_update_goes_to_the_newest_version_and_renders_both(tmp_path: Path, repository: Published) -> None:
    first = repository.commit(
        template("1.0.0", {"name": "churn"}, {"a.txt": "one {{ cookiecutter.name }}\n"}), tag="v1.0.0"
    )
    project = new(tmp_path / "churn", repository.source, name="fraud")
    assert plan(project).is_idle
    repository.commit(
        template("1.1.0", {"name": "churn"}, {"a.txt": "two {{ cookiecutter.name }}\n"}), tag="v1.1.0"
    )
    made = plan(project)
    assert steps(made) == [("model", "1.0.0", "1.1.0")]
    assert made.base["a.txt"].content == b"one fraud\n"
    assert made.new["a.txt"].content == b"two fraud\n"
    assert made.label == "model 1.1.0"
    layer = made.after.layers[0]
    assert (layer.version, layer.commit != first, dict(layer.answers)) == ("1.1.0", True, {"name": "fraud"})
    assert made.base[RECORD].content == (project / RECORD).read_bytes()
    assert parse_record(made.new[RECORD].content, "x") == made.after


def test_an_update_goes_to_the_version_that_is_named_even_to_an_older_one(
    tmp_path: Path, repository: Published
) -> None:
    for version in ("1.0.0", "1.1.0", "2.0.0"):
        repository.commit(template(version, {"name": "churn"}, {"a.txt": version}), tag=f"v{version}")
    project = new(tmp_path / "churn", f"{repository.source}@v1.1.0")
    assert plan(project, to="1.0.0").new["a.txt"].content == b"1.0.0"
    assert steps(plan(project, to="2.0.0")) == [("model", "1.1.0", "2.0.0")]
    with pytest.raises((TemplateError, UsageError), match=r"3\.0\.0"):
        plan(project, to="3.0.0")


def test_a_plain_cookiecutter_template_with_tags_is_updated_by_them(
    tmp_path: Path, repository: Published
) -> None:
    def plain(text: str) -> dict[str, str]:
        context = {"project_name": "Churn", "project_slug": "{{ cookiecutter.project_name|slugify }}"}
        return {
            "cookiecutter.json": json.dumps(context),
            f"{ROOT}/a.txt": text + "{{ cookiecutter.project_slug }}",
        }

    repository.commit(plain("one "), tag="1.0.0")
    project = new(tmp_path / "churn", repository.source, project_name="My Model")
    assert (project / "a.txt").read_text() == "one my-model"
    repository.commit(plain("two "), tag="1.1.0")
    made = plan(project)
    assert made.new["a.txt"].content == b"two my-model"
    assert made.base["a.txt"].content == b"one my-model"
    assert steps(made) == [("templates", "1.0.0", "1.1.0")]


def test_the_version_of_this_program_alone_changes_the_record_and_what_is_pinned_to_it(
    tmp_path: Path, repository: Published
) -> None:
    files = template(
        "1.0.0", {"name": "churn"}, {"pin.txt": "scaffolder=={{ cookiecutter.scaffolder_version }}\n"}
    )
    context = {"project_slug": "x", "name": "churn", "scaffolder_version": "0.0.0"}
    repository.commit({**files, "cookiecutter.json": json.dumps(context)}, tag="v1.0.0")
    project = new(tmp_path / "churn", repository.source)
    made = plan(project, version="0.2.0")
    assert not made.is_idle
    changed = {path for path in made.new if made.new[path] != made.base.get(path)}
    assert changed == {RECORD, "pin.txt"}
    assert made.new["pin.txt"].content == b"scaffolder==0.2.0\n"


# --- answers ---------------------------------------------------------------------------------------------------------


def test_other_answers_alone_make_an_update(tmp_path: Path, repository: Published) -> None:
    questions = {"name": "churn", "ci": ["github", "gitlab"]}
    repository.commit(template("1.0.0", questions, {"{{ cookiecutter.ci }}.yml": "x"}), tag="v1.0.0")
    project = new(tmp_path / "churn", repository.source)
    made = plan(project, given={"ci": "gitlab"})
    assert ("github.yml" in made.base, "gitlab.yml" in made.new, "github.yml" in made.new) == (
        True,
        True,
        False,
    )
    with pytest.raises(UsageError, match=r'^there is no question "nmae"\. Did you mean "name"\?$'):
        plan(project, given={"nmae": "gitlab"})


def test_only_new_questions_are_asked(tmp_path: Path, repository: Published) -> None:
    repository.commit(template("1.0.0", {"name": "churn"}, {"a.txt": ""}), tag="v1.0.0")
    project = new(tmp_path / "churn", repository.source, name="fraud")
    repository.commit(template("1.1.0", {"name": "churn", "team": "ml"}, {"a.txt": ""}), tag="v1.1.0")
    heard: list[str] = []

    def ask(question: Any) -> str:
        heard.append(question.name)
        return "growth"

    made = plan(project, ask=ask)
    assert heard == ["team"]
    assert dict(made.after.layers[0].answers) == {"name": "fraud", "team": "growth"}


def test_an_answer_that_the_new_version_does_not_take_is_not_replaced_in_silence(
    tmp_path: Path, repository: Published
) -> None:
    repository.commit(template("1.0.0", {"ci": ["github", "travis"]}, {"a.txt": ""}), tag="v1.0.0")
    project = new(tmp_path / "churn", repository.source, ci="travis")
    repository.commit(template("2.0.0", {"ci": ["github", "gitlab"]}, {"a.txt": "2"}), tag="v2.0.0")
    with pytest.raises(UsageError) as refused:
        plan(project)
    assert str(refused.value) == (
        'ci must be one of github, gitlab, not "travis". That is the project\'s answer, which no longer fits: answer it '
        "anew with --set ci=VALUE"
    )
    assert plan(project, given={"ci": "gitlab"}).after.layers[0].answers["ci"] == "gitlab"


MIGRATIONS = """\
migrations:
  - to: 2.0.0
    says: The package moves to src.
    rename: {"{{ package }}": "src/{{ package }}", conf.ini: conf/base.ini}
    answers: {rename: {package: module}, set: {team: "{{ owner }}-team", strict: true}, drop: [owner]}
  - to: 3.0.0
    rename: {"src/{{ module }}": "lib/{{ module }}", conf: settings}
    answers: {rename: {module: library}}
"""


def migrating(repository: Published, *versions: str) -> None:
    one = template(
        "1.0.0", {"package": "churn", "owner": "ml"}, {"{{ cookiecutter.package }}/a.py": "", "conf.ini": ""}
    )
    two_questions = {"module": "x", "team": "t", "strict": False}
    head, _, tail = MIGRATIONS.partition("  - to: 3.0.0\n")
    two = template(
        "2.0.0", two_questions, {"src/{{ cookiecutter.module }}/a.py": "", "conf/base.ini": ""}, rest=head
    )
    three_questions = {"library": "x", "team": "t", "strict": False}
    rest = head + "  - to: 3.0.0\n" + tail.replace("{{ module }}", "{{ library }}")
    three = template(
        "3.0.0",
        three_questions,
        {"lib/{{ cookiecutter.library }}/a.py": "", "settings/base.ini": ""},
        rest=rest,
    )
    for version in versions:
        repository.commit({"1.0.0": one, "2.0.0": two, "3.0.0": three}[version], tag=f"v{version}")


def test_migrations_carry_answers_and_paths(tmp_path: Path, repository: Published) -> None:
    migrating(repository, "1.0.0", "2.0.0")
    project = new(tmp_path / "churn", f"{repository.source}@v1.0.0", package="fraud", owner="growth")
    made = plan(project, to="2.0.0")
    assert dict(made.after.layers[0].answers) == {"module": "fraud", "team": "growth-team", "strict": True}
    assert dict(made.renames) == {"fraud": "src/fraud", "conf.ini": "conf/base.ini"}
    assert made.steps[0].says == ("The package moves to src.",)


def test_migrations_of_two_versions_are_chained(tmp_path: Path, repository: Published) -> None:
    migrating(repository, "1.0.0", "2.0.0", "3.0.0")
    project = new(tmp_path / "churn", f"{repository.source}@v1.0.0", package="fraud", owner="growth")
    made = plan(project, to="3.0.0")
    assert dict(made.after.layers[0].answers) == {"library": "fraud", "team": "growth-team", "strict": True}
    assert dict(made.renames) == {"fraud": "lib/fraud", "conf.ini": "settings/base.ini", "conf": "settings"}


def test_a_migration_that_was_passed_is_not_repeated(tmp_path: Path, repository: Published) -> None:
    migrating(repository, "2.0.0", "3.0.0")
    project = new(tmp_path / "churn", f"{repository.source}@v2.0.0", module="fraud", team="growth")
    made = plan(project, to="3.0.0")
    assert dict(made.after.layers[0].answers) == {"library": "fraud", "team": "growth", "strict": False}
    assert made.steps[0].says == ()


def test_a_path_of_a_migration_is_the_old_answers_and_goes_to_the_new_ones(
    tmp_path: Path, repository: Published
) -> None:
    repository.commit(
        template("1.0.0", {"package": "a"}, {"{{ cookiecutter.package }}/a.py": ""}), tag="v1.0.0"
    )
    project = new(tmp_path / "churn", repository.source, package="old")
    rest = 'migrations:\n  - {to: 2.0.0, rename: {"{{ package }}": "src/{{ package }}"}}\n'
    repository.commit(
        template("2.0.0", {"package": "a"}, {"src/{{ cookiecutter.package }}/a.py": ""}, rest=rest),
        tag="v2.0.0",
    )
    assert dict(plan(project, given={"package": "new"}).renames) == {"old": "src/new"}


# --- parts -----------------------------------------------------------------------------------------------------------


def with_part(
    version: str, part_version: str, *, question: str = "runner", migration: str = ""
) -> dict[str, str]:
    rest = "parts:\n  - {template: ci, when: ci != 'none', answers: {system: '{{ ci }}'}}\n"
    whole = template(
        version, {"name": "churn", "ci": ["github", "gitlab", "none"]}, {"a.txt": version}, rest=rest
    )
    part = template(
        part_version,
        {"system": ["github", "gitlab", "none"], question: "big"},
        {"{{ cookiecutter.system }}.yml": f"{{{{ cookiecutter.{question} }}}}\n"},
        name="ci",
        rest=migration,
    )
    return {
        **{f"model/{path}": text for path, text in whole.items()},
        **{f"ci/{path}": text for path, text in part.items()},
    }


def test_parts_come_and_go_with_the_answers(tmp_path: Path, repository: Published) -> None:
    repository.commit(with_part("1.0.0", "1.0.0"), tag="v1.0.0")
    project = new(tmp_path / "churn", f"{repository.source}#subdirectory=model", ci="none")
    assert [layer.template for layer in read_record(project).layers] == ["model"]
    comes = plan(project, given={"ci": "gitlab"})
    assert steps(comes) == [("model", "1.0.0", "1.0.0"), ("ci", "", "1.0.0")]
    assert comes.new["gitlab.yml"].content == b"big\n"
    assert [layer.part for layer in comes.after.layers] == [False, True]

    whole = new(tmp_path / "whole", f"{repository.source}#subdirectory=model")
    goes = plan(whole, given={"ci": "none"})
    assert steps(goes) == [("model", "1.0.0", "1.0.0"), ("ci", "1.0.0", "")]
    assert ("github.yml" in goes.base, "github.yml" in goes.new) == (True, False)


def test_a_parts_own_question_is_answered_by_name(tmp_path: Path, repository: Published) -> None:
    repository.commit(with_part("1.0.0", "1.0.0"), tag="v1.0.0")
    source = f"{repository.source}#subdirectory=model"
    project = new(tmp_path / "churn", source, runner="small")
    assert (project / "github.yml").read_text() == "small\n"
    assert plan(project, given={"runner": "huge"}).new["github.yml"].content == b"huge\n"
    with pytest.raises(UsageError, match=r'^there is no question "runer"\. Did you mean "runner"\?$'):
        plan(project, given={"runer": "huge"})
    with pytest.raises(UsageError, match=r'^there is no question "runer"\. Did you mean "runner"\?$'):
        new(tmp_path / "other", source, runer="small")


def test_a_parts_own_answers_are_kept_and_migrated(tmp_path: Path, repository: Published) -> None:
    repository.commit(with_part("1.0.0", "1.0.0"), tag="v1.0.0")
    found = choose(f"{repository.source}#subdirectory=model")
    project = tmp_path / "churn"

    def ask(question: Any) -> str:
        return "small" if question.name == "runner" else str(question.default)

    make_project(project, found, version="0.1.0", given={}, ask=ask)
    assert plan(project).is_idle
    migration = "migrations:\n  - {to: 2.0.0, answers: {rename: {runner: machine}}}\n"
    repository.commit(with_part("2.0.0", "2.0.0", question="machine", migration=migration), tag="v2.0.0")
    made = plan(project)
    assert dict(made.after.layers[1].answers) == {"system": "github", "machine": "small"}
    assert made.new["github.yml"].content == b"small\n"


# --- chance ----------------------------------------------------------------------------------------------------------


def test_what_was_drawn_is_drawn_again_and_only_what_is_new_is_new(
    tmp_path: Path, repository: Published
) -> None:
    repository.commit(
        template("1.0.0", {"name": "churn"}, {"id.txt": "{{ uuid4() }} {% now 'utc', '%s' %}"}), tag="v1.0.0"
    )
    project = new(tmp_path / "churn", repository.source)
    drawn = (project / "id.txt").read_bytes()
    assert plan(project).is_idle
    files = {"id.txt": "{{ uuid4() }} {% now 'utc', '%s' %}", "0.txt": "{{ uuid4() }}"}
    repository.commit(template("1.1.0", {"name": "churn"}, files), tag="v1.1.0")
    made = plan(project)
    assert made.new["id.txt"].content == drawn
    assert made.new["0.txt"].content not in drawn
    assert made.after.layers[0].chance == read_record(project).layers[0].chance


def test_a_template_that_begins_to_draw_gets_its_seed_then(tmp_path: Path, repository: Published) -> None:
    repository.commit(template("1.0.0", {"name": "churn"}, {"a.txt": ""}), tag="v1.0.0")
    project = new(tmp_path / "churn", repository.source)
    assert read_record(project).layers[0].chance.seed == ""
    repository.commit(template("1.1.0", {"name": "churn"}, {"a.txt": "{{ uuid4() }}"}), tag="v1.1.0")
    assert len(plan(project).after.layers[0].chance.seed) == 32


# --- trust and catalogs ----------------------------------------------------------------------------------------------


def hooked(version: str) -> dict[str, str]:
    hook = "#!/bin/sh\necho ran >> ran.txt\n"
    return {**template(version, {"name": "churn"}, {"a.txt": version}), "hooks/post_gen_project.sh": hook}


def test_a_project_cannot_answer_for_the_hooks_of_its_templates(
    tmp_path: Path, repository: Published
) -> None:
    repository.commit(hooked("1.0.0"), tag="v1.0.0")
    project = new(tmp_path / "churn", repository.source, trust=True)
    assert read_record(project).layers[0].trusted
    assert (project / "ran.txt").is_file()
    with pytest.raises(
        TemplateError, match=r"^the template model runs code of its own \(hooks/post_gen_project\.sh\)"
    ):
        plan(project)
    assert plan(project, trust=True).is_idle


def catalog(folder: Path, repository: Published, commit: str, *, policies: str = "") -> Path:
    text = (
        "catalog: 1\nname: acme\nowner: platform-team\ntemplates:\n  model:\n"
        f"    source: {repository.source}\n    title: A model\n    owner: ml\n    default: 1.0.0\n"
        f"    versions:\n      1.0.0: {{commit: {commit}, trust: true}}\n{policies}"
    )
    write(folder, {"catalog.yaml": text})
    return folder / "catalog.yaml"


def test_a_catalog_answers_for_hooks_when_the_user_names_it_and_not_when_a_project_does(
    tmp_path: Path, repository: Published
) -> None:
    commit = repository.commit(hooked("1.0.0"), tag="v1.0.0")
    place = str(catalog(tmp_path / "acme", repository, commit))
    project = new(tmp_path / "churn", "model", catalog=place)
    assert (project / "ran.txt").is_file()
    assert read_record(project).catalog == "../acme/catalog.yaml"
    with pytest.raises(TemplateError, match=r"runs code of its own"):
        plan(project)
    assert plan(project, catalog=place).is_idle


def trusted_catalog(folder: Path, repository: Published, versions: Mapping[str, str], default: str) -> str:
    told = "".join(
        f"      {version}: {{commit: {commit}, trust: true}}\n" for version, commit in versions.items()
    )
    text = (
        "catalog: 1\nname: acme\nowner: platform-team\ntemplates:\n  model:\n"
        f"    source: {repository.source}\n    default: {default}\n    versions:\n{told}"
    )
    write(folder, {"catalog.yaml": text})
    return str(folder / "catalog.yaml")


def test_a_catalog_does_not_answer_for_what_another_catalog_calls_by_the_same_name(
    tmp_path: Path, repository: Published
) -> None:
    ours = repository.commit(hooked("1.0.0"), tag="v1.0.0")
    theirs = Published.at(tmp_path / "theirs")
    bad = {version: theirs.commit(hooked(version), tag=f"v{version}") for version in ("1.0.0", "1.1.0")}
    good_place = trusted_catalog(tmp_path / "acme", repository, {"1.0.0": ours, "1.1.0": ours}, "1.0.0")
    bad_place = trusted_catalog(tmp_path / "bad", theirs, bad, "1.0.0")
    project = new(tmp_path / "churn", "model", catalog=bad_place)
    (project / "ran.txt").unlink()
    trusted_catalog(tmp_path / "bad", theirs, bad, "1.1.0")
    with pytest.raises(TemplateError, match=r"runs code of its own"):
        plan(project, catalog=good_place)


def test_a_version_that_a_catalog_allows_no_more_can_be_left(tmp_path: Path, repository: Published) -> None:
    first = repository.commit(template("1.0.0", {"name": "churn"}, {"a.txt": "one"}), tag="v1.0.0")
    place = trusted_catalog(tmp_path / "acme", repository, {"1.0.0": first}, "1.0.0")
    project = new(tmp_path / "churn", "model", catalog=place)
    second = repository.commit(template("1.1.0", {"name": "churn"}, {"a.txt": "two"}), tag="v1.1.0")
    trusted_catalog(tmp_path / "acme", repository, {"1.1.0": second}, "1.1.0")
    made = plan(project, catalog=place)
    assert steps(made) == [("model", "1.0.0", "1.1.0")]
    assert made.base["a.txt"].content == b"one"


def test_a_catalog_that_the_user_names_is_seen_from_the_current_folder(
    tmp_path: Path, repository: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = repository.commit(hooked("1.0.0"), tag="v1.0.0")
    place = trusted_catalog(tmp_path / "acme", repository, {"1.0.0": commit}, "1.0.0")
    project = new(tmp_path / "work" / "churn", "model", catalog=place)
    monkeypatch.chdir(tmp_path)
    assert (
        plan(project, catalog="./acme/catalog.yaml", given={"name": "fraud"}).new["a.txt"].content == b"1.0.0"
    )


def test_a_version_that_its_catalog_deprecates_is_said_of_the_project(
    tmp_path: Path, repository: Published
) -> None:
    commit = repository.commit(template("1.0.0", {"name": "churn"}, {"a.txt": "one"}), tag="v1.0.0")
    place = trusted_catalog(tmp_path / "acme", repository, {"1.0.0": commit}, "1.0.0")
    project = new(tmp_path / "churn", "model", catalog=place)
    with Path(place).open("a") as file:
        file.write("    deprecated: {1.0.0: take fraud instead}\n")
    forget()
    said: list[str] = []
    plan_update(project, Wish(), "0.1.0", said.append)
    told = "warning: the project has model 1.0.0, deprecated by acme: take fraud instead"
    assert [each for each in said if "take fraud" in each and "catalog.yaml" not in each] == [told]
    (found,) = statuses([project], Look(version="0.1.0"))
    assert (found["state"], found["message"]) == ("current", told)


@pytest.mark.parametrize("later", [False, True])
def test_a_catalogs_word_for_a_template_is_for_its_parts_at_the_same_commit_only(
    tmp_path: Path, repository: Published, *, later: bool
) -> None:
    whole = template("1.0.0", {"name": "churn"}, {"a.txt": ""}, rest="parts:\n  - {template: ci}\n")
    part = template("1.0.0", {"name": "churn"}, {"ci.txt": ""}, name="ci")
    hook = {"hooks/post_gen_project.sh": "#!/bin/sh\necho ran > ran.txt\n"}
    repository.commit(whole, below="model")
    commit = repository.commit({**part, **({} if later else hook)}, below="ci")
    text = (
        "catalog: 1\nname: acme\nowner: platform-team\ntemplates:\n  model:\n"
        f"    source: {repository.source}#subdirectory=model\n    versions:\n"
        f"      1.0.0: {{commit: {commit}, trust: true}}\n"
    )
    repository.git("tag", "v1.0.0")
    write(tmp_path / "acme", {"catalog.yaml": text})
    place = str(tmp_path / "acme" / "catalog.yaml")
    if not later:
        assert (new(tmp_path / "churn", "model", catalog=place) / "ran.txt").is_file()
        return
    newer = template("1.0.1", {"name": "churn"}, {"ci.txt": ""}, name="ci")
    repository.commit({**newer, **hook}, below="ci", tag="ci-v1.0.1")
    with pytest.raises(TemplateError, match=r"the template ci runs code of its own"):
        new(tmp_path / "churn", "model", catalog=place)
    assert not (tmp_path / "churn").exists()


POLICIES = "policies:\n  - {name: eu-only, owner: security, says: why, allowed_regions: {aws: [%s]}}\n"


def test_policies_and_record_are_replaced_as_the_catalog_has_them(
    tmp_path: Path, repository: Published
) -> None:
    files = template("1.0.0", {"name": "churn"}, {"a.txt": ""})
    commit = repository.commit(files, tag="v1.0.0")
    place = str(catalog(tmp_path / "acme", repository, commit, policies=POLICIES % "eu-west-1"))
    project = new(tmp_path / "churn", "model", catalog=place)
    assert plan(project).is_idle
    before = read_record(project).policies
    catalog(tmp_path / "acme", repository, commit, policies=POLICIES % "eu-west-1, eu-north-1")
    made = plan(project)
    changed = {path for path in made.new if made.new[path] != made.base.get(path)}
    assert changed == {RECORD, ".scaffolder-policies.yaml"}
    assert (
        made.base[".scaffolder-policies.yaml"].content == (project / ".scaffolder-policies.yaml").read_bytes()
    )
    assert b"eu-north-1" in made.new[".scaffolder-policies.yaml"].content
    assert before is not None
    assert made.after.policies is not None
    assert before.digest != made.after.policies.digest

    catalog(tmp_path / "acme", repository, commit)
    gone = plan(project)
    assert ".scaffolder-policies.yaml" in gone.base
    assert ".scaffolder-policies.yaml" not in gone.new
    assert gone.after.policies is None


def test_no_path_of_this_machine_is_in_a_record(tmp_path: Path) -> None:
    write(tmp_path / "model", template("1.0.0", {"name": "churn"}, {"a.txt": ""}))
    project = new(tmp_path / "churn", str(tmp_path / "model"))
    assert str(tmp_path) not in (project / RECORD).read_text()
    assert plan(project).is_idle


# --- one more template -----------------------------------------------------------------------------------------------


def addition(project: Path, text: str, **given: Any) -> Plan:
    return plan_addition(
        project, choose(text), version="0.1.0", given=given, ask=None, say=lambda _told: None
    )


@pytest.fixture
def ci(tmp_path: Path) -> Path:
    questions = {"name": "nobody", "system": ["github", "gitlab"]}
    return write(
        tmp_path / "ci", template("1.0.0", questions, {"ci.yml": "{{ cookiecutter.name }}\n"}, name="ci")
    )


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write(
        tmp_path / "model", template("1.0.0", {"name": "churn"}, {"a.txt": "{{ cookiecutter.name }}\n"})
    )


def test_a_project_gets_one_more_template_with_what_it_has_answered(
    tmp_path: Path, ci: Path, model: Path
) -> None:
    project = new(tmp_path / "churn", str(model), name="fraud")
    made = addition(project, str(ci), system="gitlab")
    assert made.new["ci.yml"].content == b"fraud\n"
    assert made.new["a.txt"] == made.base["a.txt"]
    assert [(layer.template, layer.part) for layer in made.after.layers] == [("model", False), ("ci", False)]
    assert (steps(made), made.own) == ([("ci", "", "1.0.0")], 1)


def test_the_same_template_twice_is_refused_with_what_to_do(tmp_path: Path, model: Path) -> None:
    project = new(tmp_path / "churn", str(model))
    with pytest.raises(UsageError) as refused:
        addition(project, str(model))
    assert str(refused.value) == (
        "the project has the template model already. `scaffolder update` brings its newest version, and other answers: "
        "scaffolder update --set NAME=VALUE"
    )


def test_a_repository_without_a_record_gets_one(tmp_path: Path, ci: Path) -> None:
    project = write(tmp_path / "My Repo", {"README.md": "mine"})
    made = addition(project, str(ci))
    assert made.before is None
    assert dict(made.base) == {}
    assert set(made.new) == {"ci.yml", RECORD}
    assert made.after.project == "My-Repo"


def test_what_a_projects_template_says_of_its_part_is_known_when_it_is_added(
    tmp_path: Path, repository: Published
) -> None:
    repository.commit(with_part("1.0.0", "1.0.0"), tag="v1.0.0")
    project = new(tmp_path / "churn", f"{repository.source}#subdirectory=model", ci="none")
    made = addition(project, f"{repository.source}#subdirectory=ci")
    # "none" is what the model has answered, and what its part would get: an answer that fits.
    assert dict(made.after.layers[1].answers) == {"system": "none", "runner": "big"}
    assert [layer.part for layer in made.after.layers] == [False, False]


def test_a_part_that_is_a_layer_already_is_nobodys_part(tmp_path: Path, repository: Published) -> None:
    repository.commit(with_part("1.0.0", "1.0.0"), tag="v1.0.0")
    project = new(tmp_path / "churn", f"{repository.source}#subdirectory=ci", system="gitlab")
    made = addition(project, f"{repository.source}#subdirectory=model")
    assert [(layer.template, layer.part) for layer in made.after.layers] == [("ci", False), ("model", False)]


def test_an_answer_that_chooses_a_part_which_is_there_by_itself_says_what_counts(
    tmp_path: Path, repository: Published
) -> None:
    repository.commit(with_part("1.0.0", "1.0.0"), tag="v1.0.0")
    project = new(tmp_path / "churn", f"{repository.source}#subdirectory=ci", system="gitlab")
    added = addition(project, f"{repository.source}#subdirectory=model", ci="none")
    write(project, {path: file.content for path, file in added.new.items()})
    forget()
    said: list[str] = []
    plan_update(project, Wish(given={"ci": "github"}), "0.1.0", said.append)
    told = (
        "warning: ci of model chooses its part ci, which this project has as a template of its own: --set with an answer "
        "of ci changes that (scaffolder templates show ci)"
    )
    assert said == [told]
    said.clear()
    plan_update(project, Wish(given={"system": "github"}), "0.1.0", said.append)
    assert said == []


def test_adding_runs_none_of_the_hooks_that_are_there(
    tmp_path: Path, ci: Path, repository: Published
) -> None:
    repository.commit(hooked("1.0.0"), tag="v1.0.0")
    project = new(tmp_path / "churn", repository.source, trust=True)
    made = addition(project, str(ci))
    assert set(made.base) == {RECORD}
    assert set(made.new) == {"ci.yml", RECORD}
    assert made.after.layers[0] == read_record(project).layers[0]
