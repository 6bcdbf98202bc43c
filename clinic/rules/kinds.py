"""The kinds a clinic works with, in words: skills, licences, rooms, devices, and families of services.

An owner may use kinds that are not listed here: their key is then read as words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from clinic.rules.language import N_, _

SKILLS = {
    "traction": N_("Decompression by hand (traction)"),
    "cupping": N_("Cups and vacuum"),
    "chamber": N_("Interval chamber"),
    "deep_tissue": N_("Deep tissue"),
    "sports": N_("Sports massage"),
    "hot_stone": N_("Hot stones"),
    "aromatherapy": N_("Aromatherapy"),
    "prenatal": N_("Massage in pregnancy"),
    "oncology": N_("Massage for people with cancer"),
}

SKILLS_FOR = {"pregnancy": "prenatal", "cancer_active": "oncology", "cancer_metastatic": "oncology"}
"""What a therapist has to know, whatever the service, when this is declared (care guide, section 1)."""

LICENCES = {
    "LMT": N_("Licensed massage therapist (LMT)"),
    "RMT": N_("Registered massage therapist (RMT)"),
    "PT": N_("Physical therapist (PT)"),
    "AT": N_("Athletic trainer (AT)"),
}

GENDERS = {"woman": N_("A woman"), "man": N_("A man"), "nonbinary": N_("Someone non-binary")}
"""Of a therapist, as it is asked for. Said by whoever wishes to; empty says nothing."""

ASKED_FOR = {"": N_("Any therapist"), **GENDERS}

WITH_ASKED = {
    "": N_("with any therapist"), "woman": N_("with a woman"), "man": N_("with a man"),
    "nonbinary": N_("with someone non-binary"),
}  # fmt: skip

ROOM_KINDS = {
    "treatment": N_("Treatment room"),
    "chamber": N_("Room with the interval chamber"),
}

DEVICE_KINDS = {
    "vacuum_unit": N_("Vacuum pump with gauge and cups"),
    "magnet_cups": N_("Set of magnet cups"),
    "interval_chamber": N_("Interval chamber"),
    "stone_heater": N_("Stone heater"),
}

FAMILIES = {
    "vacuum": (
        N_("Decompression by vacuum"),
        N_(
            "Gentle suction lifts the skin and what lies under it: moving cups, with or without magnets, or a chamber."
        ),
    ),
}
"""Services shown on one card: the card's name and sentence."""


def genders_to_choose(team: Iterable[str]) -> dict[str, str]:
    """Gender → in words, of those that can be asked for: where it makes a difference, in one order."""
    said = set(team)
    return {key: words for key, words in GENDERS.items() if key in said and len(said) > 1}


def skills_for(answers: Mapping[str, Mapping[str, object]]) -> frozenset[str]:
    """The skills that these answers ask of a therapist; "not sure" counts as yes."""
    return frozenset(skill for key, skill in SKILLS_FOR.items() if answers.get(key, {}).get("present"))


def words_of(kind: str, known: dict[str, str]) -> str:
    """The kind in words; an owner's own kind is its key read as words."""
    return _(known[kind]) if kind in known else kind.replace("_", " ").capitalize()


def licence_kind_words(kind: str) -> str:
    """The kind of licence in words; one that an owner named is kept as it was written."""
    return _(LICENCES.get(kind, kind))


def licence_named(text: str, known: Iterable[str]) -> str:
    """The kind of licence that an owner typed: one that is known where it is the same but for capitals, else as it
    was written. Countries name them in their own language, so the words are the key."""
    typed = " ".join(text.split())
    same = (
        kind for kind in known if typed.casefold() in (kind.casefold(), licence_kind_words(kind).casefold())
    )
    return next(same, typed)


def licence_given(text: str, chosen: str, choices: Iterable[object]) -> str:
    """The kind of licence of a form: the one that was typed, else the one that was chosen in its list."""
    return licence_named(text, map(str, choices)) or chosen


def key_of(text: str) -> str:
    """A key for what an owner typed: `Hot towel cabinet` becomes `hot_towel_cabinet`; may be empty."""
    plain = "".join(char if char.isascii() and char.isalnum() else " " for char in text.casefold())
    return "_".join(plain.split())[:40]
