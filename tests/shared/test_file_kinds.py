"""An uploaded file is what its content says, and only four kinds are taken: a corpus of honest and hostile ones."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
import zlib

import pytest

from clinic.shared.file_kinds import ENDINGS, MIME, MOST_PIXELS, kind_of
from tests.intake import letters
from tests.intake.letters import PDF, box, chunk, heic, jpeg, png


def zip_bomb() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * 5_000_000)
    return made.getvalue()


def png_with_broken_checksum() -> bytes:
    good = bytearray(png())
    good[20] ^= 1
    return bytes(good)


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"></svg>'
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"

HOSTILE = {
    "empty": b"",
    "one byte": b"%",
    "text": b"Dear colleague, he may be massaged.",
    "html": HTML,
    "html with a space before": b"\n  " + HTML,
    "svg": SVG,
    "svg with xml head": b'<?xml version="1.0"?>' + SVG,
    "javascript": b"alert(document.cookie)",
    "gif": b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
    "gif that is a script": b"GIF89a/*\x00*/=1;alert(1)",
    "webp": b"RIFF\x1a\x00\x00\x00WEBPVP8L",
    "tiff": b"II*\x00\x08\x00\x00\x00",
    "bmp": b"BM" + b"\x00" * 60,
    "word document": zip_bomb(),
    "zip bomb named as a picture": zip_bomb() + b"\xff\xd9",
    "gzip": b"\x1f\x8b\x08\x00" + b"\x00" * 30,
    "windows program": b"MZ" + b"\x00" * 100,
    "linux program": b"\x7fELF" + b"\x00" * 100,
    "shell script": b"#!/bin/sh\nrm -rf /\n",
    "sqlite database": b"SQLite format 3\x00" + b"\x00" * 100,
    "e-mail": b"From: a@b.example\r\nSubject: letter\r\n\r\nHello",
    "pdf head only": b"%PDF-1.4\n",
    "pdf without an end": PDF.replace(b"%%EOF", b""),
    "pdf without a table": PDF.replace(b"startxref", b""),
    "pdf after html": HTML + PDF,
    "pdf with html inside its head": PDF.replace(b"1 0 obj", HTML + b"\n1 0 obj"),
    "pdf with a program": PDF.replace(b"/Type", b"/OpenAction << /S /JavaScript >> /Type"),
    "pdf that starts a program": PDF.replace(b"/Type", b"/A << /S /Launch >> /Type"),
    "pdf with files inside": PDF.replace(b"/Type", b"/EmbeddedFiles 3 0 R /Type"),
    "pdf with a film": PDF.replace(b"/Type", b"/Subtype /RichMedia /Type"),
    "pdf of an unknown version": PDF.replace(b"%PDF-1.4", b"%PDF-9.4"),
    "jpeg head only": b"\xff\xd8\xff\xe0",
    "jpeg without a frame": b"\xff\xd8" + jpeg()[20:22] + jpeg()[33:],
    "jpeg without an end": jpeg()[:-2],
    "jpeg with a segment past its end": b"\xff\xd8\xff\xe0\xff\xff" + b"\x00" * 20,
    "jpeg with a segment of no length": b"\xff\xd8\xff\xe0\x00\x00" + b"\x00" * 20,
    "jpeg of huge dimensions": jpeg(60_000, 60_000),
    "jpeg of no height": jpeg(8, 0),
    "png head only": b"\x89PNG\r\n\x1a\n",
    "png with a broken checksum": png_with_broken_checksum(),
    "png of huge dimensions": png(100_000, 100_000),
    "png of no width": png(0, 5),
    "png without data": png().replace(chunk(b"IDAT", zlib.compress(b"\x00\x00")), b""),
    "png without an end": png()[:-12],
    "png with html after its end": png() + HTML,
    "png with a zip after its end": png() + zip_bomb(),
    "png whose first part is not its header": b"\x89PNG\r\n\x1a\n" + chunk(b"tEXt", b"a") + png()[8:],
    "png with a part past its end": png()[:8] + struct.pack(">I", 2**31) + b"IHDR" + b"\x00" * 30,
    "film": heic(b"mp42"),
    "heic without a picture": box(b"ftyp", b"heic\x00\x00\x00\x00") + box(b"meta", b"\x00" * 4),
    "heic cut off": heic()[:-3],
    "heic with html after its end": heic() + HTML,
    "heic with a box of no size": box(b"ftyp", b"heic\x00\x00\x00\x00") + struct.pack(">I", 4) + b"meta",
    "heic without its name first": box(b"meta", b"\x00" * 4) + heic(),
}


def test_the_corpus_is_large() -> None:
    assert len(HOSTILE) >= 40


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_file_is_refused(content: bytes) -> None:
    assert kind_of(content) is None


@pytest.mark.parametrize("kind", letters.HONEST)
def test_honest_file_is_what_it_is(kind: str) -> None:
    assert kind_of(letters.HONEST[kind]) == kind
    assert MIME[kind] in {"application/pdf", "image/jpeg", "image/png", "image/heic"}
    assert ENDINGS[kind].isalpha()


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"])
def test_heic_of_every_brand(brand: bytes) -> None:
    assert kind_of(heic(brand)) == "heic"


@pytest.mark.parametrize("make", [png, jpeg])
def test_the_largest_picture_is_taken_and_one_line_more_is_not(make) -> None:  # type: ignore[no-untyped-def]
    assert kind_of(make(10_000, MOST_PIXELS // 10_000)) is not None
    assert kind_of(make(10_000, MOST_PIXELS // 10_000 + 1)) is None


def test_heic_whose_last_box_runs_to_the_end_and_one_with_a_long_size() -> None:
    start = box(b"ftyp", b"heic\x00\x00\x00\x00") + box(b"meta", b"\x00" * 4)
    assert kind_of(start + struct.pack(">I", 0) + b"mdat" + b"\x01" * 5) == "heic"
    long = struct.pack(">I", 1) + b"mdat" + struct.pack(">Q", 20) + b"\x01" * 4
    assert kind_of(start + long) == "heic"


def test_fill_bytes_before_a_marker_are_skipped() -> None:
    assert kind_of(jpeg().replace(b"\xff\xc0", b"\xff\xff\xff\xc0", 1)) == "jpeg"


@pytest.mark.parametrize(
    "inside",
    [
        b" /OpenAction << /S /J#61vaScript /JS (app.alert(1)) >>",
        b" /OpenAction << /S /#4a#61vaScript >>",
        b" /OpenAction << /JS (x) >>",
        b" /OpenAction << /#4AS 12 0 R >>",
        b" /Encrypt 5 0 R",
        b" /OpenAction << /S /URI /URI (https://elsewhere.example/opened) >>",
        b" /OpenAction << /S /SubmitForm /F << /FS /URL /F (https://elsewhere.example/) >> >>",
        b" /OpenAction << /S /ImportData /F (x.fdf) >>",
        b" /OpenAction << /S /GoToR /F (x.pdf) >>",
        b" /OpenAction << /S /GoToE /F (x.pdf) >>",
        b" /OpenAction 9 0 R >> endobj 9 0 obj << /S /URI /URI (https://elsewhere.example/opened)",
        b" /OpenAction 9 0 R >> endobj 9 0 obj [3 0 R /Fit] endobj 9 0 obj << /S /URI /URI (https://elsewhere.example)",
        b" /OpenAction << /X <00> /S /URI /URI (https://elsewhere.example/opened) >>",
        b" /OpenAction << /S /GoTo /D [3 0 R /Fit] /Next << /S /URI /URI (https://elsewhere.example/) >> >>",
        b" /AA << /O << /S /URI /URI (https://elsewhere.example/opened) >> >>",
        b" /OpenAction << /S /Thread /F (elsewhere.pdf) >>",
        b" /F << /FS /URL /F (https://elsewhere.example/picture) >>",
        b" /AcroForm << /XFA 9 0 R >>",
        b" /A << /S /Rendition /OP 0 >>",
        b" /Subtype /FileAttachment",
    ],
)
def test_a_program_by_another_spelling_or_an_encrypted_pdf_is_refused(inside: bytes) -> None:
    assert kind_of(letters.PDF.replace(b"/Catalog", b"/Catalog" + inside)) is None


def test_an_honest_pdf_with_xml_near_its_start_is_taken() -> None:
    facts = b"2 0 obj\n<< /Type /Metadata >>\nstream\n<?xml version='1.0'?><a/>\nendstream endobj\n1 0 obj"
    assert kind_of(letters.PDF.replace(b"1 0 obj", facts, 1)) == "pdf"
    assert kind_of(letters.PDF.replace(b"/Catalog", b"/Catalog /JSX 1")) == "pdf"


def test_a_pdf_of_nothing_but_escaped_names_takes_no_memory() -> None:
    """Undoing the escapes of one of 10 MB took 430 MB."""
    content = PDF.replace(b"/Type", b"/" + b"xx#78" * 200_000 + b" /Type", 1)
    tracemalloc.start()
    try:
        assert kind_of(content) == "pdf"
        assert tracemalloc.get_traced_memory()[1] < len(content)
    finally:
        tracemalloc.stop()


def test_a_link_in_a_pdf_is_honest() -> None:
    link = b" /Annots [<< /Subtype /Link /A << /S /URI /URI (https://doctor.example) >> >>]"
    assert kind_of(letters.PDF.replace(b"/Catalog", b"/Catalog" + link)) == "pdf"


@pytest.mark.parametrize(
    "inside",
    [
        b" /OpenAction [3 0 R /Fit]",
        b" /OpenAction << /Type /Action /S /GoTo /D [3 0 R /XYZ null null 0] >>",
        b" /OpenAction << /D [3 0 R /Fit] /S /GoTo >>",
        b" /OpenAction 9 0 R >> endobj 9 0 obj << /S /GoTo /D [3 0 R /Fit]",
        b" /OpenAction 9 0 R >> endobj 9 0 obj [3 0 R /Fit] endobj 10 0 obj <<",
        b" /OpenAction 77 0 R",
        b" /AAPL:Keywords [(letter)]",
    ],
)
def test_a_pdf_may_say_which_place_of_it_is_shown_first(inside: bytes) -> None:
    assert kind_of(letters.PDF.replace(b"/Catalog", b"/Catalog" + inside)) == "pdf"


def test_a_pdf_that_says_so_without_end_is_refused_at_once() -> None:
    often = b" /OpenAction 9 0 R" * 200_000
    assert kind_of(letters.PDF.replace(b"/Catalog", b"/Catalog" + often)) is None


@pytest.mark.parametrize(("places", "kind"), [(3, "pdf"), (4, None)])
def test_few_places_are_looked_for_in_all_of_the_file(places: int, kind: str | None) -> None:
    """Each costs a walk through all of it, in which nobody is served."""
    opened = b"".join(b" /OpenAction %d 0 R" % one for one in range(70, 70 + places))
    assert kind_of(letters.PDF.replace(b"/Catalog", b"/Catalog" + opened)) == kind


@pytest.mark.parametrize(("times", "kind"), [(20, "pdf"), (21, None)])
def test_a_place_that_is_said_again_and_again_is_looked_at_each_time(times: int, kind: str | None) -> None:
    said = b" endobj 9 0 obj [3 0 R /Fit]" * times
    opened = b" /OpenAction 9 0 R >>" + said + b" endobj 10 0 obj <<"
    assert kind_of(letters.PDF.replace(b"/Catalog", b"/Catalog" + opened)) == kind


@pytest.mark.parametrize(("names", "kind"), [(900_000, "pdf"), (1_000_001, None)])
def test_a_pdf_of_nothing_but_names_is_refused(names: int, kind: str | None) -> None:
    content = PDF.replace(b"/Type", b"/Kids [" + b"/a " * names + b"] /Type", 1)
    assert kind_of(content) == kind


def test_a_small_frame_does_not_hide_a_huge_one() -> None:
    huge, small = (
        b"\xff\xc0\x00\x11\x08" + size + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
        for size in (b"\xff\xff\xff\xff", b"\x00\x09\x00\x09")
    )
    rest = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"\x00" * 9 + b"\xff\xd9"
    assert kind_of(b"\xff\xd8" + small + rest) == "jpeg"
    assert kind_of(b"\xff\xd8" + huge + small + rest) is None
