"""The file that holds a provider's schema, and how one type is read from it without the others.

A pack is a magic line, a line of JSON (where it came from, and the sizes of what follows), a deflated JSON
index (mode, name, size, in the order of the records), a deflated preset dictionary, and one deflated record
a type. May not know what a record means.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterable, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from pathlib import Path

    from stacks.schema.model import Mode, Records

__all__ = ["Pack", "packed"]

_MAGIC = b"terraform-schema-pack 1\n"
_WINDOW_BYTES = 32 * 1024
"""How far back deflate can refer (RFC 1951), so the longest useful dictionary."""
_SAMPLE_BYTES = range(300, 1500)
"""Records that go into the dictionary: this range gave the smallest aws pack (measured 2026-11)."""


class Pack:
    """An opened pack: the index is in memory, records stay in the file until they are asked for.

    ``exact`` is False where ``origin`` lacks how often a block may stand.
    """

    __slots__ = ("_dictionary", "_path", "_places", "date", "exact", "origin", "source", "version")

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            if file.readline() != _MAGIC:
                raise ValueError(f"{path} is not a schema pack")
            header = json.loads(file.readline())
            index = json.loads(_inflate(file.read(header["index_bytes"])))
            self._dictionary = _inflate(file.read(header["dictionary_bytes"]))
            start = file.tell()
        self._places: dict[Mode, dict[str, tuple[int, int]]] = {}
        for mode, sizes in index.items():
            starts = list(accumulate(sizes.values(), initial=start))
            self._places[mode] = dict(zip(sizes, zip(starts, sizes.values(), strict=False), strict=True))
            start = starts[-1]
        self.source: str = header["source"]
        self.version: str = header["version"]
        self.origin: str = header["origin"]
        self.date: str = header["date"]
        self.exact: bool = header["exact"]

    def names(self, mode: Mode) -> Collection[str]:
        """The names of all types of a mode, sorted."""
        return self._places.get(mode, {}).keys()

    def records(self, mode: Mode, name: str) -> Records | None:
        """Read the block bodies of one type; None where the pack lacks it."""
        place = self._places.get(mode, {}).get(name)
        if place is None:
            return None
        start, size = place
        with self._path.open("rb") as file:
            file.seek(start)
            raw = _inflate(file.read(size), self._dictionary)
        return cast("Records", json.loads(raw))


def packed(header: Mapping[str, str | bool], types: Mapping[Mode, Mapping[str, Records]]) -> bytes:
    """Make the bytes of a pack: the same bytes for the same types."""
    dictionary = _dictionary(records for of_mode in types.values() for records in of_mode.values())
    chunks = {
        mode: {name: _deflate(_json(records), dictionary) for name, records in sorted(of_mode.items())}
        for mode, of_mode in sorted(types.items())
    }
    sizes = {mode: {name: len(chunk) for name, chunk in of_mode.items()} for mode, of_mode in chunks.items()}
    index, packed_dictionary = _deflate(_json(sizes)), _deflate(dictionary)
    lengths = {"index_bytes": len(index), "dictionary_bytes": len(packed_dictionary)}
    head = json.dumps({**header, **lengths}, sort_keys=True).encode() + b"\n"
    records = (chunk for of_mode in chunks.values() for chunk in of_mode.values())
    return b"".join([_MAGIC, head, index, packed_dictionary, *records])


def _dictionary(types: Iterable[Records]) -> bytes:
    """Join whole records of a middling size, the longest last: deflate finds what comes last cheapest."""
    texts = (_json(records) for records in types)
    samples = sorted({(len(text), text) for text in texts if len(text) in _SAMPLE_BYTES})
    return b"".join(text for _, text in samples)[-_WINDOW_BYTES:]


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _deflate(data: bytes, dictionary: bytes = b"") -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zdict=dictionary)
    return compressor.compress(data) + compressor.flush()


def _inflate(data: bytes, dictionary: bytes = b"") -> bytes:
    return zlib.decompressobj(-zlib.MAX_WBITS, zdict=dictionary).decompress(data)
