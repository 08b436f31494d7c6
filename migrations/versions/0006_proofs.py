"""the chain of proofs"""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLE = "proof_links"


def upgrade() -> None:
    with op.batch_alter_table("outbox") as batch:
        batch.add_column(sa.Column("text_sha256", sa.String(length=64)))
        batch.add_column(sa.Column("server_reply", sa.String(length=200)))
    op.create_table(
        TABLE,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "kind IN ('accepted', 'confirmed')", name=op.f("ck_proof_links_kind")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_proof_links_order_id_orders")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proof_links")),
        sa.UniqueConstraint("order_id", "kind", name="uq_proof_links_order_id_kind"),
        sa.UniqueConstraint("previous", name="uq_proof_links_previous"),
        sa.UniqueConstraint("sha256", name="uq_proof_links_sha256"),
    )
    _chain_what_is_there()
    _refuse_changes()


def _chain_what_is_there() -> None:
    """Acceptances older than the chain enter it in their order, marked as such."""
    connection = op.get_bind()
    query = "SELECT order_id, version, sha256, accepted_at, address, price_shown"
    rows = connection.execute(sa.text(f"{query} FROM terms_acceptances ORDER BY id"))
    previous = "0" * 64
    for row in rows.all():
        values = {
            "que": "aceptación de los términos, encadenada después",
            "pedido": 1000 + row.order_id,
            "version": row.version,
            "texto_sha256": row.sha256,
            "aceptado_en": str(row.accepted_at),
            "direccion_ip": row.address,
            "precio_mostrado": row.price_shown,
        }
        content = json.dumps(values, ensure_ascii=False, indent=1)
        sha256 = hashlib.sha256(f"{previous}\n{content}\n".encode()).hexdigest()
        insert = (
            "INSERT INTO proof_links (order_id, kind, content, previous, sha256) "
            "VALUES (:order_id, 'accepted', :content, :previous, :sha256)"
        )
        told = {"content": content, "previous": previous, "sha256": sha256}
        connection.execute(sa.text(insert), {"order_id": row.order_id, **told})
        previous = sha256


def _refuse_changes() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {TABLE}_no_{act.lower()} BEFORE {act} ON {TABLE} "
                f"BEGIN SELECT RAISE(ABORT, '{TABLE} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {TABLE}_append_only BEFORE UPDATE OR DELETE ON {TABLE} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table(TABLE)
    with op.batch_alter_table("outbox") as batch:
        batch.drop_column("server_reply")
        batch.drop_column("text_sha256")
