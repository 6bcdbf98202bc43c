"""Commands about the audit: who did what, when."""

from __future__ import annotations

import sys

import click

from clinic.cli.making import make_working_app


@click.group()
def audit() -> None:
    """The record of who did what, when."""


@audit.command("verify")
def verify() -> None:
    """Look through the whole audit, and say whether anything was changed by somebody else than the program."""
    from clinic.shared import audit_chain

    app = make_working_app()
    with app.app_context():
        found = audit_chain.verify(app.config["CLINIC_AUDIT_DIR"])
    click.echo(f"{found.rows} deeds, {found.links} chained, {found.heads} times noted outside the database.")
    if found.wrong:
        sys.exit("Not as it was written:\n" + "\n".join(f"  {one}" for one in found.wrong))
    click.echo("Nothing was changed, removed or added.")
