"""The health questions behind a visit's own link, for somebody whom another person named and who has told nothing yet.

The key is the only permission. It opens the questions only as long as nothing was signed for this record: no page shows
or changes an answer that anybody gave before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import flash, url_for

from clinic.booking.queries import check_ins, visits
from clinic.booking.views.blueprint import pages
from clinic.booking.views.client_kit import local_today
from clinic.booking.views.health import urgent_page
from clinic.booking.views.others import others_of
from clinic.clients import queries as clients
from clinic.intake import queries as intake
from clinic.intake.views import questionnaire
from clinic.intake.views.questionnaire import Sitting
from clinic.premises import queries as premises
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.rules.visit_status import UPCOMING, VisitStatus
from clinic.shared import clock
from clinic.shared.web import Answer, found, go

NEED = Permission.SITE_ANY_READ


def _at(
    token: str, page: Callable[[Sitting], Answer], late: Callable[[Sitting], Answer | None] | None = None
) -> Answer:
    """The page; the visit's own one where nothing is to be answered (any more), but for what `late` makes of what was
    sent about this client all the same."""
    visit = found(visits.visit_by_key(token, clock.now()))
    client = visit.client
    if client is not None and check_ins.waits_for_first_answers(visit, clock.now()):
        return page(_sitting(token, client))
    whose = clients.client(visit.client_id or 0)  # a merge may have been since
    answer = late(_sitting_late(token, whose)) if whose is not None and late is not None else None
    return go("booking.visit_by_link", token=token) if answer is None else answer


def _sitting_late(token: str, client: Any) -> Sitting:
    newest = intake.newest(client.id)
    return replace(_sitting(token, client), earlier=newest.answers if newest is not None else {})


def _sitting(token: str, client: Any) -> Sitting:
    return Sitting(
        client_id=client.id,
        client_name=client.name,
        writer="client",
        source="online",
        by=None,
        page_url=lambda number: url_for("booking.health_by_link", token=token, number=number),
        keep_url=lambda number: url_for("booking.keep_health_by_link", token=token, number=number),
        sign_url=url_for("booking.sign_by_link", token=token),
        back_url=url_for("booking.visit_by_link", token=token),
        is_minor=client.age_on(local_today()) < premises.clinic().adult_age,
    )


def where_to_go_on(token: str, client: Any) -> tuple[str, bool]:
    """The first page with an open question, or else the signature; and whether anything was answered before."""
    sitting = _sitting(token, client)
    number = questionnaire.first_open(sitting)
    href = sitting.page_url(number) if number is not None else sitting.sign_url
    return href, questionnaire.has_begun(sitting)


@pages.get("/visit/<token>/health/<int:number>", needs=NEED)
def health_by_link(token: str, number: int) -> Answer:
    """One page of questions."""
    return _at(token, lambda sitting: questionnaire.show_page(sitting, number))


@pages.post("/visit/<token>/health/<int:number>", needs=NEED)
def take_health_by_link(token: str, number: int) -> Answer:
    """Keep it and go on; a warning sign shows the urgent page, also where the questions are not open any more."""

    def late(sitting: Sitting) -> Answer | None:
        others = others_of(sitting.client_id, by_key=True)
        return questionnaire.hear_late(sitting, number, lambda level: urgent_page(level, others()))

    return _at(token, lambda sitting: questionnaire.take_page(sitting, number, urgent_page), late)


@pages.post("/visit/<token>/health/<int:number>/keep", needs=NEED)
def keep_health_by_link(token: str, number: int) -> Answer:
    """Autosave."""
    return _at(
        token,
        lambda sitting: questionnaire.keep_page(sitting, number),
        lambda sitting: questionnaire.keep_late(sitting, number),
    )


@pages.get("/visit/<token>/health/sign", needs=NEED)
def sign_by_link(token: str) -> Answer:
    """What was answered, the consents, the signature."""
    return _at(token, questionnaire.show_signing)


@pages.post("/visit/<token>/health/sign", needs=NEED)
def take_signature_by_link(token: str) -> Answer:
    """Sign: the visit is judged, and with it the one of whoever comes along."""

    def signed(_intake_id: int) -> Answer:
        _say_what_came_of_it(found(visits.visit_by_key(token, clock.now())))
        return go("booking.visit_by_link", token=token)

    return _at(token, lambda sitting: questionnaire.take_signing(sitting, urgent_page, signed))


def _say_what_came_of_it(visit: Any) -> None:
    """Thanks, and how this visit stands as far as its client may be told; why it waits stands on its page."""
    status = visits.seen_as(visit)
    if status is VisitStatus.CONFIRMED:
        flash(_("Thank you. You are booked in, and we send you an e-mail."), "success")
    elif status in UPCOMING:
        flash(
            _("Thank you. Your answers are signed. The visit is not confirmed yet: see what is next."), "info"
        )
    else:
        flash(
            _("Thank you. With these answers the visit cannot go ahead. It is cancelled, at no charge."
              " We write to you about it."), "care",
        )  # fmt: skip
