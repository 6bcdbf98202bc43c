"""Three stories in a real browser: a clinician's letter, the check-in of the day, and the therapist's say."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.booking.services import asking
from clinic.demo import PASSWORD, ZONE
from clinic.intake.models import Clearance, HealthStop, Intake
from clinic.shared import clock
from clinic.shared.database import db
from clinic.shared.mail import OutgoingMail
from clinic.therapists.models import Therapist, TherapistRestriction
from tests.browser import Site
from tests.intake import letters
from tests.journeys.test_client_books import BIG_TIMES, newest_visit
from tests.looking import LEAVES_ITS_BOX, STICKS_OUT, expect
from tests.walking import Booking, Faults

if TYPE_CHECKING:
    from playwright.sync_api import Page

TREATS = "Maya Okafor"
"""The demo's therapist who can sign in."""


@pytest.fixture(autouse=True)
def patience(page: Page) -> None:
    """On a phone, and with time for a busy machine."""
    page.set_default_timeout(BIG_TIMES)


@pytest.fixture
def story(page: Page, accessibility_faults: Faults) -> Booking:
    return Booking(page, accessibility_faults, looks_on_the_way=False)


def read(site: Site, question: Callable[[], object]) -> object:
    """What stands in the clinic's database now."""
    with site.app.app_context():
        found = question()
        db.session.remove()
    return found


def status_of(site: Site, visit_id: int) -> object:
    return read(site, lambda: db.session.get_one(Visit, visit_id).status)


