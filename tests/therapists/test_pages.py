"""The public page of the therapists, and the owner's pages."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from clinic.premises import queries as premises
from clinic.rules.permissions import Role
from clinic.shared.database import transaction
from clinic.therapists import queries
from clinic.therapists.models import Therapist
from tests.factories import (
    make_client,
    make_clinic,
    make_hours,
    make_location,
    make_never_together,
    make_therapist,
    make_user,
)
from tests.owners import browser_of, deeds, owner_browser, save_page
from tests.typed_forms import form_on

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def owner(app: Flask) -> FlaskClient:
    """An owner's browser, in a clinic where Ana works from nine to five."""
    make_clinic()
    place = make_location(zone="America/New_York", opens="09:00", closes="18:00")
    ana = make_therapist(
        name="Ana Ruiz",
        skills=["cupping"],
        bio="Likes calm.",
        licence_expires_on=dt.date(2026, 6, 20),
        tint=2,
    )
    make_hours(ana, place, starts="09:00", ends="17:00")
    make_hours(ana, place, starts="12:00", ends="12:30", kind="break")
    return owner_browser(app)


def ana_id() -> int:
    return queries.all_therapists()[0].id


def place_id() -> int:
    return premises.locations()[0].id


def address(part: str = "") -> str:
    return f"/owner/therapists/{ana_id()}{part}"


def hours_address() -> str:
    return address(f"/hours?place={place_id()}")


@pytest.mark.parametrize("part", ["", "/hours", "/apart"])
def test_only_an_owner_comes_in(app: Flask, client: FlaskClient, owner: FlaskClient, part: str) -> None:
    assert owner.get(address(part)).status_code == 200
    assert client.get(address(part)).status_code == 303
    desk = make_user(email="desk@clinic.example", roles=[Role.FRONT_DESK, Role.THERAPIST])
    browser = browser_of(app, desk)
    assert browser.get(address(part)).status_code == 403
    assert browser.post(address(part)).status_code == 403


def test_public_page_has_skills_in_words_and_nothing_private(client: FlaskClient, owner: FlaskClient) -> None:
    make_therapist(name="Bob Off", skills=[], is_active=False)
    page = client.get("/therapists").text
    for words in ("Ana Ruiz", "Likes calm.", "Cups and vacuum", "Licensed massage therapist (LMT)"):
        assert words in page
    for private in ("Bob Off", "T-1", "20 June"):
        assert private not in page


def test_list_warns_of_licences_in_words(owner: FlaskClient) -> None:
    make_therapist(name="Zed", skills=[], licence_expires_on=dt.date(2026, 6, 8))
    page = owner.get("/owner/therapists").text
    assert "LMT licence: expires in 11 days, last day Saturday 20 June" in page
    assert "LMT licence: expired on Monday 8 June: no visits can be booked" in page


@pytest.mark.parametrize("hours", [False, True])
def test_saving_untouched_changes_nothing(owner: FlaskClient, hours: bool) -> None:
    row = queries.therapist(ana_id())
    assert row is not None
    before = (queries.therapist_facts(row), queries.week_of(row.id, place_id()))
    assert save_page(owner, hours_address() if hours else address()).status_code == 303
    row = queries.therapist(ana_id())
    assert row is not None
    assert (queries.therapist_facts(row), queries.week_of(row.id, place_id())) == before
    assert len(deeds()) == 1


def test_profile_is_changed(owner: FlaskClient) -> None:
    account = make_user(email="ana@clinic.example", roles=[Role.THERAPIST]).id
    answer = save_page(
        owner,
        address(),
        skills=["sports", "prenatal"],
        other_skill="Gua sha",
        licence_expires_on="2027-01-31",
        user_id=str(account),
        tint="5",
    )
    assert answer.status_code == 303
    row = queries.therapist(ana_id())
    assert row is not None
    facts = queries.therapist_facts(row)
    assert (facts.skills, facts.licence_expires_on, facts.user_id, facts.tint) == (
        ("gua_sha", "prenatal", "sports"),
        dt.date(2027, 1, 31),
        account,
        5,
    )


