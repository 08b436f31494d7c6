"""counts of requests"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "request_counts",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_request_counts")),
    )
    op.create_index(
        op.f("ix_request_counts_expires_at"), "request_counts", ["expires_at"]
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_request_counts_expires_at"), table_name="request_counts")
    op.drop_table("request_counts")
