"""Who works here: for everybody, and the owner's profiles."""

from __future__ import annotations

from dataclasses import asdict

from flask import flash, render_template, request

from clinic.accounts.access import who
from clinic.catalogue import queries as catalogue
from clinic.premises import queries as premises
from clinic.rules.kinds import SKILLS, licence_kind_words, words_of
from clinic.rules.language import _
from clinic.rules.licence import licence_state, licence_words
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.fields import choose, saves
from clinic.shared.seen import mark_of
from clinic.shared.web import Answer, found, go
from clinic.therapists import queries, services
from clinic.therapists.facts import TherapistFacts
from clinic.therapists.forms import TherapistForm
from clinic.therapists.queries.ending import ending_soon
from clinic.therapists.queries.offered import given_by_nobody
from clinic.therapists.views.blueprint import pages


@pages.get("/therapists", needs=Permission.SITE_ANY_READ)
def people() -> Answer:
    """The therapists, as clients meet them."""
    today = premises.today(clock.now())
    rows = [(row, _skill_words(row.skills_on(today))) for row in queries.therapists_to_show()]
    return render_template("therapists/people.html", rows=rows, kind_words=licence_kind_words)


@pages.get("/owner/therapists", needs=Permission.THERAPIST_ANY_WRITE)
def therapists() -> Answer:
    """All therapists, with how long their licence is good."""
    today = premises.today(clock.now())
    rows = [
        (
            row,
            _skill_words(row.skills),
            licence_state(row.licence_expires_on, today),
            licence_words(row.licence_expires_on, today),
        )
        for row in queries.all_therapists()
    ]
    return render_template(
        "therapists/therapists.html",
        rows=rows,
        places=premises.locations(),
        ending=ending_soon(today),
        given_by_nobody=given_by_nobody(catalogue.services_on_offer(), today),
    )


@pages.get("/owner/therapists/new", needs=Permission.THERAPIST_ANY_WRITE)
def new_therapist() -> Answer:
    """An empty form."""
    tint = len(queries.all_therapists()) % 6 + 1
    return _page(_with_choices(TherapistForm(data={"tint": tint, "is_active": True})), None)


@pages.post("/owner/therapists/new", needs=Permission.THERAPIST_ANY_WRITE)
def add_therapist() -> Answer:
    """Add a therapist; the hours come next."""
    form = _with_choices(TherapistForm(request.form))
    added: list[int] = []

    def save() -> None:
        added.append(services.add_therapist(form.therapist_facts(), by=who(), now=clock.now()))

    if not saves(form, save):
        return _page(form, None, status=422)
    flash(_("%(data)s is added. Now enter the weekly hours.", data=form.name.data), "success")
    return go("booking.hours", therapist_id=added[0])


@pages.get("/owner/therapists/<int:therapist_id>", needs=Permission.THERAPIST_ANY_WRITE)
def profile(therapist_id: int) -> Answer:
    """One therapist as they are."""
    facts = _facts(therapist_id)
    dates = [
        {"skill": skill, "starts_on": first, "ends_on": last} for skill, first, last in facts.skill_dates
    ]
    data = asdict(facts) | {"seen": mark_of(asdict(facts)), "dates": dates}
    return _page(_with_choices(TherapistForm(data=data), facts.user_id), therapist_id)


@pages.post("/owner/therapists/<int:therapist_id>", needs=Permission.THERAPIST_ANY_WRITE)
def save_profile(therapist_id: int) -> Answer:
    """Change a therapist."""
    form = _with_choices(TherapistForm(request.form), _facts(therapist_id).user_id)

    def save() -> None:
        facts, seen = form.therapist_facts(), form.seen.data or ""
        services.change_therapist(therapist_id, facts, seen=seen, by=who(), now=clock.now())

    if not saves(form, save, seen_now=lambda: mark_of(asdict(_facts(therapist_id)))):
        return _page(form, therapist_id, status=422)
    said = _("%(data)s is saved. Visits already booked stay as they are.", data=form.name.data)
    left = _("Those that they cannot give any more are on the desk’s list of work.")
    flash(f"{said} {left}", "success")
    return go("therapists.therapists")


def _facts(therapist_id: int) -> TherapistFacts:
    return queries.therapist_facts(found(queries.therapist(therapist_id)))


def _skill_words(skills: frozenset[str]) -> list[str]:
    """In the order of the known skills, then the clinic's own."""
    known = [words for skill, words in SKILLS.items() if skill in skills]
    return known + [words_of(skill, SKILLS) for skill in sorted(skills - SKILLS.keys())]


def _with_choices(form: TherapistForm, account_id: int | None = None) -> TherapistForm:
    """`account_id`: the account they sign in with now, which stays a choice while it is away."""
    skills = queries.skills()
    choose(form.licence_kind, [(kind, licence_kind_words(kind)) for kind in catalogue.licence_kinds()])
    choose(form.skills, [(skill, words_of(skill, SKILLS)) for skill in skills])
    form.with_dates_for(skills)
    choose(form.user_id, [("", _("Nobody: has no account")), *queries.accounts_of_therapists(account_id)])
    return form


def _page(form: TherapistForm, therapist_id: int | None, status: int = 200) -> Answer:
    dates = {row.form.skill.data: row.form for row in form.dates}
    page = render_template(
        "therapists/profile.html", form=form, dates=dates, therapist_id=therapist_id, mistakes=form.mistakes()
    )
    return page, status
