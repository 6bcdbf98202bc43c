"""Places, rooms and devices, as an owner types them."""

from __future__ import annotations

from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import ValidationError

from clinic.rules.contact import phone_key
from clinic.rules.errors import InvalidInput
from clinic.rules.kinds import key_of
from clinic.shared.fields import FactsForm, lines_field, number_field, text_field


class LocationForm(FactsForm):
    """A place of the clinic. The view gives `zone` its choices."""

    name = text_field("Name of the place", longest=80, required="Enter a name, such as Main Street.")
    address = lines_field(
        "Address",
        longest=300,
        rows=3,
        required="Enter the address that clients come to.",
        help_text="As on an envelope, line by line. It is in every confirmation.",
    )
    phone = text_field("Phone", longest=40, required="Enter the phone number that clients call.", type="tel")
    zone = SelectField("Time zone", description="Every time at this place is shown and kept in this zone.")
    is_active = BooleanField("In use", default=True, description="Switched off, it is no longer offered.")

    region = "US"  # set by the view

    def validate_phone(self, typed: StringField) -> None:
        """A number somebody can call."""
        try:
            phone_key(typed.data, self.region)
        except InvalidInput as error:
            raise ValidationError(error.sentence) from error


class KindForm(FactsForm):
    """A room or a device: a kind from the list, or a new one in words."""

    location_id = SelectField("Place", coerce=int)
    name = text_field("Name", longest=60, required="Enter the name that staff call it by.")
    kind = SelectField("Kind")
    other_kind = text_field(
        "Another kind",
        longest=40,
        help_text="Only if it is not in the list. Then name it in the services that need it.",
    )
    is_active = BooleanField(
        "In use",
        default=True,
        description="Switched off, it is no longer booked. Visits already booked with it stay as they are.",
    )

    @property
    def kind_key(self) -> str:
        """The kind as services name it."""
        return key_of(self.other_kind.data or "") or self.kind.data

    def validate_other_kind(self, typed: StringField) -> None:
        """A new kind needs letters or digits that can be its key."""
        if typed.data and not key_of(typed.data):
            raise ValidationError("Use letters from a to z for the kind.")


class RoomForm(KindForm):
    tables = number_field(
        "Massage tables", least=1, most=10, help_text="Two or more let a couple be treated together."
    )


class DeviceForm(KindForm):
    pass
