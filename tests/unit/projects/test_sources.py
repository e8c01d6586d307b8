"""How sources are spelt, and what is read from them: git is real, the repositories are files."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffolder.errors import TemplateError, UsageError
from scaffolder.projects.caching import KEEP_DAYS, KEEP_REPOSITORIES, alone, cache_folder, prune
from scaffolder.projects.catalogs import load_catalog
from scaffolder.projects.released import archive_of, archived_versions, read_archive
from scaffolder.projects.repositories import Remote, remote
from scaffolder.projects.sources import (
    BuiltIn,
    CatalogEntry,
    Folder,
    Git,
    Source,
    latest,
    named,
    open_template,
    parse_source,
    recorded_text,
    sibling,
    versions,
)
from scaffolder.projects.template import built_in_names
from scaffolder.projects.tree import File, Limits, digest_of
from scaffolder.projects.versions import Version, newest, parse_version, version_of_tag
from tests.projects.published import Published, as_tree, small_template, write

ROOT = Path(__file__).resolve().parents[3]
HERE = Path("/work/team")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """A template with the versions 1.0.0, 1.1.0 and 2.0.0-rc.1."""
    made = Published.at(tmp_path / "templates")
    for version in ("1.0.0", "1.1.0", "2.0.0-rc.1"):
        made.commit(small_template(version), tag=f"v{version}")
    return made


def in_a_new_process() -> None:
    """What a process remembers of repositories and catalogs is forgotten."""
    remote.cache_clear()
    load_catalog.cache_clear()


# --- spelling --------------------------------------------------------------------------------------------------------

SPELT: list[tuple[str, Source]] = [
    ("model", BuiltIn(name="model")),
    ("builtin:model", BuiltIn(name="model")),
    ("./model", Folder(path=HERE / "model")),
    ("../model/", Folder(path=Path("/work/model"))),
    ("/srv/./templates/../model", Folder(path=Path("/srv/model"))),
    ("git+https://host/org/repo.git", Git(url="https://host/org/repo.git")),
    ("git+https://host/org/repo", Git(url="https://host/org/repo")),
    (
        "git+https://host/org/repo.git@v1.2.0#subdirectory=model",
        Git(url="https://host/org/repo.git", ref="v1.2.0", directory="model"),
    ),
    ("https://host/org/repo.git@main", Git(url="https://host/org/repo.git", ref="main")),
    ("git+ssh://git@host:2222/org/repo.git", Git(url="ssh://git@host:2222/org/repo.git")),
    ("git@host:org/repo.git@v1.0.0", Git(url="ssh://git@host/org/repo.git", ref="v1.0.0")),
    ("git+file:///srv/templates@release/2", Git(url="file:///srv/templates", ref="release/2")),
    ("gh:org/repo", Git(url="https://github.com/org/repo.git")),
    ("gl:org/group/repo@main", Git(url="https://gitlab.com/org/group/repo.git", ref="main")),
    ("gh:org/repo#subdirectory=a%20b/c", Git(url="https://github.com/org/repo.git", directory="a b/c")),
    ("catalog:model", CatalogEntry(catalog="/work/team/catalog.yaml", name="model")),
    ("catalog:model@../acme", CatalogEntry(catalog="/work/acme", name="model")),
    (
        "catalog:model@gh:acme/catalog@main",
        CatalogEntry(catalog="git+https://github.com/acme/catalog.git@main", name="model"),
    ),
]


@pytest.mark.parametrize(("text", "source"), SPELT, ids=[text for text, _ in SPELT])
def test_a_source_is_read_and_its_own_text_is_read_back(text: str, source: Source) -> None:
    read = parse_source(text, catalog="catalog.yaml", base=HERE)
    assert read == source
    assert parse_source(read.text) == source


@pytest.mark.parametrize(("text", "source"), SPELT, ids=[text for text, _ in SPELT])
def test_a_project_remembers_no_absolute_path(text: str, source: Source) -> None:
    project = Path("/work/churn")
    recorded = recorded_text(parse_source(text, catalog="catalog.yaml", base=HERE), project)
    assert parse_source(recorded, base=project) == source
    assert "/work" not in recorded


REFUSED = [
    ("", "a template's source has 1 to 1000 characters. See `scaffolder templates list`."),
    ("-x", 'the source "-x" looks like an option; a folder of that name is ./-x'),
    ("--upload-pack=touch x", 'the source "--upload-pack=touch x" looks like an option'),
    (
        "ext::sh -c id",
        "asks git to run a helper (ext::), which is never done. Name the repository by an https,",
    ),
    ("git+ext::sh -c id", "asks git to run a helper (ext::)"),
    ("fd::7", "asks git to run a helper (fd::)"),
    (
        "git+http://host/x.git",
        "is read without a check of who sends it; git+https, git+ssh and git+file are.",
    ),
    ("git+git://host/x.git", "is read without a check of who sends it"),
    ("git+ftp://host/x.git", "is none that is let through; git+https, git+ssh and git+file are."),
    ("git+ssh://-oProxyCommand=id/x.git", "has a host or a path that ssh takes for an option"),
    ("git+ssh://git@-oProxyCommand=id/x.git", "has a host or a path that ssh takes for an option"),
    ("git+ssh://git@host/-x/y.git", "has a host or a path that ssh takes for an option"),
    ("git+ssh://git@host/%2dx/y.git", "has a host or a path that ssh takes for an option"),
    ("git+https://host/x.git@--upload-pack=id", "names no tag, branch or commit after its last @"),
    ("git+https://host/x.git@a..b", "names no tag, branch or commit after its last @"),
    ("git+https://host/x.git@{-1}", "names no tag, branch or commit after its last @"),
    ("git+https://host/x.git#subdirectory=../y", "names no folder of its repository after the #"),
    ("git+https://host/x.git#subdirectory=%2e%2e/y", "names no folder of its repository after the #"),
    ("git+https://host/x.git#egg=y&folder=z", "names no folder of its repository after the #"),
    ("git+https://host/", "names no repository; write git+https://host/owner/name.git"),
    ("git+file://host/srv/x", "names no repository"),
    ("gh:org", "names no repository; write gh:owner/name"),
    ("model\x1b[2J", 'the source "model\\u001b[2J" has a character that cannot be seen. Write it without.'),
    ("catalog:model", "is of a catalog, and none is named. Name one with --catalog or SCAFFOLDER_CATALOG."),
    ("builtin:../model", "names no template: a name has lower-case letters, digits and single hyphens"),
    ("Model", '"Model" is no source of a template; it is a name (model), a folder (./model), a repository'),
    ("https://host/org/repo", "is no source of a template"),
]


@pytest.mark.parametrize(("text", "why"), REFUSED, ids=[text or "empty" for text, _ in REFUSED])
def test_what_is_no_source_is_refused_with_what_to_do(text: str, why: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_source(text, base=HERE)
    assert why in str(refused.value)
    assert "\x1b" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "git+https://me:hunter2hunter2@host/org/repo.git",
        "git+https://hunter2hunter2@host/org/repo.git",
        "git+ssh://git:hunter2hunter2@host/org/repo.git",
        "https://oauth2:hunter2hunter2@host/org/repo.git",
        "catalog:model@git+https://me:hunter2hunter2@host/org/repo.git",
        f"git+https://host/org/repo.git@ghp_{'hunter2' * 6}",
    ],
)
def test_a_secret_in_a_source_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError, match="what looks like a password or a token") as refused:
        parse_source(text)
    assert "hunter2" not in str(refused.value)
    assert "git asks its credential helper" in str(refused.value)


@given(
    st.text(max_size=60)
    | st.from_regex(r"(git\+)?[a-z]{2,5}:(//|:)?[-@:/#%a-z.=\[\]{}]{0,30}", fullmatch=True)
)
def test_any_text_is_a_source_or_is_refused(text: str) -> None:
    try:
        source = parse_source(text, base=HERE)
    except UsageError:
        return
    assert parse_source(source.text) == source
    if isinstance(source, Git):
        assert source.url.startswith(("https://", "ssh://", "file://"))
        assert not source.ref.startswith("-")


# --- versions --------------------------------------------------------------------------------------------------------


def test_versions_are_in_the_order_of_semver() -> None:
    """The order that semver.org 2.0.0 gives as its example (rule 11), and numbers that are no texts."""
    texts = (
        *("1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11"),
        *("1.0.0-rc.1", "1.0.0", "1.9.0", "1.10.0"),
    )
    read = [version for text in texts if (version := parse_version(text))]
    assert sorted(set(read)) == read
    assert len(read) == len(texts)
    assert str(newest(read[:7])) == "None"
    assert str(newest(read)) == "1.10.0"


@pytest.mark.parametrize(
    "text", ["1", "1.2", "v1.2.3", "01.2.3", "1.2.3-", "1.2.3 ", "latest", "1.2.3\n", "9" * 70]
)
def test_other_texts_are_no_versions(text: str) -> None:
    assert parse_version(text) is None


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        *(("v1.2.0", "1.2.0"), ("1.2.0", "1.2.0"), ("model-1.2.0", "1.2.0"), ("model-v1.2.0", "1.2.0")),
        *(
            ("model/1.2.0", "1.2.0"),
            ("model/v1.2.0-rc.1", "1.2.0-rc.1"),
            ("other-1.2.0", "None"),
            ("v1", "None"),
        ),
        *(("model", "None"), ("model-", "None"), ("model-llm-1.2.0", "None")),
    ],
)
def test_a_tag_names_a_version_of_one_template_or_of_all(tag: str, version: str) -> None:
    assert str(version_of_tag(tag, "model")) == version


# --- with this program -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", built_in_names())
def test_a_built_in_template_is_unreleased_or_what_was_released(name: str) -> None:
    current = open_template(BuiltIn(name=name))
    assert (current.name, current.source, current.trusted) == (name, f"builtin:{name}", True)
    assert versions(BuiltIn(name=name))[0] == parse_version(current.version)
    for version in archived_versions(name):
        old = open_template(BuiltIn(name=name), version=str(version))
        assert old.version == str(version)
        path = ROOT / "templates" / "versions" / f"{name}-{version}.tar.gz"
        if version == parse_version(current.version):
            assert digest_of(read_archive(path)) == current.digest, "run scripts/release_templates.py"


def test_a_misspelt_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError) as refused:
        named("platfrom")
    assert str(refused.value) == 'there is no template "platfrom". Did you mean "platform"?'


def test_a_version_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(
        TemplateError, match=r"the template platform has no version 0\.0\.9 in this version of scaffolder"
    ):
        open_template(BuiltIn(name="platform"), version="0.0.9")
    with pytest.raises(UsageError, match=r'"newest" is no version of a template; write one such as 1\.2\.0'):
        open_template(BuiltIn(name="platform"), version="newest")


def test_an_archive_is_the_same_bytes_each_time_and_reads_back(tmp_path: Path) -> None:
    tree = {
        "{{ cookiecutter.project_slug }}/" + "long/" * 40 + "é.txt": File(content=b"x"),
        "run": File(content=b"#!", executable=True),
        "empty": File(content=b""),
    }
    first, again = archive_of(tree), archive_of(dict(reversed(tree.items())))
    assert first == again
    path = tmp_path / "small-1.0.0.tar.gz"
    path.write_bytes(first)
    assert read_archive(path) == tree
    with tarfile.open(path) as archive:
        assert {(entry.mtime, entry.uid, entry.uname) for entry in archive} == {(0, 0, "")}


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "small-1.0.0.tar.gz"
    path.write_bytes(archive_of({"a": File(content=os.urandom(5000))})[:3000])
    with pytest.raises(TemplateError, match=r"the archive small-1\.0\.0\.tar\.gz is damaged"):
        read_archive(path)
    with tarfile.open(path, "w:gz") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(TemplateError, match=r"damaged at link\. Install scaffolder again\."):
        read_archive(path)


# --- in a folder -----------------------------------------------------------------------------------------------------


def test_a_folder_is_a_template_of_its_own_version(tmp_path: Path) -> None:
    source = Folder(path=write(tmp_path / "small", small_template("1.4.0")))
    template = open_template(source)
    assert (template.version, template.commit, template.trusted) == ("1.4.0", "", False)
    assert versions(source) == (Version(text="1.4.0"),)
    assert open_template(source, version="1.4.0", digest=template.digest) == template


def test_an_old_version_of_a_folder_needs_a_history(tmp_path: Path) -> None:
    source = Folder(path=write(tmp_path / "small", small_template("1.4.0")))
    with pytest.raises(TemplateError) as refused:
        open_template(source, version="1.3.0")
    assert (
        "small holds version 1.4.0, and version 1.3.0 is not in its history. Keep the template in a git "
        in str(refused.value)
    )


def test_a_folder_that_changed_under_its_version_is_not_taken_for_what_was_recorded(tmp_path: Path) -> None:
    source = Folder(path=write(tmp_path / "small", small_template()))
    digest = open_template(source).digest
    write(tmp_path / "small", {"{{ cookiecutter.project_slug }}/new.txt": "new"})
    with pytest.raises(TemplateError, match="its files have changed without a new version"):
        open_template(source, version="1.0.0", digest=digest)


def test_old_versions_of_a_folder_come_from_its_tags_and_commits(published: Published) -> None:
    source = Folder(path=published.folder)
    assert [*map(str, versions(source))] == ["2.0.0-rc.1", "1.1.0", "1.0.0"]
    assert open_template(source).commit == published.git("rev-parse", "HEAD")
    old = open_template(source, version="1.0.0")
    assert (old.version, old.commit) == ("1.0.0", published.git("rev-parse", "v1.0.0"))
    unnamed = published.commit(small_template("3.0.0"))
    write(published.folder, small_template("3.1.0"))
    edited = open_template(source)
    assert (edited.version, edited.commit) == ("3.1.0", "")
    assert open_template(source, version="3.0.0", commit=unnamed).commit == unnamed


def test_a_template_may_be_below_its_repositorys_top(tmp_path: Path) -> None:
    made = Published.at(tmp_path / "all")
    made.commit(small_template("1.0.0"), tag="small-1.0.0", below="deep/small")
    made.commit(small_template("1.1.0"), tag="small/v1.1.0", below="deep/small")
    folder = Folder(path=made.folder / "deep" / "small")
    assert [*map(str, versions(folder))] == ["1.1.0", "1.0.0"]
    assert open_template(folder, version="1.0.0").commit == made.git("rev-parse", "small-1.0.0")
    git = parse_source(f"{made.source}#subdirectory=deep/small")
    assert open_template(git, version="1.0.0").digest == open_template(folder, version="1.0.0").digest
    assert str(latest(git)) == "1.1.0"


def test_a_folder_that_is_not_there_is_refused_with_the_nearest(tmp_path: Path) -> None:
    write(tmp_path / "small", small_template())
    with pytest.raises(TemplateError, match=r'there is no folder .*/smal\. Did you mean "small"\?'):
        open_template(Folder(path=tmp_path / "smal"))


# --- in a git repository ---------------------------------------------------------------------------------------------


def test_the_newest_release_is_taken_and_prereleases_only_by_name(published: Published) -> None:
    source = parse_source(published.source)
    assert [*map(str, versions(source))] == ["2.0.0-rc.1", "1.1.0", "1.0.0"]
    assert str(latest(source)) == "1.1.0"
    template = open_template(source)
    assert (template.version, template.commit) == ("1.1.0", published.git("rev-parse", "v1.1.0"))
    assert (template.source, template.trusted) == (published.source, False)
    assert open_template(source, version="2.0.0-rc.1").version == "2.0.0-rc.1"


def test_a_version_in_the_source_is_left_out_of_what_is_recorded(published: Published) -> None:
    template = open_template(parse_source(f"{published.source}@v1.0.0"))
    assert (template.version, template.source) == ("1.0.0", published.source)


def test_a_branch_is_followed_and_pinned_to_its_commit(published: Published) -> None:
    source = parse_source(f"{published.source}@main")
    first = open_template(source)
    assert (first.source, first.commit) == (source.text, published.git("rev-parse", "main"))
    after = published.commit(small_template("2.0.0-rc.1", files={"README.md": "later\n"}))
    in_a_new_process()
    assert open_template(source, version=first.version, commit=first.commit, digest=first.digest) == first
    assert open_template(source).commit == after


def test_a_repository_is_asked_once_in_a_process(published: Published) -> None:
    """What an update decides by is what it then reads, and many projects of one template cost one question."""
    source = parse_source(published.source)
    assert str(latest(source)) == "1.1.0"
    published.commit(small_template("1.2.0"), tag="v1.2.0")
    assert str(latest(source)) == "1.1.0"
    in_a_new_process()
    assert str(latest(source)) == "1.2.0"


def test_a_commit_is_taken_whole(published: Published) -> None:
    commit = published.git("rev-parse", "v1.0.0")
    template = open_template(parse_source(f"{published.source}@{commit}"))
    assert (template.version, template.commit) == ("1.0.0", commit)
    with pytest.raises(TemplateError, match="a commit is written with all its 40 digits"):
        open_template(parse_source(f"{published.source}@{commit[:12]}"))
    with pytest.raises(TemplateError, match=f"has no commit {'0' * 40}, or does not give it"):
        open_template(parse_source(f"{published.source}@{'0' * 40}"))


def test_a_repository_without_versions_gives_its_newest_commit_and_says_so(tmp_path: Path) -> None:
    made = Published.at(tmp_path / "plain")
    commit = made.commit(
        {"cookiecutter.json": '{"a": "b"}', "{{ cookiecutter.a }}/x": "{{ cookiecutter.a }}"}
    )
    said: list[str] = []
    template = open_template(parse_source(made.source), say=said.append)
    assert (template.name, template.commit) == ("plain", commit)
    assert said == [
        f"{made.folder.as_uri()} has no tag that is a version; its newest commit is taken, {commit[:12]}."
    ]
    made.git("tag", "v0.9.0")
    in_a_new_process()
    assert open_template(parse_source(made.source)).version == "0.9.0"


def test_a_tag_that_was_moved_is_told(published: Published) -> None:
    source = parse_source(published.source)
    first = open_template(source)
    published.commit(small_template("1.1.0", files={"README.md": "other\n"}))
    published.git("tag", "--force", "v1.1.0")
    in_a_new_process()
    with pytest.raises(TemplateError) as refused:
        open_template(source, version="1.1.0", commit=first.commit)
    assert str(refused.value) == (
        f"the tag v1.1.0 of {published.folder.as_uri()} was moved: it is commit "
        f"{published.git('rev-parse', 'v1.1.0')[:12]}, and version 1.1.0 was pinned at commit "
        f"{first.commit[:12]}. A version must not change: ask its owner to move the tag back, and to release what is "
        "new under a version of its own."
    )


def test_a_tag_and_its_template_must_agree(tmp_path: Path) -> None:
    made = Published.at(tmp_path / "small")
    made.commit(small_template("1.0.0"), tag="v1.1.0")
    with pytest.raises(
        TemplateError, match=r"@v1\.1\.0 is to be version 1\.1\.0, and its template\.yaml says 1\.0\.0"
    ):
        open_template(parse_source(made.source))


def test_what_was_read_before_needs_no_repository(published: Published) -> None:
    source = parse_source(published.source)
    first = open_template(source)
    published.folder.rename(published.folder.with_name("gone"))
    in_a_new_process()
    said: list[str] = []
    assert open_template(source, version="1.1.0", commit=first.commit, say=said.append) == first
    assert open_template(source, say=said.append) == first
    assert len(said) == 2
    assert "cannot be read now" in said[0]
    assert "what it named when it was last read is taken" in said[0]
    with pytest.raises(TemplateError, match="cannot be read: "):
        open_template(source, version="1.0.0")


def test_a_repository_that_was_never_read_is_needed(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"the repository file:///.*/nowhere cannot be read: "):
        open_template(parse_source(f"git+{(tmp_path / 'nowhere').as_uri()}"))


def test_a_repository_of_several_templates_names_them(tmp_path: Path) -> None:
    made = Published.at(tmp_path / "all")
    made.commit(small_template(), below="one")
    made.commit(small_template(), below="two", tag="v1.0.0")
    with pytest.raises(
        TemplateError, match=r"has no cookiecutter\.json at [0-9a-f]{12}; it has templates in one, two"
    ):
        open_template(parse_source(made.source))
    one = parse_source(f"{made.source}#subdirectory=one")
    assert sibling(one, "two") == parse_source(f"{made.source}#subdirectory=two")
    assert sibling(one, "platform") == BuiltIn(name="platform")
    assert sibling(Folder(path=made.folder / "one"), "two") == Folder(path=made.folder / "two")


def test_links_and_submodules_are_refused_before_anything_is_read(published: Published) -> None:
    (published.folder / "passwd").symlink_to("/etc/passwd")
    published.git("add", "passwd")
    published.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    published.git("commit", "-q", "-m", "bad")
    published.git("tag", "v1.2.0")
    with pytest.raises(TemplateError) as refused:
        open_template(parse_source(published.source))
    assert "passwd is a symbolic link, and only files are let through" in str(refused.value)
    assert "module is a submodule, and only files are let through" in str(refused.value)


def test_a_file_that_is_too_large_is_refused_and_not_even_fetched(
    published: Published, tmp_path: Path
) -> None:
    published.git("config", "uploadpack.allowFilter", "true")
    commit = published.commit({**small_template("3.0.0"), "large": b"\0" * 70_000})
    small = Limits(file_bytes=60_000)
    cached = Remote(published.folder.as_uri(), tmp_path / "small-cache")
    cached.fetch(commit, limits=small)
    with pytest.raises(
        TemplateError, match="large is larger than the 60000 bytes that a file of a template may have"
    ):
        cached.files(commit, "", small)
    whole = Remote(published.folder.as_uri(), tmp_path / "whole-cache")
    whole.fetch(commit)
    with pytest.raises(TemplateError, match="large has 70000 bytes, and may have 60000"):
        whole.files(commit, "", small)
    with pytest.raises(TemplateError, match=r"its files have .* bytes, and may have 65000"):
        whole.files(commit, "", Limits(total_bytes=65_000))
    with pytest.raises(TemplateError, match="has 4 files, and a template may have 2"):
        whole.files(commit, "", Limits(files=2))


def test_a_file_that_is_only_a_pointer_is_refused(published: Published) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    published.commit(small_template("1.2.0", files={"weights.bin": pointer}), tag="v1.2.0")
    with pytest.raises(TemplateError, match=r"weights\.bin in Git LFS, which is not fetched"):
        open_template(parse_source(published.source))


def test_a_file_is_the_bytes_that_were_committed(published: Published) -> None:
    """No attribute has a say: the same bytes on each system, whatever its git makes of line ends."""
    files = {
        ".gitattributes": "*.bat text eol=crlf\n*.txt text\n",
        "run.bat": "one\n",
        "crlf.md": "a\r\nb\r\n",
    }
    published.commit(small_template("1.2.0", files=files), tag="v1.2.0")
    published.git("config", "core.autocrlf", "true")
    template = open_template(parse_source(published.source))
    inside = "{{ cookiecutter.project_slug }}"
    assert template.files[f"{inside}/run.bat"].content == b"one\n"
    assert template.files[f"{inside}/crlf.md"].content == b"a\r\nb\r\n"


def test_hooks_and_settings_of_the_user_do_not_run(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("reference-transaction", "post-checkout", "pre-auto-gc"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (hooks / name).chmod(0o755)
    settings = tmp_path / "gitconfig"
    settings.write_text(f"[core]\n\thooksPath = {hooks}\n[init]\n\ttemplateDir = {tmp_path}/hooks\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    assert open_template(parse_source(published.source)).version == "1.1.0"
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "elsewhere").exists()


def test_many_at_once_read_one_repository_through_one_cache(published: Published) -> None:
    source = parse_source(published.source)

    def read(number: int) -> str:
        if number % 3 == 0:
            in_a_new_process()
        return open_template(source, version=("1.0.0", "1.1.0", "2.0.0-rc.1")[number % 3]).version

    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(read, range(24))] == ["1.0.0", "1.1.0", "2.0.0-rc.1"] * 8


READING = """
import sys
from scaffolder.projects.sources import open_template, parse_source
print("ready", flush=True)
print(open_template(parse_source(sys.argv[1]), version=sys.argv[2]).version, flush=True)
"""


@pytest.mark.slow
def test_a_reader_that_is_killed_leaves_a_cache_that_works(published: Published, tmp_path: Path) -> None:
    """Killed at 12 moments of the first read, git with it; a stale lock of git's own is there each time, too."""
    published.commit({**small_template("3.0.0"), "noise": os.urandom(4_000_000)}, tag="v3.0.0")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "killed"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", READING, published.source]
    started = time.monotonic()
    subprocess.run([*command, "3.0.0"], env=environment, check=True, capture_output=True, timeout=60)
    whole = time.monotonic() - started
    for moment in range(12):
        shutil.rmtree(tmp_path / "killed", ignore_errors=True)
        with subprocess.Popen(
            [*command, "3.0.0"], env=environment, stdout=subprocess.PIPE, start_new_session=True
        ) as reader:
            assert reader.stdout is not None
            reader.stdout.readline()
            time.sleep(whole * moment / 12)
            os.killpg(reader.pid, signal.SIGKILL)
        for cache in (tmp_path / "killed").glob("scaffolder/git/*/HEAD"):
            cache.with_name("shallow.lock").touch()
        done = subprocess.run(
            [*command, "3.0.0"], env=environment, check=True, capture_output=True, timeout=60
        )
        assert done.stdout.split() == [b"ready", b"3.0.0"], f"after a kill at {moment}/12 of {whole:.2f} s"


