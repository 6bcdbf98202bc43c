"""Add series of visits, and couples: two visits whose room is claimed once, for both.

The guard on claims (0007) is made anew: what a couple claims is kept as long as either of its visits needs it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

HELD = "('held', 'pending', 'confirmed', 'arrived', 'in_session', 'done', 'suspended')"
OWN = f"EXISTS (SELECT 1 FROM visit WHERE visit.id = OLD.visit_id AND visit.status IN {HELD})"  # noqa: S608 - constants
SHARED = OWN.replace("visit.id = OLD.visit_id", "visit.couple_id = OLD.couple_id")
OWN_OR_SHARED = f"{OWN} OR {SHARED}"
GIVE_TO_ONE = (
    "UPDATE claim SET visit_id = (SELECT min(visit.id) FROM visit WHERE visit.couple_id = claim.couple_id"
    " AND visit.status IN ('held', 'pending', 'confirmed', 'arrived', 'in_session', 'done', 'suspended')),"
    " couple_id = NULL WHERE couple_id IS NOT NULL"
)
COLUMNS = (
    ("visit", "series_id", "series", ""),
    ("visit", "couple_id", "couple", ""),
    ("claim", "couple_id", "couple", " CONSTRAINT ck_claim_owner CHECK (visit_id IS NULL OR couple_id IS NULL)"),
)  # fmt: skip


def upgrade() -> None:
    _add_tables()
    for table, column, other, check in COLUMNS:
        # In one statement with its key and check: SQLite adds them in no other way to a table that is there.
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN {column} INTEGER CONSTRAINT fk_{table}_{column}_{other}"
            f" REFERENCES {other} (id){check}"
        )
        # Hardly any row has one. An index of them all tells SQLite that it finds nothing by it, and every visit is read instead.
        has_one = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            op.f(f"ix_{table}_{column}"), table, [column], sqlite_where=has_one, postgresql_where=has_one
        )
    _guard(OWN_OR_SHARED)


def _add_tables() -> None:
    op.create_table(
        "series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("every_weeks", sa.Integer(), nullable=False),
        sa.Column("request_key", sa.String(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("every_weeks > 0", name=op.f("ck_series_every_weeks")),
        sa.ForeignKeyConstraint(["made_by_id"], ["user.id"], name=op.f("fk_series_made_by_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
        sa.UniqueConstraint("request_key", name=op.f("uq_series_request_key")),
    )
    op.create_table(
        "couple",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_key", sa.String(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["made_by_id"], ["user.id"], name=op.f("fk_couple_made_by_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_couple")),
        sa.UniqueConstraint("request_key", name=op.f("uq_couple_request_key")),
    )


def _guard(still_held: str) -> None:
    """A claim without an end is not deleted while somebody needs it."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER ap_claim_kept")
        op.execute(
            "CREATE TRIGGER ap_claim_kept BEFORE DELETE ON claim WHEN OLD.expires_at IS NULL"
            f" BEGIN SELECT RAISE(ABORT, 'ap_claim_kept') WHERE {still_held}; END"
        )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_unkept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF OLD.expires_at IS NULL AND ({still_held}) THEN"
        " RAISE EXCEPTION 'ap_claim_kept' USING ERRCODE = 'integrity_constraint_violation';"
        " END IF; RETURN OLD; END $$"
    )


def downgrade() -> None:
    # A shared room goes to one of the two visits; without couples there is nobody else to claim it for.
    op.execute(GIVE_TO_ONE)
    _guard(OWN)
    for table, column, _other, check in reversed(COLUMNS):
        op.drop_index(op.f(f"ix_{table}_{column}"), table_name=table)
        if check and op.get_bind().dialect.name != "sqlite":
            op.drop_constraint("ck_claim_owner", table)
        op.drop_column(table, column)
    op.drop_table("couple")
    op.drop_table("series")
