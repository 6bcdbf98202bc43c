"""Add what look-alikes are found by: names in any order without suffixes, and the box an e-mail really reaches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from clinic.rules.contact import alike_email, alike_name

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

CLIENT = sa.table(
    "client",
    sa.column("id", sa.BigInteger),
    sa.column("name_key", sa.String),
    sa.column("email_key", sa.String),
    sa.column("alike_name", sa.String),
    sa.column("alike_email", sa.String),
)


def upgrade() -> None:
    op.add_column("client", sa.Column("alike_name", sa.String(), nullable=False, server_default=""))
    op.add_column("client", sa.Column("alike_email", sa.String(), nullable=True))
    _fill()
    op.drop_index("ix_client_name_key_born_on", table_name="client")
    op.create_index("ix_client_alike_name_born_on", "client", ["alike_name", "born_on"])
    op.create_index(op.f("ix_client_alike_email"), "client", ["alike_email"])


def _fill() -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.select(CLIENT.c.id, CLIENT.c.name_key, CLIENT.c.email_key)).all()
    values = [
        {"one": one, "name": alike_name(name), "email": alike_email(email)} for one, name, email in rows
    ]
    if values:
        connection.execute(
            CLIENT.update()
            .where(CLIENT.c.id == sa.bindparam("one"))
            .values(alike_name=sa.bindparam("name"), alike_email=sa.bindparam("email")),
            values,
        )


def downgrade() -> None:
    op.drop_index(op.f("ix_client_alike_email"), table_name="client")
    op.drop_index("ix_client_alike_name_born_on", table_name="client")
    op.create_index("ix_client_name_key_born_on", "client", ["name_key", "born_on"])
    op.drop_column("client", "alike_email")
    op.drop_column("client", "alike_name")
