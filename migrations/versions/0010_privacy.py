"""notices and requests over personal data"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NOTICES = "notice_versions"


def upgrade() -> None:
    op.create_table(
        NOTICES,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "number > 0", name=op.f("ck_notice_versions_number_positive")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_versions")),
        sa.UniqueConstraint("number", name=op.f("uq_notice_versions_number")),
    )
    _refuse_changes()
    op.create_table(
        "privacy_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("email", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("seed", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirm_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("extended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("extension_reason", sa.String(length=500), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_id", sa.Integer(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('unverified', 'open', 'answered', 'refused')",
            name=op.f("ck_privacy_requests_state"),
        ),
        sa.CheckConstraint(
            "kind IN ('acceso', 'rectificacion', 'supresion', 'oposicion', "
            "'portabilidad', 'bloqueo')",
            name=op.f("ck_privacy_requests_kind"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('answered', 'refused') OR answered_at IS NOT NULL",
            name=op.f("ck_privacy_requests_answer"),
        ),
        sa.ForeignKeyConstraint(
            ["answered_by_id"],
            ["staff.id"],
            name=op.f("fk_privacy_requests_answered_by_id_staff"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privacy_requests")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_privacy_requests_token_hash")),
    )
    op.create_index("ix_privacy_requests_due", "privacy_requests", ["state", "due_on"])
    op.create_index(op.f("ix_privacy_requests_email"), "privacy_requests", ["email"])


def _refuse_changes() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {NOTICES}_no_{act.lower()} BEFORE {act} ON {NOTICES} "
                f"BEGIN SELECT RAISE(ABORT, '{NOTICES} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {NOTICES}_append_only BEFORE UPDATE OR DELETE ON {NOTICES} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("privacy_requests")
    op.drop_table(NOTICES)
