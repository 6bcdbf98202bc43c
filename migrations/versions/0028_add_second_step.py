"""Add the second step of signing in, what a session has proven, and who opened answers that are closed to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
TABLES = ("half_sign_in", "authenticator", "passkey", "recovery_code", "answers_opening")


def _owned(name: str, *columns: sa.schema.SchemaItem, sealed: bool = False) -> None:
    """A table whose rows belong to an account."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite") if sealed else sa.Integer()
    op.create_table(
        name,
        sa.Column("id", number, autoincrement=not sealed, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=f"fk_{name}_user_id_user"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
    )
    op.create_index(f"ix_{name}_user_id", name, ["user_id"])


def upgrade() -> None:
    op.add_column(
        "user",
        sa.Column("password_is_short", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("user_session", sa.Column("proved_at", MOMENT, nullable=True))
    op.add_column("user_session", sa.Column("factor_at", MOMENT, nullable=True))
    sessions = sa.table("user_session", sa.column("proved_at", MOMENT), sa.column("created_at", MOMENT))
    op.execute(sessions.update().values(proved_at=sessions.c.created_at))
    with op.batch_alter_table("user_session") as batch:
        batch.alter_column("proved_at", existing_type=MOMENT, nullable=False)
    _owned(
        "half_sign_in",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("replaces_id", sa.Integer(), nullable=True),
        sa.UniqueConstraint("token_hash", name="uq_half_sign_in_token_hash"),
    )
    _owned(
        "authenticator",
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sealed=True,
    )
    _owned(
        "passkey",
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.UniqueConstraint("credential_id", name="uq_passkey_credential_id"),
    )
    _owned(
        "recovery_code",
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.UniqueConstraint("code_hash", name="uq_recovery_code_code_hash"),
    )
    _owned(
        "answers_opening",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name="fk_answers_opening_client_id_client"),
        sealed=True,
    )
    for column in ("client_id", "opened_at"):
        op.create_index(f"ix_answers_opening_{column}", "answers_opening", [column])
    op.create_table(
        "passkey_challenge",
        sa.Column("challenge", sa.String(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("challenge", name="pk_passkey_challenge"),
    )


def downgrade() -> None:
    op.drop_table("passkey_challenge")
    for name in reversed(TABLES):
        op.drop_table(name)
    with op.batch_alter_table("user_session") as batch:
        batch.drop_column("factor_at")
        batch.drop_column("proved_at")
    op.drop_column("user", "password_is_short")
