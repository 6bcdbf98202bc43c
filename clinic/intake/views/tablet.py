"""The waiting room's tablet: one client's questions and nothing else, until they are signed or the pass runs out."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, session, url_for
from flask_login import current_user

from clinic.accounts import services as accounts
from clinic.accounts.access import forget_browser
from clinic.accounts.queries import hash_of
from clinic.clients import queries as clients
from clinic.intake import queries
from clinic.intake.services import consents
from clinic.intake.views import questionnaire as asking
from clinic.intake.views.blueprint import pages
from clinic.premises import queries as premises
from clinic.rules.errors import NotFound
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer, found, go

TABLET = "tablet"  # where the browser's session keeps its pass
WRITER = "tablet"


@pages.post("/clients/<int:client_id>/tablet", needs=Permission.INTAKE_ANY_WRITE)
def hand_over(client_id: int) -> Answer:
    """Sign the desk out of this browser and leave it nothing but a pass for this client's questions."""
    client = found(clients.client(client_id))
    user_id, session_id, now = current_user.id, current_user.session_id, clock.now()
    try:
        token = consents.hand_over_tablet(client.id, by=user_id, now=now)
    except NotFound as error:
        flash(error.sentence, "care")
        return go("intake.desk_intake", client_id=client_id)
    accounts.end_session(user_id, session_id, now)
    forget_browser()
    session[TABLET] = token
    return go("intake.tablet")


@pages.before_app_request
def stay_on_the_tablet() -> Any:
    """A browser that was handed over opens the tablet's pages only."""
    if TABLET not in session or request.endpoint in (None, "static"):
        return None
    if (request.endpoint or "").startswith("intake.tablet"):
        return None
    return redirect(url_for("intake.tablet"), 303)


@pages.get("/tablet", needs=Permission.TABLET_ONE_WRITE)
def tablet() -> Answer:
    """Who it is for; then the questions."""
    sitting = _sitting()
    if sitting is None:
        return _over()
    return render_template(
        "intake/tablet_welcome.html", sitting=sitting, number=asking.first_open(sitting) or 1
    )


@pages.get("/tablet/<int:number>", needs=Permission.TABLET_ONE_WRITE)
def tablet_page(number: int) -> Answer:
    """One page of the questions."""
    sitting = _sitting()
    return asking.show_page(sitting, number) if sitting else _over()


@pages.post("/tablet/<int:number>", needs=Permission.TABLET_ONE_WRITE)
def tablet_take_page(number: int) -> Answer:
    """Keep one page and go on."""
    sitting = _sitting()
    return asking.take_page(sitting, number, _stopped) if sitting else _over()


@pages.post("/tablet/<int:number>/keep", needs=Permission.TABLET_ONE_WRITE)
def tablet_keep_page(number: int) -> Answer:
    """Autosave."""
    sitting = _sitting()
    return asking.keep_page(sitting, number) if sitting else _over()


@pages.get("/tablet/sign", needs=Permission.TABLET_ONE_WRITE)
def tablet_sign() -> Answer:
    """The summary and the signature."""
    sitting = _sitting()
    return asking.show_signing(sitting) if sitting else _over()


@pages.post("/tablet/sign", needs=Permission.TABLET_ONE_WRITE)
def tablet_take_signing() -> Answer:
    """Sign; after that the tablet shows nothing any more."""
    sitting = _sitting()
    return asking.take_signing(sitting, _stopped, lambda _id: _signed()) if sitting else _over()


@pages.post("/tablet/back", needs=Permission.TABLET_ONE_WRITE)
def tablet_give_back() -> Answer:
    """The client stops; what was typed so far stays with the tablet's draft for the next time."""
    _end()
    return render_template("intake/tablet_over.html", is_signed=False)


def _sitting() -> asking.Sitting | None:
    """The client of the pass in this browser; None when there is none or it has ended."""
    token = session.get(TABLET)
    row = queries.tablet_pass(hash_of(token), clock.now()) if token else None
    client = clients.client(row.client_id) if row else None
    if client is None:
        return None
    is_minor = client.age_on(premises.today(clock.now())) < premises.clinic().adult_age
    return asking.Sitting(
        client_id=client.id,
        client_name=client.name,
        writer=WRITER,
        source="tablet",
        by=None,
        page_url=lambda number: url_for("intake.tablet_page", number=number),
        keep_url=lambda number: url_for("intake.tablet_keep_page", number=number),
        sign_url=url_for("intake.tablet_sign"),
        back_url=url_for("intake.tablet"),
        signer="parent" if is_minor else "self",
        is_minor=is_minor,
        layout="intake/tablet_layout.html",
    )


def _end() -> None:
    """The pass ends, and this browser forgets it."""
    token = session.pop(TABLET, None)
    row = queries.tablet_pass(hash_of(token), clock.now()) if token else None
    if row is not None:
        consents.take_back_tablet(row.id, now=clock.now())


def _over() -> Answer:
    _end()
    return render_template("intake/tablet_over.html", is_signed=False)


def _signed() -> Answer:
    _end()
    return render_template("intake/tablet_over.html", is_signed=True)


def _stopped(level: str) -> Answer:
    _end()
    return render_template("intake/tablet_stopped.html", level=level)
