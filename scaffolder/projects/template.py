"""A template that was read, and where the built-in ones are: in a wheel below this package, in a checkout beside it.

May not fetch, render or change a template.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from scaffolder.errors import TemplateError
from scaffolder.projects.manifest import CONTEXT, Context, Manifest, read_context, read_manifest
from scaffolder.projects.tree import LIMITS, File, Limits, Tree, checked_tree, digest_of, shown_path
from scaffolder.spec.nodes import nearest
from stacks.record import record

__all__ = ["CONTEXT", "Template", "built_in", "built_in_names", "read_folder", "template_of"]

PACKAGE = Path(__file__).resolve().parents[1]
PLACES = (PACKAGE / "_templates", PACKAGE.parent / "templates")


@record
class Template:
    """A template's files and what it says of itself.

    ``source`` is where it is from as the project's record spells it, ``commit`` 40 hex digits or empty, ``digest`` that
    of its files. A ``trusted`` one ships with this program: its expressions are worked out in this process.
    """

    source: str
    commit: str
    digest: str
    manifest: Manifest
    context: Context
    files: Tree
    trusted: bool

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def version(self) -> str:
        return self.manifest.version


def template_of(
    files: Mapping[str, File], *, source: str, name: str, where: str, commit: str = "", trusted: bool = False
) -> Template:
    """Read a template from its files.

    ``name`` is what a plain cookiecutter template is called, ``where`` what messages call this one.

    Raises:
        TemplateError: its paths or sizes are not safe, or it does not say rightly what it is.
    """
    tree = checked_tree(files, f"the template {where}", LIMITS, markup=True)
    return Template(
        source=source,
        commit=commit,
        digest=digest_of(tree),
        manifest=read_manifest(tree, where, name=name),
        context=read_context(tree, where),
        files=tree,
        trusted=trusted,
    )


def read_folder(folder: Path, what: str, limits: Limits = LIMITS) -> dict[str, File]:
    """Read a folder's files, without what git, Python and editors leave beside them.

    Raises:
        TemplateError: it holds a link or something else that is neither a file nor a folder, or too much.
    """
    files: dict[str, File] = {}
    total = 0
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in LEFT_BESIDE)
        for name in sorted([*names, *(each for each in folders if Path(root, each).is_symlink())]):
            path = Path(root, name)
            shown = path.relative_to(folder).as_posix()
            if path.is_symlink():
                raise TemplateError(f"{what} has a symbolic link: {shown_path(shown)}")
            if not path.is_file():
                raise TemplateError(f"{what} has {shown_path(shown)}, which is neither a file nor a folder")
            status = path.stat()
            total += status.st_size
            if len(files) >= limits.files or status.st_size > limits.file_bytes or total > limits.total_bytes:
                raise TemplateError(
                    f"{what} is too big at {shown_path(shown)}: it may have {limits.files} files, {limits.file_bytes} "
                    f"bytes in each and {limits.total_bytes} in all"
                )
            files[shown] = File(content=path.read_bytes(), executable=bool(status.st_mode & 0o100))
    return files


LEFT_BESIDE = frozenset({".git", "__pycache__", ".DS_Store", ".pytest_cache", ".mypy_cache", ".ruff_cache"})
"""pip compiles the Python files of an installed wheel, the templates' among them."""


def built_in_names() -> tuple[str, ...]:
    """The names of the built-in templates, sorted."""
    return tuple(sorted({path.parent.name for place in PLACES for path in place.glob(f"*/{CONTEXT}")}))


def built_in(name: str) -> Path:
    """The folder of a built-in template.

    Raises:
        TemplateError: there is none of that name.
    """
    for place in PLACES:
        folder = place / name
        if (folder / CONTEXT).is_file():
            return folder
    names = built_in_names()
    hint = nearest(name, names)
    raise TemplateError(
        f'there is no built-in template "{shown_path(name)}"; there is {", ".join(names) or "none"}'
        f"{f'. {hint}' if hint else ''}"
    )
