"""`python -m benchmarks load FILE` fills the database of CLINIC_DATABASE_URL with a generated book."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click


@click.group()
def main() -> None:
    """Benchmarks of the booking engine. `python -m benchmarks COMMAND --help` says more."""


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def load(file: Path) -> None:
    """Put the book in FILE (made by benchmarks/workload.py) into the database; prints one JSON object."""
    from benchmarks.load import load as fill
    from clinic.cli.making import make_app, migrate_app
    from clinic.rules.errors import RuleViolation
    from clinic.shared import clock

    app = make_app()
    migrate_app(app)
    with app.app_context():
        try:
            click.echo(json.dumps(fill(file, now=clock.now())))
        except RuleViolation as error:
            sys.exit(error.sentence)


main()
