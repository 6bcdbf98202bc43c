"""Add the check-in's links, the therapist's restrictions, and what a judgement rests on besides the answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WRITTEN_ONCE = (("screening", "basis"), ("intake", "renewal"))


def upgrade() -> None:
    op.add_column(
        "clinic", sa.Column("check_in_needed", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.add_column("screening", sa.Column("basis", sa.String(), nullable=True))
    op.add_column("intake", sa.Column("renewal", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "checkin_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("visit_id", BIG, nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_checkin_link_visit_id_visit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkin_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_checkin_link_token_hash")),
        sa.UniqueConstraint("visit_id", "expires_at", name=op.f("uq_checkin_link_visit_id")),
    )
    op.create_table(
        "therapist_restriction",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("therapist_id", sa.Integer(), nullable=False),
        sa.Column("services", sa.JSON(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", sa.Integer(), nullable=True),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.CheckConstraint(
            "verdict IN ('caution', 'clearance', 'block')", name=op.f("ck_therapist_restriction_verdict")
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("fk_therapist_restriction_client_id_client")
        ),
        sa.ForeignKeyConstraint(
            ["ended_by_id"], ["user.id"], name=op.f("fk_therapist_restriction_ended_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["user.id"], name=op.f("fk_therapist_restriction_made_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapist.id"], name=op.f("fk_therapist_restriction_therapist_id_therapist")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_therapist_restriction")),
    )
    for column in ("client_id", "therapist_id"):
        op.create_index(op.f(f"ix_therapist_restriction_{column}"), "therapist_restriction", [column])
    guard()


def guard() -> None:
    """The new columns of rows that are never edited are never edited either."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    for table, column in WRITTEN_ONCE:
        refusal = (
            f"BEGIN SELECT RAISE(ABORT, 'ap_{table}'); END"
            if sqlite
            else "FOR EACH ROW EXECUTE FUNCTION refuse_edit()"
        )
        op.execute(
            f"CREATE TRIGGER ap_{table}_{column}_update BEFORE UPDATE OF {column} ON {table} {refusal}"
        )


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for table, column in WRITTEN_ONCE:
        op.execute(f"DROP TRIGGER ap_{table}_{column}_update" + ("" if sqlite else f" ON {table}"))
    op.drop_table("therapist_restriction")
    op.drop_table("checkin_link")
    op.drop_column("intake", "renewal")
    op.drop_column("screening", "basis")
    op.drop_column("clinic", "check_in_needed")
