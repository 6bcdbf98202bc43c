"""Commands about the program and its database as a whole, and the judgement of single cases."""

from __future__ import annotations

import datetime as dt
import json
import sys
from typing import IO

import click

from clinic.cli.making import make_app, make_working_app, migrate_app


@click.command()
def where() -> None:
    """Say where the program and its data lie."""
    app = make_app()
    for name in ("CLINIC_DATA_DIR", "CLINIC_KEY_FILE"):
        click.echo(f"{name}: {app.config[name]}")
    click.echo(f"database: {_without_password(str(app.config['SQLALCHEMY_DATABASE_URI']))}")


def _without_password(url: str) -> str:
    from sqlalchemy.engine import make_url

    return make_url(url).render_as_string(hide_password=True)


@click.command()
def migrate() -> None:
    """Bring the database up to date."""
    migrate_app(make_app())
    click.echo("The database is up to date.")


@click.command()
def doctor() -> None:
    """Look at this installation, and say what is wrong with it and how to mend it. Changes nothing."""
    from clinic.checkup import Grade, look_at
    from clinic.shared import clock

    app = make_app()
    with app.app_context():
        found = look_at(app, now=clock.now())
    for one in found:
        click.echo(f"{one.grade:<6} {one.says}")
        if one.mend:
            click.echo(f"       To mend it: {one.mend}")
    if any(one.grade is Grade.WRONG for one in found):
        sys.exit(1)


@click.command()
@click.option("--before", type=click.DateTime(["%Y-%m-%d"]), required=True, help="a day, in UTC")
def archive(before: dt.datetime) -> None:
    """Move the claims of visits that ended before a day into the history. Bookings go on meanwhile."""
    from clinic.booking.services.archiving import archive_claims
    from clinic.shared import clock

    app = make_working_app()
    with app.app_context():
        moved = archive_claims(before.replace(tzinfo=dt.UTC), now=clock.now())
    click.echo(f"{moved} claims moved.")


@click.command()
@click.argument("file", type=click.File("r", encoding="utf-8"))
def screen(file: IO[str]) -> None:
    """Judge one case, or a JSON list of cases, from FILE (or - for standard input); needs no database."""
    from clinic.rules.screen_case import CaseError, judge, object_of

    try:
        result = judge(json.load(file, object_pairs_hook=object_of))
    except (CaseError, ValueError, RecursionError) as error:
        click.echo(str(error) or type(error).__name__, err=True)
        sys.exit(2)
    click.echo(json.dumps(result, indent=1))
