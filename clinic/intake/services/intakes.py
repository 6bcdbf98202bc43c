"""Typing, signing and confirming answers; a warning sign stops everything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping

from clinic.intake import queries
from clinic.intake.models import SIGNING, Consent, IntakeDraft
from clinic.intake.queries import Answers
from clinic.intake.services._locked import client_who_stands
from clinic.intake.services._versions import (
    Resting,
    Signature,
    add_stop,
    add_version,
    check_signer,
    known_client,
)
from clinic.intake.services.after_new_answers import judge_again
from clinic.intake.steps import lay_over
from clinic.rules import answer_history, questionnaire, screening
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.language import N_, _
from clinic.rules.page_reading import asked_by
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again

__all__ = [
    "CONSENT_VERSION",
    "DraftChanged",
    "Signature",
    "confirm_still_right",
    "raise_stop",
    "save_draft",
    "submit_intake",
]

CONSENT_VERSION = "1"

UNSIGNED = N_("Some answers were changed and are not signed yet. Please go on to the end and sign them.")


class DraftChanged(Exception):
    """What was typed there is not as it was looked at any more: another tab was faster, or a merge."""


@tried_again
def save_draft(
    client_id: int,
    writer: str,
    kind: str,
    answers: Answers,
    *,
    now: dt.datetime,
    replace: bool = False,
    asked: Collection[str] = (),
    half: Mapping[str, list[str]] | None = None,
    is_as_seen: Callable[[Answers, Mapping[str, list[str]]], bool] | None = None,
    adds_only: bool = False,
) -> tuple[Answers, Mapping[str, list[str]]]:
    """Keep what has been typed so far; new answers are laid over the earlier ones unless `replace`.

    `asked` names the questions that were on the page: one that has no readable answer now has none, whatever it
    had before, so that an old "no" never stands in for a "yes" that is half typed. `half` is what was typed of it,
    by form name: it is no answer, and is shown to whoever comes back. `replace` begins anew, but for what was said and
    not signed. What was ticked and written to sign stays only while no answer changes. With `adds_only`, and on a
    record that became another one meanwhile, what is new is laid over and takes nothing back. Returns the whole
    answers and what is half typed, as they stand there now.

    `is_as_seen` is asked of both before anything is written, and nothing is where it says no. Raises DraftChanged then,
    and NotFound.
    """
    with transaction() as session:
        stands = client_who_stands(session, client_id, is_judged=False)
        if adds_only or stands.id != client_id:
            lay_over(session, stands.id, writer, kind, answers, half or {}, now=now)
            row = queries.draft(stands.id, writer)
            return (row.answered, row.half_answered) if row is not None else ({}, {})
        row = queries.draft(client_id, writer, to_change=True)
        was = (row.answered, row.half_answered) if row is not None else ({}, {})
        if is_as_seen is not None and not is_as_seen(*was):
            raise DraftChanged
        is_open = replace and row is not None and queries.says_more(row, client_id)
        if row is None:
            row = IntakeDraft(client_id=client_id, writer=writer, kind=kind, updated_at=now)
            row.answers = {}
            session.add(row)
        if is_open:
            answers, half = _begun_anew(row, answers, half or {})
        settled = {*asked, *answers}
        kept, waits = ({}, {}) if replace else (row.answered, row.half_typed)
        is_changed = any(kept.get(key) != answers.get(key) for key in settled)
        waits = {
            name: typed
            for name, typed in waits.items()
            if asked_by(name) not in settled and not (is_changed and name.startswith(SIGNING))
        } | dict(half or {})
        row.write({**{key: one for key, one in kept.items() if key not in asked}, **answers}, waits)
        row.kind, row.updated_at = kind, now
        return row.answered, row.half_answered


def _begun_anew(
    row: IntakeDraft, answers: Answers, half: Mapping[str, list[str]]
) -> tuple[Answers, Mapping[str, list[str]]]:
    """What was said and not signed stays over these answers, until it is taken back."""
    last = queries.newest(row.client_id)
    more = answer_history.more_than(last.answers if last else {}, row.answered)
    half = {**row.half_answered, **half}
    open_now = {asked_by(name) for name in half}
    return {key: one for key, one in {**answers, **more}.items() if key not in open_now}, half


@tried_again
def keep_signing(client_id: int, writer: str, typed: Mapping[str, list[str]], *, now: dt.datetime) -> None:
    """Keep what is ticked and written to sign, by field, for whoever goes back once more. It signs nothing."""
    with transaction():
        row = queries.draft(client_id, writer, to_change=True)
        if row is None:
            return
        signing = {f"{SIGNING}{name}": values for name, values in typed.items()}
        row.write(row.answered, row.half_answered | signing)
        row.updated_at = now


@tried_again
def submit_intake(
    client_id: int,
    answers: Answers,
    signature: Signature,
    *,
    writer: str,
    source: str,
    consents: Mapping[str, Mapping[str, object]],
    by: int | None,
    now: dt.datetime,
    today: dt.date,
    of_draft: bool = False,
) -> int:
    """Sign a full intake: a new version, its consents, and every future visit judged again, all at once.

    The pages stop at a warning sign before anything is signed; what is signed all the same stops the person too.
    Returns the intake's id. Raises InvalidInput when a question is unanswered or the signature is empty: an
    unanswered question is never "no". `of_draft`: these answers were read from what this writer typed, and are not
    signed where that says more by now. Where nothing is typed any more they were signed just now, and the id is that
    of the last version; InvalidInput where that says something else.
    """
    if questionnaire.unanswered(answers, "intake"):
        raise InvalidInput("answers", _("Some questions still need an answer."))
    if not signature.name.strip():
        raise InvalidInput("signature", _("Type your full name to sign."))
    with transaction() as session:
        client = known_client(session, client_id)
        flags = screening.red_flags_in(answers, today)
        if not flags:  # whoever has a warning sign is stopped, whoever signs
            check_signer(client, signature, today)
        draft = queries.draft(client.id, writer, to_change=True)
        if of_draft and not flags and (draft is None or _says_more(draft, answers)):
            last = queries.newest(client.id)
            if draft is None and last is not None and not answer_history.differ(last.answers, answers):
                return last.id  # pressed twice at one moment
            raise InvalidInput("answers", _(UNSIGNED))
        row = add_version(session, client, answers, signature, "full", source, by=by, now=now, today=today)
        for kind, detail in consents.items():
            consent = Consent(
                client_id=client.id, kind=kind, text_version=CONSENT_VERSION, given_at=now, given_on=today,
                recorded_by_id=by,
            )  # fmt: skip
            consent.detail = dict(detail)
            session.add(consent)
        if draft is not None:
            session.delete(draft)
        if flags:
            add_stop(session, client, answers, flags, source, now=now, today=today)
        judge_again(session, client.id, by=by, now=now)
        leave_trace(session, "intake.signed", "client", client.id, by=by, now=now, source=source)
        return row.id


def _says_more(draft: IntakeDraft, answers: Answers) -> bool:
    return bool(draft.half_answered or answer_history.more_than(answers, draft.answered))


@tried_again
def confirm_still_right(
    client_id: int, signature: Signature, *, source: str, by: int | None, now: dt.datetime, today: dt.date
) -> int:
    """ "Still right?" answered with yes: the same answers, stamped today; the full intake keeps its age.

    Raises InvalidInput where something was typed since and not signed."""
    with transaction() as session:
        client = known_client(session, client_id)
        last = queries.newest(client.id)
        if last is None:
            raise NotFound(_("There are no answers yet."))
        if queries.has_unsigned(client.id):
            raise InvalidInput("answers", _(UNSIGNED))
        check_signer(client, signature, today)
        row = add_version(
            session, client, last.answers, signature, "confirm", source, by=by, now=now, today=today,
            rests_on=Resting(last.completed_on, last.renewal),
        )  # fmt: skip
        judge_again(session, client.id, by=by, now=now)
        leave_trace(session, "intake.confirmed", "client", client.id, by=by, now=now, source=source)
        return row.id


@tried_again
def raise_stop(
    client_id: int,
    answers: Answers,
    *,
    source: str,
    by: int | None,
    now: dt.datetime,
    today: dt.date,
) -> str:
    """A warning sign was declared. Keeps it, stops every visit of this person, and returns the urgency's word.

    Raises InvalidInput when these answers hold no warning sign.
    """
    flags = screening.red_flags_in(answers, today)
    if not flags:
        raise InvalidInput("answers", _("There is no warning sign in these answers."))
    with transaction() as session:
        client = client_who_stands(session, client_id)  # a warning sign is lost with no record
        add_stop(session, client, answers, flags, source, now=now, today=today)
        judge_again(session, client.id, by=by, now=now)
        # The log and the audit hold the fact of the stop alone.
        leave_trace(session, "intake.stopped", "client", client.id, by=by, now=now, source=source)
    return flags[0].urgency.word
