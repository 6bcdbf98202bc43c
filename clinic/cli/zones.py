"""Commands for the time zones of the clinic's places."""

from __future__ import annotations

import sys

import click

from clinic.cli.making import make_working_app

OPEN_FOR = 60  # seconds that whatever is open in the database may take to end


@click.group()
def zone() -> None:
    """The time zones of the clinic's places."""


@zone.command("change")
@click.argument("place")
@click.argument("new_zone")
@click.option("--apply", "does_it", is_flag=True, help="Do it. Without this, only say what would change.")
def zone_change(place: str, new_zone: str, *, does_it: bool) -> None:
    """Give PLACE (its number or name) NEW_ZONE, or work out its own anew: wall times stay. Stop the servers first."""
    from clinic.booking.services.zone_change import change_zone, preview_zone
    from clinic.rules.errors import RuleViolation
    from clinic.shared import clock

    with make_working_app().app_context():
        try:
            change = (change_zone if does_it else preview_zone)(place, new_zone, now=clock.now())
            click.echo("\n".join(change.lines()))
            if does_it:
                _catch_up(place, new_zone)
        except RuleViolation as error:
            sys.exit(error.sentence)
    click.echo("Done." if does_it else "Nothing is changed yet. To do it, add --apply.")


def _catch_up(place: str, new_zone: str) -> None:
    """Whoever was booking while the zone changed read the old clock: once they are done, what they made moves too."""
    from clinic.booking.services.zone_change import change_zone
    from clinic.rules.errors import RuleViolation
    from clinic.shared import clock
    from clinic.shared.rotation import are_all_over

    if not are_all_over(OPEN_FOR):
        raise click.ClickException(
            f"The zone is changed. Something in the database has been under way for {OPEN_FOR} seconds, and may have"
            " been booked by the old clock: run this again when it is over."
        )
    try:
        late = change_zone(place, new_zone, now=clock.now())
    except RuleViolation as error:
        raise click.ClickException(
            f"The zone is changed. What was booked by the old clock meanwhile has not moved yet:\n{error.sentence}"
        ) from error
    if late.moves_anything:
        click.echo("\n".join(["Booked by the old clock meanwhile, and moved as well:", *late.lines()[1:]]))
