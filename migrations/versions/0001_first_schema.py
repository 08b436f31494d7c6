"""first schema"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


APPEND_ONLY = ("terms_versions", "terms_acceptances", "journal_entries")


def _refuse_changes(table: str) -> None:
    """The history and the proof of acceptance are never updated nor deleted."""
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger AS $$ BEGIN "
        "RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only', "
        "ERRCODE = 'integrity_constraint_violation'; END $$ LANGUAGE plpgsql"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def upgrade() -> None:
    op.create_table(
        "contacts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("email", sa.String(length=120), nullable=False),
        sa.Column("phone", sa.String(length=16), nullable=False),
        sa.Column("rut", sa.String(length=10), nullable=True),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.Column("pseudonymised_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
    )
    with op.batch_alter_table("contacts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contacts_email"), ["email"], unique=False)
        batch_op.create_index(batch_op.f("ix_contacts_phone"), ["phone"], unique=False)
        batch_op.create_index(batch_op.f("ix_contacts_rut"), ["rut"], unique=False)

    op.create_table(
        "day_overrides",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("windows", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('closed', 'open')", name=op.f("ck_day_overrides_state")
        ),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_day_overrides")),
    )
    op.create_table(
        "journal_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=20), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("object_kind", sa.String(length=30), nullable=False),
        sa.Column("object_id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("from_state", sa.String(length=30), nullable=True),
        sa.Column("to_state", sa.String(length=30), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_entries")),
    )
    with op.batch_alter_table("journal_entries", schema=None) as batch_op:
        batch_op.create_index(
            "ix_journal_entries_object",
            ["object_kind", "object_id", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_journal_entries_order_id"), ["order_id"], unique=False
        )

    op.create_table(
        "notifications",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("gateway", sa.String(length=12), nullable=False),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("resource_id", sa.String(length=40), nullable=False),
        sa.Column("request_id", sa.String(length=80), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint(
            "gateway",
            "topic",
            "resource_id",
            "request_id",
            name=op.f("uq_notifications_gateway_topic_resource_id_request_id"),
        ),
    )
    with op.batch_alter_table("notifications", schema=None) as batch_op:
        batch_op.create_index(
            "ix_notifications_due", ["done_at", "next_at"], unique=False
        )

    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=200), nullable=True),
        sa.Column("message_id", sa.String(length=120), nullable=True),
        sa.Column("body_sha256", sa.String(length=64), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'sent', 'withdrawn')", name=op.f("ck_outbox_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint(
            "order_id", "kind", "key", name=op.f("uq_outbox_order_id_kind_key")
        ),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_due", ["state", "next_at"], unique=False)

    op.create_table(
        "services",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("summary", sa.String(length=200), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("price_normal", sa.Integer(), nullable=False),
        sa.Column("price_special", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "price_normal > 0", name=op.f("ck_services_price_normal_positive")
        ),
        sa.CheckConstraint(
            "price_special > 0", name=op.f("ck_services_price_special_positive")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_services")),
        sa.UniqueConstraint("slug", name=op.f("uq_services_slug")),
    )
    op.create_table(
        "settings",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_settings")),
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role IN ('owner', 'technician')", name=op.f("ck_staff_role")
        ),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_staff_email")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("email", name=op.f("uq_staff_email")),
    )
    op.create_table(
        "terms_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "number > 0", name=op.f("ck_terms_versions_number_positive")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms_versions")),
        sa.UniqueConstraint("number", name=op.f("uq_terms_versions_number")),
    )
    op.create_table(
        "weekly_windows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("opens", sa.Time(), nullable=False),
        sa.Column("closes", sa.Time(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('normal', 'special')", name=op.f("ck_weekly_windows_kind")
        ),
        sa.CheckConstraint("opens < closes", name=op.f("ck_weekly_windows_order")),
        sa.CheckConstraint(
            "weekday BETWEEN 0 AND 6", name=op.f("ck_weekly_windows_weekday")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weekly_windows")),
        sa.UniqueConstraint(
            "weekday", "opens", name=op.f("uq_weekly_windows_weekday_opens")
        ),
    )
    op.create_table(
        "worker_heartbeats",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker_heartbeats")),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("service_slug", sa.String(length=40), nullable=False),
        sa.Column("service_name", sa.String(length=80), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("regime_kind", sa.String(length=10), nullable=False),
        sa.Column("regime_decision", sa.JSON(), nullable=False),
        sa.Column("topic_slug", sa.String(length=60), nullable=True),
        sa.Column("topic_title", sa.String(length=120), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("windows_bits", sa.String(length=8), nullable=False),
        sa.Column("document", sa.String(length=8), nullable=False),
        sa.Column("tax_rut", sa.String(length=10), nullable=True),
        sa.Column("tax_name", sa.String(length=100), nullable=True),
        sa.Column("tax_activity", sa.String(length=40), nullable=True),
        sa.Column("tax_address", sa.String(length=70), nullable=True),
        sa.Column("tax_commune", sa.String(length=40), nullable=True),
        sa.Column("address", sa.String(length=120), nullable=True),
        sa.Column("commune", sa.String(length=40), nullable=True),
        sa.Column("terms_version", sa.Integer(), nullable=False),
        sa.Column("form_key", sa.String(length=64), nullable=False),
        sa.Column("link_seed", sa.String(length=32), nullable=False),
        sa.Column("link_hash", sa.String(length=64), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "document IN ('boleta', 'factura')", name=op.f("ck_orders_document")
        ),
        sa.CheckConstraint(
            "state IN ('awaiting_payment', 'expired', 'cancelled', 'paid', 'refunded', 'charged_back')",
            name=op.f("ck_orders_state"),
        ),
        sa.CheckConstraint(
            "windows_bits IN ('32', '64', 'unknown')", name=op.f("ck_orders_bits")
        ),
        sa.CheckConstraint("price >= 0", name=op.f("ck_orders_price")),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_orders_contact_id_contacts")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["orders.id"], name=op.f("fk_orders_parent_id_orders")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("form_key", name=op.f("uq_orders_form_key")),
        sa.UniqueConstraint("link_hash", name=op.f("uq_orders_link_hash")),
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_orders_created_at"), ["created_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_orders_state"), ["state"], unique=False)

    op.create_table(
        "staff_sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_staff_sessions_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_sessions")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_staff_sessions_key_hash")),
    )
    with op.batch_alter_table("staff_sessions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_staff_sessions_staff_id"), ["staff_id"], unique=False
        )

    op.create_table(
        "topics",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("covered", sa.Boolean(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("service_slug", sa.String(length=40), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "NOT covered OR service_slug IS NULL",
            name=op.f("ck_topics_covered_needs_no_other"),
        ),
        sa.ForeignKeyConstraint(
            ["service_slug"],
            ["services.slug"],
            name=op.f("fk_topics_service_slug_services"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topics")),
        sa.UniqueConstraint("slug", name=op.f("uq_topics_slug")),
    )
    op.create_table(
        "attentions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("regime_kind", sa.String(length=10), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("promise_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deferred_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("technician_id", sa.Integer(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("contacted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("no_answer_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_seconds", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.Column("state_before", sa.String(length=12), nullable=True),
        sa.CheckConstraint(
            "outcome IS NULL OR outcome IN ('resuelto', 'parcial', 'no resuelto')",
            name=op.f("ck_attentions_outcome"),
        ),
        sa.CheckConstraint(
            "regime_kind IN ('normal', 'special', 'closed')",
            name=op.f("ck_attentions_regime_kind"),
        ),
        sa.CheckConstraint(
            "state <> 'closed' OR (outcome IS NOT NULL AND closed_at IS NOT NULL)",
            name=op.f("ck_attentions_closing"),
        ),
        sa.CheckConstraint(
            "state <> 'running' OR (started_at IS NOT NULL AND ends_at IS NOT NULL)",
            name=op.f("ck_attentions_clock"),
        ),
        sa.CheckConstraint(
            "state IN ('deferred', 'waiting', 'taken', 'running', 'paused', 'timed_out', 'closed', 'no_show', 'cancelled')",
            name=op.f("ck_attentions_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('paused', 'running', 'taken', 'timed_out') OR technician_id IS NOT NULL",
            name=op.f("ck_attentions_held"),
        ),
        sa.CheckConstraint(
            "paused_seconds >= 0", name=op.f("ck_attentions_paused_seconds")
        ),
        sa.ForeignKeyConstraint(
            ["changed_by_id"],
            ["staff.id"],
            name=op.f("fk_attentions_changed_by_id_staff"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_attentions_order_id_orders")
        ),
        sa.ForeignKeyConstraint(
            ["technician_id"],
            ["staff.id"],
            name=op.f("fk_attentions_technician_id_staff"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attentions")),
        sa.UniqueConstraint("order_id", name=op.f("uq_attentions_order_id")),
    )
    with op.batch_alter_table("attentions", schema=None) as batch_op:
        batch_op.create_index("ix_attentions_changed", ["changed_at"], unique=False)
        batch_op.create_index(
            "ix_attentions_state", ["state", "queued_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_attentions_technician_id"), ["technician_id"], unique=False
        )

    op.create_table(
        "errands",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scheduled_for", sa.DateTime(timezone=True), nullable=True),
        sa.Column("technician_id", sa.Integer(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'scheduled', 'done', 'cancelled')",
            name=op.f("ck_errands_state"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_errands_order_id_orders")
        ),
        sa.ForeignKeyConstraint(
            ["technician_id"], ["staff.id"], name=op.f("fk_errands_technician_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_errands")),
        sa.UniqueConstraint("order_id", name=op.f("uq_errands_order_id")),
    )
    with op.batch_alter_table("errands", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_errands_state"), ["state"], unique=False)

    op.create_table(
        "payments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("gateway", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("disposition", sa.String(length=10), nullable=True),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("refunded_amount", sa.Integer(), nullable=False),
        sa.Column("buy_order", sa.String(length=26), nullable=False),
        sa.Column("seed", sa.String(length=32), nullable=False),
        sa.Column("reference_hash", sa.String(length=64), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("token_sealed", sa.String(length=300), nullable=True),
        sa.Column("account", sa.String(length=40), nullable=True),
        sa.Column("preference_id", sa.String(length=120), nullable=True),
        sa.Column("preference_closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("redirect_url", sa.String(length=500), nullable=True),
        sa.Column("gateway_payment_id", sa.String(length=64), nullable=True),
        sa.Column("detail", sa.String(length=80), nullable=True),
        sa.Column("rejected_ids", sa.JSON(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("redirected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("form_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_check_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("last_checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state IN ('approved', 'charged_back', 'partly_refunded', 'refunded')) = (disposition IS NOT NULL)",
            name=op.f("ck_payments_money_has_disposition"),
        ),
        sa.CheckConstraint(
            "amount > 0 OR gateway = 'manual'", name=op.f("ck_payments_amount")
        ),
        sa.CheckConstraint(
            "disposition IN ('applied', 'late', 'mismatch', 'surplus')",
            name=op.f("ck_payments_disposition"),
        ),
        sa.CheckConstraint(
            "gateway IN ('manual', 'mercadopago', 'webpay')",
            name=op.f("ck_payments_gateway"),
        ),
        sa.CheckConstraint(
            "state IN ('aborted', 'approved', 'charged_back', 'committing', 'created', 'failed', 'partly_refunded', 'pending', 'redirected', 'refunded', 'rejected', 'timed_out', 'unknown')",
            name=op.f("ck_payments_state"),
        ),
        sa.CheckConstraint(
            "amount >= 0 AND refunded_amount >= 0", name=op.f("ck_payments_amounts")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_payments_order_id_orders")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("buy_order", name=op.f("uq_payments_buy_order")),
        sa.UniqueConstraint(
            "gateway",
            "gateway_payment_id",
            name=op.f("uq_payments_gateway_gateway_payment_id"),
        ),
        sa.UniqueConstraint("reference_hash", name=op.f("uq_payments_reference_hash")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_payments_token_hash")),
    )
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.create_index("ix_payments_due", ["next_check_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_payments_order_id"), ["order_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_payments_state"), ["state"], unique=False)
        batch_op.create_index(
            "uq_payments_applied",
            ["order_id"],
            unique=True,
            sqlite_where=sa.text("disposition = 'applied'"),
            postgresql_where=sa.text("disposition = 'applied'"),
        )
        batch_op.create_index(
            "uq_payments_living",
            ["order_id", "gateway"],
            unique=True,
            sqlite_where=sa.text("state IN ('committing', 'created', 'redirected')"),
            postgresql_where=sa.text(
                "state IN ('committing', 'created', 'redirected')"
            ),
        )

    op.create_table(
        "terms_acceptances",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("document", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checkbox_text", sa.String(length=200), nullable=False),
        sa.Column("checked", sa.Boolean(), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("price_shown", sa.Integer(), nullable=False),
        sa.Column("regime_kind", sa.String(length=10), nullable=False),
        sa.Column("regime_rule", sa.String(length=120), nullable=False),
        sa.Column("locale", sa.String(length=10), nullable=False),
        sa.Column("template_version", sa.String(length=40), nullable=False),
        sa.CheckConstraint(
            "document = 'terms'", name=op.f("ck_terms_acceptances_document")
        ),
        sa.CheckConstraint("checked", name=op.f("ck_terms_acceptances_checked")),
        sa.CheckConstraint(
            "price_shown >= 0",
            name=op.f("ck_terms_acceptances_price_shown_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
            name=op.f("fk_terms_acceptances_order_id_orders"),
        ),
        sa.ForeignKeyConstraint(
            ["version"],
            ["terms_versions.number"],
            name=op.f("fk_terms_acceptances_version_terms_versions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms_acceptances")),
        sa.UniqueConstraint("order_id", name=op.f("uq_terms_acceptances_order_id")),
    )
    op.create_table(
        "attention_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attention_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('haremos', 'hecho')", name=op.f("ck_attention_entries_kind")
        ),
        sa.ForeignKeyConstraint(
            ["attention_id"],
            ["attentions.id"],
            name=op.f("fk_attention_entries_attention_id_attentions"),
        ),
        sa.ForeignKeyConstraint(
            ["technician_id"],
            ["staff.id"],
            name=op.f("fk_attention_entries_technician_id_staff"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attention_entries")),
    )
    with op.batch_alter_table("attention_entries", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_attention_entries_attention_id"),
            ["attention_id"],
            unique=False,
        )

    op.create_table(
        "attention_notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attention_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attention_id"],
            ["attentions.id"],
            name=op.f("fk_attention_notes_attention_id_attentions"),
        ),
        sa.ForeignKeyConstraint(
            ["technician_id"],
            ["staff.id"],
            name=op.f("fk_attention_notes_technician_id_staff"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attention_notes")),
    )
    with op.batch_alter_table("attention_notes", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_attention_notes_attention_id"),
            ["attention_id"],
            unique=False,
        )

    op.create_table(
        "refunds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("payment_id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("idempotency_key", sa.String(length=64), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("detail", sa.String(length=120), nullable=True),
        sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "source IN ('customer', 'owner', 'gateway')", name=op.f("ck_refunds_source")
        ),
        sa.CheckConstraint(
            "state IN ('confirmed', 'paid_by_hand', 'rejected', 'requested', 'sent')",
            name=op.f("ck_refunds_state"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refunds_amount")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_refunds_order_id_orders")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name=op.f("fk_refunds_payment_id_payments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_refunds_idempotency_key")),
    )
    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.create_index("ix_refunds_due", ["state", "next_try_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_refunds_order_id"), ["order_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_refunds_payment_id"), ["payment_id"], unique=False
        )
        batch_op.create_index(
            "uq_refunds_in_flight",
            ["payment_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('requested', 'sent')"),
            postgresql_where=sa.text("state IN ('requested', 'sent')"),
        )

    for table in APPEND_ONLY:
        _refuse_changes(table)


def downgrade() -> None:
    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_refunds_in_flight",
            sqlite_where=sa.text("state IN ('requested', 'sent')"),
            postgresql_where=sa.text("state IN ('requested', 'sent')"),
        )
        batch_op.drop_index(batch_op.f("ix_refunds_payment_id"))
        batch_op.drop_index(batch_op.f("ix_refunds_order_id"))
        batch_op.drop_index("ix_refunds_due")

    op.drop_table("refunds")
    with op.batch_alter_table("attention_notes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attention_notes_attention_id"))

    op.drop_table("attention_notes")
    with op.batch_alter_table("attention_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attention_entries_attention_id"))

    op.drop_table("attention_entries")
    op.drop_table("terms_acceptances")
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_payments_living",
            sqlite_where=sa.text("state IN ('committing', 'created', 'redirected')"),
            postgresql_where=sa.text(
                "state IN ('committing', 'created', 'redirected')"
            ),
        )
        batch_op.drop_index(
            "uq_payments_applied",
            sqlite_where=sa.text("disposition = 'applied'"),
            postgresql_where=sa.text("disposition = 'applied'"),
        )
        batch_op.drop_index(batch_op.f("ix_payments_state"))
        batch_op.drop_index(batch_op.f("ix_payments_order_id"))
        batch_op.drop_index("ix_payments_due")

    op.drop_table("payments")
    with op.batch_alter_table("errands", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_errands_state"))

    op.drop_table("errands")
    with op.batch_alter_table("attentions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attentions_technician_id"))
        batch_op.drop_index("ix_attentions_state")
        batch_op.drop_index("ix_attentions_changed")

    op.drop_table("attentions")
    op.drop_table("topics")
    with op.batch_alter_table("staff_sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_staff_sessions_staff_id"))

    op.drop_table("staff_sessions")
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_orders_state"))
        batch_op.drop_index(batch_op.f("ix_orders_created_at"))

    op.drop_table("orders")
    op.drop_table("worker_heartbeats")
    op.drop_table("weekly_windows")
    op.drop_table("terms_versions")
    op.drop_table("staff")
    op.drop_table("settings")
    op.drop_table("services")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_due")

    op.drop_table("outbox")
    with op.batch_alter_table("notifications", schema=None) as batch_op:
        batch_op.drop_index("ix_notifications_due")

    op.drop_table("notifications")
    with op.batch_alter_table("journal_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_journal_entries_order_id"))
        batch_op.drop_index("ix_journal_entries_object")

    op.drop_table("journal_entries")
    op.drop_table("day_overrides")
    with op.batch_alter_table("contacts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contacts_rut"))
        batch_op.drop_index(batch_op.f("ix_contacts_phone"))
        batch_op.drop_index(batch_op.f("ix_contacts_email"))

    op.drop_table("contacts")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS refuse_change()")
