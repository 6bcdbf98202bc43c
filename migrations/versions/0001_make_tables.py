"""Make every table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # ids of sealed rows are random and large


def upgrade() -> None:
    op.create_table(
        "addon",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("judged_as", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("aftercare", sa.String(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("turnover_minutes", sa.Integer(), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("skills", sa.JSON(), nullable=False),
        sa.Column("device_kinds", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_addon")),
        sa.UniqueConstraint("key", name=op.f("uq_addon_key")),
    )
    op.create_table(
        "audit_counter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_counter")),
    )
    op.create_table(
        "audit_row",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_user_id", sa.Integer(), nullable=True),
        sa.Column("deed", sa.String(), nullable=False),
        sa.Column("thing", sa.String(), nullable=False),
        sa.Column("thing_id", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_row")),
    )
    op.create_table(
        "clinic",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("mail_sender", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("emergency_number", sa.String(), nullable=False),
        sa.Column("health_line_name", sa.String(), nullable=False),
        sa.Column("health_line_number", sa.String(), nullable=False),
        sa.Column("phone_region", sa.String(), nullable=False),
        sa.Column("uses_24_hours", sa.Boolean(), nullable=False),
        sa.Column("slot_step_minutes", sa.Integer(), nullable=False),
        sa.Column("lead_time_minutes", sa.Integer(), nullable=False),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("cancel_notice_hours", sa.Integer(), nullable=False),
        sa.Column("hold_minutes", sa.Integer(), nullable=False),
        sa.Column("hold_max_minutes", sa.Integer(), nullable=False),
        sa.Column("pending_days", sa.Integer(), nullable=False),
        sa.Column("pending_hours_before", sa.Integer(), nullable=False),
        sa.Column("pending_short_hours_before", sa.Integer(), nullable=False),
        sa.Column("turnover_may_overrun", sa.Boolean(), nullable=False),
        sa.Column("adult_age", sa.Integer(), nullable=False),
        sa.Column("guardian_in_room_age", sa.Integer(), nullable=False),
        sa.Column("intake_valid_days", sa.Integer(), nullable=False),
        sa.Column("minor_intake_valid_days", sa.Integer(), nullable=False),
        sa.Column("treated_days_back", sa.Integer(), nullable=False),
        sa.Column("treated_days_ahead", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinic")),
    )
    op.create_table(
        "failed_try",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failed_try")),
    )
    op.create_index("ix_failed_try_kind_who_at", "failed_try", ["kind", "who", "at"], unique=False)
    op.create_table(
        "location",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_location")),
    )
    op.create_table(
        "outgoing_mail",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("to", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_mail")),
        sa.UniqueConstraint("key", name=op.f("uq_outgoing_mail_key")),
    )
    op.create_index(op.f("ix_outgoing_mail_due_at"), "outgoing_mail", ["due_at"], unique=False)
    op.create_table(
        "resource",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resource")),
    )
    op.create_table(
        "service",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("judged_as", sa.JSON(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("good_for", sa.String(), nullable=False),
        sa.Column("what_happens", sa.String(), nullable=False),
        sa.Column("what_to_expect", sa.String(), nullable=False),
        sa.Column("aftercare", sa.String(), nullable=False),
        sa.Column("techniques", sa.String(), nullable=False),
        sa.Column("pressure", sa.String(), nullable=False),
        sa.Column("how_often", sa.String(), nullable=False),
        sa.Column("usual_way", sa.String(), nullable=False),
        sa.Column("other_names", sa.JSON(), nullable=False),
        sa.Column("icon", sa.String(), nullable=False),
        sa.Column("skills", sa.JSON(), nullable=False),
        sa.Column("licence_kind", sa.String(), nullable=False),
        sa.Column("room_kind", sa.String(), nullable=False),
        sa.Column("device_kinds", sa.JSON(), nullable=False),
        sa.Column("turnover_minutes", sa.Integer(), nullable=False),
        sa.Column("first_visit_minutes", sa.Integer(), nullable=False),
        sa.Column("asks_area", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("turnover_minutes >= 0", name=op.f("ck_service_turnover")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service")),
        sa.UniqueConstraint("key", name=op.f("uq_service_key")),
    )
    op.create_table(
        "user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("email", name=op.f("uq_user_email")),
    )
    op.create_table(
        "client",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("first_name", sa.String(), nullable=False),
        sa.Column("last_name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("born_on", sa.Date(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("email_key", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("phone_key", sa.String(), nullable=True),
        sa.Column("emergency_contact", sa.String(), nullable=False),
        sa.Column("guardian_name", sa.String(), nullable=False),
        sa.Column("guardian_relation", sa.String(), nullable=False),
        sa.Column("guardian_phone", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("is_unproven", sa.Boolean(), nullable=False),
        sa.Column("is_barred_online", sa.Boolean(), nullable=False),
        sa.Column("merged_into_id", sa.Integer(), nullable=True),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["user.id"], name=op.f("fk_client_created_by_id_user")),
        sa.ForeignKeyConstraint(["id"], ["resource.id"], name=op.f("fk_client_id_resource")),
        sa.ForeignKeyConstraint(
            ["merged_into_id"], ["client.id"], name=op.f("fk_client_merged_into_id_client")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client")),
    )
    op.create_index(op.f("ix_client_email_key"), "client", ["email_key"], unique=False)
    op.create_index(op.f("ix_client_merged_into_id"), "client", ["merged_into_id"], unique=False)
    op.create_index(op.f("ix_client_name_key"), "client", ["name_key"], unique=False)
    op.create_index("ix_client_name_key_born_on", "client", ["name_key", "born_on"], unique=False)
    op.create_index(op.f("ix_client_phone_key"), "client", ["phone_key"], unique=False)
    op.create_table(
        "closure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("resource_id", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_closure_order")),
        sa.ForeignKeyConstraint(
            ["location_id"], ["location.id"], name=op.f("fk_closure_location_id_location")
        ),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resource.id"], name=op.f("fk_closure_resource_id_resource")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closure")),
    )
    op.create_index(op.f("ix_closure_location_id"), "closure", ["location_id"], unique=False)
    op.create_index(op.f("ix_closure_resource_id"), "closure", ["resource_id"], unique=False)
    op.create_table(
        "device",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("device_kind", sa.String(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["resource.id"], name=op.f("fk_device_id_resource")),
        sa.ForeignKeyConstraint(
            ["location_id"], ["location.id"], name=op.f("fk_device_location_id_location")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
    )
    op.create_index(op.f("ix_device_location_id"), "device", ["location_id"], unique=False)
    op.create_table(
        "mailed_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_mailed_link_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailed_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_mailed_link_token_hash")),
    )
    op.create_index(op.f("ix_mailed_link_user_id"), "mailed_link", ["user_id"], unique=False)
    op.create_table(
        "opening_hours",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("opens", sa.Time(), nullable=False),
        sa.Column("closes", sa.Time(), nullable=False),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_opening_hours_weekday")),
        sa.ForeignKeyConstraint(
            ["location_id"], ["location.id"], name=op.f("fk_opening_hours_location_id_location")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening_hours")),
    )
    op.create_index(op.f("ix_opening_hours_location_id"), "opening_hours", ["location_id"], unique=False)
    op.create_table(
        "room",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("room_kind", sa.String(), nullable=False),
        sa.Column("tables", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["resource.id"], name=op.f("fk_room_id_resource")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_room_location_id_location")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room")),
    )
    op.create_index(op.f("ix_room_location_id"), "room", ["location_id"], unique=False)
    op.create_table(
        "service_addon",
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("addon_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["addon_id"], ["addon.id"], name=op.f("fk_service_addon_addon_id_addon")),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_service_addon_service_id_service")
        ),
        sa.PrimaryKeyConstraint("service_id", "addon_id", name=op.f("pk_service_addon")),
    )
    op.create_table(
        "service_length",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.CheckConstraint("minutes BETWEEN 5 AND 480", name=op.f("ck_service_length_minutes")),
        sa.CheckConstraint("price >= 0", name=op.f("ck_service_length_price")),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_service_length_service_id_service")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_length")),
    )
    op.create_index(op.f("ix_service_length_service_id"), "service_length", ["service_id"], unique=False)
    op.create_table(
        "service_mode",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("what_to_expect", sa.String(), nullable=False),
        sa.Column("skills", sa.JSON(), nullable=False),
        sa.Column("room_kind", sa.String(), nullable=False),
        sa.Column("device_kinds", sa.JSON(), nullable=False),
        sa.Column("turnover_minutes", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_service_mode_service_id_service")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_mode")),
        sa.UniqueConstraint("service_id", "key", name=op.f("uq_service_mode_service_id")),
    )
    op.create_index(op.f("ix_service_mode_service_id"), "service_mode", ["service_id"], unique=False)
    op.create_table(
        "therapist",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("bio", sa.String(), nullable=False),
        sa.Column("gender", sa.String(), nullable=False),
        sa.Column("tint", sa.Integer(), nullable=False),
        sa.Column("licence_kind", sa.String(), nullable=False),
        sa.Column("licence_number", sa.String(), nullable=False),
        sa.Column("licence_expires_on", sa.Date(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["resource.id"], name=op.f("fk_therapist_id_resource")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_therapist_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_therapist")),
        sa.UniqueConstraint("user_id", name=op.f("uq_therapist_user_id")),
    )
    op.create_table(
        "user_grant",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("permission", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_user_grant_user_id_user")),
        sa.PrimaryKeyConstraint("user_id", "permission", name=op.f("pk_user_grant")),
    )
    op.create_table(
        "user_role",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_user_role_user_id_user")),
        sa.PrimaryKeyConstraint("user_id", "role", name=op.f("pk_user_role")),
    )
    op.create_table(
        "user_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("browser", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_user_session_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_session_token_hash")),
    )
    op.create_index(op.f("ix_user_session_user_id"), "user_session", ["user_id"], unique=False)
    op.create_table(
        "client_access",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("relation", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_client_access_client_id_client")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_client_access_user_id_user")),
        sa.PrimaryKeyConstraint("user_id", "client_id", name=op.f("pk_client_access")),
    )
    op.create_index(op.f("ix_client_access_client_id"), "client_access", ["client_id"], unique=False)
    op.create_table(
        "client_note",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by_id", sa.Integer(), nullable=True),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_client_note_client_id_client")),
        sa.ForeignKeyConstraint(
            ["written_by_id"], ["user.id"], name=op.f("fk_client_note_written_by_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_note")),
    )
    op.create_index(op.f("ix_client_note_client_id"), "client_note", ["client_id"], unique=False)
    op.create_table(
        "consent",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text_version", sa.String(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_by_id", sa.Integer(), nullable=True),
        sa.Column("detail_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_consent_client_id_client")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["user.id"], name=op.f("fk_consent_recorded_by_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_client_id"), "consent", ["client_id"], unique=False)
    op.create_table(
        "health_stop",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_on", sa.Date(), nullable=False),
        sa.Column("needs", sa.String(), nullable=False),
        sa.Column("urgency", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", sa.Integer(), nullable=True),
        sa.Column("ending", sa.String(), nullable=True),
        sa.Column("answers_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_health_stop_client_id_client")),
        sa.ForeignKeyConstraint(["ended_by_id"], ["user.id"], name=op.f("fk_health_stop_ended_by_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_stop")),
    )
    op.create_index(op.f("ix_health_stop_client_id"), "health_stop", ["client_id"], unique=False)
    op.create_table(
        "intake",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("question_version", sa.String(), nullable=False),
        sa.Column("completed_on", sa.Date(), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("recorded_by_id", sa.Integer(), nullable=True),
        sa.Column("softens", sa.Boolean(), nullable=False),
        sa.Column("answers_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("signature_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_intake_client_id_client")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["user.id"], name=op.f("fk_intake_recorded_by_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake")),
        sa.UniqueConstraint("client_id", "version", name=op.f("uq_intake_client_id")),
    )
    op.create_table(
        "intake_draft",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("writer", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answers_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_intake_draft_client_id_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake_draft")),
        sa.UniqueConstraint("client_id", "writer", name=op.f("uq_intake_draft_client_id")),
    )
    op.create_table(
        "never_together",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("therapist_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("fk_never_together_client_id_client")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user.id"], name=op.f("fk_never_together_created_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapist.id"], name=op.f("fk_never_together_therapist_id_therapist")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_never_together")),
    )
    op.create_index(op.f("ix_never_together_client_id"), "never_together", ["client_id"], unique=False)
    op.create_index(op.f("ix_never_together_therapist_id"), "never_together", ["therapist_id"], unique=False)
    op.create_table(
        "not_same_person",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("fk_not_same_person_client_id_client")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["user.id"], name=op.f("fk_not_same_person_decided_by_id_user")
        ),
        sa.ForeignKeyConstraint(["other_id"], ["client.id"], name=op.f("fk_not_same_person_other_id_client")),
        sa.PrimaryKeyConstraint("client_id", "other_id", name=op.f("pk_not_same_person")),
    )
    op.create_table(
        "screening",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("judged_key", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("permits", sa.Boolean(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=True),
        sa.Column("addons", sa.JSON(), nullable=False),
        sa.Column("areas", sa.JSON(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("urgency", sa.String(), nullable=False),
        sa.Column("rules_version", sa.String(), nullable=False),
        sa.Column("question_version", sa.String(), nullable=True),
        sa.Column("intake_ids", sa.JSON(), nullable=False),
        sa.Column("door", sa.String(), nullable=False),
        sa.Column("visit_id", BIG, nullable=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_user_id", sa.Integer(), nullable=True),
        sa.Column("findings_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["by_user_id"], ["user.id"], name=op.f("fk_screening_by_user_id_user")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_screening_client_id_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_screening")),
        sa.UniqueConstraint("id", "client_id", "judged_key", "day", "permits", name="uq_screening_judged"),
    )
    op.create_index("ix_screening_client_id_judged_at", "screening", ["client_id", "judged_at"], unique=False)
    op.create_index(op.f("ix_screening_visit_id"), "screening", ["visit_id"], unique=False)
    op.create_table(
        "tablet_pass",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_tablet_pass_client_id_client")),
        sa.ForeignKeyConstraint(["made_by_id"], ["user.id"], name=op.f("fk_tablet_pass_made_by_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tablet_pass")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_tablet_pass_token_hash")),
    )
    op.create_index(op.f("ix_tablet_pass_client_id"), "tablet_pass", ["client_id"], unique=False)
    op.create_table(
        "therapist_skill",
        sa.Column("therapist_id", sa.Integer(), nullable=False),
        sa.Column("skill", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapist.id"], name=op.f("fk_therapist_skill_therapist_id_therapist")
        ),
        sa.PrimaryKeyConstraint("therapist_id", "skill", name=op.f("pk_therapist_skill")),
    )
    op.create_table(
        "time_off",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("therapist_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind IN ('off', 'meeting', 'laundry', 'other')", name=op.f("ck_time_off_kind")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_time_off_order")),
        sa.ForeignKeyConstraint(["created_by_id"], ["user.id"], name=op.f("fk_time_off_created_by_id_user")),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapist.id"], name=op.f("fk_time_off_therapist_id_therapist")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_off")),
    )
    op.create_index(op.f("ix_time_off_therapist_id"), "time_off", ["therapist_id"], unique=False)
    op.create_table(
        "working_hours",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("therapist_id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("ends", sa.Time(), nullable=False),
        sa.CheckConstraint("kind IN ('work', 'break')", name=op.f("ck_working_hours_kind")),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_working_hours_weekday")),
        sa.ForeignKeyConstraint(
            ["location_id"], ["location.id"], name=op.f("fk_working_hours_location_id_location")
        ),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapist.id"], name=op.f("fk_working_hours_therapist_id_therapist")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_working_hours")),
    )
    op.create_index(op.f("ix_working_hours_therapist_id"), "working_hours", ["therapist_id"], unique=False)
    op.create_table(
        "softened_review",
        sa.Column("intake_id", BIG, nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=False),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["user.id"], name=op.f("fk_softened_review_decided_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["intake_id"], ["intake.id"], name=op.f("fk_softened_review_intake_id_intake")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_softened_review")),
        sa.UniqueConstraint("intake_id", name=op.f("uq_softened_review_intake_id")),
    )
    op.create_table(
        "visit",
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=True),
        sa.Column("therapist_id", sa.Integer(), nullable=False),
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(), nullable=True),
        sa.Column("addons", sa.JSON(), nullable=False),
        sa.Column("areas", sa.JSON(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("free_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("local_time", sa.Time(), nullable=False),
        sa.Column("fold", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hold_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waiting_for", sa.String(), nullable=True),
        sa.Column("judged_key", sa.String(), nullable=True),
        sa.Column("screening_id", BIG, nullable=True),
        sa.Column("permits", sa.Boolean(), nullable=True),
        sa.Column("first_visit", sa.Boolean(), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("any_therapist", sa.Boolean(), nullable=False),
        sa.Column("request_key", sa.String(), nullable=True),
        sa.Column("manage_hash", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.CheckConstraint(
            "status = 'held' OR status = 'released' OR client_id IS NOT NULL", name=op.f("ck_visit_client")
        ),
        sa.CheckConstraint(
            "status IN ('arrived', 'cancelled', 'confirmed', 'done', 'held', 'in_session', 'late_cancelled', 'no_show', 'pending', 'released', 'suspended')",
            name=op.f("ck_visit_status"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('confirmed', 'arrived', 'in_session', 'done') OR (permits IS TRUE AND screening_id IS NOT NULL AND client_id IS NOT NULL AND judged_key IS NOT NULL)",
            name=op.f("ck_visit_permit"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('held', 'pending', 'suspended') OR permits IS NULL",
            name=op.f("ck_visit_no_permit_while_waiting"),
        ),
        sa.CheckConstraint("ends_at > starts_at AND free_at >= ends_at", name=op.f("ck_visit_order")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_visit_client_id_client")),
        sa.ForeignKeyConstraint(["created_by_id"], ["user.id"], name=op.f("fk_visit_created_by_id_user")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_visit_location_id_location")),
        sa.ForeignKeyConstraint(["room_id"], ["room.id"], name=op.f("fk_visit_room_id_room")),
        sa.ForeignKeyConstraint(
            ["screening_id", "client_id", "judged_key", "day", "permits"],
            [
                "screening.id",
                "screening.client_id",
                "screening.judged_key",
                "screening.day",
                "screening.permits",
            ],
            name="fk_visit_screening",
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_visit_service_id_service")),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapist.id"], name=op.f("fk_visit_therapist_id_therapist")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
        sa.UniqueConstraint("manage_hash", name=op.f("uq_visit_manage_hash")),
        sa.UniqueConstraint("request_key", name=op.f("uq_visit_request_key")),
    )
    op.create_index("ix_visit_client_id_starts_at", "visit", ["client_id", "starts_at"], unique=False)
    op.create_index("ix_visit_location_id_starts_at", "visit", ["location_id", "starts_at"], unique=False)
    op.create_index("ix_visit_status_deadline_at", "visit", ["status", "deadline_at"], unique=False)
    op.create_index("ix_visit_therapist_id_starts_at", "visit", ["therapist_id", "starts_at"], unique=False)
    op.create_table(
        "call_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=True),
        sa.Column("visit_id", BIG, nullable=True),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_call_request_client_id_client")),
        sa.ForeignKeyConstraint(["done_by_id"], ["user.id"], name=op.f("fk_call_request_done_by_id_user")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_call_request_visit_id_visit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_request")),
    )
    op.create_table(
        "checkout",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("choice", sa.JSON(), nullable=False),
        sa.Column("visit_id", BIG, nullable=True),
        sa.Column("client_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("details_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_checkout_client_id_client")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_checkout_user_id_user")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_checkout_visit_id_visit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkout")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_checkout_token_hash")),
    )
    op.create_index(op.f("ix_checkout_updated_at"), "checkout", ["updated_at"], unique=False)
    op.create_table(
        "claim",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("resource_id", sa.Integer(), nullable=False),
        sa.Column("visit_id", BIG, nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_claim_order")),
        sa.ForeignKeyConstraint(["resource_id"], ["resource.id"], name=op.f("fk_claim_resource_id_resource")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_claim_visit_id_visit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
    )
    op.create_index(op.f("ix_claim_expires_at"), "claim", ["expires_at"], unique=False)
    op.create_index("ix_claim_resource_id_ends_at", "claim", ["resource_id", "ends_at"], unique=False)
    op.create_index(op.f("ix_claim_visit_id"), "claim", ["visit_id"], unique=False)
    op.create_table(
        "status_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("visit_id", BIG, nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_user_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["by_user_id"], ["user.id"], name=op.f("fk_status_change_by_user_id_user")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_status_change_visit_id_visit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_change")),
    )
    op.create_index(op.f("ix_status_change_visit_id"), "status_change", ["visit_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_status_change_visit_id"), table_name="status_change")
    op.drop_table("status_change")
    op.drop_index(op.f("ix_claim_visit_id"), table_name="claim")
    op.drop_index("ix_claim_resource_id_ends_at", table_name="claim")
    op.drop_index(op.f("ix_claim_expires_at"), table_name="claim")
    op.drop_table("claim")
    op.drop_index(op.f("ix_checkout_updated_at"), table_name="checkout")
    op.drop_table("checkout")
    op.drop_table("call_request")
    op.drop_index("ix_visit_therapist_id_starts_at", table_name="visit")
    op.drop_index("ix_visit_status_deadline_at", table_name="visit")
    op.drop_index("ix_visit_location_id_starts_at", table_name="visit")
    op.drop_index("ix_visit_client_id_starts_at", table_name="visit")
    op.drop_table("visit")
    op.drop_table("softened_review")
    op.drop_index(op.f("ix_working_hours_therapist_id"), table_name="working_hours")
    op.drop_table("working_hours")
    op.drop_index(op.f("ix_time_off_therapist_id"), table_name="time_off")
    op.drop_table("time_off")
    op.drop_table("therapist_skill")
    op.drop_index(op.f("ix_tablet_pass_client_id"), table_name="tablet_pass")
    op.drop_table("tablet_pass")
    op.drop_index(op.f("ix_screening_visit_id"), table_name="screening")
    op.drop_index("ix_screening_client_id_judged_at", table_name="screening")
    op.drop_table("screening")
    op.drop_table("not_same_person")
    op.drop_index(op.f("ix_never_together_therapist_id"), table_name="never_together")
    op.drop_index(op.f("ix_never_together_client_id"), table_name="never_together")
    op.drop_table("never_together")
    op.drop_table("intake_draft")
    op.drop_table("intake")
    op.drop_index(op.f("ix_health_stop_client_id"), table_name="health_stop")
    op.drop_table("health_stop")
    op.drop_index(op.f("ix_consent_client_id"), table_name="consent")
    op.drop_table("consent")
    op.drop_index(op.f("ix_client_note_client_id"), table_name="client_note")
    op.drop_table("client_note")
    op.drop_index(op.f("ix_client_access_client_id"), table_name="client_access")
    op.drop_table("client_access")
    op.drop_index(op.f("ix_user_session_user_id"), table_name="user_session")
    op.drop_table("user_session")
    op.drop_table("user_role")
    op.drop_table("user_grant")
    op.drop_table("therapist")
    op.drop_index(op.f("ix_service_mode_service_id"), table_name="service_mode")
    op.drop_table("service_mode")
    op.drop_index(op.f("ix_service_length_service_id"), table_name="service_length")
    op.drop_table("service_length")
    op.drop_table("service_addon")
    op.drop_index(op.f("ix_room_location_id"), table_name="room")
    op.drop_table("room")
    op.drop_index(op.f("ix_opening_hours_location_id"), table_name="opening_hours")
    op.drop_table("opening_hours")
    op.drop_index(op.f("ix_mailed_link_user_id"), table_name="mailed_link")
    op.drop_table("mailed_link")
    op.drop_index(op.f("ix_device_location_id"), table_name="device")
    op.drop_table("device")
    op.drop_index(op.f("ix_closure_resource_id"), table_name="closure")
    op.drop_index(op.f("ix_closure_location_id"), table_name="closure")
    op.drop_table("closure")
    op.drop_index(op.f("ix_client_phone_key"), table_name="client")
    op.drop_index("ix_client_name_key_born_on", table_name="client")
    op.drop_index(op.f("ix_client_name_key"), table_name="client")
    op.drop_index(op.f("ix_client_merged_into_id"), table_name="client")
    op.drop_index(op.f("ix_client_email_key"), table_name="client")
    op.drop_table("client")
    op.drop_table("user")
    op.drop_table("service")
    op.drop_table("resource")
    op.drop_index(op.f("ix_outgoing_mail_due_at"), table_name="outgoing_mail")
    op.drop_table("outgoing_mail")
    op.drop_table("location")
    op.drop_index("ix_failed_try_kind_who_at", table_name="failed_try")
    op.drop_table("failed_try")
    op.drop_table("clinic")
    op.drop_table("audit_row")
    op.drop_table("audit_counter")
    op.drop_table("addon")
