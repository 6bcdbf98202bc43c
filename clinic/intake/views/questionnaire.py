"""The questionnaire's pages, for whoever fills them in: a client, the desk, the waiting room's tablet.

A `Sitting` says who fills in for whom and where the pages lie; each feature declares its own routes and hands one in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from flask import abort, flash, redirect, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from clinic.clients import queries as clients
from clinic.intake import forms, queries
from clinic.intake.services import intakes
from clinic.intake.signing_forms import YoungPersonForm
from clinic.premises import queries as premises
from clinic.rules import answer_history, questionnaire, screening
from clinic.rules.answers import Answers
from clinic.rules.errors import InvalidInput
from clinic.rules.language import N_, _
from clinic.rules.page_reading import asked_by, half_of_both, half_typed, opened_again
from clinic.rules.question_pages import Page
from clinic.rules.questionnaire import PageResult
from clinic.shared import clock
from clinic.shared.seen import mark_of
from clinic.shared.web import Answer

KIND = "intake"
CLOSED = N_(
    "These questions were closed by then. What you said is kept, and we ask you about it before your next visit."
)
A_MOMENT = dt.timedelta(minutes=2)  # in which somebody presses a button once more
OnStop = Callable[[str], Answer]
OnSigned = Callable[[int], Answer]


@dataclass(frozen=True)
class Sitting:
    """One person filling in the questions for one client, and where its pages lie.

    `page_url` takes a page's number, 1 to n; no address says what a page asks. `signer` is what the person who
    signs is to the client. `extra` reads what the layout that the pages extend shows, when one is shown.
    """

    client_id: int
    client_name: str
    writer: str
    source: str
    by: int | None
    page_url: Callable[[int], str]
    keep_url: Callable[[int], str]
    sign_url: str
    back_url: str
    about: str = ""
    """The mark of who is asked, where the same record may be named anew while a page is open."""
    signer: str = "self"
    is_minor: bool = False
    earlier: Answers = field(default_factory=dict)
    """Answers to show while nothing has been typed: those this person signed before."""
    done_url: str = ""
    """Where whoever only looks again goes back to: everything is signed as it stands."""
    layout: str = "intake/_layout.html"
    extra: Callable[[], Mapping[str, Any]] = dict


def pages_of() -> tuple[Page, ...]:
    """The intake's pages, in order."""
    return questionnaire.pages(KIND)


def today() -> dt.date:
    """The clinic's day."""
    facts = premises.clinic_facts()
    return clock.now().astimezone(ZoneInfo(facts.zone) if facts else dt.UTC).date()


def start_from(client_id: int, writer: str, answers: Answers) -> None:
    """Begin with an earlier version's answers, to go through them page by page."""
    plain = {
        key: {name: value for name, value in answer.items() if name != "changed_on"}
        for key, answer in answers.items()
    }
    intakes.save_draft(client_id, writer, KIND, plain, now=clock.now(), replace=True)


def first_open(sitting: Sitting) -> int | None:
    """The number of the first page with an unanswered question; None when all are answered."""
    open_keys = set(questionnaire.unanswered(_draft(sitting), KIND))
    for number, page in enumerate(pages_of(), start=1):
        if any(one.key in open_keys for one in page.conditions):
            return number
    return None


def has_begun(sitting: Sitting) -> bool:
    """Whether something is kept from the last time."""
    return queries.draft(sitting.client_id, sitting.writer) is not None


def show_page(sitting: Sitting, number: int) -> str:
    """One page, with what is answered already."""
    row = queries.draft(sitting.client_id, sitting.writer)
    half = row.half_typed if row is not None else {}
    return _render(sitting, number, forms.typed_of(_page(number), _draft(sitting), half), {})


def _is_about_another(sitting: Sitting) -> bool:
    """Whether the page that was sent asked about somebody else: who it is about was changed in another tab."""
    return request.form.get("whose", str(sitting.client_id)) != str(sitting.client_id)


def _is_of_before(sitting: Sitting) -> bool:
    """Whether the page was opened for somebody else, before the record was named anew: its "no" is not theirs."""
    return request.form.get("about", sitting.about) != sitting.about


