"""The record as a page and as a PDF: who may open it, that it is recorded, and that every page is there."""

from __future__ import annotations

import datetime as dt
import html
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select

from clinic.booking.models import Screening
from clinic.booking.services import visits
from clinic.booking.services.judging import judge_after_new_answers
from clinic.clients.models import Client
from clinic.records import words as says
from clinic.records.queries import paper
from clinic.records.queries.names import NOBODY
from clinic.records.queries.paper_answers import HEADS
from clinic.rules.language import _
from clinic.rules.permissions import Permission, Role
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, transaction
from clinic.shared.languages import speaking
from tests.booking import world as w
from tests.booking.world import visit_of
from tests.conftest import NOW
from tests.diary.staff import ME, OTHER, Staffed, person_with
from tests.records.proof import SIGN, booked, mark, pages_of

pytestmark = pytest.mark.usefixtures("now")


def reads() -> list[tuple[str, str, int | None, bool]]:
    db.session.rollback()
    rows = db.session.scalars(
        select(AuditRow).where(AuditRow.deed.startswith("record.")).order_by(AuditRow.sequence)
    )
    return [(row.deed, row.thing, row.thing_id, row.by_user_id is not None) for row in rows]


def test_only_who_may_read_the_answers_reads_the_record(clinic: Staffed) -> None:
    visit_id = booked(clinic)
    wanted = {
        ME: 200,
        OTHER: 404,
        person_with(Role.CLIENT): 403,
        person_with(Role.FRONT_DESK): 403,
        person_with(Role.OWNER): 403,
        person_with(Role.OWNER, Permission.CLINICAL_REVIEW): 200,
        person_with(Role.FRONT_DESK, Permission.CLINICAL_REVIEW): 200,
    }
    for ending in ("record", "record.pdf"):
        found = {
            email: clinic.browser(email).get(f"/visits/{visit_id}/{ending}").status_code for email in wanted
        }
        assert found == wanted
    stranger = clinic.app.test_client().get(f"/visits/{visit_id}/record")
    assert (stranger.status_code, stranger.location.split("?")[0]) == (303, "/sign-in")


def test_what_a_record_says_about_itself_is_in_the_readers_language(clinic: Staffed) -> None:
    """Its own words are; what was asked and signed stands as it was."""
    visit_id = booked(clinic)
    own = [*says.ABOUT, says.ABOUT_CHECK_IN, says.NOTHING_ASKED, says.NO_SINGLE_ANSWER, NOBODY, *HEADS]
    plain = html.unescape(clinic.browser(ME).get(f"/visits/{visit_id}/record").text)
    assert [one for one in says.ABOUT if one not in plain] == []
    german = {"Accept-Language": "de"}
    page = html.unescape(clinic.browser(ME).get(f"/visits/{visit_id}/record", headers=german).text)
    assert [one for one in own if one in page] == []
    with speaking("de"):
        assert [one for one in says.ABOUT if _(one) not in page] == []


def test_no_text_of_a_record_goes_out_untranslated() -> None:
    """Texts are marked for translation in words.py, and looked up where they are used."""
    names = "ABOUT_CHECK_IN|NOTHING_ASKED|WITHHELD|WORDING_LOST|NO_SINGLE_ANSWER|CHANGED_BY_CLINIC"
    bare = re.compile(rf"(?<!_\()\bw\.(?:{names})\b")
    for one in Path(paper.__file__).parent.glob("paper*.py"):
        assert bare.findall(one.read_text(encoding="utf-8")) == [], one.name


def test_each_reading_leaves_a_row_and_a_refused_one_none(clinic: Staffed) -> None:
    visit_id = booked(clinic)
    clinic.browser(OTHER).get(f"/visits/{visit_id}/record")
    assert reads() == []
    browser = clinic.browser(ME)
    browser.get(f"/visits/{visit_id}/record")
    browser.get(f"/visits/{visit_id}/record.pdf")
    assert reads() == [
        ("record.read", "visit", visit_id, True), ("record.printed", "visit", visit_id, True)
    ]  # fmt: skip


