"""The client's side of a clinician's letter: what to ask, sending it in, and what was sent.

Three doors: the booking that was just made, the visit's mailed link (which shows nothing about health, and takes a
letter all the same), and the own account.
"""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_login import current_user

from clinic.accounts.access import who
from clinic.booking.queries import visits
from clinic.booking.queries.checkouts import Standing, Step
from clinic.booking.queries.lapses import lapsing
from clinic.booking.queries.visits import plan_of
from clinic.booking.views import client_kit as kit
from clinic.booking.views.blueprint import pages
from clinic.booking.views.checkout import with_booking
from clinic.booking.views.result import ENDED, reasons
from clinic.clients import queries as clients
from clinic.intake import queries as intake
from clinic.intake.queries import clearances as queries
from clinic.intake.queries.clearances import Question, Questions
from clinic.intake.services import letters as services
from clinic.intake.services.letters import MOST_BYTES, MOST_FILES
from clinic.intake.views.concern import of_concern
from clinic.rules import words
from clinic.rules.errors import InvalidInput
from clinic.rules.language import N_, _, ngettext
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.file_kinds import ENDINGS, MIME
from clinic.shared.uploads import as_download, posted_files
from clinic.shared.web import Answer, found, go

THANKS = N_("Thank you. We check it with your doctor’s office and tell you. Until then nothing changes.")


@pages.get("/book/letter", needs=Permission.SITE_ANY_READ)
@with_booking(*ENDED)
def letter(now_at: Standing) -> Answer:
    """The questions for the doctor about the visit that was just asked for, to print or to show."""
    plan = now_at.plan
    about = [Question(one["label"], one["reason"]) for one in reasons(now_at.visit, at_least=("clearance",))]
    columns = (*plan.judged_as, *plan.addon_columns)
    asked = Questions(tuple(about), queries.treatments_in_words(columns, chamber=plan.mode == "interval"))
    return render_template(
        "intake/questions.html",
        client=now_at.client,
        asked=asked,
        day=now_at.visit.day,
        areas=kit.area_words(now_at.visit.areas) if plan.asks_area else "",
        back=url_for("booking.done"),
    )


@pages.post("/book/letter", needs=Permission.SITE_ANY_READ, takes=MOST_BYTES)
@with_booking(Step.DONE)
def send_letter(now_at: Standing) -> Answer:
    """Send in the doctor's answer right after booking."""
    client = found(now_at.client)
    wrong = _send(client.id)
    if wrong:
        return _upload_page(url_for("booking.send_letter"), url_for("booking.done"), wrong), 422
    return go("booking.done")


@pages.get("/visit/<token>/letter", needs=Permission.SITE_ANY_READ)
def letter_by_link(token: str) -> Answer:
    """Send in a paper for this visit. Shows nothing that was sent before."""
    found(visits.visit_by_key(token, clock.now()))
    return _upload_page(
        url_for("booking.send_letter_by_link", token=token), url_for("booking.visit_by_link", token=token)
    )


@pages.post("/visit/<token>/letter", needs=Permission.SITE_ANY_READ, takes=MOST_BYTES)
def send_letter_by_link(token: str) -> Answer:
    """Keep it for somebody with clinical review."""
    visit = found(visits.visit_by_key(token, clock.now()))
    back = url_for("booking.visit_by_link", token=token)
    wrong = _send(found(visit.client).id)
    if wrong:
        return _upload_page(url_for("booking.send_letter_by_link", token=token), back, wrong), 422
    return redirect(back, 303)


def _upload_page(action: str, back: str, sentence: str = "") -> str:
    return render_template(
        "booking/send_letter.html", action=action, back=back, sentence=sentence, most=MOST_FILES
    )


def _send(client_id: int) -> str:
    """Keep what was posted; the sentence that says what is wrong with it, or nothing."""
    try:
        files = posted_files("pages", most=MOST_FILES)
        services.send_letter(client_id, files, source="client", by=who(), now=clock.now())
    except InvalidInput as error:
        return error.sentence
    flash(_(THANKS), "success")
    return ""


