"""Years of realistic months, written straight into a database.

    python bench/history.py sqlite:////path/to/file 1000000

The last month always tells the same story, whatever came before it: what a report of it
takes in a short and in a long history can be compared.
"""

import argparse
import sys
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from flask import Flask  # noqa: E402
from flask_migrate import upgrade  # noqa: E402
from sqlalchemy import insert  # noqa: E402

from portal import create_app  # noqa: E402
from portal.accounts.models import Staff  # noqa: E402
from portal.config import load_settings  # noqa: E402
from portal.db import db  # noqa: E402
from portal.hours.queries import DEFAULT_CALENDAR  # noqa: E402
from portal.hours.rules import regime_at  # noqa: E402
from portal.reports.demo_rows_rules import Scribe  # noqa: E402
from portal.reports.demo_rules import make_month, make_shops  # noqa: E402
from portal.reports.demo_service import next_numbers, write  # noqa: E402
from portal.reports.rules import Month  # noqa: E402

A_MONTH, SHOPS, SEED = 5_000, 2_500, "history"
KEY = "bench-key-0123456789abcdefghijklmnopqrstuv"
LAST = Month(2026, 10)
END = datetime(2026, 11, 24, tzinfo=UTC)


def make_app(url: str, **environment: str) -> Flask:
    """The portal over this database, brought up to date."""
    values = {"SECRET_KEY": KEY, "DATABASE_URL": url, **environment}
    app = create_app(load_settings(values))
    with app.app_context():
        upgrade()
    return app


def months_before(last: Month, count: int) -> list[Month]:
    """`count` months that end with `last`, oldest first."""
    found = [last]
    while len(found) < count:
        found.append(found[-1].previous)
    return found[::-1]


@cache
def regime_of(at: datetime) -> str:
    return regime_at(DEFAULT_CALENDAR, at).kind


def add_staff() -> tuple[int, ...]:
    """The owner and three technicians, who never log in; the technicians' ids."""
    roles = ("owner", "technician", "technician", "technician")
    rows = [
        {
            "id": number,
            "email": f"{number}@example.cl",
            "name": f"Persona {number}",
            "role": role,
            "password_hash": "x",
            "active": True,
            "created_at": END,
        }
        for number, role in enumerate(roles, 1)
    ]
    with db.engine.begin() as connection:
        connection.execute(insert(Staff), rows)
    return tuple(row["id"] for row in rows[1:])


def fill(url: str, total: int, a_month: int = A_MONTH, *, history: bool = False) -> int:
    """Write `total` attentions, so many a month; how many were written."""
    app, shops, done = make_app(url), make_shops(SHOPS, SEED), 0
    with app.app_context():
        staff = add_staff()
        for month in months_before(LAST, max(1, total // a_month)):
            with db.engine.connect() as connection:
                scribe = Scribe(next_numbers(connection), staff, KEY, 1, history)
                stories = make_month(
                    month,
                    a_month,
                    shops=shops,
                    regime_of=regime_of,
                    seed=SEED,
                    until=END,
                    attentions_only=True,
                )
                done += write(connection, scribe, stories)
                connection.commit()
            regime_of.cache_clear()
        db.engine.dispose()
    return done


def history_file(folder: Path, total: int) -> Path:
    """The database of so many attentions, journal and mails too; written only once."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder.resolve() / f"full-{total}.sqlite3"
    done = path.with_suffix(".done")
    if not done.exists():
        for old in folder.glob(f"{path.name}*"):
            old.unlink()
        begun = time.monotonic()
        print(f"writing {total:,} attentions ...", flush=True)
        fill(f"sqlite:///{path}", total, min(total, A_MONTH), history=True)
        done.write_text(f"{time.monotonic() - begun:.0f} s\n")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="sqlite:////path or postgresql://...")
    parser.add_argument("total", type=int, help="attentions in all")
    parser.add_argument("--history", action="store_true", help="journal and mails too")
    options = parser.parse_args()
    begun = time.monotonic()
    done = fill(options.url, options.total, history=options.history)
    print(f"{done:,} attentions in {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
