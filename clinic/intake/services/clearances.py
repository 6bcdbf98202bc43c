"""Letters of clinicians: verified or refused by somebody with clinical review, withdrawn later.

A letter that waits changes nothing. Verified, it turns *clearance* into *caution* for what it names, never more;
each decision judges the client's future visits again in its own transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from clinic.clients.models import Client
from clinic.clients.steps import speaking_to
from clinic.intake import queries as intake
from clinic.intake.models import Clearance, ClearanceLetter
from clinic.intake.queries import InForce
from clinic.intake.queries import clearances as queries
from clinic.intake.services._locked import client_who_stands
from clinic.intake.services._reviewer import check_reviewer
from clinic.intake.services.after_new_answers import judge_again
from clinic.premises import queries as premises
from clinic.rules import clearances as rules
from clinic.rules import letter_scope
from clinic.rules.answers import read_answers
from clinic.rules.body_areas import AREAS
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.findings import ISSUER_WORDS
from clinic.rules.language import N_, _
from clinic.rules.rule_table import TABLE
from clinic.rules.verdicts import INTERVAL
from clinic.rules.words import join_words
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.shared.mail import queue_mail


@dataclass(frozen=True)
class Statement:
    """What staff read in a letter and checked with the clinician's office. Keys are those of the rules."""

    conditions: tuple[str, ...]
    services: tuple[str, ...]
    role: str
    clinician: str
    register_number: str
    contact: str
    issued_on: dt.date
    how: str
    ends_on: dt.date | None = None
    chamber: bool = False
    areas: tuple[str, ...] = ()
    limits: str = ""


@tried_again
def verify_letter(
    letter_id: int, statement: Statement, *, by: int, now: dt.datetime, today: dt.date
) -> list[int]:
    """Record what was checked with the clinician's office: a clearance for each condition; returns their ids.

    Every future visit is judged again. Raises InvalidInput at the field that is wrong (also for a clinician who
    may not clear a condition, a letter that is too old or older than the answer), NotFound when it was decided.
    """
    _check_words(statement, today)
    with transaction() as session:
        letter = _open_letter(session, letter_id)
        client = client_who_stands(session, letter.client_id)
        check_reviewer(by, client.id, field="how")
        sources = intake.in_force(client.id)
        _check_scope(statement, client, sources, today)
        made = [
            _add(session, letter, client, key, statement, sources, by, now) for key in statement.conditions
        ]
        letter.decided_at, letter.decided_by_id, letter.decision = now, by, "verified"
        session.flush()
        judge_again(session, client.id, by=by, now=now)
        leave_trace(session, "letter.verified", "client", client.id, by=by, now=now, conditions=len(made))
        return made


def _open_letter(session: Session, letter_id: int) -> ClearanceLetter:
    letter = session.get(ClearanceLetter, letter_id, with_for_update=True)
    if letter is None or letter.decided_at is not None:
        raise NotFound(_("This letter has been dealt with already."))
    return letter


def _check_words(statement: Statement, today: dt.date) -> None:
    needed = {
        "clinician": (statement.clinician, _("Write the clinician’s name.")),
        "register_number": (statement.register_number, _("Write the licence or register number.")),
        "contact": (statement.contact, _("Write how the clinician’s office is reached.")),
    }
    for field, (text, sentence) in needed.items():
        if not text.strip():
            raise InvalidInput(field, sentence)
    if len(statement.how.strip()) < 5:
        raise InvalidInput("how", _("Write how it was checked with the clinician’s office, and with whom."))
    if statement.issued_on > today:
        raise InvalidInput("issued_on", _("This day lies in the future."))
    if statement.ends_on is not None and statement.ends_on < statement.issued_on:
        raise InvalidInput("ends_on", _("This day lies before the day of the letter."))


