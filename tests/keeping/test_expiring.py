"""Everything goes on its day: not the day before, and not before the owner has let it begin."""

from __future__ import annotations

import datetime as dt

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select, text
from structlog.testing import capture_logs

from clinic import cli, worker
from clinic.accounts.models import FailedTry, KnownBrowser, UserSession
from clinic.api.models import ApiToken
from clinic.booking.models import CallRequest, Visit, WaitlistWish
from clinic.booking.services import waitlist
from clinic.booking.services.people import merge_clients
from clinic.cli import retention
from clinic.clients.models import Client, ClientNote
from clinic.clients.services import write_note
from clinic.keeping.models import Erasure
from clinic.keeping.queries import people, requests
from clinic.keeping.queries.due import due as what_is_due
from clinic.keeping.services import erasing, expiring
from clinic.rules.keeping import PERIODS, month_after, records_end_on
from clinic.rules.permissions import Role
from clinic.rules.waitlist import When
from clinic.rules.years import years_after
from clinic.shared import audit_chain
from clinic.shared.audit import AuditRow, leave_trace
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW

DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("last", "born", "ends"),
    [
        ((2026, 6, 9), (1985, 5, 5), (2036, 6, 9)),
        ((2024, 2, 29), (1985, 5, 5), (2034, 3, 1)),
        ((2026, 6, 9), (2016, 7, 1), (2044, 7, 1)),  # a child: ten years from the day they are 18
    ],
)
def test_records_are_kept_from_the_last_visit_and_for_children_from_when_they_are_of_age(
    last: tuple[int, int, int], born: tuple[int, int, int], ends: tuple[int, int, int]
) -> None:
    assert records_end_on(dt.date(*last), dt.date(*born), years=10, adult_age=18) == dt.date(*ends)


def test_a_month_ends_on_a_day_that_exists() -> None:
    days = [dt.date(2026, 1, 31), dt.date(2026, 12, 9), dt.date(2024, 1, 30)]
    assert [month_after(one) for one in days] == [
        dt.date(2026, 2, 28), dt.date(2027, 1, 9), dt.date(2024, 2, 29)
    ]  # fmt: skip
    assert years_after(dt.date(2024, 2, 29), -1) == dt.date(2023, 3, 1)


def at_noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(17), dt.UTC)


def left() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Client.first_name).order_by(Client.id)))


def remove(app: Flask, moment: dt.datetime) -> int:
    db.session.rollback()
    return expiring.remove_due(moment, settings=app.config)


def test_people_go_on_their_day(app: Flask, now: dt.datetime) -> None:
    world = w.build()

    def person(name: str, born_on: dt.date = dt.date(1985, 5, 5)) -> int:
        return factories.make_client(first_name=name, last_name=name, born_on=born_on, created_at=NOW).id

    came, child, never = person("Came"), person("Child", dt.date(2016, 7, 1)), person("Never")
    ahead = person("Ahead")
    for client_id in (came, ahead):
        w.sign(client_id)
    visit_id = w.at_desk(world, came, "relaxation", when=w.at(0)).visit_id
    w.at_desk(world, ahead, "relaxation", when=w.at(2))
    with transaction() as session:
        session.get_one(Visit, visit_id).status = "done"
    expiring.let_go_by_periods(by=None, now=NOW)  # type: ignore[arg-type]
    no_visit = NOW.date() + 365 * DAY
    ten_years = dt.date(2036, 6, 9)
    seen = {}
    for day in (no_visit - DAY, no_visit, ten_years - DAY, ten_years, ten_years + DAY):
        seen[day] = (remove(app, at_noon(day)), left())
    assert seen == {
        no_visit - DAY: (0, ["Came", "Child", "Never", "Ahead"]),
        no_visit: (2, ["Came", "Erased", "Erased", "Ahead"]),
        ten_years - DAY: (0, ["Came", "Erased", "Erased", "Ahead"]),
        ten_years: (1, ["Erased", "Erased", "Erased", "Ahead"]),
        ten_years + DAY: (0, ["Erased", "Erased", "Erased", "Ahead"]),
    }
    assert (child, never) != (0, 0)


def add_browsers_and_keys() -> None:
    known = factories.make_user(email="k@people.example", roles=[Role.CLIENT], name="Kit").id
    factories.save(KnownBrowser(user_id=known, mark_hash="m", last_used_at=NOW))
    seen = dict.fromkeys(("created_at", "last_seen_at", "proved_at"), NOW)
    factories.save(UserSession(user_id=known, token_hash="t", **seen))
    for number, ends in enumerate(({"ended_at": NOW}, {"expires_at": NOW}, {})):
        factories.save(
            ApiToken(
                name="x", token_hash=str(number), role="site", scopes=[], per_minute=0, created_at=NOW, **ends
            )
        )


