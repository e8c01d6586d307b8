"""Gives tests an emulator of their own: `from tests.emulator.fixture import emulator` in a conftest.

May not share state between two emulators: each is a process of its own on a free loopback port.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import boto3
import pytest
from botocore.config import Config

__all__ = ["Emulator", "emulator", "running_emulator"]

ACCOUNT = "123456789012"
REGION = "eu-west-1"
_ROOT = Path(__file__).resolve().parents[2]
_READY = "emulator ready at "
_STOP_TIMEOUT_S = 10.0
_ANSWER_TIMEOUT_S = 300.0
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator, seen from a test."""

    url: str
    account: str = ACCOUNT
    region: str = REGION

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """The whole environment of a child process that takes this emulator for AWS.

        The provider needs no other setting. `HTTP_PROXY` carries the hosts that only AWS's DNS knows, such as
        `<account>.127.0.0.1`; HTTPS, and with it Terraform's registry, is left as it is. What the developer
        has set for AWS, here or in profiles, doesn't get through.
        """
        inherited = os.environ if base is None else base
        kept = {name: value for name, value in inherited.items() if not name.startswith("AWS_")}
        return kept | {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "HTTP_PROXY": self.url,
            "http_proxy": self.url,
            "NO_PROXY": "",
            "no_proxy": "",
        }

    def client(self, service: str) -> Any:
        """A boto3 client of a service; boto3 makes its methods at run time, hence no narrower type."""
        return boto3.Session(region_name=self.region).client(
            service,
            endpoint_url=self.url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(
                proxies={"http": self.url},
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"},
            ),
        )

    def operations(self) -> list[dict[str, Any]]:
        """Every call so far: service, operation, status, error."""
        operations = self._control("GET", "operations")["operations"]
        assert isinstance(operations, list)
        return operations

    def failures(self) -> list[dict[str, Any]]:
        """The calls that the emulator itself refused or failed at; a test that is whole has none."""
        return [entry for entry in self.operations() if str(entry["error"]).startswith("Emulator")]

    def forget_operations(self) -> None:
        """Start the list of calls anew."""
        self._control("DELETE", "operations")

    def reset(self) -> None:
        """Empty the account; the list of calls stays."""
        self._control("POST", "reset")

    def is_healthy(self) -> bool:
        return self._control("GET", "health") == {"status": "ok"}

    def _control(self, method: str, path: str) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.url}/_emulator/{path}", method=method)  # noqa: S310  a loopback http URL
        with _DIRECT.open(request, timeout=_ANSWER_TIMEOUT_S) as response:
            answer = json.load(response)
        assert isinstance(answer, dict)
        return answer


@contextmanager
def running_emulator(log: Path) -> Iterator[Emulator]:
    """Start an emulator, wait until it is healthy, end it at last; what it prints to stderr goes to `log`."""
    command = [sys.executable, "-m", "tests.emulator", "--port", "0"]
    with (
        log.open("wb") as stderr,
        subprocess.Popen(
            command, cwd=_ROOT, env=_server_environment(), stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            found = Emulator(_url_told_on(process.stdout, log))
            assert found.is_healthy(), log.read_text(errors="replace")
            yield found
        finally:
            _end(process)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator for the tests of one module."""
    with running_emulator(tmp_path_factory.mktemp("emulator") / "stderr.log") as found:
        yield found


def _server_environment() -> dict[str, str]:
    """The server's own environment: AWS settings of the developer must not change what it answers."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
    return kept | {"PYTHONUNBUFFERED": "1"}


def _url_told_on(stdout: IO[str], log: Path) -> str:
    line = stdout.readline()
    if not line.startswith(_READY):
        raise RuntimeError(f"the emulator did not start:\n{line}{log.read_text(errors='replace')[-2000:]}")
    return line.removeprefix(_READY).strip()


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
