"""A client books for two at once online: both are confirmed or neither, and nobody reads what the other one told."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from clinic.booking.forms.choice import moment_text
from clinic.booking.models import Checkout, Claim, Couple, Visit
from clinic.booking.services import people, visits
from clinic.booking.services._chosen import plan_as_chosen
from clinic.booking.services.checkout import Choice
from clinic.booking.services.couple_online import Companion, Planned, book_with, both_as_planned
from clinic.booking.views import book_couple
from clinic.catalogue.models import ServiceLength
from clinic.clients.models import Client, ClientAccess
from clinic.clients.steps import Details
from clinic.intake.models import Intake
from clinic.premises.models import Room
from clinic.rules.errors import BarredOnline, HoldExpired, InvalidInput, NotFound
from clinic.rules.permissions import Role
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from clinic.therapists.models import Therapist
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.booking.test_book_series import to_check
from tests.booking.test_pages_own import LAST_MONTH, Account
from tests.booking.test_series import BLEEDS, rows, somebody
from tests.conftest import NOW
from tests.owners import browser_of

pytestmark = pytest.mark.usefixtures("now")
NOT_BOTH = "This cannot be booked for both as it is."


@pytest.fixture
def world(app: Flask) -> w.World:
    return w.build_for_two()


@pytest.fixture
def account(app: Flask, world: w.World) -> Account:
    made = Account(app)
    w.sign(made.client_id, now=LAST_MONTH)
    return made


def child_of(account: Account, **declared: Any) -> int:
    """Somebody else whom the account may act for, with signed answers of today."""
    made: int = factories.make_client(
        first_name="Paula",
        last_name="Partner",
        born_on=dt.date(1985, 5, 5),
        acts={account.user_id: "partner"},
    ).id
    if declared.pop("signs", True):
        w.sign(made, **declared)
    return made


def named(**values: Any) -> dict[str, str]:
    return {
        "who": "new", "relation": "partner", "first_name": "Frida", "last_name": "Friend", "born_day": "4",
        "born_month": "7", "born_year": "1988", "email": "frida@people.example", "phone": "(212) 555-0177", **values,
    }  # fmt: skip


def at_time(page: str) -> str:
    """The first of the times that are offered for two."""
    found = re.search(r'name="start" value="([^"]+)"', page)
    assert found, page
    return found[1]


def pair() -> list[Visit]:
    """Both visits, that of the account's own person first."""
    db.session.rollback()
    found = db.session.scalars(
        select(Visit).where(Visit.status.not_in(("held", "released"))).order_by(Visit.id)
    ).all()
    return sorted(found, key=lambda one: one.client is None or one.client.first_name != "Ann")


def mails(to: str) -> list[OutgoingMail]:
    db.session.rollback()
    return list(
        db.session.scalars(select(OutgoingMail).where(OutgoingMail.to == to).order_by(OutgoingMail.id))
    )


def link_in(text: str) -> str:
    found = re.search(r"(/visit/[\w-]+)", text)
    assert found
    return found[1]


def test_two_people_of_one_account_are_booked_at_once(account: Account) -> None:
    browser, other = account.browser, child_of(account)
    assert "/book/couple" in to_check(account)
    asked = browser.get("/book/couple")
    assert ("Paula Partner" in asked.text, "Fill this in only" in asked.text) == (True, True)
    assert f'value="{account.client_id}"' not in asked.text
    page = browser.post("/book/couple", data={"who": str(other)})
    assert moment_text(w.at(3)) in re.findall(r'name="start" value="([^"]+)"', page.text), "the kept time"
    assert rows(Couple) == 0
    sent = {"who": str(other), "start": moment_text(w.at(3))}
    sent |= walk.seen_for_two(browser, sent)
    assert rows(Couple) == 0, "only looked at"
    assert browser.post("/book/couple", data=sent).location == "/book/done"
    assert browser.post("/book/couple", data=sent).location == "/book/done", "a double click"
    one, two = pair()
    assert [(v.status, v.starts_at, v.source) for v in (one, two)] == [("confirmed", w.at(3), "online")] * 2
    assert (one.client_id, two.client_id) == (account.client_id, other)
    assert one.couple_id == two.couple_id
    assert one.room_id == two.room_id
    assert one.therapist_id != two.therapist_id
    assert db.session.scalars(select(Checkout.visit_id)).all() == [one.id]
    held = db.session.scalars(select(Visit.id).where(Visit.status == "released")).one()
    assert db.session.scalars(select(Claim.id).where(Claim.visit_id == held)).all() == []
    assert "Your visit is booked" in browser.get("/book/done").text


