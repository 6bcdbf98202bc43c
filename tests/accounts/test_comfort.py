"""Larger text: a cookie of this browser that says nothing about anybody."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

pytestmark = pytest.mark.usefixtures("premises", "now")


def test_larger_text_holds_on_every_page_until_it_is_switched_back(client: FlaskClient) -> None:
    before = client.get("/sign-in?next=/my").text
    assert 'data-type="large"' not in before
    assert 'name="next" value="/sign-in?next=/my"' in before
    answer = client.post("/text-size", data={"size": "large", "next": "/sign-in?next=/my"})
    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/my")
    [cookie] = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith("text=")]
    assert cookie.startswith("text=large; ")
    assert "Max-Age=31536000" in cookie
    assert "SameSite=Lax" in cookie
    for address in ("/sign-in", "/services"):
        page = client.get(address).text
        assert 'data-type="large"' in page
        assert 'aria-pressed="true"' in page
    client.post("/text-size", data={"size": "usual", "next": "/"})
    assert 'data-type="large"' not in client.get("/sign-in").text


@pytest.mark.parametrize("ahead", ["https://elsewhere.example/", "//elsewhere.example/", ""])
def test_it_never_leads_to_another_site(client: FlaskClient, ahead: str) -> None:
    assert client.post("/text-size", data={"size": "large", "next": ahead}).location == "/"
