from __future__ import annotations

from pathlib import Path

import pytest

from {{ cookiecutter.__package }}.documents import DocumentError, read_document, read_folder


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_markdown_becomes_sections_by_its_headings(tmp_path: Path) -> None:
    text = "---\nowner: x\n---\n# Title\n\nFirst.\n\n## A [link](http://x) part\n\n**Bold** text.\n"
    document = read_document(written(tmp_path, "a.md", text), "a.md")
    assert document.title == "Title"
    assert [(section.anchor, section.text) for section in document.sections] == [
        ("title", "First."),
        ("a-link-http-x-part", "Bold text."),
    ]


def test_a_heading_inside_a_code_block_is_no_heading(tmp_path: Path) -> None:
    document = read_document(written(tmp_path, "a.md", "# T\n\n```\n# not one\n```\n"), "a.md")
    assert [section.text for section in document.sections] == ["# not one"]


def test_two_headings_of_the_same_words_have_different_anchors(tmp_path: Path) -> None:
    document = read_document(written(tmp_path, "a.md", "## Use\n\nOne.\n\n## Use\n\nTwo.\n"), "a.md")
    assert [section.anchor for section in document.sections] == ["use", "use-2"]


def test_html_has_no_scripts_and_keeps_lists(tmp_path: Path) -> None:
    page = "<head><title>no</title></head><h1>Head</h1><script>no()</script><p>One &amp; two.</p><ul><li>three</li></ul>"
    document = read_document(written(tmp_path, "a.html", page), "a.html")
    assert document.title == "Head"
    assert document.sections[0].text == "One & two.\n\n- three"


def test_text_is_one_section(tmp_path: Path) -> None:
    document = read_document(written(tmp_path, "on-call_notes.txt", "All is well."), "on-call_notes.txt")
    assert (document.title, document.sections[0].anchor) == ("on call notes", "on-call-notes")
{% if cookiecutter.pdf %}

def test_pdf_is_read_page_by_page(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf_of("The budget is 2000 dollars."))
    document = read_document(path, "a.pdf")
    assert document.sections[0].title == "Page 1"
    assert document.sections[0].text == "The budget is 2000 dollars."


def test_what_is_no_pdf_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"no pdf at all")
    with pytest.raises(DocumentError, match=r"a\.pdf cannot be read as PDF"):
        read_document(path, "a.pdf")


def pdf_of(text: str) -> bytes:
    """The smallest PDF with a line of text."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(body)
    return body + b"xref\n0 6\n0000000000 65535 f \n" + table + end
{% endif %}

def test_a_folder_is_read_in_the_order_of_its_paths_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.md", "a/z.txt", ".git/x.md", "image.png"):
        written(tmp_path, name, "Text.")
    assert [document.id for document in read_folder(tmp_path)] == ["a/z.txt", "b.md"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.md", b"\xff\xfe", "a.md is not UTF-8 at byte 0; save it as UTF-8"),
        ("a.txt", b"  \n", "a.txt has no text"),
        ("a.docx", b"x", "a.docx: .docx is none of "),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DocumentError) as caught:
        read_document(tmp_path / name, name)
    assert str(caught.value).startswith(says)


def test_an_empty_folder_says_what_it_may_have(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"there is no document in .*; it may have \.htm, "):
        read_folder(tmp_path)