def test_somebody_named_answers_by_a_mailed_link_and_both_are_confirmed(
    account: Account, client: FlaskClient
) -> None:
    browser = account.browser
    to_check(account)
    alone = browser.get("/book/couple").text  # nobody else to choose: nothing to choose is asked
    assert ('type="radio"' in alone, "Fill this in only" in alone) == (False, False)
    assert "Enter their e-mail address" in browser.post("/book/couple", data=named(email="")).text
    page = browser.post("/book/couple", data=named())
    assert walk.for_two(browser, named(start=at_time(page.text))).location == "/book/done"
    own = browser.get(f"/my/visits/{pair()[0].id}").text
    assert ("so is yours, and we write to you" in own, "To move a visit for two" in own) == (True, True)
    assert "cannot be moved online" in browser.get(f"/my/visits/{pair()[0].id}/move").text
    one, two = pair()
    assert [(v.status, v.waiting_for) for v in (one, two)] == [("pending", "partner"), ("pending", "intake")]
    assert one.deadline_at == two.deadline_at
    assert two.client is not None
    assert two.client.is_unproven
    told = browser.get("/book/done").text
    assert "We keep this time for both of you" in told
    assert "We have written to Frida Friend" in told
    (mail,) = mails("frida@people.example")
    assert "health" not in mail.subject.lower()
    assert "Ann" not in mail.subject
    link = link_in(mail.text)
    shown = client.get(link).text
    assert f"{link}/health/1" in shown
    assert shown.count("Answer the health questions") == 1, (
        "asked for once, and the only thing that is filled"
    )
    assert shown.count("btn-primary") == 1
    assert f"{link}/check-in" not in shown, "there are no earlier answers that could have changed"
    assert walk.answer(client, base=f"{link}/health").location == f"{link}/health/sign"
    assert walk.sign(client, base=f"{link}/health", name="Frida Friend").location == link
    assert walk.sign(client, base=f"{link}/health", name="Frida Friend").location == link, "a double click"
    assert [v.status for v in pair()] == ["confirmed", "confirmed"]
    assert client.get(f"{link}/health/1").location == link, "what was signed is not shown by the link"
    assert "Answer the health questions" not in client.get(link).text


def words_of(page: str) -> str:
    """A page's own words, without its code."""
    main = page.partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", main)))


def test_it_is_said_that_it_is_for_two_and_with_whom_to_whoever_typed_the_name(
    app: Flask, account: Account, client: FlaskClient, world: w.World
) -> None:
    """By the name as it was typed, also once that record became part of another one."""
    browser = account.browser
    to_check(account)
    page = browser.post("/book/couple", data=named(last_name="O'Friend"))
    walk.for_two(browser, named(last_name="O'Friend", start=at_time(page.text)))
    one, two = pair()
    home = f"/my/visits/{one.id}"
    done = browser.get("/book/done").text
    assert f'href="{home}"' in done
    known = factories.make_client(first_name="Frieda", last_name="Known", born_on=dt.date(1988, 7, 4)).id
    for merged in (False, True):
        if merged:
            people.merge_clients(known, two.client_id or 0, by=world.desk_id, now=NOW)
            assert pair()[1].client_id == known
        for path in ("/book/done", "/my", home):
            shown = words_of(browser.get(path).text)
            assert (path, shown.lower().count("for two, with frida o'friend")) == (path, 1)
            assert (path, shown.lower().count("not confirmed")) == (path, 1)
            assert "Known" not in shown
    theirs = words_of(client.get(link_in(mails("frida@people.example")[0].text)).text)
    by_link = words_of(client.get(link_in(mails("ann@people.example")[-1].text)).text)
    for shown in (theirs, by_link):
        assert ("For two" in shown, "For two, with" in shown) == (True, False)
    other = Account(app, email="bob@people.example")
    factories.save(ClientAccess(user_id=other.user_id, client_id=one.client_id, relation="carer", since=NOW))
    shown = words_of(other.browser.get(home).text)
    assert ("For two" in shown, "Frida" in shown) == (True, False), "another account typed it"
    assert "for two, with" not in words_of(other.browser.get("/my").text).lower()


