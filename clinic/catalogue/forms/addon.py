"""An add-on, as an owner types it."""

from __future__ import annotations

from wtforms import BooleanField, RadioField, SelectMultipleField, StringField
from wtforms.validators import ValidationError

from clinic.catalogue.facts import AddonFacts
from clinic.rules.kinds import key_of
from clinic.rules.language import _
from clinic.rules.money import parse_money
from clinic.rules.verdicts import ADDONS
from clinic.shared.fields import FactsForm, lines_field, number_field, text_field
from clinic.shared.languages import lazy

PRICE_HELP = lazy("Write a price such as 85 or 72.50.")


class KitForm(FactsForm):
    """What services and add-ons both need: skills, devices, and new kinds of either in words."""

    skills = SelectMultipleField(lazy("Skills the therapist needs"))
    other_skill = text_field(
        lazy("Another skill"),
        longest=40,
        help_text=lazy("Only if it is not in the list. Then tick it for the therapists who have it."),
    )
    device_kinds = SelectMultipleField(lazy("Devices it needs"))
    other_device = text_field(
        lazy("Another kind of device"),
        longest=40,
        help_text=lazy("Only if it is not in the list. Then add a device of that kind."),
    )

    def validate_other_skill(self, typed: StringField) -> None:
        _check_key(typed)

    def validate_other_device(self, typed: StringField) -> None:
        _check_key(typed)

    @property
    def all_skills(self) -> tuple[str, ...]:
        """Those ticked, and the new one."""
        return _with_other(self.skills.data, self.other_skill.data)

    @property
    def all_devices(self) -> tuple[str, ...]:
        """Those ticked, and the new one."""
        return _with_other(self.device_kinds.data, self.other_device.data)


def _check_key(typed: StringField) -> None:
    if typed.data and not key_of(typed.data):
        raise ValidationError(_("Use letters from a to z."))


def _with_other(ticked: list[str] | None, other: str | None) -> tuple[str, ...]:
    keys = [*(ticked or []), key_of(other or "")]
    return tuple(dict.fromkeys(key for key in keys if key))


class AddonForm(KitForm):
    """Everything of an add-on. `judged_as` is asked for a new one only."""

    name = text_field(lazy("Name"), longest=60, required=lazy("Enter a name."))
    summary = lines_field(
        lazy("What it is, in a sentence or two"), longest=400, rows=3, required=lazy("Say what it is.")
    )
    aftercare = lines_field(lazy("Aftercare"), longest=2000, help_text=lazy("One piece of advice a line."))
    price = text_field(lazy("Price"), longest=20, required=PRICE_HELP, inputmode="decimal")
    minutes = number_field(lazy("Minutes it adds to the visit"), least=0, most=120)
    turnover_minutes = number_field(lazy("Minutes it adds to cleaning up"), least=0, most=120)
    position = number_field(
        lazy("Place in the list"), least=0, most=999, help_text=lazy("Lower numbers come first.")
    )
    is_active = BooleanField(
        lazy("On offer"),
        default=True,
        description=lazy("Switched off, it can no longer be chosen. Booked visits keep it."),
    )
    judged_as = RadioField(
        lazy("What is it like for the body?"),
        choices={
            "hot_stone": lazy("Hot stones: it warms the skin or the body"),
            "aromatherapy": lazy("Aromatherapy: something with a scent, or on the skin"),
        },
        validate_choice=False,
        description=lazy(
            "The health rules for that add-on then apply to this one. It cannot be changed later."
        ),
    )

    currency = "USD"  # set by the view
    is_new = False

    def validate_price(self, typed: StringField) -> None:
        if parse_money(typed.data or "", self.currency) is None:
            raise ValidationError(PRICE_HELP)

    def validate_judged_as(self, typed: RadioField) -> None:
        if self.is_new and typed.data not in ADDONS:
            raise ValidationError(_("Choose the one that comes nearest."))

    def addon_facts(self) -> AddonFacts:
        """The values of a valid form."""
        return AddonFacts(
            name=self.name.data or "",
            summary=self.summary.data or "",
            aftercare=self.aftercare.data or "",
            minutes=self.minutes.data or 0,
            turnover_minutes=self.turnover_minutes.data or 0,
            price=parse_money(self.price.data or "", self.currency) or 0,
            skills=self.all_skills,
            device_kinds=self.all_devices,
            position=self.position.data or 0,
            is_active=self.is_active.data,
        )
