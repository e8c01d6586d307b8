"""Templates that want out, through the command that a person types: none runs, reads or writes anything of the machine.

Plain cookiecutter does what some of them want: that shows that they are no straw men.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

import pytest

from scaffolder.errors import TemplateError
from scaffolder.projects.manifest import RECORD
from scaffolder.projects.repositories import remote
from scaffolder.projects.sources import open_template, parse_source
from tests.projects.hostile import BOMBS, CASES, OUTSIDE, SECRET, STOPPED, Case
from tests.projects.published import Published, small_template, write

pytestmark = [pytest.mark.cli, pytest.mark.slow]

REFUSALS = (2, 6, 64)
STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
OUR_COLOURS = re.compile(r"\x1b\[(?:0|1|31|33)(?:;1)?m")
"""What findings are written with; no template's text is of these."""
LONGEST_S = 90


@dataclass(frozen=True, slots=True)
class Said:
    """How a run ended, and what the terminal got."""

    code: int
    text: str


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # Linux says so when the last writer has gone
        return b""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A template in a folder, and a folder beside it that nobody may touch."""

    root: Path
    case: Case

    @property
    def box(self) -> Path:
        return self.root / "box"

    @property
    def outside(self) -> Path:
        return self.root / "outside"

    def make(self) -> None:
        self.outside.mkdir()
        (self.outside / "secret").write_text(SECRET)
        template = {self._placed(path): self._text(text) for path, text in self.case.all_files().items()}
        write(self.box / "hostile", template)
        for path, target in self.case.links.items():
            link = self.box / "hostile" / path
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(self._placed(target))

    def _placed(self, text: str) -> str:
        return text.replace(OUTSIDE, str(self.outside))

    def _text(self, text: str | bytes) -> str | bytes:
        return self._placed(text) if isinstance(text, str) else text

    def run(self, *command: str | Path) -> Said:
        """Run at a terminal: what is written to a pipe is made harmless by whoever prints it."""
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [*command, *map(self._placed, self.case.answers)],
            cwd=self.box,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.root / "home"),
                "LC_ALL": "C.UTF-8",
                "TERM": "xterm",
                "COLUMNS": "500",
            },
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
        ) as process:
            os.close(theirs)
            patience = Timer(LONGEST_S, process.kill)
            patience.start()
            said = b"".join(iter(lambda: _read(ours), b""))
            code = process.wait()
            patience.cancel()
            os.close(ours)
        return Said(code, said.decode("utf-8", "surrogateescape").replace("\r\n", "\n"))

    def made(self) -> dict[str, str]:
        """What is in the box beside the template."""
        return {
            path.relative_to(self.box).as_posix(): path.read_text(encoding="utf-8", errors="replace")
            for path in sorted(self.box.rglob("*"))
            if path.is_file() and path.relative_to(self.box).parts[0] != "hostile"
        }

    def escaped(self) -> list[str]:
        """What is anywhere else: nothing but the secret, as it was."""
        found = [
            path.relative_to(self.root).as_posix()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and not path.is_relative_to(self.box)
        ]
        assert (self.outside / "secret").read_text() == SECRET
        return [path for path in found if path != "outside/secret"]


@pytest.fixture
def sandbox(tmp_path: Path, request: pytest.FixtureRequest) -> Sandbox:
    (tmp_path / "home").mkdir()
    made = Sandbox(tmp_path, request.param)
    made.make()
    return made


def all_of(cases: tuple[Case, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("sandbox", cases, ids=[case.name for case in cases], indirect=True)


def hold_harmless(sandbox: Sandbox, done: Said) -> None:
    """Whatever was said, nothing ran, nothing was read that is none of a template's, and no terminal is steered."""
    said = done.text
    assert sandbox.escaped() == []
    assert not STEERING.search(OUR_COLOURS.sub("", said)), ascii(said)
    assert SECRET not in said
    assert "root:" not in said  # of /etc/passwd
    assert SECRET not in "".join(sandbox.made().values())


def test_there_are_enough_of_them() -> None:
    names = [case.name for case in (*CASES, *BOMBS)]
    assert len(names) == len({*names}) >= 80
    assert all(case.refused or case.rendered for case in CASES)