def test_the_cache_is_where_the_system_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache_folder() == tmp_path / "cache" / "scaffolder"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "scaffolder"


DAY_S = 24 * 60 * 60


def cached(folder: Path, name: str, days: float) -> Path:
    """A repository that was used so many days ago."""
    write(folder / name, {"HEAD": "ref: refs/heads/main\n"})
    lock = folder / f"{name}.lock"
    lock.touch()
    then = time.time() - days * DAY_S
    os.utime(lock, (then, then))
    return folder / name


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_repository_that_nobody_uses_is_removed_when_another_one_comes(
    published: Published, tmp_path: Path
) -> None:
    git_folder = tmp_path / "cache" / "scaffolder" / "git"
    cached(git_folder, "old", KEEP_DAYS + 1)
    cached(git_folder, "recent", KEEP_DAYS - 1)
    open_template(parse_source(published.source))
    found = names(git_folder)
    assert {"old", "old.lock"}.isdisjoint(found)
    assert {"recent", "recent.lock"} <= found
    assert len(found) == 4


def test_of_too_many_repositories_the_least_used_go_but_none_of_today(tmp_path: Path) -> None:
    for number in range(KEEP_REPOSITORIES):
        cached(tmp_path, f"today-{number}", 0.5)
    cached(tmp_path, "today-last", 0.9)
    cached(tmp_path, "before", 2)
    prune(tmp_path)
    assert names(tmp_path) == {
        name
        for number in (*range(KEEP_REPOSITORIES), "last")
        for name in (f"today-{number}", f"today-{number}.lock")
    }


