"""The check-in of the day: for the client by the mailed link or the own pages, for the desk and the therapist."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from flask import flash, render_template, request, url_for
from flask_login import current_user

from clinic.accounts.access import who
from clinic.booking.queries import check_ins, treated, visits
from clinic.booking.services.visits import mark_visit
from clinic.booking.views import check_in_kit as kit
from clinic.booking.views.blueprint import pages
from clinic.booking.views.check_in_kit import CheckInDoor
from clinic.booking.views.marking import say_it_stops, say_what_is_odd
from clinic.booking.views.others import Others, others_of
from clinic.booking.views.result import instead_of, is_stopped, reasons
from clinic.clients import queries as clients
from clinic.rules.check_in import OPENS
from clinic.rules.errors import RuleViolation, SlotTaken
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.rules.visit_status import VisitStatus
from clinic.shared import clock
from clinic.shared.web import Answer, found, go
from clinic.therapists import queries as therapists

THEN = (VisitStatus.ARRIVED, VisitStatus.IN_SESSION)
STOOD = (VisitStatus.CONFIRMED, VisitStatus.ARRIVED)


# ── the client ────────────────────────────────────────────────────────────────────────────────────────────


def _is_told() -> bool:
    """Whether the page that was sent says that something has changed. That is kept also where the visit can be checked
    in no more, since it was called off, put on hold or moved meanwhile, or has begun: it is about the person."""
    return request.method == "POST" and bool(request.form.getlist("topic"))


def _client_door(
    visit: Any, url: str, home: str, *, signer: str = "self", is_over: bool = False, by_key: bool = True
) -> CheckInDoor | None:
    """`is_over`: the door is another one by now, and shows nothing of how the visit stands. `by_key`: by a mailed link
    alone."""
    client = clients.client(visit.client_id) if visit.client_id is not None else None
    is_late = is_over or not check_ins.may_client_check_in(visit, clock.now())
    if client is None or (is_late and not _is_told()):
        return None
    if is_late:
        return _late_door(visit, client.id, url, "" if is_over else home, signer, by_key=by_key)
    others = others_of(client.id, besides=visit.id, by_key=by_key)
    return CheckInDoor(
        visit=visit,
        by=who(),
        source="online",
        url=url,
        layout="intake/_layout.html",
        stopped=lambda level: _stopped(visit.id, level, others()),
        done=lambda renewal, said: _told(visit.id, home, others(), renewal=renewal, said=said),
        signer=signer,
    )


def _late_door(visit: Any, client_id: int, url: str, home: str, signer: str, *, by_key: bool) -> CheckInDoor:
    others, stood = others_of(client_id, by_key=by_key), visits.seen_as(visit) in STOOD

    def done(renewal: bool, said: Collection[str]) -> str:
        is_off = stood and visits.seen_as(found(visits.visit(visit.id))) not in STOOD
        return render_template(
            "booking/check_in_late.html", home=home, renewal=renewal, others=others(), is_off=is_off,
            is_kept=renewal or bool(said),
        )  # fmt: skip

    def stopped(level: str) -> str:
        return render_template("intake/urgent.html", level=level, others=others(), is_late=True)

    return CheckInDoor(
        visit=visit, by=who(), source="online", url=url, layout="intake/_layout.html", stopped=stopped,
        done=done, signer=signer, is_late=True,
    )  # fmt: skip


def _told(visit_id: int, home: str, others: Others, *, renewal: bool, said: Collection[str]) -> Answer:
    """How the visit stands after the answers, and why: whoever holds only a link reads of what they have just told."""
    visit = found(visits.visit(visit_id))
    is_own, why = bool(who()), reasons(visit, at_least=("clearance", "block"))
    return render_template(
        "booking/check_in_done.html",
        instead=instead_of(visit),
        visit=visit,
        status=visits.seen_as(visit),
        waiting_for=visits.told_wait(visit),
        home=home,
        renewal=renewal,
        is_own=is_own,
        why=[] if is_stopped(visit) else [one for one in why if is_own or one["rule"] in said],
        others=others,
    )


def _stopped(visit_id: int, level: str, others: Others | None = None) -> str:
    """A warning sign: what to do now, and what became of the visits."""
    visit = found(visits.visit(visit_id))
    return render_template("intake/urgent.html", level=level, visit=visit, others=others)


def _over() -> Answer:
    return render_template("booking/check_in_over.html"), 404


def _by_mail(token: str) -> CheckInDoor | None:
    now = clock.now()
    visit = check_ins.visit_by_link(token, now)
    is_over = visit is None
    if is_over and _is_told():
        visit = check_ins.visit_by_link(token, now, is_late=True)
    url = url_for("booking.check_in_by_mail", token=token)
    return _client_door(visit, url, "", is_over=is_over) if visit is not None else None


@pages.get("/check-in/<token>", needs=Permission.SITE_ANY_READ)
def check_in_by_mail(token: str) -> Answer:
    """ "Has anything changed?" The key opens this one visit, and shows nothing that was told before."""
    door = _by_mail(token)
    return kit.show(door) if door else _over()


@pages.post("/check-in/<token>", needs=Permission.SITE_ANY_READ)
def take_check_in_by_mail(token: str) -> Answer:
    """Keep it."""
    door = _by_mail(token)
    return kit.take(door) if door else _over()


def _by_visit_link(token: str) -> CheckInDoor | None:
    visit = found(visits.visit_by_key(token, clock.now()))
    if clock.now() >= visit.starts_at + OPENS:  # as the mailed link: no page has stood open so long
        return None
    url = url_for("booking.check_in_by_link", token=token)
    return _client_door(visit, url, url_for("booking.visit_by_link", token=token))


@pages.get("/visit/<token>/check-in", needs=Permission.SITE_ANY_READ)
def check_in_by_link(token: str) -> Answer:
    """The same behind the visit's own link."""
    door = _by_visit_link(token)
    return kit.show(door) if door else go("booking.visit_by_link", token=token)


