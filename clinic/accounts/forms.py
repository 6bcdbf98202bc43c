"""What is typed on the account pages: its shape only. The lengths of passwords are judged by the services."""

from __future__ import annotations

from typing import Any

from wtforms import (
    BooleanField,
    EmailField,
    Form,
    HiddenField,
    PasswordField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import DataRequired, Email, InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from clinic.rules.permissions import Role
from clinic.shared.fields import one_line
from clinic.shared.languages import lazy

LONGEST_EMAIL = 254
LONGEST_NAME = 120
LONGEST_PROOF = 1000
LONGEST_CODE = 60
LONGEST_CREDENTIAL = 20_000  # what browsers send is about a tenth of it
ROLE_WORDS = {
    Role.FRONT_DESK: lazy("Front desk"),
    Role.THERAPIST: lazy("Therapist"),
    Role.OWNER: lazy("Owner"),
    Role.CLIENT: lazy("Client"),
}
STAFF_ROLES = (Role.FRONT_DESK, Role.THERAPIST, Role.OWNER)
ROLE_DETAILS = {
    Role.FRONT_DESK: lazy("Runs the day: bookings, clients and health questions"),
    Role.THERAPIST: lazy("Sees their own visits and what to take care of"),
    Role.OWNER: lazy("Sets up the clinic and the team"),
}


def _email_field(required: str) -> EmailField:
    """An e-mail address that mail can be sent to; `required` asks for it."""
    wrong = lazy("This does not look like an e-mail address. It needs an @ and a dot, as in ann@mail.com.")
    too_long = lazy("This is too long for an e-mail address.")
    asked = [
        InputRequired(required),
        Length(max=LONGEST_EMAIL, message=too_long),
        Email(wrong, allow_smtputf8=False),
    ]
    return EmailField("E-mail", asked, [one_line])


class SignInForm(Form):
    """E-mail and password. Any text will do as an e-mail: what is no account simply does not fit."""

    email = EmailField(
        "E-mail",
        [InputRequired(lazy("Please write your e-mail address.")), Length(max=LONGEST_EMAIL)],
        [one_line],
    )
    password = PasswordField(lazy("Password"), [InputRequired(lazy("Please write your password."))])
    next = HiddenField(validators=[Optional()])


class ProofForm(Form):
    """What somebody shows to prove that it is them: one of the three will do. Each page says which it takes."""

    proof_password = PasswordField(lazy("Password"), [Optional(), Length(max=LONGEST_PROOF)])
    proof_code = StringField(lazy("Code"), [Optional(), Length(max=LONGEST_CODE)], [one_line])
    proof_passkey = HiddenField(validators=[Optional(), Length(max=LONGEST_CREDENTIAL)])

    @property
    def is_empty(self) -> bool:
        return not (self.proof_password.data or self.proof_code.data or self.proof_passkey.data)


class PasskeySignInForm(Form):
    """What a passkey signed, and where to go on to."""

    proof_passkey = HiddenField(validators=[InputRequired(), Length(max=LONGEST_CREDENTIAL)])
    next = HiddenField(validators=[Optional()])


class AppForm(Form):
    """The code that an authenticator app shows at its set-up."""

    code = StringField(
        lazy("Code from the app"),
        [InputRequired(lazy("Please write the 6 digits that the app shows.")), Length(max=LONGEST_CODE)],
        [one_line],
    )


class PasskeyNameForm(Form):
    """What its owner calls a passkey."""

    name = StringField(
        lazy("Name of this device or key"),
        [
            DataRequired(lazy("Please give it a name, such as My phone.")),
            Length(max=60, message=lazy("Use at most 60 characters.")),
        ],
        [one_line],
    )


class PasskeyForm(PasskeyNameForm):
    """A passkey that the browser just made, and its name."""

    credential = HiddenField(
        validators=[InputRequired(lazy("The browser made no passkey.")), Length(max=LONGEST_CREDENTIAL)]
    )

    def validate(self, extra_validators: Any = None) -> bool:
        """The browser is not asked before there is a name: then nothing but the name is missing."""
        right = super().validate(extra_validators)
        if self.name.errors:
            self.credential.errors = ()
        return right


class ForgotForm(Form):
    """The e-mail to which a link is to be sent."""

    email = _email_field(lazy("Please write your e-mail address."))


class NewPasswordForm(Form):
    """The password to set by a mailed link."""

    password = PasswordField(lazy("New password"), [InputRequired(lazy("Please write a new password."))])


class ChangePasswordForm(Form):
    """The password now and the one to come."""

    current_password = PasswordField(
        lazy("Password now"), [InputRequired(lazy("Please write the password you have now."))]
    )
    new_password = PasswordField(lazy("New password"), [InputRequired(lazy("Please write a new password."))])


class PinForm(Form):
    """A PIN to come, with the password as proof."""

    pin = PasswordField(lazy("New PIN"), [InputRequired(lazy("Please write a PIN."))])
    current_password = PasswordField(
        lazy("Password"), [InputRequired(lazy("Please write the password you have now."))]
    )


class TakeBackForm(Form):
    """The PIN of whoever handed this device over."""

    pin = PasswordField("PIN", [InputRequired(lazy("Please write your PIN."))])


class ReopenForm(Form):
    """What opens a locked screen again."""

    proof = PasswordField(
        lazy("PIN or password"), [InputRequired(lazy("Please write your PIN or your password."))]
    )
    next = HiddenField(validators=[Optional()])


class PersonForm(Form):
    """Who somebody is."""

    name = StringField(
        lazy("Name"),
        [
            DataRequired(lazy("Please write the person's name.")),
            Length(
                max=LONGEST_NAME,
                message=lazy("Use at most %(longest_name)s characters.", longest_name=LONGEST_NAME),
            ),
        ],
        [one_line],
    )
    email = _email_field(lazy("Please write the person's e-mail address."))


class MemberForm(Form):
    """What somebody of the team does in the clinic."""

    roles = SelectMultipleField(
        lazy("Roles"),
        [InputRequired(lazy("Choose at least one role."))],
        choices={role.value: ROLE_WORDS[role] for role in STAFF_ROLES},
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    clinical_review = BooleanField(
        lazy("May review health answers"),
        description=lazy("Therapists may do this anyway. Tick it for somebody else who is trained for it."),
    )
    may_erase = BooleanField(
        lazy("May erase clients"),
        description=lazy(
            "Owners may do this anyway. Tick it for somebody at the front desk who looks after requests."
        ),
    )


class InviteForm(PersonForm, MemberForm):
    """A new person of the team, and what they do."""
