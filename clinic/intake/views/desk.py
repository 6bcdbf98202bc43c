"""The health questions at the desk: typed in on the client's behalf, from a signed paper, or on the tablet.

The desk sees answers only while it types them in: an update starts from empty questions.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for

from clinic.accounts import queries as people
from clinic.accounts.access import who
from clinic.catalogue import queries as catalogue
from clinic.clients import queries as clients
from clinic.intake import forms, queries
from clinic.intake.desk_forms import GuardianForm, PaperForm
from clinic.intake.services import consents, intakes
from clinic.intake.signing_forms import YoungPersonForm
from clinic.intake.views import questionnaire as asking
from clinic.intake.views.blueprint import pages
from clinic.premises import queries as premises
from clinic.rules import screening
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
from clinic.rules.words import join_words
from clinic.shared import clock
from clinic.shared.fields import choose
from clinic.shared.seen import mark_of
from clinic.shared.web import Answer, Asks, found, go

NEED = Permission.INTAKE_ANY_WRITE
SOURCES = ("desk", "paper")
OLDEST_PAPER = dt.timedelta(days=60)


@pages.get("/clients/<int:client_id>/intake", needs=NEED)
def desk_intake(client_id: int) -> Answer:
    """The four ways to get the health questions answered."""
    client = found(clients.client(client_id))
    begun = queries.draft(client.id, _writer())
    _, has_pin = people.first_name_and_pin(who() or 0)
    return render_template(
        "intake/desk_ways.html", client=client, has_begun=begun is not None, has_pin=has_pin
    )


@pages.post("/clients/<int:client_id>/intake", needs=NEED)
def desk_begin(client_id: int) -> Answer:
    """Begin with empty questions, whatever was answered before."""
    client = found(clients.client(client_id))
    source = _source(request.form.get("source", "desk"))
    intakes.save_draft(client.id, _writer(), asking.KIND, {}, now=clock.now(), replace=True)
    return go("intake.desk_page", client_id=client.id, source=source, number=1)


@pages.get("/clients/<int:client_id>/intake/<source>/<int:number>", needs=NEED)
def desk_page(client_id: int, source: str, number: int) -> Answer:
    """One page of the questions."""
    return asking.show_page(_sitting(client_id, source), number)


@pages.post("/clients/<int:client_id>/intake/<source>/<int:number>", needs=NEED)
def desk_take_page(client_id: int, source: str, number: int) -> Answer:
    """Keep one page and go on."""
    return asking.take_page(_sitting(client_id, source), number, lambda level: _stopped(client_id, level))


@pages.post("/clients/<int:client_id>/intake/<source>/<int:number>/keep", needs=NEED)
def desk_keep_page(client_id: int, source: str, number: int) -> Answer:
    """Autosave."""
    return asking.keep_page(_sitting(client_id, source), number)


@pages.get("/clients/<int:client_id>/intake/<source>/sign", needs=NEED)
def desk_sign(client_id: int, source: str) -> Answer:
    """The client signs on the screen; or the desk enters what stands under the paper."""
    sitting = _sitting(client_id, source)
    return _paper_page(sitting, PaperForm()) if source == "paper" else asking.show_signing(sitting)


@pages.post("/clients/<int:client_id>/intake/<source>/sign", needs=NEED)
def desk_take_signing(client_id: int, source: str) -> Answer:
    """Sign: a new version, and every coming visit is judged again."""
    sitting = _sitting(client_id, source)
    if asking.is_signed_already(sitting):
        return _signed(client_id)
    if source == "paper":
        return _take_paper(sitting)
    return asking.take_signing(
        sitting, lambda level: _stopped(client_id, level), lambda _id: _signed(client_id)
    )


def _source(text: str) -> str:
    return text if text in SOURCES else abort(404)


def _writer() -> str:
    return f"user:{who()}"


def _sitting(client_id: int, source: str) -> asking.Sitting:
    client = found(clients.client(client_id))
    where = {"client_id": client.id, "source": _source(source)}
    is_minor = client.age_on(premises.today(clock.now())) < premises.clinic().adult_age
    return asking.Sitting(
        client_id=client.id,
        client_name=client.name,
        writer=_writer(),
        source=source,
        by=who(),
        page_url=lambda number: url_for("intake.desk_page", number=number, **where),
        keep_url=lambda number: url_for("intake.desk_keep_page", number=number, **where),
        sign_url=url_for("intake.desk_sign", **where),
        back_url=url_for("intake.desk_intake", client_id=client.id),
        signer="parent" if is_minor else "self",
        is_minor=is_minor,
        layout="intake/desk_layout.html",
        extra=lambda: {"client": client},
    )


def _stopped(client_id: int, level: str) -> Answer:
    """A warning sign: the desk reads the message out, and nothing can be booked."""
    return render_template("intake/desk_stopped.html", client=found(clients.client(client_id)), level=level)


@pages.get("/clients/<int:client_id>/intake/stopped", needs=NEED)
def desk_stopped(client_id: int) -> Answer:
    """What somebody was told whom a warning sign stops, and what to say to them; never the sign itself."""
    client = found(clients.client(client_id))
    warned = found(queries.warned(client.id))
    return render_template(
        "intake/desk_stopped.html", client=client, level=warned.urgency, warned_at=warned.at
    )


def _signed(client_id: int) -> Answer:
    flash(_("The health questions are signed. Coming visits were judged again."), "success")
    return go("diary.client_card", client_id=client_id)


def _paper_page(
    sitting: asking.Sitting, form: PaperForm, status: int = 200, young: YoungPersonForm | None = None
) -> Answer:
    still_open = asking.first_open(sitting)
    if still_open is not None:
        return redirect(sitting.page_url(still_open), 303)
    page = render_template(
        "intake/desk_paper.html",
        sitting=sitting,
        form=form,
        young=young or asking.young_form(sitting),
        told=forms.told(_typed(sitting)),
        shown=mark_of(_typed(sitting)),
        of=len(asking.pages_of()) + 1,
        **sitting.extra(),
    )
    return page, status


def _typed(sitting: asking.Sitting) -> Any:
    row = queries.draft(sitting.client_id, sitting.writer)
    return row.answered if row is not None else {}


def _take_paper(sitting: asking.Sitting) -> Answer:
    """Enter the signed paper, dated as it was signed: an old paper never makes the answers look newer."""
    if (back := asking.not_as_shown(sitting)) is not None:
        return back
    form, answers, now = PaperForm(request.form), _typed(sitting), clock.now()
    today = premises.today(now)
    if asking.first_open(sitting) is not None:
        return _paper_page(sitting, form)
    if screening.red_flags_in(answers, today):
        level = intakes.raise_stop(
            sitting.client_id, answers, source=sitting.source, by=sitting.by, now=now, today=today
        )
        return _stopped(sitting.client_id, level)
    young = asking.young_form(sitting, request.form)
    is_right = form.validate() and _is_good_date(form, sitting.client_id, today)
    if not (young is None or young.validate()) or not is_right:
        return _paper_page(sitting, form, 422, young)
    signature = asking.signature_of(sitting, form.name.data or "", young)
    try:
        intakes.submit_intake(
            sitting.client_id,
            answers,
            signature,
            writer=sitting.writer,
            source=sitting.source,
            of_draft=True,
            consents={kind: {"signer": signature.relation} for kind in ("treatment", "privacy")},
            by=sitting.by,
            now=now,
            today=form.signed_on.data or today,
        )
    except InvalidInput as error:
        form.name.errors = [*form.name.errors, error.sentence]
        return _paper_page(sitting, form, 422, young)
    return _signed(sitting.client_id)


def _is_good_date(form: PaperForm, client_id: int, today: dt.date) -> bool:
    """A paper is at most 60 days old, not from the future, and not older than answers that are signed already."""
    signed_on, last = form.signed_on.data or today, queries.newest(client_id)
    back = queries.taken_back_at(client_id)
    if signed_on > today:
        form.signed_on.errors = [_("This day has not come yet. Check the date.")]
    elif signed_on < today - OLDEST_PAPER:
        form.signed_on.errors = [_("This paper is too old. Let the client sign a new one.")]
    elif last is not None and signed_on < last.answered_on:
        form.signed_on.errors = [
            _("There are newer signed answers than this paper. Let the client sign a new one.")
        ]
    elif back is not None and signed_on < premises.today(back):
        form.signed_on.errors = [
            _("The client took the consent back after this paper. Let the client sign a new one.")
        ]
    return not form.signed_on.errors


@pages.get("/intake/blank", needs=NEED)
def blank_form() -> Answer:
    """All questions on paper, to be filled in by hand."""
    return render_template("intake/blank.html", question_pages=asking.pages_of())


@pages.get("/clients/<int:client_id>/consent", needs=NEED)
def desk_consent(client_id: int) -> Answer:
    """What a parent or guardian agreed to, and a form for what was signed on paper."""
    client = found(clients.client(client_id))
    form = GuardianForm(data={"guardian_name": client.guardian_name, "relation": client.guardian_relation})
    return _consent_page(client_id, form)


@pages.post("/clients/<int:client_id>/consent", needs=NEED)
def desk_give_consent(client_id: int) -> Answer:
    """Enter the signed consent; coming visits are judged again."""
    client = found(clients.client(client_id))
    form = GuardianForm(request.form)
    choose(form.services, _treatments())
    now = clock.now()
    signed_on = form.signed_on.data if form.validate() else None
    if signed_on is not None and signed_on > premises.today(now):
        form.signed_on.errors = [_("This day has not come yet. Check the date.")]
        signed_on = None
    if signed_on is None:
        return _consent_page(client_id, form, 422)
    try:
        consents.give_guardian_consent(
            client.id,
            name=form.guardian_name.data or "",
            relation=form.relation.data or "",
            services=form.services.data or (),
            will_be_in_room=form.will_be_in_room.data,
            signed_on=signed_on,
            by=who(),
            now=now,
        )
    except InvalidInput as error:
        form.add_error(error.field, error.sentence)
        return _consent_page(client_id, form, 422)
    flash(_("The consent is kept. Coming visits were judged again."), "success")
    return go("diary.client_card", client_id=client_id)


def _asks_to_withdraw(client_id: int, consent_id: int) -> Asks | None:
    """Nothing where there is none that counts: then the deed says so."""
    client = found(clients.client(client_id))
    if not any(one.id == consent_id and not one.withdrawn_at for one in queries.consents(client_id)):
        return None
    question, deed = N_("Take the consent back?"), N_("Take the consent back")
    return Asks(question, deed, "diary.client_card", N_("Coming visits will wait again."), client.name)


@pages.post("/clients/<int:client_id>/consent/<int:consent_id>/withdraw", needs=NEED, asks=_asks_to_withdraw)
def desk_withdraw_consent(client_id: int, consent_id: int) -> Answer:
    """The client takes it back, or the parent or guardian."""
    kind = next((one.kind for one in queries.consents(client_id) if one.id == consent_id), "")
    try:
        consents.withdraw_consent(consent_id, client_id, by=who(), now=clock.now())
    except NotFound as error:
        flash(error.sentence, "care")
    else:
        flash(_("The consent no longer counts. Coming visits were judged again."), "success")
    return go("intake.desk_consent" if kind == "guardian" else "diary.client_card", client_id=client_id)


def _treatments() -> list[tuple[str, str]]:
    """What is judged, in the clinic's own words: each service and add-on on offer."""
    services = [(row.judged_as, row.name) for row in catalogue.services_on_offer()]
    addons = [([row.judged_as], row.name) for row in catalogue.all_addons() if row.is_active]
    names: dict[str, list[str]] = {}
    for columns, name in (*services, *addons):
        for column in columns:
            names.setdefault(column, []).append(name)
    return [(column, join_words(found_names, N_("or"))) for column, found_names in names.items()]


def _consent_page(client_id: int, form: GuardianForm, status: int = 200) -> Answer:
    client = found(clients.client(client_id))
    treatments = _treatments()
    choose(form.services, treatments)
    page = render_template(
        "intake/desk_consent.html",
        client=client,
        form=form,
        consent=queries.guardian_consent(client.id),
        words=dict(treatments),
        in_room_age=premises.clinic().guardian_in_room_age,
    )
    return page, status
