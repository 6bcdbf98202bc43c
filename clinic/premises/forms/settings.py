"""The settings of the whole clinic, as an owner types them."""

from __future__ import annotations

from wtforms import BooleanField, EmailField, SelectField, StringField
from wtforms.validators import DataRequired, Email, InputRequired, Length, Optional, Regexp, ValidationError

from clinic.rules.gaps import Gaps
from clinic.rules.language import _
from clinic.rules.wall_time import STEPS_MINUTES
from clinic.rules.words import SIGNS, WITHOUT_CENTS, length_words
from clinic.shared.fields import (
    ClockField,
    FactsForm,
    number_field,
    one_line,
    optional_number_field,
    stripped,
    text_field,
)
from clinic.shared.languages import LANGUAGES, lazy

CURRENCIES = tuple(dict.fromkeys([*SIGNS, *sorted(WITHOUT_CENTS), "SEK", "NOK", "DKK", "PLN", "MXN", "INR"]))


class SettingsForm(FactsForm):
    """The settings of the whole clinic, each with its effect in plain words."""

    name = text_field(lazy("Name of the clinic"), longest=80, required=lazy("Enter the clinic's name."))
    mail_sender = EmailField(
        lazy("E-mail address that mails come from"),
        filters=[stripped],
        validators=[
            DataRequired(lazy("Enter an e-mail address.")),
            Length(max=200),
            Email(
                lazy("This does not look like an e-mail address. It needs a name, an @ and a place."),
                allow_smtputf8=False,
            ),
        ],
        description=lazy("Clients see it as the sender, and their replies go there."),
    )
    currency = SelectField(
        lazy("Currency"),
        choices={code: code for code in CURRENCIES},
        description=lazy(
            "Shown beside prices. Changing it does not convert the prices you have entered. Where the new one has no"
            " cents, 60.00 becomes 6,000, and the other way round: look through your prices then."
        ),
    )
    phone_region = text_field(
        lazy("Country of phone numbers"),
        longest=2,
        required=lazy("Enter the two letters of a country, such as US."),
        help_text=lazy(
            "Two letters, such as US or GB. Assumed for numbers that are typed without a country."
        ),
        autocapitalize="characters",
    )
    uses_24_hours = BooleanField(lazy("Show times as 14:15 instead of 2:15 pm"))
    month_first = BooleanField(lazy("Write dates in English as June 3 instead of 3 June"))
    language = SelectField(
        lazy("Language of the clinic"),
        choices=LANGUAGES,
        description=lazy("For everybody who has not chosen one, and for mails to them."),
    )
    offers_languages = BooleanField(
        lazy("Let people choose another language"),
        description=lazy(
            "They find the choice at the foot of every page. The health questions in other languages say"
            " themselves whether a clinician has looked at the translation."
        ),
    )
    emergency_number = StringField(
        lazy("Emergency number"),
        filters=[stripped],
        validators=[
            DataRequired(lazy("Enter the number people call in an emergency.")),
            Regexp(r"[0-9]{2,6}\Z", message=lazy("Enter 2 to 6 digits, such as 911.")),
        ],
        description=lazy("Shown on every page, and first of all where somebody needs help at once."),
    )
    health_line_name = text_field(
        lazy("Name of the health advice line"),
        longest=80,
        help_text=lazy(
            "For people who need advice the same day. Leave both empty if there is none where you are."
        ),
    )
    health_line_number = StringField(
        lazy("Number of the health advice line"),
        filters=[one_line],
        validators=[
            Optional(),
            Regexp(r"[+(]?[0-9][0-9 ()/.-]{1,38}\Z", message=lazy("Enter a phone number, such as 555-0111.")),
        ],
    )
    slot_step_minutes = SelectField(
        lazy("Times start every"),
        coerce=int,
        choices={str(step): lazy.made_by(length_words, step) for step in STEPS_MINUTES},
        description=lazy("Smaller steps offer more times; larger ones leave fewer gaps."),
    )
    lead_time_minutes = number_field(
        lazy("Minutes before a visit that online booking closes"),
        least=0,
        most=20160,
        help_text=lazy(
            "120 means: at noon, the first time offered online is 2 pm. The desk can book later than that."
        ),
    )
    horizon_days = number_field(
        lazy("Days ahead that can be booked online"),
        least=1,
        most=730,
        help_text=lazy("60 means about two months."),
    )
    new_lead_time_minutes = optional_number_field(
        lazy("Minutes before a visit for somebody who has not been here yet"),
        least=0,
        most=20160,
        help_text=lazy("Leave this empty when it is the same for everybody."),
    )
    new_horizon_days = optional_number_field(
        lazy("Days ahead for somebody who has not been here yet"),
        least=1,
        most=730,
        help_text=lazy("Leave this empty when it is the same for everybody."),
    )
    gaps = SelectField(
        lazy("Gaps in a therapist's day that are too short for any visit"),
        choices={
            Gaps.ANY.value: lazy("Offer every free time"),
            Gaps.FIRST.value: lazy("Name first the times that leave none"),
            Gaps.ONLY.value: lazy("Offer online only the times that leave none"),
        },
        description=lazy("The desk can always book every free time."),
    )
    cancel_notice_hours = number_field(
        lazy("Hours before a visit up to which clients can cancel or move it online"),
        least=0,
        most=336,
        help_text=lazy("After that they are asked to call."),
    )
    hold_minutes = number_field(
        lazy("Minutes a chosen time is kept while somebody books"),
        least=2,
        most=60,
        help_text=lazy("It is kept longer while they go on typing."),
    )
    hold_max_minutes = number_field(lazy("Minutes it is kept at most"), least=2, most=120)
    pending_days = number_field(
        lazy("Days an unconfirmed visit keeps its time"),
        least=1,
        most=60,
        help_text=lazy("For visits that wait for a doctor's note, a consent or the health questions."),
    )
    pending_hours_before = number_field(
        lazy("Hours before the start at which it is given back"),
        least=1,
        most=336,
        help_text=lazy("Whichever comes first."),
    )
    pending_short_hours_before = number_field(
        lazy("The same for visits booked on short notice, in hours"), least=0, most=72
    )
    offer_minutes = number_field(
        lazy("Minutes a free time is offered to one person on the waitlist"),
        least=10,
        most=2880,
        help_text=lazy("After that it goes to the next. It is offered for less where the visit is near."),
    )
    quiet_from = ClockField(
        lazy("No offers to the waitlist from"),
        validators=[InputRequired(lazy("Enter a time, such as 21:00."))],
        description=lazy(
            "By the clock of each place. What becomes free then is offered when the quiet time is over."
        ),
    )
    quiet_until = ClockField(
        lazy("Until"),
        validators=[InputRequired(lazy("Enter a time, such as 08:00."))],
        description=lazy("The same time twice: offers are made at any hour."),
    )
    turnover_may_overrun = BooleanField(
        lazy("Cleaning up after a visit may run past working hours or into a break"),
        description=lazy("Never into another visit, time off or a closure."),
    )
    adult_age = number_field(
        lazy("Age from which people decide for themselves"),
        least=14,
        most=25,
        help_text=lazy("Below it a parent or guardian has to agree."),
    )
    guardian_in_room_age = number_field(
        lazy("At this age and below a guardian stays in the room"), least=0, most=25
    )
    intake_valid_days = number_field(
        lazy("Days the health questions stay valid"),
        least=1,
        most=730,
        help_text=lazy("After that they are asked again."),
    )
    minor_intake_valid_days = number_field(lazy("The same for people below the adult age"), least=1, most=730)
    draft_days = number_field(
        lazy("Days that answers which nobody has signed are kept"),
        least=1,
        most=365,
        help_text=lazy(
            "Whoever stops half-way can go on until then. They never count, and are erased after that."
        ),
    )
    tablet_idle_minutes = number_field(
        lazy("Minutes after which a tablet in a client's hands locks itself"),
        least=1,
        most=30,
        help_text=lazy("When nobody touches it. What was answered is kept."),
    )
    treated_days_back = number_field(
        lazy("Days after a visit that the therapist can still read the answers"),
        least=0,
        most=365,
        help_text=lazy("Only therapists who treat somebody read that person's answers."),
    )
    treated_days_ahead = number_field(
        lazy("Days before a visit that the therapist can read the answers"), least=0, most=365
    )
    check_in_needed = BooleanField(
        lazy("Ask the short check-in questions before every visit"),
        description=lazy(
            "Nobody is marked as arrived before they are answered, at most 24 hours before the start."
        ),
    )
    travel_minutes = number_field(
        lazy("Minutes a therapist needs from one place to another"),
        least=0,
        most=480,
        help_text=lazy("Kept free between two visits at different places."),
    )
    minds_rest = BooleanField(
        lazy("Mind the rest between visits"),
        description=lazy(
            "Times that come too soon after another visit are not offered online. At the desk such a visit"
            " is booked with a written reason."
        ),
    )

    def validate_phone_region(self, typed: StringField) -> None:
        """Two letters; `phonenumbers` knows which are countries."""
        from phonenumbers import SUPPORTED_REGIONS

        typed.data = (typed.data or "").upper()
        if typed.data not in SUPPORTED_REGIONS:
            raise ValidationError(_("Enter the two letters of a country, such as US."))