def test_people_of_one_account_are_named_in_both_of_their_visits(account: Account) -> None:
    browser, other = account.browser, child_of(account)
    to_check(account)
    walk.for_two(browser, {"who": str(other), "start": moment_text(w.at(3))})
    one, two = pair()
    for visit, whom in ((one, "Paula Partner"), (two, "Ann ann")):
        assert f"For two, with {whom}" in words_of(browser.get(f"/my/visits/{visit.id}").text)
        assert words_of(browser.get("/my").text).count(f"for two, with {whom}") == 1
    done = browser.get("/book/done").text
    assert ("For two, with Paula Partner" in words_of(done), f'href="/my/visits/{one.id}"' in done) == (
        True,
        True,
    )
    visits.cancel_visit(two.id, by=None, by_clinic=True, now=NOW)
    for path in ("/book/done", "/my", f"/my/visits/{one.id}", f"/my/visits/{two.id}"):
        assert (path, "for two" in words_of(browser.get(path).text).lower()) == (path, False)


def test_both_are_looked_at_before_they_are_booked(account: Account, world: w.World) -> None:
    """With whom, when, at what price and on what terms; nothing is kept or written before the button is pressed."""
    browser = account.browser
    to_check(account)
    form = named(start=moment_text(w.at(3)))
    look = browser.post("/book/couple", data=form)
    shown = words_of(look.text).replace("\xa0", " ").replace("\u202f", " ")
    assert walk.heading(look) == "Is everything right?"
    assert (rows(Couple), rows(OutgoingMail), rows(Client)) == (0, 0, 1)
    names = re.findall(r"Therapist (Terry \d)", shown)
    assert shown.count("Friday 12 June, 10:00 am to 11:15 am") == 2
    prices = re.findall(r"\$[\d.]+", shown)
    assert float(prices[2][1:]) == 2 * float(prices[0][1:]) == 2 * float(prices[1][1:])
    for said in (
        "Ann ann",
        "Frida Friend",
        "paid at the clinic",
        "until Thursday 11 June",
        "To move a visit for two",
        "Both visits are confirmed or neither",
    ):
        assert said in shown
    back = browser.post("/book/couple", data={**named(), "seen": walk.hidden(look, "seen")}).text
    assert ('value="Frida"' in back, 'name="start"' in back) == (True, True), (
        "another time, and nothing typed again"
    )
    # What was looked at is not what would be booked any more: it is shown as it stands, and not booked unseen.
    other = somebody()
    w.at_desk(
        world,
        other,
        "relaxation",
        when=w.at(3),
        therapist_id=next(
            one for one in world.therapists if db.session.get_one(Therapist, one).name == names[1]
        ),
    )
    again = browser.post("/book/couple", data={**form, "seen": walk.hidden(look, "seen")})
    assert ("This is how it stands now." in again.text, rows(Couple)) == (True, 0)
    theirs = re.findall(r"Therapist (Terry \d)", words_of(again.text))
    sent = {**form, "seen": walk.hidden(again, "seen")}
    assert browser.post("/book/couple", data=sent).location == "/book/done"
    assert [one.therapist.name for one in pair() if one.couple_id] == theirs != names


def for_somebody_else(account: Account, other: int) -> None:
    """In another tab the same booking is for another person of the account."""
    account.browser.post("/book/person", data={"person": str(other)})
    account.browser.post("/book/health", data={"go": "same"})


def for_another_treatment(account: Account, _other: int) -> None:
    to_check(account, "swedish")


@pytest.mark.parametrize("meanwhile", [for_somebody_else, for_another_treatment])
def test_nothing_is_booked_for_two_that_the_look_did_not_show(
    account: Account, meanwhile: Callable[[Account, int], None]
) -> None:
    with transaction() as session:
        session.execute(update(ServiceLength).values(price=9000))  # by their price alone they are one
    other = child_of(account)
    to_check(account)
    sent = named(start=moment_text(w.at(3)))
    seen = walk.seen_for_two(account.browser, sent)
    meanwhile(account, other)
    page = account.browser.post("/book/couple", data={**sent, **seen})
    assert "changed meanwhile" in page.text
    assert rows(Couple) == 0
    walk.for_two(account.browser, sent)
    assert rows(Couple) == 1


def test_a_name_that_the_desk_has_written_since_is_not_told(account: Account, world: w.World) -> None:
    to_check(account)
    walk.for_two(account.browser, named(start=moment_text(w.at(3))))
    one, two = pair()
    corrected = Details(
        "Frieda", "Secret", dt.date(1988, 7, 4), email="frida@people.example", phone="(212) 555-0177"
    )
    people.change_details(two.client_id or 0, corrected, by=world.desk_id, now=NOW)
    for page in ("/book/done", "/my", f"/my/visits/{one.id}"):
        told = words_of(account.browser.get(page).text)
        assert "or two" in told
        assert "Secret" not in told


