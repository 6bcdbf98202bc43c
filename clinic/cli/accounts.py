"""Commands for accounts, where no page helps any more: whoever can run them has the machine anyway."""

from __future__ import annotations

import sys

import click

from clinic.cli.making import make_working_app


@click.group()
def account() -> None:
    """Accounts of people who cannot sign in any more, or shall not go on as they are."""


@account.command("unlock")
@click.argument("email")
def unlock(email: str) -> None:
    """Take the second step of the account with this EMAIL away, end every wait, and print a link for a new password.

    For an owner who has lost phone and recovery codes; of a colleague the owner does it on the page of the team.
    """
    from clinic.accounts import services
    from clinic.accounts.tries import Origin
    from clinic.rules.errors import RuleViolation
    from clinic.shared import clock

    app = make_working_app()
    with app.app_context():
        origin = Origin(address="", browser="", secret=str(app.config["SECRET_KEY"]))
        try:
            token = services.unlock(email, origin=origin, now=clock.now())
        except RuleViolation as error:
            sys.exit(error.sentence)
    click.echo("Everywhere signed out, and without a second step. Set a new password within 30 minutes:")
    click.echo(f"{app.config['CLINIC_PUBLIC_URL']}/password/{token}")
    click.echo("At the next sign-in a new second step is set up.")


@account.command("sign-out-everybody")
def sign_out_everybody() -> None:
    """End every session, and every link into an account that waits in a mail. Links to visits go on."""
    from clinic.accounts import services
    from clinic.shared import clock

    with make_working_app().app_context():
        services.sign_out_everybody(clock.now())
    click.echo("Everybody is signed out. Links to set a password have to be sent again.")