def test_what_another_process_works_on_is_left_and_what_is_read_counts_as_used(
    published: Published, tmp_path: Path
) -> None:
    old = cached(tmp_path / "busy", "old", KEEP_DAYS + 1)
    then = old.with_name("old.lock").stat().st_mtime
    with alone(old):
        os.utime(old.with_name("old.lock"), (then, then))
        prune(tmp_path / "busy")
    assert names(tmp_path / "busy") == {"old", "old.lock"}

    commit = open_template(parse_source(published.source)).commit
    (lock,) = (tmp_path / "cache" / "scaffolder" / "git").glob("*.lock")
    os.utime(lock, (then, then))
    in_a_new_process()
    remote(published.folder.as_uri()).fetch(commit)
    assert lock.stat().st_mtime > then + DAY_S
    prune(lock.parent)
    assert lock.is_file()


def test_a_user_without_a_home_is_told_to_name_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_uid: int) -> None:
        raise KeyError

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", nobody)
    with pytest.raises(TemplateError, match=r"Set XDG_CACHE_HOME to a folder\.$"):
        cache_folder()
    with pytest.raises(UsageError, match=r"names no home folder\. Write the path in full\.$"):
        parse_source("~/templates")


# --- in a catalog ----------------------------------------------------------------------------------------------------

