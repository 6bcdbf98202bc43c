"""Give no number of a wish on the waitlist twice on SQLite: mails about a wish are known by it and outlive the wish."""

from __future__ import annotations

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

# Behind every wish that is there, and behind those of which only a mail still tells.
LAST = """
INSERT INTO sqlite_sequence (name, seq)
SELECT 'waitlist_wish', max(
  COALESCE((SELECT max(id) FROM waitlist_wish), 0),
  COALESCE((SELECT max(CAST(substr(key, 17) AS INTEGER)) FROM outgoing_mail WHERE kind = 'waitlist_joined'), 0)
)
"""


def upgrade() -> None:
    _rebuild(counts_on=True)
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DELETE FROM sqlite_sequence WHERE name = 'waitlist_wish'")
        op.execute(LAST)


def downgrade() -> None:
    _rebuild(counts_on=False)


def _rebuild(*, counts_on: bool) -> None:
    """PostgreSQL never counts back."""
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table(
            "waitlist_wish", recreate="always", table_kwargs={"sqlite_autoincrement": counts_on}
        ):
            pass
