"""The clinic's look: readable colours only, pictures drawn anew, both on every page, and nothing inline."""

from __future__ import annotations

import io
import os
import re
import struct
from typing import Any

import pytest
from flask import Flask
from PIL import Image, ImageCms, ImageOps
from PIL.PngImagePlugin import PngInfo
from sqlalchemy import func, select

from clinic.premises import queries, services
from clinic.premises.models import Picture
from clinic.rules.colours import Theme
from clinic.rules.errors import InvalidInput
from clinic.rules.permissions import Role
from clinic.shared import pictures
from clinic.shared.database import db
from tests import factories
from tests.accounts.people import browser_of, make_person
from tests.conftest import NOW
from tests.web import Visitor

pytestmark = pytest.mark.usefixtures("now")

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def drawing(kind: str = "PNG", size: tuple[int, int] = (600, 200), mode: str = "RGB", **how: Any) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, (200, 40, 40, 90)[: len(mode)]).save(file, kind, **how)
    return file.getvalue()


def test_pictures_are_looked_at_by_content_and_drawn_anew() -> None:
    for kind in ("PNG", "JPEG", "WEBP"):
        kept = pictures.logo_of(drawing(kind))
        assert (kept.mime, kept.width, kept.height) == ("image/png", 320, 107)
    see_through = Image.open(io.BytesIO(pictures.logo_of(drawing(mode="RGBA")).content))
    assert see_through.mode == "RGBA"
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "taken at home", 6  # a description, and "turn it by a quarter"
    secret = drawing("JPEG", exif=exif) + b"PK\x03\x04 a second file"
    kept = pictures.logo_of(secret)
    assert (kept.width, kept.height) == (107, 320)
    assert b"taken at home" not in kept.content
    assert b"second file" not in kept.content
    face = pictures.face_of(drawing(mode="RGBA"))
    assert (face.mime, face.width, face.height) == ("image/jpeg", 256, 256)


def red_is_blue() -> bytes:
    """A colour profile by which what is red in the file is blue on paper."""
    common = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for old, new in ((b"rXYZ", b"left"), (b"bXYZ", b"rXYZ"), (b"left", b"bXYZ")):
        common = common.replace(old, new, 1)
    return common


RED, BLUE = (200, 40, 40), (40, 40, 200)
ENDLESS = red_is_blue() + pictures.ENDLESS_STEPS


@pytest.mark.parametrize(
    ("kind", "mode", "profile", "colour"),
    [
        ("PNG", "RGB", red_is_blue(), BLUE),
        ("JPEG", "RGB", red_is_blue(), BLUE),
        ("WEBP", "RGB", red_is_blue(), BLUE),
        ("PNG", "RGBA", red_is_blue(), (*BLUE, 90)),
        ("PNG", "RGB", b"", RED),
        ("PNG", "RGB", b"SECRET, no profile", RED),
        ("JPEG", "RGB", red_is_blue()[:200], RED),
        ("JPEG", "RGB", ENDLESS, RED),
        ("JPEG", "RGB", red_is_blue().ljust(pictures.MOST_OF_A_PROFILE + 1, b"x"), RED),
        ("JPEG", "L", red_is_blue(), (200, 200, 200)),
        ("PNG", "LA", red_is_blue(), (200, 200, 200, 40)),
        ("PNG", "P", red_is_blue(), (0, 0, 0)),
        ("JPEG", "CMYK", red_is_blue(), (36, 139, 139)),
        ("JPEG", "CMYK", os.urandom(1_829_077), (36, 139, 139)),  # as large as a printer's
    ],
    ids=[
        "png", "jpeg", "webp", "see-through", "none", "words", "half", "endless steps", "too large",
        "grey with colours'", "see-through grey", "of few colours", "cmyk with red, green, blue", "cmyk with noise",
    ],
)  # fmt: skip
def test_colours_are_read_by_a_profile_that_can_be_read_and_none_is_kept(
    kind: str, mode: str, profile: bytes, colour: tuple[int, ...]
) -> None:
    sent = drawing(kind, mode=mode, icc_profile=profile)
    for kept in (pictures.logo_of(sent), pictures.face_of(sent)):
        drawn = Image.open(io.BytesIO(kept.content))
        assert len(kept.content) < 3000
        assert drawn.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        seen = drawn.getpixel((9, 9))
        assert isinstance(seen, tuple)
        if kept.mime == "image/png":
            assert len(seen) == len(colour)
            assert max(abs(one - other) for one, other in zip(seen, colour, strict=True)) <= 3, seen


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_nothing_that_was_written_into_a_picture_is_kept(kind: str) -> None:
    text = PngInfo()
    text.add_text("Comment", "SECRET")
    text.add_itxt("XML:com.adobe.xmp", "SECRET")
    exif = Image.Exif()
    exif[0x010E] = "SECRET"
    everything: dict[str, dict[str, Any]] = {
        "PNG": {"pnginfo": text, "dpi": (71, 71)},
        "JPEG": {"comment": "SECRET", "xmp": b"SECRET", "dpi": (71, 71)},
        "WEBP": {"xmp": b"SECRET"},
    }
    sent = drawing(kind, exif=exif, icc_profile=b"SECRET", **everything[kind])
    assert b"SECRET" in sent
    for draw in (pictures.logo_of, pictures.face_of):
        assert draw(sent) == draw(drawing(kind))


