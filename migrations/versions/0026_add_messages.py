"""Add messages: what is sent when about a visit, how each delivery went, the owner's own texts, and who wants what."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WAITS = sa.text("sent_at IS NULL AND ended_as IS NULL")
UNWRITTEN = sa.text("written_at IS NULL")
HAS_VISIT = sa.text("visit_id IS NOT NULL")


def upgrade() -> None:
    for column in (
        sa.Column("kind", sa.String(), nullable=False, server_default=""),
        sa.Column("channel", sa.String(), nullable=False, server_default="mail"),
        sa.Column("visit_id", BIG, nullable=True),
        sa.Column("starts_at", MOMENT, nullable=True),
        sa.Column("stop_key", sa.String(), nullable=True),
        sa.Column("tried_at", MOMENT, nullable=True),
        sa.Column("trouble", sa.String(), nullable=False, server_default=""),
        sa.Column("ended_as", sa.String(), nullable=True),
    ):
        op.add_column("outgoing_mail", column)
    _name_kinds()
    op.drop_index("ix_outgoing_mail_due_at", "outgoing_mail")
    op.create_index(
        "ix_outgoing_mail_waits", "outgoing_mail", ["due_at"], sqlite_where=WAITS, postgresql_where=WAITS
    )
    op.create_index(
        "ix_outgoing_mail_visit_id",
        "outgoing_mail",
        ["visit_id"],
        sqlite_where=HAS_VISIT,
        postgresql_where=HAS_VISIT,
    )
    op.create_table(
        "own_text",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["changed_by_id"], ["user.id"], name="fk_own_text_changed_by_id_user"),
        sa.PrimaryKeyConstraint("kind", "language", name="pk_own_text"),
    )
    op.create_table(
        "timed_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("visit_id", BIG, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("written_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name="fk_timed_message_visit_id_visit"),
        sa.PrimaryKeyConstraint("id", name="pk_timed_message"),
        sa.UniqueConstraint("visit_id", "kind", "due_at", name="uq_timed_message_visit_id"),
    )
    op.create_index(
        "ix_timed_message_unwritten",
        "timed_message",
        ["due_at"],
        sqlite_where=UNWRITTEN,
        postgresql_where=UNWRITTEN,
    )
    op.create_table(
        "message_choice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("is_wanted", sa.Boolean(), nullable=False),
        sa.Column("chosen_at", MOMENT, nullable=False),
        sa.CheckConstraint("(client_id IS NULL) <> (user_id IS NULL)", name=op.f("ck_message_choice_of_one")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name="fk_message_choice_client_id_client"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_message_choice_user_id_user"),
        sa.PrimaryKeyConstraint("id", name="pk_message_choice"),
        sa.UniqueConstraint("client_id", "kind", name="uq_message_choice_client_id"),
        sa.UniqueConstraint("user_id", "kind", name="uq_message_choice_user_id"),
    )
    _plan_reminders()
    op.add_column("clinic", sa.Column("reminder_hours", sa.String(), nullable=False, server_default="48, 3"))
    for name in ("asks_for_answers", "sends_aftercare", "sends_digests"):
        op.add_column("clinic", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.true()))


def _name_kinds() -> None:
    """The kind and the visit of a mail stood in its key until now: visit_booked:12:1."""
    mails = sa.table("outgoing_mail", sa.column("id", sa.Integer), sa.column("key", sa.String),
                     sa.column("kind", sa.String))  # fmt: skip
    bind = op.get_bind()
    for row in bind.execute(sa.select(mails.c.id, mails.c.key)).all():
        kind = row.key.partition(":")[0].rsplit("-", 1)[0]
        bind.execute(mails.update().where(mails.c.id == row.id).values(kind=kind))


def _plan_reminders() -> None:
    """Visits that are booked already get the reminders that new ones get: 48 and 3 hours before."""
    visit = sa.table(
        "visit", sa.column("id", BIG), sa.column("status", sa.String), sa.column("starts_at", MOMENT)
    )
    timed = sa.table(
        "timed_message", sa.column("visit_id", BIG), sa.column("kind", sa.String), sa.column("starts_at", MOMENT),
        sa.column("due_at", MOMENT),
    )  # fmt: skip
    bind = op.get_bind()
    now = dt.datetime.now(dt.UTC)
    stored_now = now.replace(tzinfo=None) if bind.dialect.name == "sqlite" else now
    coming = sa.select(visit.c.id, visit.c.starts_at).where(
        visit.c.status.in_(("confirmed", "pending", "suspended")), visit.c.starts_at > stored_now
    )
    rows = [
        {
            "visit_id": row.id,
            "kind": "visit_reminder",
            "starts_at": row.starts_at,
            "due_at": row.starts_at - before,
        }
        for row in bind.execute(coming).all()
        for before in (dt.timedelta(hours=48), dt.timedelta(hours=3))
        if row.starts_at - before > stored_now
    ]
    if rows:
        bind.execute(timed.insert(), rows)


def downgrade() -> None:
    for name in ("sends_digests", "sends_aftercare", "asks_for_answers", "reminder_hours"):
        op.drop_column("clinic", name)
    op.drop_table("message_choice")
    op.drop_table("timed_message")
    op.drop_table("own_text")
    op.drop_index("ix_outgoing_mail_visit_id", "outgoing_mail")
    op.drop_index("ix_outgoing_mail_waits", "outgoing_mail")
    op.create_index("ix_outgoing_mail_due_at", "outgoing_mail", ["due_at"])
    for name in ("ended_as", "trouble", "tried_at", "stop_key", "starts_at", "visit_id", "channel", "kind"):
        op.drop_column("outgoing_mail", name)
