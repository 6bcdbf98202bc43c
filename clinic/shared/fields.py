"""Form fields and checks that every feature's forms share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, ClassVar, TypeVar

from wtforms import (
    DateField,
    Form,
    HiddenField,
    IntegerField,
    RadioField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, ValidationError

from clinic.rules.contact import phone_key
from clinic.rules.errors import ChangedMeanwhile, InvalidInput
from clinic.rules.language import _
from clinic.rules.typed_text import visible
from clinic.rules.words import grouped
from clinic.shared.languages import lazy

Facts = TypeVar("Facts")
YEARS = range(1850, 2200)  # of a birth or a visit; beyond lies a typing mistake
LARGEST_WHOLE = 10**15  # far beyond every range, and still exact as a float


def stripped(text: str | None) -> str:
    """Without spaces around it and without hidden characters; line breaks of a text area as single characters."""
    return visible((text or "").replace("\r\n", "\n")).strip()


def one_line(text: str | None) -> str:
    """The same without line breaks. No browser sends them in a field of one line; in a name they would write whole
    paragraphs into the clinic's mails."""
    return stripped(text).replace("\n", " ")


def text_field(
    label: str, *, longest: int, required: str = "", help_text: str = "", **looks: Any
) -> StringField:
    """One line of text; `required` is the sentence shown when it is empty (none: it may be left out)."""
    return StringField(
        label,
        filters=[one_line],
        validators=_text_checks(longest, required),
        description=help_text,
        render_kw={"maxlength": longest, **looks},
    )


def lines_field(
    label: str, *, longest: int, rows: int = 4, required: str = "", help_text: str = ""
) -> TextAreaField:
    """Several lines of text. Browsers cut what is pasted at a longest length without a word: that is said here instead,
    and what was typed stays."""
    return TextAreaField(
        label,
        filters=[stripped],
        validators=_text_checks(longest, required),
        description=help_text,
        render_kw={"rows": rows, "maxlength": False},
    )


def _text_checks(longest: int, required: str) -> list[Any]:
    too_long = Length(
        max=longest, message=lazy("Write this in at most %(longest)s characters.", longest=grouped(longest))
    )
    return [DataRequired(required), too_long] if required else [too_long]


def number_field(label: str, *, least: int, most: int, help_text: str = "") -> IntegerField:
    """A whole number from `least` to `most`, required."""
    sentence = lazy("Enter a whole number from %(least)s to %(most)s.", least=least, most=most)
    return WholeNumberField(
        label,
        validators=[InputRequired(sentence), NumberRange(least, most, message=sentence)],
        description=help_text,
        render_kw={"inputmode": "numeric", "min": least, "max": most},
    )


def optional_number_field(label: str, *, least: int, most: int, help_text: str = "") -> IntegerField:
    """A whole number from `least` to `most` that may be left out: None."""
    sentence = lazy(
        "Enter a whole number from %(least)s to %(most)s, or leave this empty.", least=least, most=most
    )
    return WholeNumberField(
        label,
        validators=[Optional(), NumberRange(least, most, message=sentence)],
        description=help_text,
        render_kw={"inputmode": "numeric", "min": least, "max": most},
    )


class WholeNumberField(IntegerField):
    """An integer; what is not one is kept as typed, and the range check says what to enter."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the number, or None; of a longer one the range check could make no float."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            self.data = None
        if self.data is not None and abs(self.data) > LARGEST_WHOLE:
            self.data = None


def date_field(label: str, *, required: str, help_text: str = "") -> DateField:
    """A date; `required` is the sentence for an empty or unreadable one, which is kept as typed."""
    return PlainDateField(label, validators=[_IsThere(required)], description=help_text)


class PlainDateField(DateField):
    """A date; what is not one is kept as typed, and the check that follows says what to enter."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the date, or None."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            self.data = None


def _read_or_say(read: Callable[[list[Any]], None], valuelist: list[Any], sentence: str) -> bool:
    """Read what was typed, and return whether anything was; where it cannot be read, say so in this sentence."""
    if not any(stripped(text) for text in valuelist):
        return False
    try:
        read(valuelist)
    except ValueError:
        raise ValueError(sentence) from None
    return True