@pages.post("/visit/<token>/check-in", needs=Permission.SITE_ANY_READ)
def take_check_in_by_link(token: str) -> Answer:
    """Keep it. What comes too late to be heard is not passed over in silence."""
    door = _by_visit_link(token)
    if door is None:
        return _over() if _is_told() else go("booking.visit_by_link", token=token)
    return kit.take(door)


def _own(visit_id: int) -> CheckInDoor | None:
    visit = found(visits.own_visit(current_user.id, visit_id))
    people = {one.client_id: one.relation for one in clients.people_of(current_user.id)}
    home = url_for("booking.my_visit", visit_id=visit_id)
    url = url_for("booking.check_in_my_visit", visit_id=visit_id)
    return _client_door(visit, url, home, signer=people.get(visit.client_id or 0, "self"), by_key=False)


@pages.get("/my/visits/<int:visit_id>/check-in", needs=Permission.VISIT_OWN_WRITE)
def check_in_my_visit(visit_id: int) -> Answer:
    """The same in the own account."""
    door = _own(visit_id)
    return kit.show(door) if door else go("booking.my_visit", visit_id=visit_id)


@pages.post("/my/visits/<int:visit_id>/check-in", needs=Permission.VISIT_OWN_WRITE)
def take_check_in_of_mine(visit_id: int) -> Answer:
    """Keep it."""
    door = _own(visit_id)
    return kit.take(door) if door else go("booking.my_visit", visit_id=visit_id)


# ── the clinic ────────────────────────────────────────────────────────────────────────────────────────────


def _then() -> str:
    """What the visit is marked as afterwards, when the check-in stood in the way of that."""
    asked = request.values.get("then", "")
    return asked if asked in THEN else ""


def _finish_late(visit_id: int, back: str, *, renewal: bool, is_kept: bool) -> Answer:
    kept = _("What was said is kept, and counts for this client’s coming visits.")
    flash(kept if is_kept else _("Nothing new was said, so nothing has changed."), "success")
    if renewal:
        flash(_("All the health questions have to be answered anew first."), "care")
    return go(back, visit_id=visit_id)