def asks_another(sitting: Sitting) -> bool:
    """The same of a page of questions: one about a record that was merged into this one is about this person."""
    return _is_about_another(sitting) and not asked_about(clients.alias_ids(sitting.client_id))


def asked_about(client_ids: Collection[int]) -> bool:
    """Whether the page that was sent asked about one of these records."""
    return request.form.get("whose", "") in {str(one) for one in client_ids}


def _begin_again(sitting: Sitting) -> Answer:
    flash(
        _("In another tab this was changed to %(name)s. What you typed there was not kept: please answer for them.",
          name=sitting.client_name), "care",
    )  # fmt: skip
    return redirect(sitting.page_url(1), 303)


def take_page(sitting: Sitting, number: int, on_stop: OnStop) -> Answer:
    """Keep what was typed; then on, back, or the same page with messages. A warning sign stops everything."""
    if asks_another(sitting):
        return _begin_again(sitting)
    result = _sent(_page(number))
    is_of_before = _is_of_before(sitting)
    lets_go = is_of_before or _warns(result)
    if _kept(sitting, _page(number), result, lets_go=lets_go, adds_only=is_of_before) is None:
        flash(_("This page was answered in another tab meanwhile. Please look at it again."), "care")
        return show_page(sitting, number), 409
    stopped = _stopped_by(sitting, result, on_stop)
    if stopped is None and is_of_before:
        flash(
            _("This page was opened before the name was changed to %(name)s. We kept only what was answered with yes: "
              "please answer it for them.", name=sitting.client_name), "care",
        )  # fmt: skip
        return show_page(sitting, number), 409
    return _after(sitting, number, result) if stopped is None else stopped


def _after(sitting: Sitting, number: int, result: PageResult) -> Answer:
    """Where a page that was kept leads."""
    if request.form.get("go") == "back":
        return redirect(sitting.page_url(number - 1) if number > 1 else sitting.back_url, 303)
    if result.errors:
        return _render(sitting, number, result.typed, result.errors), 422
    if request.form.get("then") == "sign" or number == len(pages_of()):
        return redirect(sitting.sign_url, 303)
    return redirect(sitting.page_url(number + 1), 303)


def take_late(sitting: Sitting, number: int, on_stop: OnStop, *, adds_only: bool = True) -> Answer | None:
    """Keep a page about this person that was sent when it was shown no more; a warning sign in it stops everything all
    the same. Nobody can be asked to look again: what was said meanwhile stays, beside what this page says more, and
    with `adds_only` nothing at all is taken back, whatever it claims to have seen."""
    if asks_another(sitting):
        return None
    result = _sent(_page(number))
    _kept(sitting, _page(number), result, lets_go=True, adds_only=adds_only)
    # What was signed before, and stopped everything then, is no word of this page, nor for everybody to read.
    new = _flags({**_draft(sitting), **result.answers}) - _flags(sitting.earlier)
    return _stopped_by(sitting, result, on_stop) if new or _warns(result) else None


def keep_late(sitting: Sitting, number: int) -> Answer:
    """Autosave of such a page."""
    if asks_another(sitting) or number > len(pages_of()):
        return Response(status=409)
    _kept(sitting, _page(number), _sent(_page(number)), lets_go=True, adds_only=True)
    return Response(status=204)


def hear_late(sitting: Sitting, number: int, on_stop: OnStop) -> Answer | None:
    """`take_late`, and the next page says so where something stands by now that is not signed."""
    stopped = take_late(sitting, number, on_stop)
    if stopped is None and queries.has_unsigned(sitting.client_id):
        flash(_(CLOSED), "care")
    return stopped


def take_warning(
    records: Mapping[int, int], number: int, on_stop: OnStop, *, source: str, by: int | None
) -> Answer | None:
    """A page about one of these records, which is not open any more: nothing of it is kept, but a warning sign in it
    stops everything all the same. `records`: whom the page may be about, with whose record it is to be kept on."""
    if not asked_about(records):
        return None
    result = _sent(_page(number))
    if not _warns(result):
        return None
    stop, whose = forms.declared_stop(result), records[int(request.form["whose"])]
    return on_stop(intakes.raise_stop(whose, stop, source=source, by=by, now=clock.now(), today=today()))


def _flags(answers: Answers) -> set[str]:
    return {flag.rule for flag in screening.red_flags_in(answers, today())}


