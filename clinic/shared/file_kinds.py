"""What an uploaded file really is, by its content: a PDF, a JPEG, a PNG or a HEIC photo; anything else is refused.

Nothing is decoded, unpacked or rendered: the parts of the file are walked and their sizes checked, so that
neither a picture of huge dimensions nor a packed bomb can use up memory.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from itertools import islice

MIME: Mapping[str, str] = {
    "pdf": "application/pdf",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "heic": "image/heic",
}
ENDINGS: Mapping[str, str] = {"pdf": "pdf", "jpeg": "jpg", "png": "png", "heic": "heic"}

MOST_PIXELS = 100_000_000
"""More than any phone's camera takes; beyond it a viewer may run out of memory."""

_PNG = b"\x89PNG\r\n\x1a\n"
_PDF = re.compile(rb"%PDF-[12]\.\d[\r\n \t]")


def _spelt(*names: str) -> bytes:
    """A pattern of these names of a PDF, in which each letter may be written as `#` and its number."""
    letters = {char: rf"(?:{char}|#(?i:{ord(char):02x}))" for name in names for char in name}
    return "|".join("".join(letters[char] for char in name) for name in names).encode()


# Programs and files inside a PDF. They may hide in packed parts: the file is never opened on the server.
# An encrypted one cannot be looked into at all. `/JS` is short: only with what follows it in a program.
# Nothing has to be done when a page or the file is opened: of `/OpenAction` only the place that is shown is taken.
# One pattern for both ways to write a name: undoing the second in a file full of it would take 40 times its size.
_ACTS = (
    "JavaScript", "Launch", "EmbeddedFiles", "EmbeddedFile", "FileAttachment", "RichMedia", "Rendition", "Sound",
    "Movie", "XFA", "SubmitForm", "ImportData", "GoToR", "GoToE", "Encrypt", "AA", "Thread",
)  # fmt: skip
_PDF_ACTIVE = re.compile(
    rb"/(?:(?:%b)\b|(?:%b)(?:\s*[(<]|\s+\d{1,10}\s+\d{1,5}\s+R\b)|(?:%b)\s*/(?:%b)\b)"
    % (_spelt(*_ACTS), _spelt("JS"), _spelt("FS"), _spelt("URL"))
)
_OPENED = re.compile(rb"/(?:%b)\b\s*(?:(\d{1,10}\s+\d{1,5})\s+R\b|(<<)|(\[)|)" % _spelt("OpenAction"))
_SHOWN = re.compile(rb"\s*(?:\[|<<\s*(?:/Type\s*/Action\s*)?(?:/D\s*\[[^\]]{0,100}\]\s*)?/S\s*/GoTo\b)")
_AND_THEN = re.compile(rb"/(?:%b)\b" % _spelt("Next"))
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"})
_MARKUP = re.compile(rb"<\s*(?:!doctype|html|svg|script)", re.IGNORECASE)  # "<?xml" stands in honest ones
_START_BYTES = 2048
_MOST_NAMES = 1_000_000
"""Of `/` in a PDF. An honest letter has a tenth; each takes a fifth of a microsecond, while nobody is served."""
_MOST_OPENED = 20
_MOST_PLACES = 3  # of one object each, which are looked for in all of the file
_LONGEST_DEED = 500  # bytes of what a PDF does when it is opened


def kind_of(content: bytes) -> str | None:
    """`pdf`, `jpeg`, `png` or `heic`; None for everything else, and for one that is broken or holds a program."""
    for kind, is_it in (("pdf", _is_pdf), ("jpeg", _is_jpeg), ("png", _is_png), ("heic", _is_heic)):
        if is_it(content):
            return kind
    return None


def _is_pdf(content: bytes) -> bool:
    return (
        _PDF.match(content) is not None
        and b"%%EOF" in content[-_START_BYTES:]
        and b"startxref" in content[-_START_BYTES:]
        and content.count(b"/") <= _MOST_NAMES
        and _PDF_ACTIVE.search(content) is None
        and _opens_quietly(content)
        and _MARKUP.search(content[:_START_BYTES]) is None
    )


def _opens_quietly(content: bytes) -> bool:
    """Whether nothing is done when the file is opened but to show a place in it. Saved again and again it may say so a
    few times; looking for more would take long."""
    opened = list(islice(_OPENED.finditer(content), _MOST_OPENED + 1))
    places = {rb"\s+".join(one[1].split()) for one in opened if one[1]}
    if (
        len(opened) > _MOST_OPENED
        or len(places) > _MOST_PLACES
        or not all(any(one.groups()) for one in opened)
    ):
        return False
    deeds = [one.start(2) for one in opened if one[2]]
    for place in places:  # one that is not found is packed: no program is seen there, and none is run here
        said = list(islice(re.finditer(rb"\b%b\s+obj\b" % place, content), _MOST_OPENED + 1))
        if len(said) > _MOST_OPENED:
            return False
        deeds += [one.end() for one in said]
    return all(_only_shows(content[start : start + _LONGEST_DEED]) for start in deeds)


def _only_shows(content: bytes) -> bool:
    deed = content.partition(b"endobj")[0]
    return _SHOWN.match(deed) is not None and _AND_THEN.search(deed) is None


def _is_jpeg(content: bytes) -> bool:
    """Walk the segments from the start of the image to its data; a frame with honest dimensions must be there."""
    if not content.startswith(b"\xff\xd8\xff"):
        return False
    place, has_frame = 2, False
    while place + 4 <= len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        length = int.from_bytes(content[place + 2 : place + 4], "big")
        if length < 2 or place + 2 + length > len(content):
            return False
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height = int.from_bytes(content[place + 5 : place + 7], "big")
            width = int.from_bytes(content[place + 7 : place + 9], "big")
            if not _is_honest(width, height):
                return False
            has_frame = True
        if marker == 0xDA:
            return has_frame and b"\xff\xd9" in content[place + 2 + length :]
        place += 2 + length
    return False


def _is_png(content: bytes) -> bool:
    """Walk the chunks: each checksum right, the header first, picture data in it, nothing after the end."""
    if not content.startswith(_PNG):
        return False
    place = len(_PNG)
    names: list[bytes] = []
    while place + 12 <= len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        end = place + 12 + length
        if end > len(content):
            return False
        name, data = content[place + 4 : place + 8], content[place + 8 : end - 4]
        if zlib.crc32(name + data) != int.from_bytes(content[end - 4 : end], "big"):
            return False
        if not names and (name != b"IHDR" or length != 13 or not _is_honest_header(data)):
            return False
        names.append(name)
        place = end
        if name == b"IEND":
            return b"IDAT" in names and place == len(content)
    return False


def _is_honest_header(data: bytes) -> bool:
    return _is_honest(int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big"))


def _is_honest(width: int, height: int) -> bool:
    return width > 0 and height > 0 and width * height <= MOST_PIXELS


def _is_heic(content: bytes) -> bool:
    """Walk the boxes to the exact end: the right brand first, then what describes and what holds the picture."""
    place = 0
    names: list[bytes] = []
    while place + 8 <= len(content):
        size, name = int.from_bytes(content[place : place + 4], "big"), content[place + 4 : place + 8]
        if size == 1 and place + 16 <= len(content):
            size = int.from_bytes(content[place + 8 : place + 16], "big")
        elif size == 0:
            size = len(content) - place
        if size < 8 or place + size > len(content):
            return False
        if not names and (name != b"ftyp" or content[place + 8 : place + 12] not in _HEIC_BRANDS):
            return False
        names.append(name)
        place += size
    return place == len(content) and {b"meta", b"mdat"} <= set(names)
