"""What the preview of a message puts in its places."""

from __future__ import annotations

import pytest

from clinic.rules import language
from clinic.rules.own_text import PLACES, sample_of


def test_days_of_a_preview_are_written_as_the_clinic_writes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (sample_of("when"), sample_of("until")) == (
        "Tuesday 9 June 2026 at 2:30 pm",
        "Friday 12 June 2026",
    )
    monkeypatch.setattr(language._Spoken, "month_first", lambda: True)
    assert (sample_of("when"), sample_of("until")) == (
        "Tuesday, June 9, 2026 at 2:30 pm",
        "Friday, June 12, 2026",
    )
    assert sample_of("visits") == "Tuesday, June 9, 2026 at 2:30 pm, 1 hour, with Alex Sample"
    assert not any("%" in sample_of(place) for place in PLACES)
