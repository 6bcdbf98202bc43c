"""Commands that begin a clinic and keep it running."""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from clinic.cli.making import (
    make_app,
    migrate_app,
    refuse_lost_queue,
    refuse_unfit_database,
    refuse_what_is_unsafe,
    upgrade_app,
)
from clinic.cli.warming import leave_out_tools, stay_small, warm_up

if TYPE_CHECKING:
    from flask import Flask


@click.command()
def demo() -> None:
    """Start the demo clinic: invented people, its own data folder, never for real clients."""
    leave_out_tools()
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


def _right(_context: click.Context, option: click.Parameter, typed: str) -> str:
    """What was typed, without spaces around it. What cannot be right is asked for again at once, not after the last
    question."""
    from clinic.rules.errors import InvalidInput
    from clinic.starting import check_typed

    field = option.name or ""
    typed = typed.strip().upper() if field == "country" else typed.strip()
    try:
        check_typed(field, typed)
    except InvalidInput as wrong:
        raise click.BadParameter(wrong.sentence) from wrong
    return typed


@click.command()
@click.option("--name", prompt="Name of the clinic", callback=_right)
@click.option("--zone", prompt="Time zone (for example America/New_York)", callback=_right)
@click.option("--country", prompt="Country (two letters, for example US)", callback=_right)
@click.option(
    "--emergency-number",
    prompt="Number people there call in an emergency",
    default=lambda: _proposed("emergency"),
    callback=_right,
)
@click.option(
    "--health-line-number",
    prompt="Number of the health advice line there (Enter for none)",
    default=lambda: _proposed("health_line") or "",
    callback=_right,
)
@click.option("--owner-name", prompt="Name of the owner", callback=_right)
@click.option("--owner-email", prompt="E-mail of the owner", callback=_right)
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


@click.command()
@click.option(
    "--worker/--no-worker", "works", default=True, show_default=True, help="keep deadlines and send mails too"
)
def serve(works: bool) -> None:
    """Serve the clinic. Never fills in demo data."""
    leave_out_tools()
    app = make_app(as_json=True)
    app.config["CLINIC_LOG_REQUESTS"] = True
    refuse_what_is_unsafe(app)
    if "LISTEN_FDS" not in os.environ:
        port_is_free(app)
    upgrade_app(app)
    refuse_unfit_database(app)
    if works:
        refuse_lost_queue(app)
    click.echo(f"Clinic is at {app.config['CLINIC_PUBLIC_URL']}. Stop with Ctrl+C.")
    run_server(app, works=works)


@click.command()
def worker() -> None:
    """Keep deadlines, send mails and archive, without serving pages: beside `clinic serve --no-worker`."""
    import signal

    leave_out_tools()
    from clinic.worker import worker_for

    app, stop = make_app(as_json=True), threading.Event()
    refuse_what_is_unsafe(app)
    refuse_unfit_database(app)
    refuse_lost_queue(app)
    stop_waiting_for_ever(app)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _signal, _frame: stop.set())
    worker = worker_for(app)
    worker.start()
    click.echo("The worker is at work. Stop with Ctrl+C.")
    stop.wait()
    worker.stop(graceful=True)


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
    from clinic.cli import server
    from clinic.shared.web import security_headers

    stay_small()
    stop_waiting_for_ever(app)
    warm_up(app)
    given = server.inherited()
    worker = None
    if works:
        from clinic.worker import worker_for  # the queue is large: a process without it stays small

        worker = worker_for(app)
        worker.start()
    try:
        server.serve(
            app,
            given or [server.opened(app.config["CLINIC_HOST"], app.config["CLINIC_PORT"])],
            keeps_sockets=bool(given),
            ready=lambda: server.tell_systemd("READY=1"),
            headers={**security_headers(app), "Cache-Control": "no-store"},
            # Without proxies of our own nobody may say where a request comes from.
            clear_untrusted_proxy_headers=not app.config["CLINIC_TRUSTED_PROXIES"],
        )
    finally:
        if worker is not None:
            worker.stop(graceful=True)


def stop_waiting_for_ever(app: Flask) -> None:
    """What serves people gives a database up that does not answer, and tries it again."""
    from clinic.shared.database import db
    from clinic.shared.patience import be_impatient

    with app.app_context():
        be_impatient(db.engines.values())
