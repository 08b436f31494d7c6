"""the desk"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "screens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=True),
        sa.Column("code_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("key_hash", sa.String(length=64), nullable=True),
        sa.Column("paired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("turn_id", sa.Integer(), nullable=True),
        sa.Column("turn_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wrong_pins", sa.Integer(), nullable=False),
        sa.Column("waits_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(key_hash IS NULL) = (paired_at IS NULL)", name=op.f("ck_screens_paired")
        ),
        sa.CheckConstraint(
            "(turn_id IS NULL) = (turn_until IS NULL)", name=op.f("ck_screens_turn")
        ),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["staff.id"], name=op.f("fk_screens_turn_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_screens")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_screens_code_hash")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_screens_key_hash")),
    )
    op.create_table(
        "canned_solutions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=True),
        sa.Column("topic_slug", sa.String(length=60), nullable=True),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["topic_slug"],
            ["topics.slug"],
            name=op.f("fk_canned_solutions_topic_slug_topics"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canned_solutions")),
        sa.UniqueConstraint("slug", name=op.f("uq_canned_solutions_slug")),
    )
    op.create_table(
        "attention_pauses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attention_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=120), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "until_at >= from_at", name=op.f("ck_attention_pauses_order")
        ),
        sa.ForeignKeyConstraint(
            ["attention_id"],
            ["attentions.id"],
            name=op.f("fk_attention_pauses_attention_id_attentions"),
        ),
        sa.ForeignKeyConstraint(
            ["technician_id"],
            ["staff.id"],
            name=op.f("fk_attention_pauses_technician_id_staff"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attention_pauses")),
    )
    with op.batch_alter_table("attention_pauses", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_attention_pauses_attention_id"),
            ["attention_id"],
            unique=False,
        )

    op.create_table(
        "drafts",
        sa.Column("attention_id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=12), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["attention_id"],
            ["attentions.id"],
            name=op.f("fk_drafts_attention_id_attentions"),
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_drafts_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint(
            "attention_id", "staff_id", "act", name=op.f("pk_drafts")
        ),
    )
    with op.batch_alter_table("attentions", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("calls", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(
            sa.Column("called_at", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("promise_missed_at", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_attentions_calls"), "calls >= 0"
        )

    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.add_column(sa.Column("pin_hash", sa.String(length=255), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.drop_column("pin_hash")

    with op.batch_alter_table("attentions", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_attentions_calls"), type_="check")
        batch_op.drop_column("paused_until")
        batch_op.drop_column("promise_missed_at")
        batch_op.drop_column("called_at")
        batch_op.drop_column("calls")

    op.drop_table("drafts")
    with op.batch_alter_table("attention_pauses", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attention_pauses_attention_id"))

    op.drop_table("attention_pauses")
    op.drop_table("canned_solutions")
    op.drop_table("screens")
