"""Write templates/versions/NAME-VERSION.tar.gz for each built-in template whose version has none yet.

A released version never changes: where an archive is there and the template's folder holds something else, this says
so and writes nothing. Give the template a new version in its template.yaml, and run it again.
"""

from __future__ import annotations

import sys
from pathlib import Path

from scaffolder.projects.released import FOLDER, archive_of, read_archive
from scaffolder.projects.template import CONTEXT, read_folder, template_of
from scaffolder.projects.tree import digest_of

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"


def release(folder: Path) -> str:
    """Write the archive of a template's folder if there is none; why not, where the two differ."""
    name = folder.name
    template = template_of(read_folder(folder, name), source=f"builtin:{name}", name=name, where=name)
    path = folder.parent / FOLDER / f"{name}-{template.version}.tar.gz"
    if path.is_file():
        same = digest_of(read_archive(path)) == template.digest
        return (
            "" if same else f"{name} has changed since {template.version} was released: give it a new version"
        )
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(archive_of(template.files))
    temporary.replace(path)
    print(f"wrote {path}")
    return ""


def main(templates: Path, names: list[str]) -> int:
    """Release the named templates of a folder, or all of them."""
    folders = [templates / name for name in names] or sorted(
        path.parent for path in templates.glob(f"*/{CONTEXT}")
    )
    refused = [why for folder in folders if (why := release(folder))]
    if refused:
        print("\n".join(refused), file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(TEMPLATES, sys.argv[1:]))
