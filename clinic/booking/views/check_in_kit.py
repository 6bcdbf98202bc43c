"""The check-in's pages, the same behind every door: the mailed link, the own account, the desk, the diary.

No page shows an earlier answer, and no address says what somebody told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import flash, render_template, request

from clinic.booking.queries import check_ins
from clinic.clients import queries as clients
from clinic.intake import forms
from clinic.intake import queries as intake
from clinic.intake.services import checkins, intakes
from clinic.intake.services.intakes import Signature
from clinic.intake.signing_forms import GuardianSignsForm
from clinic.premises import queries as premises
from clinic.rules import check_in
from clinic.rules.answer_history import united
from clinic.rules.check_in import TOPICS, Topic
from clinic.rules.errors import InvalidInput
from clinic.rules.language import N_, _
from clinic.rules.page_reading import asked_by, half_typed
from clinic.shared import clock
from clinic.shared.web import Answer

UNFINISHED = N_(
    "You began to say that something has changed. Tick it again and finish it, or answer it with “No” there."
)
BOTH = N_("You ticked what has changed. Please go on, or take the ticks away first.")
CHOOSE = N_("Tick what has changed, or choose “Nothing has changed” below.")


@dataclass(frozen=True)
class CheckInDoor:
    """One visit's check-in: who answers for whom, and where it leads. `signer` is what they are to the client."""

    visit: Any
    by: int | None
    source: str
    url: str
    layout: str
    stopped: Callable[[str], Answer]
    done: Callable[[bool, Collection[str]], Answer]
    """Called with whether a whole new form is needed now, and with the conditions that were spoken of."""
    signer: str = "self"
    is_late: bool = False
    """The visit can be checked in no more: what is said only adds."""
    then: str = ""
    back: str = ""
    """The page of somebody at work who came by mistake."""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def client(self) -> Any:
        """Whose it is today: a visit that is over stays with a record that was merged into another one."""
        found = clients.client(self.visit.client_id or 0)
        if found is None:
            raise LookupError("a visit of nobody")
        return found


def show(door: CheckInDoor) -> Answer:
    """What is asked, and the two buttons."""
    return _first_page(door)


def _first_page(door: CheckInDoor, young: GuardianSignsForm | None = None) -> str:
    answered = check_ins.is_on_file(door.visit, clock.now())
    return _page(door, "booking/check_in.html", topics=TOPICS, young=young, is_answered=answered)


def take(door: CheckInDoor) -> Answer:
    """Nothing has changed; or what has, and the questions about that only."""
    chosen = check_in.topics(request.form.getlist("topic"))
    match request.form.get("step"):
        case "nothing" if not (chosen or _has_begun(door)):
            return _keep(door, None, renewal=False, again=lambda young: _first_page(door, young))
        case "nothing" | "chosen" if not chosen:
            return _topics_page(door, UNFINISHED if _has_begun(door) else CHOOSE), 422
        case "chosen" if not check_in.page_of(chosen).conditions:
            return _keep(door, {}, renewal=True, again=lambda young: _topics_page(door, young=young))
        case "chosen":
            return _questions_page(door, chosen, {}, {})
        case "answered" if chosen:
            return _take_answers(door, chosen)
        case step:
            says_both = step == "nothing"
            return _topics_page(door, BOTH if says_both else "", chosen), 422 if says_both else 200


def _has_begun(door: CheckInDoor) -> bool:
    """Whether something was sent that still lacks a detail: it is finished first, or taken back."""
    return any(one.writer == check_in.BEGUN for one in intake.unsigned_drafts([door.client.id]))


def _take_answers(door: CheckInDoor, chosen: tuple[Topic, ...]) -> Answer:
    page = check_in.page_of(chosen)
    result = forms.read_page(page, request.form, today=premises.today(clock.now()))
    stop = forms.declared_stop(result)
    if result.errors and not checkins.is_stop(stop, premises.today(clock.now())):
        bigger = {checkins.BIGGER: ["y"]} if any(one.renewal for one in chosen) else {}
        intakes.save_draft(
            door.client.id, check_in.BEGUN, "checkin", result.answers, now=clock.now(),
            asked=[one.key for one in page.conditions],
            half={**half_typed(page, result), **bigger}, adds_only=door.is_late,
        )  # fmt: skip
        return _questions_page(door, chosen, result.typed, result.errors), 422
    return _keep(
        door,
        stop,
        renewal=any(one.renewal for one in chosen),
        again=lambda young: _questions_page(door, chosen, result.typed, {}, young),
    )


