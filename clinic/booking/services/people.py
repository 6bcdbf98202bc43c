"""Deeds on people that change what their visits are judged on: details, look-alikes, merging, barring."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from clinic.accounts.models import User
from clinic.booking.models import CallRequest, Claim, Visit, WaitlistWish
from clinic.booking.queries import look_alikes, open_questions, visits
from clinic.booking.services._claims import clear_expired
from clinic.booking.services._forgetting import ask_of_all
from clinic.booking.services._judging import local_day
from clinic.booking.services._known_again import know_again
from clinic.booking.services._new_links import send_new_links
from clinic.booking.services._placing import give_to
from clinic.booking.services._steps import tell_client
from clinic.booking.services.judging import (
    follow,
    judge_visits_of,
    judge_visits_of_all,
    judge_what_is_safe,
    take_off_addons,
)
from clinic.clients import choices
from clinic.clients import queries as clients
from clinic.clients.erased import stand_again
from clinic.clients.models import Client, ClientAccess, ClientNote, NotSamePerson
from clinic.clients.steps import (
    Details,
    check_details,
    end_access,
    give_access,
    lead_to_account,
    locked,
    one_change_at_a_time,
    unentered_accounts,
    write_details,
)
from clinic.intake.steps import bring_along
from clinic.premises import queries as premises
from clinic.rules import contact, visit_status
from clinic.rules.errors import ChangedMeanwhile, MoveNotAllowed, NotFound, ReviewNeeded
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.rules.visit_status import VisitStatus
from clinic.shared.audit import leave_trace
from clinic.shared.database import TryAgain, transaction, tried_again
from clinic.shared.seen import mark_of
from clinic.therapists.models import NeverTogether


@tried_again
def change_details(
    client_id: int, details: Details, *, by: int, now: dt.datetime, seen: str | None = None
) -> None:
    """Change contact details or the birth date; visits are judged again, since age counts, and those of unproven
    records that look like this person now, or did. `seen`: the mark of the card that was changed (`mark_of_card`).
    Raises InvalidInput, or ChangedMeanwhile where somebody else has changed it since."""
    facts = premises.clinic_facts()
    with transaction() as session:
        if facts is None:
            raise NotFound()
        check_details(details, today=local_day(now, facts.zone))
        one_change_at_a_time(session)  # before anything is read of a record that is just being merged
        client = clients.client(client_id)
        if client is None:
            raise NotFound()
        shown = session.get_one(Client, client_id)  # by now it may have become the other one's
        if seen not in (None, mark_of_card(shown)):
            raise ChangedMeanwhile
        coming = clients.like(
            details.first_name, details.last_name, details.born_on, email=details.email, phone=details.phone,
            region=facts.phone_region,
        )  # fmt: skip
        _wait_for_all_alike(session, client.id, also=coming)
        alike = clients.people_like(client)
        if client.id != client_id:
            details = _laid_over(client, shown, details)
        address = client.email_key
        write_details(client, details, region=facts.phone_region)
        session.flush()
        if client.email_key != address:
            _leave_address(session, client, address, by=by, now=now)
        judge_visits_of_all(session, [*alike, *clients.people_like(client)], door="details", by=by, now=now)
        leave_trace(session, "client.changed", "client", client.id, by=by, now=now)


def _leave_address(
    session: Session, client: Client, address: str | None, *, by: int, now: dt.datetime
) -> None:
    """Whoever reads mail at the former address may be somebody else: an account there that nobody has entered goes on
    without this person, links that went there open nothing, and the new address gets both: also where the former one
    was taken off some time before, or its account was in the way of the person whose address it is."""
    relation = clients.lost_relation(client.id)
    for access, email in unentered_accounts(session, client.id):
        if email == address:
            relation = access.relation
            leave_trace(
                session, clients.ACCESS_ENDED, "client", client.id, by=by, now=now, user=access.user_id,
                relation=relation,
            )  # fmt: skip
            end_access(session, access, now=now)
    if client.email_key and relation is not None:
        lead_to_account(session, client, relation, now=now)
    for other in clients.people_at(address) if address else ():
        owed = clients.lost_relation(other.id)
        if owed is not None:
            lead_to_account(session, other, owed, now=now)
    send_new_links(session, client, now=now)


def mark_of_card(client: Client) -> str:
    """A mark of the details that staff change, the same for the same details."""
    return mark_of({one.name: getattr(client, one.name) or "" for one in fields(Details)})


def _laid_over(client: Client, merged: Client, typed: Details) -> Details:
    """The card of the person with what was changed on that of a record which was merged into it since the page came:
    what was left there as it was is no word about the other card."""
    typed = replace(typed, last_name=contact.family_name(typed.last_name))
    card: dict[str, Any] = {}
    for one in fields(Details):
        said, shown = getattr(typed, one.name), getattr(merged, one.name) or ""
        card[one.name] = said if said != shown else getattr(client, one.name) or ""
    return Details(**card)


@tried_again
def say_two_people(client_id: int, other_id: int, *, by: int, now: dt.datetime) -> None:
    """Staff found two people behind two look-alike records: they no longer count for each other. Where something is
    not safe for one of them it takes clinical review. It is said of whom the records belong to by now: what a page
    showed of a record that was merged since is not all that counts. Raises NotFound, ReviewNeeded."""
    with transaction() as session:
        one, other = _both_of_today(session, client_id, other_id)
        _check_may_part(session, (one, other), by=by, now=now)
        if session.get(NotSamePerson, (one.id, other.id)) is None:
            if other not in _who_may_be(one):  # said beforehand, it would hide a likeness that comes later
                raise NotFound(_("These two records do not look alike. Nothing was changed."))
            pair = NotSamePerson(client_id=one.id, other_id=other.id, decided_at=now, decided_by_id=by)
            session.add(pair)
        session.flush()
        for person in (one, other):
            know_again(session, person)
            is_seen = person.created_by_id is not None
            if is_seen and not (clients.look_alikes(person) or open_questions.about(person, ())):
                person.is_unproven = False  # a record that was seen, and nobody is left whom it may be
            judge_visits_of(session, person, door="two people", by=by, now=now)
        leave_trace(session, "client.two_people", "client", client_id, by=by, now=now, other=other_id)


def _both_of_today(session: Session, *client_ids: int) -> tuple[Client, Client]:
    """The two people, by the records of today, the older one first, and both waited for."""
    not_there = NotFound(_("One of these people is not in the clinic's book."))
    found = {person.id for number in client_ids if (person := clients.client(number)) is not None}
    if len(found) != 2:
        raise not_there
    _wait_for_all_alike(session, *found)
    one, other = (session.get_one(Client, number) for number in sorted(found))
    if one.merged_into_id is not None or other.merged_into_id is not None:
        raise TryAgain(lambda: not_there)
    return one, other


def _who_may_be(client: Client) -> list[Client]:
    """Those who look like this person, and those for whom a visit of one of the two waits."""
    return [*clients.look_alikes(client), *open_questions.with_whom(client)]


def _check_may_part(session: Session, pair: tuple[Client, Client], *, by: int, now: dt.datetime) -> None:
    """Taking two records apart takes away what one says against the other's visits. Raises ReviewNeeded."""
    if not _may_review(session, by) and look_alikes.has_to_be_reviewed(*pair, premises.today(now)):
        raise ReviewNeeded()


