"""What the tables and columns of a person's own copy are called on the page. A name that is not here is spelled out."""

from __future__ import annotations

TABLES = {
    "audit_row": "Who did what with your data",
    "bad_reaction": "Reactions after a visit",
    "calendar_feed": "Your calendar address",
    "call_request": "When you asked us to call",
    "checkin_link": "Links to the check-in questions",
    "checkout": "Bookings you made online",
    "claim": "Times kept for your visits",
    "claim_history": "Times kept for earlier visits",
    "clearance": "What a doctor allowed",
    "clearance_document": "Pages of letters",
    "clearance_letter": "Letters from doctors",
    "client": "Who you are",
    "client_access": "Which accounts may book for you",
    "client_note": "Notes of the clinic",
    "consent": "Consents",
    "health_stop": "Warning signs you told us of",
    "intake": "Health answers",
    "intake_draft": "Health answers that are not signed yet",
    "mailed_link": "Links to set a password",
    "never_together": "Therapists who do not treat you",
    "not_same_person": "Records that were compared with yours",
    "offer": "Times we offered you",
    "outgoing_mail": "E-mails to you",
    "rest_pass": "Rest between visits",
    "screening": "Checks whether a visit is safe for you",
    "session_note": "What your therapist noted",
    "softened_review": "Answers that a therapist looked at",
    "status_change": "What became of your visits",
    "tablet_pass": "Health questions on the tablet",
    "therapist_restriction": "More care that a therapist asked for",
    "user": "Your account",
    "user_grant": "What your account may do",
    "user_role": "What your account is",
    "user_session": "Where you signed in",
    "visit": "Visits",
    "waitlist_wish": "The waitlist",
}


def table_words(name: str) -> str:
    """The heading over the rows of one table."""
    return TABLES.get(name, column_words(name))


def column_words(name: str) -> str:
    """`born_on` as `Born on`."""
    return name.replace("_", " ").removesuffix(" id").capitalize()
