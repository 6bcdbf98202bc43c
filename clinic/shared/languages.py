"""The languages that people can choose, and how a text finds its translation (docs/adr/0018)."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache, partial
from gettext import NullTranslations
from pathlib import Path
from typing import Any, cast

import structlog
from babel import Locale
from babel.support import Translations
from flask_babel import Babel, force_locale, get_locale, get_translations
from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import escape

from clinic.rules import language

log = structlog.get_logger()

FOLDER = Path(__file__).parents[1] / "translations"
# Each as it calls itself. What comes from the tables of health rules is reviewed apart from the other texts.
LANGUAGES = {language.ENGLISH: "English", "de": "Deutsch"}
DOMAINS = ("clinic", "health")
NOTHING = NullTranslations()


def set_up(app: Any, choose: Callable[[], str], month_first: Callable[[], bool]) -> None:
    """Give the application its languages; `choose` says which one the person of this request reads, `month_first` how
    the clinic writes dates in English."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = ";".join([str(FOLDER)] * len(DOMAINS))
    app.config["BABEL_DOMAIN"] = ";".join(DOMAINS)
    Babel(app, locale_selector=choose, configure_jinja=False)
    listen(month_first)
    teach(app.jinja_env)
    for missing in not_compiled():
        log.error("translation_not_compiled", file=missing, remedy="make setup")


def listen(month_first: Callable[[], bool] = lambda: False) -> None:
    """Rules and services find their translations where pages do."""
    language.use(_translations, _spoken, month_first)


def _translations() -> NullTranslations:
    """Those of the language of the moment: a page asks hundreds of times, and Flask-Babel looks for them each time."""
    chosen = get_locale()
    return NOTHING if chosen is None else _translations_of(chosen)


@cache
def _translations_of(_chosen: Locale) -> NullTranslations:
    found: NullTranslations = get_translations()
    return found


def is_right_to_left() -> bool:
    """Whether the language of the moment is written from right to left."""
    found = get_locale()
    return found is not None and found.text_direction == "rtl"


def _spoken() -> str:
    return str(get_locale() or language.ENGLISH)


RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
APART, END = (
    "\u2068",
    "\u2069",
)  # a text of its own direction begins and ends: <bdi>, and also where no tag can stand


def with_values_apart(look_up: Callable[..., str]) -> Callable[..., str]:
    """The look-up of templates, where a Hebrew or Arabic name does not turn round the commas and figures beside it."""

    @pass_context
    def told(context: Context, *texts: Any, **values: Any) -> str:
        return cast(
            "str", context.call(look_up, *texts, **{name: apart(one) for name, one in values.items()})
        )

    return told


def apart(value: Any) -> Any:
    """A value for a sentence; one that is written from right to left keeps its direction to itself."""
    if isinstance(value, str) and RIGHT_TO_LEFT.search(value):
        return type(value)(APART) + value + END
    return value


def teach(environment: Environment) -> None:
    """Give templates `_("…")`, `{% trans %}` and the filter `translated`, for a text that was marked elsewhere."""
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined] # the extension adds it
        language.gettext, language.form_for, newstyle=True
    )
    for name in ("gettext", "ngettext"):
        look_up = cast("Callable[..., str]", environment.globals[name])
        environment.globals[name] = with_values_apart(look_up)
    environment.filters["translated"] = language.gettext
    # For what stands outside a macro: an imported template is worked out once, for all languages.
    environment.globals["lazy"] = lazy


def not_compiled() -> list[str]:
    """Translations that cannot be read because nobody compiled them: their pages would be English."""
    wanted = (f"{one}/LC_MESSAGES/{domain}.mo" for one in LANGUAGES if one != "en" for domain in DOMAINS)
    return [name for name in wanted if not (FOLDER / name).exists()]


def awaits_review() -> bool:
    """Whether no clinician has gone through the health texts in the language of the moment, as they are worded now."""
    chosen = language.spoken()
    return chosen != language.ENGLISH and _reviews().get(chosen, {}).get("wording") != health_wording(chosen)


@cache
def _reviews() -> dict[str, dict[str, str]]:
    return tomllib.loads((FOLDER / "review.toml").read_text(encoding="utf-8"))


@cache
def health_texts(chosen: str) -> tuple[tuple[str, str], ...]:
    """Every text of the tables of health rules with its translation, in the order of the English."""
    found = Translations.load(FOLDER, [chosen], "health")
    known: dict[str, str] = getattr(found, "_catalog", {})
    return tuple(sorted((english, said) for english, said in known.items() if english))


def health_wording(chosen: str) -> str:
    """Names exactly these translations: it changes with any word of them."""
    return hashlib.sha256(repr(health_texts(chosen)).encode()).hexdigest()[:12]


class lazy(str):  # noqa: N801 (it is used as a function is)
    """A text that is looked up each time it is shown: for what is written once, such as the label of a field.

    To whoever compares it, it is the English text; libraries that ask for a string get one.
    """

    __slots__ = ("_look_up",)
    _look_up: Callable[[], str]

    def __new__(cls, text: str, /, **values: object) -> lazy:
        self = super().__new__(cls, text % values if values else text)
        self._look_up = partial(language.gettext, text, **values)
        return self

    @classmethod
    def made_by(cls, make: Callable[..., str], *values: object) -> lazy:
        """A text that is made anew each time, such as the name of a weekday."""
        self = cls(make(*values))
        self._look_up = partial(make, *values)
        return self

    def __str__(self) -> str:
        return self._look_up()

    def __html__(self) -> str:
        return str(escape(str(self)))

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __mod__(self, values: Any) -> str:
        said: str = str(self) % values
        return said

    def lower(self) -> str:
        return str(self).lower()


def speaking(chosen: str) -> AbstractContextManager[None]:
    """Inside it all texts are in that language: of who will read them, not of who is at the screen."""
    spoken: AbstractContextManager[None] = force_locale(chosen if chosen in LANGUAGES else language.ENGLISH)
    return spoken