def test_rows_go_on_their_day_and_only_when_confirmed(
    app: Flask, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.make_clinic()
    factories.make_location(zone="America/New_York")
    factories.save(
        OutgoingMail(
            key="a:1",
            kind="x",
            to="a@people.example",
            subject="s",
            text="",
            due_at=NOW,
            attempts=1,
            sent_at=NOW,
        )
    )
    factories.save(
        OutgoingMail(
            key="b:1",
            kind="x",
            to="a@people.example",
            subject="s",
            text="",
            due_at=NOW + 90 * DAY,
            attempts=0,
        )
    )
    factories.save(FailedTry(kind="x", who="y", at=NOW))
    add_browsers_and_keys()
    factories.save(CallRequest(phone="1", about="booking", asked_at=NOW, done_at=NOW))
    with transaction() as session:
        leave_trace(session, "old", "thing", 1, by=None, now=NOW)
    audit_chain.extend(app.config["CLINIC_AUDIT_DIR"], now=NOW)
    ends = {"mails": 180, "sign_in": 90, "desk": 90, "links": 30, "audit": 3653}
    counted = {"sign_in": 3, "links": 2}

    def due(moment: dt.datetime) -> dict[str, int]:
        db.session.rollback()
        return {one.period.kind: one.count for one in what_is_due(moment) if one.period.kind in ends}

    for kind, days in ends.items():
        counts = [due(NOW + (days + more) * DAY)[kind] for more in (-1, 0, 1)]
        assert (kind, counts) == (kind, [0, *[counted.get(kind, 1)] * 2])
    late = NOW + 200 * DAY
    assert remove(app, late) == 0
    monkeypatch.setattr(retention, "make_working_app", lambda: app)
    said = CliRunner().invoke(cli.main, ["retention", "--dry-run"])
    assert said.exit_code == 0, said.output
    assert "Nothing goes yet" in said.output
    assert CliRunner().invoke(cli.main, ["retention"]).exit_code == 1
    db.session.remove()  # whoever still reads keeps the file from being written anew, which is waited for
    with app.app_context():
        expiring.let_go_by_periods(by=None, now=NOW)  # type: ignore[arg-type]
        monkeypatch.setattr("clinic.shared.clock.now", lambda: late)
        worker.do(app, worker.Job(worker.remove_due, 5))
    db.session.rollback()
    kept = [
        db.session.scalar(select(func.count()).select_from(one))
        for one in (OutgoingMail, FailedTry, CallRequest)
    ]
    assert kept == [1, 0, 0]
    removed = db.session.scalars(select(AuditRow.detail).where(AuditRow.deed == "keeping.removed"))
    assert sorted((one["kind"], one["count"]) for one in removed) == [
        ("desk", 1),
        ("links", 2),
        ("mails", 1),
        ("sign_in", 3),
    ]
    assert len(db.session.scalars(select(ApiToken)).all()) == 1
    ten_years = NOW + ends["audit"] * DAY
    assert remove(app, ten_years) == 2  # the other mail, and the one old deed that is chained
    deeds = db.session.scalars(select(AuditRow.deed).order_by(AuditRow.sequence)).all()
    assert (deeds[0], deeds[-1]) == ("keeping.confirmed", "keeping.removed")
    assert audit_chain.verify(app.config["CLINIC_AUDIT_DIR"]).wrong == []


def test_the_dry_run_counts_what_the_run_removes(app: Flask) -> None:
    """Once, though it has ended in two ways; and with what it names, where both go together."""
    world = w.build()
    known = factories.make_user(email="k@people.example", roles=[Role.CLIENT], name="Kit").id
    seen = dict.fromkeys(("created_at", "last_seen_at", "proved_at", "ended_at"), NOW)
    factories.save(UserSession(user_id=known, token_hash="t", **seen))
    over = {"created_at": NOW, "ended_at": NOW, "expires_at": NOW}
    factories.save(ApiToken(name="x", token_hash="x", role="site", scopes=[], per_minute=0, **over))
    client_id = w.person()
    w.sign(client_id)
    when = When(w.at(3).date(), w.at(3).date())
    wish, _status = waitlist.join(
        w.choice("relaxation"), when, client_id, source="desk", by=world.desk_id, now=NOW
    )
    waitlist.offer_now(wish, by=world.desk_id, now=NOW)
    waitlist.withdraw(wish, by=world.desk_id, now=NOW)
    expiring.let_go_by_periods(by=world.desk_id, now=NOW)
    late = NOW + 200 * DAY
    db.session.rollback()
    said = {one.period.kind: one.count for one in what_is_due(late)}
    db.session.rollback()
    remove(app, late)
    removed = db.session.scalars(select(AuditRow.detail).where(AuditRow.deed == "keeping.removed"))
    gone = {one["kind"]: one["count"] for one in removed}
    assert {kind: count for kind, count in said.items() if kind in gone} == gone
    assert (gone["sign_in"], gone["links"], gone["waitlist"]) == (1, 1, 2)


@pytest.mark.parametrize("never_came", [30, 3650])
def test_who_came_goes_on_their_day_however_long_those_are_kept_who_never_came(
    app: Flask, never_came: int
) -> None:
    world = w.build()
    client_id = w.person(created_at=NOW)
    w.sign(client_id)
    visit_id = w.at_desk(world, client_id, "relaxation", when=w.at(0)).visit_id
    with transaction() as session:
        session.get_one(Visit, visit_id).status = "done"
    amounts = {one.kind: one.usual for one in PERIODS}
    expiring.save_periods(
        {**amounts, "records": 1, "no_visit": never_came, "audit": 10}, by=world.desk_id, now=NOW
    )
    expiring.let_go_by_periods(by=world.desk_id, now=NOW)
    day = dt.datetime.combine(years_after(w.TODAY, 1), dt.time(12), dt.UTC)
    names = []
    for moment in (day - DAY, day):
        remove(app, moment)
        db.session.rollback()
        names.append(db.session.get_one(Client, client_id).first_name)
    assert names == ["Pat", "Erased"]


def test_a_mail_about_a_wish_is_of_whoever_had_the_wish(app: Flask) -> None:
    """The wish went with its period, its mail is still there: the next wish is another one, with its own mail."""
    by = w.build().desk_id
    whole = {one.kind: one.usual for one in PERIODS}
    expiring.save_periods(whole | {"waitlist": 7}, by=by, now=NOW)
    expiring.let_go_by_periods(by=by, now=NOW)
    born = dt.date(1980, 1, 1)
    ann, ben = (
        factories.make_client(
            first_name=one, last_name="One", born_on=born, email=f"{one}@people.example".lower()
        ).id
        for one in ("Ann", "Ben")
    )

    def wish(client_id: int, now: dt.datetime) -> int:
        days = When(now.date() + 2 * DAY, now.date() + 3 * DAY)
        return waitlist.join(w.choice("swedish"), days, client_id, source="desk", by=None, now=now)[0]

    first = wish(ann, NOW)
    waitlist.withdraw(first, by=None, now=NOW)
    later = NOW + 9 * DAY
    expiring.remove_due(later, settings=app.config)
    db.session.rollback()
    assert db.session.get(WaitlistWish, first) is None
    second = wish(ben, later)
    assert second != first
    mails = {one.key: one.to for one in db.session.scalars(select(OutgoingMail))}
    assert mails == {
        f"waitlist_joined:{first}": "ann@people.example", f"waitlist_joined:{second}": "ben@people.example"
    }  # fmt: skip


TEN_YEARS = at_noon(dt.date(2036, 6, 9))
A_YEAR = at_noon(NOW.date() + 365 * DAY)


def known(name: str, *, acts: dict[int, str] | None = None) -> int:
    """Somebody in the book who was never here."""
    born_on = dt.date(1985, 5, 5)
    made = factories.make_client(
        first_name=name, last_name=name, born_on=born_on, created_at=NOW, acts=acts or {}
    )
    return made.id


def came(world: w.World, name: str, *, acts: dict[int, str] | None = None, hour: int = 10) -> int:
    """Somebody who was here once."""
    client_id = known(name, acts=acts)
    w.sign(client_id)
    visit_id = w.at_desk(world, client_id, "relaxation", when=w.at(0, hour)).visit_id
    with transaction() as session:
        session.get_one(Visit, visit_id).status = "done"
    return client_id


def account_of(name: str) -> int:
    return factories.make_user(email=f"{name}@people.example", roles=[Role.CLIENT], name=name).id


def deeds_on(client_id: int) -> list[str]:
    """What the audit says of the erasing of this record."""
    told = AuditRow.thing == "client", AuditRow.thing_id == client_id, AuditRow.deed.contains("eras")
    return list(db.session.scalars(select(AuditRow.deed).where(*told).order_by(AuditRow.sequence)))


@pytest.mark.parametrize("was_here", [True, False])
def test_whoever_has_asked_to_be_erased_goes_on_their_day_and_so_do_the_others(
    app: Flask, now: dt.datetime, *, was_here: bool
) -> None:
    world, user_id = w.build(), account_of("ann")
    if was_here:
        ann, bob = came(world, "Ann", acts={user_id: "self"}), came(world, "Bob", hour=14)
    else:
        ann, bob = known("Ann", acts={user_id: "self"}), known("Bob")
    expiring.let_go_by_periods(by=world.desk_id, now=NOW)
    day = TEN_YEARS if was_here else A_YEAR
    erasing.ask_to_be_erased(ann, by=user_id, now=day - 20 * DAY)
    assert remove(app, day) == 2
    assert left() == ["Erased", "Erased"]
    rows = db.session.scalars(select(Erasure).order_by(Erasure.id)).all()
    assert [(row.client_id, row.source, row.erased_at, row.finished_at) for row in rows] == [
        (ann, "client", day, day), (bob, "period", day, day)
    ]  # fmt: skip
    assert deeds_on(ann) == ["client.erasure_asked", "client.erased"]
    assert requests.open_requests() == []
    assert remove(app, day + DAY) == 0


def test_a_request_of_before_the_merge_is_done_with_the_record_that_stands(
    app: Flask, now: dt.datetime
) -> None:
    """Of one person the request stood on the record that is merged away: the other one is erased, and once."""
    world, user_id = w.build(), account_of("ann")
    ann, other = known("Ann"), known("Ann", acts={user_id: "self"})
    expiring.let_go_by_periods(by=world.desk_id, now=NOW)
    db.session.rollback()
    erasing.ask_to_be_erased(other, by=user_id, now=A_YEAR - 20 * DAY)
    merge_clients(ann, other, by=world.desk_id, now=NOW)
    assert remove(app, A_YEAR) == 1
    assert left() == ["Erased", "Erased"]
    rows = db.session.scalars(select(Erasure)).all()
    assert [(row.client_id, row.source, row.finished_at) for row in rows] == [(ann, "client", A_YEAR)]
    assert people.is_erased(ann)
    assert remove(app, A_YEAR + DAY) == 0


def test_who_was_erased_by_another_process_a_moment_ago_is_not_erased_once_more(
    app: Flask, now: dt.datetime
) -> None:
    world = w.build()
    whole = {one.kind: one.usual for one in PERIODS}
    expiring.save_periods(whole | {"law": 6}, by=world.desk_id, now=NOW)
    for one in (known("Ann"), came(world, "Bob")):
        assert [expiring._expire(one, TEN_YEARS, []) for _ in range(2)] == [1, 0]
        assert deeds_on(one) == ["client.erased"]
    assert len(db.session.scalars(select(Erasure)).all()) == 2


def test_the_trouble_with_one_person_keeps_nobody_else(
    app: Flask, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table of the clinic's own names a note about one of them, so that it cannot be deleted. The command and the
    log name the record; once the trouble is over it goes by itself."""
    world = w.build()
    ann, bob = known("Ann"), known("Bob")
    write_note(ann, "Rings twice.", by=world.desk_id, now=NOW)
    factories.save(FailedTry(kind="x", who="y", at=NOW))
    expiring.let_go_by_periods(by=world.desk_id, now=NOW)
    monkeypatch.setattr(retention, "make_working_app", lambda: app)
    monkeypatch.setattr("clinic.shared.clock.now", lambda: A_YEAR)
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE our_own (note_id BIGINT REFERENCES client_note (id))"))
        connection.execute(text("INSERT INTO our_own SELECT id FROM client_note"))
    try:
        with capture_logs() as logs:
            said = CliRunner().invoke(cli.main, ["retention"])
    finally:
        with db.engine.begin() as connection:
            connection.execute(text("DROP TABLE our_own"))
    assert (said.exit_code, said.output.splitlines()[-1]) == (
        1, f"Removed: 2. Tried again in the next run: record {ann} (IntegrityError)."
    )  # fmt: skip
    assert [(one["record"], one["kind"]) for one in logs if one["event"] == "not_removed"] == [
        (ann, "IntegrityError")
    ]
    assert left() == ["Ann", "Erased"]
    counts = [db.session.scalar(select(func.count()).select_from(one)) for one in (ClientNote, FailedTry)]
    assert (counts, bob != ann) == ([1, 0], True)
    assert remove(app, A_YEAR) == 1
    assert left() == ["Erased", "Erased"]
