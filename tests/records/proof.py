"""What the tests of records share: a visit with a finding, and reading a PDF back."""

from __future__ import annotations

import datetime as dt
import re
from io import BytesIO
from typing import Any

from pypdf import PdfReader

from clinic.records.queries.facts import facts_of, fingerprint
from clinic.records.queries.paper import Record, record_of
from clinic.records.queries.rested_on import Facts
from clinic.shared.database import db
from clinic.shared.papers import Block, Drawing, Grid, Lines, Pairs, Part
from tests.booking import world as w
from tests.booking.world import visit_of
from tests.conftest import NOW
from tests.diary.staff import Staffed

EARLIER = NOW - dt.timedelta(days=3)
VEINS = {"site": ["left_lower_leg"], "status": "quiet"}
SIGN = re.compile(r"[0-9a-f]{64}")


def booked(clinic: Staffed, *, declared: Any = None, person: Any = None, **values: Any) -> int:
    """A visit of today at 10 with Terry 1, of somebody who signed three days ago; returns its id."""
    client = w.person(**(person or {}))
    w.sign_answers(client, {"varicose_veins": VEINS} if declared is None else declared, now=EARLIER)
    values = {"when": w.at(0), "therapist_id": clinic.me, **values}
    visit_id = w.at_desk(clinic.world, client, values.pop("service", "relaxation"), **values).visit_id
    assert visit_id is not None
    return visit_id


def facts(visit_id: int) -> Facts:
    return facts_of(visit_of(visit_id))


def mark(visit_id: int) -> str:
    return fingerprint(facts(visit_id))


def record(visit_id: int) -> Record:
    db.session.rollback()
    found = record_of(visit_id)
    assert found is not None
    return found


def words_of(visit_id: int, section: str = "") -> str:
    """Everything that the record, or one section of it, says."""
    paper = record(visit_id).paper
    sections = [one for one in paper.sections if section in one.title]
    return "\n".join(text for one in sections for block in one.blocks for text in texts(block))


def texts(block: Block) -> list[str]:
    match block:
        case Lines(lines):
            return list(lines)
        case Pairs(rows):
            return [f"{term}: {value}" for term, value in rows]
        case Grid(heads, rows):
            return [" | ".join(heads), *(" | ".join(row) for row in rows)]
        case Drawing(words=words):
            return [words]
        case Part(title, blocks):
            return [title, *(text for one in blocks for text in texts(one))]


def pages_of(pdf: bytes) -> list[str]:
    """The text of each page, with its lines run together as a reader would."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(pdf)).pages]
