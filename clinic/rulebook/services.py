"""Saving a version of the rules. Coming visits are judged by it from then on (booking/services/reconciling.py)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.exc import IntegrityError

from clinic.premises import queries as premises
from clinic.rulebook import queries
from clinic.rulebook.models import RulesVersion
from clinic.rules.changed_table import SHORTEST_REASON, adjusted
from clinic.rules.errors import ChangedMeanwhile, InvalidInput
from clinic.rules.language import N_, _
from clinic.rules.proposals import Proposal
from clinic.rules.rule_table import TABLE
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again

MEANWHILE = N_("Somebody changed the rules meanwhile. Look at them as they are now, and try yours again.")


@tried_again
def save_rules(proposal: Proposal, *, seen: int, by: int, now: dt.datetime) -> int:
    """Make the next version; returns its number. `seen` is the version that the dry run was made on.

    Raises InvalidInput, NotFound, and ChangedMeanwhile when another version was saved since.
    """
    if len(proposal.reason.strip()) < SHORTEST_REASON:
        raise InvalidInput("reason", _("Write in a few words why."))
    with transaction() as session:
        if queries.newest_number() != seen:
            raise ChangedMeanwhile(MEANWHILE)
        changes = queries.proposed(proposal, seen, premises.today(now))
        number = seen + 1
        session.add(
            RulesVersion(
                number=number, previous=seen, kind=proposal.kind, reason=proposal.reason.strip(),
                changes=[one.as_record() for one in changes], version=adjusted(TABLE, changes, number).version,
                made_at=now, made_by_id=by,
            )
        )  # fmt: skip
        try:
            session.flush()
        except IntegrityError as error:  # the other owner's save came between our reading and writing
            raise ChangedMeanwhile(MEANWHILE) from error
        leave_trace(session, "rules.changed", "rules_version", number, by=by, now=now, kind=proposal.kind)
        return number
