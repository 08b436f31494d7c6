"""the month: indexes of the reports"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MISPLACED = sa.text("disposition <> 'applied'")
_CHARGEBACK = sa.text("object_kind = 'payment' AND to_state = 'charged_back'")


def upgrade() -> None:
    op.create_index("ix_orders_paid", "orders", ["paid_at"])
    op.create_index("ix_attentions_queued", "attentions", ["queued_at"])
    op.create_index("ix_refunds_answered", "refunds", ["state", "answered_at"])
    op.create_index(
        "ix_payments_misplaced",
        "payments",
        ["approved_at"],
        sqlite_where=_MISPLACED,
        postgresql_where=_MISPLACED,
    )
    op.create_index(
        "ix_journal_entries_chargebacks",
        "journal_entries",
        ["to_state", "at"],
        sqlite_where=_CHARGEBACK,
        postgresql_where=_CHARGEBACK,
    )


def downgrade() -> None:
    op.drop_index("ix_journal_entries_chargebacks", table_name="journal_entries")
    op.drop_index("ix_payments_misplaced", table_name="payments")
    op.drop_index("ix_refunds_answered", table_name="refunds")
    op.drop_index("ix_attentions_queued", table_name="attentions")
    op.drop_index("ix_orders_paid", table_name="orders")
