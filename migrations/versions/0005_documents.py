"""documents of orders"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "order_documents",
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("folio", sa.String(length=12), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noted_by_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('boleta', 'factura')", name=op.f("ck_order_documents_kind")
        ),
        sa.ForeignKeyConstraint(
            ["noted_by_id"],
            ["staff.id"],
            name=op.f("fk_order_documents_noted_by_id_staff"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_order_documents_order_id_orders")
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_order_documents")),
        sa.UniqueConstraint(
            "kind", "folio", name=op.f("uq_order_documents_kind_folio")
        ),
    )


def downgrade() -> None:
    op.drop_table("order_documents")
