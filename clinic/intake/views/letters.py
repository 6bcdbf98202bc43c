"""Clinicians' letters, for somebody with clinical review: read, verified or refused, withdrawn later.

Every page that shows a letter or what it is about leaves a row in the audit.
"""

from __future__ import annotations

from typing import Any

from flask import flash, render_template, request, url_for

from clinic.accounts.access import who
from clinic.clients import queries as clients
from clinic.intake import queries as intake
from clinic.intake.forms import AREA_GROUPS
from clinic.intake.letter_forms import ROLE_WORDS, ReasonForm, VerifyForm
from clinic.intake.queries import clearances as queries
from clinic.intake.services import clearances as services
from clinic.intake.services import letters as sending
from clinic.intake.services.clearances import Statement
from clinic.intake.services.letters import MOST_BYTES, MOST_FILES
from clinic.intake.views.blueprint import pages
from clinic.intake.views.concern import of_concern
from clinic.premises import queries as premises
from clinic.rulebook import queries as rulebook
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.language import _
from clinic.rules.letter_scope import COLUMN_WORDS, label_of
from clinic.rules.permissions import Permission
from clinic.rules.places_to_avoid import areas_in_words
from clinic.shared import clock
from clinic.shared.file_kinds import ENDINGS, MIME
from clinic.shared.uploads import as_download, posted_files
from clinic.shared.web import Answer, found, go

NEED = Permission.CLINICAL_REVIEW


@pages.get("/reviews/letters/<int:letter_id>", needs=NEED)
def review_letter(letter_id: int) -> Answer:
    """One letter, what waits for it, and what to record."""
    of_concern(found(queries.letter(letter_id)).client_id)
    return _letter_page(letter_id, VerifyForm(), ReasonForm())


@pages.post("/reviews/letters/<int:letter_id>", needs=NEED)
def verify_letter(letter_id: int) -> Answer:
    """Record it as checked: coming visits are judged again at once."""
    of_concern(found(queries.letter(letter_id)).client_id)
    form = VerifyForm(request.form)
    form.offer(*_choices(_offered(letter_id)))
    if not form.validate():
        return _letter_page(letter_id, form, ReasonForm(), 422)
    now = clock.now()
    try:
        services.verify_letter(letter_id, _statement(form), by=who() or 0, now=now, today=premises.today(now))
    except InvalidInput as error:
        form.add_error(error.field, error.sentence)
        return _letter_page(letter_id, form, ReasonForm(), 422)
    except NotFound as error:
        flash(error.sentence, "info")
        return go("intake.reviews")
    return go("booking.after_letter", letter_id=letter_id)


def _statement(form: VerifyForm) -> Statement:
    said = form.data
    return Statement(
        conditions=tuple(said["conditions"]),
        services=tuple(said["services"]),
        role=said["role"],
        clinician=said["clinician"],
        register_number=said["register_number"],
        contact=said["contact"],
        issued_on=said["issued_on"],
        ends_on=said["ends_on"],
        chamber=said["chamber"],
        areas=tuple(request.form.getlist("areas")[:60]),
        limits=said["limits"],
        how=said["how"],
    )


@pages.post("/reviews/letters/<int:letter_id>/refuse", needs=NEED)
def refuse_letter(letter_id: int) -> Answer:
    """It does not help: why. The client is asked to call."""
    of_concern(found(queries.letter(letter_id)).client_id)
    form = ReasonForm(request.form)
    if not form.validate():
        return _letter_page(letter_id, VerifyForm(), form, 422)
    try:
        services.refuse_letter(letter_id, form.reason.data or "", by=who() or 0, now=clock.now())
    except InvalidInput as error:
        form.reason.errors = [error.sentence]
        return _letter_page(letter_id, VerifyForm(), form, 422)
    except NotFound as error:
        flash(error.sentence, "info")
        return go("intake.reviews")
    flash(_("Recorded. Nothing has changed, and the client is asked to call."), "success")
    return go("intake.reviews")


def _letter_page(letter_id: int, form: VerifyForm, refusal: ReasonForm, status: int = 200) -> Answer:
    letter = found(queries.letter(letter_id))
    sending.note_look(letter.client_id, by=who(), now=clock.now())
    letter = found(queries.letter(letter_id))
    offered = _offered(letter_id)
    form.offer(*_choices(offered))
    page = render_template(
        "intake/letter.html",
        letter=letter,
        note=letter.note or "",
        client=found(clients.client(letter.client_id)),
        documents=queries.documents(letter_id),
        offered=_in_words(offered),
        area_groups=AREA_GROUPS,
        chosen_areas=request.form.getlist("areas"),
        form=form,
        refusal=refusal,
    )
    return page, status


def _in_words(offered: dict[str, tuple[str, ...]]) -> list[tuple[str, list[str], list[str]]]:
    """What waits for a letter, for which treatments, and where the clinic's own rules have a part in it."""
    return [
        (_(label_of(key)), [_(COLUMN_WORDS[one]) for one in columns], rulebook.marks(key, columns))
        for key, columns in offered.items()
    ]


def _offered(letter_id: int) -> dict[str, tuple[str, ...]]:
    client = found(clients.client(found(queries.letter(letter_id)).client_id))
    return queries.to_clear(client, intake.in_force(client.id), premises.today(clock.now()))