class ClockField(TimeField):
    """A time of day; what is none gets a sentence that says how to write it."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the time, or None."""
        _read_or_say(super().process_formdata, valuelist, _("Enter a time that exists, written like 14:30."))


class DayField(DateField):
    """A date that may be left out; what is not one gets a sentence that says how to write it."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the date, or None."""
        is_read = _read_or_say(
            super().process_formdata, valuelist, _("Enter a day that exists, written like 2026-03-16.")
        )
        if is_read and self.data is not None and self.data.year not in YEARS:
            self.data = None
            raise ValueError(_("Check the year, and enter the day like 2026-03-16."))


class _IsThere(DataRequired):
    """Like DataRequired, and it also tells the browser."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.field_flags = {"required": True}


class PlainWords:
    """The library's own messages in the words of the house."""

    WORDS: ClassVar = {
        "Not a valid choice.": lazy("Choose one from the list."),
        "Invalid Choice: could not coerce.": lazy("Choose one from the list."),
    }

    def gettext(self, text: str) -> str:
        return str(self.WORDS.get(text, text))

    def ngettext(self, one: str, many: str, count: int) -> str:
        return _("Choose from the list only.") if "valid choice" in one else (one if count == 1 else many)


def said_at_field(rule: Callable[..., object], *typed: object) -> None:
    """Run a rule; what it finds wrong is said at the field that is being checked. Raises ValidationError."""
    try:
        rule(*typed)
    except InvalidInput as error:
        raise ValidationError(error.sentence) from error


class PhoneForm(Form):
    """A form with a field `phone`: a wrong number is said together with whatever else is wrong."""

    region = "US"  # ISO 3166, for a number without a country; set by the view

    def validate_phone(self, typed: StringField) -> None:
        """A number somebody can call, or nothing."""
        said_at_field(phone_key, typed.data, self.region)


class Refusable(Form):
    """A form that shows what a service refuses."""

    def add_error(self, field: str, sentence: str) -> None:
        """Show what a service found wrong at its field, or above the form when it has no such field."""
        if field in self:
            self[field].errors = [*self[field].errors, sentence]
        else:
            self.form_errors.append(sentence)


class Plain(Form):
    """A form whose fields say what is wrong in the clinic's own words."""

    class Meta:
        def get_translations(self, _form: Form) -> PlainWords:
            return PlainWords()


class FactsForm(Plain, Refusable):
    """A form over a frozen dataclass of facts; `seen` is the mark of what the form showed."""

    seen = HiddenField()

    def facts(self, kind: type[Facts]) -> Facts:
        """The typed values as that dataclass."""
        return kind(**{field.name: self.data[field.name] for field in fields(kind)})  # type: ignore[arg-type]

    def mistakes(self) -> list[tuple[str, str]]:
        """(id of the input, sentence) of everything wrong, for a box that also lists what is beside this form."""
        found = [("", sentence) for sentence in self.form_errors]
        for field in self:
            target = f"{field.id}-0" if isinstance(field, RadioField | SelectMultipleField) else field.id
            found += [(target, sentence) for sentence in field.errors]
        return found


def choose(field: Any, choices: Sequence[tuple[Any, str]]) -> None:
    """Give a select, radio or checkbox field its choices."""
    field.choices = {str(value): words for value, words in choices}


def saves(
    form: FactsForm,
    save: Callable[[], object],
    *,
    seen_now: Callable[[], str] | None = None,
    rest_is_right: bool = True,
) -> bool:
    """Whether the form was right and `save` took it; else every error stands at its field.

    `seen_now` gives the mark of the present state: after a clash the owner may save over it knowingly.
    `rest_is_right`: whether what the page asks beside this form can be taken too.
    """
    if not form.validate() or not rest_is_right:
        return False
    try:
        save()
    except InvalidInput as error:
        form.add_error(error.field, error.sentence)
    except ChangedMeanwhile as error:
        form.add_error("", error.sentence)
        if seen_now is not None:
            form.seen.data = seen_now()
    else:
        return True
    return False