def _may_review(session: Session, user_id: int) -> bool:
    user = session.get(User, user_id)
    return user is not None and user.may(Permission.CLINICAL_REVIEW)


def _not_parted_by_the_desk(one: Client, other: Client, today: dt.date) -> set[int]:
    """Third records that the desk alone may not tell apart from these two."""
    return {
        third.id
        for both in (one, other)
        for third in _who_may_be(both)
        if look_alikes.has_to_be_reviewed(both, third, today)
    } - {one.id, other.id}


@tried_again
def merge_clients(keep_id: int, lose_id: int, *, by: int, now: dt.datetime) -> None:
    """Two records are one person: the second becomes an alias of the first.

    Screenings and past visits stay as they were written. Answers of both count, the strictest first, until the
    person signs a new intake; coming visits go to the kept record and are judged again. Raises NotFound, and
    ReviewNeeded where it would say of a third record, too, that it is somebody else, and that takes clinical review, or
    where one of the two has to be booked first, so that their visit waits.
    """
    with transaction() as session:
        one_change_at_a_time(session)
        _wait_for_kept_times(session, keep_id, lose_id)
        _wait_for_all_alike(session, keep_id, lose_id)
        keep, lose = session.get(Client, keep_id), session.get(Client, lose_id)
        if keep is None or lose is None or keep.id == lose.id or keep.merged_into_id or lose.merged_into_id:
            raise NotFound(_("One of these records is not there any more."))
        if keep.is_nameless or lose.is_nameless:
            raise NotFound(_("One of these records is not there any more."))
        if keep.is_erased and not lose.is_erased:
            stand_again(session, *locked(session, clients.all_ids(keep.id)))
        alike = [one for one in (*clients.people_like(keep), *clients.people_like(lose)) if one.id != lose.id]
        third = _not_parted_by_the_desk(keep, lose, premises.today(now))
        asked = open_questions.of_people(keep.id, lose.id)
        was_known = keep.is_heard or lose.is_heard
        if was_known and _would_wait(keep, lose) - asked:
            raise ReviewNeeded(
                _(
                    "Another name was typed for the same online booking. Book the visit first: it waits for a"
                    " therapist, who looks at both. After that these records can be joined."
                )
            )
        lose.merged_into_id, lose.merged_at = keep.id, now
        _fill_gaps(keep, lose)
        keep.is_barred_online = keep.is_barred_online or lose.is_barred_online
        is_undecided = any(one.is_unproven and one.was_proven for one in (keep, lose))
        keep.is_unproven = is_undecided or (keep.is_unproven and lose.is_unproven)
        keep.was_proven = was_known
        _carry_over(session, keep, lose, now)
        session.flush()
        if third - {one.id for one in _who_may_be(keep)} and not _may_review(session, by):
            raise ReviewNeeded(
                _(
                    "A third record may be the same person as one of these two. A therapist has to decide about that"
                    " first. It stands on their list of reviews."
                )
            )
        # Of a third record nothing was decided: its "yes" may still be theirs.
        if open_still := clients.not_told_apart(keep, asked):
            keep.is_unproven = True
            ask_of_all(session, keep, [one.id for one in open_still], now)
        know_again(session, keep)
        _move_visits(session, keep, lose, by=by, now=now)
        judge_visits_of_all(session, [*alike, *clients.people_like(keep)], door="merge", by=by, now=now)
        leave_trace(session, "client.merged", "client", keep.id, by=by, now=now, lost=lose.id)


