"""A service, as an owner types it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wtforms import BooleanField, SelectField, SelectMultipleField
from wtforms.validators import ValidationError

from clinic.catalogue.facts import Length, ServiceFacts
from clinic.catalogue.forms.addon import PRICE_HELP, KitForm
from clinic.rules.kinds import ROOM_KINDS, key_of, licence_given
from clinic.rules.language import _
from clinic.rules.money import parse_money, typed_money
from clinic.shared.fields import lines_field, number_field, text_field
from clinic.shared.languages import lazy

LINES = lazy("One paragraph a line.")
MOST_LENGTHS = 20
PLAIN_FIELDS = (
    "name", "summary", "good_for", "what_happens", "what_to_expect", "aftercare", "techniques", "pressure",
    "how_often", "usual_way", "licence_kind", "turnover_minutes", "first_visit_minutes", "position",
)  # fmt: skip


class ServiceForm(KitForm):
    """Everything of a service but its lengths (LengthRows). `judged_as` is asked for a new one only."""

    name = text_field(lazy("Name"), longest=60, required=lazy("Enter a name."))
    summary = lines_field(
        lazy("What it is, in a sentence or two"),
        longest=400,
        rows=3,
        required=lazy("Say what it is, in a sentence or two."),
    )
    judged_as = SelectMultipleField(
        lazy("What is it like for the body?"),
        validate_choice=False,
        description=(
            lazy(
                "Choose every service it is like. The health rules of all of them then apply, and the strictest holds."
                " It cannot be changed later: visits are judged by it."
            )
        ),
    )
    good_for = lines_field(
        lazy("Good for"),
        longest=1000,
        help_text=lazy("One item a line. Say what it may ease; promise nothing."),
    )
    what_happens = lines_field(lazy("What happens"), longest=4000, rows=6, help_text=LINES)
    what_to_expect = lines_field(lazy("What to expect afterwards"), longest=4000, rows=5, help_text=LINES)
    aftercare = lines_field(lazy("Aftercare"), longest=2000, help_text=lazy("One piece of advice a line."))
    techniques = lines_field(
        lazy("Techniques"),
        longest=2000,
        help_text=lazy("One a line, such as: Effleurage: long gliding strokes"),
    )
    pressure = text_field(lazy("Pressure, in a few words"), longest=80)
    how_often = text_field(lazy("How often, in a few words"), longest=160)
    usual_way = text_field(
        lazy("Name of the ordinary way"),
        longest=60,
        help_text=lazy(
            "Only where there is another way as well, such as Moving cups beside the interval chamber."
        ),
    )
    other_names = lines_field(
        lazy("Other names people search for"), longest=1000, help_text=lazy("One a line, such as: cupping")
    )
    licence_kind = SelectField(lazy("Licence the therapist needs"))
    other_licence = text_field(
        lazy("Another kind of licence"),
        longest=60,
        help_text=lazy(
            "Only if it is not in the list. Then name it the same way at the therapists who have it."
        ),
    )
    room_kind = SelectField(lazy("Room it needs"))
    other_room = text_field(
        lazy("Another kind of room"),
        longest=40,
        help_text=lazy("Only if it is not in the list. Then add a room of that kind."),
    )
    turnover_minutes = number_field(
        lazy("Minutes for cleaning up afterwards"),
        least=0,
        most=120,
        help_text=lazy("Clients do not see them."),
    )
    first_visit_minutes = number_field(
        lazy("Extra minutes at somebody's first visit"),
        least=0,
        most=120,
        help_text=lazy("For getting to know each other."),
    )
    asks_area = BooleanField(
        lazy("Ask which area of the body"),
        description=lazy("For services that work on one area. The rest are judged as whole body."),
    )
    is_intense = BooleanField(
        lazy("Hard on the therapist's hands"),
        description=lazy("Counts towards the most minutes of such treatment that a therapist gives a day."),
    )
    known_clients_only = BooleanField(
        lazy("Online only for people who have been here before"),
        description=lazy("Others are not offered times for it. The desk can book it for everybody."),
    )
    addons = SelectMultipleField(lazy("Add-ons that can be booked with it"))
    position = number_field(
        lazy("Place in the list"), least=0, most=999, help_text=lazy("Lower numbers come first.")
    )
    is_active = BooleanField(
        lazy("On offer"),
        default=True,
        description=lazy(
            "Switched off, it can no longer be booked. Visits already booked stay, and stand in To do until they are "
            "moved."
        ),
    )

    is_new = False

    @property
    def _licence(self) -> str:
        listed = self.licence_kind
        return licence_given(self.other_licence.data or "", listed.data, listed.choices or ())

    def validate_judged_as(self, typed: SelectMultipleField) -> None:
        if self.is_new and not typed.data:
            raise ValidationError(_("Choose at least one service that this is like."))

    def validate_other_room(self, typed: SelectField) -> None:
        if typed.data and not key_of(typed.data):
            raise ValidationError(_("Use letters from a to z."))

    def service_facts(self, lengths: Sequence[Length]) -> ServiceFacts:
        """The values of a valid form."""
        names = [line.strip() for line in (self.other_names.data or "").split("\n")]
        return ServiceFacts(
            **self._plain_values() | {"licence_kind": self._licence},
            other_names=tuple(name for name in names if name),
            skills=self.all_skills,
            room_kind=key_of(self.other_room.data or "") or self.room_kind.data or next(iter(ROOM_KINDS)),
            device_kinds=self.all_devices,
            asks_area=self.asks_area.data,
            is_intense=self.is_intense.data,
            known_clients_only=self.known_clients_only.data,
            is_active=self.is_active.data,
            addons=tuple(self.addons.data or ()),
            lengths=tuple(lengths),
        )

    def _plain_values(self) -> dict[str, Any]:
        """The fields whose typed value is the fact."""
        return {name: self.data[name] for name in PLAIN_FIELDS}


@dataclass
class LengthRow:
    """One typed length: minutes and price as they were typed, mode empty for the ordinary way."""

    mode: str
    minutes: str = ""
    price: str = ""
    error: str = ""

    @property
    def is_blank(self) -> bool:
        return not (self.minutes.strip() or self.price.strip())


@dataclass
class LengthRows:
    """The lengths and prices of a service, read from `length.<row>.minutes`, `.price` and `.mode`."""

    currency: str
    rows: list[LengthRow] = field(default_factory=list)

    def fill(self, lengths: Sequence[Length]) -> None:
        """Show saved lengths."""
        self.rows = [
            LengthRow(one.mode or "", str(one.minutes), typed_money(one.price, self.currency))
            for one in lengths
        ]

    def read(self, typed: Mapping[str, str]) -> None:
        """Take what was typed, blank rows too."""
        for number in range(MOST_LENGTHS):
            name = f"length.{number}"
            if f"{name}.minutes" in typed:
                minutes, price = typed[f"{name}.minutes"][:20], typed.get(f"{name}.price", "")[:20]
                self.rows.append(LengthRow(typed.get(f"{name}.mode", "")[:60], minutes, price))

    def act(self, button: str) -> bool:
        """The button that adds a row and saves nothing: `add.length`."""
        if button == "add.length" and len(self.rows) < MOST_LENGTHS:
            self.rows.append(LengthRow(self.rows[-1].mode if self.rows else ""))
        return button == "add.length"

    def validate(self) -> bool:
        """Whether every row can be read; each that cannot says why."""
        for row in self.rows:
            row.error = self._error(row)
        return not self.mistakes

    def _error(self, row: LengthRow) -> str:
        if row.is_blank:
            return ""
        minutes = row.minutes.strip()
        if not (minutes.isascii() and minutes.isdigit() and 5 <= int(minutes) <= 480):
            return _("Enter the length in minutes, from 5 to 480.")
        return "" if parse_money(row.price, self.currency) is not None else PRICE_HELP

    @property
    def mistakes(self) -> list[tuple[str, str]]:
        """(id of the input, sentence) for the box above the form."""
        return [
            (f"length.{at}.{'price' if row.error == PRICE_HELP else 'minutes'}", row.error)
            for at, row in enumerate(self.rows)
            if row.error
        ]

    def lengths(self) -> list[Length]:
        """The lengths of valid rows, by way and minutes."""
        typed = [row for row in self.rows if not row.is_blank]
        found = [
            Length(row.mode or None, int(row.minutes), parse_money(row.price, self.currency) or 0)
            for row in typed
        ]
        return sorted(found, key=lambda one: (one.mode or "", one.minutes, one.price))
