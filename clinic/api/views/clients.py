"""Clients and their intakes. Answers go in; none comes out."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from clinic.api import shapes
from clinic.api.paging import part_of
from clinic.api.repeats import Kept, done_once
from clinic.api.views import kit
from clinic.api.views.blueprint import api
from clinic.clients import queries as reading
from clinic.clients import services
from clinic.clients.steps import Details, check_details
from clinic.intake import queries as intake
from clinic.intake.services import intakes
from clinic.rules import screening
from clinic.rules.answers import AnswerError
from clinic.rules.api_scopes import Scope
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.language import _
from clinic.rules.verdicts import Urgency
from clinic.rules.wall_time import local_day
from clinic.shared import clock


@api.door("GET", "/clients", Scope.CLIENTS_READ, shapes.ClientsOut, query=shapes.ClientQuery)
def list_clients(query: shapes.ClientQuery) -> dict[str, Any]:
    """Clients by id, or those that `search` finds by name, phone or e-mail."""
    rows, total = reading.page(query.page, query.per_page, query.search)
    return part_of([_json(one) for one in rows], total, query)


@api.door("GET", "/clients/<int:client_id>", Scope.CLIENTS_READ, shapes.ClientOut)
def read_client(client_id: int) -> dict[str, Any]:
    """One client; a record that was merged answers with the one it went into."""
    return _json(_client(client_id))


def _shown(kept: Kept) -> dict[str, Any]:
    return shapes.ClientOut(**_json(_client(kept["id"]))).model_dump(mode="json")


@api.door(
    "POST",
    "/clients",
    Scope.CLIENTS_WRITE,
    shapes.ClientOut,
    body=shapes.ClientIn,
    status=201,
    once=partial(done_once, read=_shown, adds_person=True),
)
def add_client(body: shapes.ClientIn) -> dict[str, Any]:
    """A new client. Look for the person first: a record is never shared by itself."""
    details = Details(body.first_name, body.last_name, body.born_on, email=body.email, phone=body.phone)
    facts, now = kit.clinic(), clock.now()
    check_details(details, today=local_day(now, ZoneInfo(facts.zone)))
    made = services.create_client(details, region=facts.phone_region, by=None, now=now)
    return _json(_client(made))


@api.door(
    "POST",
    "/clients/<int:client_id>/intakes",
    Scope.INTAKES_WRITE,
    shapes.IntakeOut,
    body=shapes.IntakeIn,
    status=201,
)
def sign_intake(client_id: int, body: shapes.IntakeIn) -> dict[str, Any]:
    """Sign a full intake for a client: a new version, and every coming visit is judged again.

    A warning sign in the answers stops everything for this person (`stopped`): nothing is signed then, and `urgency`
    says how soon they need care: tell them so at once.
    """
    client, facts, now = _client(client_id), kit.clinic(), clock.now()
    today = local_day(now, ZoneInfo(facts.zone))
    try:
        flags = screening.red_flags_in(body.answers, today)
    except AnswerError as error:
        raise InvalidInput(f"answers.{error.key}.{error.field}", error.problem) from error
    if flags:
        urgency = intakes.raise_stop(client.id, body.answers, source="api", by=None, now=now, today=today)
        return _answered(client.id, client.id, today, urgency)
    made = intakes.submit_intake(
        client.id,
        body.answers,
        intakes.Signature(body.signed_by, body.relation, young_person_agrees=body.young_person_agrees),
        writer="api",
        source="api",
        consents={"treatment": {}, "privacy": {}},
        by=None,
        now=now,
        today=today,
    )
    return _answered(made, client.id, today, Urgency.NONE.word)


def _answered(intake_id: int, client_id: int, day: dt.date, urgency: str) -> dict[str, Any]:
    stopped = urgency != Urgency.NONE.word
    return {
        "id": intake_id, "client": client_id, "completed_on": day, "stopped": stopped, "urgency": urgency,
    }  # fmt: skip


def _client(client_id: int) -> reading.ClientFacts:
    found = reading.client(client_id)
    if found is None:
        raise NotFound(_("There is no such client."))
    return reading.facts_of(found)


def _json(one: reading.ClientFacts) -> dict[str, Any]:
    newest = intake.newest(one.id)
    return {
        "id": one.id,
        "first_name": one.first_name,
        "last_name": one.last_name,
        "born_on": one.born_on,
        "email": one.email,
        "phone": one.phone,
        "intake_completed_on": newest.completed_on if newest else None,
    }
