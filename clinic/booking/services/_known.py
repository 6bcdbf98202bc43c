"""What is known of a person that a judgement counts, whatever is judged: read once, judged as often as needed."""

from __future__ import annotations

from dataclasses import dataclass

from clinic.booking.queries import judged_by
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
    """`sources` are the person's own answers that count, newest first; `others` those of known people they may be;
    `letters` the clearances on file; `restrictions` what their therapists asked for."""

    client: Client
    sources: tuple[InForce, ...]
    others: tuple[InForce, ...]
    stops: tuple[HealthStop, ...]
    letters: tuple[OnFile, ...]
    restrictions: tuple[Restriction, ...]
    consent: GuardianConsent | None
    gates: GateSettings


def known_of(client: Client) -> Known:
    """Everything that counts about this person now."""
    sources = intake.in_force(client.id)
    alike = clients.look_alikes(client) if client.is_unproven else []
    stops = [stop for one in (client, *alike) for stop in intake.stops_in_force(one.id)]
    return Known(
        client=client,
        sources=tuple(sources),
        # Answers of known people that somebody not signed in may be: they make the judgement stricter only.
        others=tuple(source for one in alike for source in intake.in_force(one.id)),
        stops=tuple(stops),
        letters=tuple(clearances.counting(client.id, sources)),
        restrictions=tuple(therapists.restrictions_of([client.id, *clients.alias_ids(client.id)])),
        consent=judged_by.guardian_consent(client.id),
        gates=judged_by.gate_settings(),
    )
