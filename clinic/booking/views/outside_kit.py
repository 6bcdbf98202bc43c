"""What the pages of hours say once they are saved."""

from __future__ import annotations

from flask import flash

from clinic.rules.language import _, ngettext


def say_saved(all_well: str, left: int) -> None:
    """`all_well` where no booked visit was left outside; else how many need a new time."""
    if left:
        need = ngettext("%(num)d visit needs a new time.", "%(num)d visits need a new time.", left)
        flash(_("Saved. %(touched)s", touched=need), "care")
    else:
        flash(all_well, "success")
