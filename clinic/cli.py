"""The `clinic` command. `clinic demo` is what `make run` starts; a real clinic uses `init` and `serve`."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

if TYPE_CHECKING:
    from flask import Flask


@click.group()
def main() -> None:
    """Booking and intake for a massage clinic."""


def make_app(**overrides: object) -> Flask:
    """The application, with logs as plain lines on standard error."""
    from clinic.app import create_app
    from clinic.shared.logs import set_up_logs

    set_up_logs()
    return create_app(overrides)


@main.command()
def where() -> None:
    """Say where the program and its data lie."""
    app = make_app()
    for name in ("CLINIC_DATA_DIR", "CLINIC_KEY_FILE"):
        click.echo(f"{name}: {app.config[name]}")
    click.echo(f"database: {_without_password(str(app.config['SQLALCHEMY_DATABASE_URI']))}")


def _without_password(url: str) -> str:
    from sqlalchemy.engine import make_url

    return make_url(url).render_as_string(hide_password=True)


@main.command()
def migrate() -> None:
    """Bring the database up to date."""
    migrate_app(make_app())
    click.echo("The database is up to date.")


def migrate_app(app: Flask) -> None:
    """Bring the database up to date; refuse one that is newer than this program, or that lacks its guards."""
    from alembic.util import CommandError
    from flask_migrate import upgrade
    from sqlalchemy.exc import OperationalError

    from clinic.shared.database import db
    from clinic.shared.guards import missing_guards

    with app.app_context():
        try:
            upgrade()
        except CommandError as error:
            sys.exit(
                f"This database belongs to a newer version of the program: update the program. ({error})"
            )
        except OperationalError as error:
            sys.exit(
                f"Cannot reach the database. Is it running, and is CLINIC_DATABASE_URL right? ({error.orig})"
            )
        missing = missing_guards(db.session())
        db.session.remove()
    if missing:
        sys.exit(
            f"The database lacks its guards ({', '.join(missing)}), which keep visits safe. Restore it from a"
            " backup, or call for help; nothing was started."
        )


@main.command()
def demo() -> None:
    """Start the demo clinic: invented people, its own data folder, never for real clients."""
    data = Path(os.environ.get("CLINIC_DATA_DIR") or "instance/demo").resolve()
    app = make_app(CLINIC_DEMO=True, CLINIC_DATA_DIR=data)
    port_is_free(app)
    migrate_app(app)
    from clinic.demo import SIGN_INS, fill_if_empty
    from clinic.shared import clock

    with app.app_context():
        filled = fill_if_empty(clock.now())
    url = app.config["CLINIC_PUBLIC_URL"]
    click.echo("")
    click.echo(f"  Clinic demo   {url}" + ("   (new demo data)" if filled else "   (data kept from before)"))
    click.echo("")
    click.echo("  Sign in as    e-mail                       password")
    for role, email, password in SIGN_INS:
        click.echo(f"  {role:<13} {email:<28} {password}")
    click.echo("")
    click.echo(f"  Mails are written to {app.config['CLINIC_MAIL_DIR']}")
    click.echo("  Stop with Ctrl+C.")
    click.echo("")
    run_server(app)


def _proposed(what: str) -> str | None:
    """The number to propose in the country just named; None asks for one."""
    from clinic.rules.emergency import call_numbers

    found = call_numbers(click.get_current_context().params.get("country", ""))
    return getattr(found, what, None)


@main.command()
@click.option("--name", prompt="Name of the clinic")
@click.option("--zone", prompt="Time zone (for example America/New_York)")
@click.option(
    "--country",
    prompt="Country (two letters, for example US)",
    callback=lambda _c, _o, text: text.strip().upper(),
)
@click.option(
    "--emergency-number",
    prompt="Number people there call in an emergency",
    default=lambda: _proposed("emergency"),
)
@click.option(
    "--health-line-number",
    prompt="Number of the health advice line there (Enter for none)",
    default=lambda: _proposed("health_line") or "",
)
@click.option("--owner-name", prompt="Name of the owner")
@click.option("--owner-email", prompt="E-mail of the owner")
def init(**typed: str) -> None:
    """Make an empty clinic and its owner, who sets a password by a one-time link."""
    from clinic.rules.errors import RuleViolation
    from clinic.shared import clock
    from clinic.starting import Begun, begin_clinic

    app = make_app()
    migrate_app(app)
    with app.app_context():
        try:
            token = begin_clinic(Begun(**typed), now=clock.now())
        except RuleViolation as error:
            sys.exit(error.sentence)
    click.echo("The clinic is ready. Open this link once within 24 hours to set the owner's password:")
    click.echo(f"{app.config['CLINIC_PUBLIC_URL']}/password/{token}")
    click.echo("Then start it with: clinic serve")


@main.command()
@click.option(
    "--worker/--no-worker", "works", default=True, show_default=True, help="keep deadlines and send mails too"
)
def serve(works: bool) -> None:
    """Serve the clinic. Never fills in demo data."""
    app = make_app()
    port_is_free(app)
    refuse_open_http(app)
    migrate_app(app)
    click.echo(f"Clinic is at {app.config['CLINIC_PUBLIC_URL']}. Stop with Ctrl+C.")
    run_server(app, works=works)


@main.command()
def worker() -> None:
    """Keep deadlines, send mails and archive, without serving pages: beside `clinic serve --no-worker`."""
    import signal

    from clinic.worker import work_until

    app, stop = make_app(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _signal, _frame: stop.set())
    click.echo("The worker is at work. Stop with Ctrl+C.")
    work_until(app, stop)


@main.command()
@click.option("--before", type=click.DateTime(["%Y-%m-%d"]), required=True, help="a day, in UTC")
def archive(before: dt.datetime) -> None:
    """Move the claims of visits that ended before a day into the history. Bookings go on meanwhile."""
    from clinic.booking.services.archiving import archive_claims
    from clinic.shared import clock

    app = make_app()
    with app.app_context():
        moved = archive_claims(before.replace(tzinfo=dt.UTC), now=clock.now())
    click.echo(f"{moved} claims moved.")


LOOPBACK = ("127.0.0.1", "localhost", "::1")


def refuse_open_http(app: Flask) -> None:
    """Health answers never travel over plain http: beyond this machine a real clinic needs https in front."""
    public = str(app.config["CLINIC_PUBLIC_URL"])
    if public.startswith("http:") and app.config["CLINIC_HOST"] not in LOOPBACK:
        sys.exit(
            "Plain http on an address other than this machine is for the demo only. Put a proxy with https in"
            " front and set CLINIC_PUBLIC_URL=https://…, or set CLINIC_HOST=127.0.0.1."
        )


def port_is_free(app: Flask) -> None:
    """Say plainly when another program has the port."""
    host, port = app.config["CLINIC_HOST"], app.config["CLINIC_PORT"]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            sys.exit(
                f"Cannot use {host}:{port} ({error.strerror}). Another program may have it: stop that one,"
                f" or choose another port, for example: CLINIC_PORT={port + 1} make run"
            )


def run_server(app: Flask, *, works: bool = True) -> None:
    """Serve until Ctrl+C or TERM; with the worker beside it unless that runs apart."""
    import signal

    from waitress.server import create_server

    from clinic.worker import work_until

    stop = threading.Event()
    worker = threading.Thread(target=work_until, args=(app, stop), name="worker", daemon=True)
    server = create_server(
        app,
        host=app.config["CLINIC_HOST"],
        port=app.config["CLINIC_PORT"],
        threads=8,
        connection_limit=1000,  # the default of 100 dies of slow clients
        channel_timeout=60,
        ident=None,
        # Without proxies of our own nobody may say where a request comes from.
        clear_untrusted_proxy_headers=not app.config["CLINIC_TRUSTED_PROXIES"],
    )

    def leave(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    if works:
        worker.start()
    try:
        server.run()
    except KeyboardInterrupt:
        pass
    finally:
        stop.set()
        server.close()
        if works:
            worker.join(10)


@main.group()
def keys() -> None:
    """Change the key that seals health answers: add, then restart, then reseal, then drop."""


@keys.command("add")
def keys_add() -> None:
    """Put a fresh key into the key file. Restart the program afterwards, so that it seals with it."""
    from clinic.shared.rotation import add_key

    path = Path(str(make_app().config["CLINIC_KEY_FILE"]))
    click.echo(
        f"{add_key(path).current} is the new key in {path}. Restart the program, then: clinic keys reseal"
    )


@keys.command("reseal")
def keys_reseal() -> None:
    """Seal everything anew under the new key. Can be broken off and run again; the site goes on meanwhile."""
    from clinic.shared.rotation import seal_anew

    with make_app().app_context():
        click.echo(f"{seal_anew()} values sealed anew. When all processes use the new key: clinic keys drop")


@keys.command("drop")
@click.confirmation_option(prompt="Old keys will be gone for good, for old backups too. Go on?")
def keys_drop() -> None:
    """Remove the old keys, once nothing is sealed by them any more."""
    from clinic.shared.rotation import drop_old_keys, seal_anew

    app = make_app()
    with app.app_context():
        if left := seal_anew():
            click.echo(f"{left} values were still sealed by an old key; they have been sealed anew.")
    drop_old_keys(Path(str(app.config["CLINIC_KEY_FILE"])))
    click.echo("The old keys are gone.")


@main.command()
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


@main.group()
def token() -> None:
    """Keys of programs that use the JSON API."""


@token.command("create")
@click.argument("name")
@click.option("--role", default="desk", show_default=True, help="desk or site")
@click.option("--scope", "scopes", multiple=True, help="one scope of the role's; may be given several times")
@click.option(
    "--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="how long it opens doors"
)
@click.option(
    "--per-minute", type=click.IntRange(0), default=3000, show_default=True, help="requests; 0: no limit"
)
def token_create(name: str, role: str, scopes: tuple[str, ...], days: int, per_minute: int) -> None:
    """Make a key for the program NAME. It is shown once and kept as a hash."""
    from clinic.api.services import make_token
    from clinic.rules.errors import RuleViolation
    from clinic.shared import clock

    with make_app().app_context():
        now = clock.now()
        try:
            key = make_token(
                name, role, scopes, per_minute=per_minute, expires_at=now + dt.timedelta(days=days), now=now
            )
        except RuleViolation as error:
            sys.exit(error.sentence)
    click.echo(key)


@token.command("list")
def token_list() -> None:
    """Every key with its number, role, scopes and state."""
    from clinic.api.queries import tokens

    with make_app().app_context():
        for row in tokens():
            state = "ended" if row.ended_at else "open"
            until = row.expires_at.date().isoformat() if row.expires_at else "no end"
            click.echo(f"{row.id}  {row.name}  {row.role}  {state}, until {until}  {' '.join(row.scopes)}")


@token.command("end")
@click.argument("number", type=int)
def token_end(number: int) -> None:
    """The key with this NUMBER opens nothing from now on."""
    from clinic.api.services import end_token
    from clinic.rules.errors import RuleViolation
    from clinic.shared import clock

    with make_app().app_context():
        try:
            end_token(number, now=clock.now())
        except RuleViolation as error:
            sys.exit(error.sentence)
    click.echo("The key is ended.")


@main.group()
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

    with make_app().app_context():
        try:
            change = (change_zone if does_it else preview_zone)(place, new_zone, now=clock.now())
        except RuleViolation as error:
            sys.exit(error.sentence)
    click.echo("\n".join(change.lines()))
    click.echo("Done." if does_it else "Nothing is changed yet. To do it, add --apply.")
