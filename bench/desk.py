"""A desk to be measured: a database with cards, its technicians, screens."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from flask_migrate import upgrade  # noqa: E402
from support_cases import add_attention, add_staff, log_in_as, person  # noqa: E402

from portal import clock, create_app  # noqa: E402
from portal.config import load_settings  # noqa: E402
from portal.db import db, transaction  # noqa: E402
from portal.orders.models import Order  # noqa: E402
from portal.orders.queries import path_of  # noqa: E402
from portal.support import service  # noqa: E402
from portal.terms import service as terms_service  # noqa: E402

KEY = "bench-key-0123456789abcdefghijklmnopqrstuv"
TECHNICIANS = 10
# In normal hours, and the servers a little later than what was written for them.
NOON, SOON = "2026-11-24T12:00:00-03:00", "2026-11-24T12:01:00-03:00"


class Desk:
    """`cards` attentions; the first technician holds `taken` of them, or all."""

    def __init__(self, folder: Path, cards: int, taken: int | None = None) -> None:
        self.url = f"sqlite:///{folder}/desk.sqlite3"
        values = {"DATABASE_URL": self.url, "SECRET_KEY": KEY}
        self.app = create_app(load_settings({**values, "PORTAL_NOW": NOON}))
        self.environment = {**values, "PORTAL_NOW": SOON}
        now = clock.utcnow()
        with self.app.app_context():
            upgrade()
            terms_service.set_up(now)
            with transaction() as session:
                self.technicians = [
                    person(add_staff(session, f"Persona{number}"))
                    for number in range(TECHNICIANS)
                ]
                self.technician = self.technicians[0]
                made = [add_attention(session, now=now, key=KEY) for _ in range(cards)]
                self.cards = [each.id for each in made]
                orders = [each.order_id for each in made]
            for number in self.cards[:taken]:
                service.take(number, by=self.technician, now=now)
            keys = self.app.extensions["portal_settings"].secret_keys
            self.pages = [
                path_of(db.session.get_one(Order, each), keys) for each in orders
            ]
            db.session.remove()

    def cookie(self, number: int = 0) -> str:
        """A device of this technician, in turns; a new one each time."""
        who = self.technicians[number % TECHNICIANS]
        cookie = log_in_as(self.app, who.id).get_cookie("portal")
        assert cookie is not None
        return f"portal={cookie.value}"
