"""A bad reaction that staff record: a whole new intake at once, no letter from before it, seen by who treats."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DatabaseError

from clinic.booking.models import Visit
from clinic.booking.services import visits
from clinic.booking.services.resting import RestSaid
from clinic.intake import queries as intake
from clinic.intake.models import BadReaction
from clinic.intake.services import intakes
from clinic.intake.services.reactions import record_bad_reaction
from clinic.records.queries.paper import record_of
from clinic.rules.errors import InvalidInput
from clinic.shared.audit import AuditRow
from clinic.shared.database import db
from clinic.shared.mail import OutgoingMail
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.conftest import NOW
from tests.diary.staff import ME, staffed

LATER = NOW + dt.timedelta(hours=1)
WORDS = "Dizzy for two days after the cups"


def record(world: w.World, client: int, **values: object) -> int:
    given = {
        "happened_on": w.TODAY, "visit_id": None, "by": world.desk_id, "now": LATER, "today": w.TODAY, **values,
    }  # fmt: skip
    return record_bad_reaction(client, WORDS, **given)  # type: ignore[arg-type]


def statuses(client: int) -> list[tuple[str, str | None]]:
    db.session.rollback()
    rows = db.session.scalars(select(Visit).where(Visit.client_id == client).order_by(Visit.starts_at))
    return [(row.status, row.waiting_for) for row in rows]


def booked(world: w.World) -> int:
    client = w.person(email="pat@people.example")
    w.sign(client)
    w.at_desk(world, client, "relaxation")
    return client


def test_coming_visits_wait_for_a_whole_new_intake(world: w.World) -> None:
    client = booked(world)
    record(world, client)
    assert statuses(client) == [("suspended", "intake")]
    again = LATER + dt.timedelta(minutes=5)
    intakes.confirm_still_right(
        client, intakes.Signature("Pat"), source="online", by=None, now=again, today=w.TODAY
    )
    assert statuses(client) == [("suspended", "intake")]
    assert w.at_desk(world, client, "relaxation", when=w.at(5)).status == "pending"
    assert intake.needs_new_form(client)
    w.sign(client, now=again + dt.timedelta(minutes=5))
    assert statuses(client) == [("confirmed", None), ("confirmed", None)]
    assert not intake.needs_new_form(client)


def test_it_is_sealed_never_edited_and_told_in_neutral_words(world: w.World) -> None:
    client = booked(world)
    number = record(world, client)
    row = db.session.get_one(BadReaction, number)
    assert (row.client_id, row.happened_on, row.recorded_by_id) == (client, w.TODAY, world.desk_id)
    assert row.what_happened == WORDS
    assert b"Dizzy" not in row.what_happened_sealed
    mail = db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id.desc())).first()
    assert mail is not None
    assert "reaction" not in (mail.subject + mail.text).lower()
    trace = db.session.scalars(select(AuditRow).where(AuditRow.deed == "reaction.recorded")).one()
    assert not trace.detail
    db.session.rollback()
    with pytest.raises(DatabaseError):
        db.session.execute(update(BadReaction).values(happened_on=w.TODAY - dt.timedelta(days=9)))
    db.session.rollback()
    with pytest.raises(DatabaseError):
        db.session.execute(delete(BadReaction))


@pytest.mark.parametrize(
    ("words", "day", "field"),
    [(" ", w.TODAY, "what_happened"), (WORDS, w.TODAY + dt.timedelta(days=1), "happened_on")],
)
def test_bad_input_keeps_nothing(world: w.World, words: str, day: dt.date, field: str) -> None:
    client = booked(world)
    with pytest.raises(InvalidInput) as refused:
        record_bad_reaction(
            client, words, happened_on=day, visit_id=None, by=world.desk_id, now=NOW, today=w.TODAY
        )
    assert refused.value.field == field
    assert statuses(client) == [("confirmed", None)]


def test_the_desk_and_the_therapist_record_it_and_who_treats_reads_it(app: Flask, now: dt.datetime) -> None:
    clinic = staffed(app)
    client = w.person()
    w.sign(client)
    mine = w.at_desk(clinic.world, client, "relaxation", therapist_id=clinic.me).visit_id
    other = w.person()
    w.sign(other)
    theirs = w.at_desk(clinic.world, other, "relaxation", therapist_id=clinic.other).visit_id
    data = {"happened_on": w.TODAY.isoformat(), "what_happened": WORDS}
    desk, me = desk_browser(app, clinic.world), clinic.browser(ME)
    start = db.session.get_one(Visit, mine).starts_at
    for moment, begun in ((start - dt.timedelta(minutes=1), False), (start, True)):
        with time_machine.travel(moment, tick=False):
            at_desk = desk_browser(app, clinic.world).get(f"/desk/visits/{mine}").text
            at_work = clinic.browser(ME).get(f"/diary/visits/{mine}").text
            assert ["Record a bad reaction" in page for page in (at_desk, at_work)] == [begun, begun]
    assert desk.post(f"/desk/visits/{mine}/bad-reaction", data={}).status_code == 422
    assert desk.get(f"/desk/visits/{mine}/bad-reaction").status_code == 200
    assert desk.post(f"/desk/visits/{mine}/bad-reaction", data=data).status_code == 303
    assert "Dizzy" not in desk.get(f"/desk/visits/{mine}").text
    assert "Dizzy" not in desk.get(f"/clients/{client}").text
    assert WORDS in me.get(f"/diary/visits/{mine}").text
    assert me.post(f"/diary/visits/{theirs}/bad-reaction", data=data).status_code == 404
    assert me.post(f"/diary/visits/{mine}/bad-reaction", data=data).status_code == 303
    assert len(db.session.scalars(select(BadReaction)).all()) == 2


def test_the_record_of_the_visit_holds_it_and_a_passed_caution(app: Flask) -> None:
    world = w.build(minds_rest=True)
    client = w.person()
    w.sign(client)
    w.at_desk(world, client, "deep_tissue", when=w.at(2))

    def soon(rest: RestSaid) -> visits.Outcome:
        return visits.book_visit(
            w.choice("deep_tissue"), client, w.at(3), request_key=f"soon{rest.reason}", source="desk",
            by=world.desk_id, now=NOW, reconfirmed=True, rest=rest,
        )  # fmt: skip

    warned = soon(RestSaid()).rest
    assert warned is not None
    visit_id = soon(RestSaid("Travels tomorrow", warned.seen)).visit_id
    assert visit_id is not None
    before = record_of(visit_id)
    record(world, client, visit_id=visit_id)
    after = record_of(visit_id)
    assert before is not None
    assert after is not None
    assert before.fingerprint != after.fingerprint
    text = repr(after.paper)
    assert "Booked sooner than advised, passed by" in text
    assert "Travels tomorrow" in text
    assert WORDS in text
    assert WORDS not in repr(before.paper)
    assert "to this visit" in text
