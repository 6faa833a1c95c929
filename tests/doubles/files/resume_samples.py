"""Resume files for tests, written on the spot."""

from pathlib import Path

import docx
import pypdf

_PDF = """%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj
4 0 obj<</Length {length}>>stream
{stream}
endstream endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
trailer<</Root 1 0 R/Size 6>>
startxref
0
%%EOF
"""


def write_pdf(path: Path, text: str) -> None:
    """Writes one page; empty text makes a page that only looks like one, as a scan does."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else "72 72 200 200 re f"
    path.write_text(_PDF.format(length=len(stream), stream=stream))


def write_encrypted_pdf(path: Path, text: str) -> None:
    """Writes a page that needs a password."""
    write_pdf(path, text)
    writer = pypdf.PdfWriter(clone_from=path)
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(path)


def write_docx(path: Path, paragraph: str, *cells: str) -> None:
    """Writes a paragraph and a table of one row."""
    document = docx.Document()
    document.add_paragraph(paragraph)
    table = document.add_table(rows=1, cols=max(1, len(cells)))
    for cell, text in zip(table.rows[0].cells, cells, strict=False):
        cell.text = text
    document.save(str(path))
