"""Places, rooms and devices, as an owner types them."""

from __future__ import annotations

from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import ValidationError

from clinic.rules.kinds import key_of
from clinic.rules.language import _
from clinic.shared.fields import FactsForm, PhoneForm, lines_field, number_field, text_field
from clinic.shared.languages import lazy


class LocationForm(PhoneForm, FactsForm):
    """A place of the clinic. The view gives `zone` its choices."""

    name = text_field(
        lazy("Name of the place"), longest=80, required=lazy("Enter a name, such as Main Street.")
    )
    address = lines_field(
        lazy("Address"),
        longest=300,
        rows=3,
        required=lazy("Enter the address that clients come to."),
        help_text=lazy("As on an envelope, line by line. It is in every confirmation."),
    )
    phone = text_field(
        lazy("Phone"), longest=40, required=lazy("Enter the phone number that clients call."), type="tel"
    )
    zone = SelectField(
        lazy("Time zone"), description=lazy("Every time at this place is shown and kept in this zone.")
    )
    is_active = BooleanField(
        lazy("In use"), default=True, description=lazy("Switched off, it is no longer offered.")
    )


class KindForm(FactsForm):
    """A room or a device: a kind from the list, or a new one in words."""

    location_id = SelectField(lazy("Place"), coerce=int)
    name = text_field(lazy("Name"), longest=60, required=lazy("Enter the name that staff call it by."))
    kind = SelectField(lazy("Kind"))
    other_kind = text_field(
        lazy("Another kind"),
        longest=40,
        help_text=lazy("Only if it is not in the list. Then name it in the services that need it."),
    )
    is_active = BooleanField(
        lazy("In use"),
        default=True,
        description=lazy(
            "Switched off, it is no longer booked. Visits already booked with it stay, and stand in To do until "
            "they are moved."
        ),
    )

    @property
    def kind_key(self) -> str:
        """The kind as services name it."""
        return key_of(self.other_kind.data or "") or self.kind.data

    def validate_other_kind(self, typed: StringField) -> None:
        """A new kind needs letters or digits that can be its key."""
        if typed.data and not key_of(typed.data):
            raise ValidationError(_("Use letters from a to z for the kind."))


class RoomForm(KindForm):
    tables = number_field(
        lazy("Massage tables"),
        least=1,
        most=10,
        help_text=lazy("Two or more let a couple be treated together."),
    )


class DeviceForm(KindForm):
    pass
