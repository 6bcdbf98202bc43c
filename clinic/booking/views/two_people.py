"""Records that look alike where something is not safe for one of them: clinical review takes them apart."""

from __future__ import annotations

from flask import flash, render_template

from clinic.accounts.access import who
from clinic.booking.queries import look_alikes
from clinic.booking.services import people
from clinic.booking.views.blueprint import pages
from clinic.premises import queries as premises
from clinic.rules.errors import NotFound
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer, go


@pages.get("/reviews/people", needs=Permission.CLINICAL_REVIEW)
def people_to_review() -> Answer:
    """The pairs, with what they share."""
    pairs = look_alikes.pairs_to_review(premises.today(clock.now()))
    return render_template("booking/two_people.html", pairs=pairs)


@pages.post("/reviews/people/<int:client_id>/<int:other_id>", needs=Permission.CLINICAL_REVIEW)
def part_people(client_id: int, other_id: int) -> Answer:
    """They are two people: their visits are judged again, each by its own answers."""
    try:
        people.say_two_people(client_id, other_id, by=who() or 0, now=clock.now())
    except NotFound as error:
        flash(error.sentence, "care")
    else:
        flash(_("Kept apart. Their visits were judged again."), "success")
    return go("booking.people_to_review")
