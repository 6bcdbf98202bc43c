"""Reading what the clinic sends: its texts, what each person chose, and what stands in the team's morning mails."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from zoneinfo import ZoneInfo

from sqlalchemy import select

from clinic.accounts import queries as accounts
from clinic.accounts.models import User
from clinic.clients import choices
from clinic.clients import queries as clients
from clinic.clients.choices import Whose
from clinic.diary.queries import therapist as diary
from clinic.diary.queries.to_do import ToDo, to_do
from clinic.premises import queries as premises
from clinic.premises.queries import ClinicFacts
from clinic.rules import words
from clinic.rules.language import gettext, ngettext
from clinic.rules.messages import DAY_OF_DESK, DAY_OF_THERAPIST, FOR_CLIENTS, FOR_STAFF, SMS, hours_from
from clinic.rules.own_text import sample_of
from clinic.rules.permissions import Role
from clinic.shared.database import db
from clinic.shared.languages import LANGUAGES, speaking
from clinic.shared.mail import OwnText, known_keys, places_of, standard_text, written
from clinic.shared.mail.texts import Block, blocks


@dataclass(frozen=True)
class MessageSettings:
    """What the owner sets about messages; hours before a visit as `48, 3`."""

    reminder_hours: str
    asks_for_answers: bool
    sends_aftercare: bool
    sends_digests: bool


def settings() -> MessageSettings:
    return premises.facts_of(premises.clinic(), MessageSettings)


def languages() -> dict[str, str]:
    """The languages that the clinic writes in, each as it calls itself; its own comes first."""
    row = premises.clinic()
    return {row.language: LANGUAGES[row.language], **(LANGUAGES if row.offers_languages else {})}


def own_kinds() -> dict[str, list[str]]:
    """Those kinds for which the owner wrote a text, with the languages it is in."""
    found: dict[str, list[str]] = {}
    for kind, language in db.session.execute(
        select(OwnText.kind, OwnText.language).order_by(OwnText.language)
    ):
        found.setdefault(kind, []).append(LANGUAGES[language])
    return found


def text_of(kind: str, language: str) -> tuple[str, bool]:
    """Subject and body with its places, as it goes out now, and whether the owner wrote it."""
    own = db.session.scalar(select(OwnText.text).where(OwnText.kind == kind, OwnText.language == language))
    if own is not None:
        return own, True
    with speaking(language):
        return standard_text(kind), False


@dataclass(frozen=True)
class Preview:
    """A message as somebody invented would get it."""

    subject: str
    blocks: list[Block]


def samples(kind: str, language: str) -> dict[str, str]:
    """What a preview and a test have in each place of this kind, as somebody who reads the language gets it."""
    with speaking(language):
        return {name: sample_of(name) for name in places_of(kind)}


def preview(kind: str, text: str, language: str) -> Preview:
    subject, body = written(kind, text, samples(kind, language), token="sample")  # noqa: S106
    return Preview(subject, blocks(body))


@dataclass(frozen=True)
class Chosen:
    """One person's kinds, each with whether they want it. `client_id`: None for an account of the team."""

    name: str
    client_id: int | None
    kinds: list[tuple[str, bool]]


def chosen(user_id: int, *, is_staff: bool, has_sms: bool) -> list[Chosen]:
    """What this account can choose: for everybody they act for, and for themselves where they are of the team."""
    found = []
    for person in clients.people_of(user_id):
        row = clients.client(person.client_id)
        kinds = [*FOR_CLIENTS, *([SMS] if has_sms and row is not None and row.phone_key else [])]
        found.append(_chosen(person.name, Whose(client_id=person.client_id), kinds))
    if is_staff:
        found.append(_chosen("", Whose(user_id=user_id), FOR_STAFF))
    return found


def _chosen(name: str, whose: Whose, kinds: Sequence[str]) -> Chosen:
    return Chosen(name, whose.client_id, [(kind, choices.wants(whose, kind)) for kind in kinds])


@dataclass(frozen=True)
class Digest:
    """A morning mail of one of the team: its kind, what it is known by, and what stands in it."""

    kind: str
    key: str
    user_id: int
    email: str
    name: str
    language: str
    day: str
    count: str
    lines: str


def digests(now: dt.datetime) -> list[Digest]:
    """The mails of this morning that are not written yet, for those of the team who want theirs; nothing for whom there
    is nothing."""
    facts = premises.clinic_facts()
    if facts is None:
        return []
    today, tasks = premises.today(now), cache(partial(to_do, now, may_review=False))
    ids = [one.id for one in accounts.team()]
    people = db.session.scalars(select(User).where(User.is_active, User.id.in_(ids)).order_by(User.id)).all()
    written_before = known_keys([digest_key(kind, one, today) for one in ids for kind in FOR_STAFF])
    found = []
    for user in people:
        language = facts.language_for(user.language)
        with speaking(language):
            for kind, lines_of in (
                (DAY_OF_THERAPIST, partial(_visits, user.id, today, facts, now)),
                (DAY_OF_DESK, partial(_tasks, user, tasks)),
            ):
                key = digest_key(kind, user.id, today)
                if key in written_before or not choices.wants(Whose(user_id=user.id), kind):
                    continue
                if lines := lines_of():
                    count = ngettext("%(num)d visit", "%(num)d visits", len(lines))
                    found.append(
                        Digest(kind, key, user.id, user.email, user.name, language,
                               words.day_words(today, today=today), count, "\n".join(lines))
                    )  # fmt: skip
    return found


def digest_key(kind: str, user_id: int, day: dt.date) -> str:
    """One of each kind for each person and day."""
    return f"{kind}:{user_id}:{day}"


def _visits(user_id: int, today: dt.date, facts: ClinicFacts, now: dt.datetime) -> list[str]:
    """Time, initials, length and room: neither a name nor a treatment travels by mail."""
    me = diary.therapist_who(user_id)
    if me is None:
        return []
    return [
        gettext(
            "%(time)s, %(who)s, %(length)s, %(room)s",
            time=words.local_time_words(
                one.starts_at.astimezone(ZoneInfo(one.zone)), uses_24_hours=facts.uses_24_hours
            ),
            who="".join(f"{part[0]}." for part in one.client.split()),
            length=words.length_words(one.minutes),
            room=one.room,
        )
        for day in diary.own_days(me, today, 1, now)
        for one in day.coming
    ]


def _tasks(user: User, read: Callable[[], ToDo]) -> list[str]:
    """How much waits, by its kind: what it is stands on the page. READ is not asked for who has no such work."""
    if user.roles.isdisjoint({Role.FRONT_DESK, Role.OWNER}):
        return []
    tasks = read()
    waiting = len(tasks.waiting) + len(tasks.intakes)
    moving = len(tasks.under) + len(tasks.to_reassign) + len(tasks.outside)
    found = (
        ngettext("%(num)d person to call", "%(num)d people to call", len(tasks.calls)),
        ngettext("%(num)d visit not confirmed yet", "%(num)d visits not confirmed yet", waiting),
        ngettext("%(num)d visit to move or give away", "%(num)d visits to move or give away", moving),
        ngettext("%(num)d review", "%(num)d reviews", tasks.to_review),
        ngettext("%(num)d open offer", "%(num)d open offers", len(tasks.offers)),
    )
    return [line for line in found if not line.startswith("0 ")]


def is_hours(text: str) -> bool:
    """Whether it reads as hours before a visit."""
    try:
        hours_from(text)
    except ValueError:
        return False
    return True
