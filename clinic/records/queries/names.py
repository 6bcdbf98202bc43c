"""How those whom a record names by number are called today, and how it says moments and days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from clinic.accounts import queries as accounts
from clinic.booking.models import Visit
from clinic.catalogue import queries as catalogue
from clinic.premises import queries as premises
from clinic.records.queries.rested_on import Facts
from clinic.rules import words
from clinic.rules.language import N_, _
from clinic.therapists import queries as therapists

NOBODY = N_("nobody signed in, or the program by itself")
_BY = frozenset({"by", "created_by", "recorded_by", "verified_by", "ended_by"})


@dataclass(frozen=True)
class Names:
    """The names of today."""

    clinic: str
    zone: str
    uses_24_hours: bool
    users: Mapping[int, str]
    therapists: Mapping[int, str]
    services: Mapping[str, str]
    modes: Mapping[str, str]
    addons: Mapping[str, str]

    def who(self, user_id: int | None) -> str:
        """Who did it."""
        if user_id is None:
            return _(NOBODY)
        return self.users.get(user_id, f"Account {user_id}")

    def moment(self, stored: str) -> str:
        """A stored moment on the wall of the visit's place."""
        return words.moment_words(
            dt.datetime.fromisoformat(stored), self.zone, uses_24_hours=self.uses_24_hours
        )

    def treatment(self, one: Facts) -> str:
        """What was judged or booked: its key as stored, and how it is called today."""
        key = one["service"]
        called = [self.services.get(key, "no service of today")]
        called += [self.modes.get(one["mode"], "")] if one["mode"] else []
        called += [self.addons.get(addon, "") for addon in one["addons"]]
        stored = ", ".join([key, *([one["mode"]] if one["mode"] else []), *one["addons"]])
        return _("%(value)s (as stored: %(stored)s)", value=", ".join(filter(None, called)), stored=stored)


def day(stored: str) -> str:
    """A stored day."""
    return words.day_words(dt.date.fromisoformat(stored))


def names_of(visit: Visit, facts: Facts) -> Names:
    """The names of everybody and everything in these facts, in a fixed number of statements."""
    services = catalogue.all_services()
    settings = premises.clinic()
    return Names(
        clinic=settings.name,
        zone=visit.zone,
        uses_24_hours=settings.uses_24_hours,
        users=accounts.names_of(set(_users(facts))),
        therapists={one.id: one.name for one in therapists.all_therapists()},
        services={one.key: one.name for one in services},
        modes={mode.key: mode.name for one in services for mode in one.modes},
        addons={one.key: one.name for one in catalogue.all_addons()},
    )


def _users(value: Any) -> Iterator[int]:
    """Every account that is named as who did something."""
    if isinstance(value, list):
        for one in value:
            yield from _users(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name in _BY and isinstance(one, int):
                yield one
            elif name not in ("answers", "questions"):
                yield from _users(one)
