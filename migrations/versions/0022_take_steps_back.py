"""Keep the last step of a visit at the desk for a moment, so that it can be taken back.

A visit that is over still does not come back by itself: only while such a step of it is kept.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
OVER = "('cancelled', 'late_cancelled', 'released')"
COMES_BACK = f"OLD.status IN {OVER} AND NEW.status NOT IN {OVER}"
KEPT = "SELECT 1 FROM take_back WHERE take_back.visit_id = OLD.id"


def upgrade() -> None:
    op.create_table(
        "take_back",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("visit_id", BIG, nullable=False),
        sa.Column("deed", sa.String(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("mail_key", sa.String(), nullable=True),
        sa.Column("done_by_id", sa.Integer(), nullable=True),
        sa.Column("until", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_take_back_visit_id_visit")),
        sa.ForeignKeyConstraint(["done_by_id"], ["user.id"], name=op.f("fk_take_back_done_by_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_take_back")),
        sa.UniqueConstraint("visit_id", name=op.f("uq_take_back_visit_id")),
    )
    op.create_index(op.f("ix_take_back_until"), "take_back", ["until"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER ap_visit_over")
        op.execute(
            f"CREATE TRIGGER ap_visit_over BEFORE UPDATE OF status ON visit WHEN {COMES_BACK}"
            f" BEGIN SELECT RAISE(ABORT, 'ap_visit') WHERE NOT EXISTS ({KEPT}); END"
        )
    else:
        op.execute("DROP TRIGGER ap_visit_over ON visit")
        op.execute(
            f"CREATE FUNCTION refuse_coming_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF NOT EXISTS ({KEPT}) THEN"
            " RAISE EXCEPTION 'ap_visit' USING ERRCODE = 'integrity_constraint_violation';"
            " END IF; RETURN NEW; END $$"
        )
        op.execute(
            f"CREATE TRIGGER ap_visit_over BEFORE UPDATE OF status ON visit FOR EACH ROW WHEN ({COMES_BACK})"
            " EXECUTE FUNCTION refuse_coming_back()"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER ap_visit_over")
        op.execute(
            f"CREATE TRIGGER ap_visit_over BEFORE UPDATE OF status ON visit WHEN {COMES_BACK}"
            " BEGIN SELECT RAISE(ABORT, 'ap_visit'); END"
        )
    else:
        op.execute("DROP TRIGGER ap_visit_over ON visit")
        op.execute("DROP FUNCTION refuse_coming_back()")
        op.execute(
            f"CREATE TRIGGER ap_visit_over BEFORE UPDATE OF status ON visit FOR EACH ROW WHEN ({COMES_BACK})"
            " EXECUTE FUNCTION refuse_edit()"
        )
    op.drop_index(op.f("ix_take_back_until"), table_name="take_back")
    op.drop_table("take_back")
