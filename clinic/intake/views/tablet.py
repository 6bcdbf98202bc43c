"""The waiting room's tablet: one client's questions and nothing else. Signed, left alone or given back it locks itself,
and stays locked until whoever handed it over types their PIN, or somebody of the team signs in.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import flash, g, redirect, render_template, request, session, url_for
from flask_login import current_user

from clinic.accounts import queries as people
from clinic.accounts import services as accounts
from clinic.accounts.access import (
    LANGUAGE,
    LARGE_BEFORE,
    READ_BEFORE,
    TABLET,
    TAKEN_BACK,
    first_page,
    forget_browser,
    is_text_large,
    let_in,
    origin,
)
from clinic.accounts.forms import TakeBackForm
from clinic.accounts.tries import TooManyTries
from clinic.clients import queries as clients
from clinic.intake import queries
from clinic.intake.queries.tablets import HandedOver, handed_over
from clinic.intake.services import tablets
from clinic.intake.views import questionnaire as asking
from clinic.intake.views.blueprint import pages
from clinic.premises import queries as premises
from clinic.rules.errors import NotFound, RuleViolation
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer, found, go

WRITER = "tablet"
LATEST = dt.timedelta(days=1)
"""So long after it was handed over, a page that was left open on it is taken."""
ENDED = "tablet_ended"
"""How its client ended: kept in the browser, so that the locked page says so after a reload and a wrong PIN as well."""
WARNED = "warned:"
"""Such an end, with how urgent it is: never the sign itself."""
OF_EVERY_PAGE = frozenset(
    {"static", "accounts.text_size", "accounts.choose_language", "premises.theme", "premises.picture"}
)
SIGN_IN = frozenset(
    f"accounts.{name}"
    for name in (
        "sign_in", "try_sign_in", "second_step", "try_second_step", "own_passkey_challenge",
        "any_passkey_challenge", "sign_in_by_passkey", "sign_in_again",
    )
)  # fmt: skip


@pages.post("/clients/<int:client_id>/tablet", needs=Permission.INTAKE_ANY_WRITE)
def hand_over(client_id: int) -> Answer:
    """Sign the desk out of this browser and leave it nothing but a pass for this client's questions."""
    client = found(clients.client(client_id))
    user_id, session_id, now = current_user.id, current_user.session_id, clock.now()
    try:
        asking.forget_signing(client.id, WRITER)  # somebody else may hold it now
        token = tablets.hand_over_tablet(client.id, by=user_id, session_id=session_id, now=now)
    except NotFound as error:
        flash(error.sentence, "care")
        return go("intake.desk_intake", client_id=client_id)
    accounts.end_session(user_id, session_id, now)
    forget_browser()
    session[TABLET] = token
    session[READ_BEFORE], session[LARGE_BEFORE] = request.cookies.get(LANGUAGE, ""), is_text_large()
    return go("intake.tablet")


@pages.before_app_request
def stay_on_the_tablet() -> Any:
    """A browser that was handed over opens the tablet's pages only; locked, staff may also sign in."""
    if TABLET not in session or request.endpoint in OF_EVERY_PAGE:
        return None
    number: int = (request.view_args or {}).get("number", 1)
    last = len(asking.pages_of()) + (
        request.endpoint == "intake.tablet_keep_page"
    )  # the signature's is kept too
    if (request.endpoint or "").startswith("intake.tablet") and 1 <= number <= last:
        return None
    device = _device()
    if request.endpoint in SIGN_IN and not request.args and (device is None or not device.is_open):
        g.tablet_warning = _warning(device)
        setattr(g, TAKEN_BACK, lambda: _leads_to(device))
        return None  # by the link on the locked page; from any other address the lock comes first
    return redirect(url_for("intake.tablet"), 303)


@pages.get("/tablet", needs=Permission.TABLET_ONE_WRITE)
def tablet() -> Answer:
    """Who it is for; then the questions."""
    sitting = _sitting()
    if sitting is None:
        return _locked()
    return render_template(
        "intake/tablet_welcome.html",
        sitting=sitting,
        number=asking.first_open(sitting) or 1,
        has_begun=asking.has_begun(sitting),
        **sitting.extra(),
    )


@pages.get("/tablet/<int:number>", needs=Permission.TABLET_ONE_WRITE)
def tablet_page(number: int) -> Answer:
    """One page of the questions."""
    sitting = _sitting()
    return asking.show_page(sitting, number) if sitting else _locked()


@pages.post("/tablet/<int:number>", needs=Permission.TABLET_ONE_WRITE)
def tablet_take_page(number: int) -> Answer:
    """Keep one page and go on. What was typed before it locked itself is kept as well, and a warning sign counts."""
    sitting = _sitting()
    if sitting is None:
        before, is_left_alone = _sitting_before()
        stopped = (
            asking.take_late(before, number, _stopped, adds_only=not is_left_alone)
            if before is not None
            else None
        )
        return _locked() if stopped is None else stopped
    return asking.take_page(sitting, number, _stopped)


@pages.post("/tablet/<int:number>/keep", needs=Permission.TABLET_ONE_WRITE)
def tablet_keep_page(number: int) -> Answer:
    """Autosave. Locked it says that nothing is saved any more, but for what was typed until then."""
    sitting = _sitting()
    if sitting is None:
        before, is_left_alone = _sitting_before()
        if before is not None:
            (asking.keep_page if is_left_alone else asking.keep_late)(before, number)
        return _locked(), 409
    return asking.keep_page(sitting, number)