def _choices(offered: dict[str, tuple[str, ...]]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    columns = {column for named in offered.values() for column in named}
    conditions = [(key, label_of(key)) for key in offered]
    return conditions, [(key, text) for key, text in COLUMN_WORDS.items() if key in columns]


@pages.get("/reviews/pages/<int:document_id>", needs=NEED)
def letter_page(document_id: int) -> Answer:
    """One page of a letter, to keep and open elsewhere. Its name is ours, never the sender's."""
    page = found(queries.document(document_id))
    of_concern(page.client_id)
    sending.note_look(page.client_id, by=who(), now=clock.now())
    return as_download(page.content, MIME[page.kind], f"letter-{page.position}.{ENDINGS[page.kind]}")


@pages.get("/reviews/clients/<int:client_id>/clearances", needs=NEED)
def client_clearances(client_id: int) -> Answer:
    """Everything on file for one client, and what waits for a letter."""
    client = of_concern(client_id)
    return _clearances_page(client.id, ReasonForm())


def _clearances_page(client_id: int, form: ReasonForm, wrong: int = 0, status: int = 200) -> Answer:
    sending.note_look(client_id, by=who(), now=clock.now())
    client = found(clients.client(client_id))
    sources, today = intake.in_force(client.id), premises.today(clock.now())
    page = render_template(
        "intake/clearances.html",
        client=client,
        offered=_in_words(queries.to_clear(client, sources, today)),
        on_file=[_shown(one) for one in queries.verified_of(client.id, sources, today)],
        letters=queries.letters_of(client.id),
        form=form,
        wrong=wrong,
    )
    return page, status


def _shown(one: queries.Verified) -> dict[str, Any]:
    said = one.statement
    return {
        "row": one,
        "services": [_(COLUMN_WORDS.get(key, key)) for key in said["services"]],
        "chamber": "interval" in said["modes"],
        "areas": areas_in_words(said["areas"]) if said["areas"] else "",
        "role": ROLE_WORDS.get(said["role"], said["role"]),
    }


@pages.post("/reviews/clearances/<int:clearance_id>/withdraw", needs=NEED)
def withdraw_clearance(clearance_id: int) -> Answer:
    """From now on it does not count: coming visits are judged again at once."""
    row = found(queries.clearance(clearance_id))
    client = of_concern(row.client_id)
    form = ReasonForm(request.form)
    try:
        if not form.validate():
            return _clearances_page(client.id, form, clearance_id, 422)
        services.withdraw_clearance(clearance_id, form.reason.data or "", by=who() or 0, now=clock.now())
    except InvalidInput as error:
        form.reason.errors = [error.sentence]
        return _clearances_page(client.id, form, clearance_id, 422)
    except NotFound as error:
        flash(error.sentence, "info")
    else:
        flash(_("It does not count any more. Coming visits have been judged again."), "success")
    return go("intake.client_clearances", client_id=client.id)


@pages.post("/reviews/clients/<int:client_id>/letters", needs=NEED)
def add_paper_letter(client_id: int) -> Answer:
    """A letter that was read on paper, or said on the phone by the clinician's office: record it without pages."""
    client = of_concern(client_id)
    try:
        letter_id = sending.send_letter(client.id, [], source="review", by=who(), now=clock.now())
    except InvalidInput as error:
        flash(error.sentence, "care")
        return go("intake.client_clearances", client_id=client.id)
    return go("intake.review_letter", letter_id=letter_id)


@pages.get("/reviews/clients/<int:client_id>/questions", needs=NEED)
def clinician_questions(client_id: int) -> Answer:
    """The questions for the client's doctor, to print or to send."""
    client = of_concern(client_id)
    sending.note_look(client.id, by=who(), now=clock.now())
    sources = intake.in_force(client.id)
    return render_template(
        "intake/questions.html",
        client=client,
        asked=queries.questions(client, sources, premises.today(clock.now())),
        day=None,
        areas="",
        back=url_for("intake.client_clearances", client_id=client.id),
    )


@pages.post("/clients/<int:client_id>/letter/ask", needs=Permission.INTAKE_ANY_WRITE)
def ask_for_letter(client_id: int) -> Answer:
    """Ask the client for it by e-mail, in neutral words."""
    client = found(clients.client(client_id))
    try:
        sending.ask_for_letter(client.id, by=who() or 0, now=clock.now())
    except InvalidInput as error:
        flash(error.sentence, "care")
    else:
        flash(_("The mail is on its way."), "success")
    return go("intake.desk_letter", client_id=client.id)


@pages.get("/clients/<int:client_id>/letter", needs=Permission.INTAKE_ANY_WRITE)
def desk_letter(client_id: int) -> Answer:
    """Scan in what a client brought. The desk can add it, and cannot open it again."""
    client = found(clients.client(client_id))
    return render_template("intake/desk_letter.html", client=client, sentence="", most=MOST_FILES)


@pages.post("/clients/<int:client_id>/letter", needs=Permission.INTAKE_ANY_WRITE, takes=MOST_BYTES)
def desk_send_letter(client_id: int) -> Answer:
    """Keep it for somebody with clinical review."""
    client = found(clients.client(client_id))
    files = posted_files("pages", most=MOST_FILES)
    try:
        sending.send_letter(client.id, files, source="desk", by=who(), now=clock.now())
    except InvalidInput as error:
        page = render_template(
            "intake/desk_letter.html", client=client, sentence=error.sentence, most=MOST_FILES
        )
        return page, 422
    flash(_("Kept. Somebody with clinical review looks at it."), "success")
    return go("diary.client_card", client_id=client.id)
