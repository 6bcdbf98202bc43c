"""The owner's pages about the team: who works here, in which roles, and who may sign in."""

from __future__ import annotations

from typing import Any

from flask import flash, render_template, request
from flask_login import current_user

from clinic.accounts import queries, services
from clinic.accounts.access import origin
from clinic.accounts.forms import ROLE_DETAILS, ROLE_WORDS, STAFF_ROLES, InviteForm, MemberForm
from clinic.accounts.views.blueprint import pages, refused
from clinic.rules.errors import ChangedMeanwhile, NotFound, RuleViolation
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission, Role
from clinic.rules.proofs import Proof
from clinic.shared import clock
from clinic.shared.web import Answer, Asks, found, go

WORDS: dict[str, Any] = {"role_words": ROLE_WORDS, "role_details": ROLE_DETAILS, "staff_roles": STAFF_ROLES}
NEED = Permission.TEAM_ANY_WRITE
GIVEN = {"clinical_review": Permission.CLINICAL_REVIEW, "may_erase": Permission.CLIENT_ANY_ERASE}
"""Fields of the form, and the permission that each gives."""


@pages.get("/owner/team", needs=NEED)
def team() -> Answer:
    """Everybody who works here."""
    return render_template("accounts/team.html", team=queries.team(), **WORDS)


@pages.get("/owner/team/new", needs=NEED)
def new_member() -> Answer:
    """The form that invites somebody."""
    return render_template("accounts/invite.html", form=InviteForm(), refusal=None, **WORDS)


@pages.post("/owner/team/new", needs=NEED, proof=Proof.RECENT)
def invite_member() -> Answer:
    """Mail somebody a link to set a password."""
    form = InviteForm(request.form)
    if not form.validate():
        return refused("invite", form, **WORDS)
    try:
        services.invite(
            form.email.data or "",
            form.name.data or "",
            _roles(form),
            _given(form),
            by=current_user.id,
            now=clock.now(),
        )
    except RuleViolation as error:
        return refused("invite", form, error, **WORDS)
    flash(_("We have sent %(data)s an invitation.", data=form.name.data), "success")
    return go("accounts.team")


@pages.get("/owner/team/<int:user_id>", needs=NEED)
def member(user_id: int) -> Answer:
    """One person of the team."""
    row = found(queries.member(user_id))
    given = {field: need in row.given for field, need in GIVEN.items()}
    form = MemberForm(data={"roles": sorted(row.roles), **given})
    return render_template("accounts/member.html", form=form, refusal=None, **_about(row))


@pages.post("/owner/team/<int:user_id>", needs=NEED, proof=Proof.RECENT)
def change_member(user_id: int) -> Answer:
    """Set the person's roles."""
    row = found(queries.member(user_id))
    form, seen = MemberForm(request.form), request.form.get("seen")
    if not form.validate():
        return refused("member", form, **_about(row, seen))
    try:
        services.change_member(
            user_id,
            _roles(form),
            _given(form),
            by=current_user.id,
            now=clock.now(),
            seen=seen,
        )
    except ChangedMeanwhile as error:
        return refused("member", form, error, **_about(found(queries.member(user_id))))
    except RuleViolation as error:
        return refused("member", form, error, **_about(row, seen))
    flash(_("Saved. It counts for %(name)s from now on.", name=row.name), "success")
    return go("accounts.team")


def _asks_to_switch_off(user_id: int) -> Asks:
    name, follows = (
        found(queries.member(user_id)).name,
        N_("They are signed out and cannot sign in any more."),
    )
    question, deed = N_("Switch this account off?"), N_("Switch this account off")
    return Asks(question, deed, "accounts.member", follows, name)


@pages.post("/owner/team/<int:user_id>/off", needs=NEED, proof=Proof.RECENT, asks=_asks_to_switch_off)
def switch_off_member(user_id: int) -> Answer:
    """End the person's access now."""
    row = found(queries.member(user_id))
    try:
        services.switch_off(user_id, by=current_user.id, now=clock.now())
    except RuleViolation as error:
        flash(error.sentence, "care")
        return go("accounts.member", user_id=user_id)
    flash(_("%(name)s is signed out and cannot sign in any more.", name=row.name), "success")
    return go("accounts.team")


@pages.post("/owner/team/<int:user_id>/on", needs=NEED, proof=Proof.RECENT)
def switch_on_member(user_id: int) -> Answer:
    """Let the person sign in again."""
    row = found(queries.member(user_id))
    services.switch_on(user_id, by=current_user.id, now=clock.now())
    flash(_("%(name)s can sign in again.", name=row.name), "success")
    return go("accounts.member", user_id=user_id)


@pages.post("/owner/team/<int:user_id>/invite-again", needs=NEED, proof=Proof.RECENT)
def invite_again(user_id: int) -> Answer:
    """Mail a new link; the one before ends."""
    row = found(queries.member(user_id))
    try:
        services.send_welcome_link(user_id, clock.now(), by=current_user.id)
    except NotFound:
        flash(_("Switch the account of %(name)s on first.", name=row.name), "care")
        return go("accounts.member", user_id=user_id)
    flash(_("We have sent %(name)s a new link.", name=row.name), "success")
    return go("accounts.member", user_id=user_id)


def _asks_to_reset(user_id: int) -> Asks:
    name = found(queries.member(user_id)).name
    question, deed = N_("Take the second step away?"), N_("Take the second step away")
    follows = N_("They are signed out, and set up a new second step at the next sign-in.")
    return Asks(question, deed, "accounts.member", follows, name)


@pages.post(
    "/owner/team/<int:user_id>/reset-second-step", needs=NEED, proof=Proof.RECENT, asks=_asks_to_reset
)
def reset_second_step(user_id: int) -> Answer:
    """The person has lost phone and codes: they set up a new second step when they sign in next."""
    row = found(queries.member(user_id))
    services.reset_factors(user_id, by=current_user.id, now=clock.now())
    flash(
        _("%(name)s is signed out, and sets up a new second step at the next sign-in.", name=row.name),
        "success",
    )
    return go("accounts.member", user_id=user_id)


@pages.post("/owner/team/<int:user_id>/let-try-again", needs=NEED, proof=Proof.RECENT)
def let_try_again(user_id: int) -> Answer:
    """Lift the wait after too many wrong passwords."""
    row = found(queries.member(user_id))
    services.lift_lock(user_id, origin=origin(), by=current_user.id, now=clock.now())
    flash(_("%(name)s can try to sign in again now.", name=row.name), "success")
    return go("accounts.member", user_id=user_id)


def _roles(form: MemberForm) -> set[Role]:
    return {Role(name) for name in form.roles.data or ()}


def _given(form: MemberForm) -> set[Permission]:
    return {need for field, need in GIVEN.items() if form[field].data}


def _about(row: queries.Member, seen: str | None = None) -> dict[str, Any]:
    mark = services.mark_of_rights(row.roles, row.given) if seen is None else seen
    return {"member": row, "seen": mark, "is_me": row.id == current_user.id, **WORDS}
