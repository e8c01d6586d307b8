"""A package that is imported afresh, with another tree for some of its modules, and put back as it was.

May not write a file.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

__all__ = ["fresh", "sources_of"]


def sources_of(package: str) -> dict[str, str]:
    """Read the source of each module of a package, by the module's name."""
    spec = PathFinder.find_spec(package, [str(Path(_home(package)).parent)])
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(next(iter(spec.submodule_search_locations)))
    found = {}
    for file in sorted(folder.rglob("*.py")):
        parts = file.relative_to(folder).with_suffix("").parts
        name = ".".join((package, *(part for part in parts if part != "__init__")))
        found[name] = file.read_text(encoding="utf-8")
    return found


def _home(package: str) -> str:
    parent, _, name = package.rpartition(".")
    __import__(parent)
    return str(Path(next(iter(sys.modules[parent].__path__))) / name)


class _Loader(Loader):
    def __init__(self, tree: ast.Module, file: str, names: Mapping[str, object]) -> None:
        self._tree = tree
        self._file = file
        self._names = names

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        del spec
        return None

    def exec_module(self, module: ModuleType) -> None:
        vars(module).update(self._names)
        exec(compile(self._tree, self._file, "exec"), vars(module))  # noqa: S102 - our own source, mistyped


class _Finder(MetaPathFinder):
    def __init__(self, trees: Mapping[str, ast.Module], names: Mapping[str, object]) -> None:
        self._trees = trees
        self._names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._trees:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin:
            spec.loader = _Loader(self._trees[fullname], spec.origin, self._names)
        return spec


@contextmanager
def fresh(
    packages: Sequence[str], trees: Mapping[str, ast.Module], names: Mapping[str, Callable[..., object]]
) -> Iterator[None]:
    """Import some packages anew for a while; ``names`` are put into each module that has another tree."""
    below = tuple(f"{package}." for package in packages)
    before = {name: it for name, it in sys.modules.items() if name in packages or name.startswith(below)}
    finder = _Finder(trees, names)
    for name in before:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name in packages or name.startswith(below)]:
            del sys.modules[name]
        sys.modules.update(before)
        for name, it in before.items():
            parent, _, child = name.rpartition(".")
            if parent in sys.modules:
                setattr(sys.modules[parent], child, it)
