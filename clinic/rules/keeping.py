"""What is kept of a person, what becomes of it when they are erased, and how long each kind of thing is kept.

One table for everything that asks: the copy for the person, erasing, the periods, and the tests that walk all tables.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from clinic.rules.language import N_
from clinic.rules.years import years_after


class Fate(StrEnum):
    """What becomes of the rows of a table when the person is erased."""

    GOES = "goes"
    WITH_RECORDS = "with_records"  # goes too, but not before the law lets it
    NAMELESS = "nameless"  # the row stays and says nothing about anybody
    STAYS = "stays"


@dataclass(frozen=True)
class Kept:
    """One table. `why`: for what stays, the sentence that says so to people."""

    fate: Fate
    why: str = ""


_GOES, _RECORD = Kept(Fate.GOES), Kept(Fate.WITH_RECORDS)
_NUMBERS = N_("It holds numbers, times and neutral words only.")

TABLES: Mapping[str, Kept] = {
    "client": Kept(Fate.NAMELESS, N_("A number without a name, on which past visits hang.")),
    "visit": Kept(
        Fate.NAMELESS,
        N_("When it was, what it cost and who gave it stay for the clinic's books, with nobody's name."),
    ),
    "screening": Kept(
        Fate.NAMELESS, N_("That a visit was judged safe stays with the visit; the reasons are erased.")
    ),
    "user": Kept(Fate.NAMELESS, N_("A number without a name: other things say which account did them.")),
    "status_change": Kept(Fate.STAYS, _NUMBERS),
    "claim": Kept(Fate.STAYS, _NUMBERS),
    "claim_history": Kept(Fate.STAYS, _NUMBERS),
    "audit_row": Kept(
        Fate.STAYS, N_("It says by numbers who did what, and nobody's name; a gap would make it worthless.")
    ),
    "erasure": Kept(Fate.STAYS, N_("That somebody asked, and when it was done, has to be shown on request.")),
    "bad_reaction": _RECORD,
    "clearance": _RECORD,
    "clearance_document": _RECORD,
    "clearance_letter": _RECORD,
    "consent": _RECORD,
    "health_stop": _RECORD,
    "intake": _RECORD,
    "rest_pass": _RECORD,
    "session_note": _RECORD,
    "softened_review": _RECORD,
    "therapist_restriction": _RECORD,
    "answers_opening": _RECORD,
    "api_answer": _GOES,
    "authenticator": _GOES,
    "calendar_feed": _GOES,
    "call_request": _GOES,
    "checkin_link": _GOES,
    "checkout": _GOES,
    "client_access": _GOES,
    "client_note": _GOES,
    "intake_draft": _GOES,
    "half_sign_in": _GOES,
    "known_browser": _GOES,
    "mailed_link": _GOES,
    "message_choice": _GOES,
    "never_together": _GOES,
    "not_same_person": _GOES,
    "offer": _GOES,
    "open_question": _GOES,
    "outgoing_mail": _GOES,
    "passkey": _GOES,
    "recovery_code": _GOES,
    "tablet_pass": _GOES,
    "take_back": _GOES,
    "timed_message": _GOES,
    "user_grant": _GOES,
    "user_role": _GOES,
    "user_session": _GOES,
    "waitlist_wish": _GOES,
}
NOT_COPIED = {"person_key": "The key that seals what is kept about them: a secret, and nothing about them."}
"""Tables that name a person and are in no copy for them, with the reason."""
NOT_TOLD = {
    "api_answer": "What a program was answered, for two days: the same is in the tables that it was answered from.",
    "open_question": "Whose record a visit waits for tells who else was named.",
    "not_same_person": "That somebody was compared with them tells who else is known here.",
}
"""Tables about a person, and erased with them, that are in no copy for them either."""


def fate_of(table: str) -> Kept:
    """What becomes of a table. One that is not named goes at once: nothing of a person is left by mistake."""
    return TABLES.get(table, _GOES)


@dataclass(frozen=True)
class Period:
    """How long one kind of thing is kept. `rows`: tables and the column from which it counts, the first to go first;
    without any it is about whole people."""

    kind: str
    label: str
    help: str
    unit: str
    usual: int
    least: int
    most: int
    rows: tuple[tuple[str, str], ...] = ()


PERIODS = (
    Period(
        "records", N_("Visits, health answers and notes of people who were here"),
        N_("Counted from the last visit; for a child from the day they come of age, if that is later."),
        "years", 10, 1, 100,
    ),
    Period(
        "law", N_("Years that a law makes you keep them, also when somebody asks to be erased"),
        N_("Ask a lawyer or your association. 0: no law does. Counted in the same way."), "years", 0, 0, 100,
    ),
    Period(
        "no_visit", N_("People who never came"),
        N_("Bookings that came to nothing, and records that were begun. Counted from when they were last heard of."),
        "days", 365, 30, 3650,
    ),
    Period("mails", N_("Mails that were sent"), N_("To whom and when; their text is erased as soon as they are sent."),
           "days", 180, 7, 3650, (("outgoing_mail", "due_at"),)),
    Period("waitlist", N_("Wishes on the waitlist that ended, and times that were offered"), "", "days", 180, 7, 3650,
           (("offer", "ended_at"), ("waitlist_wish", "ended_at"))),
    Period("desk", N_("Calls that were made, and the steps of bookings that are finished"), "", "days", 90, 7, 3650,
           (("call_request", "done_at"), ("checkout", "finished_at"))),
    Period("sign_in", N_("Failed sign-ins, and browsers that were signed out or not used any more"), "",
           "days", 90, 7, 3650,
           (("failed_try", "at"), ("user_session", "ended_at"), ("user_session", "last_seen_at"),
            ("known_browser", "last_used_at"))),
    Period("links", N_("Mailed links, passes, calendar addresses and keys of programs that no longer work"), "",
           "days", 30, 1, 3650,
           (("mailed_link", "expires_at"), ("checkin_link", "expires_at"), ("tablet_pass", "expires_at"),
            ("calendar_feed", "ended_at"), ("api_token", "ended_at"), ("api_token", "expires_at"))),
    Period(
        "audit", N_("The audit: who read or changed what"),
        N_("It is erased from its beginning. That this was done is noted outside the database, so that a gap is still"
           " found."),
        "years", 10, 3, 100,
    ),
)  # fmt: skip
STAY_FOREVER = ((N_("Rules, questions and prices as they were"), N_("They are about nobody.")),)


def month_after(day: dt.date) -> dt.date:
    """The same day of the next month, or its last one: until then a request must be answered."""
    first = (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    last = (first + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1)
    return first.replace(day=min(day.day, last.day))


def records_end_on(last_visit: dt.date, born_on: dt.date, *, years: int, adult_age: int) -> dt.date:
    """The day on which records of treatment have been kept for so many years: on it they may go."""
    return years_after(max(last_visit, years_after(born_on, adult_age)), years)
