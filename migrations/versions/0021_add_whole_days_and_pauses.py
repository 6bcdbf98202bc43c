"""Add whole days off that hold at every place, by whose clock time off was typed, and two more limits of a day.

Time off that went from midnight to midnight on the wall was meant as whole days, and becomes them.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

from clinic.shared.database import UtcDateTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

MIDNIGHT = "T00:00:00"
DAYS = "(first_day IS NULL AND last_day IS NULL) OR (last_day >= first_day AND location_id IS NULL)"
TIME_OFF = sa.table(
    "time_off", sa.column("id"), sa.column("starts_wall"), sa.column("ends_wall"),
    sa.column("starts_at", UtcDateTime), sa.column("ends_at", UtcDateTime),
    sa.column("first_day", sa.Date), sa.column("last_day", sa.Date),
)  # fmt: skip


def upgrade() -> None:
    with op.batch_alter_table("time_off") as table:
        table.add_column(sa.Column("first_day", sa.Date(), nullable=True))
        table.add_column(sa.Column("last_day", sa.Date(), nullable=True))
        table.add_column(sa.Column("location_id", sa.Integer(), nullable=True))
        table.create_foreign_key(
            op.f("fk_time_off_location_id_location"), "location", ["location_id"], ["id"]
        )
        table.create_check_constraint(op.f("ck_time_off_days"), DAYS)
    _read_whole_days()
    op.add_column("therapist", sa.Column("most_visits_a_day", sa.Integer(), nullable=True))
    op.add_column("therapist", sa.Column("pause_minutes", sa.Integer(), nullable=True))


def _read_whole_days() -> None:
    connection = op.get_bind()
    columns = TIME_OFF.c
    rows = connection.execute(
        sa.select(columns.id, columns.starts_wall, columns.ends_wall).where(
            columns.starts_wall.like(f"%{MIDNIGHT}"), columns.ends_wall.like(f"%{MIDNIGHT}")
        )
    ).all()
    zones = [
        ZoneInfo(one) for one in connection.execute(sa.text("SELECT DISTINCT zone FROM location")).scalars()
    ]
    for number, starts, ends in rows:
        first, end = (dt.datetime.fromisoformat(wall) for wall in (starts, ends))
        values = {
            "first_day": first.date(),
            "last_day": end.date() - dt.timedelta(days=1),
            "starts_at": min(first.replace(tzinfo=zone).astimezone(dt.UTC) for zone in zones),
            "ends_at": max(end.replace(tzinfo=zone).astimezone(dt.UTC) for zone in zones),
        }
        connection.execute(sa.update(TIME_OFF).where(columns.id == number).values(**values))


def downgrade() -> None:
    for name in ("pause_minutes", "most_visits_a_day"):
        op.drop_column("therapist", name)
    with op.batch_alter_table("time_off") as table:
        table.drop_constraint(op.f("ck_time_off_days"), type_="check")
        table.drop_constraint(op.f("fk_time_off_location_id_location"), type_="foreignkey")
        for name in ("location_id", "last_day", "first_day"):
            table.drop_column(name)
