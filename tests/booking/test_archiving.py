"""Claims of what is over move into the history; those of what stands stay, whatever is asked."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import IntegrityError

from clinic.booking.models import Claim, ClaimHistory, StatusChange, Visit
from clinic.booking.services import archiving
from clinic.booking.services.archiving import archive_claims
from clinic.booking.services.couples import Half, book_couple
from clinic.shared.database import db, transaction
from tests.booking import world as w
from tests.conftest import NOW

LATER = NOW + dt.timedelta(days=200)


def ended(clinic: w.World, days: int, status: str = "done") -> int:
    client = w.person()
    w.sign(client)
    visit_id = w.at_desk(clinic, client, "relaxation", when=w.at(days)).visit_id
    with transaction() as session:
        session.execute(update(Visit).where(Visit.id == visit_id).values(status=status))
        session.add(StatusChange(visit_id=visit_id, status=status, at=NOW, reason=""))
    return int(visit_id or 0)


def claims_of(visit_id: int, model: type[Claim | ClaimHistory]) -> set[tuple[int, dt.datetime, dt.datetime]]:
    db.session.rollback()
    wanted = select(model.resource_id, model.starts_at, model.ends_at).where(model.visit_id == visit_id)
    return {(resource, starts, ends) for resource, starts, ends in db.session.execute(wanted)}


def test_what_is_over_moves_whole_and_what_stands_stays(
    app: Flask, now: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archiving, "BATCH", 2)  # several batches
    clinic = w.build()
    done, missed = ended(clinic, 1), ended(clinic, 2, "no_show")
    recent, open_still = ended(clinic, 6), ended(clinic, 3, "confirmed")
    before = {one: claims_of(one, Claim) for one in (done, missed, recent, open_still)}
    assert all(before.values())
    assert archive_claims(w.at(5), now=LATER) == len(before[done]) + len(before[missed])
    for one in (done, missed):
        assert (claims_of(one, Claim), claims_of(one, ClaimHistory)) == (set(), before[one])
    for one in (recent, open_still):
        assert (claims_of(one, Claim), claims_of(one, ClaimHistory)) == (before[one], set())
    assert archive_claims(w.at(5), now=LATER) == 0


def test_nothing_that_lies_ahead_is_moved(app: Flask, now: object) -> None:
    clinic = w.build()
    visit = ended(clinic, 1)
    assert archive_claims(w.at(50), now=NOW) == 0
    assert claims_of(visit, Claim)


def test_the_database_lets_a_claim_go_only_into_the_history_and_none_out_of_it(
    app: Flask, now: object
) -> None:
    clinic = w.build()
    visit = ended(clinic, 1)
    with pytest.raises(IntegrityError, match="claim_kept"), transaction() as session:
        session.execute(delete(Claim).where(Claim.visit_id == visit))
    archive_claims(w.at(5), now=LATER)
    for spoil in ("UPDATE claim_history SET resource_id = 1", "DELETE FROM claim_history"):
        with pytest.raises(IntegrityError, match=r"ap_claim_history"), transaction() as session:
            session.execute(text(spoil))
    assert db.session.scalar(select(func.count()).select_from(ClaimHistory))


def test_a_room_for_two_stays_until_both_visits_are_over(app: Flask, now: object) -> None:
    clinic = w.build()
    w.add_room_for_two(clinic)
    people = [w.person(), w.person()]
    for one in people:
        w.sign(one)
    halves = (Half(people[0], w.choice("relaxation")), Half(people[1], w.choice("swedish")))
    couple = book_couple(
        halves, w.at(3), request_key=None, source="desk", by=None, now=NOW, reconfirmed=True
    ).couple_id
    first, second = db.session.scalars(
        select(Visit.id).where(Visit.couple_id == couple).order_by(Visit.id)
    ).all()

    def ends(visit_id: int) -> None:
        with transaction() as session:
            session.execute(update(Visit).where(Visit.id == visit_id).values(status="done"))

    def room() -> tuple[int, int]:
        db.session.rollback()
        return (
            db.session.query(Claim).filter_by(couple_id=couple).count(),
            db.session.query(ClaimHistory).filter_by(couple_id=couple).count(),
        )

    ends(first)
    archive_claims(w.at(5), now=LATER)
    assert (room(), claims_of(first, Claim)) == ((1, 0), set())
    ends(second)
    archive_claims(w.at(5), now=LATER)
    assert (room(), claims_of(second, Claim)) == ((0, 1), set())