def test_reading_it_does_not_change_it(clinic: Staffed) -> None:
    visit_id = booked(clinic)
    first = mark(visit_id)
    clinic.browser(ME).get(f"/visits/{visit_id}/record")
    assert mark(visit_id) == first


def test_a_therapist_who_does_not_treat_any_more_reads_nothing_but_a_named_reviewer_does(
    clinic: Staffed,
) -> None:
    visit_id = booked(clinic)
    reviewer = person_with(Role.OWNER, Permission.CLINICAL_REVIEW)
    with time_machine.travel(NOW + dt.timedelta(days=40), tick=False):
        assert clinic.browser(ME).get(f"/visits/{visit_id}/record").status_code == 404
        assert clinic.browser(reviewer).get(f"/visits/{visit_id}/record").status_code == 200


def test_missing_and_nobodys_visits_are_not_there(clinic: Staffed) -> None:
    browser = clinic.browser(person_with(Role.OWNER, Permission.CLINICAL_REVIEW))
    assert [browser.get(f"/visits/4711/{one}").status_code for one in ("record", "record.pdf")] == [404, 404]
    assert reads() == []


def test_page_and_pdf_say_the_same_and_carry_the_fingerprint(clinic: Staffed) -> None:
    visit_id = booked(clinic)
    browser = clinic.browser(ME)
    page = browser.get(f"/visits/{visit_id}/record").text
    answer = browser.get(f"/visits/{visit_id}/record.pdf")
    whole = " ".join(pages_of(answer.data))
    assert set(SIGN.findall(page)) == set(SIGN.findall(whole)) == {mark(visit_id)}
    for words in (
        "Allowed, with care by the therapist", "rule varicose_veins", "Left lower leg", "Who may clear it",
        "not been signed off by a clinician", "Signed by", "Pat Number", "Main Street",
    ):  # fmt: skip
        assert words in page
        assert words in whole
    assert "Printed Tuesday 9 June 2026 at 9:00 am, Terry1" in whole
    assert "Printed" not in page.partition("<main")[2].replace("Printed by its number", "")


def test_places_are_drawn_on_the_page_and_in_the_pdf_and_said_in_words(clinic: Staffed) -> None:
    declared = {"chart_avoid": {"site": ["left_knee", "face"]}, "chart_pain": {"site": ["lower_back"]}}
    marked, plain = booked(clinic, declared=declared), booked(clinic, declared={}, when=w.at(0, 14))
    browser = clinic.browser(ME)
    page = browser.get(f"/visits/{marked}/record").text
    pdf = browser.get(f"/visits/{marked}/record.pdf").data
    said = "Dark: keep away from left knee and face. Light: take care at lower back."
    assert said in page
    assert said in " ".join(pages_of(pdf))
    assert (page.count('class="is-avoid"'), page.count('class="is-care"')) == (
        3,
        1,
    )  # a knee is seen from both sides
    assert said.count("Dark") == page.count("Front</figcaption>")
    assert b"0.61176" not in browser.get(f"/visits/{plain}/record.pdf").data
    assert '<svg class="body"' not in browser.get(f"/visits/{plain}/record").text


def test_the_pdf_is_kept_and_never_shown_under_a_neutral_name(
    clinic: Staffed, caplog: pytest.LogCaptureFixture
) -> None:
    visit_id = booked(clinic)
    with caplog.at_level(logging.DEBUG):
        answer = clinic.browser(ME).get(f"/visits/{visit_id}/record.pdf")
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="visit-{visit_id}-record.pdf"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.data.startswith(b"%PDF-")
    assert "varicose" not in caplog.text.lower()


