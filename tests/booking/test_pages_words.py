"""What pages and mails say about one booking agrees with itself."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.shared.database import db
from clinic.shared.mail import OutgoingMail
from tests.booking import walk
from tests.booking import world as w

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def visitor(app: Flask, client: FlaskClient) -> FlaskClient:
    w.build()
    return client


def test_mail_says_the_same_length_as_the_page(visitor: FlaskClient) -> None:
    walk.book(visitor, "swedish")
    assert "10:00 am to 11:15 am" in visitor.get("/book/done").text
    mail = db.session.scalars(select(OutgoingMail).where(OutgoingMail.key.startswith("visit_booked:"))).one()
    assert "1 hour 15 minutes" in mail.text


def test_every_message_of_an_unsigned_page_can_be_read(visitor: FlaskClient) -> None:
    walk.hold(visitor, "swedish")
    walk.name(visitor)
    walk.answer(visitor)
    page = walk.sign(visitor, treatment="", privacy="", name="").text
    assert "Please check 3 answers" in page
    assert not re.search(r"<a href=\"#[^\"]*\">\s*</a>", page)


def test_message_names_the_detail_that_is_missing(visitor: FlaskClient) -> None:
    walk.hold(visitor, "swedish")
    walk.name(visitor)
    page = walk.answer(visitor, {"blood_thinners": {"kind": ""}}).text
    links = re.findall(r"<a href=\"#f\.blood_thinners[^\"]*\">([^<]*)</a>", page)
    assert len(links) > 1
    assert len(set(links)) == len(links), links
