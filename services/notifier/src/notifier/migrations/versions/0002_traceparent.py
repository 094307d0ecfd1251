"""Messages know the trace of what they are made from."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("messages", sa.Column("traceparent", sa.Text(), nullable=True))
