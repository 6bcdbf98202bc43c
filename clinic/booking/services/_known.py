"""What is known of a person that a judgement counts, whatever is judged: read once, judged as often as needed."""

from __future__ import annotations

from dataclasses import dataclass

from clinic.booking.queries import judged_by, look_alikes
from clinic.booking.queries.look_alikes import Alike
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.intake import queries as intake
from clinic.intake.models import HealthStop
from clinic.intake.queries import InForce, clearances
from clinic.intake.queries.clearances import OnFile
from clinic.rules.gates import GateSettings
from clinic.rules.screening import GuardianConsent
from clinic.rules.therapists_say import Restriction
from clinic.therapists import queries as therapists


@dataclass(frozen=True)
class Known:
    """`sources` are the person's own answers that count, newest first, `stops` the warning signs that hold; `alike` is
    what is known of people they may be; `letters` the clearances on file; `restrictions` what their therapists asked
    for. `unsigned`: answers were changed since and nobody has signed them."""

    client: Client
    sources: tuple[InForce, ...]
    stops: tuple[HealthStop, ...]
    alike: Alike
    letters: tuple[OnFile, ...]
    restrictions: tuple[Restriction, ...]
    consent: GuardianConsent | None
    gates: GateSettings
    unsigned: bool


def known_of(client: Client, visit_id: int | None = None, *, is_another: bool = False) -> Known:
    """Everything that counts about this person now. `visit_id`: for this visit, since of people they may be some things
    count only up to its booking; `is_another`: which is to be for another treatment."""
    standing = intake.standings([client.id])[client.id]
    return Known(
        client=client,
        sources=standing.sources,
        stops=standing.stops,
        alike=look_alikes.alike(client, visit_id, is_another=is_another),
        letters=tuple(clearances.counting(client.id, standing.sources)),
        restrictions=tuple(therapists.restrictions_of(clients.all_ids(client.id))),
        consent=judged_by.guardian_consent(client.id),
        gates=judged_by.gate_settings(),
        unsigned=intake.has_unsigned(client.id),
    )
