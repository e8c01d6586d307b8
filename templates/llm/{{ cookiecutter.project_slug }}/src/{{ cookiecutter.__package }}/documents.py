"""Reads documents (Markdown, text, HTML{% if cookiecutter.pdf %}, PDF{% endif %}) into sections with stable names. May not cut them into passages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

__all__ = ["SUFFIXES", "Document", "DocumentError", "Section", "read_document", "read_folder"]

MOST_BYTES = 20 * 1024 * 1024
"""The largest file that is read; more is refused by name, not cut."""


class DocumentError(Exception):
    """A file that cannot be read as a document; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what is below it; ``anchor`` is unique in its document."""

    anchor: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """A file's sections, in their order; ``id`` is its path below the folder, with slashes."""

    id: str
    title: str
    sections: tuple[Section, ...]


def read_folder(folder: Path) -> list[Document]:
    """Read every document below a folder, in the order of their paths. Hidden files and other kinds are left out."""
    if not folder.is_dir():
        raise DocumentError(f"the folder {folder} is not there; put documents into it, or name another one")
    found = [
        read_document(path, path.relative_to(folder).as_posix())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix.lower() in SUFFIXES and not _is_hidden(path.relative_to(folder))
    ]
    if not found:
        raise DocumentError(f"there is no document in {folder}; it may have {', '.join(sorted(SUFFIXES))}")
    return found


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def read_document(path: Path, id_: str) -> Document:
    """Read one file.

    Raises:
        DocumentError: it is too large, or not what its name says.
    """
    reader = SUFFIXES.get(path.suffix.lower())
    if reader is None:
        raise DocumentError(
            f"{id_}: {path.suffix or 'a name without an ending'} is none of {', '.join(sorted(SUFFIXES))}"
        )
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise DocumentError(f"{id_} has {size} bytes; {MOST_BYTES} are read at most. Split it.")
    parts = [(title, text) for title, text in reader(path, id_) if text.strip()]
    if not parts:
        raise DocumentError(
            f"{id_} has no text{' (a scan without a text layer?)' if path.suffix.lower() == '.pdf' else ''}"
        )
    first = next((title for title, _ in parts if title), path.stem.replace("-", " ").replace("_", " "))
    return Document(id=id_, title=first, sections=tuple(_named(parts, first)))


def _named(parts: list[tuple[str, str]], first: str) -> Iterator[Section]:
    taken: set[str] = set()
    for title, text in parts:
        base = _slug(title or first)
        anchor, number = base, 1
        while anchor in taken:
            number += 1
            anchor = f"{base}-{number}"
        taken.add(anchor)
        yield Section(anchor=anchor, title=title or first, text=text.strip())


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "section"


def _text_of(path: Path, id_: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(f"{id_} is not UTF-8 at byte {error.start}; save it as UTF-8") from error


# --- the kinds -------------------------------------------------------------------------------------------------------

_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*\s*")
_FENCE = re.compile(r"\s*(```|~~~)")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)")
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")


def _markdown(path: Path, id_: str) -> Iterator[tuple[str, str]]:
    title, lines, fenced = "", list[str](), False
    for line in _without_front_matter(_text_of(path, id_)).splitlines():
        if _FENCE.match(line):
            fenced = not fenced
            continue
        heading = None if fenced else _HEADING.fullmatch(line)
        if heading is None:
            lines.append(line if fenced else _EMPHASIS.sub(r"\2", _LINK.sub(r"\1", line)))
            continue
        yield title, "\n".join(lines)
        title, lines = heading[2], []
    yield title, "\n".join(lines)


def _without_front_matter(text: str) -> str:
    if not text.startswith("---\n"):
        return text
    end = text.find("\n---\n", 3)
    return text if end < 0 else text[end + 5 :]


def _plain(path: Path, id_: str) -> Iterator[tuple[str, str]]:
    yield "", _text_of(path, id_)


class _Page(HTMLParser):
    """The text of a page by its headings; scripts, styles and navigation are no text."""

    SKIPPED = frozenset({"script", "style", "nav", "template", "noscript", "svg", "head"})
    HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
    BLOCKS = frozenset(
        {"p", "div", "section", "article", "ul", "ol", "table", "tr", "pre", "blockquote", "br"}
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[tuple[str, list[str]]] = [("", [])]
        self._skipping = 0
        self._heading: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in self.SKIPPED:
            self._skipping += 1
        elif tag in self.HEADINGS:
            self._heading = []
        elif tag == "li":
            self.parts[-1][1].append("\n- ")
        elif tag in self.BLOCKS:
            self.parts[-1][1].append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.SKIPPED:
            self._skipping = max(0, self._skipping - 1)
        elif tag in self.HEADINGS and self._heading is not None:
            self.parts.append((" ".join("".join(self._heading).split()), []))
            self._heading = None
        elif tag in self.BLOCKS:
            self.parts[-1][1].append("\n\n")

    def handle_data(self, data: str) -> None:
        if self._skipping:
            return
        if self._heading is not None:
            self._heading.append(data)
        else:
            self.parts[-1][1].append(re.sub(r"\s+", " ", data))


def _html(path: Path, id_: str) -> Iterator[tuple[str, str]]:
    page = _Page()
    page.feed(_text_of(path, id_))
    page.close()
    for title, pieces in page.parts:
        yield title, re.sub(r"\n{3,}", "\n\n", re.sub(r" *\n *", "\n", "".join(pieces)))

{% if cookiecutter.pdf %}
def _pdf(path: Path, id_: str) -> Iterator[tuple[str, str]]:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(path)
        for number, page in enumerate(reader.pages, start=1):
            yield f"Page {number}", page.extract_text()
    except PyPdfError as error:
        raise DocumentError(f"{id_} cannot be read as PDF: {error}") from error

{% endif %}
SUFFIXES: Mapping[str, Callable[[Path, str], Iterator[tuple[str, str]]]] = {
    ".htm": _html,
    ".html": _html,
    ".markdown": _markdown,
    ".md": _markdown,
{%- if cookiecutter.pdf %}
    ".pdf": _pdf,
{%- endif %}
    ".txt": _plain,
}
"""What is read, by the ending of a file's name."""
