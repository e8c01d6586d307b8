"""Trees of files: which paths and sizes are safe on every system, and what a digest says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffolder.errors import TemplateError
from scaffolder.projects.tree import (
    EMPTY,
    File,
    Limits,
    checked_tree,
    digest_of,
    path_problem,
    shown_path,
    union,
)

FINE = [
    "a",
    "a/b.txt",
    ".github/workflows/ci.yml",
    "a b/c d.md",
    "größe/文.txt",
    ".gitignore",
    "git/x",
    "a.b.c",
    "-x",
    "conf.py",
    "com10",
    "a~1",
]
LEAVES = "does not stay in the project's folder"
CHARACTER = "has a character that some systems do not take in a name"
UNSEEN = "has a character that nobody sees"
POINT = "has a part that begins or ends with a space, or ends with a point"
DEVICE = "has the name of a device of Windows"
GIT = "is in git's own folder"

UNSAFE = [
    ("", "is empty"),
    ("/etc/passwd", LEAVES),
    ("~/x", LEAVES),
    ("..", LEAVES),
    ("a/../../x", LEAVES),
    ("a//b", "has an empty part"),
    ("./a", "has an empty part"),
    ("a/", "has an empty part"),
    ("C:x", CHARACTER),
    ("a\\b", CHARACTER),
    ("a\nb", CHARACTER),
    ("a\x85b", CHARACTER),
    ("a?b", CHARACTER),
    ("a\u202eb", UNSEEN),
    (".g\u200cit/config", UNSEEN),
    ("a\u2028b", UNSEEN),
    ("a. ", POINT),
    ("a.", POINT),
    (" a", POINT),
    ("...", POINT),
    ("NUL", DEVICE),
    ("a/con.txt", DEVICE),
    ("COM¹.log", DEVICE),
    ("CON .txt", DEVICE),
    ("a/lpt1  .tar.gz", DEVICE),
    ("nul.", POINT),
    ("aux .", POINT),
    (".git/hooks/post-commit", GIT),
    (".GIT/config", GIT),
    ("a/GIT~1/config", GIT),
    ("\uff0egit/config", GIT),
    ("a" * 256, "has a part of more than 255 bytes"),
    ("ü" * 128, "has a part of more than 255 bytes"),
    ("/".join(["aaaaaaaaa"] * 103), "is longer than 1024 bytes"),
    ("\ud800", "is no text"),
]


@pytest.mark.parametrize("path", FINE)
def test_an_ordinary_path_is_fine(path: str) -> None:
    assert path_problem(path) == ""


@pytest.mark.parametrize(("path", "problem"), UNSAFE, ids=[ascii(path)[:30] for path, _ in UNSAFE])
def test_a_path_that_some_system_takes_for_another_is_refused(path: str, problem: str) -> None:
    assert path_problem(path) == problem


def test_git_itself_refuses_what_is_refused_as_its_own(tmp_path: Path) -> None:
    """Its own protection for HFS+ and NTFS is the measure."""
    git = ["git", "-c", "core.protectHFS=true", "-c", "core.protectNTFS=true"]
    subprocess.run([*git, "init", "--quiet", tmp_path], check=True)
    blob = subprocess.run(
        [*git, "hash-object", "-w", "--stdin"], cwd=tmp_path, check=True, input=b"", capture_output=True
    )

    def taken(path: str) -> bool:
        line = f"100644 {blob.stdout.decode().strip()}\t{path}\0".encode()
        done = subprocess.run(
            [*git, "update-index", "-z", "--add", "--index-info"],
            cwd=tmp_path,
            check=False,
            input=line,
            capture_output=True,
        )
        listed = subprocess.run(
            [*git, "ls-files", "-z"], cwd=tmp_path, check=True, capture_output=True
        ).stdout
        return done.returncode == 0 and path.encode() in listed.split(b"\0")

    assert taken("a/b.txt")
    for path in (
        ".git/x",
        ".GIT/config",
        "a/GIT~1/config",
        ".g\u200cit/config",
        "../x",
        "a//b",
        "./a",
        "a\\..\\x/.git/y",
    ):
        assert not taken(path), path
        assert path_problem(path), path


def test_markup_is_taken_out_of_a_templates_own_path() -> None:
    path = '{% if cookiecutter.ci == "github" %}{{ cookiecutter.name|lower }}.yml{% endif %}'
    assert path_problem(path, markup=True) == ""
    assert path_problem(path) == CHARACTER
    assert path_problem("{{ x }}/../../y", markup=True) == LEAVES
    assert (
        path_problem(".{# hidden #}git/{{ x }}", markup=True) == ""
    )  # it is judged again when it is rendered


COLLISIONS = [
    (["README.md", "readme.md"], "readme.md and README.md are the same file on some systems"),
    (["src/a", "Src/b"], "src and Src are the same folder on some systems"),
    (
        ["gr\u00f6\u00dfe", "gro\u0308sse"],
        "gr\u00f6\u00dfe and gro\u0308sse are the same file on some systems",
    ),
    (["a", "a/b"], "a is a file and a folder"),
    (["A", "a/b"], "A is a file and a folder"),
]


@pytest.mark.parametrize(("paths", "told"), COLLISIONS)
def test_paths_that_are_one_somewhere_are_refused(paths: list[str], told: str) -> None:
    with pytest.raises(TemplateError) as refused:
        checked_tree(dict.fromkeys(paths, File(content=b"")), "the template x")
    assert str(refused.value) == f"the template x is refused:\n  {told}"


def test_sizes_are_bounded_and_all_is_said() -> None:
    limits = Limits(files=2, file_bytes=3, total_bytes=5, depth=2)
    files = {"a": File(content=b"four"), "b/c/d": File(content=b""), "e": File(content=b"22")}
    with pytest.raises(TemplateError) as refused:
        checked_tree(files, "the template x", limits)
    assert str(refused.value).splitlines() == [
        "the template x is refused:",
        "  it has 3 files, and may have 2",
        "  a has 4 bytes, and may have 3",
        "  b/c/d is more than 2 folders deep",
        "  its files have 6 bytes, and may have 5",
    ]


def test_of_many_problems_ten_are_said() -> None:
    with pytest.raises(TemplateError) as refused:
        checked_tree({f"../{number:02}": File(content=b"") for number in range(13)}, "the template x")
    assert len(str(refused.value).splitlines()) == 12
    assert str(refused.value).endswith("\n  and 3 more")


def test_a_later_tree_wins_and_paths_are_sorted() -> None:
    one, two = {"b": File(content=b"1"), "a": File(content=b"1")}, {"b": File(content=b"2")}
    assert list(union((one, two)).items()) == [("a", File(content=b"1")), ("b", File(content=b"2"))]
    assert dict(union(())) == dict(EMPTY) == {}


@given(st.text(max_size=200))
def test_a_shown_path_cannot_steer_a_terminal(path: str) -> None:
    shown = shown_path(path)
    assert shown.isprintable()
    assert 0 < len(shown) <= 120
    if path.isprintable() and 0 < len(path) <= 120:
        assert shown == path


def test_a_digest_tells_paths_modes_and_bytes_apart() -> None:
    trees = [
        {},
        {"a": File(content=b"")},
        {"b": File(content=b"")},
        {"a": File(content=b"b")},
        {"a": File(content=b"", executable=True)},
        {"a": File(content=b""), "b": File(content=b"")},
        {"a": File(content=b"0 0 0\nb")},
    ]
    digests = [digest_of(tree) for tree in trees]
    assert len(set(digests)) == len(trees)
    assert all(len(digest) == 71 and digest.startswith("sha256:") for digest in digests)
    assert digest_of(dict(reversed(trees[5].items()))) == digests[5]
