"""Who may do what: the whole policy on one page.

A permission is named `what:whose:action`. What is not granted here is refused.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum


class Role(StrEnum):
    """What a person is to the clinic. ANYONE is also whoever has not signed in."""

    ANYONE = "anyone"
    CLIENT = "client"
    THERAPIST = "therapist"
    FRONT_DESK = "front_desk"
    OWNER = "owner"


STAFF = frozenset({Role.THERAPIST, Role.FRONT_DESK, Role.OWNER})


class Permission(StrEnum):
    """In alphabetical order."""

    ACCOUNT_OWN_WRITE = "account:own:write"
    ANSWERS_ANY_OPEN = "answers:any:open"
    ANSWERS_TREATED_READ = "answers:treated:read"
    API_TOKEN_USE = "api:token:use"  # noqa: S105 - a permission, no secret
    BAR_ANY_WRITE = "bar:any:write"
    CATALOGUE_ANY_WRITE = "catalogue:any:write"
    CLIENT_ANY_ERASE = "client:any:erase"
    CLIENT_ANY_MERGE = "client:any:merge"
    CLIENT_ANY_READ = "client:any:read"
    CLIENT_ANY_WRITE = "client:any:write"
    CLINIC_ANY_WRITE = "clinic:any:write"
    CLINICAL_REVIEW = "clinical:any:review"
    DIARY_ANY_READ = "diary:any:read"
    DIARY_OWN_READ = "diary:own:read"
    FACTOR_OWN_WRITE = "factor:own:write"
    HOURS_OWN_WRITE = "hours:own:write"
    INTAKE_ANY_WRITE = "intake:any:write"
    INTAKE_OWN_WRITE = "intake:own:write"
    PERSON_OWN_WRITE = "person:own:write"
    REPORT_ANY_READ = "report:any:read"
    RULES_ANY_READ = "rules:any:read"
    RULES_ANY_WRITE = "rules:any:write"
    SITE_ANY_READ = "site:any:read"
    TABLET_ONE_WRITE = "tablet:one:write"
    TEAM_ANY_WRITE = "team:any:write"
    THERAPIST_ANY_WRITE = "therapist:any:write"
    THERAPIST_OWN_WRITE = "therapist:own:write"
    TIME_OFF_ANY_WRITE = "time_off:any:write"
    TIME_OFF_OWN_WRITE = "time_off:own:write"
    VISIT_ANY_WRITE = "visit:any:write"
    VISIT_OWN_WRITE = "visit:own:write"
    VISIT_TREATED_WRITE = "visit:treated:write"


_EVERYBODY = frozenset(Role)
_SIGNED_IN = frozenset({Role.CLIENT}) | STAFF
_DESK = frozenset({Role.FRONT_DESK, Role.OWNER})
_OWNER = frozenset({Role.OWNER})
_THERAPIST = frozenset({Role.THERAPIST})

GRANTS: dict[Permission, frozenset[Role]] = {
    Permission.ACCOUNT_OWN_WRITE: _SIGNED_IN,
    Permission.ANSWERS_ANY_OPEN: STAFF,  # in an emergency: with a reason and the second step, told to the owners
    Permission.ANSWERS_TREATED_READ: _THERAPIST,
    Permission.API_TOKEN_USE: _EVERYBODY,  # the program's own key is what opens the door, and its scopes which one
    Permission.BAR_ANY_WRITE: _OWNER,
    Permission.CATALOGUE_ANY_WRITE: _OWNER,
    Permission.CLIENT_ANY_ERASE: _OWNER,
    Permission.CLIENT_ANY_MERGE: _DESK,
    Permission.CLIENT_ANY_READ: _DESK,
    Permission.CLIENT_ANY_WRITE: _DESK,
    Permission.CLINIC_ANY_WRITE: _OWNER,
    Permission.CLINICAL_REVIEW: _THERAPIST,
    Permission.DIARY_ANY_READ: _DESK,
    Permission.DIARY_OWN_READ: _THERAPIST,
    Permission.FACTOR_OWN_WRITE: _SIGNED_IN,  # and whoever is halfway in: access.py
    Permission.HOURS_OWN_WRITE: _THERAPIST,
    Permission.INTAKE_ANY_WRITE: _DESK,
    Permission.INTAKE_OWN_WRITE: _SIGNED_IN,
    Permission.PERSON_OWN_WRITE: _SIGNED_IN,
    Permission.REPORT_ANY_READ: _OWNER,
    Permission.RULES_ANY_READ: _OWNER,
    Permission.RULES_ANY_WRITE: _OWNER,
    Permission.SITE_ANY_READ: _EVERYBODY,
    Permission.TABLET_ONE_WRITE: _EVERYBODY,  # the tablet's own one-time pass is what opens the page
    Permission.TEAM_ANY_WRITE: _OWNER,
    Permission.THERAPIST_ANY_WRITE: _OWNER,
    Permission.THERAPIST_OWN_WRITE: _THERAPIST,
    Permission.TIME_OFF_ANY_WRITE: _DESK,
    Permission.TIME_OFF_OWN_WRITE: _THERAPIST,
    Permission.VISIT_ANY_WRITE: _DESK,
    Permission.VISIT_OWN_WRITE: _SIGNED_IN,
    Permission.VISIT_TREATED_WRITE: _THERAPIST,
}

GIVEN_BY_NAME = frozenset({Permission.CLIENT_ANY_ERASE, Permission.CLINICAL_REVIEW})
"""Permissions that the owner may give to a person whose role does not have them."""


def may(roles: Collection[Role], permission: Permission, given: Collection[Permission] = ()) -> bool:
    """Whether one of these roles, or a permission given by name, allows it."""
    if permission in given and permission in GIVEN_BY_NAME:
        return True
    return not GRANTS[permission].isdisjoint({Role.ANYONE, *roles})
