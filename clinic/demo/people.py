"""The demo's clients: sixty invented people, and what some of them told about their health."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from clinic.accounts.models import User
from clinic.clients.models import Client, ClientAccess
from clinic.clients.steps import Details, add_client
from clinic.demo.team import ZONE
from clinic.intake.models import Consent, Intake
from clinic.intake.services._versions import keep_wording
from clinic.rules import questionnaire

FIRST = (
    "Ana", "Ben", "Clara", "Daniel", "Elif", "Felix", "Grace", "Hugo", "Ines", "Jamal", "Kate", "Leo", "Mina",
    "Noah", "Olga", "Pablo", "Quinn", "Rosa", "Sven", "Tara",
)  # fmt: skip
LAST = (
    "Alder", "Bright", "Castell", "Duarte", "Engel", "Farouk", "Gallo", "Hartmann", "Ito", "Jensen", "Khan",
    "Larsen", "Mbeki", "Novak", "O'Hara", "Petrov", "Quist", "Rossi", "Santos", "Tanaka",
)  # fmt: skip


def declared(today: dt.date) -> list[dict[str, dict[str, object]]]:
    """What some of the sixty clients told; the others have nothing to tell."""

    def ago(days: int) -> str:
        return (today - dt.timedelta(days=days)).isoformat()

    return [
        {"bleeding_disorder": {"present": True, "type": "von Willebrand disease", "bleed_last_4_weeks": False,
                               "under_treatment": True}},
        {"blood_thinners": {"present": True, "med_class": "anticoagulant", "medication": "apixaban",
                            "stable_3_months": True, "bruising": False}},
        {"pregnancy": {"present": True, "status": "confirmed", "weeks": 18, "weeks_as_of": ago(20),
                       "high_risk": False, "complication": "none"}},
        {"osteoporosis": {"present": True, "severity": "osteopenia"}},
        {"diabetes": {"present": True, "status": "controlled", "complications": False, "insulin": False}},
        {"high_blood_pressure": {"present": True, "status": "controlled", "systolic": 132, "diastolic": 84}},
        {"disc_herniation": {"present": True, "nerve_signs": False, "site": ["lower_back"],
                             "under_treatment": True}},
        {"recent_surgery": {"present": True, "date": ago(120), "type": "knee arthroscopy",
                            "site": ["right_knee"], "minor": False, "complications": False}},
        {"varicose_veins": {"present": True, "site": ["left_lower_leg"], "status": "quiet"}},
        {"allergy_contact": {"present": True, "type": "nut_oil", "severity": "mild"}},
        {"asthma_breathing": {"present": True, "status": "controlled"}},
        {"low_blood_pressure": {"present": True, "last_faint": ago(300)}},
        {"clotting_tendency": {"present": True, "type": "factor V Leiden", "under_treatment": True}},
        {"cancer_past": {"present": True, "date": ago(900), "type": "skin", "nodes_removed": False}},
        {"epilepsy": {"present": True, "status": "controlled", "date": ago(800)}},
        {"eczema_psoriasis": {"present": True, "status": "flare", "site": ["left_forearm"]}},
    ]  # fmt: skip


def make_clients(
    session: Session, users: Mapping[str, User], chance: random.Random, now: dt.datetime
) -> list[Client]:
    """Sixty people; most have signed the health form."""
    today = now.astimezone(ZoneInfo(ZONE)).date()
    told = declared(today)
    people = []
    for number in range(60):
        first, last = FIRST[number % 20], LAST[(number * 7 + number // 20) % 20]
        born = dt.date(chance.randint(1948, 2003), chance.randint(1, 12), chance.randint(1, 28))
        details = Details(
            first_name=first, last_name=last, born_on=born,
            email="client@willow.example" if number == 0 else f"{first}.{number}@people.example".lower(),
            phone=f"(212) 555-{1000 + number}",
        )  # fmt: skip
        client = add_client(session, details, region="US", by=None, now=now - dt.timedelta(days=200))
        people.append(client)
        if number % 12 != 11:  # some have not filled in their health form yet
            # The sixteen with something to tell are spread over the sixty.
            answers = told[(number - 1) // 3] if number % 3 == 1 and (number - 1) // 3 < len(told) else {}
            _intake(session, client, answers, now - dt.timedelta(days=15 + number))
    session.add(ClientAccess(user_id=users["client"].id, client_id=people[0].id, relation="self", since=now))
    return people


def _intake(
    session: Session, client: Client, declared_answers: Mapping[str, Mapping[str, object]], when: dt.datetime
) -> None:
    day = when.astimezone(ZoneInfo(ZONE)).date()
    asked = [condition.key for page in questionnaire.pages("intake") for condition in page.conditions]
    row = Intake(
        client_id=client.id, version=1, kind="full", question_version=questionnaire.QUESTION_VERSION,
        completed_on=day, answered_on=day, signed_at=when, source="online", recorded_by_id=None, softens=False,
    )  # fmt: skip
    row.answers = {key: declared_answers.get(key, {"present": False}) for key in asked}
    row.signature = {"name": client.name, "relation": "self", "points": None}
    keep_wording(session, when)
    session.add(row)
    for kind in ("treatment", "privacy"):
        consent = Consent(
            client_id=client.id, kind=kind, text_version="1", given_at=when, given_on=day, recorded_by_id=None
        )
        consent.detail = {}
        session.add(consent)
