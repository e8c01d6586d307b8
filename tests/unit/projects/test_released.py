"""Released versions of the built-in templates never change; the script that writes them holds to that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from scaffolder.projects.released import read_archive
from scaffolder.projects.tree import digest_of
from tests.projects.published import as_tree, small_template, write

ROOT = Path(__file__).resolve().parents[3]
RELEASE = (
    "import runpy, sys, pathlib; script = runpy.run_path(sys.argv[1]); "
    "sys.exit(script['main'](pathlib.Path(sys.argv[2]), sys.argv[3:]))"
)


def release(templates: Path, *names: str) -> subprocess.CompletedProcess[str]:
    script = ROOT / "scripts" / "release_templates.py"
    return subprocess.run(
        [sys.executable, "-c", RELEASE, script, templates, *names],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_a_version_is_archived_once_and_never_written_over(tmp_path: Path) -> None:
    write(tmp_path / "small", small_template())
    archive = tmp_path / "versions" / "small-1.0.0.tar.gz"
    first = release(tmp_path)
    assert (first.returncode, first.stdout) == (0, f"wrote {archive}\n")
    assert digest_of(read_archive(archive)) == digest_of(as_tree(small_template()))
    released = archive.read_bytes()
    again = release(tmp_path)
    assert (again.returncode, again.stdout) == (0, "")

    changed = small_template(files={"README.md": "other\n"})
    write(tmp_path / "small", changed)
    refused = release(tmp_path, "small")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "small has changed since 1.0.0 was released: give it a new version\n"
    assert archive.read_bytes() == released

    write(tmp_path / "small", small_template("1.1.0"))
    assert release(tmp_path).returncode == 0
    assert [path.name for path in sorted(archive.parent.iterdir())] == [
        "small-1.0.0.tar.gz",
        "small-1.1.0.tar.gz",
    ]
    assert archive.read_bytes() == released
