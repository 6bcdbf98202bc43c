"""What a text is called in the language of the person who reads it.

English is written in the code and is the key of its translations. The rules know no web server: whoever runs them
says with `use` where translations come from; until then everything is English. A judgement never reads a text.
"""

from __future__ import annotations

from collections.abc import Callable
from gettext import NullTranslations

ENGLISH = "en"


class _Spoken:
    """Where this process finds the translations and the language of the moment."""

    translations: Callable[[], NullTranslations] = NullTranslations
    language: Callable[[], str] = staticmethod(lambda: ENGLISH)
    month_first: Callable[[], bool] = staticmethod(lambda: False)


def use(
    translations: Callable[[], NullTranslations],
    language: Callable[[], str],
    month_first: Callable[[], bool] = lambda: False,
) -> None:
    """From now on texts are looked up in what `translations` returns at that moment. `month_first`: whether dates in
    English have the month before the day at this clinic."""
    _Spoken.translations, _Spoken.language = staticmethod(translations), staticmethod(language)
    _Spoken.month_first = staticmethod(month_first)


def spoken() -> str:
    """The language of the moment, such as `en` or `de`."""
    return _Spoken.language()


def has_month_first() -> bool:
    """Whether a date is said as `June 3` and not as `3 June`: English alone is written both ways."""
    return spoken() == ENGLISH and _Spoken.month_first()


def gettext(text: str, /, **values: object) -> str:
    """The text in the language of the moment, with `%(name)s` replaced where values are given."""
    said = _Spoken.translations().gettext(text) if text else ""  # an empty text is the catalogue's own header
    return said % values if values else said


def form_for(one: str, many: str, num: int) -> str:
    """The form for this number, its places not filled in yet."""
    return _Spoken.translations().ngettext(one, many, num)


def ngettext(one: str, many: str, num: int, /, **values: object) -> str:
    """The form for this number; `%(num)d` is the number itself."""
    return form_for(one, many, num) % {"num": num, **values}


def N_(text: str) -> str:  # noqa: N802 (what every tool for translations calls it)
    """Mark a text for translation where it is written, though it is looked up only where it is shown."""
    return text


_ = gettext
