"""A paper as a PDF: what stands on it can be copied out, searched and heard."""

from __future__ import annotations

import datetime as dt
import io
import os

import pytest
from PIL import Image
from pypdf import PageObject, PdfReader

from clinic.shared.papers import Pairs, Paper
from clinic.shared.pdf import as_pdf

AT = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)


def first_page_of(name: str, logo: bytes | None = None) -> PageObject:
    paper = Paper("Names", "Clinic", Pairs((("Client", name),)), (), "foot")
    return PdfReader(io.BytesIO(as_pdf(paper, AT, logo))).pages[0]


def text_of(name: str) -> str:
    return first_page_of(name).extract_text()


def a_logo(size_of_profile: int = 0) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (90, 30), "teal").save(file, "PNG", icc_profile=os.urandom(size_of_profile))
    return file.getvalue()


@pytest.mark.parametrize(
    ("logo", "drawn"),
    [(a_logo(), 1), (a_logo(2_000_000), 0), (a_logo()[:-30], 0), (b"", 0), (b"<svg/>", 0)],
    ids=["a picture", "with a large colour profile", "broken off", "empty", "no picture"],
)
def test_a_logo_that_cannot_be_drawn_is_left_out(logo: bytes, drawn: int) -> None:
    page = first_page_of("Ana", logo)
    assert (len(page.images), "Ana" in page.extract_text()) == (drawn, True)


def test_a_name_with_a_smiley_loses_none_of_it() -> None:
    assert "Ana [U+1F600] B" in text_of("Ana \U0001f600 B")


def test_no_word_of_an_arabic_name_becomes_an_empty_box() -> None:
    """Abdullah: the one sign that is made of its second word is not in the typeface."""
    assert "\0" not in (text := text_of("عبد الله"))
    assert "\ufeea" in text.replace("\ufdf2", "")
