"""The owner's reports: as pictures with the table behind each, and each table as a file."""

from __future__ import annotations

import datetime as dt
from typing import Any

from babel.numbers import get_decimal_symbol
from flask import Response, render_template, request

from clinic.premises import queries as premises
from clinic.reports import queries
from clinic.reports.forms import ReportForm
from clinic.reports.tables import Table, hours_words, percent
from clinic.rules.language import _, gettext, spoken
from clinic.rules.permissions import Permission
from clinic.rules.report_period import Period
from clinic.rules.words import grouped
from clinic.shared import clock
from clinic.shared.csv_file import csv_file
from clinic.shared.fields import choose
from clinic.shared.uploads import as_download
from clinic.shared.web import Answer, Pages

pages = Pages("reports", __name__)
pages.add_app_template_filter(percent)
pages.add_app_template_filter(hours_words, "hours")
pages.add_app_template_filter(grouped)


@pages.get("/owner/reports", needs=Permission.REPORT_ANY_READ)
def overview() -> Answer:
    """Every report of a period; `?over=month&month=2026-05`, `?over=days&first=…&last=…`, `&place=2`."""
    form = _form()
    period = form.period(premises.today(clock.now()))
    page = render_template(
        "reports/overview.html",
        form=form,
        period=period,
        shown=queries.reports(period, _place(form)),
        asked=_asked(form, period),
        several=len(form.place.choices or ()) > 2,
    )
    return page if not form.errors and not form.form_errors else (page, 422)


@pages.get("/owner/reports/<key>.csv", needs=Permission.REPORT_ANY_READ)
def table_file(key: str) -> Answer:
    """One table as a file. Of a wrong period there is none: the page says what is wrong."""
    form = _form()
    period = form.period(premises.today(clock.now()))
    if form.errors or form.form_errors:
        return overview()
    return _download(queries.report(key, period, _place(form)), period)


def _form() -> ReportForm:
    form = ReportForm(request.args)
    choose(form.place, [("", _("All places")), *((one.id, one.name) for one in premises.places())])
    return form


def _place(form: ReportForm) -> int | None:
    """A place that is not in the list has its message at the field; all are shown meanwhile."""
    return int(form.place.data) if form.place.data and not form.place.errors else None


def _asked(form: ReportForm, period: Period) -> dict[str, Any]:
    """The address of the files: the days themselves, so that a link that is kept stays the same."""
    return {
        "over": "days",
        "first": period.first.isoformat(),
        "last": period.last.isoformat(),
        "place": form.place.data if _place(form) else None,
    }


def _download(table: Table, period: Period) -> Response:
    heads = [_(one.title) + (", %" if one.kind == "share" else "") for one in table.columns]
    rows = [
        [_plain(cell, column.kind) for column, cell in zip(table.columns, row, strict=True)]
        for row in table.rows
    ]
    name = f"{table.key}-{_day(period.first)}-{_day(period.last)}.csv"
    return as_download(csv_file(heads, rows, decimal=get_decimal_symbol(spoken())), "text/csv", name)


def _plain(cell: Any, kind: str) -> Any:
    """As the page says it, but for the formats of numbers."""
    if kind == "share" and isinstance(cell, float):
        return round(cell * 100, 1)
    return gettext(cell) if kind == "text" and isinstance(cell, str) else cell


def _day(day: dt.date) -> str:
    return day.isoformat()
