"""The desk's forms: what is wanted and when, and who it is for."""

from __future__ import annotations

import datetime as dt

from wtforms import (
    Form,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from clinic.booking.forms.aim import LONGEST
from clinic.booking.forms.choice import ID_DIGITS, number_of
from clinic.rules.body_areas import AREAS
from clinic.rules.contact import check_email, name_key
from clinic.rules.kinds import GENDERS
from clinic.rules.language import _
from clinic.rules.series import MOST_VISITS, MOST_WEEKS_APART
from clinic.shared.fields import (
    ClockField,
    DayField,
    PhoneForm,
    WholeNumberField,
    lines_field,
    said_at_field,
    stripped,
    text_field,
)
from clinic.shared.languages import lazy

AREA_GROUPS = (
    (lazy("Whole body"), ("full_body",)),
    (lazy("Head and neck"), ("head_neck", "head", "face", "neck")),
    (lazy("Back and shoulders"), ("back", "shoulders", "upper_back", "mid_back", "lower_back", "buttocks")),
    (lazy("Front"), ("trunk_front", "chest", "abdomen", "groin")),
    (
        lazy("Arms"),
        tuple(area for area in AREAS if area.endswith(("arm", "elbow", "wrist", "hand", "_shoulder"))),
    ),
    (
        lazy("Legs"),
        tuple(
            area
            for area in AREAS
            if area.endswith(("leg", "legs", "hip", "thigh", "knee", "ankle", "foot", "feet"))
        ),
    ),
)
EVERY = [
    ("1", lazy("Every week")),
    *((str(n), lazy("Every %(n)s weeks", n=n)) for n in range(2, MOST_WEEKS_APART + 1)),
]
NEW = "new"
"""The choice "somebody new" among the people found."""


def what_value(service: str, mode: str | None, minutes: int) -> str:
    """A service, its mode and its length as one choice."""
    return f"{service}|{mode or ''}|{minutes}"


class ManyCheckboxField(SelectMultipleField):
    """Several of a list, as tick boxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class RestForm(Form):
    """What staff say where a visit comes sooner than advised, and the mark of the warning that they read."""

    rest_seen = HiddenField()
    rest_reason = lines_field(
        lazy("Why sooner?"), longest=500, rows=2,
        help_text=lazy("The therapist who treats reads this; the client does not."),
    )  # fmt: skip


class WhatForm(RestForm):
    """What, with whom, when. The view gives the choices."""

    what = SelectField(lazy("Service and length"), validate_choice=False)
    addons = ManyCheckboxField(lazy("With it"), validate_choice=False)
    areas = ManyCheckboxField(lazy("Where on the body"), validate_choice=False)
    therapist = SelectField(lazy("Therapist"), validate_choice=False)
    day = DayField(lazy("Day"), validators=[Optional()])
    at = ClockField(lazy("Time"), validators=[Optional()])

    @property
    def parts(self) -> tuple[str, str | None, int] | None:
        """Service key, mode and minutes; None when nothing, or nothing that can be read, was chosen."""
        pieces = (self.what.data or "").split("|")
        if len(pieces) != 3 or not pieces[2].isascii() or not pieces[2].isdecimal() or len(pieces[2]) > 4:
            return None
        return pieces[0], pieces[1] or None, int(pieces[2])

    @property
    def therapist_id(self) -> int | None:
        """The therapist asked for; None is any."""
        return number_of(self.therapist.data, digits=ID_DIGITS)

    @property
    def gender(self) -> str:
        """Any therapist, but of this gender; empty where it does not matter."""
        return self.therapist.data if self.therapist.data in GENDERS else ""


class MoveForm(WhatForm):
    """Where a visit is moved to."""

    room = SelectField(lazy("Room"), validate_choice=False)

    @property
    def room_id(self) -> int | None:
        """The room asked for; None is any that fits."""
        return number_of(self.room.data, digits=ID_DIGITS)


class PlaceForm(Form):
    """At which place of the clinic."""

    place = SelectField(lazy("Place"), validate_choice=False)

    @property
    def place_id(self) -> int | None:
        """The place; None is the first."""
        return number_of(self.place.data, digits=9)


class NewVisitForm(PhoneForm, PlaceForm, WhatForm):
    """A new visit: who, besides what and when. The fields of somebody new are read only when `client` says so."""

    q = StringField(lazy("Find the client"), filters=[stripped], validators=[Length(max=80)])
    client = RadioField(lazy("Client"), validate_choice=False)
    first_name = text_field(lazy("First name"), longest=80, dir="auto")
    last_name = text_field(lazy("Last name"), longest=80, dir="auto")
    born_on = DayField(lazy("Birth date"), validators=[Optional()])
    phone = text_field(lazy("Phone"), longest=40)
    email = text_field("E-mail", longest=254)
    aim = lines_field(
        lazy("What they would like from this visit"), longest=LONGEST, rows=2,
        help_text=lazy("In their words. The therapist reads it; it is not shown here again, and nothing checks it."),
    )  # fmt: skip
    nobody_known = HiddenField()
    walk_in = HiddenField()
    request_key = HiddenField()

    @property
    def client_id(self) -> int | None:
        """The known client who was chosen."""
        return number_of(self.client.data, digits=ID_DIGITS)

    @property
    def is_new(self) -> bool:
        """Whether the visit is for somebody new."""
        return bool(self.client.data == NEW or (not self.client.data and self.first_name.data))

    def names_somebody(self) -> bool:
        """Whether all that is needed of somebody new was typed, and can be; what is wrong is said at its field."""
        right = True
        if not name_key(self.first_name.data or "", self.last_name.data or ""):
            self.first_name.errors = [_("Enter the first and last name.")]
            right = False
        if not self.born_on.data:
            self.born_on.errors = self.born_on.errors or [
                _("Enter the birth date: the answers are judged by age.")
            ]
            right = False
        return right

    def validate_phone(self, typed: StringField) -> None:
        """Read only of somebody new, as all of their fields."""
        if self.is_new:
            super().validate_phone(typed)

    def validate_email(self, typed: StringField) -> None:
        """The same, and something that mail can be sent to."""
        if self.is_new:
            said_at_field(check_email, typed.data or "")


class SeriesForm(PlaceForm, WhatForm):
    """A series: how often, and how many or until when, besides what, with whom and the first time."""

    day = DayField(lazy("First day"), validators=[Optional()])
    every = SelectField(lazy("How often"), validate_choice=False)
    count = WholeNumberField(
        lazy("How many visits"), validators=[Optional()],
        description=lazy("2 to %(most_visits)s, the first one included.", most_visits=MOST_VISITS),
        render_kw={"inputmode": "numeric"},
    )  # fmt: skip
    until = DayField(lazy("Or until"), validators=[Optional()])
    request_key = HiddenField()

    @property
    def every_weeks(self) -> int:
        """Weeks from one visit to the next; 0 for what is none of the choices."""
        return number_of(self.every.data, digits=2) or 0


class CoupleForm(PlaceForm, RestForm):
    """Two people at once: who comes along, and when. What each of them wants stands in a form of its own. `searched` is
    what whoever the page lists was found by."""

    q = StringField(lazy("Find the other client"), filters=[stripped], validators=[Length(max=80)])
    searched = HiddenField()
    other = RadioField(lazy("The other client"), validate_choice=False)
    day = DayField(lazy("Day"), validators=[Optional()])
    request_key = HiddenField()

    def searches_anew(self) -> bool:
        """Whether somebody else is searched for than was found before: nobody of those is chosen any more."""
        return self.searched.data is not None and self.searched.data != (self.q.data or "")

    @property
    def other_id(self) -> int | None:
        """The other client who was chosen."""
        return number_of(self.other.data, digits=ID_DIGITS)


class ClosureForm(PlaceForm):
    """When what is shut, and why."""

    what = SelectField(lazy("What is closed"), validate_choice=False)
    first_day = DayField(lazy("First day"), validators=[Optional()])
    starts = ClockField(lazy("From"), validators=[Optional()])
    last_day = DayField(lazy("Last day"), validators=[Optional()])
    ends = ClockField(lazy("To"), validators=[Optional()])
    reason = text_field(
        lazy("Why"), longest=200, required=lazy("Say why in a few words, for example “Public holiday”.")
    )


def read_moment(text: str) -> dt.datetime | None:
    """A start as it stands on a button, an aware moment; None for anything else."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None or not 2000 < moment.year < 2100:
        return None
    return moment.astimezone(dt.UTC)
