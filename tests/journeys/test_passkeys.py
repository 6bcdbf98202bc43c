"""A passkey in a real browser: made, and used to sign in without a password."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from clinic.accounts.models import Passkey
from clinic.shared.database import db
from tests.browser import Site
from tests.journeys.test_letter_check_in_and_say import becomes_nobody

if TYPE_CHECKING:
    from playwright.sync_api import Page

PHONE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True,
}  # fmt: skip


def test_passkey_is_made_and_signs_in(
    page: Page, site: Site, accessibility_faults: Callable[[Page], list[str]]
) -> None:
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": PHONE})
    page.goto("/sign-in")
    page.fill("input[name=email]", "owner@willow.example")
    page.fill("input[name=password]", "quiet-willow")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(re.compile(r"/desk"))
    page.goto("/account/second-step")
    assert accessibility_faults(page) == []
    page.fill("input[name=name]", "My phone")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_role("heading", name="Your recovery codes").wait_for()
    assert accessibility_faults(page) == []
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save the codes").click()
    assert len(saved.value.path().read_text().split()) == 10
    page.get_by_role("link", name="I have them, go on").click()
    page.get_by_role("strong").filter(has_text="My phone").wait_for()
    becomes_nobody(page)
    page.goto("/sign-in")
    assert accessibility_faults(page) == []
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(re.compile(r"/desk"))
    becomes_nobody(page)
    page.goto("/sign-in")
    page.fill("input[name=email]", "owner@willow.example")
    page.fill("input[name=password]", "quiet-willow")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", name="One more step").wait_for()
    assert accessibility_faults(page) == []
    page.get_by_role("button", name="Use my passkey").click()
    page.wait_for_url(re.compile(r"/desk"))
    with site.app.app_context():
        assert [one.sign_count > 0 for one in db.session.query(Passkey)] == [True]
        db.session.remove()
    assert complaints == []


def test_what_the_phone_refuses_can_be_tried_again_at_once(page: Page, site: Site) -> None:
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    refuses = {"options": {**PHONE, "isUserVerified": False}}
    phone = devtools.send("WebAuthn.addVirtualAuthenticator", refuses)["authenticatorId"]
    page.goto("/sign-in")
    page.fill("input[name=email]", "client@willow.example")
    page.fill("input[name=password]", "quiet-willow")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(re.compile(r"/my$"))
    page.goto("/account/second-step")
    page.fill("#name", "My phone")
    add = page.get_by_role("button", name="Add a passkey")
    add.click()
    page.get_by_text("No passkey was made. Try again").wait_for()
    assert add.get_attribute("aria-disabled") is None
    devtools.send("WebAuthn.setUserVerified", {"authenticatorId": phone, "isUserVerified": True})
    add.click()
    page.get_by_role("link", name="I have them, go on").click()
    page.fill("#name", "My phone once more")
    add.click()
    page.get_by_text("has a passkey for this account already").wait_for()
