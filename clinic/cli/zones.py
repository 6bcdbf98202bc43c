"""Commands for the time zones of the clinic's places."""

from __future__ import annotations

import sys

import click

from clinic.cli.making import make_working_app


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
        except RuleViolation as error:
            sys.exit(error.sentence)
    click.echo("\n".join(change.lines()))
    click.echo("Done." if does_it else "Nothing is changed yet. To do it, add --apply.")
