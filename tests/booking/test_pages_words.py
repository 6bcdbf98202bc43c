"""What pages and mails say about one booking agrees with itself."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.rules.page_reading import MISSING
from clinic.rules.question_pages import pages
from clinic.rules.rule_table import TABLE
from clinic.shared.database import db
from clinic.shared.mail import OutgoingMail
from tests.booking import walk
from tests.booking import world as w

THINNER = {"med_class": "anticoagulant", "stable_3_months": True, "bruising": False}

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


def test_the_chamber_speaks_of_itself_and_not_of_cups(visitor: FlaskClient) -> None:
    page = walk.book(visitor, "decompression_vacuum", minutes="20", mode="interval", areas="left_lower_leg")
    assert walk.heading(page) == "Your time is booked"
    assert "Decompression by vacuum, Interval chamber" in page.text
    assert "light-headed when you stand up" in page.text
    assert "marks" not in page.text
    words = re.sub(r"<[^>]*>", " ", page.text)  # addresses hold keys, in which any three letters may stand
    assert "cup" not in words.lower()


def test_in_german_the_times_of_what_is_safe_instead_are_read_out_in_german(visitor: FlaskClient) -> None:
    walk.book(visitor, "deep_tissue", declared={"blood_thinners": THINNER})
    page = visitor.get("/book/done", headers={"Accept-Language": "de"}).text
    assert "Schwedische Massage, 1 Stunde" in page
    assert "Swedish massage" not in page


def test_times_and_lengths_are_not_broken_over_two_lines(app: Flask, visitor: FlaskClient) -> None:
    for address in ("/book/swedish/times?minutes=60", "/book/swedish"):
        text = without_hidden(FlaskClient(app).get(address).text)
        assert re.search(r"\d\N{NO-BREAK SPACE}(am|minutes|hour)", text), address
        assert re.findall(r">[^<]*\d (?:am|pm|hours?)\b[^<]*<", text) == [], address


def without_hidden(text: str) -> str:
    """The page without what only screen readers read."""
    return re.sub(r'<span class="visually-hidden">[^<]*</span>|<title>[^<]*</title>', "", text)


def test_every_message_of_an_unsigned_page_can_be_read(visitor: FlaskClient) -> None:
    walk.hold(visitor, "swedish")
    walk.name(visitor)
    walk.answer(visitor)
    page = walk.sign(visitor, treatment="", privacy="", name="").text
    assert "Please check 3 answers" in page
    assert not re.search(r"<a href=\"#[^\"]*\">\s*</a>", page)


def test_a_day_that_is_never_about_does_not_ask_about_when(visitor: FlaskClient) -> None:
    """What the page allows, it takes: a year alone for an operation, a whole day for the weeks of a pregnancy."""
    walk.hold(visitor, "swedish")
    walk.name(visitor)
    asked = {
        key: visitor.get(f"/book/health/{walk.number_of(key)}").text for key in ("pregnancy", "injuries")
    }
    by_name = {
        found[1]: found[2]
        for text in asked.values()
        for found in re.finditer(r'<p class="help" id="(f\.[\w.]+)-help">(.*?)</p>', text)
    }
    assert by_name["f.pregnancy.weeks_as_of"] == "If it was another day: its day, month and year."
    assert by_name["f.recent_surgery.date"].startswith("About when? Month and year will do")


def test_each_change_leads_to_where_it_is_changed_and_says_what(visitor: FlaskClient) -> None:
    walk.hold(visitor, "swedish")
    walk.name(visitor)
    walk.answer(visitor)
    walk.sign(visitor)
    rows = re.findall(
        r'<a href="([^"]+)">Change<span class="visually-hidden"> ([^<]+)</span>',
        visitor.get("/book/check").text,
    )
    assert {what: href.partition("?")[0] for href, what in rows} == {
        "treatment": "/book/swedish",
        "day and time": "/book/swedish/times",
        "therapist": "/book/swedish/times",
        "who comes": "/book/who",
        "health questions": "/book/health/sign",
    }


def test_message_names_the_detail_that_is_missing(visitor: FlaskClient) -> None:
    walk.hold(visitor, "swedish")
    walk.name(visitor)
    page = walk.answer(visitor, {"blood_thinners": {"kind": ""}}).text
    links = re.findall(r"<a href=\"#f\.blood_thinners[^\"]*\">([^<]*)</a>", page)
    assert len(links) > 1
    assert len(set(links)) == len(links), links


def test_in_german_every_follow_up_and_every_mistake_is_german(visitor: FlaskClient) -> None:
    walk.hold(visitor, "swedish")
    walk.name(visitor)
    english = {field.question for one in TABLE.conditions.values() for field in one.fields}
    german = {"Accept-Language": "de"}
    for number in range(1, len(pages("intake")) + 1):
        page = visitor.get(f"/book/health/{number}", headers=german).text
        assert english & {one.strip() for one in re.findall(r">([^<>]+)<", page)} == set()
    number = next(
        place
        for place, one in enumerate(pages("intake"), start=1)
        if "blood_clot" in {condition.key for condition in one.conditions}
    )
    wrong = visitor.post(
        f"/book/health/{number}", data=walk.page_form(number, {"blood_clot": {}}), headers=german
    )
    assert wrong.status_code == 422
    assert [text for text in (MISSING, "Blood clot", "When was") if text in wrong.text] == []
