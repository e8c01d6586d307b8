"""Azure's world: the adapter, and a loopback server that holds each request to the descriptions in Azure's own packages."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from azure.core.pipeline.transport import RequestsTransport

from scaffolder.operations.azure.calls import Cloud
from scaffolder.operations.azure.provider import AzureProvider
from scaffolder.operations.port import Opening
from scaffolder.operations.values import RunState
from stacks.azure.assets import workspace_id
from stacks.azure.context import Context
from stacks.intents import Platform
from tests.operations.fakes.azure.server import Faults, certificate, serving
from tests.operations.fakes.azure.service import AUDIENCES, Azure
from tests.operations.platforms import platform_in
from tests.operations.worlds import Fault

__all__ = ["AzureWorld", "open_world"]

PROOF = "c2lnLW9mLXRoZS1sb2dz"
SIGNATURE = "sYgn4tur30ft0k3ns"
ENDED = {RunState.SUCCEEDED: "Completed", RunState.FAILED: "Failed", RunState.STOPPED: "Canceled"}


class _Token(NamedTuple):
    token: str
    expires_on: int


def _tokens() -> dict[str, str]:
    """A token for each audience, which says who its bearer is as Entra's do."""
    found = {}
    for audience in AUDIENCES.values():
        claims = {"aud": audience, "upn": "ada@example.com", "tid": "99999999-8888-4777-8666-555555555555"}
        parts = [json.dumps(part).encode() for part in ({"alg": "RS256"}, claims)]
        start = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
        found[audience] = f"{start}.{SIGNATURE}"
    return found


class _Credential:
    """A credential of azure-core's kind."""

    def __init__(self, tokens: dict[str, str]) -> None:
        self._tokens = tokens

    def get_token(self, *scopes: str, **_: Any) -> _Token:
        return _Token(self._tokens[scopes[0].removesuffix("/.default")], 4102444800)


class _Loopback(RequestsTransport):  # type: ignore[misc]  # the SDK is Any here
    """Carries what is meant for Azure to the loopback server, which is told the host that was meant."""

    def __init__(self, port: int) -> None:
        super().__init__(connection_verify=str(certificate()), use_env_settings=False)
        self._port = port

    def send(self, request: Any, **options: Any) -> Any:
        address = urlsplit(request.url)
        request.headers["Host"] = address.netloc
        request.url = address._replace(netloc=f"127.0.0.1:{self._port}").geturl()
        return super().send(request, **options)


class AzureWorld:
    """The provider, and the hands on the fake behind it."""

    def __init__(
        self, opening: Opening, cloud: Cloud, platform: Platform, azure: Azure, faults: Faults
    ) -> None:
        self.provider = AzureProvider(opening, cloud)
        self._opening, self._cloud = opening, cloud
        self.platform = platform
        self.azure = azure
        self._faults = faults
        self._context = Context(platform)

    def opened_with(self, platform: Platform) -> AzureProvider:
        """The provider for another spec over the same subscription."""
        return AzureProvider(replace(self._opening, platform=platform), self._cloud)

    def finish(self, ref: str, state: RunState = RunState.SUCCEEDED) -> None:
        self.azure.jobs.finish(f"{workspace_id(self._context)}/jobs/{ref}", ENDED[state])

    def settle(self, endpoint: str) -> None:
        name = self._context.unique_name("endpoint", endpoint)
        self.azure.resources.settle(f"{workspace_id(self._context)}/onlineEndpoints/{name}")

    def an_artifact(self) -> str:
        return "azureml://datastores/artifacts/paths/models/churn"

    def much_to_score(self) -> str:
        return self.scoring_input()  # a job of this world goes on until it is told to end

    def scoring_input(self) -> str:
        return "azureml://datastores/data/paths/scoring/2026-11-01"

    def find_drift(self, monitor: str) -> None:
        raise NotImplementedError(monitor)

    def inject(self, fault: Fault, *, times: int = 1, after: int = 0) -> None:
        self._faults.set(fault, times, after)

    def slept(self) -> float:
        return self.azure.clock.slept

    def calls(self) -> int:
        return self._faults.calls

    def secrets(self) -> tuple[str, ...]:
        return (PROOF, SIGNATURE)


@contextmanager
def open_world(folder: Path) -> Iterator[AzureWorld]:
    """Open Azure's world below a folder."""
    platform = platform_in("azure", folder)
    tokens = _tokens()
    azure, faults = Azure(platform, tokens, PROOF), Faults()
    with serving(azure.answer, faults) as port:
        cloud = Cloud(credential=lambda: _Credential(tokens), transport=lambda: _Loopback(port))
        opening = Opening(platform=platform, folder=folder, sleep=azure.clock.sleep, now=azure.clock.now)
        yield AzureWorld(opening, cloud, platform, azure, faults)
    assert azure.unknown == [], "operations that the fake does not have"
    assert azure.broken == [], "requests that Azure's descriptions do not allow"
