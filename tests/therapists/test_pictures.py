"""A therapist's picture: shown where clients choose, replaced and taken away without anything left behind."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select

from clinic.premises.models import Picture
from clinic.rules.permissions import Role
from clinic.shared.database import db
from clinic.therapists.models import Therapist
from tests.accounts.people import browser_of, make_person
from tests.booking import world as w
from tests.web import Visitor

pytestmark = pytest.mark.usefixtures("now")


def drawing() -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (400, 500), (120, 90, 60)).save(file, "JPEG")
    file.seek(0)
    return file


def test_a_picture_is_shown_replaced_and_taken_away(app: Flask) -> None:
    clinic = w.build(therapists=2)
    address = f"/owner/therapists/{clinic.therapists[0]}/picture"
    owner = make_person("owner@c.example", Role.OWNER)
    app.test_client_class = Visitor
    browser = browser_of(app, owner.email)

    def picture() -> int | None:
        db.session.rollback()
        return db.session.get_one(Therapist, clinic.therapists[0]).picture_id

    for wrong in ({}, {"picture": (io.BytesIO(b"<svg/>"), "x.png")}):
        assert browser.post(address, data=wrong).status_code == 422
    assert picture() is None
    assert browser.post(address, data={"picture": (drawing(), "face.jpg")}).status_code == 303
    first = picture()
    anyone = app.test_client()
    assert (
        f'<img class="ava ava-lg" src="/pictures/{first}" alt="" width="64" height="64">'
        in anyone.get("/therapists").text
    )
    shown = anyone.get(f"/pictures/{first}")
    assert (shown.headers["Content-Type"], shown.data[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    assert browser.post(address, data={"picture": (drawing(), "face.jpg")}).status_code == 303
    assert picture() not in (first, None)
    assert anyone.get(f"/pictures/{first}").status_code == 404
    assert browser.post(address, data={"act": "drop"}).status_code == 303
    assert picture() is None
    assert db.session.scalar(select(func.count()).select_from(Picture)) == 0
    assert browser.post("/owner/therapists/1/picture", data={"act": "drop"}).status_code == 404
