"""A person who books online in a browser without JavaScript: each function is what they do on one page."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from clinic.booking.forms.choice import moment_text
from clinic.booking.queries import visits
from clinic.intake import queries as intake
from clinic.rules.question_pages import pages
from clinic.rules.questionnaire import as_form
from clinic.shared.database import db
from tests.booking import world as w

_numbers = itertools.count(1)
FORM = dict[str, Any]


def location(answer: TestResponse) -> str:
    """Where a redirect leads."""
    assert answer.status_code == 303, (answer.status_code, heading(answer))
    return answer.headers["Location"]


def heading(answer: TestResponse) -> str:
    """The h1 of the page, as text."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", answer.text, re.DOTALL)
    return re.sub(r"<[^>]+>|\s+", " ", found[1]).strip() if found else ""


def title(answer: TestResponse) -> str:
    """The page's title without the clinic's name."""
    found = re.search(r"<title>(.*?) – ", answer.text, re.DOTALL)
    return found[1] if found else ""


def hidden(answer: TestResponse, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{re.escape(name)}" value="([^"]*)"', answer.text)
    assert found, name
    return found[1]


def first(pattern: str, answer: TestResponse) -> str:
    """The first group of the first place in the page that fits."""
    found = re.search(pattern, answer.text)
    assert found, pattern
    return found[1]


def sure(answer: TestResponse) -> FORM:
    """What the button sends of a page that asks whether a visit shall be cancelled."""
    return {"revision": hidden(answer, "revision"), "sure": first(r'name="sure" value="(1)">', answer)}


def for_two(client: FlaskClient, form: FORM) -> TestResponse:
    """Press a time for two, look at what is booked, and press the button that books both."""
    return client.post("/book/couple", data={**form, **seen_for_two(client, form)})


def mark_on(page: str) -> FORM:
    """The mark of what this page shows, as its form sends it; nothing where there is none."""
    found = re.search(r'name="seen" value="([^"]+)"', page)
    return {"seen": found[1]} if found else {}


def seen_for_two(client: FlaskClient, form: FORM) -> FORM:
    """What the look at both visits says that it showed."""
    return mark_on(client.post("/book/couple", data=form).text)


LAST_PAGE = "Is everything right?", "This is not safe for you as it is"


def number_of(page: str) -> int:
    """The number of this page of questions."""
    return next(number for number, one in enumerate(pages("intake"), start=1) if one.key == page)


def choice(service: str, **values: Any) -> FORM:
    return {"minutes": str(w.SERVICES[service]), **values}


def hold(client: FlaskClient, service: str, when: dt.datetime | None = None, **values: Any) -> TestResponse:
    """Press a time."""
    form = choice(service, slot=moment_text(when or w.at(3)), **values)
    return client.post(f"/book/{service}/times", data=form)


def details(**values: Any) -> FORM:
    """Somebody new, with an e-mail and phone of their own unless VALUES say otherwise."""
    number = next(_numbers)
    return {
        "relation": "self", "first_name": "Nora", "last_name": f"Walker{number}", "born_day": "4",
        "born_month": "7", "born_year": "1988", "email": f"nora{number}@people.example",
        "phone": f"(212) 555-{3000 + number}", "guardian_name": "", **values,
    }  # fmt: skip


def name(client: FlaskClient, **values: Any) -> TestResponse:
    return client.post("/book/who", data=details(**values))


def page_form(number: int, declared: Mapping[str, Mapping[str, object]]) -> dict[str, Sequence[str]]:
    """What is typed on one page of questions to declare this and nothing else."""
    form: dict[str, Sequence[str]] = {}
    for field, values in as_form(pages("intake")[number - 1], w.answers(**declared)).items():
        if field.startswith("none."):
            continue
        if field.endswith((".date", ".weeks_as_of")):
            year, month, day = values[0].split("-")
            form |= {f"{field}.day": [day], f"{field}.month": [month.lstrip("0")], f"{field}.year": [year]}
        else:
            form[field] = values
    return form


def answer(
    client: FlaskClient,
    declared: Mapping[str, Mapping[str, object]] | None = None,
    base: str = "/book/health",
    *,
    whole: bool = False,
) -> TestResponse:
    """Go through the pages of questions; stops at the first that does not lead on. In a booking only those are pressed
    on which something is declared, or was before, with the first and the last one, unless it shall be the `whole` way:
    the others are filled in at once, since these dozen pages took a third of the time of all that books."""
    last = len(pages("intake"))
    left = list(range(1, last + 1))
    while left:
        number = left.pop(0)
        got = client.post(f"{base}/{number}", data=page_form(number, declared or {}))
        if got.status_code != 303:
            return got
        if number == 1 and base == "/book/health" and not whole:
            filled_in = _fill_in(client, declared or {})
            left = [one for one in left if one == last or one not in filled_in]
    return got


def _fill_in(client: FlaskClient, declared: Mapping[str, Mapping[str, object]]) -> set[int]:
    """The pages on which everything is "no", and nothing else was ever said: as if each had been typed."""
    with client.session_transaction() as kept:
        checkout = visits.checkout(kept["checkout"])
    drafts = intake.drafts(checkout.client_id) if checkout is not None and checkout.client_id else ()
    if len(drafts) != 1:
        db.session.rollback()
        return set()
    (draft,) = drafts
    signed = intake.newest(draft.client_id)
    said = {**(signed.answers if signed is not None else {}), **draft.answers}
    no = {"present": False}
    filled_in = {
        number: {one.key: no for one in page.conditions}
        for number, page in enumerate(pages("intake"), start=1)
        if not any(one.key in declared or said.get(one.key, no) != no for one in page.conditions)
        and not draft.half_typed
    }
    draft.write(
        {**draft.answered, **{key: value for page in filled_in.values() for key, value in page.items()}}, {}
    )
    db.session.commit()
    return set(filled_in)


def sign(client: FlaskClient, base: str = "/book/health", **values: Any) -> TestResponse:
    form = {
        "treatment": "y", "privacy": "y", "name": "Nora Walker", "guardian_relation": "mother",
        "young_person": "y", **values,
    }  # fmt: skip
    return client.post(f"{base}/sign", data={key: one for key, one in form.items() if one})


def go_on(client: FlaskClient) -> TestResponse:
    """The page at which the booking waits."""
    page = client.get(location(client.get("/book/next")))
    return client.get(location(page)) if page.status_code == 303 else page


def confirm(client: FlaskClient, **values: Any) -> TestResponse:
    """Press "Confirm booking" on the page as it stands."""
    page = client.get("/book/check")
    assert page.status_code == 200, location(page)
    return client.post("/book/check", data={"seen": hidden(page, "seen"), **values})


def up_to_check(
    client: FlaskClient,
    service: str,
    declared: Mapping[str, Mapping[str, object]],
    *,
    when: dt.datetime | None = None,
    who: Mapping[str, Any] | None = None,
    **values: Any,
) -> TestResponse:
    """From the time to the page before the button."""
    location(hold(client, service, when, **values))
    location(name(client, **(who or {})))
    answered = answer(client, declared)
    assert answered.status_code in (200, 303), re.findall(
        r'class="wrong"[^>]*>(?:<svg.*?</svg>)?([^<]*)', answered.text
    )
    if answered.status_code == 200:
        return answered
    location(sign(client))
    return go_on(client)


def book(client: FlaskClient, service: str, **values: Any) -> TestResponse:
    """The whole way; returns the page it ends on."""
    declared = values.pop("declared", {})
    page = up_to_check(client, service, declared, **values)
    if heading(page) not in LAST_PAGE:
        return page
    return client.get(location(confirm(client)))