@pages.get("/reviews/letters/<int:letter_id>/recorded", needs=Permission.CLINICAL_REVIEW)
def after_letter(letter_id: int) -> Answer:
    """Back to the reviews, with what a letter that was just checked has come to: some visits may wait all the same."""
    letter = found(queries.letter(letter_id))
    of_concern(letter.client_id)
    waits = [
        one for one in visits.visits_ahead(letter.client_id, clock.now()) if one.waiting_for == "clearance"
    ]
    if not waits:
        flash(_("Recorded. Coming visits have been judged again with it."), "success")
        return go("intake.reviews")
    names = [_visit_in_words(one) for one in waits]
    flash(
        ngettext(
            "Recorded, but a visit waits for a letter all the same, as this one does not cover it: %(names)s.",
            "Recorded, but %(num)d visits wait for a letter all the same, as it does not cover them: %(names)s.",
            len(waits), names="; ".join(names),
        ),
        "care",
    )  # fmt: skip
    return go("intake.client_clearances", client_id=letter.client_id)


def _visit_in_words(visit: Any) -> str:
    plan = plan_of(visit)
    name = f"{_(plan.name)} ({_(plan.mode_name)})" if plan.mode_name else _(plan.name)
    return f"{name}, {words.day_words(visit.day)}"


@pages.get("/my/health/<int:client_id>/letters", needs=Permission.INTAKE_OWN_WRITE)
def my_letters(client_id: int) -> Answer:
    """What waits for a letter, what to ask, and what was sent."""
    return _my_letters_page(client_id)


@pages.get("/my/papers", needs=Permission.INTAKE_OWN_WRITE)
def my_papers() -> Answer:
    """Where the mails about papers lead: to the letters of the one person whom it can be about."""
    people, now = [one.client_id for one in clients.people_of(current_user.id)], clock.now()
    asked = [
        one.client_id for one in visits.visits_of(people) if one.is_waiting and one.waiting_for == "clearance"
    ]
    due = [one for one in people if one in asked or lapsing(now, one)]
    whose = due if len(due) == 1 else people
    return go("booking.my_letters", client_id=whose[0]) if len(whose) == 1 else go("booking.my_visits")


def _my_letters_page(client_id: int, sentence: str = "") -> str:
    client = found(clients.client_of(current_user.id, client_id))
    return render_template(
        "booking/my_letters.html",
        client=client,
        good_until=queries.good_until(client.id, intake.in_force(client.id)),
        runs_out=next(iter(lapsing(clock.now(), client.id)), None),
        asked=queries.questions(client, intake.in_force(client.id)[:1], kit.local_today()),
        sent=queries.letters_of(client.id),
        sentence=sentence,
        most=MOST_FILES,
    )


@pages.post("/my/health/<int:client_id>/letters", needs=Permission.INTAKE_OWN_WRITE, takes=MOST_BYTES)
def send_my_letter(client_id: int) -> Answer:
    """Send in a letter."""
    client = found(clients.client_of(current_user.id, client_id))
    wrong = _send(client.id)
    if wrong:
        return _my_letters_page(client.id, wrong), 422
    return go("booking.my_letters", client_id=client.id)


@pages.get("/my/health/<int:client_id>/questions", needs=Permission.INTAKE_OWN_WRITE)
def my_questions(client_id: int) -> Answer:
    """The questions for the doctor, to print or to show."""
    client = found(clients.client_of(current_user.id, client_id))
    return render_template(
        "intake/questions.html",
        client=client,
        asked=queries.questions(client, intake.in_force(client.id)[:1], kit.local_today()),
        day=None,
        areas="",
        back=url_for("booking.my_letters", client_id=client.id),
    )


@pages.get("/my/letters/<int:document_id>", needs=Permission.INTAKE_OWN_WRITE)
def my_letter_page(document_id: int) -> Answer:
    """One page of an own letter, to keep."""
    page = found(queries.own_document(current_user.id, document_id))
    return as_download(page.content, MIME[page.kind], f"letter-{page.position}.{ENDINGS[page.kind]}")
