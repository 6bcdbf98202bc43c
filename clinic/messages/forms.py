"""What an owner types about messages."""

from __future__ import annotations

from wtforms import BooleanField

from clinic.rules.own_text import MOST_BODY, MOST_SUBJECT
from clinic.shared.fields import FactsForm, lines_field, text_field
from clinic.shared.languages import lazy


class SettingsForm(FactsForm):
    reminder_hours = text_field(
        lazy("Reminders, hours before a visit"), longest=40,
        help_text=lazy("With a comma between, such as 48, 3. Leave it empty for no reminders."),
    )  # fmt: skip
    asks_for_answers = BooleanField(
        lazy("Ask for missing answers"),
        description=lazy("A day before a time is given back because the health questions are not answered."),
    )
    sends_aftercare = BooleanField(
        lazy("Write on the day after"),
        description=lazy("A few things that do everybody good after a visit. People can switch it off."),
    )
    sends_digests = BooleanField(
        lazy("Write to the team in the morning"),
        description=lazy(
            "Each therapist gets their day, the desk what is to do. Everybody can switch off their own."
        ),
    )


class TextForm(FactsForm):
    subject = text_field(lazy("Subject"), longest=MOST_SUBJECT, required=lazy("Write a subject."))
    body = lines_field(lazy("Text"), longest=MOST_BODY, rows=16, required=lazy("Write a text."))