CATALOG = """\
catalog: 1
name: acme
owner: platform@acme.example
templates:
  small:
    title: Ours
    source: {source}
    versions:
      1.0.0: {{commit: {first}, trust: true}}
      1.1.0: {{}}
    deprecated: {{1.0.0: "take 1.1.0"}}
  platform: {{source: ./platform}}
"""


@pytest.fixture
def catalog(published: Published, tmp_path: Path) -> str:
    text = CATALOG.format(source=published.source, first=published.git("rev-parse", "v1.0.0"))
    write(tmp_path / "acme", {"catalog.yaml": text})
    write(tmp_path / "acme" / "platform", small_template("0.1.0", name="platform"))
    return str(tmp_path / "acme")


def test_a_catalogs_name_wins_over_a_built_in_one_and_that_is_said(catalog: str) -> None:
    said: list[str] = []
    source = named("platform", catalog=catalog, say=said.append)
    assert source == CatalogEntry(catalog=catalog, name="platform")
    assert said == ["platform is the catalog's; the one that comes with scaffolder is builtin:platform."]
    assert named("builtin:platform", catalog=catalog) == BuiltIn(name="platform")
    assert open_template(source).version == "0.1.0"
    with pytest.raises(UsageError, match=r'there is no template "smal"\. Did you mean "small"\?'):
        named("smal", catalog=catalog)


