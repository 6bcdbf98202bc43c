"""Steps inside a transaction: who may decide about this client."""

from __future__ import annotations

from clinic.intake.queries import clearances
from clinic.rules.errors import InvalidInput
from clinic.rules.language import _


def check_reviewer(by: int, client_id: int, *, field: str) -> None:
    """Nobody reviews their own answers or letters, or those of somebody they act for. InvalidInput names `field`."""
    if clearances.acts_for(by, client_id):
        raise InvalidInput(field, _("You act for this client, so somebody else has to look at this."))
