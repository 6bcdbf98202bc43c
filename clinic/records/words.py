"""The stored words of a record as a reader outside the clinic understands them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from clinic.rules.language import N_

NOT_SIGNED_OFF: Final = N_(
    "The health rules were put together from published sources. They have not been signed off by a clinician."
)
NAMES_OF_TODAY: Final = N_(
    "People, services, rooms and places are called as they are called today, unless it says “as stored”. The visit"
    " is shown as it stands now."
)
WRITTEN_ONCE: Final = N_(
    "Judgements, signed answers, the wording of the questions, checked letters, the steps of the visit and the audit"
    " are written once: the database refuses to change or delete them."
)
ABOUT_FINGERPRINT: Final = N_(
    "The fingerprint is the SHA-256 of everything stored about this visit and its decisions. Names of today and"
    " the moment of printing are no part of it. Two prints of an unchanged visit have the same fingerprint."
)
ABOUT_LETTERS: Final = N_(
    "A character that the typeface of the print lacks is printed by its number, for example [U+738B]."
)
ABOUT_CHECK_IN: Final = N_(
    "Then asked, or answered with no by “nothing has changed”."
    " A no takes back nothing that was declared before."
)
NOTHING_ASKED: Final = N_("No single question was asked after it.")
WITHHELD: Final = N_(
    "Answers of another record, which may be the same person’s, were read too ({number}). They, and what was found"
    " in them, belong to that record and are not printed here."
)
WORDING_LOST: Final = N_(
    "The wording of this version of the questions was not kept. The questions are named by their keys."
)
NO_SINGLE_ANSWER: Final = N_("This rule reads no single answer.")
CHANGED_BY_CLINIC: Final = N_(
    "The clinic had changed this rule: it is stricter than, or beside, the published table."
)

ABOUT: Final = (NOT_SIGNED_OFF, WRITTEN_ONCE, NAMES_OF_TODAY, ABOUT_FINGERPRINT, ABOUT_LETTERS)
"""What every record says about itself."""

VERDICTS: Mapping[str, str] = {
    "clear": N_("Nothing speaks against it"),
    "caution": N_("Take care"),
    "clearance": N_("Only with a letter from a clinician"),
    "block": N_("Not this treatment"),
}
OUTCOMES: Mapping[str, str] = {
    "allow": N_("Allowed"),
    "allow_flag_therapist": N_("Allowed, with care by the therapist"),
    "hold_until_clearance": N_("On hold until a clinician’s letter is checked"),
    "needs_guardian_consent": N_("On hold until a guardian agrees"),
    "needs_intake": N_("On hold until the health form is signed"),
    "needs_review": N_("On hold until somebody with clinical review has looked at it"),
    "refuse": N_("Refused"),
    "refuse_urgent": N_("Refused: medical care comes first"),
}
URGENCIES: Mapping[str, str] = {
    "none": N_("None"),
    "prompt": N_("See a doctor soon"),
    "same_day": N_("See a doctor the same day"),
    "emergency": N_("Emergency"),
}
DOORS: Mapping[str, str] = {
    "online": N_("Booked online"),
    "desk": N_("Booked by the desk"),
    "move": N_("Moved or changed"),
    "answers": N_("New answers or a new paper"),
    "check_in": N_("Check-in of the day"),
    "rules": N_("Rules or settings changed"),
    "lapse": N_("A paper or a form ran out"),
    "therapist": N_("A therapist asked for more care, or took it back"),
    "details": N_("Personal details changed"),
    "merge": N_("Two records became one"),
    "two people": N_("Two records were said to be two people"),
    "known again": N_("What was typed under another name is settled"),
    "waitlist": N_("An offered time was taken"),
    "demo": N_("Invented for the demo"),
}
DEEDS: Mapping[str, str] = {
    "answers.opened": N_("Answers were opened in an emergency"),
    "answers.read": N_("Answers were read"),
    "answers.reviewed": N_("Answers were looked through"),
    "call.asked": N_("A call was asked for"),
    "call.done": N_("The call was made"),
    "call.reopened": N_("The call is still to be made"),
    "care.raised": N_("More care was asked for"),
    "care.withdrawn": N_("More care is not needed any more"),
    "clearance.withdrawn": N_("A letter counts no more"),
    "client.barred": N_("Booking online was closed"),
    "client.access_ended": N_("An account may not act for them any more"),
    "client.changed": N_("Name or contact was changed"),
    "client.copy_read": N_("This copy was opened by the person"),
    "client.copy_read_for_them": N_("This copy was opened by the clinic"),
    "client.copy_saved": N_("This copy was saved by the person"),
    "client.copy_saved_for_them": N_("This copy was saved by the clinic"),
    "client.created": N_("The record was begun"),
    "client.erased": N_("Erased"),
    "client.erased_but_records": N_("Erased, but for what a law keeps"),
    "client.erasure_asked": N_("Erasing was asked for"),
    "client.erasure_withdrawn": N_("The wish to be erased was taken back"),
    "client.merged": N_("Two records were joined"),
    "client.note_written": N_("A note was written"),
    "client.phone_changed": N_("Phone number changed"),
    "client.unbarred": N_("Booking online was opened again"),
    "consent.given": N_("Consent was given"),
    "consent.withdrawn": N_("Consent was taken back"),
    "couple.refused": N_("Not booked for two"),
    "intake.checked_in": N_("The questions of the day were answered"),
    "intake.confirmed": N_("Answers were said to be still right"),
    "intake.signed": N_("Answers were signed"),
    "intake.stopped": N_("The answers stopped the booking"),
    "letter.asked": N_("A letter was asked for"),
    "letter.read": N_("A letter was read"),
    "letter.refused": N_("A letter was not taken"),
    "letter.sent": N_("A letter was sent in"),
    "letter.verified": N_("A letter was taken"),
    "note.written": N_("A note on the treatment was written"),
    "reaction.recorded": N_("A reaction was written down"),
    "series.refused": N_("The series was not booked"),
    "stop.ended": N_("A stop was ended"),
    "tablet.handed_over": N_("The tablet was handed over"),
    "tablet.locked": N_("The tablet was handed back"),
    "visit.aim_written": N_("What it is for was written"),
    "visit.booked": N_("Booked"),
    "visit.cancelled": N_("Cancelled"),
    "visit.change_refused": N_("A change was refused"),
    "visit.changed": N_("Moved or changed"),
    "visit.judged": N_("Judged again"),
    "visit.link_sent": N_("The link to the visit was sent"),
    "visit.marked": N_("Marked"),
    "visit.other_time_offered": N_("Another time was offered"),
    "visit.reassigned": N_("Given to another therapist"),
    "visit.refused": N_("The visit was not booked"),
    "visit.released": N_("Time given back"),
    "visit.rest_passed": N_("Booked although the rest is short"),
    "visit.swapped": N_("Two visits changed places"),
    "visit.taken_back": N_("The last step was undone"),
    "waitlist.accepted": N_("An offered time was taken"),
    "waitlist.joined": N_("Put on the waitlist"),
    "waitlist.left": N_("Taken off the waitlist"),
    "waitlist.not_possible": N_("An offered time could not be taken"),
}
KINDS: Mapping[str, str] = {
    "full": N_("Full health form"),
    "confirm": N_("Confirmed as still right"),
    "checkin": N_("Check-in of the day"),
}
SOURCES: Mapping[str, str] = {
    "online": "online",
    "desk": N_("typed in at the desk"),
    "tablet": N_("on the clinic’s tablet"),
    "paper": N_("signed on paper, then typed in"),
    "client": N_("sent in by the client"),
    "review": N_("read by clinical review, on paper or by phone"),
    "walk_in": N_("at the door"),
}
CONSENTS: Mapping[str, str] = {
    "treatment": N_("To the treatment"),
    "privacy": N_("To keeping health data"),
    "guardian": N_("Of a parent or guardian"),
}
ENDINGS: Mapping[str, str] = {"assessed": N_("Assessed"), "entered_in_error": N_("Entered in error")}


def said(words: Mapping[str, str], stored: str) -> str:
    """The words for a stored word, and that word where it has none any more."""
    return words.get(stored, stored.replace("_", " ").capitalize())
