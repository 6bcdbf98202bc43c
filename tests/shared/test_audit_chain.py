"""The audit is a chain: whatever is done to it by SQL is found, and what happened by itself is not called wrong."""

from __future__ import annotations

import datetime as dt
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select, text

from clinic import cli
from clinic.cli import audit as commands
from clinic.keeping.services._erasing import let_delete
from clinic.shared import audit_chain
from clinic.shared.audit import AuditLink, AuditRow, leave_trace
from clinic.shared.database import db, transaction
from tests.conftest import NOW


@pytest.fixture
def heads(app: Flask) -> Path:
    return Path(app.config["CLINIC_AUDIT_DIR"])


def write(*deeds: str) -> None:
    for deed in deeds:
        with transaction() as session:
            leave_trace(session, deed, "thing", 7, by=None, now=NOW, much=3)


def by_sql(statement: str) -> None:
    """What somebody does who has the database in hand: with its guards out of the way."""
    with db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text(statement))
            return
        guards = connection.execute(
            text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit_%'")
        ).all()
        for name, _sql in guards:
            connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text(statement))
        for _name, sql in guards:
            connection.execute(text(sql))


@pytest.fixture
def chained(app: Flask, heads: Path) -> Iterator[None]:
    """Five deeds of which four are links; the fifth is too young."""
    write("one", "two", "three", "four")
    assert audit_chain.extend(heads, now=NOW) == 4
    assert audit_chain.extend(heads, now=NOW) == 0
    write("five")
    yield
    db.session.rollback()


