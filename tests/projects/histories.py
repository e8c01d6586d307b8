"""Histories of projects: what a template was and is, what a project's owners did, and what an update must make of it.

Data, and the real git that turns a history into a repository; `benchmarks/` runs the same ones through other tools.
May not import what is tested.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Literal, TypeAlias

from scaffolder.projects.tree import File
from stacks.record import record

__all__ = [
    "HISTORIES",
    "LABEL",
    "Delete",
    "Edit",
    "History",
    "Link",
    "Mode",
    "Move",
    "Submodule",
    "Untracked",
    "Write",
    "build",
    "git",
    "read_tree",
]

LABEL = "model 2.0.0"
"""The name of the template's side in the markers of conflicts."""


@record
class Write:
    """The owner writes a file."""

    path: str
    content: bytes


@record
class Move:
    """The owner moves a file or a folder."""

    path: str
    to: str


@record
class Delete:
    """The owner deletes a file or a folder."""

    path: str


@record
class Mode:
    """The owner makes a file executable, or not."""

    path: str
    executable: bool


@record
class Link:
    """A symbolic link; as an edit, the owner makes it."""

    path: str = ""
    to: str


@record
class Submodule:
    """The owner adds another repository, which has one file `code.txt`, as a submodule."""

    path: str


@record
class Untracked:
    """The owner has a file that git ignores."""

    path: str
    content: bytes


Edit: TypeAlias = Write | Move | Delete | Mode | Link | Submodule | Untracked
Place: TypeAlias = Literal["root", "nested", "worktree", "submodule"]
Expected: TypeAlias = "Mapping[str, File | Link]"


@record
class History:
    """One history; its name is what must come out. ``expected`` is the work tree after the update, markers included.

    ``conflicts`` are paths and git's word for the sort. ``settings`` are the owner's git configuration from the start,
    ``refused`` a part of the message of an update that may not happen, ``notes`` parts of what must be told.
    """

    name: str
    old: Mapping[str, File]
    new: Mapping[str, File]
    edits: tuple[Edit, ...] = ()
    expected: Expected
    conflicts: Mapping[str, str] = field(default_factory=dict)
    renames: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    place: Place = "root"
    refused: str = ""
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def text(content: str, *, executable: bool = False) -> File:
    """A file of text."""
    return File(content=content.encode(), executable=executable)


def numbered(count: int, changed: Mapping[int, str] | None = None, end: str = "\n") -> str:
    """Lines `line 1` to `line COUNT`, some of which say something else."""
    lines = {number: f"line {number}" for number in range(1, count + 1)}
    return "".join(f"{line}{end}" for line in {**lines, **(changed or {})}.values())


def crlf(content: str) -> bytes:
    """The bytes of a text as Windows ends its lines."""
    return content.replace("\n", "\r\n").encode()


def marked(yours: str, theirs: str, *, path: str = "", new_path: str = "") -> str:
    """The lines of a conflict as git marks it; paths where both sides have the file at another one."""
    mine = f":{path}" if path else ""
    others = f":{new_path}" if new_path else ""
    return f"<<<<<<< yours{mine}\n{yours}=======\n{theirs}>>>>>>> {LABEL}{others}\n"


TWENTY = text(numbered(20))
FIRST, LAST, BOTH = (
    "line 2 of the owner",
    "line 19 of the template",
    {2: "line 2 of the owner", 19: "line 19 of the template"},
)
OWNERS = Write(path="a.py", content=numbered(20, {2: FIRST}).encode())
TEMPLATES = text(numbered(20, {19: LAST}))
MERGED = text(numbered(20, BOTH))
BINARY = bytes(range(256)) * 8
BESIDE = {"README.md": text("# churn\n")}
CHANGED_BESIDE = {"README.md": text("# churn, again\n")}
CODE = {f"src/{name}.py": text(numbered(12, {1: f"module {name}"})) for name in ("ingest", "train", "serve")}
RENAMED_CODE = {path.replace("src/", "lib/"): file for path, file in CODE.items()}
OWN = Write(path="src/own.py", content=b"the owner's own module\n")
OWNERS_OWN_FIT = Write(path="fit.py", content=b"the owner's own\n")
ATTRIBUTES = "*.png binary\n\n\n\n\n"
HEAVY = "".join(f"all is new: {number}\n" for number in range(30))