@all_of(CASES)
def test_none_escapes_or_runs(sandbox: Sandbox, scaffolder_cli: Path) -> None:
    case = sandbox.case
    done = sandbox.run(scaffolder_cli, "new", "./hostile", "churn", "--defaults")
    hold_harmless(sandbox, done)
    made = sandbox.made()
    if case.refused:
        assert done.code in REFUSALS, done.text
        assert case.refused in done.text
        assert made == {}
    else:
        assert done.code == 0, done.text
        made.pop(f"churn/{RECORD}")
        assert made == {f"churn/{path}": text for path, text in case.rendered.items()}


@all_of(BOMBS)
def test_none_takes_the_machine(sandbox: Sandbox, scaffolder_cli: Path) -> None:
    done = sandbox.run(scaffolder_cli, "new", "./hostile", "churn", "--defaults")
    hold_harmless(sandbox, done)
    assert done.code in REFUSALS, done.text
    assert any(told in done.text for told in STOPPED), done.text
    assert sandbox.made() == {}


@all_of(CASES)
def test_none_harms_who_looks_at_it(sandbox: Sandbox, scaffolder_cli: Path) -> None:
    """`templates check` finds what `new` refuses, but for what only some answers do; and runs nothing either."""
    sandbox = Sandbox(sandbox.root, _without_answers(sandbox.case))
    done = sandbox.run(scaffolder_cli, "templates", "check", "./hostile")
    hold_harmless(sandbox, done)
    assert done.code in {0, *REFUSALS}, done.text
    assert sandbox.made() == {}
    shown = sandbox.run(scaffolder_cli, "templates", "show", "./hostile")
    hold_harmless(sandbox, shown)
    assert shown.code in {0, *REFUSALS}, shown.text


def _without_answers(case: Case) -> Case:
    return Case(
        name=case.name, files=case.files, context=case.context, manifest=case.manifest, links=case.links
    )


@all_of(
    tuple(
        case
        for case in BOMBS
        if case.manifest or case.name in {"a number that is large", "brackets without an end"}
    )
)
def test_none_takes_the_machine_of_who_looks_at_it(sandbox: Sandbox, scaffolder_cli: Path) -> None:
    sandbox = Sandbox(sandbox.root, _without_answers(sandbox.case))
    done = sandbox.run(scaffolder_cli, "templates", "check", "./hostile")
    hold_harmless(sandbox, done)
    assert done.code in {0, *REFUSALS}, done.text


@all_of(tuple(case for case in CASES if case.executed))
def test_plain_cookiecutter_does_what_they_want(sandbox: Sandbox) -> None:
    done = sandbox.run(sys.executable, "-m", "cookiecutter", "--no-input", "--output-dir", "out", "./hostile")
    leaked = SECRET in "".join(sandbox.made().values())
    ran = [path for path in sandbox.escaped() if path.startswith("outside/")]
    assert ran or leaked, done.text


# --- trees that no folder can hold -----------------------------------------------------------------------------------

TREES = [
    ("100644", "blob", "..", "passwd"),
    ("100644", "blob", ".git", "config"),
    ("120000", "blob", "link", "/etc/passwd"),
    ("160000", "commit", "module", "1" * 40),
]


@pytest.mark.parametrize(("mode", "kind", "name", "content"), TREES, ids=[name for _, _, name, _ in TREES])
def test_no_tree_of_git_escapes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, kind: str, name: str, content: str
) -> None:
    """Made with git's own plumbing, as a hostile server would; read as a repository of somebody's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    published = Published.at(tmp_path / "hostile")
    published.commit(small_template())
    blob = content if kind == "commit" else published.git("hash-object", "-w", "--stdin", stdin=content)
    inner = published.git("mktree", "--missing", stdin=f"{mode} {kind} {blob}\t{name}\n")
    listed = published.git("ls-tree", "HEAD")
    outer = published.git("mktree", stdin=f"{listed}\n040000 tree {inner}\tx\n")
    commit = published.git("commit-tree", outer, "-m", "hostile")
    published.git("tag", "v1.0.0", commit)
    remote.cache_clear()
    with pytest.raises(TemplateError) as refused:
        open_template(parse_source(published.source))
    assert re.search(rf"x/{re.escape(name)} (is|does|has) ", str(refused.value))
