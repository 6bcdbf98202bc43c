"""Add private addresses of calendar feeds, and what time off and closures were meant to be on the wall."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
SPANS = ("time_off", "closure")
PLACE = sa.table(
    "location", sa.column("id", sa.Integer), sa.column("zone", sa.String), sa.column("is_active", sa.Boolean)
)


def upgrade() -> None:
    op.create_table(
        "calendar_feed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("therapist_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "(therapist_id IS NULL) <> (user_id IS NULL)", name=op.f("ck_calendar_feed_of_one")
        ),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapist.id"], name=op.f("fk_calendar_feed_therapist_id_therapist")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_calendar_feed_user_id_user")),
        sa.ForeignKeyConstraint(["made_by_id"], ["user.id"], name=op.f("fk_calendar_feed_made_by_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_calendar_feed_token_hash")),
    )
    op.create_index(op.f("ix_calendar_feed_therapist_id"), "calendar_feed", ["therapist_id"])
    op.create_index(op.f("ix_calendar_feed_user_id"), "calendar_feed", ["user_id"])
    for table in SPANS:
        op.add_column(table, sa.Column("starts_wall", sa.String(), nullable=True))
        op.add_column(table, sa.Column("ends_wall", sa.String(), nullable=True))
    _fill()


def _fill() -> None:
    """Closures by the zone of their place, time off by that of the first place, in which it was typed."""
    connection = op.get_bind()
    zones = {row.id: row.zone for row in connection.execute(sa.select(PLACE).order_by(PLACE.c.id))}
    first = connection.scalar(sa.select(PLACE.c.zone).where(PLACE.c.is_active).order_by(PLACE.c.id).limit(1))
    for name in SPANS:
        columns = ["id", "starts_at", "ends_at", *(["location_id"] if name == "closure" else [])]
        kinds = {"starts_at": MOMENT, "ends_at": MOMENT}
        table = sa.table(
            name, *(sa.column(one, kinds.get(one, sa.Integer())) for one in columns),
            sa.column("starts_wall", sa.String()), sa.column("ends_wall", sa.String()),
        )  # fmt: skip
        rows = connection.execute(sa.select(*(table.c[one] for one in columns))).mappings().all()
        values = [
            {
                "row": row["id"],
                "start": _wall(row["starts_at"], zones.get(row.get("location_id"), first)),
                "end": _wall(row["ends_at"], zones.get(row.get("location_id"), first)),
            }
            for row in rows
        ]
        if values:
            connection.execute(
                table.update()
                .where(table.c.id == sa.bindparam("row"))
                .values(starts_wall=sa.bindparam("start"), ends_wall=sa.bindparam("end")),
                values,
            )


def _wall(at: dt.datetime, zone: str | None) -> str:
    aware = at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)
    return aware.astimezone(ZoneInfo(zone or "UTC")).replace(tzinfo=None, fold=0).isoformat()


def downgrade() -> None:
    op.drop_table("calendar_feed")
    for table in SPANS:
        op.drop_column(table, "ends_wall")
        op.drop_column(table, "starts_wall")
