"""A therapist's profile, and who they are never booked with, as an owner types them."""

from __future__ import annotations

from collections.abc import Iterable

from wtforms import (
    BooleanField,
    DateField,
    FieldList,
    FormField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import Optional, ValidationError

from clinic.rules.kinds import key_of, licence_given
from clinic.rules.language import N_, _
from clinic.shared.fields import (
    DayField,
    FactsForm,
    date_field,
    lines_field,
    optional_number_field,
    text_field,
)
from clinic.shared.languages import lazy
from clinic.therapists.facts import TherapistFacts

TINT_NAMES = {
    "1": lazy("Clay"),
    "2": lazy("Blue"),
    "3": lazy("Violet"),
    "4": lazy("Olive"),
    "5": lazy("Teal"),
    "6": lazy("Rose"),
}


BIO_HELP = lazy("Two or three sentences that clients read. Promise nothing.")


SAID = {"": N_("Prefer not to say"), "woman": N_("Woman"), "man": N_("Man"), "nonbinary": N_("Non-binary")}


def gender_field() -> SelectField:
    """Said by whoever wishes to: whoever does not is found under any therapist only."""
    return SelectField(
        lazy("Gender"),
        choices={key: lazy(said) for key, said in SAID.items()},
        description=lazy("Clients may ask for a woman or a man. Nothing else is done with it."),
    )


class OwnWordsForm(FactsForm):
    """What a therapist says about themself."""

    bio = lines_field(lazy("About you"), longest=1000, help_text=BIO_HELP)
    gender = gender_field()


class SkillDatesForm(FactsForm):
    """From when until when one skill counts."""

    skill = HiddenField()
    starts_on = DayField(lazy("First day"), validators=[Optional()])
    ends_on = DayField(lazy("Last day"), validators=[Optional()])

    def validate_starts_on(self, typed: DateField) -> None:
        """A year somebody can have meant."""
        check_year(typed)

    def validate_ends_on(self, typed: DateField) -> None:
        """Not before the first day."""
        check_year(typed)
        if typed.data and self.starts_on.data and typed.data < self.starts_on.data:
            raise ValidationError(_("The last day lies before the first day."))


def check_year(typed: DateField) -> None:
    """Raise ValidationError for a year that nobody can have meant."""
    if typed.data is not None and not 1990 <= typed.data.year <= 2100:
        raise ValidationError(_("Check the year."))


class TherapistForm(FactsForm):
    """Everything of a therapist but the hours."""

    name = text_field(lazy("Name"), longest=80, required=lazy("Enter the name as clients read it."))
    bio = lines_field(
        lazy("About them"),
        longest=1000,
        help_text=BIO_HELP,
    )
    gender = gender_field()
    tint = RadioField(lazy("Colour in the diary"), coerce=int, choices=TINT_NAMES)
    licence_kind = SelectField(
        lazy("Kind of licence"),
        description=lazy("They can be booked only for services that ask for this kind."),
    )
    other_licence = text_field(
        lazy("Another kind of licence"),
        longest=60,
        help_text=lazy("As your country names it. Name it the same way at the services that need it."),
    )
    licence_number = text_field(
        lazy("Licence number"), longest=60, required=lazy("Enter the number on the licence.")
    )
    licence_expires_on = date_field(
        lazy("Last day of the licence"),
        required=lazy("Enter the last day on which the licence is good."),
        help_text=lazy("After this day no visits can be booked with them."),
    )
    skills = SelectMultipleField(
        lazy("Skills"), description=lazy("They can be booked only for services whose skills they have.")
    )
    dates = FieldList(FormField(SkillDatesForm))
    other_skill = text_field(
        lazy("Another skill"), longest=40, help_text=lazy("Only if it is not in the list.")
    )
    user_id = SelectField(
        lazy("Signs in as"),
        coerce=lambda value: int(value) if value and str(value).isdigit() else None,
        description=lazy("The account that sees this therapist's diary. Accounts are made on the Team page."),
    )
    most_minutes_a_day = optional_number_field(
        lazy("Most minutes of treatment a day"),
        least=15,
        most=1440,
        help_text=lazy("Cleaning up is not counted. Leave this empty when there is no limit."),
    )
    most_intense_minutes_a_day = optional_number_field(
        lazy("Most minutes a day of treatment that is hard on the hands"),
        least=15,
        most=1440,
        help_text=lazy(
            "Each service says whether it is hard on the hands. Leave this empty when there is no limit."
        ),
    )
    most_visits_a_day = optional_number_field(
        lazy("Most visits a day"),
        least=1,
        most=50,
        help_text=lazy("Leave this empty when there is no limit."),
    )
    pause_minutes = optional_number_field(
        lazy("Pause between two visits"),
        least=5,
        most=240,
        help_text=lazy(
            "Free minutes after cleaning up, before the next visit. Leave this empty when none is needed."
        ),
    )
    is_active = BooleanField(
        lazy("Can be booked"),
        default=True,
        description=lazy(
            "Switched off, no new visits can be booked. Visits already booked stay: move them in the diary."
        ),
    )

    def validate_other_skill(self, typed: StringField) -> None:
        """A new skill needs letters or digits that can be its key."""
        if typed.data and not key_of(typed.data):
            raise ValidationError(_("Use letters from a to z."))

    def validate_licence_expires_on(self, typed: DateField) -> None:
        """A year somebody can have meant."""
        check_year(typed)

    def therapist_facts(self) -> TherapistFacts:
        """The values of a valid form."""
        other = key_of(self.other_skill.data or "")
        special = ("skills", "skill_dates")
        values = {
            name: self.data[name] for name in TherapistFacts.__dataclass_fields__ if name not in special
        }
        listed = self.licence_kind
        values["licence_kind"] = licence_given(
            self.other_licence.data or "", listed.data, listed.choices or ()
        )
        held = set(self.skills.data or ())
        dates = sorted(
            (one["skill"], one["starts_on"], one["ends_on"])
            for one in self.dates.data
            if one["skill"] in held and (one["starts_on"] or one["ends_on"])
        )
        skills = tuple(held | ({other} if other else set()))
        return TherapistFacts(**values, skills=skills, skill_dates=tuple(dates))

    def with_dates_for(self, skills: Iterable[str]) -> None:
        """A row of dates for each of these skills, those typed or kept first of all."""
        there = {row.form.skill.data for row in self.dates}
        for skill in skills:
            if skill not in there:
                self.dates.append_entry({"skill": skill})

    def mistakes(self) -> list[tuple[str, str]]:
        """Those of the dates at their own inputs."""
        of_dates = [one for row in self.dates for one in row.form.mistakes()]
        own = [(target, said) for target, said in super().mistakes() if not target.startswith("dates")]
        return [*own, *of_dates]


class KeepApartForm(FactsForm):
    """A client who is never booked with this therapist, and why."""

    client_id = RadioField(lazy("Client"), coerce=int, validate_choice=False)
    reason = lines_field(
        lazy("Reason"),
        longest=2000,
        rows=3,
        required=lazy("Write the reason. Only the owner reads it."),
        help_text=lazy("Kept encrypted. Only owners can read it; clients and staff see neutral words."),
    )

    def validate_client_id(self, typed: RadioField) -> None:
        """One of those that were found."""
        if typed.data is None:
            raise ValidationError(_("Choose the client."))
