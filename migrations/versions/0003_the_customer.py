"""the customer's words, and the errand's log"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attention_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attention_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["attention_id"],
            ["attentions.id"],
            name=op.f("fk_attention_messages_attention_id_attentions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attention_messages")),
    )
    with op.batch_alter_table("attention_messages", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_attention_messages_attention_id"),
            ["attention_id"],
            unique=False,
        )

    op.create_table(
        "remote_codes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attention_id", sa.Integer(), nullable=False),
        sa.Column("remote_code", sa.String(length=400), nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("consented_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wiped_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["attention_id"],
            ["attentions.id"],
            name=op.f("fk_remote_codes_attention_id_attentions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remote_codes")),
        sa.UniqueConstraint("attention_id", name=op.f("uq_remote_codes_attention_id")),
    )

    op.create_table(
        "ratings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attention_id", sa.Integer(), nullable=False),
        sa.Column("stars", sa.Integer(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name=op.f("ck_ratings_stars")),
        sa.ForeignKeyConstraint(
            ["attention_id"],
            ["attentions.id"],
            name=op.f("fk_ratings_attention_id_attentions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ratings")),
        sa.UniqueConstraint("attention_id", name=op.f("uq_ratings_attention_id")),
    )

    op.create_table(
        "errand_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("errand_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("scheduled_for", sa.DateTime(timezone=True), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('acordado', 'hecho', 'anulado')",
            name=op.f("ck_errand_entries_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["errand_id"],
            ["errands.id"],
            name=op.f("fk_errand_entries_errand_id_errands"),
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_errand_entries_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_errand_entries")),
    )
    with op.batch_alter_table("errand_entries", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_errand_entries_errand_id"), ["errand_id"], unique=False
        )


def downgrade() -> None:
    for table in ("errand_entries", "ratings", "remote_codes", "attention_messages"):
        op.drop_table(table)