@pytest.mark.usefixtures("chained")
def test_what_nobody_touched_is_sound(app: Flask, heads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert audit_chain.verify(heads) == audit_chain.Found(rows=5, links=4, heads=1, wrong=[])
    assert audit_chain.extend(heads, now=NOW) == 1
    assert audit_chain.verify(heads) == audit_chain.Found(rows=5, links=5, heads=2, wrong=[])
    monkeypatch.setattr(commands, "make_working_app", lambda: app)
    said = CliRunner().invoke(cli.main, ["audit", "verify"])
    assert (said.exit_code, said.output.splitlines()[-1]) == (0, "Nothing was changed, removed or added.")


WRITTEN = "INSERT INTO audit_row (sequence, at, deed, thing, detail) VALUES (6, '2026-06-09 13:00:00', 'x', 'y', '{}')"
WRITTEN_BEFORE = (
    "INSERT INTO audit_row(sequence, at, deed, thing, detail)"
    " SELECT 0, at, deed, thing, detail FROM audit_row LIMIT 1"
)


@pytest.mark.usefixtures("chained")
def test_what_is_done_by_sql_is_found(app: Flask, heads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "make_working_app", lambda: app)
    row = "UPDATE audit_row SET"
    swap = row + " deed = CASE deed WHEN 'one' THEN 'two' ELSE 'one' END WHERE sequence IN (1, 2)"
    other = "deed {} is not the one that was written, or the one before it is gone"
    undone = (
        (f"{row} deed = 'x' WHERE sequence = 2", f"{row} deed = 'two' WHERE sequence = 2", other.format(2)),
        (
            f"{row} by_user_id = 1 WHERE sequence = 4",
            f"{row} by_user_id = NULL WHERE sequence = 4",
            other.format(4),
        ),
        (swap, swap, other.format(1)),
        (WRITTEN, "DELETE FROM audit_row WHERE sequence = 6", "the counter stands at 5, the last deed is 6"),
        ("UPDATE audit_link SET digest = 'ab' WHERE sequence = 3", None, other.format(3)),
        ("DELETE FROM audit_link WHERE sequence = 2", None, "links of the chain are missing"),
        ("DELETE FROM audit_row WHERE sequence = 5", None, "the counter stands at 5, the last deed is 4"),
        ("DELETE FROM audit_row WHERE sequence = 3", None, "deed 3 is missing"),
        ("DELETE FROM audit_row WHERE sequence = 2", None, "deeds 2 to 3 are missing"),
        (
            WRITTEN_BEFORE,
            None,
            "deed 0 stands before the first one",
        ),
    )
    for does, undoes, said in undone:
        by_sql(does)
        wrong = audit_chain.verify(heads).wrong
        assert said in wrong, (does, wrong)
        db.session.rollback()
        if undoes:
            by_sql(undoes)
            assert audit_chain.verify(heads).wrong == [], undoes
            db.session.rollback()
    answer = CliRunner().invoke(cli.main, ["audit", "verify"])
    assert answer.exit_code == 1
    assert "deeds 2 to 3 are missing" in answer.output


TOO_LONG = f"""UPDATE audit_row SET detail = '{{"n": {"1" * 5000}}}' WHERE sequence"""
"""A number that Python refuses to read."""
SPOILT = {
    "sqlite": (
        TOO_LONG,
        "UPDATE audit_row SET detail = '{' WHERE sequence",
        "UPDATE audit_row SET detail = x'ff' WHERE sequence",
        "UPDATE audit_row SET at = 'yesterday' WHERE sequence",
        "UPDATE audit_row SET at = 7 WHERE sequence",
        "UPDATE audit_row SET deed = x'ff' WHERE sequence",
        "UPDATE audit_row SET deed = CAST(x'ff' AS TEXT) WHERE sequence",
    ),
    "postgresql": (TOO_LONG, "UPDATE audit_row SET at = 'infinity' WHERE sequence"),
}


@pytest.mark.usefixtures("chained")
def test_what_cannot_be_read_hides_nothing(app: Flask, heads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also not a deed that was changed behind it, nor one that is no link yet."""
    monkeypatch.setattr(commands, "make_working_app", lambda: app)
    whole = db.session.execute(text("SELECT at, deed, detail FROM audit_row WHERE sequence = 2")).one()
    db.session.rollback()
    by_sql("UPDATE audit_row SET deed = 'x' WHERE sequence = 4")
    changed = "deed 4 is not the one that was written, or the one before it is gone"
    unread = "deed {} cannot be read: it is not the one that was written"
    for spoil in SPOILT[db.engine.dialect.name]:
        by_sql(f"{spoil} IN (2, 5)")
        assert audit_chain.verify(heads).wrong == [unread.format(2), changed, unread.format(5)], spoil
        db.session.rollback()
        said = CliRunner().invoke(cli.main, ["audit", "verify"])
        assert (said.exit_code, type(said.exception)) == (1, SystemExit)
        assert changed in said.output
        detail = whole.detail if isinstance(whole.detail, str) else json.dumps(whole.detail)
        by_sql(
            f"UPDATE audit_row SET at = '{whole.at}', deed = '{whole.deed}', detail = '{detail}'"
            " WHERE sequence IN (2, 5)"
        )


@pytest.mark.usefixtures("chained")
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("digest", ["x'ff'", "CAST(x'ff' AS TEXT)"])
def test_a_link_or_counter_that_cannot_be_read_hides_nothing(app: Flask, heads: Path, digest: str) -> None:
    by_sql(f"UPDATE audit_link SET digest = {digest} WHERE sequence = 2")
    by_sql(f"UPDATE audit_counter SET value = {digest}")
    wrong = audit_chain.verify(heads).wrong
    assert "deed 2 is not the one that was written, or the one before it is gone" in wrong
    assert wrong[-1].startswith("the counter stands at ")


@pytest.mark.usefixtures("chained")
def test_a_note_that_cannot_be_read_is_named_by_the_deed_before_it(app: Flask, heads: Path) -> None:
    notes = heads / f"heads-{NOW:%Y-%m}.txt"
    whole = notes.read_bytes()
    notes.write_bytes(whole + b"\xff\xfe")
    spoilt = f"what was noted after deed 4 outside the database cannot be read, in {notes}"
    assert audit_chain.verify(heads).wrong == [spoilt]
    db.session.rollback()
    notes.write_bytes(b"Z/0 " + b"9" * 5000 + b" " + b"ab" * 32 + b"\n" + whole.replace(b" 4 ", b" \xff "))
    assert audit_chain.verify(heads).wrong == [
        f"nothing is noted outside the database any more, in {heads}",
        spoilt.replace("deed 4", "deed 0"),
    ]


@pytest.mark.usefixtures("chained")
def test_a_chain_worked_out_anew_does_not_match_its_heads(app: Flask, heads: Path, tmp_path: Path) -> None:
    by_sql("UPDATE audit_row SET deed = 'other' WHERE sequence = 2")
    by_sql("DELETE FROM audit_link")
    audit_chain.extend(tmp_path / "elsewhere", now=NOW)
    assert audit_chain.verify(tmp_path / "elsewhere").wrong == []
    db.session.rollback()
    assert audit_chain.verify(heads).wrong == [
        "deed 4 and what came before are not as noted outside the database",
        "what was noted at deed 5 outside the database is gone",
    ]


@pytest.mark.usefixtures("chained")
def test_notes_that_are_gone_are_missed_until_the_database_was_put_back_elsewhere(
    app: Flask, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    assert audit_chain.verify(elsewhere).wrong == [
        f"nothing is noted outside the database any more, in {elsewhere}"
    ]
    audit_chain.begin_notes(elsewhere, now=NOW)
    assert audit_chain.verify(elsewhere) == audit_chain.Found(rows=5, links=4, heads=1, wrong=[])


@pytest.mark.usefixtures("chained")
def test_the_newest_notes_are_missed_too(app: Flask, heads: Path) -> None:
    """Who removes only the last month's notes and works the chain out anew is found, also when it went on since."""
    later = NOW + dt.timedelta(days=40)
    audit_chain.extend(heads, now=later)
    (heads / f"heads-{later:%Y-%m}.txt").unlink()
    by_sql("UPDATE audit_row SET deed = 'other' WHERE sequence = 5")
    by_sql("DELETE FROM audit_link WHERE sequence = 5")
    by_sql(f"INSERT INTO audit_link VALUES (5, '{digest_of_the_last()}')")
    assert audit_chain.verify(heads).wrong == ["what was noted at deed 5 outside the database is gone"]
    db.session.rollback()
    write("six")
    audit_chain.extend(heads, now=later)
    assert audit_chain.verify(heads).wrong == ["what was noted at deed 5 outside the database is gone"]


def digest_of_the_last() -> str:
    """What the link of the last deed says when it is worked out anew."""
    [*_others, row] = db.session.scalars(select(AuditRow).order_by(AuditRow.sequence)).all()
    before = db.session.scalars(select(AuditLink.digest).where(AuditLink.sequence == row.sequence - 1)).one()
    said = audit_chain.link(before, row)
    db.session.rollback()
    return said


@pytest.mark.usefixtures("chained")
def test_there_is_no_link_that_was_not_noted(
    app: Flask, heads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The note comes first: where it cannot be written, or by halves only, the rows stay young until it can."""
    notes = heads / f"heads-{NOW:%Y-%m}.txt"
    whole = notes.read_text()
    with monkeypatch.context() as full:
        full.setattr("os.fsync", lambda _handle: (_ for _ in ()).throw(OSError("full")))
        with pytest.raises(OSError, match="full"):
            audit_chain.extend(heads, now=NOW)
    notes.write_text(notes.read_text()[: len(whole) + 40])
    assert audit_chain.verify(heads) == audit_chain.Found(rows=5, links=4, heads=1, wrong=[])
    assert audit_chain.extend(heads, now=NOW) == 1
    assert audit_chain.verify(heads) == audit_chain.Found(rows=5, links=5, heads=2, wrong=[])


@pytest.mark.usefixtures("chained")
def test_a_note_whose_link_was_never_made_is_right(
    app: Flask, heads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker killed between the two: what it noted is settled, and the next one makes the link, a later one too."""
    with monkeypatch.context() as killed:
        killed.setattr(audit_chain, "transaction", None)
        with pytest.raises(TypeError):
            audit_chain.extend(heads, now=NOW)
    assert audit_chain.verify(heads) == audit_chain.Found(rows=5, links=4, heads=2, wrong=[])
    db.session.rollback()
    write("six")
    assert audit_chain.extend(heads, now=NOW) == 2
    assert audit_chain.verify(heads) == audit_chain.Found(rows=6, links=6, heads=3, wrong=[])


@pytest.mark.usefixtures("chained")
def test_two_workers_at_once_make_one_chain(app: Flask, heads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = audit_chain._note

    def another_came_first(*what: Any, **more: Any) -> None:
        monkeypatch.setattr(audit_chain, "_note", note)
        write("six")
        assert audit_chain.extend(heads, now=NOW) == 2
        note(*what, **more)

    monkeypatch.setattr(audit_chain, "_note", another_came_first)
    assert audit_chain.extend(heads, now=NOW) == 0
    assert audit_chain.verify(heads) == audit_chain.Found(rows=6, links=6, heads=3, wrong=[])


@pytest.mark.usefixtures("chained")
def test_what_was_put_back_where_other_deeds_were_noted_begins_anew(app: Flask, heads: Path) -> None:
    """Also a database whose audit begins later: its beginning is noted with it."""
    with (heads / f"heads-{NOW:%Y-%m}.txt").open("a") as known:
        known.write(f"2026-06-08T12:00:00Z/4 9 {'ab' * 32}\n")
    assert [forget(NOW, heads), forget(NOW, heads)] == [4, 0], "the fifth is no link yet"
    write("six")
    audit_chain.begin_notes(heads, now=NOW)
    for path in (heads, *heads.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert audit_chain.verify(heads) == audit_chain.Found(rows=2, links=1, heads=1, wrong=[])
    assert {path.name for path in heads.glob("before-*/*.txt")} == {f"heads-{NOW:%Y-%m}.txt", "begins.txt"}


@pytest.mark.usefixtures("chained")
def test_the_end_cut_off_with_its_counter_does_not_match_its_heads(app: Flask, heads: Path) -> None:
    for table in ("audit_row", "audit_link"):
        by_sql(f"DELETE FROM {table} WHERE sequence > 2")
    by_sql("UPDATE audit_counter SET value = 2")
    assert audit_chain.verify(heads).wrong == [
        "deed 4 and what came before are not as noted outside the database",
        "what was noted at deed 2 outside the database is gone",
    ]


@pytest.mark.usefixtures("chained")
def test_what_went_by_its_date_is_no_gap_and_what_was_taken_is(app: Flask, heads: Path) -> None:
    later = NOW + dt.timedelta(days=1)
    forget(NOW, heads)
    assert audit_chain.verify(heads) == audit_chain.Found(rows=1, links=1, heads=1, wrong=[])
    with transaction() as session:
        leave_trace(session, "six", "thing", 7, by=None, now=later)
    audit_chain.extend(heads, now=later)
    forget(NOW, heads)
    audit_chain.extend(heads, now=later)
    write("seven")
    rows = db.session.scalars(select(AuditRow.deed).order_by(AuditRow.sequence)).all()
    assert rows == ["six", "seven"]
    assert audit_chain.verify(heads).wrong == []
    db.session.rollback()
    by_sql("UPDATE audit_row SET deed = 'x' WHERE sequence = 6")
    assert audit_chain.verify(heads).wrong == [
        "deed 6 is not the one that was written, or the one before it is gone"
    ]
    db.session.rollback()
    for table in ("audit_row", "audit_link"):  # as if it had gone by its date, too
        by_sql(f"DELETE FROM {table} WHERE sequence <= 6")
    assert "deed 6 is missing" in audit_chain.verify(heads).wrong


@pytest.mark.usefixtures("chained")
def test_where_forgetting_was_broken_off_the_chain_still_begins_at_its_first_deed(
    app: Flask, heads: Path
) -> None:
    with pytest.raises(InterruptedError):
        forget(NOW, heads, breaks_off=True)
    assert (heads / audit_chain.BEGINNINGS).exists(), "noted, and nothing is gone"
    assert audit_chain.verify(heads) == audit_chain.Found(rows=5, links=4, heads=1, wrong=[])
    db.session.rollback()
    by_sql("UPDATE audit_row SET deed = 'x' WHERE sequence = 2")
    assert [one[:6] for one in audit_chain.verify(heads).wrong] == ["deed 2"]
    db.session.rollback()
    by_sql("DELETE FROM audit_row")
    by_sql("DELETE FROM audit_link")
    assert "the counter stands at 5, the last deed is 4" in audit_chain.verify(heads).wrong


def forget(until: dt.datetime, heads: Path, *, breaks_off: bool = False) -> int:
    with transaction() as session, let_delete(session):
        count = audit_chain.forget(session, until, heads, now=NOW)
        if breaks_off:
            raise InterruptedError
    return count


def test_links_are_never_edited(app: Flask, heads: Path) -> None:
    write("one")
    audit_chain.extend(heads, now=NOW)
    for statement in ("UPDATE audit_link SET digest = ''", "DELETE FROM audit_link"):
        with pytest.raises(Exception, match="ap_audit_link"), db.engine.begin() as connection:
            connection.execute(text(statement))
