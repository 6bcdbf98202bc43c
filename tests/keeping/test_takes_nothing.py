"""A record that was erased takes nothing more, whichever form was still open; what stays of it can be read and used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from clinic.accounts.models import MailedLink, User, UserSession
from clinic.accounts.services import emails, links
from clinic.accounts.steps import SignedOut
from clinic.booking.models import CallRequest, Screening, Visit, WaitlistWish
from clinic.booking.services import calls, checkout, holds, restricting, sending, undoing, waitlist
from clinic.booking.services import people as details
from clinic.booking.services.visits import mark_visit
from clinic.booking.timed_messages import TimedMessage
from clinic.clients import services as clients
from clinic.clients.models import Client, ClientAccess, ClientNote
from clinic.clients.steps import Details
from clinic.intake.models import (
    AnswersOpening,
    BadReaction,
    ClearanceLetter,
    Consent,
    Intake,
    IntakeDraft,
    TabletPass,
)
from clinic.intake.services import consents, intakes, openings, reactions, tablets
from clinic.keeping.models import Erasure, KeepingPeriod
from clinic.keeping.queries import due_people, people
from clinic.keeping.services import _erasing, erasing, expiring
from clinic.records.models import SessionNote
from clinic.records.services import notes
from clinic.rules.errors import NotFound
from clinic.rules.messages import AFTERCARE
from clinic.rules.permissions import Role
from clinic.rules.visit_status import VisitStatus
from clinic.rules.waitlist import When
from clinic.shared import backups, crypto, rotation
from clinic.shared.backups import people as people_keys
from clinic.shared.database import Base, db, transaction
from clinic.shared.mail import OutgoingMail
from clinic.therapists.models import Therapist, TherapistRestriction
from tests import factories
from tests.accounts.people import ORIGIN, make_person
from tests.at_once import Deeds, deeds
from tests.booking import world as w
from tests.conftest import NOW
from tests.intake import letters
from tests.owners import browser_of

__all__ = ["deeds"]
pytestmark = [pytest.mark.every_way_on_both, pytest.mark.usefixtures("now")]
LATER = NOW + dt.timedelta(hours=1)
WHO = Details("Ann", "Canary", dt.date(1985, 5, 5), email="ann@people.example", emergency_contact="Bob")
TAKEN = (
    AnswersOpening, BadReaction, CallRequest, ClearanceLetter, ClientAccess, ClientNote, Consent, Intake, IntakeDraft,
    Screening, SessionNote, TabletPass, TherapistRestriction, Visit, WaitlistWish,
)  # fmt: skip


class Ann:
    """Somebody who was here once, and who works there."""

    def __init__(self, world: w.World) -> None:
        self.world, self.id = world, factories.make_client(
            first_name="Ann", last_name="Canary", born_on=dt.date(1985, 5, 5), email="ann@people.example"
        ).id  # fmt: skip
        w.sign(self.id)
        self.visit_id = w.at_desk(world, self.id, "relaxation", when=w.at(0, 15)).visit_id or 0
        self.therapist_id = world.therapists[0]
        self.user_id = factories.make_user(email="t@team.example", roles=[Role.THERAPIST], name="Tess").id
        at = dict.fromkeys(("created_at", "last_seen_at", "proved_at"), NOW)
        self.session_id = factories.save(UserSession(user_id=world.desk_id, token_hash="t", **at)).id
        with transaction() as session:
            session.get_one(Visit, self.visit_id).status = "done"
            session.get_one(Visit, self.visit_id).therapist_id = self.therapist_id
            session.get_one(Therapist, self.therapist_id).user_id = self.user_id

    def deeds(self) -> dict[str, Callable[[], object]]:
        """What people write about her, each through its own door."""
        one, by = self.id, self.world.desk_id
        when = When(dt.date(2026, 6, 15), dt.date(2026, 6, 20))
        return {
            "details": lambda: details.change_details(one, WHO, by=by, now=LATER),
            "note": lambda: clients.write_note(one, "says hello", by=by, now=LATER),
            "bar": lambda: clients.bar_online(one, True, "no shows", by=by, now=LATER),
            "draft": lambda: intakes.save_draft(one, "desk", "intake", {"fever": {"present": True}}, now=LATER),
            "tablet": lambda: tablets.hand_over_tablet(one, by=by, session_id=self.session_id, now=LATER),
            "session note": lambda: notes.write_note(self.visit_id, "her back", by=self.user_id, now=LATER),
            "more care": lambda: restricting.ask_for_more_care(
                self.therapist_id, one, services=[], verdict="caution", reason="because of her back", until=None,
                by=self.user_id, now=LATER,
            ),
            "letter": lambda: letters.send(one),
            "visit": lambda: w.at_desk(self.world, one, "relaxation", when=w.at(5)),
            "call": lambda: calls.ask_for_call(
                client_id=one, visit_id=None, phone="2125550143", about="booking", now=LATER
            ),
            "intake": lambda: w.sign(one, now=LATER),
            "reaction": lambda: reactions.record_bad_reaction(
                one, "bruises", happened_on=NOW.date(), visit_id=None, by=by, now=LATER, today=NOW.date()
            ),
            "consent": lambda: consents.give_guardian_consent(
                one, name="Mum", relation="mother", services=["relaxation"], will_be_in_room=True,
                signed_on=NOW.date(), by=by, now=LATER,
            ),
            "wish": lambda: waitlist.join(
                w.choice("relaxation"), when, one, source="desk", by=by, now=LATER
            ),
            "hold": lambda: holds.keep_time(
                w.choice("relaxation"), w.at(6), client_id=one, source="api", by=None, now=LATER
            ),
            "access": lambda: _give_access(self.user_id, one),
            "note of a visit": lambda: _write_on_visit(self.visit_id),
        }  # fmt: skip


def _give_access(user_id: int, client_id: int) -> None:
    with transaction() as session:
        session.add(ClientAccess(user_id=user_id, client_id=client_id, relation="self", since=LATER))


def _write_on_visit(visit_id: int) -> None:
    with transaction() as session:
        session.get_one(Visit, visit_id).note = "her back"


@pytest.fixture
def ann(world: w.World) -> Ann:
    return Ann(world)


def erase(app: Flask, client_id: int, now: dt.datetime = NOW) -> None:
    db.session.rollback()
    erasing.erase_person(client_id, settings=app.config, by=None, now=now)


def kept() -> dict[str, object]:
    """All rows of what could be taken, and who she is."""
    db.session.rollback()
    rows: dict[str, object] = {
        cls.__tablename__: sorted(db.session.scalars(select(cls.id if hasattr(cls, "id") else cls.client_id)))
        for cls in TAKEN
    }
    person = db.session.execute(select(Base.metadata.tables["client"])).mappings().all()
    return rows | {"who": [dict(one) for one in person]}


def refused(deed: Callable[[], object]) -> bool:
    db.session.rollback()
    try:
        deed()
    except NotFound:
        return True
    finally:
        db.session.rollback()
    return False


@pytest.mark.parametrize("law", [0, 1])
def test_nothing_is_taken_through_any_door(app: Flask, ann: Ann, law: int) -> None:
    """Nor is it of somebody of whom a law keeps the records of treatment."""
    factories.save(KeepingPeriod(kind="law", amount=law))
    erase(app, ann.id)
    before = kept()
    assert [name for name, deed in ann.deeds().items() if not refused(deed)] == []
    assert kept() == before


def test_every_door_is_open_to_whoever_stands(ann: Ann) -> None:
    assert [name for name, deed in ann.deeds().items() if refused(deed)] == []


def test_a_form_that_stood_open_at_the_desk_is_sent_too_late(app: Flask, ann: Ann) -> None:
    desk = browser_of(app, factories.make_user(email="d2@team.example", roles=[Role.FRONT_DESK]))
    assert desk.get(f"/clients/{ann.id}/edit").status_code == 200
    erase(app, ann.id)
    typed = {
        "first_name": "Ann",
        "last_name": "Canary",
        "born_on": "1985-05-05",
        "email": "ann@people.example",
    }
    sent = {
        path: desk.post(f"/clients/{ann.id}/{path}", data=data).status_code
        for path, data in {"edit": typed, "notes": {"text": "says hello"}}.items()
    }
    assert sent == {"edit": 404, "notes": 404}
    assert db.session.get_one(Client, ann.id).name == "Erased"


@pytest.mark.parametrize("what", ["details", "note", "session note", "call"])
def test_who_is_writing_while_they_are_erased_writes_nothing_afterwards(
    app: Flask, deeds: Deeds, ann: Ann, what: str
) -> None:
    """The writer has read the record before it is erased, and writes after it; or both in turn, the erasing last."""
    stops = {
        "details": (details, "write_details"), "note": (clients, "ClientNote"), "session note": (notes, "SessionNote"),
        "call": (calls, "CallRequest"),
    }  # fmt: skip
    deeds.stop_in(*stops[what])
    came = deeds.do(
        ann.deeds()[what], lambda: erasing.erase_person(ann.id, settings=app.config, by=None, now=NOW)
    )
    assert came in (("NotFound", "done"), ("done", "done"))
    left = kept()
    assert (left["client_note"], left["session_note"], left["call_request"]) == ([], [], [])
    row = db.session.get_one(Client, ann.id)
    assert (row.name, row.emergency_contact) == ("Erased", "")


def test_what_a_law_keeps_can_be_read_and_the_books_go_on(app: Flask, ann: Ann) -> None:
    factories.save(KeepingPeriod(kind="law", amount=1))
    owner = factories.make_user(email="o@team.example", roles=[Role.OWNER]).id
    missed = w.at_desk(ann.world, ann.id, "relaxation", when=w.at(0, 11)).visit_id or 0
    with transaction() as session:
        session.get_one(Visit, missed).status = "late_cancelled"
    erase(app, ann.id)
    openings.open_answers(ann.id, "a lawyer asks for them", by=owner, now=LATER)
    row = db.session.scalars(select(Intake).where(Intake.client_id == ann.id)).one()
    assert row.answers["fever"] == {"present": False}
    revision = db.session.get_one(Visit, missed).revision
    later = NOW + dt.timedelta(hours=9)
    db.session.rollback()
    by, passed = ann.world.desk_id, VisitStatus.CANCELLED
    assert mark_visit(missed, passed, revision=revision, by=by, now=later, can_go_back=True) is passed
    undoing.take_back(missed, by=by, now=later)
    assert db.session.get_one(Visit, missed).status == "late_cancelled"


def test_nobody_opens_answers_where_nothing_is_left(app: Flask, ann: Ann) -> None:
    erase(app, ann.id)
    assert refused(lambda: openings.open_answers(ann.id, "it cannot wait", by=ann.world.desk_id, now=LATER))


def test_two_records_are_joined_only_where_both_are_somebodys(app: Flask, ann: Ann) -> None:
    other = w.person()
    erase(app, ann.id)
    by = ann.world.desk_id
    for pair in ((ann.id, other), (other, ann.id)):
        assert refused(lambda pair=pair: details.merge_clients(*pair, by=by, now=LATER))  # type: ignore[misc]


def test_a_record_that_is_somebodys_again_takes_what_they_say(app: Flask, ann: Ann) -> None:
    """A law kept the old record, and the desk joined the new one with it."""
    factories.save(KeepingPeriod(kind="law", amount=1))
    erase(app, ann.id)
    new = factories.make_client(first_name="Ann", last_name="Canary", born_on=dt.date(1985, 5, 5)).id
    details.merge_clients(ann.id, new, by=ann.world.desk_id, now=LATER)
    ways = ann.deeds()
    assert [name for name in ("details", "note", "intake", "visit") if refused(ways[name])] == []


def give_back(client_id: int) -> None:
    """As earlier versions let it: a name and a note on a record that was erased."""
    with transaction() as session:
        session.execute(update(Client).where(Client.id == client_id).values(erased_at=None))
    by = factories.make_user(email="x@team.example", roles=[Role.FRONT_DESK]).id
    details.change_details(client_id, WHO, by=by, now=NOW)
    clients.write_note(client_id, "says hello", by=by, now=NOW)


def test_what_was_taken_back_before_can_be_erased_once_more(app: Flask, ann: Ann) -> None:
    boss = browser_of(app, factories.make_user(email="o@team.example", roles=[Role.OWNER]))
    erase(app, ann.id)
    assert boss.get(f"/clients/{ann.id}/erase").status_code == 404
    give_back(ann.id)
    db.session.rollback()
    assert boss.get(f"/clients/{ann.id}/erase").status_code == 200
    erase(app, ann.id, LATER)
    assert db.session.get_one(Client, ann.id).name == "Erased"
    assert db.session.scalars(select(ClientNote)).all() == []
    assert people.preview(ann.id, LATER) is None
    assert refused(ann.deeds()["details"])


def test_what_was_taken_back_before_goes_by_itself_in_its_time(app: Flask, world: w.World) -> None:
    gone = w.person(created_at=NOW)
    erase(app, gone)
    much_later = NOW + dt.timedelta(days=800)
    db.session.rollback()
    assert due_people.people_due(much_later) == []
    give_back(gone)
    expiring.let_go_by_periods(by=world.desk_id, now=NOW)
    db.session.rollback()
    assert [one.id for one in due_people.people_due(much_later)] == [gone]
    expiring.remove_due(much_later, settings=app.config)
    db.session.rollback()
    assert db.session.get_one(Client, gone).name == "Erased"
    assert due_people.people_due(much_later) == []


def test_a_hold_is_not_given_to_whoever_was_erased(app: Flask, ann: Ann) -> None:
    """A booking on the way of somebody who acts for them."""
    user_id = factories.make_user(email="mum@people.example", roles=[Role.CLIENT]).id
    token = checkout.hold_slot(
        None, w.choice("relaxation"), w.at(3), first_visit=True, user_id=user_id, now=NOW
    )
    erase(app, ann.id)
    assert refused(lambda: checkout.choose_person(token, ann.id, user_id=user_id, now=NOW))
    assert db.session.scalars(select(Erasure.client_id)).all() == [ann.id]


@pytest.mark.parametrize("what", ["reset", "sign_in", "email"])
def test_no_link_is_mailed_to_an_account_that_is_just_being_erased(
    app: Flask, deeds: Deeds, world: w.World, what: str
) -> None:
    """Its mail, with name and address, was written after those of the person had gone."""
    user_id = make_person("ann@people.example", name="Ann").id
    client_id = w.person(email="ann@people.example")
    factories.save(ClientAccess(user_id=user_id, client_id=client_id, relation="self", since=NOW))
    at = dict.fromkeys(("created_at", "last_seen_at", "proved_at"), NOW)
    session_id = factories.save(UserSession(user_id=user_id, token_hash="here", **at)).id
    deeds.stop_in(*((emails, "queue_mail") if what == "email" else (links, "_mail_link")))

    def ask() -> None:
        if what == "email":
            emails.ask_for_new_email(user_id, session_id, "ann2@people.example", origin=ORIGIN, now=NOW)
        else:
            links.ask_for_link("ann@people.example", what, origin=ORIGIN, now=NOW)

    erase = partial(erasing.erase_person, client_id, settings=app.config, by=None, now=NOW)
    assert deeds.do(ask, erase) == ("done", "done")
    with pytest.raises(SignedOut) if what == "email" else nullcontext():
        ask()  # a request that was past the door already
    assert db.session.scalars(select(MailedLink)).all() == []
    assert not [mail for mail in db.session.scalars(select(OutgoingMail)) if "ann" in mail.to]


def test_a_message_that_the_worker_is_just_writing_goes_too(app: Flask, deeds: Deeds, world: w.World) -> None:
    """The mails were looked for before the worker was waited for: its own stood there afterwards."""
    client_id = w.person(email="ann@people.example")
    w.sign(client_id)
    visit_id = w.at_desk(world, client_id, "relaxation", when=w.at(0, 15)).visit_id
    visit = db.session.get_one(Visit, visit_id)
    visit.status, later = "done", visit.ends_at + dt.timedelta(hours=20)
    kind, due_at = AFTERCARE, later - dt.timedelta(hours=1)
    db.session.add(TimedMessage(visit_id=visit_id, kind=kind, starts_at=visit.starts_at, due_at=due_at))
    db.session.commit()
    deeds.stop_in(sending, "_tell")
    came = deeds.do(
        lambda: sending.write_due(later, by_sms=False),
        lambda: erasing.erase_person(client_id, settings=app.config, by=None, now=later),
    )
    assert came == ("done", "done")
    assert not [mail.kind for mail in db.session.scalars(select(OutgoingMail)) if "ann" in mail.to]


@pytest.mark.parametrize("is_dropped", [True, False])
def test_an_earlier_key_is_destroyed_also_of_whom_nothing_is_sealed_today(
    app: Flask, world: w.World, is_dropped: bool
) -> None:
    """A backup holds a note of theirs that is gone since, and the clinic's key was changed: the copy of the keys beside
    the backups still opened it, for whoever had kept the old key file."""
    path = Path(str(app.config["CLINIC_KEY_FILE"]))
    crypto.use(crypto.KeyRing.load(path), path)
    client_id = w.person()
    factories.save(
        ClientNote(client_id=client_id, text="canary", written_by_id=world.desk_id, written_at=NOW)
    )
    backups.save(db.engine, app.config, now=NOW)
    with transaction() as session:
        session.execute(delete(ClientNote))
    rotation.add_key(path)
    crypto.use(crypto.KeyRing.load(path), path)
    rotation.seal_anew()
    if is_dropped:
        rotation.drop_old_keys(path)
        rotation.forget_old_person_keys()
        crypto.use(crypto.KeyRing.load(path), path)
    erasing.erase_person(client_id, settings=app.config, by=None, now=NOW)
    key = backups._read_key(app.config["CLINIC_BACKUP_KEY_FILE"])
    beside = people_keys._read(Path(app.config["CLINIC_BACKUP_DIR"]) / people_keys.NAME, key)
    assert [row["client_id"] for row in beside.values() if row["client_id"] == client_id], (
        "it says who is gone"
    )
    assert not [row for row in beside.values() if row["client_id"] == client_id and row["wrapped"]]


@pytest.mark.parametrize("is_first", [True, False])
def test_an_account_goes_or_gets_another_person_and_never_both(
    app: Flask, deeds: Deeds, world: w.World, is_first: bool
) -> None:
    """Somebody adds their child while they are erased: which accounts go was looked at before that was waited for."""
    user_id, client_id = make_person("ann@people.example").id, w.person(email="ann@people.example")
    factories.save(ClientAccess(user_id=user_id, client_id=client_id, relation="self", since=NOW))
    child = Details("Kim", "Canary", dt.date(2016, 5, 5))
    add = partial(clients.add_person, user_id, child, "parent", region="US", now=NOW)
    erase = partial(erasing.erase_person, client_id, settings=app.config, by=None, now=NOW)
    deeds.stop_in(*((clients, "add_client") if is_first else (_erasing, "_blank_account")))
    came = deeds.do(*((add, erase) if is_first else (erase, add)))
    assert came == (("done", "done") if is_first else ("done", "NotFound"))
    user = db.session.get_one(User, user_id)
    theirs = db.session.scalars(select(ClientAccess.client_id).where(ClientAccess.user_id == user_id)).all()
    assert (user.is_active, len(theirs)) == (is_first, int(is_first))
