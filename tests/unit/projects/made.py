"""Templates of a few lines for tests, and what cookiecutter itself makes of them. May not judge either."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from cookiecutter.main import cookiecutter  # here, since it opens a socket when it is imported

from scaffolder.projects.template import Template, template_of
from scaffolder.projects.tree import File, Tree

__all__ = ["ROOT", "Content", "by_cookiecutter", "files_of", "made", "manifest_of", "on_disk"]

ROOT = "{{ cookiecutter.project_slug }}"

Content = str | bytes | File


def _file(content: Content) -> File:
    if isinstance(content, File):
        return content
    return File(content=content if isinstance(content, bytes) else content.encode())


def files_of(
    context: Mapping[str, object], inside: Mapping[str, Content], root: str = ROOT
) -> dict[str, File]:
    """A template's files; those whose path begins with ``/`` are beside its project's folder."""
    files = {"cookiecutter.json": _file(json.dumps(context))}
    for path, content in inside.items():
        files[path[1:] if path.startswith("/") else f"{root}/{path}"] = _file(content)
    return files


def made(
    context: Mapping[str, object],
    inside: Mapping[str, Content],
    *,
    manifest: str = "",
    root: str = ROOT,
    name: str = "small",
    trusted: bool = False,
) -> Template:
    """A template of these files, as any stranger's."""
    files = files_of({"project_slug": "churn", **context}, inside, root)
    if manifest:
        files["template.yaml"] = _file(manifest)
    return template_of(files, source=f"./{name}", name=name, where=name, trusted=trusted)


def manifest_of(rest: str, *, name: str = "small", version: str = "1.0.0") -> str:
    """A manifest's head, and what a test is about."""
    return f"template: 1\nname: {name}\nversion: {version}\ntitle: A small one\n{rest}"


def on_disk(template: Template, folder: Path) -> Path:
    """Write a template's files, as cookiecutter wants them."""
    for path, file in template.files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.content)
        place.chmod(0o755 if file.executable else 0o644)
    return folder


def by_cookiecutter(
    template: Template, scratch: Path, extra: Mapping[str, object] | None = None, *, hooks: bool = False
) -> Tree:
    """What plain cookiecutter makes of a template without a question; its settings are in the scratch folder."""
    source, output = on_disk(template, scratch / "template"), scratch / "output"
    output.mkdir(parents=True)
    settings = scratch / "settings.yaml"
    settings.write_text(
        json.dumps({"replay_dir": f"{scratch / 'replay'}", "cookiecutters_dir": f"{scratch}"})
    )
    project = Path(
        cookiecutter(
            str(source),
            no_input=True,
            extra_context=dict(extra or {}),
            output_dir=str(output),
            config_file=str(settings),
            accept_hooks=hooks,
        )
    )
    return {
        path.relative_to(project).as_posix(): File(
            content=path.read_bytes(), executable=bool(path.stat().st_mode & 0o100)
        )
        for path in sorted(project.rglob("*"))
        if path.is_file()
    }