def urgency_about_another(sitting: Sitting, number: int) -> str:
    """The same of a page about somebody else than whom this sitting is for, "" of any other."""
    return urgency_of(number) if asks_another(sitting) else ""


def urgency_of(number: int) -> str:
    """Of a page about nobody who is known here any more: the word of its urgency, "" without a warning sign."""
    flags = screening.red_flags_in(forms.declared_stop(_sent(_page(number))), today())
    return flags[0].urgency.word if flags else ""


def _sent(page: Page) -> PageResult:
    return forms.read_page(page, request.form, today=today())


def _warns(sent: PageResult) -> bool:
    """Whether there is a warning sign in it: that stops everything, wherever it is sent from."""
    return bool(screening.red_flags_in(forms.declared_stop(sent), today()))


def _stopped_by(sitting: Sitting, result: PageResult, on_stop: OnStop) -> Answer | None:
    if _warns(result):
        return on_stop(_stop(sitting, forms.declared_stop(result)))
    together = {**_draft(sitting), **result.answers}
    if result.answers and screening.red_flags_in(together, today()):
        return on_stop(_stop(sitting, together))
    return None


def keep_page(sitting: Sitting, number: int) -> Answer:
    """Autosave: what can be read is kept, nothing is answered back. After the last page comes the signature's."""
    is_signing = number == len(pages_of()) + 1
    if _is_about_another(sitting) if is_signing else asks_another(sitting):
        return Response(status=409)
    is_of_before = _is_of_before(sitting)
    if is_signing:
        if is_of_before:
            return Response(status=409)
        _keep_signing(sitting)
        return Response(status=204)
    sent = _sent(_page(number))
    lets_go = is_of_before or _warns(sent)
    mark = _kept(sitting, _page(number), sent, lets_go=lets_go, adds_only=is_of_before)
    if mark is None or is_of_before:
        return Response(status=409)
    return Response(status=204, headers={SEEN: mark} if mark else {})


SEEN = "X-Seen"
"""What the page shows from now on: the next one that it sends has seen it."""


Half = Mapping[str, list[str]]


def _of_page(page: Page, answers: Answers, half: Half) -> tuple[Answers, Half]:
    """Of what is kept, the answers to this page's questions, and what is half typed of them."""
    keys = {one.key for one in page.conditions}
    return (
        {key: answer_history.plain(one) for key, one in answers.items() if key in keys},
        {name: typed for name, typed in half.items() if asked_by(name) in keys},
    )


def _mark(page: Page, answers: Answers, half: Half) -> str:
    mine, half_of_mine = _of_page(page, answers, half)
    return mark_of({**mine, "": half_of_mine})


def _stands(sitting: Sitting) -> tuple[bool, Answers, Half]:
    """What is kept by now, whole and half typed, and before them whether anything is."""
    row = queries.draft(sitting.client_id, sitting.writer)
    return (True, row.answered, row.half_answered) if row is not None else (False, sitting.earlier, {})


def _kept(
    sitting: Sitting, page: Page, sent: PageResult, *, lets_go: bool, adds_only: bool = False
) -> str | None:
    """Keep a page that was sent; returns the mark of what stands there now, "" where that is more than the page shows.
    One that would take back what it never showed is not kept (None), or with `lets_go` but for that: nobody can look
    at it again, or it has a warning sign. Looked at and written as one: whoever is faster is looked at anew."""
    while True:
        had_begun, answers, half = _stands(sitting)
        takes_back = adds_only or _takes_back(page, sent, answers, half)
        if takes_back and not lets_go:
            return None
        try:
            now_there = _keep(sitting, page, sent, (answers, half), only_more=takes_back)
        except intakes.DraftChanged:
            if had_begun and not has_begun(sitting) and (sitting.earlier or not lets_go):
                return "" if lets_go else None  # signed meanwhile: `earlier` is of before
            continue
        return "" if takes_back else _mark(page, *now_there)


