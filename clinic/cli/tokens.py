"""Commands for the keys of programs that use the JSON API."""

from __future__ import annotations

import datetime as dt
import sys

import click

from clinic.cli.making import make_working_app


@click.group()
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

    with make_working_app().app_context():
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

    with make_working_app().app_context():
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

    with make_working_app().app_context():
        try:
            end_token(number, now=clock.now())
        except RuleViolation as error:
            sys.exit(error.sentence)
    click.echo("The key is ended.")
