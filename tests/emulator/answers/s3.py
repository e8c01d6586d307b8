"""S3: who pays for requests, and the bucket settings that moto takes for something else.

moto 5.2.5 looks for the settings that it knows in the query string, and treats the rest as a listing (GET),
a creation (PUT) or a deletion (DELETE) of the bucket itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from moto.core.utils import get_service_model

from tests.emulator.call import Call, Result, Service

__all__ = ["service"]

_OVERLOOKED_SETTINGS = frozenset(
    {
        "abac",
        "analytics",
        "annotation",
        "intelligent-tiering",
        "metadataAnnotationTable",
        "metadataConfiguration",
        "metadataInventoryTable",
        "metadataJournalTable",
        "metadataTable",
        "metrics",
        "renameObject",
        "session",
        "torrent",
    }
)


class _RequestPayment:
    def __init__(self) -> None:
        self._payers: dict[tuple[str, str], object] = {}

    def read(self, call: Call) -> Result:
        return {"Payer": self._payers.get(self._key(call), "BucketOwner")}

    def choose(self, call: Call) -> Result:
        configuration = call.parameters.get("RequestPaymentConfiguration")
        if isinstance(configuration, Mapping):
            self._payers[self._key(call)] = configuration.get("Payer")
        return {}

    @staticmethod
    def _key(call: Call) -> tuple[str, str]:
        return call.account, call.text("Bucket")


def _mistaken_operations() -> Iterator[str]:
    model = get_service_model("s3")
    for name in model.operation_names:
        if _OVERLOOKED_SETTINGS & set(model.operation_model(name).http_trait.query_args):
            yield name


def service() -> Service:
    """S3 whose owners pay."""
    payment = _RequestPayment()
    return Service(
        name="s3",
        answers={"GetBucketRequestPayment": payment.read, "PutBucketRequestPayment": payment.choose},
        mistaken=frozenset(_mistaken_operations()),
    )