def _check_scope(statement: Statement, client: Client, sources: Sequence[InForce], today: dt.date) -> None:
    """The letter is about conditions that wait for one, by somebody who may, for treatments, and in time."""
    offered = queries.to_clear(client, sources, today)
    if not statement.conditions or not set(statement.conditions) <= set(offered):
        raise InvalidInput(
            "conditions", _("Choose what the letter is about: only what waits for a clearance.")
        )
    if not statement.services or not set(statement.services) <= set(letter_scope.COLUMN_WORDS):
        raise InvalidInput("services", _("Choose the treatments that the letter names."))
    if not set(statement.areas) <= set(AREAS):
        raise InvalidInput("areas", _("Choose parts of the body from the list."))
    for key in statement.conditions:
        if not rules.may_clear(key, statement.role):
            who = join_words([_(ISSUER_WORDS[one]) for one in TABLE.clearable(key).who_may_clear], N_("or"))
            raise InvalidInput(
                "role",
                _(
                    "“%(label)s” needs a letter from %(who)s. This one changes nothing for it.",
                    label=_(letter_scope.label_of(key)),
                    who=who,
                ),
            )
        _check_time(_rule(key, statement), sources, today)


def _check_time(rule: rules.Clearance, sources: Sequence[InForce], today: dt.date) -> None:
    if rules.lapses_on(rule) <= today:
        raise InvalidInput("issued_on", _("This letter is too old to count, or its end date has passed."))
    if not all(rules.is_valid(rule, read_answers(one.answers), today) for one in sources):
        raise InvalidInput(
            "issued_on", _("Since this letter something has changed in the answers. Ask for a newer letter.")
        )


def _rule(key: str, statement: Statement) -> rules.Clearance:
    return rules.Clearance(
        condition=key,
        services=frozenset(statement.services),
        issued_on=statement.issued_on,
        issued_by=statement.role,
        expires_on=statement.ends_on,
    )


def _add(
    session: Session,
    letter: ClearanceLetter,
    client: Client,
    key: str,
    statement: Statement,
    sources: Sequence[InForce],
    by: int,
    now: dt.datetime,
) -> int:
    row = Clearance(
        client_id=client.id,
        letter_id=letter.id,
        intake_id=sources[0].intake_id,
        issued_on=statement.issued_on,
        ends_on=statement.ends_on,
        lapses_on=rules.lapses_on(_rule(key, statement)),
        verified_at=now,
        verified_by_id=by,
    )
    row.statement = {
        "condition": key,
        "services": sorted(statement.services),
        # A letter that does not name the chamber is not about it: it loads the whole lower body.
        "modes": [rules.CUPS, INTERVAL] if statement.chamber else [rules.CUPS],
        "areas": sorted(statement.areas),
        "limits": statement.limits.strip(),
        "clinician": statement.clinician.strip(),
        "role": statement.role,
        "register_number": statement.register_number.strip(),
        "contact": statement.contact.strip(),
        "how": statement.how.strip(),
    }
    session.add(row)
    return row.id


@tried_again
def refuse_letter(letter_id: int, reason: str, *, by: int, now: dt.datetime) -> None:
    """Say that the letter does not help, and why; the client is told in neutral words. Raises InvalidInput without
    a reason, NotFound when it was decided."""
    if len(reason.strip()) < 5:
        raise InvalidInput("reason", _("Write in a few words why this letter does not help."))
    with transaction() as session:
        letter = _open_letter(session, letter_id)
        client = client_who_stands(session, letter.client_id)
        letter.decided_at, letter.decided_by_id, letter.decision = now, by, "refused"
        letter.note = reason.strip()
        facts = premises.clinic_facts()
        if facts is not None:
            with speaking_to(client):
                queue_mail(
                    session, "papers_not_enough", client.email, key=f"papers_not_enough:{letter.id}", now=now,
                    name=client.first_name, clinic=facts.name, phone=facts.phone,
                )  # fmt: skip
        leave_trace(session, "letter.refused", "client", client.id, by=by, now=now)


@tried_again
def withdraw_clearance(clearance_id: int, reason: str, *, by: int, now: dt.datetime) -> None:
    """The clinician took it back, or it should never have been verified: from now on it does not count, and every
    future visit is judged again. Raises InvalidInput without a reason, NotFound when it was withdrawn."""
    if len(reason.strip()) < 5:
        raise InvalidInput("reason", _("Write who took it back and when, or why it does not hold."))
    with transaction() as session:
        row = session.get(Clearance, clearance_id, with_for_update=True)
        if row is None or row.withdrawn_at is not None:
            raise NotFound(_("This has been taken back already."))
        client = client_who_stands(session, row.client_id)
        row.withdrawn_at, row.withdrawn_by_id, row.withdrawal = now, by, reason.strip()
        session.flush()
        judge_again(session, client.id, by=by, now=now)
        leave_trace(session, "clearance.withdrawn", "client", client.id, by=by, now=now)
