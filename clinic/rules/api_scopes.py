"""What a program with a key may do through the JSON API: a role bounds the scopes, the scopes bound the deeds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from clinic.rules.errors import InvalidInput


class ApiRole(StrEnum):
    """Whose work the program does: the desk's, or that of a web site that shows what is on offer and when."""

    DESK = "desk"
    SITE = "site"


class Scope(StrEnum):
    """In alphabetical order."""

    AVAILABILITY_READ = "availability:read"
    CATALOGUE_READ = "catalogue:read"
    CLIENTS_READ = "clients:read"
    CLIENTS_WRITE = "clients:write"
    HOLDS_WRITE = "holds:write"
    INTAKES_WRITE = "intakes:write"
    VERDICTS_READ = "verdicts:read"
    VISITS_READ = "visits:read"
    VISITS_WRITE = "visits:write"
    WAITLIST_READ = "waitlist:read"
    WAITLIST_WRITE = "waitlist:write"


SCOPES_OF: Final[Mapping[ApiRole, frozenset[Scope]]] = MappingProxyType(
    {
        ApiRole.DESK: frozenset(Scope),
        ApiRole.SITE: frozenset({Scope.AVAILABILITY_READ, Scope.CATALOGUE_READ}),
    }
)


def scopes_for(role: str, wanted: Collection[str]) -> list[Scope]:
    """The scopes of a new key, in order: those wanted, or all of the role's when none is named.

    Raises InvalidInput for an unknown role, an unknown scope, or one that the role does not have.
    """
    if role not in set(ApiRole):
        raise InvalidInput("role", f"The role is one of {', '.join(ApiRole)}.")
    may = SCOPES_OF[ApiRole(role)]
    unknown = [one for one in wanted if one not in {scope.value for scope in may}]
    if unknown:
        raise InvalidInput("scope", f"A key of role {role} may have: {', '.join(sorted(may))}.")
    return sorted(Scope(one) for one in wanted) if wanted else sorted(may)
