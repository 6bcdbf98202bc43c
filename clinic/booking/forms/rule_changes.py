"""An owner's changes of rules. Every form makes a proposal, which is tried on the coming visits before it is saved."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from wtforms import HiddenField, RadioField, SelectMultipleField, TextAreaField
from wtforms.validators import InputRequired, NumberRange
from wtforms.widgets import CheckboxInput, HiddenInput, ListWidget

from clinic.rules.change_words import SAID
from clinic.rules.changed_table import Rule, may_wait_for_letter
from clinic.rules.conditions import Condition
from clinic.rules.findings import ISSUER_WORDS
from clinic.rules.house_rules import HOUSE_RULES
from clinic.rules.language import _
from clinic.rules.letter_scope import COLUMN_WORDS
from clinic.rules.proposals import Proposal
from clinic.rules.rule_change import RuleChange
from clinic.rules.verdicts import VERDICT_WORDS, Verdict
from clinic.rules.words import capital
from clinic.shared.fields import FactsForm, WholeNumberField, choose, date_field, lines_field, text_field
from clinic.shared.languages import lazy

LONGEST_REASON = 500
NO_VERSION = lazy("There is no such version.")


def _reason(help_text: str) -> TextAreaField:
    return lines_field(
        _("Why"), longest=LONGEST_REASON, rows=3, required=_("Write in a few words why."), help_text=help_text
    )


def _ticks(label: str, choices: dict[str, str], help_text: str = "") -> SelectMultipleField:
    return SelectMultipleField(
        label, choices=choices, widget=ListWidget(prefix_label=False), option_widget=CheckboxInput(),
        description=help_text,
    )  # fmt: skip


class ProposalForm(FactsForm):
    """What every proposal has: what kind it is, which rule it is about, and why."""

    is_about_one_rule: ClassVar = False
    makes: ClassVar[str]
    """The kind of proposal."""
    kind = HiddenField()
    rule_code = HiddenField()
    reason = _reason(lazy("Kept in the history of the rules. Name no client."))

    def for_rule(self, rule: Rule | None) -> None:
        """Offer what this rule allows."""

    def proposal(self, rule: Rule | None, today: dt.date) -> Proposal:
        """What was typed."""
        return Proposal(self.makes, self.reason.data or "", **self.what(rule, today))

    def what(self, rule: Rule | None, today: dt.date) -> dict[str, Any]:
        """What is proposed, as `Proposal` names it."""
        return {}

    def change(self, rule: Rule | None, today: dt.date, **more: Any) -> dict[str, RuleChange]:
        """The change of one rule: what the two forms for that have alike."""
        return {
            "change": RuleChange(
                rule=rule.key if rule else "",
                columns=tuple(self.data["columns"] or ()),
                verdict=VERDICT_WORDS[self.data["verdict"]],
                since=today,
                reason=self.reason.data or "",
                **more,
            )
        }


class StricterForm(ProposalForm):
    """At least this, for these treatments."""

    is_about_one_rule = True
    makes = "change"
    columns = _ticks(lazy("For which treatments?"), dict(COLUMN_WORDS))
    verdict = RadioField(
        lazy("At least"), validators=[InputRequired(lazy("Choose how strict it should be."))]
    )
    found = RadioField(
        lazy("When does it hold?"),
        choices={
            "found": lazy("Wherever this rule asks for care already"),
            "always": lazy("Whenever the answer is yes, wherever on the body and however long ago"),
        },
        default="found",
        validators=[InputRequired(lazy("Choose when it holds."))],
    )
    reason = _reason(lazy("Your staff read it where the rule acts. Name no client."))

    def for_rule(self, rule: Rule | None) -> None:
        choose(self.verdict, [
            (one.word, capital(_(SAID[one]))) for one in (Verdict.CAUTION, Verdict.CLEARANCE, Verdict.BLOCK)
            if one is not Verdict.CLEARANCE or rule is None or may_wait_for_letter(rule)
        ])  # fmt: skip

    def what(self, rule: Rule | None, today: dt.date) -> dict[str, Any]:
        return self.change(rule, today, only_if_found=self.found.data == "found")


class LaxerForm(ProposalForm):
    """One step less, on the word of a clinician."""

    is_about_one_rule = True
    makes = "change"
    columns = _ticks(lazy("For which treatments?"), dict(COLUMN_WORDS))
    verdict = RadioField(
        lazy("What should it be?"),
        choices={
            "clearance": lazy("“Only with a letter” in place of “not possible”"),
            "caution": lazy("“With care” in place of “only with a letter”"),
        },
        validators=[InputRequired(lazy("Choose what it should be."))],
        description=lazy("It goes one step at a time. Everything else stays as it is."),
    )
    clinician = text_field(
        lazy("Name of the clinician"), longest=120, required=lazy("Write the clinician’s name.")
    )
    role = RadioField(
        lazy("They are"), validators=[InputRequired(lazy("Choose a clinician who may clear this."))]
    )
    register_number = text_field(
        lazy("Licence or register number"), longest=60, required=lazy("Write the licence or register number.")
    )
    said_on = date_field(
        lazy("Day on which they said so"),
        required=lazy("Enter the day on which the clinician said so, today at the latest."),
    )
    reason = _reason(
        lazy("In the clinician’s words. Your staff read it, with the name, wherever the rule acts.")
    )

    def for_rule(self, rule: Rule | None) -> None:
        roles = rule.who_may_clear if isinstance(rule, Condition) else ()
        choose(self.role, [(one, capital(_(ISSUER_WORDS[one]))) for one in roles])

    def what(self, rule: Rule | None, today: dt.date) -> dict[str, Any]:
        return self.change(
            rule, today, is_laxer=True, clinician=self.clinician.data or "", role=self.role.data,
            register_number=self.register_number.data or "", said_on=self.said_on.data,
        )  # fmt: skip


class HouseRulesForm(ProposalForm):
    """Which house rules are on."""

    makes = "house_rules"
    house_rules = _ticks(lazy("House rules"), {key: one.title for key, one in HOUSE_RULES.items()})

    def what(self, rule: Rule | None, today: dt.date) -> dict[str, Any]:
        return {"house_rules": tuple(self.house_rules.data or ())}


class TakeBackForm(ProposalForm):
    """One change is to end."""

    makes = "take_back"
    mark = HiddenField()

    def what(self, rule: Rule | None, today: dt.date) -> dict[str, Any]:
        return {"mark": self.mark.data or ""}


class GoBackForm(ProposalForm):
    """An earlier version is to hold again."""

    makes = "go_back"
    number = WholeNumberField(
        widget=HiddenInput(), validators=[InputRequired(NO_VERSION), NumberRange(0, 10**6, NO_VERSION)]
    )

    def what(self, rule: Rule | None, today: dt.date) -> dict[str, Any]:
        return {"number": self.number.data or 0}


FORMS: dict[str, type[ProposalForm]] = {
    "stricter": StricterForm,
    "laxer": LaxerForm,
    "house_rules": HouseRulesForm,
    "take_back": TakeBackForm,
    "go_back": GoBackForm,
}
