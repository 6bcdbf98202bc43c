"""Coming visits whose therapist may not give them any more: work to do, since a booked visit stays booked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clinic.booking.models import Visit
from clinic.booking.queries.next_steps import ANOTHER_THERAPIST
from clinic.catalogue import queries as catalogue
from clinic.intake import queries as intake
from clinic.rules.kinds import SKILLS_FOR
from clinic.therapists import queries as therapists

_OF_ANSWERS = frozenset(SKILLS_FOR.values())


def visits_to_reassign(ahead: Sequence[Visit]) -> list[Visit]:
    """Those of these coming visits whose therapist is switched off, has no good licence on the day, or lacks on it a
    skill that the treatment or the person's answers ask for, or is kept apart from the person by now, in the same
    order. A fixed number of statements; which of these it is, is not said."""
    asked = _skills_asked(ahead)
    apart = therapists.kept_apart({one.client_id for one in ahead if one.client_id is not None})
    declared = intake.skills_needed_of(
        {
            one.client_id
            for one in ahead
            if one.client_id is not None and not one.therapist.skills_on(one.day) >= _OF_ANSWERS
        }
    )
    return [
        one
        for one in ahead
        if one.waiting_for
        != ANOTHER_THERAPIST  # it stands among the visits that wait, its client has been told
        and not (
            _may_work(one)
            and (one.client_id, one.therapist_id) not in apart
            and asked[one.id] | declared.get(one.client_id or 0, frozenset())
            <= one.therapist.skills_on(one.day)
        )
    ]


def _may_work(visit: Visit) -> bool:
    therapist = visit.therapist
    is_licensed = therapist.licence_kind == visit.service.licence_kind
    return therapist.is_active and is_licensed and visit.day <= therapist.licence_expires_on


def _skills_asked(ahead: Sequence[Visit]) -> Mapping[int, frozenset[str]]:
    """What each visit's treatment asks of a therapist, add-ons included, whatever was switched off since."""
    addons = {one.key: frozenset(one.skills) for one in catalogue.all_addons()}
    return {
        one.id: frozenset(one.way.skills).union(*(addons.get(key, ()) for key in one.addons)) for one in ahead
    }
