"""Clients and therapists who are never booked together. Only the owner comes here."""

from __future__ import annotations

from flask import flash, render_template, request

from clinic.accounts.access import who
from clinic.clients import queries as clients
from clinic.rules.errors import NotFound
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.fields import choose, saves
from clinic.shared.web import Answer, Asks, found, go
from clinic.therapists import queries, services
from clinic.therapists.forms import KeepApartForm
from clinic.therapists.views.blueprint import pages

LONGEST_SEARCH = 80


@pages.get("/owner/therapists/<int:therapist_id>/apart", needs=Permission.BAR_ANY_WRITE)
def apart(therapist_id: int) -> Answer:
    """Who is kept apart from this therapist, and a search for the next client."""
    return _page(KeepApartForm(), therapist_id, _typed(request.args.get("q", "")))


@pages.post("/owner/therapists/<int:therapist_id>/apart", needs=Permission.BAR_ANY_WRITE)
def keep_apart(therapist_id: int) -> Answer:
    """Keep a client and this therapist apart."""
    found(queries.therapist(therapist_id))
    form = KeepApartForm(request.form)

    def save() -> None:
        services.keep_apart(
            form.client_id.data, therapist_id, form.reason.data or "", by=who(), now=clock.now()
        )

    try:
        saved = saves(form, save)
    except NotFound as error:
        form.add_error("client_id", error.sentence)
        saved = False
    if not saved:
        return _page(form, therapist_id, _typed(request.form.get("q", "")), status=422)
    flash(
        _("They will not be booked together from now on. Visits already booked stay: look in the diary."),
        "success",
    )
    return go("therapists.apart", therapist_id=therapist_id)


def _asks_to_end(therapist_id: int, pair_id: int) -> Asks:
    """About whom: 404 where they are not kept apart (any more)."""
    therapist = found(queries.therapist(therapist_id))
    name = found(
        next((one.client.name for one in queries.never_together_of(therapist.id) if one.id == pair_id), None)
    )
    question, deed = N_("May they be booked together again?"), N_("End this")
    return Asks(question, deed, "therapists.apart", about=f"{name}, {therapist.name}")


@pages.post(
    "/owner/therapists/<int:therapist_id>/apart/<int:pair_id>/end",
    needs=Permission.BAR_ANY_WRITE,
    asks=_asks_to_end,
)
def end_apart(therapist_id: int, pair_id: int) -> Answer:
    """They may be booked together again."""
    try:
        services.end_keeping_apart(pair_id, therapist_id, by=who(), now=clock.now())
    except NotFound:
        found(None)
    flash(_("They can be booked together again."), "success")
    return go("therapists.apart", therapist_id=therapist_id)


def _typed(text: str) -> str:
    return text.strip()[:LONGEST_SEARCH]


def _page(form: KeepApartForm, therapist_id: int, text: str, status: int = 200) -> Answer:
    row = found(queries.therapist(therapist_id))
    matches = clients.search(text) if text else []
    choose(form.client_id, [(one.id, one.name) for one in matches])
    page = render_template(
        "therapists/apart.html",
        form=form,
        therapist=row,
        pairs=queries.never_together_of(therapist_id),
        matches=matches,
        born={str(one.id): _("Born on %(born_on)s", born_on=f"{one.born_on:%d %b %Y}") for one in matches},
        text=text,
    )
    return page, status
