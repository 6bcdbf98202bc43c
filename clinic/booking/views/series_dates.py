"""The dates of a series as questions, at the desk and for a client: at this time, at one near it, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import request

from clinic.booking.forms.choice import whole_number
from clinic.booking.forms.desk import read_moment
from clinic.booking.services.resting import NOT_SAID, RestSaid
from clinic.booking.services.series_starts import OneStart, Planned
from clinic.premises import queries as premises
from clinic.rules import words
from clinic.rules.language import N_, _, ngettext
from clinic.rules.series import MOST_VISITS

WAITS = {
    "clearance": N_("kept, and waits for a doctor’s letter"),
    "consent": N_("kept, and waits for a parent or guardian to agree"),
    "intake": N_("kept, and waits for the health questions"),
    "reconfirm": N_("kept, and waits until the client has said what has changed"),
    "therapist": N_("kept, and waits until the therapist has talked with the client"),
}
CHECK = N_("kept, and waits for a check")
WAITS_OWN = {**WAITS, "therapist": N_("kept, and your therapist talks with you first")}


@dataclass(frozen=True)
class Door:
    """Who is asked: in which zone, with which therapist in mind, and what a date waits for in their words. `staff` see
    how many are free, and may pass too little rest. `addons`: names by the column that judges them."""

    zone: str
    names: Mapping[int, str]
    wanted: int | None
    staff: bool = False
    addons: Mapping[str, str] = field(default_factory=dict)


def picked(reason: str = "") -> list[OneStart]:
    """The starts that were chosen; those left out are empty. `reason`: why one may come sooner than advised."""
    found = []
    for number in range(MOST_VISITS):
        moment, _, rest = request.form.get(f"date-{number}", "").partition("|")
        therapist, _, seen = rest.partition("|")
        starts_at = read_moment(moment)
        if starts_at is not None:
            said = RestSaid(reason, seen[:40]) if seen else NOT_SAID
            found.append(OneStart(starts_at, whole_number(therapist), said))
    return found


def question(one: Planned, door: Door) -> dict[str, Any]:
    """One date with its choices. What does not fit says why, never with a health detail."""
    options = []
    if one.starts_at is not None and (one.fits or (one.rest is not None and door.staff)):
        wanted = door.wanted if door.wanted in one.therapists else None
        seen = one.rest.seen if one.rest is not None else ""
        options.append(
            (*_option(OneStart(one.starts_at, wanted), _note(one, wanted, door), door, seen), one.fits)
        )
    for other in one.alternatives:
        whom = door.names.get(other.therapist_id or 0, "") or _("any therapist")
        options.append((*_option(other, _("with %(whom)s", whom=whom), door), False))
    return {
        "title": words.day_words(one.day),
        "fits": one.fits,
        "reason": _reason(one, door),
        "options": [*options, ("", _("Leave this one out"), "", not one.fits)],
    }


def _note(one: Planned, wanted: int | None, door: Door) -> str:
    names = [door.names.get(wanted, "") if wanted else _free(one, door)]
    if one.waits_for:
        waits = WAITS if door.staff else WAITS_OWN
        names.append(_(waits.get(one.waits_for, CHECK)))
    if one.rest is not None:
        names.append(_("sooner than advised"))
    return "; ".join(names)


def _free(one: Planned, door: Door) -> str:
    if len(one.therapists) == 1:
        return _("with %(therapists)s", therapists=door.names.get(one.therapists[0], ""))
    return (
        ngettext("%(num)d therapist is free", "%(num)d therapists are free", len(one.therapists))
        if door.staff
        else _("with any therapist")
    )


def _option(start: OneStart, note: str, door: Door, seen: str = "") -> tuple[str, str, str]:
    facts = premises.clinic_facts()
    text = words.moment_words(
        start.starts_at, door.zone, uses_24_hours=facts is not None and facts.uses_24_hours
    )
    value = f"{start.starts_at.isoformat()}|{start.therapist_id or ''}" + (f"|{seen}" if seen else "")
    return value, words.unbroken(text), note


def _reason(one: Planned, door: Door) -> str:
    if one.unsafe_addons:
        left = [door.addons[column] for column in one.unsafe_addons if column in door.addons]
        return _("Not together with %(names)s. Take it off and look again.", names=words.join_words(left))
    if one.rest is not None and door.staff:
        return " ".join(dict.fromkeys(rule.sentence for rule in one.rest.short))
    later = (
        _(" It can be looked at again from %(day)s on.", day=words.day_words(one.look_again_on))
        if one.look_again_on
        else ""
    )
    return one.reason + later