def _would_wait(keep: Client, lose: Client) -> set[int]:
    """For whom one of these two would wait, if they booked, and who is not the other one of the two: to join them would
    prove that person without a look."""
    found = {number for one in (keep, lose) for number in open_questions.would_wait_for(one)}
    return found - {keep.id, lose.id}


def _wait_for_kept_times(session: Session, *client_ids: int) -> None:
    """Whoever confirms a time that is only kept, or gives it back, has its row before the person's."""
    held = select(Visit.id).where(Visit.client_id.in_(client_ids), Visit.status == VisitStatus.HELD)
    session.scalars(held.order_by(Visit.id).with_for_update()).all()


def _wait_for_all_alike(session: Session, *client_ids: int, also: Iterable[Client] = ()) -> None:
    """Keep these people from others until the commit, at once with all who look like them (and `also`), and are judged
    when they change: a second wait, out of the order of the first, would close a ring."""
    named = [one for number in client_ids if (one := session.get(Client, number)) is not None]
    alike = [*also, *(like for one in named for like in clients.look_alikes(one))]
    locked(session, clients.counted_with(*named, *alike))


def _fill_gaps(keep: Client, lose: Client) -> None:
    if not keep.email:
        keep.email, keep.email_key = lose.email, lose.email_key
    if not keep.phone:
        keep.phone, keep.phone_key = lose.phone, lose.phone_key
    for name in ("emergency_contact", "guardian_name", "guardian_relation", "guardian_phone"):
        if not getattr(keep, name):
            setattr(keep, name, getattr(lose, name))


