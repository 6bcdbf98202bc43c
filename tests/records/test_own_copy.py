"""A person's own copy: every row of every table about them, nothing of anybody else, and a record that it was taken."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from importlib import import_module

import pytest
import time_machine
from babel.messages.pofile import read_po
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from clinic.booking.models import Checkout, StatusChange, Visit
from clinic.booking.queries import checkouts
from clinic.clients.models import Client, ClientAccess
from clinic.intake.models import Consent, IntakeDraft
from clinic.keeping.queries import people
from clinic.paths import ROOT
from clinic.premises.models import Location
from clinic.records import copy_values, copy_words, words
from clinic.records.queries import own_copy
from clinic.records.queries.copy_schema import schema
from clinic.records.queries.own_copy import POINTERS, Whose, copied_classes, copy_of, is_personal
from clinic.rules import keeping
from clinic.rules.language import _
from clinic.rules.permissions import Permission, Role
from clinic.shared.audit import AuditRow
from clinic.shared.database import Base, db, transaction
from clinic.shared.languages import speaking
from clinic.shared.mail import OutgoingMail
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.conftest import NOW
from tests.owners import browser_of
from tests.records.whole_person import Person

pytestmark = pytest.mark.usefixtures("now")

# Tables of the clinic itself, written out by hand: a new table is about somebody who is treated unless it stands here.
ABOUT_NOBODY_TREATED = {
    "addon", "api_token", "audit_counter", "audit_link", "clinic", "closure", "couple",
    "dated_hours", "dated_opening", "device", "erasure_pass", "failed_try", "keeping_confirmation",
    "keeping_period", "location", "opening_hours", "own_text", "passkey_challenge", "person_key", "picture",
    "question_set", "request_count",
    "resource", "room", "rules_version", "running_late", "series", "service", "service_addon", "service_length",
    "service_mode", "therapist", "therapist_skill", "time_off", "worker_beat", "working_hours",
}  # fmt: skip
SEALED = ("intake", "consent", "client_note", "bad_reaction", "health_stop", "intake_draft", "clearance")
ANOTHER_PERSON = {"client.merged_into_id", "not_same_person.other_id"}


@pytest.fixture(scope="module", autouse=True)
def all_tables() -> None:
    """A table is known when its module has been read; whoever runs alone has read none."""
    for name in ("clinic.app", "clinic.shared.audit_chain"):
        import_module(name)


def test_every_table_is_about_a_person_or_named_here() -> None:
    names = {table.name for table in Base.metadata.sorted_tables}
    assert {name for name in names if not is_personal(name)} == ABOUT_NOBODY_TREATED


def test_every_table_that_a_person_reads_of_has_a_name_in_words() -> None:
    assert set(keeping.TABLES) <= copy_words.TABLES.keys()


def test_every_deed_that_a_person_reads_of_has_words() -> None:
    """What a trace says of a client or a visit is spelled out where it has none, in English."""
    told = set()
    for path in (ROOT / "clinic").rglob("*.py"):
        for trace in re.finditer(r"leave_trace\((.{0,330})", path.read_text("utf-8"), re.S):
            if re.search(r'"(client|visit)",', trace[1]):
                told |= set(re.findall(r'"([a-z]+\.[a-z_]+)"', trace[1].split("leave_trace(")[0]))
    assert len(told) > 40
    assert told - words.DEEDS.keys() - set(own_copy.UNTOLD) == set()


def test_what_speaks_to_a_person_is_said_otherwise_to_the_clinic() -> None:
    spoken = {
        name for name, words in copy_words.TABLES.items() if re.search(r"\b(you|yours?)\b", words, re.I)
    }
    assert spoken == copy_words.TABLES_AT_THE_CLINIC.keys()
    assert not any(re.search(r"\byou", words, re.I) for words in copy_words.TABLES_AT_THE_CLINIC.values())


def test_every_column_that_a_person_reads_has_words_that_are_translated() -> None:
    with (ROOT / "clinic/translations/de/LC_MESSAGES/clinic.po").open("rb") as file:
        translated = {message.id for message in read_po(file) if message.string}
    tables = schema()["properties"].values()
    columns = {name for table in tables for name in table["items"]["properties"]} - {"id"}
    assert {copy_words.column_words(name) for name in columns} - translated == set()


def test_every_column_that_points_at_something_personal_is_followed() -> None:
    """A new column that leads to a client, a visit, an intake … by another name would lose rows."""
    personal = {name for name in Base.metadata.tables if is_personal(name)} - {"user"}
    unknown = {
        f"{table.name}.{key.parent.name}"
        for table in Base.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name in personal and key.column.name == "id" and key.parent.name not in POINTERS
    }
    assert unknown - ANOTHER_PERSON == {"visit.screening_id", "session_note.corrects_id"}


def copy_for(person: Person, *, of: int | None = None) -> TestResponse:
    """Whole: the test client reads an answer that is streamed outside of its request, unless it is told not to."""
    return person.browser.get(f"/my/people/{of or person.made['client']}/data.json", buffered=True)


def test_every_table_is_in_it_and_nobody_else(app: Flask, world: w.World) -> None:
    other, person = Person(app, world, "canary-of-another"), Person(app, world, "own-words")
    answer = copy_for(person)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    found = json.loads(answer.text)
    assert set(found) == {cls.__tablename__ for cls in copied_classes()}
    assert other.word not in answer.text
    as_file = base64.b64encode(person.word.encode()).decode()
    said = {table: person.word in json.dumps(rows) for table, rows in found.items() if table in SEALED}
    assert said == dict.fromkeys(SEALED, True)
    assert found["clearance_document"][0]["content"] == as_file
    for secret in ("token_hash", "manage_hash", "password_hash", "_by_id", "_sealed", "name_key"):
        assert secret not in answer.text
    page = person.browser.get(f"/my/people/{person.made['client']}/data", buffered=True)
    assert page.status_code == 200
    assert other.word not in page.text
    assert [f'id="copy-{table}"' in page.text for table in found] == [True] * len(found)
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.text))
    assert re.findall(r"\b(?:swedish|full_body|visit\.\w+|True|False|None|America/New_York)\b", shown) == []


def test_stored_keys_are_said_in_words_and_numbers_of_rows_left_to_programs() -> None:
    row = {
        "id": 7, "client_id": 8, "service": "swedish", "areas": ["full_body", "neck"], "weekdays": [0], "minutes": 60,
        "outcome": "allow", "status": "confirmed", "kind": "privacy", "renewal": False, "fold": 0, "note": "swedish",
        "signature": {"relation": "self"}, "ended_as": "not_possible", "deadline_at": None,
    }  # fmt: skip
    assert dict(copy_values.told(row, {"swedish": "Swedish massage"})) == {
        "service": "Swedish massage", "areas": ["Whole body", "Neck"], "weekdays": ["Monday"], "minutes": "1 hour",
        "outcome": "Allowed", "status": "Confirmed", "kind": "To keeping health data", "renewal": False,
        "note": "swedish", "signature": {"relation": "Yourself"}, "ended_as": "Not possible",
    }  # fmt: skip


def test_only_the_person_and_a_childs_parent_may_and_each_time_is_recorded(
    app: Flask, world: w.World
) -> None:
    person, partner = Person(app, world, "own-words"), Person(app, world, "partner-words", relation="partner")
    parent = Person(app, world, "parent-words", relation="parent", age=9)
    grown = Person(app, world, "grown-words", relation="parent", age=30)
    tried = [(person, person), (parent, parent), (partner, partner), (grown, grown), (partner, person)]
    codes = [copy_for(by, of=about.made["client"]).status_code for by, about in tried]
    assert codes == [200, 200, 404, 404, 404]
    rows = db.session.scalars(
        select(AuditRow).where(AuditRow.deed == "client.copy_saved").order_by(AuditRow.sequence)
    )
    assert [(one.by_user_id, one.thing_id) for one in rows] == [
        (one.user.id, one.made["client"]) for one in (person, parent)
    ]
    assert "user_session" not in json.loads(copy_for(parent).text)  # the account is the parent's own


def test_the_file_is_as_its_schema_says_and_staff_make_it_for_who_asked(app: Flask, world: w.World) -> None:
    """Whoever may read health answers may make it: the owner and the desk may not, unless they were given that."""
    person = Person(app, world, "own-words")
    address = f"/clients/{person.made['client']}/data.json"
    given = [Permission.CLINICAL_REVIEW]
    team = {
        "owner": browser_of(app, factories.make_user(email="o@c.example", roles=[Role.OWNER], name="O")),
        "named": browser_of(
            app, factories.make_user(email="n@c.example", roles=[Role.OWNER], name="N", given=given)
        ),
    }
    answers = {who: browser.get(address, buffered=True) for who, browser in team.items()}
    assert {who: answer.status_code for who, answer in answers.items()} == {"owner": 403, "named": 200}
    found = json.loads(answers["named"].text)
    shape = json.loads(team["owner"].get("/data-schema.json").text)
    assert set(found) == set(shape["properties"])
    for table, rows in found.items():
        said = set(shape["properties"][table]["items"]["properties"])
        assert table in ("audit_row", "outgoing_mail") or set(rows[0]) <= said, table
    rows = db.session.scalars(select(AuditRow.thing_id).where(AuditRow.deed == "client.copy_saved_for_them"))
    assert list(rows) == [person.made["client"]]


def test_what_is_also_about_somebody_else_is_kept_back(app: Flask, world: w.World) -> None:
    person = Person(app, world, "own-words")
    found = json.loads(copy_for(person).text)
    assert found["never_together"][0]["reason"].startswith("kept back")
    assert "not_same_person" not in found
    assert found["visit"][0]["therapist"] is not None
    assert set(found["screening"][0]["findings"]) == {"own", "stopped"}
    assert {one["by"] for one in found["audit_row"]} == {"you", "the clinic"}


def test_who_may_be_a_known_person_is_not_told_so(app: Flask, world: w.World) -> None:
    """Such a visit waits for the desk, and nobody who booked without an account is told."""
    client = factories.make_client(
        first_name="Ann", last_name="New", born_on=dt.date(1980, 3, 3), is_unproven=True
    )
    whose = Whose(client, None)
    visit = Visit(client=client, client_id=client.id, status="pending", waiting_for="review", deadline_at=NOW)
    told = whose._plain(visit)
    assert (told["status"], told["waiting_for"], told["deadline_at"]) == ("confirmed", None, None)
    assert whose._plain(StatusChange(visit_id=1, status="pending", at=NOW))["status"] == "confirmed"


def test_rows_stand_oldest_first_though_their_numbers_are_drawn_by_lot(app: Flask) -> None:
    client = factories.make_client(first_name="Ida", last_name="Iba", born_on=dt.date(1980, 1, 1))
    for number, hours in ((7, 3), (9, 1), (8, 2)):
        at = NOW + dt.timedelta(hours=hours)
        row = Consent(
            id=number, client_id=client.id, kind="treatment", text_version="1", given_at=at, given_on=w.TODAY
        )
        row.detail = {}
        factories.save(row)
    told = [row["given_at"] for row in Whose(client, None).rows(Consent)]
    assert (len(told), told) == (3, sorted(told))


def test_what_a_rule_said_is_shown_in_the_language_of_the_reader(app: Flask) -> None:
    row = {
        "own": [{"rule": "fever", "label": "Fever or feeling feverish", "clearances": "none"}],
        "label": "Mine",
    }
    with app.app_context(), speaking("de"):
        shown = dict(copy_values.told(row, {}))
        assert shown["own"][0]["label"] == _("Fever or feeling feverish") != "Fever or feeling feverish"
        assert shown["label"] == "Mine"
    assert {"label", "clearances"} <= {*copy_words.COLUMNS}


def test_why_a_step_was_made_is_said_in_words_and_what_somebody_wrote_stays(app: Flask) -> None:
    rows = {"reason": "by the client"}, {"reason": "Pat asked for it"}
    with app.app_context(), speaking("de"):
        said = [dict(copy_values.told(one, {}))["reason"] for one in rows]
    assert said == ["von der Person selbst", "Pat asked for it"]


def test_nobody_reads_who_else_was_named_in_their_booking(app: Flask, world: w.World) -> None:
    browser = app.test_client()
    walk.location(walk.hold(browser, "relaxation"))
    for first_name, year in (("Nora", "1988"), ("Ben", "1990")):
        walk.location(walk.name(browser, first_name=first_name, born_year=year))
        walk.answer(browser)
        walk.location(walk.sign(browser))
    db.session.rollback()
    booking = db.session.scalars(select(Checkout)).one()
    assert checkouts.all_before(booking)
    booking.details = {**(booking.details or {}), "chosen_before": [7]}  # of an earlier version
    client = db.session.get_one(Client, booking.client_id)
    assert Whose(client, None)._plain(booking)["details"] == {"relation": "self"}


def test_what_is_typed_and_not_finished_is_on_the_page_as_well(app: Flask, world: w.World) -> None:
    client = w.person()
    with transaction() as session:
        draft = IntakeDraft(client_id=client, writer="client", kind="full", updated_at=NOW)
        whole = {"doctor_said_no": {"present": True, "reason": "told so", "date": "2025-01-01"}}
        draft.write(whole, {"f.other.reason": ["half a word"], "s.name": ["Pat N"]})
        session.add(draft)
    user = factories.make_user(email="own@people.example", roles=[Role.CLIENT])
    factories.save(ClientAccess(user_id=user.id, client_id=client, relation="self", since=NOW))
    browser = browser_of(app, user)
    page, file = (browser.get(f"/my/people/{client}/data{end}", buffered=True).text for end in ("", ".json"))
    for typed in ("told so", "half a word", "Pat N"):
        assert typed in page, typed
        assert typed in file, typed


def test_a_mail_to_an_earlier_address_is_in_the_copy_and_counted(app: Flask) -> None:
    """It is about them and about no visit; that of somebody whose number begins alike is not theirs."""
    w.build()
    client = w.person()
    for number in (client, f"{client}1"):
        mail = OutgoingMail(
            key=f"papers_needed:{number}:x", kind="papers_needed", to="before@people.example", subject="s",
            text="", due_at=NOW, attempts=0,
        )  # fmt: skip
        factories.save(mail)
    found = {one.table: list(one.rows) for one in copy_of(client, None)}
    assert [row["to"] for row in found["outgoing_mail"]] == ["before@people.example"]
    shown = people.preview(client, NOW)
    assert shown is not None
    assert {one.table: one.count for one in shown.lines}["outgoing_mail"] == 1


def test_who_is_of_age_by_the_clinics_day_is_copied_by_no_parent(app: Flask) -> None:
    """In Sydney it is the day they come of age, in Greenwich still the day before."""
    with time_machine.travel(dt.datetime(2026, 6, 8, 15, tzinfo=dt.UTC), tick=False):
        w.build()
        with transaction() as session:
            session.execute(update(Location).values(zone="Australia/Sydney"))
        parent = factories.make_user(email="ben@people.example", roles=[Role.CLIENT])
        children = [
            factories.make_client(
                first_name="Kid", last_name="Two", born_on=born, acts={parent.id: "parent"}
            ).id
            for born in (dt.date(2008, 6, 9), dt.date(2008, 6, 10))
        ]
        browser = browser_of(app, parent)
        got = [
            browser.get(f"/my/people/{one}/{page}", buffered=True).status_code
            for one in children
            for page in ("data", "data.json")
        ]
    assert got == [404, 404, 200, 200]