def test_skills_are_given_days_and_the_days_are_shown(client: FlaskClient, owner: FlaskClient) -> None:
    def inputs() -> list[str]:
        """The names of the two days of the cups."""
        rows = form_on(owner.get(address()).text, address())
        row = next(name for name, typed in rows.items() if name.startswith("dates-") and typed == ["cupping"])
        return [row.replace("skill", one) for one in ("starts_on", "ends_on")]

    first, last = inputs()
    for typed, sentence in (
        ({first: "2026-06-10", last: "2026-06-09"}, "The last day lies before the first day."),
        ({last: "soon"}, "Enter a day that exists, written like 2026-03-16."),
    ):
        answer = save_page(owner, address(), **typed)
        assert (answer.status_code, sentence in answer.text) == (422, True)
        assert f'href="#{last}"' in answer.text, "the box of mistakes leads to the input"
        assert f'value="{typed[last]}"' in answer.text, "what was typed stays"
    assert deeds() == []
    assert save_page(owner, address(), **{last: "2026-06-19"}).status_code == 303
    row = queries.therapist(ana_id())
    assert row is not None
    assert queries.therapist_facts(row).skill_dates == (("cupping", None, dt.date(2026, 6, 19)),)
    listed = owner.get("/owner/therapists").text
    assert "Runs out soon" in listed
    assert re.search("Cups and vacuum: expires in 10 days, last day Friday 19 June", listed)
    assert save_page(owner, address(), **{inputs()[1]: "2026-06-08"}).status_code == 303
    assert "ended on Monday 8 June" in owner.get("/owner/therapists").text
    assert "Cups and vacuum" not in client.get("/therapists").text, "what is over is not shown to clients"


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("name", "", "Enter the name as clients read it."),
        ("licence_number", "", "Enter the number on the licence."),
        ("licence_expires_on", "", "Enter the last day on which the licence is good."),
        ("licence_expires_on", "31/01/2027", "Enter the last day on which the licence is good."),
        ("licence_expires_on", "0202-01-31", "Check the year."),
        ("skills", ["flying"], "Choose from the list only."),
        ("tint", "9", "Choose one from the list."),
        ("user_id", "999", "Choose one from the list."),
        ("other_skill", "!!", "Use letters from a to z."),
        ("bio", "x" * 1001, "Write this in at most 1,000 characters."),
    ],
)
def test_wrong_profile_gets_a_sentence_and_stays_typed(
    owner: FlaskClient, field: str, typed: str, sentence: str
) -> None:
    answer = save_page(owner, address(), gender="woman", **{field: typed})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert form_on(answer.text, address())["gender"] == ["woman"]
    assert deeds() == []


def test_new_therapist_goes_on_to_the_hours(owner: FlaskClient) -> None:
    typed = {"name": "Bo Li", "licence_number": "NY-2", "licence_expires_on": "2027-01-31"}
    answer = save_page(owner, "/owner/therapists/new", **typed)
    added = next(row for row in queries.all_therapists() if row.name == "Bo Li")
    assert answer.location == f"/owner/therapists/{added.id}/hours"
    assert "Now enter the weekly hours" in owner.get(answer.location).text


def test_second_tab_does_not_undo_the_first(owner: FlaskClient) -> None:
    stale = form_on(owner.get(address()).text, address())
    assert save_page(owner, address(), bio="First tab").status_code == 303
    clash = owner.post(address(), data=stale)
    assert clash.status_code == 422
    assert "Somebody changed this while you had it open" in clash.text
    assert owner.post(address(), data=form_on(clash.text, address())).status_code == 303


def test_week_is_typed_with_breaks_and_buttons(owner: FlaskClient) -> None:
    page = owner.get(address("/hours"))
    assert "37 hours 30 minutes a week" in page.text
    action = hours_address()
    more = owner.post(action, data=form_on(page.text, action) | {"act": "add.break.0"})
    assert more.status_code == 200
    fields = form_on(more.text, action) | {"break.0.1.starts": "15:00", "break.0.1.ends": "15:15"}
    assert owner.post(action, data=fields).status_code == 303
    assert len(queries.week_of(ana_id(), place_id())["break"]) == 6


def test_break_outside_the_hours_says_why(owner: FlaskClient) -> None:
    action = hours_address()
    fields = form_on(owner.get(action).text, action) | {
        "break.0.0.starts": "17:00",
        "break.0.0.ends": "17:30",
    }
    answer = owner.post(action, data=fields)
    assert answer.status_code == 422
    assert "Monday: This break does not lie inside the hours of Monday." in answer.text


@pytest.mark.parametrize("place", ["999", "x", "-1", "1.0"])
def test_place_that_is_not_there_is_not_found(owner: FlaskClient, place: str) -> None:
    assert owner.get(address(f"/hours?place={place}")).status_code == 404


def test_therapist_that_is_not_there_is_not_found(owner: FlaskClient) -> None:
    for part in ("", "/hours", "/apart"):
        assert owner.get(f"/owner/therapists/999{part}").status_code == 404
        assert owner.post(f"/owner/therapists/999{part}", data={}).status_code == 404


