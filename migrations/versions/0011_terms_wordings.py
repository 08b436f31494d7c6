"""the owner's wording of the terms"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "terms_wordings",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('draft', 'in_force')", name=op.f("ck_terms_wordings_kind")
        ),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_terms_wordings")),
    )


def downgrade() -> None:
    op.drop_table("terms_wordings")