HISTORIES: tuple[History, ...] = (
    History(
        name="edits of both sides in one file are both kept",
        old={"a.py": TWENTY},
        new={"a.py": TEMPLATES},
        edits=(OWNERS,),
        expected={"a.py": MERGED},
    ),
    History(
        name="a project without edits becomes the new rendering",
        old={"a.py": TWENTY, "gone.txt": text("x\n")},
        new={"a.py": TEMPLATES, "added/deep/b.py": text("b\n")},
        expected={"a.py": TEMPLATES, "added/deep/b.py": text("b\n")},
    ),
    History(
        name="a template that did not change changes nothing",
        old={"a.py": TWENTY, **BESIDE},
        new={"a.py": TWENTY, **BESIDE},
        edits=(OWNERS, Delete(path="README.md")),
        expected={"a.py": text(numbered(20, {2: FIRST}))},
    ),
    History(
        name="two edits of one line are a conflict with both in it",
        old={"a.py": TWENTY},
        new={"a.py": text(numbered(20, {2: "line 2 of the template", 19: LAST}))},
        edits=(OWNERS,),
        expected={
            "a.py": text(
                numbered(20, {**BOTH, 2: marked(f"{FIRST}\n", "line 2 of the template\n").rstrip("\n")})
            )
        },
        conflicts={"a.py": "contents"},
    ),
    History(
        name="the same edit on both sides is no conflict",
        old={"a.py": TWENTY},
        new={"a.py": text(numbered(20, {2: FIRST, 19: LAST}))},
        edits=(OWNERS,),
        expected={"a.py": MERGED},
    ),
    History(
        name="a file that the owner deleted stays deleted",
        old={"a.py": TWENTY, **BESIDE},
        new={"a.py": TWENTY, **CHANGED_BESIDE},
        edits=(Delete(path="a.py"),),
        expected={**CHANGED_BESIDE},
    ),
    History(
        name="a change of a file that the owner deleted is a conflict",
        old={"a.py": TWENTY, **BESIDE},
        new={"a.py": TEMPLATES, **BESIDE},
        edits=(Delete(path="a.py"),),
        expected={"a.py": TEMPLATES, **BESIDE},
        conflicts={"a.py": "modify/delete"},
    ),
    History(
        name="a file that the template deletes goes, and the folder that held only it",
        old={"deep/er/a.py": TWENTY, **BESIDE},
        new={**BESIDE},
        expected={**BESIDE},
    ),
    History(
        name="a deletion of a file that the owner edited is a conflict",
        old={"a.py": TWENTY, **BESIDE},
        new={**BESIDE},
        edits=(OWNERS,),
        expected={"a.py": text(numbered(20, {2: FIRST})), **BESIDE},
        conflicts={"a.py": "modify/delete"},
    ),
    History(
        name="a binary file of the template is replaced byte for byte",
        old={"logo.png": File(content=BINARY)},
        new={"logo.png": File(content=BINARY[::-1])},
        expected={"logo.png": File(content=BINARY[::-1])},
    ),
    History(
        name="a binary file that both changed is a conflict, and the owner's stays",
        old={"logo.png": File(content=BINARY)},
        new={"logo.png": File(content=BINARY[::-1])},
        edits=(Write(path="logo.png", content=BINARY + b"mine\x00"),),
        expected={"logo.png": File(content=BINARY + b"mine\x00")},
        conflicts={"logo.png": "contents"},
    ),
    History(
        name="line endings of Windows survive without attributes",
        old={"run.bat": File(content=crlf(numbered(20)))},
        new={"run.bat": File(content=crlf(numbered(20, {19: LAST})))},
        edits=(Write(path="run.bat", content=crlf(numbered(20, {2: FIRST}))),),
        expected={"run.bat": File(content=crlf(numbered(20, BOTH)))},
    ),
    History(
        name="line endings that the template's attributes name survive",
        old={"run.bat": File(content=crlf(numbered(20))), ".gitattributes": text("*.bat text eol=crlf\n")},
        new={
            "run.bat": File(content=crlf(numbered(20, {19: LAST}))),
            ".gitattributes": text("*.bat text eol=crlf\n"),
        },
        edits=(Write(path="run.bat", content=crlf(numbered(20, {2: FIRST}))),),
        expected={
            "run.bat": File(content=crlf(numbered(20, BOTH))),
            ".gitattributes": text("*.bat text eol=crlf\n"),
        },
    ),
    History(
        name="an owner who has git end lines as Windows does gets what changed like that",
        old={"a.py": TWENTY, **BESIDE},
        new={"a.py": TEMPLATES, **BESIDE},
        edits=(Write(path="a.py", content=crlf(numbered(20, {2: FIRST}))),),
        expected={"a.py": File(content=crlf(numbered(20, BOTH))), **BESIDE},
        settings={"core.autocrlf": "true"},
    ),
    History(
        name="line endings that the owner normalised later make no conflict",
        old={"a.py": File(content=crlf(numbered(20)))},
        new={"a.py": File(content=crlf(numbered(20, {19: LAST})))},
        edits=(
            Write(path=".gitattributes", content=b"*.py text eol=lf\n"),
            Write(path="a.py", content=numbered(20, {2: FIRST}).encode()),
        ),
        expected={"a.py": MERGED, ".gitattributes": text("*.py text eol=lf\n")},
    ),
    History(
        name="attributes that the template adds later make no conflict",
        old={"run.bat": File(content=crlf(numbered(20)))},
        new={
            "run.bat": File(content=crlf(numbered(20, {19: LAST}))),
            ".gitattributes": text("*.bat text eol=crlf\n"),
        },
        edits=(Write(path="run.bat", content=crlf(numbered(20, {2: FIRST}))),),
        expected={
            "run.bat": File(content=crlf(numbered(20, BOTH))),
            ".gitattributes": text("*.bat text eol=crlf\n"),
        },
    ),
    History(
        name="attributes that both sides changed hold together",
        old={"a.py": File(content=crlf(numbered(20))), "run.bat": TWENTY, ".gitattributes": text(ATTRIBUTES)},
        new={
            "a.py": File(content=crlf(numbered(20, {19: LAST}))),
            "run.bat": File(content=crlf(numbered(20, {19: LAST}))),
            "new.py": File(content=crlf("new\n")),
            ".gitattributes": text(f"{ATTRIBUTES}*.bat text eol=crlf\n"),
        },
        edits=(Write(path=".gitattributes", content=f"*.py text eol=lf\n{ATTRIBUTES}".encode()), OWNERS),
        expected={
            "a.py": MERGED,
            "run.bat": File(content=crlf(numbered(20, {19: LAST}))),
            "new.py": text("new\n"),
            ".gitattributes": text(f"*.py text eol=lf\n{ATTRIBUTES}*.bat text eol=crlf\n"),
        },
    ),
    History(
        name="a rename to a name that the owner has taken leaves both files to git",
        old={"train.py": TWENTY, **BESIDE},
        new={"fit.py": TEMPLATES, **BESIDE},
        edits=(OWNERS_OWN_FIT, Write(path="train.py", content=OWNERS.content)),
        expected={
            "fit.py": text(marked("the owner's own\n", MERGED.content.decode())),
            **BESIDE,
        },
        conflicts={"fit.py": "contents"},
        renames={"train.py": "fit.py"},
    ),
    History(
        name="names that the template passes on take the owner's edits along",
        old={"one.py": text(numbered(20, {1: "one"})), "two.py": text(numbered(20, {1: "two"}))},
        new={"two.py": text(f"{HEAVY}one\n"), "three.py": text(f"{HEAVY}two\n")},
        edits=(
            Write(path="one.py", content=numbered(20, {1: "one"}).encode() + b"mine of one\n"),
            Mode(path="two.py", executable=True),
        ),
        expected={
            "two.py": text(
                f"{HEAVY}one\n" + marked(numbered(20, {1: ""}).lstrip("\n") + "mine of one\n", "")
            ),
            "three.py": text(f"{HEAVY}two\n", executable=True),
        },
        conflicts={"two.py": "contents"},
        renames={"one.py": "two.py", "two.py": "three.py"},
    ),
    History(
        name="a file that becomes executable keeps the owner's edits",
        old={"a.py": TWENTY},
        new={"a.py": text(numbered(20), executable=True)},
        edits=(OWNERS,),
        expected={"a.py": text(numbered(20, {2: FIRST}), executable=True)},
    ),
    History(
        name="a file that the owner made executable stays so when the template edits it",
        old={"a.py": TWENTY},
        new={"a.py": TEMPLATES},
        edits=(Mode(path="a.py", executable=True),),
        expected={"a.py": text(numbered(20, {19: LAST}), executable=True)},
    ),
    History(
        name="only the mode of a file changes",
        old={"run.sh": text("#!/bin/sh\n"), "other.sh": text("#!/bin/sh\n# other\n", executable=True)},
        new={"run.sh": text("#!/bin/sh\n", executable=True), "other.sh": text("#!/bin/sh\n# other\n")},
        expected={"run.sh": text("#!/bin/sh\n", executable=True), "other.sh": text("#!/bin/sh\n# other\n")},
    ),
    History(
        name="a file of the template is executable, whatever the owner's git makes of modes",
        old={"a.py": TWENTY},
        new={"a.py": TEMPLATES, "run.sh": text("#!/bin/sh\n", executable=True)},
        edits=(OWNERS,),
        expected={"a.py": MERGED, "run.sh": text("#!/bin/sh\n", executable=True)},
        settings={"core.fileMode": "false", "core.splitIndex": "true"},
    ),
    History(
        name="a submodule of the owner is left alone",
        old={"a.py": TWENTY},
        new={"a.py": TEMPLATES},
        edits=(OWNERS, Submodule(path="vendor/library")),
        expected={"a.py": MERGED, "vendor/library/code.txt": text("code\n")},
    ),
    History(
        name="a submodule in a folder that the template renames stays where it is",
        old=CODE,
        new=RENAMED_CODE,
        edits=(Submodule(path="src/library"), OWN),
        expected={
            **RENAMED_CODE,
            "lib/own.py": text("the owner's own module\n"),
            "src/library/code.txt": text("code\n"),
        },
        notes=(
            "src/own.py added in yours inside a directory that was renamed in model 2.0.0; moving it to lib/own.py",
        ),
    ),
    History(
        name="a file that the owner added to a folder follows when the template renames the folder",
        old=CODE,
        new=RENAMED_CODE,
        edits=(OWN,),
        expected={**RENAMED_CODE, "lib/own.py": text("the owner's own module\n")},
        notes=("moving it to lib/own.py",),
    ),
    History(
        name="edits in a folder that the template renames follow",
        old=CODE,
        new=RENAMED_CODE,
        edits=(Write(path="src/train.py", content=numbered(12, {1: "module train", 9: "mine"}).encode()),),
        expected={**RENAMED_CODE, "lib/train.py": text(numbered(12, {1: "module train", 9: "mine"}))},
    ),
    History(
        name="a file that the owner renamed gets the template's edits",
        old={"a.py": TWENTY},
        new={"a.py": TEMPLATES},
        edits=(OWNERS, Move(path="a.py", to="own/name.py")),
        expected={"own/name.py": MERGED},
    ),
    History(
        name="a file that both renamed differently is a conflict at both names",
        old={"a.py": TWENTY, **BESIDE},
        new={"theirs.py": TWENTY, **BESIDE},
        edits=(Move(path="a.py", to="mine.py"),),
        expected={"mine.py": TWENTY, "theirs.py": TWENTY, **BESIDE},
        conflicts={"a.py": "rename/rename", "mine.py": "rename/rename", "theirs.py": "rename/rename"},
    ),
    History(
        name="a folder that the owner moved gets the template's edits and its new file",
        old=CODE,
        new={
            **CODE,
            "src/serve.py": text(numbered(12, {1: "module serve", 9: LAST})),
            "src/new.py": text("new\n"),
        },
        edits=(Move(path="src", to="own/place"),),
        expected={
            **{path.replace("src/", "own/place/"): file for path, file in CODE.items()},
            "own/place/serve.py": text(numbered(12, {1: "module serve", 9: LAST})),
            "own/place/new.py": text("new\n"),
        },
        notes=("moving it to own/place/new.py",),
    ),
    History(
        name="the same new file on both sides is no conflict",
        old={**BESIDE},
        new={**BESIDE, "a.py": TWENTY},
        edits=(Write(path="a.py", content=TWENTY.content),),
        expected={**BESIDE, "a.py": TWENTY},
    ),
    History(
        name="another new file of the same name is a conflict with both in it",
        old={**BESIDE},
        new={**BESIDE, "a.py": text("theirs\n")},
        edits=(Write(path="a.py", content=b"mine\n"),),
        expected={**BESIDE, "a.py": text(marked("mine\n", "theirs\n"))},
        conflicts={"a.py": "contents"},
    ),
    History(
        name="a rename with all lines edited by the owner holds where the template says so",
        old={"train.py": TWENTY, **BESIDE},
        new={"src/model/fit.py": TEMPLATES, **BESIDE},
        edits=(Write(path="train.py", content=HEAVY.encode() + numbered(20).encode()),),
        expected={"src/model/fit.py": text(HEAVY + numbered(20, {19: LAST})), **BESIDE},
        renames={"train.py": "src/model/fit.py"},
    ),
    History(
        name="a folder that the template says is renamed takes the owner's files along",
        old=CODE,
        new={path: text(f"{path} begins anew\n") for path in RENAMED_CODE},
        edits=(OWN,),
        expected={
            **{path: text(f"{path} begins anew\n") for path in RENAMED_CODE},
            "lib/own.py": text("the owner's own module\n"),
        },
        renames={"src": "lib"},
    ),
    History(
        name="a name that changes only its case is changed",
        old={"Makefile.md": TWENTY},
        new={"makefile.md": TEMPLATES},
        edits=(Write(path="Makefile.md", content=OWNERS.content),),
        expected={"makefile.md": MERGED},
    ),
    History(
        name="names with spaces and of other scripts are names",
        old={"données/entraînement 1.py": TWENTY, "模型/卡片.md": TWENTY, "a b/c'd.txt": TWENTY},
        new={
            "données/entraînement 1.py": TEMPLATES,
            "模型/卡片.md": TEMPLATES,
            "a b/c'd.txt": TWENTY,
            "új fájl": TWENTY,
        },
        edits=(Write(path="模型/卡片.md", content=OWNERS.content), Move(path="a b", to="ä b")),
        expected={
            "données/entraînement 1.py": TEMPLATES,
            "模型/卡片.md": MERGED,
            "ä b/c'd.txt": TWENTY,
            "új fájl": TWENTY,
        },
    ),
    History(
        name="a link of the owner is left alone",
        old=CODE,
        new={**RENAMED_CODE, **BESIDE},
        edits=(Link(path="src/data", to="../data"), Link(path="latest", to="src/train.py")),
        expected={
            **RENAMED_CODE,
            **BESIDE,
            "src/data": Link(to="../data"),
            "latest": Link(to="src/train.py"),
        },
    ),
    History(
        name="a file that the owner made a link is a conflict that keeps the link",
        old={"config.yaml": TWENTY, **BESIDE},
        new={"config.yaml": TEMPLATES, **BESIDE},
        edits=(Delete(path="config.yaml"), Link(path="config.yaml", to="README.md")),
        expected={"config.yaml": Link(to="README.md"), "config.yaml~model-2.0.0": TEMPLATES, **BESIDE},
        conflicts={"config.yaml": "distinct modes", "config.yaml~model-2.0.0": "distinct modes"},
    ),
    History(
        name="a project in a part of a repository is updated there and nowhere else",
        old={"a.py": TWENTY, "src/b.py": TWENTY},
        new={"a.py": TEMPLATES, "lib/b.py": TWENTY},
        edits=(OWNERS,),
        expected={"a.py": MERGED, "lib/b.py": TWENTY},
        place="nested",
    ),
    History(
        name="a conflict in a part of a repository is marked there",
        old={"a.py": text("old\n"), "src/b.py": TWENTY},
        new={"a.py": text("theirs\n"), "src/b.py": TWENTY},
        edits=(Write(path="a.py", content=b"mine\n"),),
        expected={"a.py": text(marked("mine\n", "theirs\n")), "src/b.py": TWENTY},
        conflicts={"a.py": "contents"},
        place="nested",
    ),
    History(
        name="a linked work tree is updated, and the main one is not",
        old={"a.py": TWENTY, "b.py": TWENTY},
        new={"a.py": TEMPLATES, "c.py": text("c\n")},
        edits=(OWNERS,),
        expected={"a.py": MERGED, "c.py": text("c\n")},
        place="worktree",
    ),
    History(
        name="a project that is a submodule is updated",
        old={"a.py": TWENTY},
        new={"a.py": TEMPLATES},
        edits=(OWNERS,),
        expected={"a.py": MERGED},
        place="submodule",
    ),
    History(
        name="a file that the owner's git ignores is never written over",
        old={**BESIDE, ".gitignore": text("*.log\n")},
        new={**BESIDE, ".gitignore": text("*.log\n!keep.log\n"), "keep.log": text("theirs\n")},
        edits=(Untracked(path="keep.log", content=b"mine\n"),),
        expected={**BESIDE, ".gitignore": text("*.log\n"), "keep.log": text("mine\n")},
        refused="something that is not in git: keep.log",
    ),
    History(
        name="a file of the template that the owner ignores is left out, and told",
        old={**BESIDE},
        new={**CHANGED_BESIDE, "notes.log": text("theirs\n")},
        edits=(Write(path=".gitignore", content=b"*.log\n"),),
        expected={**CHANGED_BESIDE, ".gitignore": text("*.log\n")},
        left_out=("notes.log",),
    ),
    History(
        name="a file that the template ignores and the owner has in git is merged",
        old={"a.log": TWENTY, ".gitignore": text("# nothing\n")},
        new={"a.log": TEMPLATES, ".gitignore": text("*.log\n")},
        edits=(Write(path="a.log", content=OWNERS.content),),
        expected={"a.log": MERGED, ".gitignore": text("*.log\n")},
    ),
    History(
        name="an empty file comes, goes and is filled",
        old={"src/__init__.py": text(""), "gone": text(""), **BESIDE},
        new={"src/__init__.py": text("filled\n"), "added": text(""), **BESIDE},
        expected={"src/__init__.py": text("filled\n"), "added": text(""), **BESIDE},
    ),
    History(
        name="a file without a last line break stays without",
        old={"a.py": text(numbered(20).rstrip("\n"))},
        new={"a.py": text(numbered(20, {9: "line 9 of the template"}).rstrip("\n"))},
        edits=(Write(path="a.py", content=numbered(20, {2: FIRST}).rstrip("\n").encode()),),
        expected={"a.py": text(numbered(20, {2: FIRST, 9: "line 9 of the template"}).rstrip("\n"))},
    ),
    History(
        name="changes of white space are changes",
        old={"a.py": TWENTY},
        new={"a.py": text(numbered(20, {19: "    line 19"}))},
        edits=(Write(path="a.py", content=numbered(20, {2: "line 2  "}).encode()),),
        expected={"a.py": text(numbered(20, {2: "line 2  ", 19: "    line 19"}))},
    ),
    History(
        name="a file becomes a folder",
        old={"config": TWENTY, **BESIDE},
        new={"config/base.yaml": text("base\n"), "config/prod.yaml": text("prod\n"), **BESIDE},
        expected={"config/base.yaml": text("base\n"), "config/prod.yaml": text("prod\n"), **BESIDE},
    ),
    History(
        name="a folder becomes a file",
        old={"config/base.yaml": text("base\n"), "config/deep/prod.yaml": text("prod\n"), **BESIDE},
        new={"config": text("one file\n"), **BESIDE},
        expected={"config": text("one file\n"), **BESIDE},
    ),
    History(
        name="a folder with the owner's own file cannot become a file without a conflict",
        old={"config/base.yaml": text("base\n"), **BESIDE},
        new={"config": text("one file\n"), **BESIDE},
        edits=(Write(path="config/own.yaml", content=b"own\n"),),
        expected={"config/own.yaml": text("own\n"), "config~model-2.0.0": text("one file\n"), **BESIDE},
        conflicts={"config~model-2.0.0": "file/directory"},
    ),
    History(
        name="a large file is merged line by line",
        old={"big.csv": text(numbered(100_000))},
        new={"big.csv": text(numbered(100_000, {99_000: LAST}))},
        edits=(Write(path="big.csv", content=numbered(100_000, {10: FIRST}).encode()),),
        expected={"big.csv": text(numbered(100_000, {10: FIRST, 99_000: LAST}))},
    ),
    History(
        name="a file that the template adds to a folder that the owner deleted comes back alone",
        old={**CODE, **BESIDE},
        new={**CODE, **BESIDE, "src/new.py": text("new\n")},
        edits=(Delete(path="src"),),
        expected={**BESIDE, "src/new.py": text("new\n")},
    ),
    History(
        name="a merge that the owner's attributes ask for is made",
        old={"CHANGELOG.md": text("# Changes\n")},
        new={"CHANGELOG.md": text("# Changes\n- of the template\n")},
        edits=(
            Write(path=".gitattributes", content=b"CHANGELOG.md merge=union\n"),
            Write(path="CHANGELOG.md", content=b"# Changes\n- of the owner\n"),
        ),
        expected={
            "CHANGELOG.md": text("# Changes\n- of the owner\n- of the template\n"),
            ".gitattributes": text("CHANGELOG.md merge=union\n"),
        },
    ),
    History(
        name="a file that the owner edited and the template renamed keeps the edit",
        old={"a.py": TWENTY, **BESIDE},
        new={"src/b.py": TEMPLATES, **BESIDE},
        edits=(OWNERS,),
        expected={"src/b.py": MERGED, **BESIDE},
    ),
    History(
        name="a conflict in a renamed file names both paths",
        old={"a.py": TWENTY, **BESIDE},
        new={"b.py": text(numbered(20, {2: "line 2 of the template"})), **BESIDE},
        edits=(OWNERS,),
        expected={
            "b.py": text(
                numbered(
                    20,
                    {
                        2: marked(
                            f"{FIRST}\n", "line 2 of the template\n", path="a.py", new_path="b.py"
                        ).rstrip("\n")
                    },
                )
            ),
            **BESIDE,
        },
        conflicts={"b.py": "contents"},
    ),
)


