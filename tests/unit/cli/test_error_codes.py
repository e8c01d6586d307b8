"""Each way to fail has its exit code and its text; a group that fails is handed over, and nothing is patched."""

from __future__ import annotations

import errno
from collections.abc import Iterable

import click
import pytest

from scaffolder.cli.main import EXIT_CODES, main
from scaffolder.errors import (
    Finding,
    MissingExtraError,
    OutputFolderError,
    ScaffolderError,
    SpecError,
    TemplateError,
    UnsupportedError,
    UsageError,
)
from scaffolder.operations.errors import RolledBack

FINDING = Finding(
    file="p.yaml", line=3, column=7, code="name", path="name", message="is wrong", hint="Mend it."
)


def failing(error: BaseException) -> click.Group:
    """A command line whose one command fails."""

    @click.command("fail")
    @click.option("--debug", is_flag=True, expose_value=False)
    def fail() -> None:
        raise error

    return click.Group("test", commands=[fail])


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (SpecError([FINDING]), 2, "p.yaml:3:7: error[name]: is wrong\n  Mend it.\n1 error\n"),
        (OutputFolderError("not ours"), 3, "error: not ours\n"),
        (UnsupportedError("not yet"), 4, "error: not yet\n"),
        (
            MissingExtraError("cdktf", "constructs"),
            5,
            (
                "error: this needs the Python package 'constructs', which the extra 'cdktf' installs: "
                "pip install 'scaffolder[cdktf]'\n"
            ),
        ),
        (TemplateError("no template"), 6, "error: no template\n"),
        (UsageError("does not fit"), 64, "error: does not fit\n"),
        (OSError(errno.ENOSPC, "No space left", "out/x"), 74, "error: No space left: out/x\n"),
        (KeyboardInterrupt(), 130, ""),
        (click.Abort(), 130, ""),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_becomes_its_code_and_its_text(
    error: BaseException, code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fail"], failing(error)) == code
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", told)


def test_anything_else_is_called_a_bug_and_how_to_report_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fail"], failing(KeyError("gone"))) == 70
    told = capsys.readouterr().err
    assert told.startswith(
        "This is a bug in scaffolder, not in your spec: KeyError: 'gone'\nPlease report it "
    )
    assert "Traceback" not in told


def test_the_traceback_is_there_for_those_who_ask(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fail", "--debug"], failing(KeyError("gone"))) == 70
    told = capsys.readouterr().err
    assert "Traceback (most recent call last):" in told
    assert told.endswith("KeyError: 'gone'\n")


def test_every_code_of_the_error_tree_is_in_the_help() -> None:
    assert issubclass(RolledBack, ScaffolderError)  # the operations' errors are a part of the tree
    codes = [code for code, _ in EXIT_CODES]
    assert codes == sorted(set(codes))
    assert {error.exit_code for error in tree(ScaffolderError)} <= set(codes)


def tree(root: type[ScaffolderError]) -> Iterable[type[ScaffolderError]]:
    for below in root.__subclasses__():
        yield below
        yield from tree(below)
