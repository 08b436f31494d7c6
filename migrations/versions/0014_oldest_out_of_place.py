"""the oldest money out of place: found without reading all of it"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_MISPLACED = sa.text("disposition <> 'applied'")
_NAME = "ix_payments_out_of_place"


def _make(columns: list[str]) -> None:
    op.drop_index(_NAME, table_name="payments")
    op.create_index(
        _NAME,
        "payments",
        columns,
        sqlite_where=_MISPLACED,
        postgresql_where=_MISPLACED,
    )


def upgrade() -> None:
    _make(["state", "created_at"])


def downgrade() -> None:
    _make(["state"])