def test_client_is_found_kept_apart_and_let_together_again(owner: FlaskClient) -> None:
    eva = make_client(first_name="Eva", last_name="Low", born_on=dt.date(1990, 1, 1)).id
    make_client(first_name="Max", last_name="High", born_on=dt.date(1990, 1, 1))
    page = owner.get(address("/apart?q=eva l")).text
    assert "Eva Low" in page
    assert "Max High" not in page
    fields = form_on(page, address("/apart"))
    without = owner.post(address("/apart"), data=fields | {"client_id": str(eva), "reason": ""})
    assert without.status_code == 422
    assert "Write the reason." in without.text
    assert (
        owner.post(
            address("/apart"), data=fields | {"client_id": str(eva), "reason": "Neighbours."}
        ).status_code
        == 303
    )
    shown = owner.get(address("/apart")).text
    assert "Neighbours." in shown
    pair = queries.never_together_of(ana_id())[0].id
    assert owner.post(address(f"/apart/{pair}/end"), data={"sure": "1"}).status_code == 303
    assert queries.never_together(eva) == set()
    assert owner.post(address(f"/apart/{pair}/end"), data={"sure": "1"}).status_code == 404


@pytest.mark.parametrize("client_id", ["", "x", "999999"])
def test_keeping_nobody_apart_is_a_message_not_an_error(owner: FlaskClient, client_id: str) -> None:
    answer = owner.post(address("/apart"), data={"client_id": client_id, "reason": "Why.", "q": "eva"})
    assert answer.status_code == 422
    assert queries.never_together_of(ana_id()) == []


def test_pair_of_another_therapist_cannot_be_ended_here(owner: FlaskClient) -> None:
    eva = make_client(first_name="Eva", last_name="Low", born_on=dt.date(1990, 1, 1))
    bob = make_therapist(name="Bob", skills=[])
    pair = make_never_together(eva, bob).id
    assert owner.post(address(f"/apart/{pair}/end"), data={"sure": "1"}).status_code == 404
    assert len(queries.never_together_of(bob.id)) == 1


def test_a_therapist_says_what_clients_see_of_them(owner: FlaskClient, app: Flask) -> None:
    account = make_user(email="ana@clinic.example", roles=[Role.THERAPIST])
    save_page(owner, address(), user_id=str(account.id))
    browser = browser_of(app, account)
    assert form_on(browser.get("/therapists/me").text, "/therapists/me")["gender"] == [""]
    answer = save_page(browser, "/therapists/me", bio="Slow and deep.", gender="woman")
    assert (answer.status_code, answer.location) == (303, "/diary/me")
    me = queries.all_therapists()[0]
    assert (me.bio, me.gender, deeds()[-1]) == (
        "Slow and deep.",
        "woman",
        ("therapist.changed", "bio, gender"),
    )
    assert "Slow and deep." in owner.get("/therapists").text
    assert save_page(browser, "/therapists/me", gender="unicorn").status_code == 422
    assert save_page(browser, "/therapists/me", seen="another").status_code == 422
    assert (
        browser_of(app, make_user(email="new@clinic.example", roles=[Role.THERAPIST]))
        .get("/therapists/me")
        .status_code
        == 404
    )


def test_a_kind_of_licence_is_named_as_the_country_names_it(owner: FlaskClient, client: FlaskClient) -> None:
    own = "Heilpraktikerin für Physiotherapie"
    for typed, kept in (
        (f"  {own} ", own),
        (own.casefold(), own),
        ("licensed massage THERAPIST (LMT)", "LMT"),
    ):
        assert save_page(owner, address(), other_licence=typed).status_code == 303
        assert queries.all_therapists()[0].licence_kind == kept
    save_page(owner, address(), other_licence=own)
    assert f'<option selected value="{own}">{own}</option>' in owner.get(address()).text
    assert save_page(owner, address()).status_code == 303, "it is a choice like the others"
    assert own in client.get("/therapists").text


@pytest.mark.parametrize(
    ("role", "is_active", "named"),
    [
        (Role.THERAPIST, False, "Ana, ana@clinic.example (switched off)"),
        (Role.FRONT_DESK, True, "Ana, ana@clinic.example (without the role of therapist)"),
    ],
)
def test_an_account_that_is_away_for_a_while_stays_theirs(
    owner: FlaskClient, role: Role, is_active: bool, named: str
) -> None:
    account = make_user(email="ana@clinic.example", name="Ana", roles=[role], is_active=is_active).id
    with transaction() as session:
        session.get_one(Therapist, ana_id()).user_id = account
    assert f'<option selected value="{account}">{named}</option>' in owner.get(address()).text
    assert save_page(owner, address(), bio="Away until autumn.").status_code == 303
    ana = queries.all_therapists()[0]
    assert (ana.bio, ana.user_id) == ("Away until autumn.", account)
    # Nobody else is given it, and once it is theirs no more it is no choice.
    other = make_therapist(name="Bob", skills=[]).id
    assert named not in owner.get(f"/owner/therapists/{other}").text
    assert save_page(owner, f"/owner/therapists/{other}", user_id=str(account)).status_code == 422
    assert save_page(owner, address(), user_id="").status_code == 303
    assert named not in owner.get(address()).text
