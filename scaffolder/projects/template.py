"""Finds the built-in templates: in a wheel below this package, in a checkout beside it.

May not render or change a template.
"""

from __future__ import annotations

from pathlib import Path

from scaffolder.errors import TemplateError

__all__ = ["CONTEXT", "built_in", "built_in_names"]

PACKAGE = Path(__file__).resolve().parents[1]
PLACES = (PACKAGE / "_templates", PACKAGE.parent / "templates")
CONTEXT = "cookiecutter.json"


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
    raise TemplateError(
        f'there is no built-in template "{name}"; there is {", ".join(built_in_names()) or "none"}'
    )