def git(folder: Path, *arguments: str) -> str:
    """Run git; the callers' environment says whose configuration holds."""
    settings = ("-c", "protocol.file.allow=always", "-c", "core.safecrlf=false")
    done = subprocess.run(
        ("git", *settings, *arguments),
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    return done.stdout


def build(history: History, folder: Path) -> Path:
    """Make the project of a history in an empty folder, all committed; the project's folder."""
    project = _place(history, folder)
    _write(project, history.old)
    _commit(project, "As the template was")
    untracked = []
    for edit in history.edits:
        if isinstance(edit, Untracked):
            untracked.append(edit)
        else:
            _edit(project, edit, folder)
    _commit(project, "The owner's work")
    for edit in untracked:
        _put(project / edit.path, File(content=edit.content))
    return project


def _place(history: History, folder: Path) -> Path:
    repository = folder / "repository"
    _initialise(repository, history.settings)
    if history.place == "nested":
        _write(repository, {"other/a.py": text("another project\n"), "a.py": text("of the repository\n")})
        _commit(repository, "What else is in the repository")
        return repository / "services" / "churn"
    if history.place == "worktree":
        _write(repository, {"main.txt": text("on the main branch\n")})
        _commit(repository, "Main")
        git(repository, "worktree", "add", "-q", "--detach", str(folder / "linked"))
        git(folder / "linked", "rm", "-q", "-r", ".")
        return folder / "linked"
    if history.place == "submodule":
        outer = folder / "outer"
        _write(repository, {"start.txt": text("start\n")})
        _commit(repository, "Start")
        _initialise(outer, {})
        git(outer, "submodule", "add", "-q", str(repository), "parts/churn")
        _commit(outer, "With the project")
        git(outer / "parts" / "churn", "rm", "-q", "-r", ".")
        return outer / "parts" / "churn"
    return repository


def _initialise(repository: Path, settings: Mapping[str, str]) -> None:
    repository.mkdir(parents=True)
    git(repository, "init", "-q", "-b", "main")
    for name, value in settings.items():
        git(repository, "config", name, value)


def _commit(project: Path, message: str) -> None:
    git(project, "add", "--all", ".")
    git(project, "commit", "-q", "--allow-empty", "-m", message)


def _write(folder: Path, files: Mapping[str, File]) -> None:
    for path, file in files.items():
        _put(folder / path, file)


def _put(path: Path, file: File) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file.content)
    if file.executable:
        path.chmod(0o755)


