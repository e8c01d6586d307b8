"""Write templates/versions/NAME-VERSION.tar.gz for each built-in template whose version has none yet.

A released version never changes: where an archive is there and the template's folder holds something else, this says
so and writes nothing. Give the template a new version in its template.yaml, and run it again.
"""

from __future__ import annotations

import sys
from pathlib import Path

from scaffolder.projects.released import FOLDER, archive_of, read_archive
from scaffolder.projects.template import built_in, built_in_names, read_folder, template_of
from scaffolder.projects.tree import digest_of

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"


def release(name: str) -> str:
    """Write a template's archive if there is none; what was done, or why not."""
    template = template_of(read_folder(built_in(name), name), source=f"builtin:{name}", name=name, where=name)
    path = TEMPLATES / FOLDER / f"{name}-{template.version}.tar.gz"
    if path.is_file():
        same = digest_of(read_archive(path)) == template.digest
        return (
            "" if same else f"{name} has changed since {template.version} was released: give it a new version"
        )
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(archive_of(template.files))
    sys.stdout.write(f"wrote {path.relative_to(TEMPLATES.parent)}\n")
    return ""


if __name__ == "__main__":
    refused = [why for name in sys.argv[1:] or built_in_names() if (why := release(name))]
    sys.exit("\n".join(refused))
