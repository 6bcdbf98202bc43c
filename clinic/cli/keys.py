"""Commands that change the key which seals health answers."""

from __future__ import annotations

import time
from pathlib import Path

import click
from flask import Flask

from clinic.cli.making import make_app, refuse_unfit_database

UNDER_WAY = 3  # seconds: every server has seen by then that the file changed
OPEN_FOR = 60  # seconds that what was begun before may take; a backup may take longer


@click.group()
def keys() -> None:
    """Change the key that seals health answers: add, then restart, then reseal, then drop."""


@keys.command("add")
def keys_add() -> None:
    """Put a fresh key into the key file. Restart the program afterwards, so that it seals with it."""
    from clinic.shared.rotation import add_key

    path = Path(str(make_app().config["CLINIC_KEY_FILE"]))
    click.echo(
        f"{add_key(path).current} is the new key in {path}. Copy the file to each host, restart the program there,"
        " then: clinic keys reseal"
    )


def _refuse_what_stays_closed(app: Flask) -> None:
    """End the command where a value was sealed by a key that is not here: it cannot be sealed anew."""
    from clinic.shared.database import db
    from clinic.shared.rotation import columns_that_stay_closed

    closed = columns_that_stay_closed(looks_at_all=True)
    db.session.remove()  # nothing waits for this look
    if closed:
        raise click.ClickException(
            f"Some health answers cannot be read with the keys in {app.config['CLINIC_KEY_FILE']}"
            f" ({', '.join(closed)}): nothing was changed. Put the copy of the old key file there first."
        )


@keys.command("reseal")
def keys_reseal() -> None:
    """Seal everything anew under the new key. Can be broken off and run again; the site goes on meanwhile."""
    from clinic.shared.rotation import seal_anew

    app = make_app()
    refuse_unfit_database(app)
    with app.app_context():
        _refuse_what_stays_closed(app)
        click.echo(f"{seal_anew()} values sealed anew. When all processes use the new key: clinic keys drop")


@keys.command("drop")
@click.option("--end-links", is_flag=True, help="End the links in mails too: the old key file was stolen.")
@click.confirmation_option(
    prompt="Has each host the new key file? Old keys will be gone for good, for old backups too. Go on?"
)
def keys_drop(*, end_links: bool) -> None:
    """Remove the old keys, once nothing is sealed by them any more. Links in mails that were sent go on."""
    from clinic.shared import crypto
    from clinic.shared.rotation import (
        KeysChanged,
        are_all_over,
        drop_old_keys,
        forget_old_person_keys,
        retire_old_keys,
        seal_anew,
    )

    app = make_app()
    refuse_unfit_database(app)
    with app.app_context():
        crypto.use(crypto.ring())  # as they are now, whatever becomes of the file
        _refuse_what_stays_closed(app)
        if left := seal_anew():
            raise click.ClickException(
                f"{left} values were still sealed by an old key; they have been sealed anew, and no key was dropped."
                " A server may still seal with it: look that each host has the same key file, restart all, then run"
                " this again."
            )
        path, current = Path(str(app.config["CLINIC_KEY_FILE"])), crypto.ring().current
        try:
            # they stay in the file: whatever ends this command now, nothing is lost
            retire_old_keys(path, current)
            time.sleep(UNDER_WAY)
            if not are_all_over(OPEN_FOR):
                raise click.ClickException(
                    f"Something in the database has been under way for {OPEN_FOR} seconds, and may hold what an old"
                    " key sealed: no key was dropped. Wait for a backup to end, or for whatever it is, then run this"
                    " again."
                )
            seal_anew()
            forget_old_person_keys()
            drop_old_keys(path, current, ends_links=end_links)
        except KeysChanged:
            raise click.ClickException(
                f"{path} was given another key meanwhile: no key was dropped, and nothing is lost. Copy it to each"
                " host, restart all, then run clinic keys reseal and this again."
            ) from None
    click.echo("The old keys are gone." + (" Links in mails that were sent have ended." if end_links else ""))
