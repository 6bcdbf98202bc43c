"""Larger text: a cookie of this browser that says nothing about anybody."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

pytestmark = pytest.mark.usefixtures("premises", "now")


def test_larger_text_holds_on_every_page_until_it_is_switched_back(client: FlaskClient) -> None:
    before = "/sign-in?next=/my"
    assert 'data-type="large"' not in client.get(before).text
    answer = client.post(
        "/text-size", data={"size": "large"}, headers={"Referer": f"http://localhost{before}"}
    )
    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/my")
    [cookie] = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith("text=")]
    assert cookie.startswith("text=large; ")
    assert "Max-Age=31536000" in cookie
    assert "SameSite=Lax" in cookie
    for address in ("/sign-in", "/services"):
        page = client.get(address).text
        assert 'data-type="large"' in page
        assert 'aria-pressed="true"' in page
    client.post("/text-size", data={"size": "usual"})
    assert 'data-type="large"' not in client.get("/sign-in").text


@pytest.mark.parametrize(
    "before",
    [
        "https://elsewhere.example/my",
        "http://localhost//elsewhere.example/",
        "http://localhost",
        "",
    ],
)
def test_it_never_leads_to_another_site(client: FlaskClient, before: str) -> None:
    answer = client.post("/text-size", data={"size": "large"}, headers={"Referer": before})
    assert answer.location == "/"