def _keep(
    door: CheckInDoor,
    said: Mapping[str, Mapping[str, object]] | None,
    *,
    renewal: bool,
    again: Callable[[GuardianSignsForm | None], str],
) -> Answer:
    """Keep it. `again` is the page once more, for a parent or guardian who has not signed, or where nothing was signed
    on a record that was merged meanwhile."""
    client, now = door.client, clock.now()
    if door.is_late:
        told = {key: one for key, one in (said or {}).items() if one.get("present")}
        said = _what_only_adds(door, told)
        if not (said or renewal):
            return door.done(False, tuple(told))
    young = _young(door, typed=True)
    signature = Signature(client.name, door.signer)
    if young is not None:
        young.validate()  # a warning sign stops whoever has not signed, too: the service says what is missing
        signature = young.signature(young.guardian_name.data or "")
    try:
        result = checkins.take_check_in(
            client.id, said, signature, renewal=renewal, source=door.source,
            by=door.by, now=now, today=premises.today(now),
        )  # fmt: skip
    except InvalidInput as error:  # nothing is signed: it waits for that
        alone = young if young is not None and error.field in young else None
        half = {checkins.BIGGER: ["y"]} if renewal and (door.is_late or alone is not None) else {}
        if said or half:
            intakes.save_draft(
                client.id, check_in.BEGUN, "checkin", said or {}, now=now, asked=list(said or ()), half=half,
                adds_only=door.is_late or alone is not None,
            )  # fmt: skip
        return (again(alone), 422) if alone is not None else door.done(True, ())
    if result.urgency:
        return door.stopped(result.urgency)
    if result.intake_id is None:
        flash(
            _("Something else was changed at the same moment. Please look here again, and send it again."),
            "care",
        )
        return again(young), 409
    return door.done(renewal, tuple(said or ()))


def _what_only_adds(
    door: CheckInDoor, told: Mapping[str, Mapping[str, object]]
) -> Mapping[str, Mapping[str, object]]:
    """Of what a late page tells, what nobody told otherwise. The rest waits beside what was told, signed or not, and is
    asked about once more: neither takes the other back. A warning sign stops everything, whatever was told before."""
    client_id, now = door.client.id, clock.now()
    newest, begun = intake.newest(client_id), intake.draft(client_id, check_in.BEGUN)
    signed = newest.answers if newest is not None else {}
    waits, half = (begun.answered, begun.half_answered) if begun is not None else ({}, {})
    for said in (told, united([waits, told])):
        if checkins.is_stop(check_in.laid_over(signed, said), premises.today(now)):
            return {key: one for key, one in said.items() if one.get("present")}
    is_open = {asked_by(name) for name in half}
    otherwise = {
        key: one
        for key, one in told.items()
        if key in is_open or any(check_in.differs(one, has.get(key)) for has in (signed, waits))
    }
    if otherwise:
        checkins.keep_unsigned(client_id, otherwise, by=door.by, now=now)
    return {key: one for key, one in told.items() if key not in otherwise}


def _young(door: CheckInDoor, *, typed: bool = False) -> GuardianSignsForm | None:
    """What a parent or guardian adds; None for an adult."""
    client = door.client
    if client.age_on(premises.today(clock.now())) >= premises.clinic().adult_age:
        return None
    return GuardianSignsForm(request.form if typed else None)


def _topics_page(
    door: CheckInDoor, error: str = "", chosen: tuple[Topic, ...] = (), young: GuardianSignsForm | None = None
) -> str:
    return _page(door, "booking/check_in_topics.html", topics=TOPICS, error=error, chosen=chosen, young=young)


def _questions_page(
    door: CheckInDoor,
    chosen: tuple[Topic, ...],
    typed: Mapping[str, list[str]],
    errors: Mapping[str, str],
    young: GuardianSignsForm | None = None,
) -> str:
    page = check_in.page_of(chosen)
    return _page(
        door,
        "booking/check_in_questions.html",
        page=page,
        chosen=chosen,
        typed=typed,
        errors=errors,
        error_list=forms.error_list(page, errors, forms.ANSWER_EACH),
        area_groups=forms.AREA_GROUPS,
        months=forms.month_choices(),
        date_parts=forms.date_parts,
        young=young,
    )


def _page(door: CheckInDoor, template: str, *, young: GuardianSignsForm | None, **values: Any) -> str:
    return render_template(
        template,
        young=young or _young(door),
        door=door,
        visit=door.visit,
        layout=door.layout,
        questions=_questions(),
        **values,
        **door.extra,
    )


def _questions() -> dict[str, list[str]]:
    """The questions that each topic of warning signs lists in full, by the topic's key."""
    return {
        one.key: [condition.question for condition in check_in.page_of([one]).conditions]
        for one in TOPICS
        if one.asks and not one.detail
    }