def test_a_catalog_allows_versions_and_pins_their_commits(catalog: str, published: Published) -> None:
    source = named("small", catalog=catalog)
    assert [*map(str, versions(source))] == ["1.1.0", "1.0.0"]
    assert open_template(source).version == "1.1.0"
    old = open_template(source, version="1.0.0")
    assert (old.source, old.commit) == (source.text, published.git("rev-parse", "v1.0.0"))
    with pytest.raises(UsageError, match=r'version "2\.0\.0-rc\.1" of template small may not be used'):
        open_template(source, version="2.0.0-rc.1")


def test_what_a_project_has_stays_readable_when_its_catalog_drops_the_version(
    catalog: str, published: Published
) -> None:
    source = named("small", catalog=catalog)
    commit = published.git("rev-parse", "v2.0.0-rc.1")
    assert open_template(source, version="2.0.0-rc.1", commit=commit).version == "2.0.0-rc.1"


def test_a_catalog_that_pins_another_commit_than_a_project_has_is_told(
    catalog: str, published: Published
) -> None:
    with pytest.raises(
        TemplateError, match=r"version 1\.0\.0 of catalog:small@.* is commit [0-9a-f]{12} in the catalog"
    ):
        open_template(
            named("small", catalog=catalog), version="1.0.0", commit=published.git("rev-parse", "main")
        )


