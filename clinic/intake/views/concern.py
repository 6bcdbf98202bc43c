"""The client whose answers or letters are opened, for somebody with clinical review whom they concern."""

from __future__ import annotations

from typing import Any

from clinic.accounts.access import is_named, who
from clinic.clients import queries as clients
from clinic.intake.queries.concern import concerns
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import found


def of_concern(client_id: int) -> Any:
    """Clinical review comes with the role of a therapist, for those whom it concerns; given by name it is for all. To
    anybody else it is as if there were nothing (404): in an emergency closed answers are opened, and the owner is told.
    """
    client = found(clients.client(client_id))
    found(is_named(Permission.CLINICAL_REVIEW) or concerns(who() or 0, client.id, clock.now()) or None)
    return client
