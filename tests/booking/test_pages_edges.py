"""Two tabs, a double click, the back button, a hold that ran out, hostile input: nothing typed is lost, nothing is
booked twice."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from clinic.booking.forms.choice import moment_text
from clinic.booking.models import Checkout, Claim, Screening, Visit
from clinic.booking.services import aims
from clinic.booking.services.deadlines import keep_deadlines
from clinic.booking.services.visits import book_visit
from clinic.clients.models import Client
from clinic.intake.models import Intake, IntakeDraft
from clinic.premises.models import Location
from clinic.rules.question_pages import pages
from clinic.shared.database import db
from clinic.shared.mail import OutgoingMail
from clinic.therapists.models import Therapist
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")
HOSTILE = "<script>alert(1)</script>'\"; DROP TABLE visit;-- \u202e"


@pytest.fixture
def client(world: w.World, client: FlaskClient) -> FlaskClient:
    return client


def visits(*, released: bool = False) -> list[Visit]:
    db.session.rollback()
    rows = select(Visit).order_by(Visit.created_at, Visit.id)
    return list(db.session.scalars(rows if released else rows.where(Visit.status != "released")))


def count(table: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_the_same_time_pressed_twice_is_held_once(client: FlaskClient) -> None:
    walk.hold(client, "swedish")
    walk.hold(client, "swedish")
    assert len(visits(released=True)) == 1


def test_another_time_gives_the_first_one_back(client: FlaskClient) -> None:
    walk.hold(client, "swedish", w.at(3, 10))
    walk.hold(client, "swedish", w.at(3, 12))
    assert [(one.status, one.starts_at) for one in visits()] == [("held", w.at(3, 12))]
    assert {claim.starts_at for claim in db.session.scalars(select(Claim))} == {w.at(3, 12)}


def test_confirming_pressed_again_while_the_first_is_at_work_books_once_and_says_so(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk.up_to_check(client, "swedish", {})
    form = {"seen": walk.hidden(client.get("/book/check"), "seen"), "aim": "My neck"}
    say, other = aims.say_aim, list[Any]()

    def say_while_the_other_books(*said: Any, **more: Any) -> None:
        if not other:
            other.append(None)
            other[0] = client.post("/book/check", data=form)
        say(*said, **more)

    monkeypatch.setattr(aims, "say_aim", say_while_the_other_books)
    second = client.post("/book/check", data=form)
    assert [walk.location(one) for one in (other[0], second)] == ["/book/done"] * 2
    assert [one.status for one in visits(released=True)] == ["confirmed"]


def test_every_step_pressed_twice_is_done_once(client: FlaskClient) -> None:
    form = walk.details()
    walk.hold(client, "swedish")
    for _ in range(2):
        assert walk.location(client.post("/book/who", data=form)) == "/book/next"
    walk.answer(client)
    for _ in range(2):
        assert walk.location(walk.sign(client)) == "/book/next"
    seen = {"seen": walk.hidden(client.get("/book/check"), "seen")}
    for _ in range(3):
        assert walk.location(client.post("/book/check", data=seen)) == "/book/done"

    assert [one.status for one in visits(released=True)] == ["confirmed"]
    assert [count(table) for table in (Client, Intake, Screening)] == [1, 1, 1]
    mails = [row.key.partition(":")[0] for row in db.session.scalars(select(OutgoingMail))]
    assert mails.count("visit_booked") == 1
    assert walk.heading(client.get("/book/done")) == "Your time is booked"


def test_what_another_tab_changed_is_shown_before_it_is_booked(client: FlaskClient) -> None:
    walk.up_to_check(client, "swedish", {})
    seen = walk.hidden(client.get("/book/check"), "seen")
    walk.hold(client, "relaxation", w.at(4))
    answer = client.post("/book/check", data={"seen": seen})
    assert walk.location(answer) == "/book/check"
    page = client.get("/book/check")
    assert "changed meanwhile" in page.text
    assert "Relaxation massage" in page.text
    assert [one.status for one in visits()] == ["held"]


def test_the_back_button_shows_what_was_typed(client: FlaskClient) -> None:
    walk.up_to_check(client, "swedish", {"easy_bruising": {"since": "May"}})
    page = client.get("/book/who")
    assert 'value="Nora"' in page.text
    assert walk.first(r'dir="(auto)"[^>]*name="first_name"', page), "a right-to-left name on its own side"
    blood = walk.number_of("blood")
    page = client.get(f"/book/health/{blood}")
    assert walk.first(r'name="c.easy_bruising"[^>]*value="(yes)" checked', page)
    assert 'value="May"' in page.text
    assert walk.heading(client.get("/book/check")) == "Is everything right?"


def test_a_corrected_name_keeps_the_record_until_answers_are_signed_for_somebody_else(
    client: FlaskClient,
) -> None:
    form = walk.details()
    walk.hold(client, "swedish")
    client.post("/book/who", data=form)
    client.post("/book/who", data={**form, "first_name": "Norah"})
    assert count(Client) == 1
    walk.answer(client)
    walk.sign(client)
    client.post("/book/who", data={**form, "first_name": "Norah", "phone": "(212) 555-1999"})
    assert count(Client) == 1
    assert walk.location(client.get("/book/next")) == "/book/check"
    # another person now: the signed answers are not theirs
    client.post("/book/who", data={**form, "first_name": "Paul", "born_year": "1960"})
    assert count(Client) == 2
    assert walk.location(client.get("/book/next")) == "/book/health"


@pytest.mark.parametrize(
    ("other", "becomes"),
    [
        ({"last_name": "Walkerson"}, "the same"),
        ({"first_name": "NORA ", "phone": "(212) 555-1999"}, "the same"),
        ({"first_name": "Norah"}, "a slip"),
        ({"born_day": "5"}, "a slip"),
        ({"born_year": "1960"}, "a slip"),
        ({"first_name": "Paul", "last_name": "Oster", "born_year": "1960"}, "another"),
    ],
)
@pytest.mark.parametrize("answered", [1, 5, None])
def test_whoever_is_named_after_back_is_asked_everything(
    client: FlaskClient, answered: int | None, other: dict[str, str], becomes: str
) -> None:
    """What was answered and not signed was about somebody else: no "no" is signed. A "yes" outlives a slip."""
    form, yes = walk.details(), {"heart_failure": {"worsening": False}}
    walk.hold(client, "deep_tissue")
    client.post("/book/who", data=form)
    for number in range(1, (answered or len(pages("intake"))) + 1):
        client.post(f"/book/health/{number}", data=walk.page_form(number, yes))
    told = {
        key
        for draft in db.session.scalars(select(IntakeDraft))
        for key, one in draft.answered.items()
        if one["present"]
    }
    assert told or answered == 1
    assert walk.location(client.post("/book/who", data={**form, **other})) == "/book/next"
    assert count(Client) == 1 + (becomes == "another")
    if becomes == "the same":
        assert '" checked' in client.get("/book/health/1").text
        return
    assert walk.location(client.get("/book/next")) == "/book/health"
    assert walk.location(client.get("/book/health")) == "/book/health/1"
    assert "every question is asked again" in client.get("/book/health/1").text
    assert walk.location(client.get("/book/health/sign")) == "/book/health/1"
    assert walk.location(walk.sign(client)) == "/book/health/1"
    assert count(Intake) == 0
    checked: set[str] = set()
    for number in range(1, len(pages("intake")) + 1):
        page = client.get(f"/book/health/{number}").text
        checked |= set(re.findall(r'name="c\.(\w+)"[^>]*value="yes" checked', page))
        assert not re.search(r'name="c\.\w+"[^>]*value="no" checked', page)
    assert checked == (told if becomes == "a slip" else set())


@pytest.mark.parametrize("swept", [False, True], ids=["seen at the button", "swept by the worker"])
def test_a_hold_that_ran_out_is_taken_again_when_it_is_free(client: FlaskClient, swept: bool) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        walk.hold(client, "swedish")
        clock.shift(dt.timedelta(minutes=20))
        if swept:
            keep_deadlines(NOW + dt.timedelta(minutes=20))
        assert "no longer kept" in client.get("/book/who").text
        walk.name(client)
        walk.answer(client)
        walk.sign(client)
        clock.shift(dt.timedelta(minutes=20))
        assert walk.location(walk.confirm(client)) == "/book/done"
    assert [(one.status, one.starts_at) for one in visits()] == [("confirmed", w.at(3))]


@pytest.mark.parametrize("swept", [False, True], ids=["seen at the button", "swept by the worker"])
def test_a_hold_that_ran_out_and_was_taken_leads_to_the_nearest_times(
    client: FlaskClient, world: w.World, swept: bool
) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        walk.up_to_check(client, "swedish", {})
        seen = walk.hidden(client.get("/book/check"), "seen")
        clock.shift(dt.timedelta(minutes=45))
        if swept:
            keep_deadlines(NOW + dt.timedelta(minutes=45))
        for number in world.therapists:
            other = w.person()
            w.sign(other)
            book_visit(
                w.choice("swedish"),
                other,
                w.at(3),
                request_key=f"k{number}",
                source="desk",
                by=world.desk_id,
                now=NOW + dt.timedelta(minutes=45),
            )
        page = client.post("/book/check", data={"seen": seen})
        assert page.status_code == 409, (
            "the page was open all the while, and nobody changed it in another tab"
        )
        assert "Nearest free times" in page.text
        assert "been taken" in page.text
        slot = walk.first(r'class="soon-slot" type="submit" name="slot" value="([^"]+)"', page)
        again = client.post("/book/swedish/times", data={"minutes": "60", "slot": slot})
        assert walk.location(again) == "/book/next"
        assert walk.location(client.get("/book/next")) == "/book/check", "who and health are kept"


def test_a_time_that_just_went_shows_the_nearest_free_ones(client: FlaskClient, world: w.World) -> None:
    for _ in world.therapists:
        other = w.person()
        w.sign(other)
        w.at_desk(world, other, "swedish")
    page = walk.hold(client, "swedish")
    assert page.status_code == 409
    assert "just been taken" in page.text
    assert page.text.count('class="soon-slot"') == 3
    assert count(Checkout) == 0


def test_only_what_is_soonest_is_called_so(client: FlaskClient) -> None:
    """A day further ahead shows its own two weeks; what is free first in these is not the soonest."""
    walk.book(client, "swedish")
    mail = db.session.scalars(select(OutgoingMail).where(OutgoingMail.key.startswith("visit_booked"))).one()
    link = re.search(r"/visit/[\w-]{43}", mail.text)
    assert link
    for path in ("/book/swedish/times?minutes=60", f"{link[0]}/move?"):
        for days, is_soonest in ((13, True), (14, False)):
            page = client.get(f"{path}&day={(w.TODAY + dt.timedelta(days=days)).isoformat()}").text
            assert (path, days, "Soonest" in page, "Or choose a day" in page) == (
                path,
                days,
                *[is_soonest] * 2,
            )
            assert page.count('class="slot"') > 20


def test_a_lost_session_starts_again_and_says_so(client: FlaskClient, app: Flask) -> None:
    walk.up_to_check(client, "swedish", {})
    other = app.test_client()
    for path in ("/book/next", "/book/who", "/book/health/3", "/book/check", "/book/done", "/book/letter"):
        assert walk.location(other.get(path)) == "/book"
    for path in (
        "/book/who",
        "/book/health/3",
        "/book/health/3/keep",
        "/book/health/sign",
        "/book/check",
        "/book/call",
    ):
        assert walk.location(other.post(path, data={"seen": "1.1"})) == "/book"
    assert "Nothing is booked" in other.get("/book").text
    assert [one.status for one in visits()] == ["held"]


@pytest.mark.parametrize(
    "changes",
    [
        {"minutes": "61"},
        {"minutes": HOSTILE},
        {"minutes": "9" * 400},
        {"mode": "interval"},
        {"mode": HOSTILE},
        {"addons": ["gold_leaf"]},
        {"addons": [HOSTILE] * 50},
        {"slot": "yesterday"},
        {"slot": ""},
        {"slot": "2026-06-12T25:99Z"},
        {"slot": moment_text(w.at(-3))},
        {"slot": moment_text(w.at(0, 9, 30))},
        {"slot": moment_text(w.at(3, 10, 7))},
        {"slot": moment_text(w.at(3, 3))},
        {"slot": moment_text(w.at(200))},
        {"therapist": "999999"},
        {"where": "parts", "areas": ["no_such_area"]},
    ],
)
def test_what_is_not_on_offer_is_never_held(client: FlaskClient, changes: dict[str, object]) -> None:
    answer = client.post(
        "/book/swedish/times", data={"minutes": "60", "slot": moment_text(w.at(3)), **changes}
    )
    assert answer.status_code in (303, 409, 422)
    assert visits() == []
    if answer.status_code == 303:
        assert client.get(walk.location(answer)).status_code in (200, 422)


@pytest.mark.parametrize(
    "path",
    [
        "/book/no_such_service",
        "/book/no_such_service/times?minutes=60",
        "/book/health/0",
        "/book/health/99",
        "/visit/" + "x" * 43,
        "/visit/x/move",
    ],
)
def test_what_is_not_there_is_a_calm_404(client: FlaskClient, path: str) -> None:
    walk.up_to_check(client, "swedish", {})
    assert client.get(path).status_code == 404


def test_an_unknown_service_cannot_be_held(client: FlaskClient) -> None:
    assert client.post("/book/no_such/times", data={"minutes": "60"}).status_code == 404


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("first_name", "", "Enter the first name."),
        ("first_name", "x" * 5000, "at most 80 characters"),
        ("last_name", " ", "Enter the last name. For somebody with one name only, write a dash (-)."),
        ("email", "nora", "needs an @"),
        ("email", "", "we send the confirmation there"),
        ("phone", "call me", "does not look like a phone number"),
        ("phone", "", "so that we can reach you"),
        ("born_day", "31", "There is no such day"),
        ("born_year", "", "Give the day, the month and the year"),
        ("born_year", "3024", "lies in the future"),
        ("born_year", "1850", "Check the year"),
        ("born_year", "२०२०", "Give the day, the month and the year"),
        ("born_month", HOSTILE, "Give the day, the month and the year"),
        ("relation", "boss", "Choose"),
    ],
)
def test_wrong_details_are_said_at_their_field_and_kept(
    client: FlaskClient, field: str, value: str, says: str
) -> None:
    walk.hold(client, "swedish")
    month = {"born_month": "2"} if value == "31" else {}
    page = walk.name(client, **month, **{field: value})
    assert page.status_code == 422
    assert says in page.text.replace("&#39;", "'")
    kept = "Nora" if field != "first_name" else "Walker"
    assert f'value="{kept}' in page.text
    assert "<script>alert" not in page.text
    assert count(Client) == 0
    assert walk.location(walk.name(client)) == "/book/next"


def test_all_that_is_wrong_is_said_at_once(client: FlaskClient) -> None:
    walk.hold(client, "swedish")
    page = walk.name(client, email="nora", phone="12", born_day="31", born_month="2")
    assert "Please check 3 answers" in page.text
    for says in ("needs an @", "does not look like a phone number", "There is no such day"):
        assert says in page.text


def test_an_answer_to_a_form_says_where_back_leads(client: FlaskClient) -> None:
    """A browser cannot show it again (tests/journeys/test_client_books.py)."""
    walk.hold(client, "swedish")
    assert "data-comes-back-to" not in client.get("/book/who").text
    assert 'data-comes-back-to="/book/who"' in walk.name(client, email="nora").text


def test_hostile_names_are_shown_as_text(client: FlaskClient) -> None:
    page = walk.book(client, "swedish", who={"first_name": HOSTILE[:80]})
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;" in page.text


def test_somebody_elses_person_cannot_be_chosen(client: FlaskClient, world: w.World) -> None:
    theirs = w.person()
    walk.hold(client, "swedish")
    answer = client.post("/book/person", data={"person": str(theirs)})
    assert walk.location(answer).startswith("/sign-in")
    assert visits()[0].client_id is None


def test_the_hour_that_is_there_twice_is_told_apart(client: FlaskClient) -> None:
    """A night clinic on the day the clock goes back: both 1:15 are offered, and both can be booked."""
    place = db.session.scalars(select(Location)).one()
    factories.make_opening_hours(place, opens="00:00", closes="05:00")
    for one in db.session.scalars(select(Therapist)).all():
        factories.make_hours(one, place, starts="00:00", ends="05:00", weekdays=range(7))
    night = dt.datetime(2026, 10, 20, 12, tzinfo=dt.UTC)
    with time_machine.travel(night, tick=False):
        page = client.get("/book/swedish/times?minutes=60&day=2026-11-01")
        assert "1:15 am EDT" in page.text
        assert "1:15 am EST" in page.text
        for moment in ("2026-11-01T05:15Z", "2026-11-01T06:15Z"):
            answer = client.post("/book/swedish/times", data={"minutes": "60", "slot": moment})
            assert walk.location(answer) == "/book/next"
            assert [moment_text(one.starts_at) for one in visits()] == [moment]


def test_hidden_characters_never_reach_a_name(client: FlaskClient) -> None:
    walk.hold(client, "swedish")
    page = walk.name(client, first_name="\u200b\u3164", last_name="Lee")
    assert (page.status_code, count(Client)) == (422, 0)
    walk.location(walk.name(client, first_name="\u202eAnn\u202c", last_name="ره\u200cنورد"))
    db.session.rollback()
    one = db.session.scalars(select(Client)).one()
    assert (one.first_name, one.last_name) == ("Ann", "ره\u200cنورد")


def test_somebody_with_one_name_writes_a_dash_which_is_kept_as_no_name(client: FlaskClient) -> None:
    walk.hold(client, "swedish")
    walk.location(walk.name(client, first_name="Sukarno", last_name="–"))
    db.session.rollback()
    one = db.session.scalars(select(Client)).one()
    assert (one.first_name, one.last_name, one.name, one.name_key) == ("Sukarno", "", "Sukarno", "sukarno")
    page = client.get("/book/who").text
    assert re.search(r'name="last_name"[^>]*value="-"|value="-"[^>]*name="last_name"', page)
    walk.answer(client)
    walk.sign(client, name="Sukarno")
    walk.confirm(client)
    assert re.search(r">\s*Sukarno\s*<", client.get("/book/done").text)


def test_the_page_about_a_warning_sign_is_there_after_a_reload_too(client: FlaskClient) -> None:
    walk.hold(client, "swedish")
    walk.name(client)
    number = walk.number_of("urgent_now")
    form = walk.page_form(number, {"rf_chest_pain_breathless": {}})
    assert "Please get medical help now" in client.post(f"/book/health/{number}", data=form).text
    for address in (f"/book/health/{number}", "/book/check", "/book/next"):
        assert walk.location(client.get(address)) == "/book/stopped"
    assert "Please get medical help now" in client.get("/book/stopped").text
    assert [one.status for one in visits()] == []
    walk.hold(client, "swedish", w.at(4))
    page = client.get(walk.location(client.get("/book/next"))).text
    assert "Please talk to us first" in page, "a booking that is begun anew"


def test_where_another_time_is_chosen_the_kept_one_can_be_kept(client: FlaskClient) -> None:
    kept, back = "is kept for you until", 'href="/book/next"'
    pages = "/book/swedish/times?minutes=60", "/book/swedish"
    assert [kept in client.get(one).text for one in pages] == [False, False]
    with time_machine.travel(NOW, tick=False) as clock:
        walk.up_to_check(client, "swedish", {})
        for page in pages:
            assert (kept in client.get(page).text, back in client.get(page).text) == (True, True), page
        clock.shift(dt.timedelta(minutes=45))
        assert kept not in client.get(pages[0]).text


def test_signed_answers_can_be_looked_at_and_left_as_they_are(client: FlaskClient) -> None:
    keep = "Keep my answers as I signed them"
    walk.hold(client, "swedish")
    walk.name(client)
    assert keep not in client.get("/book/health/1").text
    walk.answer(client)
    assert keep not in client.get("/book/health/sign").text
    walk.sign(client)
    for page in ("/book/health/sign", "/book/health/1"):
        assert keep in client.get(page).text, page
    assert walk.location(walk.confirm(client)) == "/book/done"
