"""The short check-in of the day: what may have changed since the last answers, and what each change asks.

It asks at most: warning signs, fever, a catching illness, new skin trouble, injury, new medicine, pregnancy,
alcohol. What is bigger than that needs the whole health form anew. A check-in only ever adds: what was declared
before stays, whatever is said now, but for what passes by itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from clinic.rules.answer_history import PASSING, Answers, plain
from clinic.rules.language import N_, _
from clinic.rules.question_pages import Page, pages
from clinic.rules.rule_table import TABLE

OPENS: Final = dt.timedelta(hours=24)
"""How long before the start a check-in counts: it is about the day of the visit."""


BEGUN: Final = "checkin"
"""Who is kept as the writer of a check-in that was sent with a detail missing: it is finished, or taken back, before
"nothing has changed". Such a draft holds what that check-in said, and no other answer."""


SLOW_SIGNS: Final = ("rf_unexplained_weight_loss", "rf_constant_night_pain")
"""Warning signs that the table asks about in the whole form alone. The check-in is to ask about every one."""


@dataclass(frozen=True)
class Topic:
    """One thing that may have changed. `asks` are the conditions whose questions it opens; with `renewal` only a
    whole new form will do."""

    key: str
    title: str
    detail: str
    asks: tuple[str, ...] = ()
    renewal: bool = False


TOPICS: Final = (
    Topic(
        "1",
        N_("Something feels wrong right now"),
        "",
        (
            *(one.key for page in pages("checkin") if page.key == "urgent_now" for one in page.conditions),
            *SLOW_SIGNS,
        ),
    ),
    Topic(
        "2", N_("A fall, a blow or another injury"), N_("Also one that seemed harmless at first."),
        ("rf_unchecked_trauma", "acute_injury", "fracture"),
    ),
    Topic(
        "3", N_("Fever, or an illness that others can catch"), N_("A cold, the flu, a stomach bug, COVID-19."),
        ("fever", "contagious_illness"),
    ),
    Topic(
        "4", N_("New skin trouble"), N_("A rash, a wound, a burn, sunburn, an infection, a new lump or mole."),
        ("skin_infection", "open_wound_burn", "eczema_psoriasis", "lump_or_mole"),
    ),
    Topic(
        "5", N_("A new medicine, a patch, an injection or another dose"),
        N_("Also what is sold without a prescription."),
        ("blood_thinners", "steroids_long_term", "strong_painkillers", "medicated_patch", "recent_injection"),
    ),
    Topic("6", N_("A pregnancy, or it may be one"), "", ("pregnancy", "rf_pregnancy_warning")),
    Topic("7", N_("Alcohol or drugs today"), "", ("alcohol_drugs_today",)),
    Topic(
        "8", N_("Something bigger"),
        N_("An operation, a stay in hospital, a birth, a new diagnosis, cancer, a blood clot, a broken bone, a stroke,"
        " trouble with the heart, or a bad reaction to a treatment."),
        renewal=True,
    ),
    Topic("9", N_("Something else about your health"), N_("Or you are not sure."), renewal=True),
)  # fmt: skip


def topics(keys: Collection[str]) -> tuple[Topic, ...]:
    """The topics under these keys, in order; unknown keys are left out."""
    return tuple(one for one in TOPICS if one.key in keys)


def page_of(chosen: Collection[Topic]) -> Page:
    """The questions that these topics open, as one page; empty where they open none."""
    asked = dict.fromkeys(key for topic in chosen for key in topic.asks)
    return Page(
        "today", _("About what has changed"), "", urgent=False,
        conditions=tuple(TABLE.conditions[key] for key in asked),
    )  # fmt: skip


def nothing_changed(before: Answers) -> dict[str, dict[str, object]]:
    """What "nothing has changed" says: no to every question of the check-in that was not declared before."""
    asked = (*(one.key for page in pages("checkin") for one in page.conditions), *SLOW_SIGNS)
    return {key: {"present": False} for key in asked if not plain(before.get(key))}


def differs(said: Mapping[str, object], told: Mapping[str, object] | None) -> bool:
    """Whether one condition was declared before, and otherwise."""
    return plain(told) not in ({}, plain(said))


def laid_over(before: Answers, said: Mapping[str, Mapping[str, object]]) -> dict[str, dict[str, object]]:
    """The answers in force with those of the check-in over them. A "no" takes nothing back that was declared
    before, but for what passes by itself."""
    together = {key: dict(answer) for key, answer in before.items()}
    for key, answer in said.items():
        if answer.get("present") or key in PASSING or not plain(before.get(key)):
            together[key] = dict(answer)
    return together