def _takes_back(page: Page, sent: PageResult, answers: Answers, half: Half) -> bool:
    """Whether another tab said more here than this page ever showed, and this one would take it back, also by a "yes"
    that is only half typed."""
    if request.form.get("seen", "") in ("", _mark(page, answers, half)):
        return False
    mine, half_of_mine = _of_page(page, answers, half)
    open_now = {asked_by(name) for name in half_typed(page, sent)}
    whole = {key for key, one in sent.answers.items() if one.get("present")}
    lost = answer_history.more_than(sent.answers, mine)
    return bool(lost or {asked_by(name) for name in half_of_mine} - open_now - whole)


def forget_signing(client_id: int, writer: str) -> None:
    """What was ticked, written and drawn to sign is given anew."""
    intakes.keep_signing(client_id, writer, {}, now=clock.now())


def _keep_signing(sitting: Sitting) -> None:
    typed = {
        name: [value[: forms.LONGEST_SIGNATURE] for value in request.form.getlist(name)]
        for name in forms.SIGNED_WITH
        if any(request.form.getlist(name))
    }
    intakes.keep_signing(sitting.client_id, sitting.writer, typed, now=clock.now())


def _kept_signing(sitting: Sitting) -> MultiDict[str, str] | None:
    row = queries.draft(sitting.client_id, sitting.writer)
    return MultiDict(row.signing) if row is not None and row.signing else None


def young_form(sitting: Sitting, typed: MultiDict[str, str] | None = None) -> YoungPersonForm | None:
    """What a parent or guardian adds to the signature; None for an adult."""
    return YoungPersonForm(typed) if sitting.is_minor else None


def signature_of(
    sitting: Sitting, name: str, young: YoungPersonForm | None, points: list[Any] | None = None
) -> intakes.Signature:
    """As it is kept. Call it with a valid form."""
    if young is not None:
        return young.signature(name, points)
    return intakes.Signature(name, sitting.signer, points)


def show_signing(
    sitting: Sitting, form: forms.SignForm | None = None, young: YoungPersonForm | None = None
) -> Answer:
    """What was answered, the consents and the signature; before that, the first page that is still open."""
    still_open = first_open(sitting)
    if still_open is not None:
        return redirect(sitting.page_url(still_open), 303)
    kept = _kept_signing(sitting)
    return render_template(
        "intake/sign.html",
        sitting=sitting,
        layout=sitting.layout,
        form=form or forms.SignForm(kept),
        young=young or young_form(sitting, kept),
        told=forms.told(_draft(sitting)),
        shown=mark_of(_draft(sitting)),
        of=len(pages_of()) + 1,
        **sitting.extra(),
    )


def _was_changed(sitting: Sitting) -> bool:
    """Whether other answers wait for the signature than the page showed. None wait where it was pressed twice."""
    row = queries.draft(sitting.client_id, sitting.writer)
    return row is not None and request.form.get("shown", mark_of(row.answered)) != mark_of(row.answered)


def is_signed_already(sitting: Sitting) -> bool:
    """Whether the button was pressed twice: nothing waits, and the same person has just recorded a version."""
    last = queries.newest(sitting.client_id)
    return (
        not has_begun(sitting)
        and last is not None
        and (last.source, last.recorded_by_id) == (sitting.source, sitting.by)
        and last.signed_at > clock.now() - A_MOMENT
    )


def not_as_shown(sitting: Sitting) -> Answer | None:
    """The way on where the page showed other answers than would be signed: those of somebody else, of one of two
    records that were joined meanwhile, or of before they were changed in another tab."""
    if _is_of_before(sitting):
        return _begin_again(sitting)
    if _is_about_another(sitting):
        if asks_another(sitting):
            return _begin_again(sitting)
        flash(
            _("Two records of this person were joined meanwhile. Please check the answers before you sign."),
            "care",
        )
        return redirect(sitting.sign_url, 303)
    if _was_changed(sitting):
        flash(
            _("The answers were changed meanwhile, in another tab. Please check them before you sign."),
            "care",
        )
        return redirect(sitting.sign_url, 303)
    return None


def take_signing(sitting: Sitting, on_stop: OnStop, on_signed: OnSigned) -> Answer:
    """Sign: a new version of the answers, with its consents. Or go back, and find it as it was left."""
    if (back := not_as_shown(sitting)) is not None:
        return back
    if request.form.get("go") == "back":
        _keep_signing(sitting)
        return redirect(sitting.page_url(len(pages_of())), 303)
    return _sign(sitting, on_stop, on_signed)


