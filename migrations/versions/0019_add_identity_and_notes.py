"""Add the clinic's logo, colours and pictures, a therapist's notes of a visit, and that somebody runs late.

A note is never edited and never deleted: a correction is a note of its own.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
WRITTEN_ONCE = "id, visit_id, corrects_id, written_at, written_by_id"  # what is sealed may be sealed anew


def upgrade() -> None:
    op.create_table(
        "picture",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mime", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["made_by_id"], ["user.id"], name=op.f("fk_picture_made_by_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture")),
    )
    op.add_column("clinic", sa.Column("brand_colour", sa.String(), nullable=False, server_default=""))
    op.add_column("clinic", sa.Column("accent_colour", sa.String(), nullable=False, server_default=""))
    _add_picture_of("clinic", "logo_id")
    _add_picture_of("therapist", "picture_id")
    _add_notes()
    op.create_table(
        "running_late",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("therapist_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("said_at", MOMENT, nullable=False),
        sa.Column("said_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapist.id"], name=op.f("fk_running_late_therapist_id_therapist")
        ),
        sa.ForeignKeyConstraint(["said_by_id"], ["user.id"], name=op.f("fk_running_late_said_by_id_user")),
        sa.CheckConstraint("minutes BETWEEN 0 AND 240", name=op.f("ck_running_late_minutes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_running_late")),
    )
    op.create_index("ix_running_late_day_therapist_id", "running_late", ["day", "therapist_id"])


def _add_picture_of(table: str, column: str) -> None:
    """SQLite takes a column with its reference in one step, without rebuilding the table and losing its guards."""
    name = op.f(f"fk_{table}_{column}_picture")
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN {column} INTEGER CONSTRAINT {name} REFERENCES picture (id)"
        )
    else:
        op.add_column(table, sa.Column(column, sa.Integer(), nullable=True))
        op.create_foreign_key(name, table, "picture", [column], ["id"])


def _add_notes() -> None:
    op.create_table(
        "session_note",
        sa.Column("id", BIG, nullable=False),
        sa.Column("visit_id", BIG, nullable=False),
        sa.Column("corrects_id", BIG, nullable=True),
        sa.Column("written_at", MOMENT, nullable=False),
        sa.Column("written_by_id", sa.Integer(), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_session_note_visit_id_visit")),
        sa.ForeignKeyConstraint(
            ["corrects_id"], ["session_note.id"], name=op.f("fk_session_note_corrects_id_session_note")
        ),
        sa.ForeignKeyConstraint(
            ["written_by_id"], ["user.id"], name=op.f("fk_session_note_written_by_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_note")),
        sa.UniqueConstraint("corrects_id", name=op.f("uq_session_note_corrects_id")),
    )
    op.create_index(op.f("ix_session_note_visit_id"), "session_note", ["visit_id"])
    refusal = (
        "BEGIN SELECT RAISE(ABORT, 'ap_session_note'); END"
        if op.get_bind().dialect.name == "sqlite"
        else "FOR EACH ROW EXECUTE FUNCTION refuse_edit()"
    )
    op.execute(
        f"CREATE TRIGGER ap_session_note_update BEFORE UPDATE OF {WRITTEN_ONCE} ON session_note {refusal}"
    )
    op.execute(f"CREATE TRIGGER ap_session_note_delete BEFORE DELETE ON session_note {refusal}")


def downgrade() -> None:
    op.drop_table("running_late")
    op.drop_table("session_note")
    for table, column in (("therapist", "picture_id"), ("clinic", "logo_id")):
        op.drop_column(table, column)
    op.drop_column("clinic", "accent_colour")
    op.drop_column("clinic", "brand_colour")
    op.drop_table("picture")
