"""Deeds on people that their visits are judged by: changed details, two records that look alike, merging."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask import flash, render_template, request

from clinic.accounts.access import who
from clinic.booking.queries import unfinished, visits
from clinic.booking.services import people
from clinic.booking.views.blueprint import pages
from clinic.clients import queries as clients
from clinic.clients.forms import DetailsForm
from clinic.clients.steps import Details
from clinic.premises import queries as premises
from clinic.rules.contact import ONE_NAME
from clinic.rules.errors import ChangedMeanwhile, InvalidInput, MoveNotAllowed, NotFound, ReviewNeeded
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.rules.visit_status import UPCOMING
from clinic.shared import clock
from clinic.shared.web import Answer, found, go


@pages.get("/clients/<int:client_id>/edit", needs=Permission.CLIENT_ANY_WRITE)
def desk_edit_client(client_id: int) -> Answer:
    """The details as they are."""
    client = found(clients.client(client_id))
    form = DetailsForm(obj=client)
    form.last_name.data = client.last_name or ONE_NAME
    return _edit_page(client_id, form)


@pages.post("/clients/<int:client_id>/edit", needs=Permission.CLIENT_ANY_WRITE)
def desk_save_client(client_id: int) -> Answer:
    """Save the details; coming visits are judged again, since age counts."""
    found(clients.client(client_id))
    form, seen = DetailsForm(request.form), request.form.get("seen")
    form.region = premises.clinic().phone_region
    if not form.validate():
        return _edit_page(client_id, form, seen, 422)
    try:
        people.change_details(client_id, Details(**form.details()), by=who() or 0, now=clock.now(), seen=seen)
    except InvalidInput as error:
        form.add_error(error.field, error.sentence)
        return _edit_page(client_id, form, seen, 422)
    except ChangedMeanwhile as error:
        form.add_error("", error.sentence)
        return _edit_page(client_id, form, status=409)
    flash(_("Saved."), "success")
    return go("diary.client_card", client_id=client_id)


def _edit_page(client_id: int, form: DetailsForm, seen: str | None = None, status: int = 200) -> Answer:
    """`seen`: the mark of what the form was filled in with; None: as the card stands now."""
    client = found(clients.client(client_id))
    shown = people.mark_of_card(client) if seen is None else seen
    return render_template("clients/edit.html", form=form, client=client, seen=shown), status


@pages.get("/clients/duplicates", needs=Permission.CLIENT_ANY_MERGE)
def desk_duplicates() -> Answer:
    """Records that may be one person."""
    return render_template("clients/duplicates.html", pairs=unfinished.pairs())


@pages.get("/clients/<int:client_id>/compare/<int:other_id>", needs=Permission.CLIENT_ANY_MERGE)
def desk_compare(client_id: int, other_id: int) -> Answer:
    """Two records side by side."""
    one, other = found(clients.client(client_id)), found(clients.client(other_id))
    if one.id == other.id:
        flash(_("These records are one already."), "info")
        return go("diary.client_card", client_id=one.id)
    return render_template(
        "clients/compare.html",
        records=[_described(row) for row in (one, other)],
        older_id=_older(one, other),
        shared=clients.what_is_shared(one, other),
    )


@dataclass(frozen=True)
class _Visits:
    """How many visits a record has, and the days of the last one that began and of the next."""

    number: int
    last: dt.date | None
    next: dt.date | None


def _described(one: Any) -> tuple[Any, _Visits, Any]:
    """A record as two of them are compared: itself, its visits, and who may act for it."""
    now, rows = clock.now(), visits.visits_of([one.id])
    begun = [row.day for row in rows if row.starts_at <= now]
    ahead = [row.day for row in rows if row.starts_at > now and row.status in UPCOMING]
    return (
        one,
        _Visits(len(rows), max(begun, default=None), min(ahead, default=None)),
        clients.may_act_for(one.id),
    )


def _older(*records: Any) -> int:
    return int(min(records, key=lambda row: (row.created_at, row.id)).id)


@pages.post("/clients/<int:client_id>/compare/<int:other_id>", needs=Permission.CLIENT_ANY_MERGE)
def desk_decide(client_id: int, other_id: int) -> Answer:
    """One person (and which record stays), or two."""
    decision = request.form.get("decision", "")
    by, now = who() or 0, clock.now()
    try:
        if decision == "two":
            people.say_two_people(client_id, other_id, by=by, now=now)
            flash(_("Kept apart. Their visits were judged again."), "success")
            return go("diary.to_do")
        if decision not in (str(client_id), str(other_id)):
            flash(_("Choose which record stays, or say that they are two people."), "care")
            return go("booking.desk_compare", client_id=client_id, other_id=other_id)
        if not request.form.get("sure"):
            return _ask_again(client_id, other_id, int(decision))
        keep = int(decision)
        lose = other_id if keep == client_id else client_id
        people.merge_clients(keep, lose, by=by, now=now)
    except (NotFound, MoveNotAllowed, ReviewNeeded) as error:
        flash(error.sentence, "care")
        return go("booking.desk_compare", client_id=client_id, other_id=other_id)
    flash(_("The two records are one now. Coming visits were judged again."), "success")
    return go("diary.client_card", client_id=keep)


def _ask_again(client_id: int, other_id: int, keep_id: int) -> Answer:
    """Making two records one cannot be undone, so it takes a second press."""
    keep = found(clients.client(keep_id))
    lose = found(clients.client(other_id if keep_id == client_id else client_id))
    return render_template(
        "clients/merge_sure.html",
        keep=_described(keep),
        lose=_described(lose),
        older_id=_older(keep, lose),
        client_id=client_id,
        other_id=other_id,
    )
