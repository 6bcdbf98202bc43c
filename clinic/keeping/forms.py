"""How long things are kept, as the owner types it, and that somebody is really to be erased."""

from __future__ import annotations

from wtforms import BooleanField
from wtforms.validators import InputRequired

from clinic.rules.keeping import PERIODS
from clinic.shared.fields import FactsForm, number_field
from clinic.shared.languages import lazy


class _Periods(FactsForm):
    """One number for each kind."""

    def amounts(self) -> dict[str, int]:
        """What was typed."""
        return {one.kind: int(self[one.kind].data) for one in PERIODS}


PeriodsForm = type(
    "PeriodsForm",
    (_Periods,),
    {
        one.kind: number_field(
            lazy(one.label), least=one.least, most=one.most, help_text=lazy(one.help) if one.help else ""
        )
        for one in PERIODS
    },
)


class EraseForm(FactsForm):
    """One tick, so that nobody is erased by a slip."""

    sure = BooleanField(
        lazy("I have read what is erased. It cannot be brought back."),
        validators=[InputRequired(lazy("Tick this first, so that nobody is erased by mistake."))],
    )
