"""A slip at the desk can be taken back for a moment. Until then nobody is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from clinic.rules.errors import TooLate
from clinic.rules.language import N_, _, ngettext
from clinic.rules.visit_status import VisitStatus

SHOWN_SECONDS: Final = 10
"""How long the page offers it."""

TIME_TO_TAKE_BACK: Final = timedelta(seconds=SHOWN_SECONDS + 2)
"""How long it is possible: a press in the last of the ten seconds is still on its way for a moment."""


_MARKED: Final = {
    VisitStatus.CONFIRMED: N_("marked as not here yet"),
    VisitStatus.ARRIVED: N_("marked as arrived"),
    VisitStatus.IN_SESSION: N_("marked as in session"),
    VisitStatus.DONE: N_("marked as done"),
    VisitStatus.NO_SHOW: N_("marked: did not come"),
}


def check_in_time(until: datetime, *, now: datetime) -> None:
    """Raise TooLate once the moment has passed: by then people are being told."""
    if now >= until:
        raise TooLate(_("It is too late to undo this. Change the visit again instead; the client is told."))


def step_words(deed: str, visits: int, status: VisitStatus) -> str:
    """What was done to so many visits, after the names of their clients. `status` is what the first of them has now: a
    slip is seen only where the page says what was marked, and which of the two a cancellation became."""
    if deed == "marked":
        return _(_MARKED[status])
    if deed == "cancelled" and visits == 1 and status is VisitStatus.LATE_CANCELLED:
        return _("cancelled late")
    return {
        "booked": ngettext("booked", "%(num)d visits booked", visits),
        "moved": ngettext("moved", "%(num)d visits moved", visits),
        "cancelled": ngettext("cancelled", "%(num)d visits cancelled", visits),
        "passed": _("counts as cancelled in time"),
    }[deed]


def undone_words(deed: str, visits: int) -> str:
    """What is said once it was taken back."""
    return {
        "booked": ngettext(
            "Undone. The visit is not in the book any more, and nobody was told.",
            "Undone. The %(num)d visits are out of the book again, and nobody was told.",
            visits,
        ),
        "moved": ngettext(
            "Undone. The visit is back where it was, and nobody was told.",
            "Undone. The %(num)d visits are back where they were, and nobody was told.",
            visits,
        ),
        "cancelled": ngettext(
            "Undone. The visit stands as before, and nobody was told.",
            "Undone. The %(num)d visits stand as before, and nobody was told.",
            visits,
        ),
        "marked": _("Undone. The visit stands as before."),
        "passed": _("Undone. It counts as cancelled late again."),
    }[deed]
