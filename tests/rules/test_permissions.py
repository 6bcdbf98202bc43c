"""Who may do what, in a few sentences; the whole table of pages is in tests/architecture."""

from __future__ import annotations

import pytest

from clinic.rules.permissions import GRANTS, STAFF, Permission, Role, may


def test_every_permission_says_whose_it_is() -> None:
    assert set(GRANTS) == set(Permission)
    assert all(GRANTS.values())


@pytest.mark.parametrize("permission", list(Permission))
def test_whoever_has_not_signed_in_sees_the_site_and_the_tablet_handed_to_them(
    permission: Permission,
) -> None:
    with_a_key = (Permission.TABLET_ONE_WRITE, Permission.API_TOKEN_USE)  # what opens these is no session
    opened = permission is Permission.SITE_ANY_READ or permission in with_a_key
    assert may((), permission) is opened


@pytest.mark.parametrize("role", [Role.CLIENT, *STAFF])
def test_a_role_adds_to_what_anyone_may(role: Role) -> None:
    assert may([role], Permission.SITE_ANY_READ)
    assert may([role], Permission.VISIT_OWN_WRITE)


def test_answers_are_read_by_who_treats_and_not_by_the_desk() -> None:
    assert may([Role.THERAPIST], Permission.ANSWERS_TREATED_READ)
    assert not may([Role.FRONT_DESK], Permission.ANSWERS_TREATED_READ)
    assert not may([Role.OWNER], Permission.ANSWERS_TREATED_READ)
    assert may([Role.OWNER, Role.THERAPIST], Permission.ANSWERS_TREATED_READ)


def test_two_permissions_may_be_given_by_name() -> None:
    assert not may([Role.FRONT_DESK], Permission.CLIENT_ANY_ERASE)
    assert may([Role.FRONT_DESK], Permission.CLIENT_ANY_ERASE, given=[Permission.CLIENT_ANY_ERASE])
    assert not may([Role.OWNER], Permission.CLINICAL_REVIEW)
    assert may([Role.OWNER], Permission.CLINICAL_REVIEW, given=[Permission.CLINICAL_REVIEW])
    assert not may([Role.CLIENT], Permission.TEAM_ANY_WRITE, given=[Permission.TEAM_ANY_WRITE])
    assert not may([Role.CLIENT], Permission.TEAM_ANY_WRITE, given=[Permission.CLINICAL_REVIEW])
    assert may([Role.OWNER], Permission.TEAM_ANY_WRITE, given=[Permission.CLINICAL_REVIEW])