@pages.post("/tablet/awake", needs=Permission.TABLET_ONE_WRITE)
def tablet_awake() -> Answer:
    """Somebody reads, and touches the screen."""
    return ("", 204) if _sitting() else (_locked(), 409)


@pages.get("/tablet/sign", needs=Permission.TABLET_ONE_WRITE)
def tablet_sign() -> Answer:
    """The summary and the signature."""
    sitting = _sitting()
    return asking.show_signing(sitting) if sitting else _locked()


@pages.post("/tablet/sign", needs=Permission.TABLET_ONE_WRITE)
def tablet_take_signing() -> Answer:
    """Sign; after that the tablet shows nothing any more."""
    sitting = _sitting()
    return asking.take_signing(sitting, _stopped, lambda _id: _lock("signed")) if sitting else _locked()


@pages.post("/tablet/back", needs=Permission.TABLET_ONE_WRITE)
def tablet_give_back() -> Answer:
    """The client stops; what was typed so far stays with the tablet's draft for the next time."""
    return _lock("handed_back")


@pages.post("/tablet/pin", needs=Permission.TABLET_ONE_WRITE)
def tablet_take_back() -> Answer:
    """Staff take it back: a new session for whoever handed it over, and the card of that client."""
    device = _device()
    if device is None or device.is_open:
        return go("intake.tablet")
    form = TakeBackForm(request.form)
    if not form.validate():
        return _locked(form=form), 422
    try:
        token = accounts.open_by_pin(
            device.by, form.pin.data or "", began_at=device.signed_in_at, handed_at=device.handed_at,
            origin=origin(), now=clock.now(),
        )  # fmt: skip
    except RuleViolation as error:
        form.pin.errors = [error.sentence]
        return _locked(form=form), 429 if isinstance(error, TooManyTries) else 422
    tablets.lock_tablet(device.id, now=clock.now())
    let_in(token)
    return redirect(_leads_to(device) or first_page(), 303)


def _leads_to(device: HandedOver | None) -> str:
    """Where whoever has taken it back goes, by PIN or password: what the client was just told comes before anything
    else. Empty where they may read no card; then they hear of it wherever they go."""
    client = clients.client(device.client_id) if device is not None else None
    if client is None:
        return ""
    told = _told(device)
    if current_user.may(Permission.INTAKE_ANY_WRITE):
        return url_for("intake.desk_stopped" if told else "diary.client_card", client_id=client.id)
    if told is not None:
        flash(
            _("Whoever had this tablet was told to get medical help or to see a doctor. Speak to them now, and tell "
              "the front desk."), "care",
        )  # fmt: skip
    return ""


def _told(device: HandedOver | None, source: str = "") -> queries.Warned | None:
    """What its client was told since it was handed over to them, by any way or only by such a one."""
    client = clients.client(device.client_id) if device is not None else None
    if device is None or client is None:
        return None
    return queries.warned(client.id, device.handed_at, source)


def _warning(device: HandedOver | None) -> str:
    """How urgent the warning is that this tablet shows, "" without one. What was declared on it counts as well where
    the answer that said so got lost on its way."""
    ended: str = session.get(ENDED, "")
    if ended.startswith(WARNED):
        return ended.removeprefix(WARNED)
    told = _told(device, WRITER)
    return told.urgency if told is not None else ""


def _device() -> HandedOver | None:
    return handed_over(session.get(TABLET), clock.now())


def _open_device() -> HandedOver | None:
    device = _device()
    return device if device is not None and device.is_open else None


def _sitting() -> asking.Sitting | None:
    """The client's, while the device is open to them; None when it is locked. Using it keeps it open."""
    device, now = _open_device(), clock.now()
    if device is None:
        return None
    if now - device.seen_at >= tablets.NOTED_EVERY:
        tablets.note_use(device.id, now=now)
    return _sitting_of(device)


def _sitting_of(device: HandedOver) -> asking.Sitting | None:
    client = clients.client(device.client_id)
    if client is None:
        return None
    rules = premises.clinic()
    is_minor = client.age_on(premises.today(clock.now())) < rules.adult_age
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
        extra=lambda: {"idle_seconds": rules.tablet_idle_minutes * 60},
    )


def _sitting_before() -> tuple[asking.Sitting | None, bool]:
    """Whoever thought long over a page loses nothing when it has locked itself meanwhile, or was given back in another
    tab, or when the same questions were handed over on another device. And whether it was only left alone."""
    device = _device()
    if device is None or clock.now() - device.handed_at >= LATEST:
        return None, False
    return _sitting_of(device), device.was_left_alone


def _lock(how: str) -> Answer:
    device = _open_device()
    if device is not None:
        tablets.lock_tablet(device.id, now=clock.now())
        session[ENDED] = how
    return go("intake.tablet")


def _locked(*, form: TakeBackForm | None = None) -> str:
    """Nothing of the client's but a warning that they were shown, which stays until staff take the device back; a place
    for the PIN of whoever handed it over."""
    device = _device()
    level = _warning(device)
    name, has_pin = people.first_name_and_pin(device.by) if device is not None else ("", False)
    return render_template(
        "intake/tablet_stopped.html" if level else "intake/tablet_over.html",
        level=level,
        ended=session.get(ENDED),
        was_left_alone=device is not None and device.was_left_alone,
        staff_name=name if has_pin else "",
        form=form or TakeBackForm(),
    )


def _stopped(level: str) -> Answer:
    device = _device()
    if device is not None:
        tablets.lock_tablet(device.id, now=clock.now())
    # A page that came late may name a milder sign.
    told = queries.warned(device.client_id) if device is not None else None
    session[ENDED] = WARNED + (told.urgency if told is not None else level)
    return _locked()
