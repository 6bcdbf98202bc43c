"""Commands that save the database and put it back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask import Flask

from clinic.cli.making import make_app, migrate_app, upgrade_app

if TYPE_CHECKING:
    from clinic.shared.person_keys import Gone

FILE = click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path)


@click.command()
@click.option("--check", "checked", type=FILE, help="Make none: open this backup and look through it.")
def backup(checked: Path | None) -> None:
    """Save the whole database into one encrypted file, while the clinic runs, and read it again."""
    from clinic.shared import backups, clock
    from clinic.shared.database import db

    app = make_app()
    key_file = app.config["CLINIC_BACKUP_KEY_FILE"]
    try:
        if checked:
            about = backups.check(checked, key_file, backups.Tools(app.config["CLINIC_PG_BINDIR"]))
            click.echo(f"Sound: {sum(about.rows.values())} rows, as they were at {about.made_at}.")
            return
        with app.app_context():
            path = backups.save(db.engine, app.config, now=clock.now())
    except backups.BackupFailed as error:
        sys.exit(str(error))
    click.echo(f"Saved and read again: {path}")
    click.echo(
        "The keys of people lie beside it in people.clinic-keys. Copy that file along, always the newest."
    )
    click.echo("Without these two files all is worth nothing. Keep a copy of both, apart from the backups:")
    click.echo(f"  {key_file}\n  {app.config['CLINIC_KEY_FILE']}")


KEYS = "person_key"  # a backup from before people had keys of their own has no such table
KEYS_AS_TODAY = "0040"  # from this version on the table says of a destroyed key what it says today


def _put_keys_back(app: Flask, file: Path) -> list[Gone]:
    """The keys of people; returns whoever was erased since the backup."""
    from clinic.shared import backups
    from clinic.shared.database import db

    try:
        return backups.put_keys_back(db.engine, file, app.config["CLINIC_BACKUP_KEY_FILE"])
    except backups.BackupFailed as error:
        sys.exit(f"{error} Then start again: clinic restore {file}")


def _erase_once_more(app: Flask, file: Path, gone: list[Gone]) -> int:
    """Whoever was erased since the backup is erased once more. What the backup still has ahead for them ends before
    that, and they are told nothing. Done twice it is as done once."""
    from clinic.booking.services.visits import end_untold
    from clinic.keeping.queries.people import still_booked
    from clinic.keeping.services.erasing import erase_once_more
    from clinic.rules.errors import KeysLeft
    from clinic.shared import clock
    from clinic.shared.database import db

    booked = still_booked(gone)
    db.session.rollback()
    for visit_id in booked:
        end_untold(visit_id, now=clock.now())
    try:
        return erase_once_more(gone, settings=app.config, now=clock.now())
    except KeysLeft as error:
        sys.exit(f"{error.__cause__} Mend that, then start again: clinic restore {file}")


@click.command()
@click.argument("file", type=FILE)
def restore(file: Path) -> None:
    """Put the backup FILE into an empty database, bring it up to date, and look whether its answers can be read."""
    from clinic.accounts import services
    from clinic.checkup.database import here_now, versions
    from clinic.shared import audit_chain, backups, clock, heartbeat
    from clinic.shared.database import db
    from clinic.shared.rotation import columns_that_stay_closed

    app = make_app()
    tools = backups.Tools(app.config["CLINIC_PG_BINDIR"])
    with app.app_context():
        try:
            about = backups.restore(file, db.engine, app.config["CLINIC_BACKUP_KEY_FILE"], tools)
        except backups.BackupFailed as error:
            sys.exit(str(error))
        db.engine.dispose()
    upgrade_app(app, restores=True, until=KEYS_AS_TODAY)
    with app.app_context():
        # before the rest: what a migration seals about people is sealed under their own keys
        gone = _put_keys_back(app, file) if KEYS in about.rows else []
        if here_now() != versions()[1] and (closed := columns_that_stay_closed(looks_at_all=True)):
            sys.exit(
                f"{_unread(app, closed)} Put the copy of the old key file there, then start again:"
                f" clinic restore {file}"
            )
        db.session.remove()
        db.engine.dispose()
    migrate_app(app, restores=True)
    with app.app_context():
        again = _erase_once_more(app, file, gone)
        services.sign_out_everybody(clock.now())
        heartbeat.forget()
        audit_chain.begin_notes(app.config["CLINIC_AUDIT_DIR"], now=clock.now())
        backups.finish_restore(db.engine)
    click.echo(f"Restored: {sum(about.rows.values())} rows, as they were at {about.made_at}.")
    if again:
        click.echo(f"Erased once more, as they were since the backup was made: {again}.")
    click.echo(
        "Everybody signs in again. Passwords, second steps, the team and keys of programs are as they were:"
    )
    click.echo("look at the page of the team, and at clinic token list, for what was ended or changed since.")
    with app.app_context():
        if closed := columns_that_stay_closed(looks_at_all=True):
            sys.exit(
                f"{_unread(app, closed)} Put the copy of the old key file there; the database itself is whole."
            )
    click.echo("The health answers can be read. Start the clinic with: clinic serve")


def _unread(app: Flask, closed: list[str]) -> str:
    key_file = app.config["CLINIC_KEY_FILE"]
    return f"The health answers cannot be read with the keys in {key_file} ({', '.join(closed)})."