def _sign(sitting: Sitting, on_stop: OnStop, on_signed: OnSigned) -> Answer:
    form = forms.SignForm(request.form)
    answers = _draft(sitting)
    if sitting.earlier and queries.draft(sitting.client_id, sitting.writer) is None:
        return on_signed(0)  # pressed twice: it is signed already
    if first_open(sitting) is not None:
        return show_signing(sitting)
    if screening.red_flags_in(answers, today()):
        return on_stop(_stop(sitting, answers))
    young = young_form(sitting, request.form)
    is_right = form.validate()
    if not (young is None or young.validate()) or not is_right:
        return _again(sitting, form, young)
    name = form.name.data or ("" if sitting.is_minor else sitting.client_name)
    signature = signature_of(sitting, name, young, form.drawn())
    try:
        intake_id = intakes.submit_intake(
            sitting.client_id,
            answers,
            signature,
            writer=sitting.writer,
            source=sitting.source,
            of_draft=True,
            consents={kind: {"signer": signature.relation} for kind in ("treatment", "privacy")},
            by=sitting.by,
            now=clock.now(),
            today=today(),
        )
    except InvalidInput as error:
        form.name.errors = [*form.name.errors, error.sentence]
        return _again(sitting, form, young)
    return on_signed(intake_id)


def _again(sitting: Sitting, form: forms.SignForm, young: YoungPersonForm | None) -> Answer:
    page = show_signing(sitting, form, young)
    return (page, 422) if isinstance(page, str) else page


def _page(number: int) -> Page:
    asked = pages_of()
    if not 1 <= number <= len(asked):
        abort(404)
    return asked[number - 1]


def _draft(sitting: Sitting) -> Answers:
    return _stands(sitting)[1]


def _keep(
    sitting: Sitting, page: Page, sent: PageResult, seen: tuple[Answers, Half], *, only_more: bool
) -> tuple[Answers, Half]:
    """Raises DraftChanged where this page's questions do not stand as they were `seen` any more."""
    if sitting.earlier and queries.draft(sitting.client_id, sitting.writer) is None:
        start_from(sitting.client_id, sitting.writer, sitting.earlier)
    half, asked = half_typed(page, sent), [one.key for one in page.conditions]
    answers: Answers = sent.answers
    if only_more:
        stands, waits = seen
        more = answer_history.more_than(stands, answers)
        touched = {*more, *(asked_by(name) for name in half)}
        waits = {name: typed for name, typed in waits.items() if asked_by(name) in touched}
        answers, half = opened_again(
            answer_history.both_waiting({key: stands[key] for key in touched & stands.keys()}, more),
            half_of_both(waits, half),
        )
        asked = [*answers, *(asked_by(name) for name in half)]
    looked_at = _mark(page, *seen)
    return intakes.save_draft(
        sitting.client_id, sitting.writer, KIND, answers, now=clock.now(), asked=asked, half=half,
        is_as_seen=lambda answers, half: _mark(page, answers, half) == looked_at,
    )  # fmt: skip


def _stop(sitting: Sitting, answers: Answers) -> str:
    """Raise the stop. Its own answers leave the draft: they are asked anew when the person comes back."""
    now = clock.now()
    level = intakes.raise_stop(
        sitting.client_id, answers, source=sitting.source, by=sitting.by, now=now, today=today()
    )
    about_now = screening.stops_today(answers)
    intakes.save_draft(sitting.client_id, sitting.writer, KIND, {}, now=now, asked=about_now)
    return level


def _render(sitting: Sitting, number: int, typed: Mapping[str, list[str]], errors: Mapping[str, str]) -> str:
    page = _page(number)
    return render_template(
        "intake/page.html",
        sitting=sitting,
        layout=sitting.layout,
        page=page,
        seen=_mark(page, *_stands(sitting)[1:]),
        number=number,
        of=len(pages_of()) + 1,
        typed=typed,
        errors=errors,
        error_list=forms.error_list(page, errors),
        then=request.values.get("then", ""),
        area_groups=forms.AREA_GROUPS,
        months=forms.month_choices(),
        date_parts=forms.date_parts,
        **sitting.extra(),
    )