def _finish(visit_id: int, back: str, *, renewal: bool, then: str) -> Answer:
    """Back to where it came from, with the mark that was asked for, when the visit may go ahead."""
    visit = found(visits.visit(visit_id))
    status = VisitStatus(visit.status)
    if renewal or visit.is_waiting or status in (VisitStatus.CANCELLED, VisitStatus.LATE_CANCELLED):
        say_it_stops(status)
    elif not then:
        flash(_("The check-in is kept."), "success")
    else:
        _mark(visit, VisitStatus(then))
    return go(back, visit_id=visit_id)


def _mark(visit: Any, new: VisitStatus) -> None:
    visit_id, revision = visit.id, visit.revision
    try:
        stands = mark_visit(
            visit_id, new, revision=revision, by=who() or 0, now=clock.now(), can_go_back=True
        )
    except SlotTaken:
        flash(_("The time has been given to somebody else. Book a new visit instead."), "care")
    except RuleViolation as error:
        flash(error.sentence, "care")
    else:
        if stands is not new:
            say_it_stops(stands)
        elif new is VisitStatus.ARRIVED:
            flash(_("The check-in is kept. Marked: the client is here."), "success")
        else:
            flash(
                _("The check-in is kept. Marked: the client is here, and the visit has started."), "success"
            )
            say_what_is_odd(visit_id)


def _by_staff(
    visit_id: int, here: str, back: str, stopped: Callable[[Any, str], Answer]
) -> CheckInDoor | None:
    """Asked by somebody at work, who comes from the page `back`."""
    visit = found(visits.visit(visit_id))
    client = found(clients.client(visit.client_id) if visit.client_id is not None else None)
    is_late, then = not check_ins.may_staff_check_in(visit, clock.now()), _then()
    if is_late and not _is_told():
        return None
    return CheckInDoor(
        visit=visit,
        by=who(),
        source="desk",
        url=url_for(here, visit_id=visit_id),
        layout="intake/desk_layout.html",
        stopped=lambda level: stopped(client, level),
        done=lambda renewal, said: (
            _finish_late(visit_id, back, renewal=renewal, is_kept=renewal or bool(said))
            if is_late
            else _finish(visit_id, back, renewal=renewal, then=then)
        ),
        is_late=is_late,
        then=then,
        back=url_for(back, visit_id=visit_id),
        extra={"client": client},
    )


def _at_desk(visit_id: int) -> CheckInDoor | None:
    return _by_staff(
        visit_id,
        "booking.desk_check_in",
        "booking.desk_visit",
        lambda client, level: render_template("intake/desk_stopped.html", client=client, level=level),
    )


@pages.get("/desk/visits/<int:visit_id>/check-in", needs=Permission.INTAKE_ANY_WRITE)
def desk_check_in(visit_id: int) -> Answer:
    """The desk reads the questions out; earlier answers are not shown."""
    door = _at_desk(visit_id)
    return kit.show(door) if door else go("booking.desk_visit", visit_id=visit_id)


@pages.post("/desk/visits/<int:visit_id>/check-in", needs=Permission.INTAKE_ANY_WRITE)
def take_desk_check_in(visit_id: int) -> Answer:
    """Keep it, and mark the visit as it was asked."""
    door = _at_desk(visit_id)
    return kit.take(door) if door else go("booking.desk_visit", visit_id=visit_id)


def _in_diary(visit_id: int) -> CheckInDoor | None:
    me = found(therapists.therapist_of_user(who() or 0))
    found(treated.visit_of_therapist(me.id, visit_id))
    return _by_staff(
        visit_id, "booking.diary_check_in", "diary.my_visit", lambda _client, level: _stopped(visit_id, level)
    )


@pages.get("/diary/visits/<int:visit_id>/check-in", needs=Permission.VISIT_TREATED_WRITE)
def diary_check_in(visit_id: int) -> Answer:
    """The therapist asks; somebody else's visit looks as if it were not there."""
    door = _in_diary(visit_id)
    return kit.show(door) if door else go("diary.my_visit", visit_id=visit_id)


@pages.post("/diary/visits/<int:visit_id>/check-in", needs=Permission.VISIT_TREATED_WRITE)
def take_diary_check_in(visit_id: int) -> Answer:
    """Keep it, and mark the visit as it was asked."""
    door = _in_diary(visit_id)
    return kit.take(door) if door else go("diary.my_visit", visit_id=visit_id)