def without_sampling(jpeg: bytes) -> bytes:
    """A picture in passes whose head says that no part of it has any size."""
    broken = bytearray(jpeg)
    at = broken.find(b"\xff\xc2")
    for number in range(broken[at + 9]):
        broken[at + 11 + 3 * number] = 0
    return bytes(broken)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"x", SVG, b"GIF89a" + b"\0" * 50, b"%PDF-1.7", drawing()[:60], drawing("JPEG")[:200], drawing("BMP"),
        drawing("JPEG", (8000, 4000)), drawing("PNG", (2001, 1500)), drawing("WEBP", (2001, 1500), method=0),
        b"\0" * (pictures.MOST_BYTES + 1), drawing("JPEG", (3200, 3200), progressive=True, subsampling=0),
        drawing("JPEG", (10000, 500)), without_sampling(drawing("JPEG", progressive=True)),
    ],
    ids=[
        "empty", "text", "svg", "gif", "pdf", "half png", "half jpeg", "bmp", "jpeg of too many pixels",
        "png of too many pixels", "webp of too many pixels", "too many bytes",
        "jpeg in passes, kept whole to the last", "jpeg too narrow to be unpacked small",
        "jpeg whose parts have no size",
    ],
)  # fmt: skip
def test_what_is_no_picture_or_too_large_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        pictures.face_of(content)


def noted(tag: int, kind: int, value: bytes) -> bytes:
    """What a camera notes: to be turned by a quarter, and one note of four bytes."""
    notes = struct.pack("<HHII", 0x0112, 3, 1, 6), struct.pack("<HHI4s", tag, kind, 1, value)
    head = b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(notes))
    return head + b"".join(sorted(notes, key=lambda one: struct.unpack_from("<H", one))) + bytes(4)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    "exif",
    [noted(0x010A, 2, b"x\0\0\0"), noted(0x011A, 2, b"x\0\0\0"), noted(0x010E, 11, struct.pack("<f", 1.5))],
    ids=["a word for a number", "a word for a fraction", "a number for a word"],
)
def test_a_broken_note_of_the_camera_keeps_no_picture_out(kind: str, exif: bytes) -> None:
    with pytest.raises((TypeError, AttributeError, struct.error)):
        ImageOps.exif_transpose(Image.open(io.BytesIO(drawing(kind, exif=exif))))
    kept = pictures.logo_of(drawing(kind, exif=exif))
    assert (kept.width, kept.height) == (107, 320)


def test_a_large_photo_is_unpacked_small() -> None:
    """Whole, one of the largest would take 350 MB of memory; small, 30 MB."""
    photo = Image.open(io.BytesIO(drawing("JPEG", (4096, 4096))))
    kept = pictures._unpacked(photo, "picture")
    assert (kept.width, kept.height) == (512, 512)
    assert photo.width == 512
    in_passes = drawing(
        "JPEG", (3200, 3200), progressive=True
    )  # its colours are coarser, which takes half as much
    assert pictures.face_of(in_passes).width == 256


def test_own_colours_and_logo_are_on_every_page(app: Flask) -> None:
    factories.make_clinic()
    factories.make_location(zone="America/New_York")
    owner = make_person("owner@c.example", Role.OWNER)
    app.test_client_class = Visitor
    browser = browser_of(app, owner.email)
    assert "theme.css" not in browser.get("/owner/look").text
    sent = {"brand": "#7A2F52", "accent": "#a4481f", "logo": (io.BytesIO(drawing()), "logo.png")}
    assert browser.post("/owner/look", data=sent, content_type="multipart/form-data").status_code == 303
    page = app.test_client().get("/").text
    assert '<link rel="stylesheet" href="/theme.css?v=7a2f52">' in page
    db.session.rollback()
    facts = queries.clinic_facts()
    assert facts is not None
    assert facts.theme == Theme("#7a2f52", "")
    assert facts.logo is not None
    address = f"/pictures/{facts.logo.id}"
    assert f'<img class="own-logo" src="{address}" alt="" width="120" height="40">' in page
    for path, mime in ((address, "image/png"), ("/theme.css", "text/css; charset=utf-8")):
        answer = app.test_client().get(path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, mime)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "public, max-age=3600"
        assert "Set-Cookie" not in answer.headers
        again = app.test_client().get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    assert "--brand: #7a2f52;" in app.test_client().get("/theme.css").text
    assert "unsafe-inline" not in app.test_client().get("/").headers["Content-Security-Policy"]


