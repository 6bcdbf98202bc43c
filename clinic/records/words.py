"""The stored words of a record as a reader outside the clinic understands them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NOT_SIGNED_OFF: Final = (
    "The health rules were put together from published sources. They have not been signed off by a clinician."
)
NAMES_OF_TODAY: Final = (
    "People, services, rooms and places are called as they are called today, unless it says “as stored”. The visit"
    " is shown as it stands now."
)
WRITTEN_ONCE: Final = (
    "Judgements, signed answers, the wording of the questions, checked letters, the steps of the visit and the audit"
    " are written once: the database refuses to change or delete them."
)
ABOUT_FINGERPRINT: Final = (
    "The fingerprint is the SHA-256 of everything stored about this visit and its decisions. Names of today and"
    " the moment of printing are no part of it. Two prints of an unchanged visit have the same fingerprint."
)
ABOUT_LETTERS: Final = (
    "A character that the typeface of the print lacks is printed by its number, for example [U+738B]."
)
ABOUT_CHECK_IN: Final = (
    "Then asked, or answered with no by “nothing has changed”."
    " A no takes back nothing that was declared before."
)
NOTHING_ASKED: Final = "No single question was asked after it."
WITHHELD: Final = (
    "Answers of another record, which may be the same person’s, were read too ({number}). They, and what was found"
    " in them, belong to that record and are not printed here."
)
WORDING_LOST: Final = (
    "The wording of this version of the questions was not kept. The questions are named by their keys."
)
NO_SINGLE_ANSWER: Final = "This rule reads no single answer."
CHANGED_BY_CLINIC: Final = (
    "The clinic had changed this rule: it is stricter than, or beside, the published table."
)

ABOUT: Final = (NOT_SIGNED_OFF, WRITTEN_ONCE, NAMES_OF_TODAY, ABOUT_FINGERPRINT, ABOUT_LETTERS)
"""What every record says about itself."""

VERDICTS: Mapping[str, str] = {
    "clear": "Nothing speaks against it",
    "caution": "Take care",
    "clearance": "Only with a letter from a clinician",
    "block": "Not this treatment",
}
OUTCOMES: Mapping[str, str] = {
    "allow": "Allowed",
    "allow_flag_therapist": "Allowed, with care by the therapist",
    "hold_until_clearance": "On hold until a clinician’s letter is checked",
    "needs_guardian_consent": "On hold until a guardian agrees",
    "needs_intake": "On hold until the health form is signed",
    "needs_review": "On hold until somebody with clinical review has looked at it",
    "refuse": "Refused",
    "refuse_urgent": "Refused: medical care comes first",
}
URGENCIES: Mapping[str, str] = {
    "none": "None",
    "prompt": "See a doctor soon",
    "same_day": "See a doctor the same day",
    "emergency": "Emergency",
}
DOORS: Mapping[str, str] = {
    "online": "Booked online",
    "desk": "Booked by the desk",
    "move": "Moved or changed",
    "answers": "New answers or a new paper",
    "check_in": "Check-in of the day",
    "rules": "Rules or settings changed",
    "lapse": "A paper or a form ran out",
    "therapist": "A therapist asked for more care, or took it back",
    "details": "Personal details changed",
    "merge": "Two records became one",
    "two people": "Two records were said to be two people",
    "waitlist": "An offered time was taken",
    "demo": "Invented for the demo",
}
DEEDS: Mapping[str, str] = {
    "visit.booked": "Booked",
    "visit.cancelled": "Cancelled",
    "visit.change_refused": "A change was refused",
    "visit.changed": "Moved or changed",
    "visit.reassigned": "Given to another therapist",
    "visit.judged": "Judged again",
    "visit.marked": "Marked",
    "visit.released": "Time given back",
    "visit.other_time_offered": "Another time was offered",
    "waitlist.accepted": "An offered time was taken",
    "waitlist.not_possible": "An offered time could not be taken",
}
KINDS: Mapping[str, str] = {
    "full": "Full health form",
    "confirm": "Confirmed as still right",
    "checkin": "Check-in of the day",
}
SOURCES: Mapping[str, str] = {
    "online": "online",
    "desk": "typed in at the desk",
    "tablet": "on the clinic’s tablet",
    "paper": "signed on paper, then typed in",
    "client": "sent in by the client",
    "review": "read by clinical review, on paper or by phone",
    "walk_in": "at the door",
}
CONSENTS: Mapping[str, str] = {
    "treatment": "To the treatment",
    "privacy": "To keeping health data",
    "guardian": "Of a parent or guardian",
}
ISSUERS: Mapping[str, str] = {
    "physician": "doctor",
    "specialist": "specialist doctor",
    "nurse_practitioner": "nurse practitioner",
    "midwife": "midwife",
    "physiotherapist": "physiotherapist",
    "massage_therapist": "massage therapist",
    "chiropractor": "chiropractor",
    "other": "somebody else",
}
ENDINGS: Mapping[str, str] = {"assessed": "Assessed", "entered_in_error": "Entered in error"}


def said(words: Mapping[str, str], stored: str) -> str:
    """The words for a stored word, and that word where it has none any more."""
    return words.get(stored, stored.replace("_", " ").capitalize())
