"""The command that says what has been kept for long enough, or removes it."""

from __future__ import annotations

import sys

import click

from clinic.cli.making import make_working_app


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go today. Changes nothing.")
def retention(dry_run: bool) -> None:
    """Remove what the clinic has kept for long enough, as the worker does each day."""
    from clinic.keeping.queries import due, periods
    from clinic.keeping.services import expiring
    from clinic.rules.errors import KeysLeft
    from clinic.shared import clock
    from clinic.shared.backups import BackupFailed

    app = make_working_app()
    with app.app_context():
        for client_id in due.left_for_later(clock.now()):
            click.echo(f"Left until a visit is over: record {client_id}.")
        if not dry_run:
            if not periods.is_confirmed():
                sys.exit(
                    "Nothing goes before the owner has let it begin, on the page “How long things are kept”."
                )
            try:
                click.echo(f"Removed: {expiring.remove_due(clock.now(), settings=app.config)}.")
            except (KeysLeft, BackupFailed) as error:
                sys.exit(f"What was due is gone here, but not from older backups. {error.__cause__ or error}")
            except expiring.PeopleLeft as error:
                left = ", ".join(f"record {number} ({kind})" for number, kind in error.left.items())
                sys.exit(f"Removed: {error.removed}. Tried again in the next run: {left}.")
            return
        for one in due.due(clock.now()):
            click.echo(f"{one.count:>6}  {one.label}")
            for client_id, _name in one.people:
                click.echo(f"        record {client_id}")
        if not periods.is_confirmed():
            click.echo("Nothing goes yet: the owner has not let it begin.")
