"""Finding clients, adding one, notes about them, and who is closed for online booking."""

from __future__ import annotations

from flask import flash, render_template, request

from clinic.accounts import queries as accounts
from clinic.accounts.access import who
from clinic.clients import queries, services
from clinic.clients.forms import BarForm, DetailsForm, NoteForm
from clinic.clients.steps import Details
from clinic.clients.views.blueprint import pages
from clinic.premises import queries as premises
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer, Asks, found, go

LONGEST_SEARCH = 80


@pages.get("/clients", needs=Permission.CLIENT_ANY_READ)
def search() -> Answer:
    """People by the start of a name, by digits of the phone or by e-mail."""
    text = request.args.get("q", "").strip()[:LONGEST_SEARCH]
    return render_template(
        "clients/search.html",
        q=text,
        people=queries.search(text, limit=50) if text else [],
    )


@pages.get("/clients/new", needs=Permission.CLIENT_ANY_WRITE)
def new_client() -> Answer:
    """An empty form."""
    return _new_page(DetailsForm())


@pages.post("/clients/new", needs=Permission.CLIENT_ANY_WRITE)
def add_client() -> Answer:
    """Add a client; somebody who looks the same is shown first."""
    form = DetailsForm(request.form)
    form.region = found(premises.clinic_facts()).phone_region
    if not form.validate():
        return _new_page(form, status=422)
    try:
        is_somebody_else = bool(request.form.get("nobody_known"))
        alike = [] if is_somebody_else else _alike(form, form.region)
        if alike:
            return _new_page(form, alike=alike, status=422)
        client_id = services.create_client(
            Details(**form.details()),
            region=form.region,
            by=who(),
            now=clock.now(),
            is_somebody_else=is_somebody_else,
        )
    except InvalidInput as error:
        form.add_error(error.field, error.sentence)
        return _new_page(form, status=422)
    flash(_("The client is in the book."), "success")
    return go("diary.client_card", client_id=client_id)


def _alike(form: DetailsForm, region: str) -> list[queries.Known]:
    typed = Details(**form.details())
    found_rows = queries.like(
        typed.first_name, typed.last_name, typed.born_on, email=typed.email, phone=typed.phone, region=region
    )
    return [queries.known(row) for row in found_rows]


def _new_page(form: DetailsForm, *, alike: list[queries.Known] | None = None, status: int = 200) -> Answer:
    return render_template("clients/new.html", form=form, alike=alike or []), status


@pages.post("/clients/<int:client_id>/notes", needs=Permission.CLIENT_ANY_WRITE)
def add_note(client_id: int) -> Answer:
    """Write a note for staff."""
    client = found(queries.client(client_id))
    form = NoteForm(request.form)
    if not form.validate():
        return render_template("clients/note.html", form=form, client=client), 422
    services.write_note(client.id, form.text.data or "", by=who() or 0, now=clock.now())
    flash(_("The note is kept."), "success")
    return go("diary.client_card", client_id=client_id)


def _asks_to_end(client_id: int, user_id: int) -> Asks | None:
    """Nothing where the account does not act for them (any more)."""
    client = found(queries.client(client_id))
    email = next((one[2] for one in queries.may_act_for(client.id) if one[0] == user_id), None)
    if email is None:
        return None
    return Asks(
        _("End this access?"),
        _("End access"),
        "diary.client_card",
        _("The account %(email)s reads and books nothing for them any more.", email=email),
        client.name,
    )


@pages.post(
    "/clients/<int:client_id>/accounts/<int:user_id>/end",
    needs=Permission.CLIENT_ANY_WRITE,
    asks=_asks_to_end,
)
def end_access(client_id: int, user_id: int) -> Answer:
    """An account acts for this client no more."""
    client = found(queries.client(client_id))
    services.end_account_access(client.id, user_id, by=who() or 0, now=clock.now())
    flash(_("That account does not act for %(name)s any more.", name=client.name), "success")
    return go("diary.client_card", client_id=client.id)


@pages.get("/clients/<int:client_id>/online", needs=Permission.BAR_ANY_WRITE)
def online_booking(client_id: int) -> Answer:
    """Whether this client may book online, and why not: for the owner alone."""
    return _bar_page(client_id, BarForm())


@pages.post("/clients/<int:client_id>/online", needs=Permission.BAR_ANY_WRITE)
def save_online_booking(client_id: int) -> Answer:
    """Close or open online booking for this client."""
    client = found(queries.client(client_id))
    form = BarForm(request.form)
    if not form.validate():
        return _bar_page(client_id, form, 422)
    barred = request.form.get("barred") == "yes"
    try:
        services.bar_online(client.id, barred, form.reason.data or "", by=who() or 0, now=clock.now())
    except NotFound as error:
        flash(error.sentence, "care")
    else:
        words = (
            _("Online booking is closed for this client.")
            if barred
            else _("This client can book online again.")
        )
        flash(words, "success")
    return go("diary.client_card", client_id=client_id)


def _bar_page(client_id: int, form: BarForm, status: int = 200) -> Answer:
    client = found(queries.client(client_id))
    notes = queries.notes(client.id, "bar")
    names = accounts.names_of({one.written_by_id for one in notes if one.written_by_id})
    return render_template("clients/online.html", form=form, client=client, notes=notes, names=names), status
