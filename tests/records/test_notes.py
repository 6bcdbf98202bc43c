"""A therapist's notes: sealed, added to, corrected and never edited; read by who treats and nobody else."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from clinic.booking.models import StatusChange, Visit
from clinic.records.models import SessionNote
from clinic.records.queries import notes as queries
from clinic.records.services import notes as services
from clinic.rules.errors import ChangedMeanwhile, InvalidInput, MoveNotAllowed, NotFound
from clinic.rules.permissions import Role
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, transaction
from clinic.therapists import queries as therapists
from tests.booking import world as w
from tests.conftest import NOW
from tests.diary.staff import ME, OTHER, Staffed, person_with, staffed

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def clinic(app: Flask) -> Staffed:
    return staffed(app)


def begun(
    clinic: Staffed, client: int, days: int = 0, *, therapist: int | None = None, status: str = "done"
) -> int:
    made = w.at_desk(
        clinic.world, client, "relaxation", when=w.at(days, 12), therapist_id=therapist or clinic.me
    ).visit_id
    with transaction() as session:
        session.execute(update(Visit).where(Visit.id == made).values(status=status))
        session.add(StatusChange(visit_id=int(made or 0), status=status, at=NOW, reason=""))
    return int(made or 0)


def client_of(clinic: Staffed) -> int:
    client = w.person()
    w.sign(client)
    return client


def user(therapist_id: int) -> int:
    row = therapists.therapist(therapist_id)
    assert row is not None
    assert row.user_id is not None
    return row.user_id


def test_notes_are_sealed_and_corrected_but_never_edited(clinic: Staffed) -> None:
    visit, me = begun(clinic, client_of(clinic)), user(clinic.me)
    first = services.write_note(visit, "  Neck left, light.  ", by=me, now=NOW)
    second = services.write_note(visit, "Neck right, light.", corrects_id=first, by=me, now=w.at(0, 13))
    (note,) = queries.notes_of(visit)
    assert (note.id, note.text, [one.text for one in note.earlier]) == (
        second, "Neck right, light.", ["Neck left, light."]
    )  # fmt: skip
    with pytest.raises(ChangedMeanwhile):
        services.write_note(visit, "Neither.", corrects_id=first, by=me, now=NOW)
    raw = b"".join(db.session.scalars(select(SessionNote.text_sealed)))
    assert b"Neck" not in raw
    assert [
        (row.deed, row.thing_id, row.detail)
        for row in db.session.scalars(
            select(AuditRow).where(AuditRow.deed == "note.written").order_by(AuditRow.sequence)
        )
    ] == [("note.written", visit, {"corrects": False}), ("note.written", visit, {"corrects": True})]
    for broken in (
        update(SessionNote).values(written_by_id=clinic.world.desk_id),
        update(SessionNote).values(visit_id=1),
        delete(SessionNote),
    ):
        db.session.rollback()
        with pytest.raises(DBAPIError):
            db.session.execute(broken)
    db.session.rollback()
    with transaction() as session:  # what is sealed may be sealed anew, for a new key
        session.get_one(SessionNote, second).text = "Neck right, light."


def test_only_the_therapist_of_a_visit_that_has_begun_writes(clinic: Staffed) -> None:
    client = client_of(clinic)
    visit, ahead = begun(clinic, client), begun(clinic, client, 3, status="confirmed")
    me, other = user(clinic.me), user(clinic.other)
    note = services.write_note(visit, "Done.", by=me, now=NOW)
    with pytest.raises(NotFound):
        services.write_note(visit, "Not mine.", by=other, now=NOW)
    with pytest.raises(NotFound):
        services.write_note(visit, "By the desk.", by=clinic.world.desk_id, now=NOW)
    with pytest.raises(MoveNotAllowed):
        services.write_note(ahead, "Too soon.", by=me, now=NOW)
    with pytest.raises(NotFound):
        services.write_note(begun(clinic, client, 1), "Of another visit.", corrects_id=note, by=me, now=NOW)
    with pytest.raises(NotFound):  # nobody treats them any more
        services.write_note(visit, "Late.", by=me, now=w.at(40))
    for wrong in ("", "  \n", "x" * 4001):
        with pytest.raises(InvalidInput):
            services.write_note(visit, wrong, by=me, now=NOW)
    assert [one.text for one in queries.notes_of(visit)] == ["Done."]


def test_the_next_visit_shows_the_last_notes_to_who_treats(clinic: Staffed) -> None:
    client = client_of(clinic)
    days = range(4)
    earlier = [begun(clinic, client, one) for one in days]
    for number, visit in enumerate(earlier):
        services.write_note(visit, f"Note {number} <b>", by=user(clinic.me), now=NOW)
    coming = begun(clinic, client, 5, therapist=clinic.other, status="confirmed")
    found = queries.last_notes(client, before=w.at(5))
    assert [one.visit_id for one in found] == earlier[:0:-1]
    page = clinic.browser(OTHER).get(f"/diary/visits/{coming}").text
    assert "Note 3 &lt;b&gt;" in page
    assert "Note 0" not in page
    assert "Note 3" not in clinic.browser(person_with(Role.FRONT_DESK)).get(f"/desk/visits/{coming}").text
    stranger = client_of(clinic)
    theirs = begun(clinic, stranger, 6, status="confirmed")
    assert "Note 3" not in clinic.browser(ME).get(f"/diary/visits/{theirs}").text


def test_writing_and_correcting_on_the_page(clinic: Staffed) -> None:
    visit = begun(clinic, client_of(clinic), status="in_session")
    mine, other = clinic.browser(ME), clinic.browser(OTHER)
    address = f"/diary/visits/{visit}/notes"
    assert mine.post(address, data={"text": " "}).status_code == 422
    assert "maxlength" not in mine.get(address).text.split("<textarea")[1].split(">")[0], (
        "browsers cut in silence"
    )
    long = mine.post(address, data={"text": "long " * 1000})
    assert long.status_code == 422
    assert "long " * 999 + "long</textarea>" in long.text.replace("\r\n", "")
    assert "at most 4,000 characters" in long.text
    assert mine.post(address, data={"text": "First"}).status_code == 303
    db.session.rollback()
    (note,) = queries.notes_of(visit)
    page = mine.get(f"{address}?correct={note.id}").text
    assert "Correct the note" in page
    assert mine.post(f"{address}?correct={note.id}", data={"text": "Second"}).status_code == 303
    again = mine.post(f"{address}?correct={note.id}", data={"text": "Third"})
    assert (
        again.status_code == 409
    )  # it is corrected already, in another window: what was typed here is not lost
    assert "corrected meanwhile, perhaps in another window" in again.text
    assert "Third</textarea>" in again.text
    db.session.rollback()
    (newest,) = queries.notes_of(visit)
    assert f"/notes?correct={newest.id}" in again.text
    assert "Second</textarea>" in mine.get(f"{address}?correct={note.id}").text
    shown = mine.get(address).text
    assert ("Second" in shown, "Show what it said before" in shown, "Third" in shown) == (True, True, False)
    assert mine.get(f"{address}?correct=x").status_code == 404
    assert mine.post(f"{address}?correct={newest.id}", data={"text": "Second"}).status_code == 303
    assert mine.post(address, data={"text": "Second "}).status_code == 303
    db.session.rollback()
    assert [one.id for one in queries.notes_of(visit)] == [newest.id], "sent twice, kept once"
    with transaction() as session:  # the desk says that it has not begun after all
        session.execute(update(Visit).where(Visit.id == visit).values(status="confirmed"))
    late = mine.post(address, data={"text": "Typed meanwhile"})
    assert late.status_code == 422
    assert "Typed meanwhile</textarea>" in late.text
    assert "<textarea" not in mine.get(address).text
    assert {other.get(address).status_code, other.post(address, data={"text": "x"}).status_code} == {404}
