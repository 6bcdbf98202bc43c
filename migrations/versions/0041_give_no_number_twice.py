"""Give no number twice on SQLite where it is remembered when the row is gone, as PostgreSQL does it by itself.

Mails are known by the wish on the waitlist that they are about, visits by the key of the program that booked them, and
an open page or an address by the call, the closure, the time off, the picture or the passkey that it shows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

TABLES = ("api_token", "call_request", "closure", "passkey", "picture", "time_off", "waitlist_wish")
# Behind every row that is there, and behind those of which only the audit or a mail still tells.
LAST = """
SELECT max(
  COALESCE((SELECT max(id) FROM {table}), 0),
  COALESCE((SELECT max(thing_id) FROM audit_row WHERE thing = '{table}'), 0),
  COALESCE((SELECT max(CAST(substr(key, 17) AS INTEGER)) FROM outgoing_mail
            WHERE kind = 'waitlist_joined' AND '{table}' = 'waitlist_wish'), 0)
)
"""


def upgrade() -> None:
    for table in TABLES:
        _rebuild(table, counts_on=True)


def downgrade() -> None:
    for table in TABLES:
        _rebuild(table, counts_on=False)


def _rebuild(table: str, *, counts_on: bool) -> None:
    bind = op.get_bind()
    if bind.dialect.name != "sqlite":
        return
    last = bind.execute(sa.text(LAST.format(table=table))).scalar_one()
    kept = {"sqlite_autoincrement": counts_on}
    with op.batch_alter_table(table, recreate="always", table_kwargs=kept):
        pass
    if counts_on:
        bind.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table})
        row = {"name": table, "last": last}
        bind.execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), row)
