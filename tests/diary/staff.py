"""Accounts for the small clinic of tests/booking/world.py, and browsers in which they are signed in."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask
from flask.testing import FlaskClient

from clinic.rules.permissions import Permission, Role
from clinic.shared.database import transaction
from clinic.therapists.models import Therapist
from tests.accounts.people import browser_of, make_person
from tests.booking import world as w
from tests.web import Visitor


@dataclass(frozen=True)
class Staffed:
    """The clinic, with accounts for its first two therapists."""

    world: w.World
    app: Flask
    me: int
    other: int

    def browser(self, email: str) -> FlaskClient:
        """A browser in which this account is signed in."""
        self.app.test_client_class = Visitor
        return browser_of(self.app, email)


ME, OTHER = "terry1@clinic.example", "terry2@clinic.example"


def staffed(app: Flask) -> Staffed:
    """Terry 1 and Terry 2 sign in; the third therapist has no account."""
    world = w.build(skills=w.SERVICE_SKILLS)
    for therapist_id, email in zip(world.therapists, (ME, OTHER), strict=False):
        user_id = make_person(email, Role.THERAPIST).id
        with transaction() as session:
            session.get_one(Therapist, therapist_id).user_id = user_id
    return Staffed(world, app, world.therapists[0], world.therapists[1])


def person_with(role: Role, *given: Permission) -> str:
    """An account of this role; returns its e-mail."""
    email = f"{role.value}{len(given)}@clinic.example"
    make_person(email, role, given=given)
    return email