def _carry_over(session: Session, keep: Client, lose: Client, now: dt.datetime) -> None:
    """Who may act, notes, pairs never booked together, open call requests, wishes, which messages they want, and what
    they typed and did not sign go over to the kept record. Not an account that nobody has entered, at another address
    than that of the kept record: whose that is, nobody has shown."""
    for access, email in unentered_accounts(session, lose.id):
        if email != keep.email_key:
            end_access(session, access, now=now)
    for row in session.scalars(select(ClientAccess).where(ClientAccess.client_id == lose.id)).all():
        give_access(session, row.user_id, keep.id, row.relation, now=now)
        if row.relation == "self":  # whatever else the account was to the other record
            session.get_one(ClientAccess, (row.user_id, keep.id)).relation = "self"
        session.delete(row)
    choices.merge(session, keep.id, lose.id)
    bring_along(session, lose.id, keep.id, now=now)
    for table in (ClientNote, NeverTogether, CallRequest, WaitlistWish):
        session.execute(update(table).where(table.client_id == lose.id).values(client_id=keep.id))


def _move_visits(session: Session, keep: Client, lose: Client, *, by: int, now: dt.datetime) -> None:
    """Coming visits follow the person. Their claims on the client follow too; two at one time are refused."""
    for visit in visits.visits_ahead(lose.id, now):
        at_that_time = select(Visit).where(
            Visit.client_id == keep.id,
            Visit.status.in_(visit_status.HOLDING_CLAIMS),
            Visit.starts_at < visit.ends_at,
            Visit.ends_at > visit.starts_at,
        )
        is_over = _has_run_out(session, visit, now)
        if not is_over and not all(_has_run_out(session, one, now) for one in session.scalars(at_that_time)):
            raise MoveNotAllowed(
                _("Both records have a visit at the same time. Move or cancel one of them first.")
            )
        clear_expired(session, [keep.id], visit.starts_at, visit.ends_at, now)
        theirs = select(Claim).where(Claim.visit_id == visit.id, Claim.resource_id == lose.id)
        for claim in session.scalars(theirs).all():
            if is_over:
                session.delete(claim)
            else:
                claim.resource_id = keep.id
        _rejudge_moved(session, visit, keep, by=by, now=now)


def _has_run_out(session: Session, visit: Visit, now: dt.datetime) -> bool:
    """A time that was kept, and stands in nobody's way any more, though the worker has not been by yet. One that was
    offered is taken for a moment longer than its deadline says."""
    stands = select(Claim.id).where(
        Claim.visit_id == visit.id, or_(Claim.expires_at.is_(None), Claim.expires_at > now)
    )
    return visit.status == VisitStatus.HELD and session.scalar(stands.limit(1)) is None


def _rejudge_moved(session: Session, visit: Visit, keep: Client, *, by: int, now: dt.datetime) -> None:
    """The old judgement names the old record, so the visit gets its new one in the same step as its new client."""
    judged, less = judge_what_is_safe(session, visit, keep, door="merge", by=by, now=now)
    with session.no_autoflush:
        give_to(visit, keep.id, is_same_person=True)
        if less is not None:
            take_off_addons(visit, less)
        if judged.permits and judged.row is not None and visit.permits:
            visit.screening_id, visit.judged_key = judged.row.id, judged.row.judged_key
        else:
            visit.screening_id = visit.judged_key = visit.permits = None
        if visit.status == "held":
            return
        follow(session, visit, judged, by=by, now=now)
    if less is not None and judged.permits:
        tell_client(session, visit, "visit_changed", now=now)


@tried_again
def close_call(call_id: int, *, by: int, now: dt.datetime) -> None:
    """Somebody has called them back."""
    with transaction() as session:
        row = session.get(CallRequest, call_id)
        if row is None:
            raise NotFound()
        if row.done_at is None:
            row.done_at, row.done_by_id = now, by
            leave_trace(session, "call.done", "client", row.client_id, by=by, now=now)


@tried_again
def reopen_call(call_id: int, *, by: int, now: dt.datetime) -> None:
    """They were not called after all: back on the list where they stood. Twice is as once. Raises NotFound."""
    with transaction() as session:
        row = session.get(CallRequest, call_id)
        if row is None:
            raise NotFound()
        if row.done_at is not None:
            row.done_at = row.done_by_id = None
            leave_trace(session, "call.reopened", "client", row.client_id, by=by, now=now)
