"""Projects in real git repositories, of an owner whose own configuration of git is this file's."""

from __future__ import annotations

from pathlib import Path

import pytest

CONFIGURATION = """\
[user]
	name = An Owner
	email = owner@example.com
[init]
	defaultBranch = main
"""


@pytest.fixture(autouse=True)
def _owner(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the developer's own configuration of git out, and have an author for commits."""
    home = tmp_path_factory.mktemp("home")
    (home / ".gitconfig").write_text(CONFIGURATION, encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return home