def test_two_prints_of_one_moment_are_the_same_bytes_and_later_ones_have_the_same_fingerprint(
    clinic: Staffed,
) -> None:
    visit_id = booked(clinic)
    browser = clinic.browser(ME)
    first = browser.get(f"/visits/{visit_id}/record.pdf").data
    assert browser.get(f"/visits/{visit_id}/record.pdf").data == first
    with time_machine.travel(NOW + dt.timedelta(minutes=7), tick=False):
        later = browser.get(f"/visits/{visit_id}/record.pdf").data
    assert later != first
    assert set(SIGN.findall(" ".join(pages_of(later)))) == set(SIGN.findall(" ".join(pages_of(first))))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # of the database fewer would tell as much
def test_sixty_judgements_print_on_numbered_pages(clinic: Staffed) -> None:
    visit_id = booked(clinic)
    client = visit_of(visit_id).client_id or 0
    for minute in range(59):
        with transaction() as session:
            judge_after_new_answers(session, client, by=None, now=NOW + dt.timedelta(minutes=minute))
    count = select(Screening.id).where(Screening.visit_id == visit_id)
    assert len(db.session.scalars(count).all()) == 60
    pages = pages_of(clinic.browser(ME).get(f"/visits/{visit_id}/record.pdf").data)
    assert len(pages) > 20
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page
        assert f"Record of visit {visit_id}" in page
        assert mark(visit_id) in page
    whole = " ".join(pages)
    assert all(f" {number}. Tuesday 9 June 2026 at" in whole for number in range(1, 61))


def test_names_of_every_script_are_printed_or_said_by_number(clinic: Staffed) -> None:
    visit_id = booked(clinic)
    with transaction() as session:
        row = session.get_one(Client, visit_of(visit_id).client_id)
        row.first_name, row.last_name = "Łucja Öğünç", "ليلى 王"
    whole = " ".join(pages_of(clinic.browser(ME).get(f"/visits/{visit_id}/record.pdf").data))
    assert "Łucja Öğünç" in whole
    assert "[U+738B]" in whole
    assert "ﻟﻴﻠﻰ" in whole or "ﻰﻠﻴﻟ" in whole


def test_a_cancelled_visit_keeps_its_record(clinic: Staffed) -> None:
    visit_id = booked(clinic)
    visits.cancel_visit(visit_id, by=clinic.world.desk_id, by_clinic=False, now=NOW)
    page = clinic.browser(ME).get(f"/visits/{visit_id}/record")
    reviewer = clinic.browser(person_with(Role.OWNER, Permission.CLINICAL_REVIEW))
    assert page.status_code == 404  # whoever was cancelled is not treated
    text = reviewer.get(f"/visits/{visit_id}/record").text
    assert "Cancelled" in text
    assert "rule varicose_veins" in text


def test_the_way_there_is_shown_to_whoever_may_go_it(clinic: Staffed) -> None:
    visit_id = booked(clinic)
    link = f"/visits/{visit_id}/record"
    assert link in clinic.browser(ME).get(f"/diary/visits/{visit_id}").text
    for email, is_shown in (
        (person_with(Role.FRONT_DESK), False),
        (person_with(Role.OWNER), False),
        (person_with(Role.FRONT_DESK, Permission.CLINICAL_REVIEW), True),
    ):
        page = clinic.browser(email).get(f"/desk/visits/{visit_id}")
        assert page.status_code == 200
        assert (link in page.text) is is_shown


def test_the_desk_reads_no_rule_reason_or_answer_at_a_visit(clinic: Staffed) -> None:
    visit_id = booked(clinic, declared={"clotting_tendency": {"type": "factor V Leiden"}}, when=w.at(3))
    for email in (person_with(Role.FRONT_DESK), person_with(Role.OWNER)):
        answer = clinic.browser(email).get(f"/desk/visits/{visit_id}")
        page = answer.text.lower()
        assert (answer.status_code, "pat number" in page) == (200, True)
        for word in ("clot", "leiden", "veins"):
            assert word not in page


def test_the_library_is_loaded_when_a_pdf_is_made_and_not_before() -> None:
    slow = "('reportlab', 'PIL', 'arabic_reshaper')"
    script = f"import sys, clinic.app; sys.exit(any(one in sys.modules for one in {slow}))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