def sign_in(page: Page, email: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


def becomes_nobody(page: Page) -> None:
    """The browser is signed out; first it leaves its page, which would notice and load anew under the next one."""
    page.goto("about:blank")
    page.context.clear_cookies()


# ── the letter ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_letter_is_asked_for_sent_checked_and_the_visit_confirmed(story: Booking, site: Site) -> None:
    page = story.page
    story.choose("Relaxation massage", "1 hour")
    story.take_a_later_day()
    story.say_who()
    story.answer({"Has a doctor told you that you have heart failure": {"In the last 2 weeks": "No"}})
    story.sign()
    story.confirm()
    story.look("We keep this time, a doctor’s word is missing")
    assert newest_visit(site) == ("pending", None)
    page.get_by_role("link", name="Show the questions").click()
    story.look("Questions for your doctor")
    expect(page.get_by_text("Is it stable at present?")).to_be_visible()
    page.go_back()
    story.press("Please call me")
    page.get_by_text("We will call you").wait_for()
    page.get_by_label("The letter").set_input_files(
        {"name": "letter.pdf", "mimeType": "application/pdf", "buffer": letters.PDF}
    )
    story.press("Send the letter")
    page.get_by_text("We have what you sent").wait_for()
    story.look("We keep this time, a doctor’s word is missing")
    assert newest_visit(site) == ("pending", None), "a letter changes nothing before it is checked"
    client_cookies = page.context.cookies()
    becomes_nobody(page)
    check_the_letter(story)
    assert newest_visit(site) == ("confirmed", True)
    assert read(site, lambda: db.session.scalars(select(Clearance.withdrawn_at)).one()) is None
    becomes_nobody(page)
    page.context.add_cookies(client_cookies)  # type: ignore[arg-type]
    page.goto("/book/done")
    story.look("Your time is booked")


def local_today() -> dt.date:
    """Today in the demo clinic, where it may still be the day before."""
    return clock.now().astimezone(ZoneInfo(ZONE)).date()


def check_the_letter(story: Booking) -> None:
    """Somebody with clinical review saves the letter, calls the office, and records what it says."""
    page = story.page
    sign_in(page, "therapist@willow.example")
    page.goto("/reviews")
    story.look("Reviews")
    page.get_by_role("link", name="Open the letter of Nora Walker").click()
    story.look("A clinician’s letter")
    with page.expect_download() as file:
        page.get_by_role("link", name="Save page 1").click()
    assert file.value.path().read_bytes() == letters.PDF
    page.get_by_role("group", name="What is the letter about?").get_by_label("Heart failure").check()
    named = page.get_by_role("group", name="Which treatments does it name?")
    named.get_by_label("Relaxation", exact=False).first.check()
    for label, text in {
        "Name": "Dr Lee", "Licence or register number": "NY-1", "Phone or address of the office": "(212) 555-0190",
        "How was it checked?": "Called the number in the register, spoke with Ms Hall.",
    }.items():  # fmt: skip
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("Profession").select_option(label="Doctor")
    page.get_by_label("Date of the letter").fill(local_today().isoformat())
    story.press("Record as checked")
    page.get_by_text("Recorded. Coming visits have been judged again with it.").first.wait_for()
    story.look("Reviews")
    expect(page.get_by_role("link", name="Open the letter of Nora Walker")).to_have_count(0)


# ── the check-in ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def mailed(site: Site) -> tuple[str, int, int]:
    """The address in the mail of the day before, its visit and its client."""

    def asked() -> tuple[str, int, int]:
        now = clock.now()
        asking.ask_for_check_ins(now)
        mail = db.session.scalars(
            select(OutgoingMail)
            .where(OutgoingMail.key.startswith("visit_check_in:"))
            .order_by(OutgoingMail.id)
        ).all()
        for one in mail:
            visit = db.session.get_one(Visit, int(one.key.split(":")[1]))
            found = re.search(r"/check-in/[\w-]+", one.text)
            if found and visit.status == "confirmed" and visit.client_id:
                return found[0], visit.id, visit.client_id
        pytest.fail("the demo has no visit within a day")

    with site.app.app_context():
        found = asked()
        db.session.remove()
    return found


def newest_answers(client_id: int) -> str:
    """The kind of the newest version."""
    kinds = select(Intake.kind).where(Intake.client_id == client_id).order_by(Intake.version.desc())
    return db.session.scalars(kinds).first() or ""


def stops_of(client_id: int) -> list[bool]:
    """Whether each stop of this person still holds and names the fever."""
    rows = db.session.scalars(select(HealthStop).where(HealthStop.client_id == client_id))
    return [row.ended_at is None and bool(row.answers["fever"]["present"]) for row in rows]


def test_nothing_has_changed_is_said_in_three_taps(
    story: Booking, site: Site, mailed: tuple[str, int, int]
) -> None:
    address, visit_id, client_id = mailed
    story.page.goto(address)  # the first tap: the link in the mail
    taps = 1
    story.look("Has anything changed?")
    story.press("Nothing has changed")
    taps += 1
    story.look("Thank you")
    assert taps <= 3
    assert status_of(site, visit_id) == "confirmed"
    assert read(site, lambda: newest_answers(client_id)) == "checkin"


def test_a_fever_cancels_the_visit_without_blame(
    story: Booking, site: Site, mailed: tuple[str, int, int]
) -> None:
    address, visit_id, client_id = mailed
    called_off = select(Visit.id).where(Visit.client_id == client_id, Visit.status == "cancelled")
    before = read(site, lambda: db.session.scalars(called_off).all())
    page = story.page
    page.goto(address)
    story.press("Something changed")
    story.look("What has changed?")
    page.get_by_role("checkbox", name="Fever, or an illness that others can catch").check()
    story.press("Go on")
    story.look("About what has changed")
    questions = page.locator(".questions fieldset.q")
    for number in range(questions.count()):
        question = questions.nth(number)
        answer = "Yes" if "fever" in question.locator("legend").first.inner_text().lower() else "No"
        if question.is_visible():
            question.get_by_role("radio", name=answer, exact=True).first.check()
    story.press("Send the answers")
    story.look("Please see a doctor today")
    expect(page.get_by_text(re.compile("We have cancelled your visit on .* at no charge"))).to_be_visible()
    assert status_of(site, visit_id) == "cancelled"
    others = called_off.where(Visit.id != visit_id)  # by the hour the demo has some, or none
    more = read(site, lambda: db.session.scalars(others).all()) != before
    expect(page.get_by_text("cancelled too, at no charge")).to_have_count(int(more))
    assert read(site, lambda: stops_of(client_id)) == [True]
    page.goto(address)
    story.look("This link has run out")


def read_in(page: Page, language: str, other: str) -> None:
    """Choose another language at the foot of the page; `other` is what can be chosen there then."""
    page.get_by_role("button", name=language, exact=True).click()
    page.get_by_role("button", name=other, exact=True).wait_for()


def test_on_a_phone_no_words_leave_their_button_and_no_title_is_broken(
    page: Page, site: Site, mailed: tuple[str, int, int]
) -> None:
    page.goto(mailed[0])
    read_in(page, "Deutsch", "English")
    assert page.url.endswith(mailed[0]), "the page that the key opened, in German"
    page.locator("button[value=changed]").click()
    page.locator("#topic-3").check(force=True)
    page.locator("button[value=chosen]").click()
    for question in page.locator(".questions fieldset.q").all():
        question.locator("input[type=radio]").first.check(force=True)
    page.locator(".flow-actions button").last.click()
    page.locator(".urgent-call").first.wait_for()
    for width in (195, 320, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate(LEAVES_ITS_BOX) + page.evaluate(STICKS_OUT) == [], width
    read_in(page, "English", "Deutsch")
    sign_in(page, "client@willow.example")
    read_in(page, "Deutsch", "English")
    page.goto("/my")
    for address in ("/my", page.locator("a[href^='/my/health/']").first.get_attribute("href") or ""):
        page.goto(address)
        for width in (195, 320, 390):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate(LEAVES_ITS_BOX) + page.evaluate(STICKS_OUT) == [], (address, width)
    page.goto("/my")
    page.set_viewport_size({"width": 390, "height": 844})
    row = page.locator(".visits-own .visit-row").first
    what, state = row.locator(".visit-what").bounding_box(), row.locator(".visit-state").bounding_box()
    assert what is not None
    assert state is not None
    assert what["x"] + what["width"] >= state["x"] + state["width"] - 1, "the title has the whole row"


# ── the therapist's say ───────────────────────────────────────────────────────────────────────────────────


def own_visit_ahead() -> int:
    """A confirmed visit of the therapist who signs in, some days ahead."""
    return db.session.scalars(
        select(Visit.id)
        .join(Therapist, Therapist.id == Visit.therapist_id)
        .where(
            Therapist.name == TREATS,
            Visit.status == "confirmed",
            Visit.starts_at > clock.now() + dt.timedelta(days=2),
        )
        .order_by(Visit.starts_at)
        .limit(1)
    ).one()


def test_a_therapist_asks_to_talk_first_and_the_visit_waits(story: Booking, site: Site) -> None:
    page, visit_id = story.page, read(site, own_visit_ahead)
    assert isinstance(visit_id, int)
    sign_in(page, "therapist@willow.example")
    page.goto(f"/diary/visits/{visit_id}")
    assert story.faults(page) == []
    page.get_by_role("link", name="Ask for more care").click()
    story.look("Ask for more care")
    story.press("Keep this for the client")
    page.get_by_text("Write in a few words why.").first.wait_for()
    assert read(site, lambda: db.session.scalars(select(TherapistRestriction)).all()) == []
    page.get_by_role("radio", name="Talk first").check()
    page.get_by_label("Why", exact=True).fill("Was dizzy after the last visit.")
    story.press("Keep this for the client")
    touches = page.get_by_role("heading", name=re.compile(r"It touches \d coming visits?"))
    expect(touches).to_be_focused()
    story.look("Ask for more care")
    assert status_of(site, visit_id) == "confirmed", "nothing is saved before it was seen"
    page.get_by_role("button", name=re.compile(r"Keep this and put \d visits? on hold")).click()
    page.get_by_text("Kept. Coming visits were judged again.").first.wait_for()
    page.get_by_text("Was dizzy after the last visit.").wait_for()
    story.look("Ask for more care")
    assert status_of(site, visit_id) == "suspended"
    page.goto(f"/diary/visits/{visit_id}")
    page.get_by_text("Not confirmed yet").wait_for()
    assert story.faults(page) == []
    becomes_nobody(page)
    sign_in(page, "desk@willow.example")
    page.goto(f"/desk/visits/{visit_id}")
    assert story.faults(page) == []
    assert "dizzy" not in page.content(), "the desk reads that it waits, not why"
