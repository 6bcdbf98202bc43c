"""The `clinic` command. `clinic demo` is what `make run` starts; a real clinic uses `init` and `serve`."""

from __future__ import annotations

import click

from clinic.cli import accounts, audit, backups, keys, retention, serving, tokens, upkeep, zones
from clinic.cli.making import Commands


@click.group(cls=Commands)
def main() -> None:
    """Booking and intake for a massage clinic."""


for command in (
    serving.demo,
    serving.init,
    serving.serve,
    serving.worker,
    upkeep.where,
    upkeep.migrate,
    upkeep.archive,
    upkeep.doctor,
    upkeep.screen,
    accounts.account,
    audit.audit,
    backups.backup,
    backups.restore,
    keys.keys,
    retention.retention,
    tokens.token,
    zones.zone,
):
    main.add_command(command)
