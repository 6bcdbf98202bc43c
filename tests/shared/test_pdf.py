"""A paper as a PDF: what stands on it can be copied out, searched and heard."""

from __future__ import annotations

import datetime as dt
import io

from pypdf import PdfReader

from clinic.shared.papers import Pairs, Paper
from clinic.shared.pdf import as_pdf

AT = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)


def text_of(name: str) -> str:
    paper = Paper("Names", "Clinic", Pairs((("Client", name),)), (), "foot")
    return PdfReader(io.BytesIO(as_pdf(paper, AT))).pages[0].extract_text()


def test_a_name_with_a_smiley_loses_none_of_it() -> None:
    assert "Ana [U+1F600] B" in text_of("Ana \U0001f600 B")


def test_no_word_of_an_arabic_name_becomes_an_empty_box() -> None:
    """Abdullah: the one sign that is made of its second word is not in the typeface."""
    assert "\0" not in (text := text_of("عبد الله"))
    assert "\ufeea" in text.replace("\ufdf2", "")
