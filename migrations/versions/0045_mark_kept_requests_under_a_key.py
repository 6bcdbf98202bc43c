"""What a program asked, kept to know a repetition by, is marked under a key of the clinic: it was a hash of the request
alone, from which answers to the health questions could be guessed."""

from __future__ import annotations

import hmac

import sqlalchemy as sa
from alembic import op

from clinic.shared.keyring import ring

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    bind = op.get_bind()
    kept = bind.execute(sa.text("SELECT id, fingerprint FROM api_answer")).all()
    for row_id, plain in kept:
        mark = hmac.digest(ring().keys[ring().current], plain.encode(), "sha256").hex()
        bind.execute(
            sa.text("UPDATE api_answer SET fingerprint = :mark WHERE id = :id"), {"mark": mark, "id": row_id}
        )


def downgrade() -> None:
    """The version of before knows none of these marks: it would answer a repetition with "used for another request"."""
    op.execute("DELETE FROM api_answer")
