"""long histories: indexes of what people ask each day"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_MISPLACED = sa.text("disposition <> 'applied'")
_ASKED_ABOUT = sa.text("next_check_at IS NOT NULL")
_OPEN_PREFERENCE = sa.text(
    "disposition IS NOT NULL AND preference_id IS NOT NULL "
    "AND preference_closed_at IS NULL"
)
_MISSED = sa.text("promise_missed_at IS NOT NULL")
_HELD = sa.text("remote_code IS NOT NULL")
_VIEW = sa.text(
    "actor_kind = 'staff' AND action IN ('customer.history_read', 'order.seen', "
    "'orders.searched', 'person.seen')"
)
PLAIN = (
    ("ix_orders_contact_id", "orders", ["contact_id"]),
    ("ix_orders_tax_rut", "orders", ["tax_rut"]),
    ("ix_attentions_state_changed", "attentions", ["state", "changed_at"]),
    ("ix_errands_changed", "errands", ["changed_at"]),
)
PARTIAL = (
    ("ix_attentions_missed", "attentions", ["promise_missed_at"], _MISSED),
    ("ix_remote_codes_held", "remote_codes", ["attention_id"], _HELD),
    (
        "ix_payments_due_at_gateway",
        "payments",
        ["gateway", "next_check_at"],
        _ASKED_ABOUT,
    ),
    ("ix_payments_open_preferences", "payments", ["order_id"], _OPEN_PREFERENCE),
    ("ix_payments_out_of_place", "payments", ["state"], _MISPLACED),
    ("ix_journal_entries_views", "journal_entries", ["at"], _VIEW),
)


def upgrade() -> None:
    for name, table, columns in PLAIN:
        op.create_index(name, table, columns)
    for name, table, columns, rows in PARTIAL:
        op.create_index(name, table, columns, sqlite_where=rows, postgresql_where=rows)
    op.drop_index("ix_contacts_email", table_name="contacts")
    op.create_index("ix_contacts_email_folded", "contacts", [sa.text("lower(email)")])
    op.drop_index("ix_payments_state", table_name="payments")
    op.create_index("ix_payments_state", "payments", ["state", "gateway"])


def downgrade() -> None:
    op.drop_index("ix_payments_state", table_name="payments")
    op.create_index("ix_payments_state", "payments", ["state"])
    op.drop_index("ix_contacts_email_folded", table_name="contacts")
    op.create_index("ix_contacts_email", "contacts", ["email"])
    for name, table, *_ in (*PLAIN, *PARTIAL):
        op.drop_index(name, table_name=table)
