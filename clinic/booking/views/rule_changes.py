"""The owner changes rules: every change is tried on the coming visits first, and saved only as it was tried."""

from __future__ import annotations

from flask import flash, render_template, request
from flask_login import current_user

from clinic.accounts.access import is_named, who
from clinic.booking.forms.rule_changes import FORMS, GoBackForm, HouseRulesForm, ProposalForm, TakeBackForm
from clinic.booking.services import reconciling, rehearsing
from clinic.booking.views.blueprint import pages
from clinic.premises import queries as premises
from clinic.rulebook import queries as rulebook
from clinic.rulebook.services import save_rules
from clinic.rulebook.views.reading import WORDS
from clinic.rules.changed_table import Rule, why_never_laxer
from clinic.rules.errors import ChangedMeanwhile, InvalidInput
from clinic.rules.house_rules import HOUSE_RULES
from clinic.rules.language import N_, _, ngettext
from clinic.rules.permissions import Permission
from clinic.rules.proposals import Proposal, house_rules_on, mark_of
from clinic.rules.rule_change import RuleChange
from clinic.shared import clock
from clinic.shared.fields import saves
from clinic.shared.web import Answer, found, go

NEED = Permission.RULES_ANY_WRITE
UNSURE = N_("Tick that you have seen what changes, then press the button again.")


@pages.get("/owner/rules/<rule_code>/stricter", needs=NEED)
def stricter_rule(rule_code: str) -> Answer:
    """The form for a minimum."""
    return _form_page(_form("stricter", rule_code=rule_code), found(rulebook.rule_of(rule_code)))


@pages.get("/owner/rules/<rule_code>/less-strict", needs=NEED)
def laxer_rule(rule_code: str) -> Answer:
    """The form for a clinician's word."""
    rule = found(rulebook.rule_of(rule_code))
    found(not why_never_laxer(rule) or None)
    return _form_page(_form("laxer", rule_code=rule_code), rule)


@pages.get("/owner/rules/house", needs=NEED)
def house_rules() -> Answer:
    """Which house rules are on."""
    on = house_rules_on(_changes())
    return _form_page(HouseRulesForm(data={"kind": "house_rules", "house_rules": on}), None)


@pages.get("/owner/rules/changes/<mark>/end", needs=NEED)
def take_back_rule(mark: str) -> Answer:
    """Why a change is taken back."""
    found(next((one for one in _changes() if mark_of(one) == mark), None))
    return _form_page(TakeBackForm(data={"kind": "take_back", "mark": mark}), None)


@pages.get("/owner/rules/versions/<int:number>/again", needs=NEED)
def go_back_to_rules(number: int) -> Answer:
    """Why an earlier version is to hold again."""
    found(rulebook.changes_of(number))
    return _form_page(GoBackForm(data={"kind": "go_back", "number": number}), None)


@pages.post("/owner/rules/dry-run", needs=NEED, reads="list")
def try_rules() -> Answer:
    """Try the proposal on every coming visit; nothing is written."""
    form, rule = _typed()
    tried: list[rehearsing.Rehearsal] = []
    if not saves(form, lambda: tried.append(rehearsing.rehearse(_proposal(form, rule), now=clock.now()))):
        return _form_page(form, rule), 422
    return _dry_run_page(tried[0])


@pages.post("/owner/rules/save", needs=NEED, reads="list")
def save_tried_rules() -> Answer:
    """Save what was tried, on the version it was tried on; visits that it changes are judged again at once."""
    form, rule = _typed()
    if not form.validate():
        return _form_page(form, rule), 422
    seen = request.form.get("version", "")
    now, proposal = clock.now(), _proposal(form, rule)
    try:
        tried = rehearsing.rehearse(proposal, now=now)
        if not request.form.get("sure") or seen != str(tried.number):
            return _dry_run_page(tried, problem=_(UNSURE if seen == str(tried.number) else _MEANWHILE)), 422
        number = save_rules(proposal, seen=tried.number, by=who() or 0, now=now)
    except InvalidInput as error:
        form.add_error(error.field, error.sentence)
        return _form_page(form, rule), 422
    except ChangedMeanwhile as error:
        return _dry_run_page(rehearsing.rehearse(proposal, now=now), problem=error.sentence), 409
    reconciling.judge_clients(tried.client_ids, now)
    stopped = sum(one.after.kind == "cancelled" for one in tried.turns)
    saved = _("Version %(number)s of your rules is saved and in force.", number=number)
    flash(f"{saved} {_what_next(stopped)}".rstrip(), "success")
    if stopped and current_user.may(Permission.CLINICAL_REVIEW):
        return go("booking.unsafe_visits")
    return go("rulebook.versions")


_MEANWHILE = N_("The rules changed since you tried this. This is what would change now.")


def _what_next(stopped: int) -> str:
    if not stopped:
        return ""
    return ngettext(
        "%(num)d visit is no longer safe. What begins within a day is called off at once; before other clients are "
        "told, somebody with clinical review looks at the list.",
        "%(num)d visits are no longer safe. What begins within a day is called off at once; before other clients are "
        "told, somebody with clinical review looks at the list.",
        stopped,
    )


def _changes() -> tuple[RuleChange, ...]:
    return rulebook.changes_of(rulebook.newest_number()) or ()


def _form(kind: str, **data: str) -> ProposalForm:
    return FORMS[kind](data={"kind": kind, **data})


def _typed() -> tuple[ProposalForm, Rule | None]:
    """The form that was sent, and the rule it is about."""
    kind = found(FORMS.get(request.form.get("kind", "")))
    form = kind(request.form)
    code = request.form.get("rule_code", "")
    rule = found(rulebook.rule_of(code)) if code or form.is_about_one_rule else None
    form.for_rule(rule)
    return form, rule


def _proposal(form: ProposalForm, rule: Rule | None) -> Proposal:
    return form.proposal(rule, premises.today(clock.now()))


def _form_page(form: ProposalForm, rule: Rule | None) -> str:
    form.for_rule(rule)
    kind = str(form.kind.data)
    return render_template(
        "booking/rule_change.html", form=form, kind=kind, rule=rule, house_rules=HOUSE_RULES,
        change=next((one for one in _changes() if kind == "take_back" and mark_of(one) == form["mark"].data), None),
        **WORDS,
    )  # fmt: skip


def _dry_run_page(tried: rehearsing.Rehearsal, problem: str = "") -> str:
    """Counts for everybody; who it is about, and so what somebody answered, only for those whom all answers concern."""
    sent = [
        pair for pair in request.form.items(multi=True) if pair[0] not in ("csrf_token", "version", "sure")
    ]
    now = set(_changes())
    return render_template(
        "booking/rule_dry_run.html",
        tried=tried,
        sent=sent,
        problem=problem,
        began=[one for one in tried.changes if one not in now],
        ended=[one for one in now if one not in tried.changes],
        names_shown=is_named(Permission.CLINICAL_REVIEW),
        **WORDS,
    )
