"""What a test of a generated project reads of it, by its imports and by the names in its texts. May not run it.

Two projects of which a test reads the same need that test once.
"""

from __future__ import annotations

import ast
import hashlib
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import PurePosixPath

__all__ = ["digest", "own_tests", "read_by", "settings"]

WORD = re.compile(r"[\w./-]*\w")
TEST = re.compile(r"tests/(?!terraform/)(?:\w+/)*test_\w+\.py")
"""A project's own tests; those below tests/terraform plan stacks by Terraform, and have tests of their own here."""
ALWAYS = re.compile(r"tests/(?:conftest|__init__)\.py|src/(?!.*\.py$).+")
"""What every test reads: the fixtures, and what lies beside the code."""
Files = Mapping[str, bytes]


def own_tests(files: Files) -> list[str]:
    """A project's own files of tests, by path."""
    return sorted(path for path in files if TEST.fullmatch(path))


def read_by(test: str, files: Files) -> frozenset[str]:
    """The files that a file of tests reads: those that it imports, names or lists, and those that they do in turn.

    Rather too many than too few: a name that happens to be a word of a text counts.
    """
    called = _called(files)
    todo = [test, *(path for path in files if ALWAYS.fullmatch(path))]
    found: set[str] = set()
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += [other for word in _words(path, files[path]) for other in called.get(word, ())]
    return frozenset(found)


def settings(files: Files, *tools: str) -> bytes:
    """What pyproject.toml and files of their own set for some tools."""
    project = tomllib.loads(files["pyproject.toml"].decode()) if "pyproject.toml" in files else {}
    said = {tool: project.get("tool", {}).get(tool) for tool in tools}
    return repr(said).encode() + b"".join(files.get(f"{tool}.ini", b"") for tool in tools)


def digest(files: Files, paths: Sequence[str], *more: bytes) -> str:
    """One word for the content of some files, and of what else counts."""
    parts = [part for path in sorted(paths) for part in (path.encode(), files[path])]
    return hashlib.sha256(repr([parts, more]).encode()).hexdigest()


def _called(files: Files) -> Mapping[str, Sequence[str]]:
    """What files may be called: by a path's end; as a module, with a dot before; by a folder that holds no code."""
    called: dict[str, list[str]] = defaultdict(list)
    code = {"src", *(str(PurePosixPath(path).parent) for path in files if path.endswith("__init__.py"))}
    for path in files:
        if TEST.fullmatch(path):
            continue
        parts = PurePosixPath(path).parts
        for start in range(len(parts)):
            called["/".join(parts[start:])].append(path)
        if path.endswith(".py"):
            module = parts[-2] if parts[-1] == "__init__.py" else PurePosixPath(path).stem
            called[f".{module}"].append(path)
        for count in range(1, len(parts) if parts[-1] != "README.md" else 0):
            if "/".join(parts[:count]) not in code:
                called[parts[count - 1]].append(path)
    return called


@cache
def _words(path: str, content: bytes) -> frozenset[str]:
    return frozenset(_named(path, content) if path.endswith(".py") else ())


def _named(path: str, content: bytes) -> Iterator[str]:
    """The names in code: in what it imports and in its texts, but not in what explains it.

    A test starts modules and lists folders by a plain word. In other code that is a word like any other, and a module
    is started as `package.module`.
    """
    tree = ast.parse(content)
    explains = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f".{part}" for name in node.names for part in name.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            yield from (f".{part}" for part in (node.module or "").split("."))
            yield from (f".{name.name}" for name in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in explains:
            for word in WORD.findall(node.value):
                if path.startswith("tests/"):
                    yield from (word, f".{word}")
                elif "." in word or "/" in word:
                    yield word
                yield from (f".{part}" for part in word.split(".")[1:])
