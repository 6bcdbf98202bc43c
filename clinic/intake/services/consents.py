"""Consents, one by one and dated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from clinic.intake import queries
from clinic.intake.models import Consent
from clinic.intake.services._locked import client_who_stands
from clinic.intake.services.after_new_answers import judge_again
from clinic.intake.services.intakes import CONSENT_VERSION
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.language import _
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again


@tried_again
def give_guardian_consent(
    client_id: int,
    *,
    name: str,
    relation: str,
    services: Sequence[str],
    will_be_in_room: bool,
    signed_on: dt.date,
    by: int | None,
    now: dt.datetime,
) -> None:
    """A parent's or guardian's written consent for the named services. Raises InvalidInput."""
    if not name.strip():
        raise InvalidInput("guardian_name", _("Type the full name of the parent or guardian."))
    if not services:
        raise InvalidInput("services", _("Choose the services that the consent covers."))
    with transaction() as session:
        client = client_who_stands(session, client_id)
        row = Consent(
            client_id=client.id,
            kind="guardian",
            text_version=CONSENT_VERSION,
            given_at=now,
            given_on=signed_on,
            recorded_by_id=by,
        )
        row.detail = {
            "name": name.strip(),
            "relation": relation.strip(),
            "services": sorted(services),
            "will_be_in_room": will_be_in_room,
        }
        session.add(row)
        session.flush()
        judge_again(session, client.id, by=by, now=now)
        leave_trace(session, "consent.given", "client", client.id, by=by, now=now, kind="guardian")


@tried_again
def withdraw_consent(consent_id: int, client_id: int, *, by: int | None, now: dt.datetime) -> None:
    """It stays as a fact of the past. Future visits are judged again. Who no longer agrees to be treated, or to the
    clinic keeping their answers, takes back everything that was signed for it: the whole form agrees anew."""
    with transaction() as session:
        client = client_who_stands(session, client_id)
        theirs = (one for one in queries.standing_consents(client.id) if one.id == consent_id)
        row = next(theirs, None)
        if row is None:
            raise NotFound(_("This consent is not there any more."))
        row.withdrawn_at = now
        if row.kind != "guardian":  # each of a guardian's consents is for other treatments
            for other in queries.standing_consents(client.id, row.kind):
                other.withdrawn_at = now
        session.flush()
        judge_again(session, client.id, by=by, now=now)
        leave_trace(session, "consent.withdrawn", "client", client.id, by=by, now=now, kind=row.kind)
