"""Terraform's provider protocol, version 6, answered without a cloud: plans are computed, and nothing is made.

What Terraform itself checks against the schema (unknown and missing arguments, types) is left to it. State is
Terraform's own: a refresh finds what it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import grpc
from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc as rpc

from stacks.schema.model import Mode
from tests.provider import azapi
from tests.provider.answers import Answers, with_unknowns
from tests.provider.rules import Refusal, Refusals
from tests.provider.served import Served
from tests.provider.values import Value, decoded, encoded

__all__ = ["Servicer"]


class Servicer(rpc.ProviderServicer):  # type: ignore[misc] # generated, without types
    """A provider that answers out of a schema. ``stop`` is called when Terraform has no more questions."""

    def __init__(self, served: Served, stop: Callable[[], None]) -> None:
        self._served = served
        self._stop = stop
        self._refusals = Refusals.of(served.provider)
        self._answers = Answers(served.provider, {})

    def GetMetadata(self, _request: object, _context: object) -> pb.GetMetadata.Response:  # noqa: N802
        return pb.GetMetadata.Response(
            resources=[
                pb.GetMetadata.ResourceMetadata(type_name=name) for name in self._served.names("resource")
            ],
            data_sources=[
                pb.GetMetadata.DataSourceMetadata(type_name=name) for name in self._served.names("data")
            ],
        )

    def GetProviderSchema(self, _request: object, _context: object) -> pb.GetProviderSchema.Response:  # noqa: N802
        response = pb.GetProviderSchema.Response(
            provider=self._served.message("provider", self._served.provider),
            provider_meta=pb.Schema(version=0, block=pb.Schema.Block()),
        )
        sections: tuple[tuple[Mode, Mapping[str, pb.Schema]], ...] = (
            ("resource", response.resource_schemas),
            ("data", response.data_source_schemas),
        )
        for mode, section in sections:
            for name in self._served.names(mode):
                section[name].CopyFrom(self._served.message(mode, name))
        return response

    def ValidateProviderConfig(  # noqa: N802
        self, _request: object, _context: object
    ) -> pb.ValidateProviderConfig.Response:
        return pb.ValidateProviderConfig.Response()

    def ConfigureProvider(  # noqa: N802
        self, request: pb.ConfigureProvider.Request, _context: object
    ) -> pb.ConfigureProvider.Response:
        self._answers = Answers(self._served.provider, decoded(request.config) or {})
        return pb.ConfigureProvider.Response()

    def ValidateResourceConfig(  # noqa: N802
        self, request: pb.ValidateResourceConfig.Request, _context: object
    ) -> pb.ValidateResourceConfig.Response:
        refused = self._refused("resource", request.type_name, decoded(request.config))
        return pb.ValidateResourceConfig.Response(diagnostics=_diagnostics(refused))

    def ValidateDataResourceConfig(  # noqa: N802
        self, _request: object, _context: object
    ) -> pb.ValidateDataResourceConfig.Response:
        return pb.ValidateDataResourceConfig.Response()

    def UpgradeResourceState(  # noqa: N802
        self, request: pb.UpgradeResourceState.Request, _context: object
    ) -> pb.UpgradeResourceState.Response:
        return pb.UpgradeResourceState.Response(upgraded_state=pb.DynamicValue(json=request.raw_state.json))

    def ReadResource(  # noqa: N802
        self, request: pb.ReadResource.Request, _context: object
    ) -> pb.ReadResource.Response:
        return pb.ReadResource.Response(new_state=request.current_state, private=request.private)

    def PlanResourceChange(  # noqa: N802
        self, request: pb.PlanResourceChange.Request, _context: object
    ) -> pb.PlanResourceChange.Response:
        proposed = decoded(request.proposed_new_state)
        if proposed is not None:
            proposed = with_unknowns(self._served.of("resource", request.type_name), proposed)
        return pb.PlanResourceChange.Response(planned_state=encoded(proposed), legacy_type_system=True)

    def ApplyResourceChange(  # noqa: N802
        self, request: pb.ApplyResourceChange.Request, _context: object
    ) -> pb.ApplyResourceChange.Response:
        planned = decoded(request.planned_state)
        if planned is not None:
            body = self._served.of("resource", request.type_name)
            planned = self._answers.fill("resource", request.type_name, body, planned)
        return pb.ApplyResourceChange.Response(new_state=encoded(planned), legacy_type_system=True)

    def ReadDataSource(  # noqa: N802
        self, request: pb.ReadDataSource.Request, _context: object
    ) -> pb.ReadDataSource.Response:
        body = self._served.of("data", request.type_name)
        config = with_unknowns(body, decoded(request.config) or {})
        return pb.ReadDataSource.Response(
            state=encoded(self._answers.fill("data", request.type_name, body, config))
        )

    def GetFunctions(self, _request: object, _context: object) -> pb.GetFunctions.Response:  # noqa: N802
        return pb.GetFunctions.Response()

    def StopProvider(self, _request: object, _context: grpc.ServicerContext) -> pb.StopProvider.Response:  # noqa: N802
        self._stop()
        return pb.StopProvider.Response()

    def _refused(self, mode: Mode, type_name: str, config: Mapping[str, Value]) -> Iterable[Refusal]:
        yield from self._refusals.check(type_name, self._served.of(mode, type_name), config)
        yield from azapi.check(type_name, config)


def _diagnostics(refused: Iterable[Refusal]) -> list[pb.Diagnostic]:
    return [
        pb.Diagnostic(
            severity=pb.Diagnostic.ERROR,
            summary=refusal.message,
            attribute=pb.AttributePath(
                steps=[
                    pb.AttributePath.Step(attribute_name=step)
                    if isinstance(step, str)
                    else pb.AttributePath.Step(element_key_int=step)
                    for step in refusal.steps
                ]
            ),
        )
        for refusal in refused
    ]