def test_a_time_for_two_that_went_after_the_look_is_not_free_any_more(
    account: Account, world: w.World
) -> None:
    browser, form = account.browser, named(start=moment_text(w.at(4)))
    to_check(account)
    seen = walk.seen_for_two(browser, form)
    for one in world.therapists[:2]:
        w.at_desk(world, somebody(), "relaxation", when=w.at(4), therapist_id=one)
    gone = browser.post("/book/couple", data={**form, **seen})
    assert (gone.status_code, "not free for both any more" in gone.text, rows(Couple)) == (409, True, 0)
    assert browser.post("/book/couple", data=form).status_code == 409


def test_what_changes_between_the_look_and_the_booking_of_one_request_is_looked_at_again(
    account: Account, world: w.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mark is compared before the transaction that books: another therapist, or another price, is shown first."""
    browser, form = account.browser, named(start=moment_text(w.at(4)))
    to_check(account)
    look = both_as_planned

    def taken(planned: Any) -> None:
        w.at_desk(world, somebody(), "relaxation", when=w.at(4), therapist_id=planned[0].therapist_id)

    def dearer(_planned: Any) -> None:
        with transaction() as session:
            session.execute(update(ServiceLength).values(price=ServiceLength.price + 500))

    for happens in (dearer, taken):
        seen = walk.seen_for_two(browser, form)
        left: list[Callable[[Any], None]] = [happens]

        def and_then(*args: Any, left: list[Callable[[Any], None]] = left, **kwargs: Any) -> Any:
            planned = look(*args, **kwargs)
            while left:
                left.pop()(planned)
            return planned

        monkeypatch.setattr(book_couple, "both_as_planned", and_then)
        again = browser.post("/book/couple", data={**form, **seen})
        monkeypatch.setattr(book_couple, "both_as_planned", look)
        assert (again.status_code, "changed meanwhile" in again.text) == (200, True), happens
        assert (left, rows(Couple)) == ([], 0)
    shown = walk.seen_for_two(browser, form)
    browser.post("/book/couple", data={**form, **shown})
    assert [one.any_therapist for one in pair() if one.couple_id is not None] == [True, True]


def test_who_is_asked_for_by_the_one_is_not_asked_for_the_other(account: Account, world: w.World) -> None:
    """Of two people one asks for a woman: whoever comes along is treated by anybody, as the times say."""
    with transaction() as session:
        for number, gender in zip(world.therapists, ("woman", "man", "man"), strict=True):
            session.get_one(Therapist, number).gender = gender
    browser, form = account.browser, named(start=moment_text(w.at(3)))
    walk.location(walk.hold(browser, "relaxation", gender="woman"))
    browser.post("/book/person", data={"person": str(account.client_id)})
    browser.post("/book/health", data={"go": "same"})
    assert walk.for_two(browser, form).location == "/book/done"
    assert [(one.asked_gender, one.therapist.gender) for one in pair()] == [("woman", "woman"), ("", "man")]


def test_who_is_refused_is_told_and_the_other_one_never_reads_why(
    account: Account, client: FlaskClient
) -> None:
    """The second one's answers speak against it: neutral words for the first one, who may come alone."""
    browser = account.browser
    to_check(account, "deep_tissue")
    page = browser.post("/book/couple", data=named())
    walk.for_two(browser, named(start=at_time(page.text)))
    link = link_in(mails("frida@people.example")[0].text)
    walk.answer(client, BLEEDS, base=f"{link}/health")
    walk.sign(client, base=f"{link}/health", name="Frida Friend")
    one, two = pair()
    assert (one.status, one.waiting_for, two.status) == ("pending", "partner", "cancelled")
    mail = mails("ann@people.example")[-1]
    assert mail.key.startswith("couple_apart:")
    assert "cannot be booked for both as it is" in mail.text
    shown = browser.get(f"/my/visits/{one.id}").text
    assert NOT_BOTH[:-1] in shown
    for text in (shown, mail.text, mail.subject):
        assert not re.search("bleed|haemophilia|answers? do|refus|Frida", text)
    stranger = browser_of(
        client.application, factories.make_user(email="x@people.example", roles=[Role.CLIENT])
    )
    assert stranger.post(f"/my/visits/{one.id}/alone").status_code == 404
    assert browser.post(f"/my/visits/{one.id}/alone").status_code == 303
    assert pair()[0].status == "confirmed"
    assert browser.post(f"/my/visits/{one.id}/alone").status_code == 409, "there is nothing left to say"


def test_naming_somebody_in_the_book_shows_nothing_of_them(account: Account, client: FlaskClient) -> None:
    """Whoever is named is a record of their own. What is known of whom they look like is found out by the desk."""
    known = factories.make_client(
        first_name="Frida", last_name="Friend", born_on=dt.date(1988, 7, 4), email="frida@people.example"
    ).id
    w.sign_answers(known, BLEEDS)
    before = rows(Intake)
    to_check(account, "deep_tissue")
    page = account.browser.post("/book/couple", data=named())
    answer = walk.for_two(account.browser, named(start=at_time(page.text)))
    assert answer.location == "/book/done"
    one, two = pair()
    assert [(v.status, v.waiting_for) for v in (one, two)] == [("pending", "partner"), ("pending", "intake")]
    assert two.client_id != known
    link = link_in(mails("frida@people.example")[0].text)
    assert "haemophilia" not in client.get(f"{link}/health/1").text
    walk.answer(client, base=f"{link}/health")
    walk.sign(client, base=f"{link}/health", name="Frida Friend")
    one, two = pair()
    assert [(v.status, v.waiting_for) for v in (one, two)] == [("pending", "partner"), ("pending", "review")]
    assert rows(Intake) == before + 2, "the account's own, and that of the new record"
    told = [one.key.partition(":")[0] for one in mails("ann@people.example")]
    assert told == ["visit_waiting", "visit_confirmed_now"], "as with somebody whom nobody knows"


def test_what_is_known_of_either_is_refused_in_the_same_words(account: Account) -> None:
    browser, other = account.browser, child_of(account, **BLEEDS)
    to_check(account, "deep_tissue")
    sent = {"who": str(other), "start": moment_text(w.at(3))}
    theirs = walk.for_two(browser, sent)
    assert theirs.status_code == 409
    assert NOT_BOTH in theirs.text
    w.sign_answers(account.client_id, BLEEDS)
    own = walk.for_two(browser, named(start=moment_text(w.at(3))))
    assert own.status_code == 409
    assert NOT_BOTH in own.text
    assert (rows(Couple), rows(OutgoingMail)) == (0, 0)
    assert db.session.scalars(select(Client.id).where(Client.email == "frida@people.example")).all() == []
    assert [one.status for one in db.session.scalars(select(Visit))] == ["held"]


def test_bad_input_and_whoever_may_not(app: Flask, account: Account, world: w.World) -> None:
    browser = account.browser
    assert browser.get("/book/couple").location == "/book"
    to_check(account)
    stranger = somebody()
    for typed in (
        {}, {"who": "no"}, {"who": str(stranger)}, {"who": str(account.client_id), "start": moment_text(w.at(3))},
        named(first_name=""), named(email=""), named(email="x"), named(phone=""), named(born_year="2015"),
        named(born_month=""), named(first_name="Ann", last_name="ann", born_day="3", born_month="3", born_year="1980"),
    ):  # fmt: skip
        answer = browser.post("/book/couple", data=typed)
        assert (typed, answer.status_code) == (typed, 422)
    with browser.session_transaction() as kept:
        token = kept["checkout"]
    other = Account(app, email="bob@people.example")
    w.sign(other.client_id)
    with transaction() as session:
        session.execute(update(Client).where(Client.id == other.client_id).values(is_barred_online=True))
        session.add(
            ClientAccess(user_id=account.user_id, client_id=other.client_id, relation="carer", since=NOW)
        )
    choice: Choice = w.choice("relaxation")
    plan = plan_as_chosen(choice, True)
    shown = Planned(world.therapists[0], plan), Planned(world.therapists[1], plan)
    for (key, client_id, companion, by), refusal in (
        (("", account.client_id, Companion(other.client_id), account.user_id), HoldExpired),
        ((token, other.client_id, Companion(account.client_id), other.user_id), HoldExpired),
        ((token, account.client_id, Companion(other.client_id), other.user_id), NotFound),
        ((token, account.client_id, Companion(stranger), account.user_id), NotFound),
        ((token, account.client_id, Companion(account.client_id), account.user_id), InvalidInput),
        ((token, account.client_id, Companion(other.client_id), account.user_id), BarredOnline),
    ):
        with pytest.raises(refusal):
            book_with(key, choice, client_id, companion, w.at(3), looked_at=shown, user_id=by, now=NOW)
    with transaction() as session:
        session.execute(update(Room).values(tables=1))
    assert browser.get("/book/couple").status_code == 409
    assert "/book/couple" not in browser.get("/book/check").text
    assert rows(Couple) == 0
