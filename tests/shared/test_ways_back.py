"""The pages that say what went wrong lead back to the page whose form did not work."""

from __future__ import annotations

import pytest
from flask import Flask

from clinic.shared.web import comes_back_to, error_page, page_before
from tests.factories import make_clinic, make_location


def test_a_form_that_did_not_work_is_opened_again_where_its_page_is(app: Flask) -> None:
    make_clinic()
    make_location(zone="America/New_York")

    def page(address: str, code: int, method: str = "POST") -> str:
        with app.test_request_context(address, method=method):
            return error_page(code).get_data(as_text=True)  # type: ignore[union-attr]

    assert '<a href="/sign-in">Open the page again</a>' in page("/sign-in?next=/my", 400)
    assert '<a href="/account/password">Go back and choose something smaller</a>' in page(
        "/account/password", 413
    )
    nowhere_to_go = [page("/language", 400), page("/sign-in", 400, "GET"), page("/sign-in", 403)]
    assert [one for one in nowhere_to_go if "again</a>" in one] == []


@pytest.mark.parametrize(
    ("before", "leads_to"),
    [
        ("http://localhost/book/swedish/times?minutes=60", "/book/swedish/times?minutes=60"),
        ("http://localhost/book/person", ""),  # only answers to forms
        ("http://localhost/", ""),  # all that a browser says of a page whose address is a key
        ("https://elsewhere.example/services", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_back_leads_to_the_page_of_the_form(app: Flask, before: str, leads_to: str) -> None:
    """Where the address of the answer has no page of its own."""
    with app.test_request_context("/book/person", method="POST", headers={"Referer": before}):
        assert comes_back_to() == leads_to


@pytest.mark.parametrize("before", ["http://[", "http://localhost/a//b", "http://localhost//", "\x00", "://"])
def test_what_is_no_address_leads_nowhere(app: Flask, before: str) -> None:
    with app.test_request_context("/book/person", method="POST", headers={"Referer": before}):
        assert (comes_back_to(), page_before()) == ("", "")
    with app.test_request_context("/book//who", method="POST"):
        assert comes_back_to() == ""
