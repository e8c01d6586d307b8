"""An operation's errors say what failed, in the service's own words, and what to do; each has its exit code."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scaffolder.errors import ScaffolderError
from scaffolder.operations import errors
from scaffolder.operations.errors import OperationError, Throttled, Unsupported


def _below(kind: type[ScaffolderError]) -> Iterator[type[ScaffolderError]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


def test_every_way_to_fail_is_listed() -> None:
    made_here = {one.__name__ for one in _below(OperationError) if one.__module__ == errors.__name__}
    assert made_here | {"OperationError"} == {*errors.__all__}


def test_each_way_to_fail_has_an_exit_code_of_its_own() -> None:
    """But what is not supported: that is one way to fail, whether stacks or operations refuse it."""
    codes = [one.exit_code for one in _below(OperationError) if one is not Unsupported]
    assert len({*codes}) == len(codes)
    others = {one.exit_code for one in _below(ScaffolderError) if not issubclass(one, OperationError)}
    assert others & {OperationError.exit_code, *codes} == set()


def test_an_error_says_what_failed_in_whose_words_and_what_next() -> None:
    error = Throttled(
        "cannot list endpoints", code="ThrottlingException", text="Rate exceeded", remedy="Wait a minute."
    )
    assert str(error) == (
        "cannot list endpoints\n  the service says ThrottlingException: Rate exceeded\n  Wait a minute."
    )
    assert (error.code, error.text, error.retryable) == ("ThrottlingException", "Rate exceeded", True)


@pytest.mark.parametrize(("code", "text", "said"), [("", "", ""), ("E7", "", "E7"), ("", "no", "no")])
def test_what_the_service_does_not_say_is_left_out(code: str, text: str, said: str) -> None:
    error = OperationError("it failed", code=code, text=text)
    assert str(error) == "it failed" + (f"\n  the service says {said}" if said else "")


def test_only_what_may_pass_by_itself_is_tried_again() -> None:
    retryable = {one.__name__ for one in _below(OperationError) if getattr(one, "retryable", False)}
    assert retryable == {"Conflict", "Throttled", "TimedOut", "Unavailable"}


def test_what_is_not_supported_names_the_capability() -> None:
    error = Unsupported(
        "traffic split", "it takes one version at a time", remedy="Deploy to another endpoint."
    )
    assert error.capability == "traffic split"
    assert str(error) == "it takes one version at a time\n  Deploy to another endpoint."
