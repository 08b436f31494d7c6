"""One settlement over HTTP, in a process of its own, for strace to spoil.

Arguments: the database, a file with the evidence, the id of the payment.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import bench.torture  # noqa: F401 (finds the tests' helpers)

NOON = datetime(2026, 11, 24, 15, 5, tzinfo=UTC)


def main(database: str, evidence_file: str, payment_id: str) -> None:
    from money_world import world_settings

    from portal import create_app
    from portal.payments.gateways.base import Evidence
    from portal.payments.service import settle

    path = Path(database)
    app = create_app(world_settings(f"sqlite:///{path}", path.parent))
    keys = app.extensions["portal_settings"].secret_keys
    values = json.loads(Path(evidence_file).read_text())
    values["approved_at"] = datetime.fromisoformat(values["approved_at"])

    def view() -> str:
        evidence = Evidence(**values)
        settle(int(payment_id), evidence, keys=keys, live=None, now=NOON)
        return "settled"

    app.add_url_rule("/settle-now", "settle_now", view)
    answer = app.test_client().get("/settle-now")
    after = answer.headers.get("Retry-After", "")
    sys.stdout.write(json.dumps({"status": answer.status_code, "after": after}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
