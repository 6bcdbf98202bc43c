"""Letters for tests: small honest files of each kind, and statements as staff would record them."""

from __future__ import annotations

import datetime as dt
import struct
import zlib
from io import BytesIO
from typing import Any

from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import TestResponse, encode_multipart

from clinic.accounts.models import User
from clinic.intake.services import clearances
from clinic.intake.services import letters as sending
from clinic.intake.services.clearances import Statement
from clinic.rules.permissions import Role
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW

PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\nstartxref\n9\n%%EOF\n"


def chunk(name: bytes, data: bytes) -> bytes:
    """One chunk of a PNG, with its checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int = 1, height: int = 1) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"\x00\x00"))
    return b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b"")


def jpeg(width: int = 8, height: int = 8) -> bytes:
    app = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    frame = b"\xff\xc0\x00\x0b\x08" + struct.pack(">HH", height, width) + b"\x01\x01\x11\x00"
    return b"\xff\xd8" + app + frame + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x12\x34\xff\xd9"


def box(name: bytes, data: bytes) -> bytes:
    """One box of a HEIC file."""
    return struct.pack(">I", len(data) + 8) + name + data


def heic(brand: bytes = b"heic") -> bytes:
    return (
        box(b"ftyp", brand + b"\x00\x00\x00\x00mif1") + box(b"meta", b"\x00" * 12) + box(b"mdat", b"\x01" * 9)
    )


HONEST = {"pdf": PDF, "png": png(), "jpeg": jpeg(), "heic": heic()}

HEART = {"worsening": False}
"""Heart failure, not getting worse: Swedish and relaxation at clearance, suction and deep work blocked."""


def reviewer(**values: Any) -> int:
    """The account of somebody with clinical review."""
    user: User = factories.make_user(
        **{"email": "review@clinic.example", "roles": [Role.THERAPIST], **values}
    )
    return user.id


def statement(*conditions: str, **values: Any) -> Statement:
    """What stands in a letter of today by a physician for gentle work."""
    given: dict[str, Any] = {
        "conditions": conditions or ("heart_failure",),
        "services": ("swedish", "relaxation"),
        "role": "physician",
        "clinician": "Dr Sam Gray",
        "register_number": "NY 12345",
        "contact": "(212) 555-0188",
        "issued_on": w.TODAY,
        "how": "Called the practice, spoke with Ms Hall.",
        **values,
    }
    return Statement(**given)


def upload(browser: FlaskClient, address: str, *files: tuple[bytes, str]) -> TestResponse:
    """Choose these files (content and name) on a page and press the button."""
    pages = [FileStorage(BytesIO(content), filename=name) for content, name in files]
    boundary, body = encode_multipart(MultiDict(("pages", one) for one in pages))
    return browser.post(address, data=body, content_type=f"multipart/form-data; boundary={boundary}")


def send(client_id: int, *, source: str = "client", now: dt.datetime = NOW) -> int:
    """A letter of one page that waits."""
    return sending.send_letter(client_id, [PDF], source=source, by=None, now=now)


def verify(client_id: int, by: int, *conditions: str, now: dt.datetime = NOW, **values: Any) -> list[int]:
    """A letter sent and verified; the ids of its clearances."""
    day = now.astimezone(dt.timezone(dt.timedelta(hours=-4))).date()
    said = statement(*conditions, **{"issued_on": day, **values})
    return clearances.verify_letter(send(client_id, now=now), said, by=by, now=now, today=day)
