"""What a report is about, as it stands in the address: a period and a place."""

from __future__ import annotations

import datetime as dt

from wtforms import RadioField, SelectField

from clinic.rules import report_period
from clinic.rules.errors import InvalidInput
from clinic.rules.language import _
from clinic.rules.report_period import Period
from clinic.shared.fields import DayField, FactsForm, text_field
from clinic.shared.languages import lazy

PERIODS = {"weeks": lazy("Last 4 weeks"), "month": lazy("One month"), "days": lazy("From one day to another")}


class ReportForm(FactsForm):
    """A wrong period says so at its field, and the last four weeks are shown meanwhile."""

    over = RadioField(lazy("Time"), choices=PERIODS, default="weeks")
    month = text_field(lazy("Month"), longest=7, help_text=lazy("Written like 2026-03."))
    first = DayField(lazy("First day"))
    last = DayField(lazy("Last day"))
    place = SelectField(lazy("Place"), default="")

    def period(self, today: dt.date) -> Period:
        """The period that was asked for."""
        try:
            return self._asked(today) if self.validate() else report_period.last_four_weeks(today)
        except InvalidInput as error:
            self.add_error(error.field, error.sentence)
            return report_period.last_four_weeks(today)

    def _asked(self, today: dt.date) -> Period:
        if self.over.data == "month":
            return report_period.month(self.month.data or today.strftime("%Y-%m"))
        if self.over.data == "days":
            if self.first.data is None or self.last.data is None:
                raise InvalidInput("first", _("Enter the first and the last day."))
            return report_period.between(self.first.data, self.last.data)
        return report_period.last_four_weeks(today)