def test_a_catalog_may_be_in_git_with_its_templates(catalog: str, tmp_path: Path) -> None:
    made = Published.at(tmp_path / "acme-git")
    shutil.copytree(catalog, made.folder / "shared")
    made.git("add", "--all")
    made.git("commit", "-q", "-m", "a catalog")
    source = parse_source("catalog:platform", catalog=f"{made.source}#subdirectory=shared")
    template = open_template(source)
    assert (template.name, template.version, template.source) == ("platform", "0.1.0", source.text)
    assert template.commit == made.git("rev-parse", "HEAD")
    assert sibling(source, "small") == CatalogEntry(
        catalog=f"{made.source}#subdirectory=shared", name="small"
    )


def test_a_catalog_that_is_not_there_is_told(tmp_path: Path) -> None:
    made = Published.at(tmp_path / "none")
    made.commit({"README.md": "nothing"})
    with pytest.raises(TemplateError, match=r"has no file catalog\.yaml that could be a catalog"):
        open_template(parse_source("catalog:model", catalog=made.source))
    with pytest.raises(
        TemplateError, match=r'has no tag or branch "mian" to read a catalog from\. Did you mean "main"\?'
    ):
        open_template(parse_source("catalog:model", catalog=f"{made.source}@mian"))


def test_a_tree_of_texts_is_the_folder_that_they_make(tmp_path: Path) -> None:
    files = small_template()
    read = open_template(Folder(path=write(tmp_path / "small", files)))
    assert digest_of(as_tree(files)) == read.digest
