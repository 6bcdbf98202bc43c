"""Rows with sealed columns: bound to their person, their row and their column, and nothing stays nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from clinic.intake.models import HealthStop
from clinic.shared import crypto, person_keys
from clinic.shared.database import db, transaction
from tests.booking import world as w
from tests.conftest import NOW

SAID = {"fever": {"present": True}}


def stop(client_id: int, note: object) -> HealthStop:
    with transaction() as session:  # in which alone a key is made for somebody who has none
        row = HealthStop(
            note=note, answers=SAID, client_id=client_id, raised_at=NOW, raised_on=NOW.date(), needs="review",
            urgency="emergency", source="online",
        )  # fmt: skip
        session.add(row)
    return row


def test_a_sealed_value_is_the_persons_and_cannot_be_moved(app: Flask) -> None:
    w.build(therapists=1)
    one, other = stop(w.person(), "told so"), stop(w.person(), None)
    assert (one.note, other.note, other.note_sealed, one.answers) == ("told so", None, None, SAID)
    assert b"told" not in (one.note_sealed or b"")
    for value in (one.answers_sealed, one.note_sealed or b""):  # said before whom it is about
        assert person_keys.named(value) is not None, "under the person's own key"
    assert all(2**51 <= row.id < 2**52 for row in (one, other)), (
        "known before it is written, exact in any program"
    )
    with transaction() as session:
        session.get_one(HealthStop, one.id).note = None
    assert db.session.get_one(HealthStop, one.id).note_sealed is None
    table, column = "health_stop", "answers_sealed"
    sealed = one.answers_sealed
    assert isinstance(vars(HealthStop)["answers"], crypto.Sealed)
    assert HealthStop.answers is vars(HealthStop)["answers"], "of the class it is no value"
    for place in (
        (table, column, other.id),
        (table, "note_sealed", one.id),
        ("intake", column, one.id),
    ):
        with pytest.raises(crypto.CannotOpen):
            crypto.unseal(sealed, table=place[0], column=place[1], row_id=place[2])
    with pytest.raises(crypto.CannotOpen):
        crypto.unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]), table=table, column=column, row_id=one.id)


def test_a_persons_values_open_with_their_own_key_alone(app: Flask) -> None:
    """What is nobody's yet is under the installation's key; a person's goes with the person's own."""
    place: dict[str, Any] = {"table": "t", "column": "c", "row_id": 1}
    with transaction():
        anybodys = crypto.seal(b"x", client_id=None, **place)
    assert (crypto.unseal(anybodys, **place), crypto.ring().open(anybodys, **place)) == (b"x", b"x")
    client = w.person()
    with transaction():
        theirs = crypto.seal(b"x", client_id=client, **place)
    assert crypto.unseal(theirs, **place) == b"x"
    with pytest.raises(crypto.CannotOpen):
        crypto.ring().open(theirs, **place)
    with transaction() as session:
        session.execute(text("UPDATE person_key SET wrapped = :gone"), {"gone": b""})
    crypto.use(crypto.ring())  # what this process knew is let go
    with pytest.raises(crypto.CannotOpen):
        crypto.unseal(theirs, **place)


@pytest.mark.parametrize("end", [person_keys.destroy, person_keys.forget])
def test_nothing_is_sealed_with_a_key_that_another_process_destroyed(
    app: Flask, end: Callable[[Session, list[int]], None]
) -> None:
    """The worker erases; the web process still has the key in memory. What it seals then could never be read."""
    place: dict[str, Any] = {"table": "t", "column": "c", "row_id": 1}
    client = w.person()
    with transaction():
        before = crypto.seal(b"x", client_id=client, **place)
    known = dict(person_keys._Known.by_name), dict(person_keys._Known.by_person)
    assert known[1]
    with transaction() as session:
        end(session, [client])
    person_keys._Known.by_name.update(known[0])  # as in a process that has not heard of it
    person_keys._Known.by_person.update(known[1])
    with transaction():
        after = crypto.seal(b"y", client_id=client, **place)
    crypto.use(crypto.ring())
    assert crypto.unseal(after, **place) == b"y"
    assert person_keys.named(after) is not None, (
        "under a key of their own, so that it can be destroyed as well"
    )
    with pytest.raises(person_keys.KeyDestroyed):
        crypto.unseal(before, **place)


def test_of_two_copies_of_the_keys_a_destroyed_one_is_destroyed() -> None:
    def row(key_id: int, ring: str, wrapped: bytes) -> dict[str, Any]:
        return {"id": key_id, "client_id": 7, "ring": ring, "wrapped": wrapped}

    living, ended, old = row(1, "k1", b"x"), row(1, "destroyed 1", b""), row(1, "k1", b"")
    other, marker = row(2, "k1", b"z"), row(3, "erased 2027-03-01T09:00:00+00:00 ", b"")
    for several in (
        ({1: living, 2: other}, {1: ended, 3: marker}),
        ({1: ended, 3: marker}, {1: living, 2: other}),
    ):
        assert person_keys.together(*several) == {1: ended, 2: other, 3: marker}
    assert person_keys.together({1: old}, {1: living}) == {1: ended}, "of a version before"
    assert person_keys.last_number([]) == 0


def test_another_key_ring_opens_nothing_of_this_one(app: Flask, tmp_path: Path) -> None:
    place: dict[str, Any] = {"table": "t", "column": "c", "row_id": 1}
    mine, sealed = crypto.ring(), crypto.seal(b"x", client_id=None, **place)
    crypto.use(crypto.KeyRing.load_or_make(tmp_path / "another.key"))
    with pytest.raises(crypto.CannotOpen):
        crypto.unseal(sealed, **place)
    crypto.use(mine)
    assert crypto.unseal(sealed, **place) == b"x"


def test_how_a_value_is_packed() -> None:
    """The same value gives the same bytes; half of a letter, which no file can hold, is no reason to lose the rest."""
    words, file = crypto.Sealed(), crypto.SealedBytes()
    assert words.packed({"b": "Grüße", "a": "\ud83d!"}) == '{"a": "?!", "b": "Grüße"}'.encode()
    assert words.plain(words.packed({"b": [1, None], "a": "é"})) == {"a": "é", "b": [1, None]}
    assert file.plain(file.packed(b"\x00\xff")) == b"\x00\xff"
