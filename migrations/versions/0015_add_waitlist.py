"""Add the waitlist, and offers of a time that is kept until the person has answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.add_column(
        "clinic", sa.Column("offer_minutes", sa.Integer(), nullable=False, server_default=sa.text("60"))
    )
    op.create_table(
        "waitlist_wish",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("therapist_id", sa.Integer(), nullable=True),
        sa.Column("mode", sa.String(), nullable=True),
        sa.Column("addons", sa.JSON(), nullable=False),
        sa.Column("areas", sa.JSON(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("weekdays", sa.JSON(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("notice_hours", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_as", sa.String(), nullable=True),
        sa.CheckConstraint("last_day >= first_day", name=op.f("ck_waitlist_wish_order")),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name=op.f("ck_waitlist_wish_ended")),
        sa.ForeignKeyConstraint(
            ["location_id"], ["location.id"], name=op.f("fk_waitlist_wish_location_id_location")
        ),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_waitlist_wish_client_id_client")),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_waitlist_wish_service_id_service")
        ),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapist.id"], name=op.f("fk_waitlist_wish_therapist_id_therapist")
        ),
        sa.ForeignKeyConstraint(["made_by_id"], ["user.id"], name=op.f("fk_waitlist_wish_made_by_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waitlist_wish")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_waitlist_wish_key_hash")),
    )
    op.create_index(op.f("ix_waitlist_wish_client_id"), "waitlist_wish", ["client_id"])
    op.create_index("ix_waitlist_wish_ended_at_made_at", "waitlist_wish", ["ended_at", "made_at"])
    op.create_table(
        "offer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("wish_id", sa.Integer(), nullable=True),
        sa.Column("instead_of_id", BIG, nullable=True),
        sa.Column("visit_id", BIG, nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_as", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'wish') = (wish_id IS NOT NULL) AND (kind = 'move') = (instead_of_id IS NOT NULL)"
            " AND kind IN ('wish', 'move', 'given')",
            name=op.f("ck_offer_kind"),
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name=op.f("ck_offer_ended")),
        sa.ForeignKeyConstraint(
            ["wish_id"], ["waitlist_wish.id"], name=op.f("fk_offer_wish_id_waitlist_wish")
        ),
        sa.ForeignKeyConstraint(["instead_of_id"], ["visit.id"], name=op.f("fk_offer_instead_of_id_visit")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_offer_visit_id_visit")),
        sa.ForeignKeyConstraint(["made_by_id"], ["user.id"], name=op.f("fk_offer_made_by_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_offer_token_hash")),
    )
    for column in ("wish_id", "instead_of_id", "visit_id"):
        op.create_index(op.f(f"ix_offer_{column}"), "offer", [column])
    op.create_index("ix_offer_ended_at_expires_at", "offer", ["ended_at", "expires_at"])
    for name, column in (("wish", "wish_id"), ("visit", "visit_id"), ("move", "instead_of_id")):
        op.create_index(
            f"uq_offer_open_{name}", "offer", [column], unique=True, sqlite_where=OPEN, postgresql_where=OPEN
        )


def downgrade() -> None:
    op.drop_table("offer")
    op.drop_table("waitlist_wish")
    op.drop_column("clinic", "offer_minutes")