def test_a_colour_that_cannot_be_read_is_refused_and_the_nearest_is_offered(app: Flask) -> None:
    factories.make_clinic()
    factories.make_location(zone="America/New_York")
    owner = make_person("owner@c.example", Role.OWNER)
    app.test_client_class = Visitor
    browser = browser_of(app, owner.email)
    answer = browser.post("/owner/look", data={"brand": "#ffdd00", "accent": "#a4481f"})
    assert answer.status_code == 422
    near = answer.text.partition('name="use_brand" value="')[2][:7]
    assert near.startswith("#")
    both = browser.post("/owner/look", data={"brand": "#ffdd00", "accent": "#ffffff"}).text
    assert ('name="use_brand"' in both, 'name="use_accent"' in both) == (True, True), "both at once"
    assert [both.count(f"Words in the {one} colour are hard to read.") > 0 for one in ("main", "second")] == [
        True
    ] * 2
    for wrong in (
        {"brand": "red"},
        {"accent": "#eeeeee"},
        {"brand": "#fff;}body{"},
        {"use_brand": "#ffffff"},
    ):
        data = {"brand": "#2c6a5d", "accent": "#a4481f", **wrong}
        assert browser.post("/owner/look", data=data).status_code == 422, wrong
    refused = browser.post("/owner/look", data={"logo": (io.BytesIO(SVG), "x.png")})
    assert (refused.status_code, "choose the picture again" in refused.text) == (422, False), (
        "it is what was refused"
    )
    picture = {"brand": "#ffdd00", "accent": "#a4481f", "logo": (io.BytesIO(drawing()), "x.png")}
    assert "choose the picture again" in browser.post("/owner/look", data=picture).text
    db.session.rollback()
    assert queries.clinic().brand_colour == ""
    data = {"brand": "#ffdd00", "accent": "#a4481f", "use_brand": near}
    assert browser.post("/owner/look", data=data).status_code == 303
    db.session.rollback()
    assert queries.clinic().brand_colour == near
    assert browser.post("/owner/look", data={"act": "house"}).status_code == 303
    db.session.rollback()
    assert queries.clinic().brand_colour == ""


def test_a_second_tab_does_not_undo_the_look_of_the_first(app: Flask) -> None:
    factories.make_clinic()
    factories.make_location(zone="America/New_York")
    owner = make_person("owner@c.example", Role.OWNER)
    app.test_client_class = Visitor
    browser = browser_of(app, owner.email)
    seen = re.findall(r'name="seen" value="(\w+)"', browser.get("/owner/look").text)[0]
    first = {"brand": "#7a2f52", "accent": "#a4481f", "seen": seen}
    assert browser.post("/owner/look", data=first).status_code == 303
    second = {"brand": "#2c6a5d", "accent": "#005f99", "seen": seen}
    picture = {**second, "logo": (io.BytesIO(drawing()), "x.png")}
    stale = browser.post("/owner/look", data=picture)
    assert (stale.status_code, "choose the picture again" in stale.text) == (422, True)
    db.session.rollback()
    assert queries.clinic().brand_colour == "#7a2f52"
    second["seen"] = re.findall(r'name="seen" value="(\w+)"', stale.text)[0]
    assert browser.post("/owner/look", data=second).status_code == 303, "knowingly"


def test_a_logo_that_is_replaced_or_taken_away_is_deleted(app: Flask) -> None:
    factories.make_clinic()
    factories.make_location(zone="America/New_York")

    def logo() -> int | None:
        db.session.rollback()
        facts = queries.clinic_facts()
        return facts.logo.id if facts is not None and facts.logo is not None else None

    services.save_look(Theme(), pictures.logo_of(drawing()), by=None, now=NOW)
    first = logo()
    services.save_look(Theme("#7a2f52"), None, by=None, now=NOW)
    assert logo() == first
    services.save_look(Theme(), pictures.logo_of(drawing(size=(9, 9))), by=None, now=NOW)
    assert logo() not in (first, None)
    assert db.session.scalar(select(func.count()).select_from(Picture)) == 1
    services.save_look(Theme(), None, drop_logo=True, by=None, now=NOW)
    assert logo() is None
    assert db.session.scalar(select(func.count()).select_from(Picture)) == 0
    assert app.test_client().get(f"/pictures/{first}").status_code == 404
    with pytest.raises(InvalidInput):
        services.save_look(Theme("", "#ffffff"), None, by=None, now=NOW)
