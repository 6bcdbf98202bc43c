"""Steps inside a transaction: one mail about several visits of one person, instead of one for each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy.orm import Session

from clinic.booking.models import Visit
from clinic.booking.queries import visits
from clinic.booking.services._steps import new_manage_key
from clinic.clients.models import Client
from clinic.clients.steps import speaking_to
from clinic.premises import queries as premises
from clinic.premises.queries import ClinicFacts
from clinic.rules import words
from clinic.rules.errors import InvalidInput
from clinic.rules.language import _
from clinic.rules.visit_status import VisitStatus
from clinic.shared.mail import queue_mail
from clinic.shared.mail.texts import address, part


def tell_of_several(
    session: Session,
    template: str,
    several: Sequence[Visit],
    *,
    key: str,
    now: dt.datetime,
    not_before: dt.datetime | None = None,
) -> None:
    """Queue one mail that lists these visits of one client, and does not leave before `not_before`. A visit that stands
    or waits gets a fresh link to its own page; an earlier link of it stops working. Neutral words: no service, reason
    or answer."""
    clinic = premises.clinic_facts()
    if clinic is None:
        raise InvalidInput("clinic", _("The clinic is not set up."))
    client = visits.person_of(several[0])
    if client is None:
        return
    with speaking_to(client):
        _tell(session, template, several, client, clinic, key=key, now=now, not_before=not_before)


def _tell(
    session: Session,
    template: str,
    several: Sequence[Visit],
    client: Client,
    clinic: ClinicFacts,
    *,
    key: str,
    now: dt.datetime,
    not_before: dt.datetime | None,
) -> None:
    lines = [_line(one, uses_24_hours=clinic.uses_24_hours) for one in several]
    queue_mail(
        session,
        template,
        client.email,
        key=key,
        now=now,
        not_before=not_before,
        name=client.first_name,
        when=lines[0]["when"],
        visits="\n\n".join(part("series_visit", **line) for line in lines),
        place=several[0].location.address_line,
        clinic=clinic.name,
        phone=several[0].location.phone or clinic.phone,
        notice_hours=clinic.cancel_notice_hours,
    )


def _line(visit: Visit, *, uses_24_hours: bool) -> dict[str, str]:
    is_over = visit.status in (VisitStatus.CANCELLED, VisitStatus.LATE_CANCELLED)
    deadline = visit.deadline_at if visit.is_waiting and not visits.is_hidden_wait(visit) else None
    return {
        "when": words.moment_words(visit.starts_at, visit.zone, uses_24_hours=uses_24_hours),
        "length": words.length_words(visit.whole_minutes),
        "therapist": visit.therapist.name,
        "link": "" if is_over else address(f"/visit/{new_manage_key(visit)}"),
        "deadline": words.moment_words(deadline, visit.zone, uses_24_hours=uses_24_hours) if deadline else "",
    }
