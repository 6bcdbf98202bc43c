"""Keep the wording of each version of the questions, and what a check-in asked, so that a record can print it.

Answers that were signed before this name their questions by an earlier hash. Where the questions are still
those, which the hash itself shows, their wording is kept now; else it is lost, and the record says so.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json

import sqlalchemy as sa
from alembic import op

from clinic.rules.question_set import as_asked

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

GUARDS = (
    ("ap_question_set_update", "UPDATE", "question_set"),
    ("ap_question_set_delete", "DELETE", "question_set"),
    ("ap_intake_asked_update", "UPDATE OF asked", "intake"),
)


def upgrade() -> None:
    kept = op.create_table(
        "question_set",
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wording", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_question_set")),
    )
    op.add_column("intake", sa.Column("asked", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("health_stop", sa.Column("question_version", sa.String(), nullable=True))
    wording = as_asked()
    version = earlier_version(wording)
    used = sa.text("SELECT 1 FROM intake WHERE question_version = :version LIMIT 1")
    if op.get_bind().execute(used, {"version": version}).scalar():
        op.bulk_insert(kept, [{"version": version, "kept_at": dt.datetime.now(dt.UTC), "wording": wording}])
    guard()


def earlier_version(wording: dict[str, list[dict[str, object]]]) -> str:
    """The name that these questions had before 0006: a hash of the questions and their details alone."""
    asked = [
        [one["key"], one["question"], one["examples"], one["ask_when"], [
            [field["name"], field["type"], field["question"], field["choices"]] for field in one["fields"]  # type: ignore[attr-defined]
        ]]
        for one in wording["conditions"]
    ]  # fmt: skip
    return f"q-{hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:12]}"


def guard() -> None:
    """What was asked is never edited or deleted."""
    for name, event, table in GUARDS:
        refusal = (
            f"BEGIN SELECT RAISE(ABORT, 'ap_{table}'); END"
            if is_sqlite()
            else "FOR EACH ROW EXECUTE FUNCTION refuse_edit()"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} {refusal}")


def is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def downgrade() -> None:
    op.execute("DROP TRIGGER ap_intake_asked_update" + ("" if is_sqlite() else " ON intake"))
    op.drop_column("intake", "asked")
    op.drop_column("health_stop", "question_version")
    op.drop_table("question_set")  # its triggers go with it