def _edit(project: Path, edit: Edit, folder: Path) -> None:
    match edit:
        case Write() | Untracked():
            (project / edit.path).parent.mkdir(parents=True, exist_ok=True)
            (project / edit.path).write_bytes(edit.content)
        case Move():
            (project / edit.to).parent.mkdir(parents=True, exist_ok=True)
            git(project, "mv", edit.path, edit.to)
        case Delete():
            git(project, "rm", "-q", "-r", edit.path)
        case Mode():
            (project / edit.path).chmod(0o755 if edit.executable else 0o644)
        case Link():
            (project / edit.path).symlink_to(edit.to)
        case Submodule():
            library = folder / "library"
            _initialise(library, {})
            _write(library, {"code.txt": text("code\n")})
            _commit(library, "Code")
            git(project, "submodule", "add", "-q", str(library), edit.path)


def read_tree(project: Path) -> dict[str, File | Link]:
    """All files and links of a project, without git's own and without the list of submodules."""
    found: dict[str, File | Link] = {}
    for folder, folders, names in os.walk(project):
        for name in [*names, *(each for each in folders if Path(folder, each).is_symlink())]:
            path = Path(folder, name)
            shown = path.relative_to(project).as_posix()
            if path.is_symlink():
                found[shown] = Link(to=str(path.readlink()))
            elif name not in {".git", ".gitmodules"}:
                executable = bool(path.stat().st_mode & 0o100)
                found[shown] = File(content=path.read_bytes(), executable=executable)
        if ".git" in folders:
            folders.remove(".git")
    return found
