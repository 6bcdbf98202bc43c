"""What the clinic says no to, by name. Each carries the sentence for the person at the screen.

A class states the fact; a page shows `.sentence`; no sentence names a condition or blames the person. Where a
default is given it says the way on; whoever raises may say it better.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from clinic.rules.language import N_, _

if TYPE_CHECKING:
    from clinic.rules.availability import Start
    from clinic.rules.screening import Screening


class RuleViolation(Exception):
    """A rule of the clinic stands against what was asked. `.sentence` is for the person."""

    default_sentence: ClassVar[str] = N_("This cannot be done. Please call the clinic.")

    def __init__(self, sentence: str = "") -> None:
        self.sentence = _(sentence or self.default_sentence)
        super().__init__(self.sentence)


class InvalidInput(RuleViolation):
    """What was typed in one field cannot be taken as it is. `.field` is the name of the field."""

    default_sentence = N_("Please check this.")

    def __init__(self, field: str, sentence: str = "") -> None:
        self.field = field
        super().__init__(sentence)


class KeyUsed(RuleViolation):
    """A program sends another request under the key of an earlier one."""

    default_sentence = N_("This Idempotency-Key was used for another request.")


class NotFound(RuleViolation):
    """There is no such thing, or it is not this person's: the two look the same."""

    default_sentence = N_("We cannot find this page.")


@dataclass(frozen=True)
class Nearest:
    """Free times nearest to one that cannot be had, nearest first, at a place of this zone."""

    zone: str = "UTC"
    starts: tuple[Start, ...] = ()

    def __iter__(self) -> Iterator[Start]:
        return iter(self.starts)


NONE_NEAR = Nearest()


class NotOpenYet(RuleViolation):
    """The clinic is not set up: there is a database, and nothing in it."""

    default_sentence = N_("The clinic is not set up yet.")


class SlotTaken(RuleViolation):
    """The time is not free, or no longer. `.nearest` holds the free times nearest to it, nearest first."""

    default_sentence = N_("This time has just been taken. Please choose another one.")

    def __init__(self, sentence: str = "", nearest: Nearest = NONE_NEAR) -> None:
        self.nearest = nearest
        super().__init__(sentence)


class RestNeeded(SlotTaken):
    """The time is free, but comes too soon after (or before) another visit of this client."""

    default_sentence = N_(
        "This time comes too soon: the body needs more rest between visits. Please choose another."
    )


class HoldExpired(RuleViolation):
    """The time was kept for a while, and the while is over."""

    default_sentence = N_("We could not keep this time any longer. Please choose a time again.")


class TooLate(RuleViolation):
    """The moment up to which this could be done has passed."""

    default_sentence = N_("It is too late to do this online. Please call the clinic.")


class TooSoon(TooLate):
    """The visit would start before the clinic can get ready for it."""

    default_sentence = N_(
        "This time is too soon to book online. Please choose a later one or call the clinic."
    )


class CancelTooLate(TooLate):
    """The visit is so near that it cannot be cancelled or moved online any more."""

    default_sentence = N_("Your visit is too near to change it online. Please call the clinic.")


class TooFarAhead(RuleViolation):
    """The visit would lie beyond the days that can be booked."""

    default_sentence = N_("We do not book that far ahead yet. Please choose an earlier day.")


class ScreeningRefuses(RuleViolation):
    """The treatment is not safe for this person on that day. `.screening` says why and what would change it."""

    default_sentence = N_("We cannot book this treatment for you at the moment. Your safety comes first.")

    def __init__(self, screening: Screening, sentence: str = "") -> None:
        self.screening = screening
        super().__init__(sentence)


class MoveNotAllowed(RuleViolation):
    """The visit cannot change in this way from where it stands."""

    default_sentence = N_("This visit cannot be changed in this way.")


class ReviewNeeded(RuleViolation):
    """Only somebody with clinical review may decide this. The sentence gives no reason, on purpose."""

    default_sentence = N_("A therapist has to decide this one. It stands on their list of reviews.")


class CheckInNeeded(MoveNotAllowed):
    """The questions about the day have not been answered yet."""

    default_sentence = N_("Please ask the short check-in questions first: they take less than a minute.")


class TooManyPending(RuleViolation):
    """The client already has as many unconfirmed visits as may wait at once."""

    default_sentence = N_(
        "You already have a visit that waits to be confirmed. We can book the next one after that."
    )


class TooManyKept(RuleViolation):
    """As many times as may be are kept already by this account or from this address, for bookings not finished."""

    default_sentence = N_(
        "Several times are being kept already for bookings that were begun here and not finished. Finish one of them,"
        " or try again in a few minutes: a time that nobody books is soon free again."
    )


class BarredOnline(RuleViolation):
    """This client's visits are booked by the desk only. The sentence gives no reason, on purpose."""

    default_sentence = N_("We cannot take this booking online. Please call the clinic, we will help you.")


class NotQualified(RuleViolation):
    """The therapist lacks the licence or skill for this service on that day."""

    default_sentence = N_(
        "This therapist does not offer this service on that day. Please choose another therapist."
    )


class LastOwner(RuleViolation):
    """A clinic keeps at least one owner who can sign in."""

    default_sentence = N_("The clinic needs at least one owner. Make somebody else an owner first.")


class ChangedMeanwhile(RuleViolation):
    """The row is no longer what the form showed: another tab or another person was there in between."""

    default_sentence = N_(
        "Somebody changed this while you had it open. What you typed is still here: compare it with the present"
        " state in another tab, then save again to replace that."
    )


class KeysLeft(RuleViolation):
    """What is erased is erased here, but a copy of the keys beside the backups could not be brought up to date."""

    default_sentence = N_(
        "Everything that may be erased is erased here. Older backups can still be read, because the file of keys beside"
        " them could not be changed. The program tries again every six hours: ask whoever looks after the server to run"
        " “clinic doctor”."
    )
