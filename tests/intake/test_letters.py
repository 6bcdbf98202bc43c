"""Clinicians' letters on the pages: who may open them, what is recorded, and that nothing sent in is ever shown."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from clinic.accounts.models import User
from clinic.intake.models import Clearance, ClearanceDocument, ClearanceLetter
from clinic.intake.services import clearances
from clinic.intake.services import letters as sending
from clinic.rules.permissions import Role
from clinic.shared.audit import AuditRow
from clinic.shared.database import db
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW
from tests.intake import letters
from tests.owners import browser_of
from tests.shared.test_file_kinds import HOSTILE, HTML
from tests.typed_forms import form_on

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def patient(world: w.World) -> int:
    """Somebody whose visit waits for a letter."""
    client = w.person()
    w.sign(client, heart_failure=letters.HEART)
    w.at_desk(world, client, "relaxation")
    return client


@pytest.fixture
def reviewer(world: w.World) -> int:
    return letters.reviewer()


@pytest.fixture
def therapist(app: Flask, reviewer: int) -> FlaskClient:
    """Somebody with clinical review at their browser."""
    return browser_of(app, db.session.get_one(User, reviewer))


def upload(browser: FlaskClient, client: int, *files: tuple[bytes, str]) -> TestResponse:
    return letters.upload(browser, f"/clients/{client}/letter", *files)


def typed(page: TestResponse, address: str, **values: Any) -> dict[str, Any]:
    """The form as it stands with what staff fill in."""
    return form_on(page.text, address) | {
        "conditions": ["heart_failure"], "services": ["swedish", "relaxation"], "clinician": ["Dr Gray"],
        "role": ["physician"], "register_number": ["NY 1"], "contact": ["(212) 555-0188"],
        "issued_on": ["2026-06-08"], "how": ["Called the practice, spoke with Ms Hall"], **values,
    }  # fmt: skip


def sent_for_review(patient: int, desk: FlaskClient, therapist: FlaskClient) -> str:
    """The desk adds a letter; the address at which it waits for whoever reviews."""
    upload(desk, patient, (letters.PDF, "letter.pdf"))
    found = re.search(r"/reviews/letters/\d+", therapist.get("/reviews").text)
    assert found
    return found[0]


def rows(table: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def looks() -> int:
    return db.session.scalar(select(func.count()).where(AuditRow.deed == "letter.read")) or 0


def test_a_letter_appears_by_itself_where_it_waits_for_review(
    patient: int, desk: FlaskClient, therapist: FlaskClient
) -> None:
    before = therapist.get("/reviews")
    assert "js/live.js" in before.text
    seen = {"If-None-Match": before.headers["ETag"]}
    assert therapist.get("/reviews", headers=seen).status_code == 304
    assert upload(desk, patient, (letters.PDF, "letter.pdf")).status_code == 303
    assert "Open" in therapist.get("/reviews", headers=seen).text


def test_from_the_desks_scanner_to_the_confirmed_visit(
    patient: int, desk: FlaskClient, therapist: FlaskClient
) -> None:
    assert upload(desk, patient, (letters.PDF, "letter.pdf"), (letters.jpeg(), "2.jpg")).status_code == 303
    assert w.statuses(patient) == ["pending"]
    listed = desk.get("/todo").text
    assert "One thing waits" in listed
    assert "A doctor’s letter is here and has to be checked" in listed
    assert "Waiting for a doctor’s letter" not in listed
    address = re.search(r"/reviews/letters/\d+", therapist.get("/reviews").text)
    assert address
    page = therapist.get(address[0])
    assert looks() == 1
    assert "Save page 2 (JPEG" in page.text
    assert "changes nothing for a treatment that is blocked" in page.text
    saved = therapist.post(address[0], data=typed(page, address[0], limits=["Half sitting"]))
    assert saved.status_code == 303
    assert w.statuses(patient) == ["confirmed"]
    assert therapist.get(saved.location).location == "/reviews"
    assert "judged again with it" in therapist.get("/reviews").text
    shown = therapist.get(f"/reviews/clients/{patient}/clearances").text
    assert re.search(r"Counts until [^<]*5 September", shown)
    assert "Half sitting" in shown


def test_a_letter_that_does_not_cover_the_visit_is_not_called_enough(
    patient: int, desk: FlaskClient, therapist: FlaskClient
) -> None:
    address = sent_for_review(patient, desk, therapist)
    saved = therapist.post(address, data=typed(therapist.get(address), address, services=["swedish"]))
    assert w.statuses(patient) == ["pending"]
    after = therapist.get(saved.location)
    assert after.location == f"/reviews/clients/{patient}/clearances"
    page = therapist.get(after.location).text
    assert (
        "a visit waits for a letter all the same, as this one does not cover it: Relaxation massage" in page
    )
    assert "judged again with it" not in page
    assert desk.get(saved.location).status_code == 403


def test_in_german_what_waits_for_a_letter_is_german(
    patient: int, desk: FlaskClient, therapist: FlaskClient
) -> None:
    places = (
        sent_for_review(patient, desk, therapist),
        f"/reviews/clients/{patient}/clearances",
        f"/reviews/clients/{patient}/questions",
    )
    for address in places:
        page = therapist.get(address, headers={"Accept-Language": "de"}).text
        assert '<html lang="de"' in page
        assert ("Herzschwäche" in page, "Entspannungsmassage" in page) == (True, True), address
        assert re.search("Heart failure|Relaxation massage|light, long strokes", page) is None, address


def test_withdrawn_on_the_page_the_visit_waits_again(
    patient: int, reviewer: int, therapist: FlaskClient
) -> None:
    made = letters.verify(patient, reviewer)
    address = f"/reviews/clearances/{made[0]}/withdraw"
    wrong = therapist.post(address, data={"reason": " "})
    assert wrong.status_code == 422
    assert "Write in a few words why" in wrong.text
    assert w.statuses(patient) == ["confirmed"]
    assert therapist.post(address, data={"reason": "The doctor called it back"}).status_code == 303
    assert w.statuses(patient) == ["suspended"]
    assert therapist.post(address, data={"reason": "The doctor called it back"}).status_code == 303


def test_put_aside_nothing_changes(patient: int, desk: FlaskClient, therapist: FlaskClient) -> None:
    letter = letters.send(patient)
    address = f"/reviews/letters/{letter}"
    assert therapist.post(f"{address}/refuse", data={"reason": ""}).status_code == 422
    assert therapist.post(f"{address}/refuse", data={"reason": "Not signed by anybody"}).status_code == 303
    assert w.statuses(patient) == ["pending"]
    assert "Waiting for a doctor’s letter" in desk.get("/todo").text
    assert "Not signed by anybody" in therapist.get(address).text
    again = therapist.post(address, data=typed_plain())
    assert (again.status_code, again.location) == (303, "/reviews")
    assert rows(Clearance) == 0


def typed_plain() -> dict[str, Any]:
    return {
        "conditions": ["heart_failure"], "services": ["relaxation"], "clinician": "Dr Gray", "role": "physician",
        "register_number": "NY 1", "contact": "x", "issued_on": "2026-06-08", "how": "Called the practice",
    }  # fmt: skip


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"role": ["chiropractor"]}, "needs a letter from a doctor"),
    ({"role": [""]}, "Choose the profession."),
    ({"issued_on": ["2026-02-31"]}, "Enter a day that exists"),
    ({"issued_on": ["2026-06-20"]}, "lies in the future"),
    ({"issued_on": ["2026-01-01"]}, "too old"),
    ({"conditions": []}, "Tick what the letter names."),
    ({"conditions": ["pregnancy"]}, "Choose from the list only."),
    ({"services": []}, "Tick the treatments"),
    ({"services": ["deep_tissue"]}, "Choose from the list only."),
    ({"areas": ["moon"]}, "Choose parts of the body"),
    ({"how": ["ok"]}, "how it was checked"),
]


def test_what_is_wrong_stands_on_the_page_and_what_was_typed_stays(
    patient: int, therapist: FlaskClient
) -> None:
    address = f"/reviews/letters/{letters.send(patient)}"
    page = therapist.get(address)
    for values, sentence in WRONG:
        got = therapist.post(address, data=typed(page, address, **values))
        assert got.status_code == 422
        assert sentence in got.text
        assert 'value="Dr Gray"' in got.text
    assert (rows(Clearance), w.statuses(patient)) == (0, ["pending"])


def test_a_letter_on_paper_is_written_down_without_pages(patient: int, therapist: FlaskClient) -> None:
    opened = therapist.post(f"/reviews/clients/{patient}/letters")
    assert opened.status_code == 303
    assert "Nothing was uploaded" in therapist.get(opened.location).text
    saved = therapist.post(opened.location, data=typed_plain())
    assert (saved.status_code, w.statuses(patient)) == (303, ["confirmed"])


REFUSED = "Send a PDF or a photo"


def test_nothing_hostile_is_kept(world: w.World, desk: FlaskClient) -> None:
    client, names = w.person(), ("letter.pdf", "../../etc/passwd.png")
    taken = {
        (kind, name)
        for kind, content in HOSTILE.items()
        for name in names
        if (REFUSED if content else "There is nothing in this file")
        not in upload(desk, client, (content, name)).text
    }
    assert taken == set()
    assert (rows(ClearanceLetter), rows(ClearanceDocument)) == (0, 0)


NAMES = (
    "../../../../etc/cron.d/x", "C:\\Windows\\x.pdf", "<script>alert(1)</script>.pdf", "a" * 5000,
    "\u202egpj.pdf", 'x"; y="1.pdf',
)  # fmt: skip


def test_the_name_of_a_file_is_never_used(world: w.World, desk: FlaskClient, therapist: FlaskClient) -> None:
    for name in NAMES:
        assert upload(desk, w.person(), (letters.PDF, name)).status_code == 303
    for page in db.session.scalars(select(ClearanceDocument.id)).all():
        got = therapist.get(f"/reviews/pages/{page}")
        assert got.headers["Content-Disposition"] == 'attachment; filename="letter-1.pdf"'
    assert rows(ClearanceDocument) == len(NAMES)


def test_a_page_is_saved_and_never_shown(world: w.World, desk: FlaskClient, therapist: FlaskClient) -> None:
    for number, (kind, content) in enumerate(letters.HONEST.items(), start=1):
        upload(desk, w.person(), (content, "letter.html"))
        page = db.session.scalars(select(ClearanceDocument).where(ClearanceDocument.kind == kind)).one()
        assert content not in bytes(page.content_sealed)
        got = therapist.get(f"/reviews/pages/{page.id}")
        assert got.data == content
        assert got.headers["Content-Disposition"].startswith("attachment; ")
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert got.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert got.headers["Cache-Control"] == "no-store"
        assert got.mimetype in {"application/pdf", "image/jpeg", "image/png", "image/heic"}
        assert looks() == number


def test_the_desk_can_add_a_letter_and_not_open_it(patient: int, desk: FlaskClient) -> None:
    letter = letters.send(patient)
    page = db.session.scalars(select(ClearanceDocument.id)).one()
    for address in (
        f"/reviews/letters/{letter}",
        f"/reviews/pages/{page}",
        f"/reviews/clients/{patient}/clearances",
    ):
        assert desk.get(address).status_code == 403
    for address in (
        f"/reviews/letters/{letter}",
        f"/reviews/letters/{letter}/refuse",
        f"/reviews/clients/{patient}/letters",
    ):
        assert desk.post(address, data=typed_plain()).status_code == 403
    card = desk.get(f"/clients/{patient}").text
    assert "Add a letter" in card
    assert "heart" not in card.replace("clipboard-heart", "").lower()


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([], "Choose the letter"),
        ([(b"", "")], "Choose the letter"),
        ([(letters.PDF, "a.pdf")] * 6, "at most 5 files"),
        ([(letters.PDF, "a.pdf"), (HTML, "b.pdf")], "Send a PDF or a photo"),
        ([(letters.PDF, "a.pdf"), (b"", "b.pdf")], "There is nothing in this file."),
        ([(letters.PDF + b" " * (10 * 1024 * 1024), "a.pdf")], "at most 10 MB"),
    ],
    ids=["nothing", "no file chosen", "too many", "one of them wrong", "one of them empty", "too large"],
)
def test_what_cannot_be_taken_is_said_at_the_field(
    world: w.World, desk: FlaskClient, files: list[tuple[bytes, str]], sentence: str
) -> None:
    got = upload(desk, w.person(), *files)
    assert got.status_code == 422
    assert sentence in got.text
    assert rows(ClearanceLetter) == 0


def test_larger_than_the_limit_is_not_even_read(world: w.World, desk: FlaskClient) -> None:
    too_large = upload(desk, w.person(), (b"x" * (11 * 1024 * 1024), "a.pdf"))
    assert too_large.status_code == 413
    assert re.search(r'<a href="/clients/\d+/letter">Go back and choose', too_large.text)
    assert desk.post("/clients/new", data={"first_name": "x" * (2 * 1024 * 1024)}).status_code == 413
    assert rows(ClearanceLetter) == 0


def test_ten_megabytes_are_taken_and_then_no_more(patient: int, desk: FlaskClient) -> None:
    photo = letters.jpeg()
    large = photo[:-2] + b"\x00" * (9 * 1024 * 1024) + photo[-2:]
    assert upload(desk, patient, (large, "photo.jpg")).status_code == 303
    assert upload(desk, patient, (large + b"\x00", "photo.jpg")).status_code == 422
    assert rows(ClearanceDocument) == 1


def test_at_most_five_letters_wait(patient: int, desk: FlaskClient) -> None:
    for number in range(5):
        assert upload(desk, patient, (letters.png(number + 1), "a.png")).status_code == 303
    assert upload(desk, patient, (letters.PDF, "a.pdf")).status_code == 422


def test_the_same_pages_sent_again_are_one_letter_until_it_is_decided(patient: int, reviewer: int) -> None:
    first = letters.send(patient)
    assert (letters.send(patient), rows(ClearanceLetter)) == (first, 1)
    two = sending.send_letter(patient, [letters.PDF, letters.png()], source="client", by=None, now=NOW)
    assert (two == first, rows(ClearanceLetter)) == (False, 2)
    clearances.refuse_letter(first, "Nobody knows it at the office", by=reviewer, now=NOW)
    assert letters.send(patient) not in (first, two)


def test_owner_without_clinical_review_reads_no_letter(app: Flask, patient: int) -> None:
    owner = factories.make_user(email="o@clinic.example", roles=[Role.OWNER])
    letter = letters.send(patient)
    assert browser_of(app, owner).get(f"/reviews/letters/{letter}").status_code == 403


def test_the_desk_hears_that_papers_run_out_and_not_which(
    patient: int, reviewer: int, desk: FlaskClient
) -> None:
    assert "Papers that run out" not in desk.get("/todo").text
    letters.verify(patient, reviewer, ends_on=w.at(9).date())
    page = desk.get("/todo").text
    assert "Papers that run out soon" in page
    assert re.search(r"Good until [^<]*18 June", page)
    assert "heart failure" not in page.lower()
