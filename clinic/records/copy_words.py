"""What the tables and columns of a person's own copy are called on the page. A name that is not here is spelled out."""

from __future__ import annotations

from clinic.rules.language import N_

TABLES = {
    "answers_opening": N_("Who opened your answers in an emergency"),
    "audit_row": N_("Who did what with your data"),
    "authenticator": N_("Your app with codes"),
    "bad_reaction": N_("Reactions after a visit"),
    "calendar_feed": N_("Your calendar address"),
    "call_request": N_("When you asked us to call"),
    "checkin_link": N_("Links to the check-in questions"),
    "checkout": N_("Bookings you made online"),
    "claim": N_("Times kept for your visits"),
    "claim_history": N_("Times kept for earlier visits"),
    "clearance": N_("What a doctor allowed"),
    "clearance_document": N_("Pages of letters"),
    "clearance_letter": N_("Letters from doctors"),
    "client": N_("Who you are"),
    "client_access": N_("Which accounts may book for you"),
    "client_note": N_("Notes of the clinic"),
    "consent": N_("Consents"),
    "erasure": N_("When you asked to be erased"),
    "half_sign_in": N_("Sign-ins that were begun"),
    "health_stop": N_("Warning signs you told us of"),
    "intake": N_("Health answers"),
    "intake_draft": N_("Health answers that are not signed yet"),
    "known_browser": N_("Browsers you used"),
    "mailed_link": N_("Links to set a password"),
    "message_choice": N_("Which messages you want"),
    "never_together": N_("Therapists who do not treat you"),
    "not_same_person": N_("Records that were compared with yours"),
    "offer": N_("Times we offered you"),
    "outgoing_mail": N_("E-mails to you"),
    "passkey": N_("Your passkeys"),
    "recovery_code": N_("Your recovery codes"),
    "rest_pass": N_("Rest between visits"),
    "screening": N_("Checks whether a visit is safe for you"),
    "session_note": N_("What your therapist noted"),
    "softened_review": N_("Answers that a therapist looked at"),
    "status_change": N_("What became of your visits"),
    "tablet_pass": N_("Health questions on the tablet"),
    "take_back": N_("Steps that could be taken back"),
    "therapist_restriction": N_("More care that a therapist asked for"),
    "timed_message": N_("Messages that were planned"),
    "user": N_("Your account"),
    "user_grant": N_("What your account may do"),
    "user_role": N_("What your account is"),
    "user_session": N_("Where you signed in"),
    "visit": N_("Visits"),
    "waitlist_wish": N_("The waitlist"),
}


def table_words(name: str) -> str:
    """The heading over the rows of one table."""
    return TABLES.get(name, column_words(name))


def column_words(name: str) -> str:
    """`born_on` as `Born on`."""
    return name.replace("_", " ").removesuffix(" id").capitalize()
