"""Who comes and who works in two virtual weeks: customers, four technicians."""

import html
import random
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import requests
from sqlalchemy import text

from bench.torture.hosts import PASSWORD
from bench.torture.kills import _HIDDEN, Shop, Stack
from portal.settings.rules import BusinessSettings

TECHNICIANS = 4
BOARDS_EACH_STEP = 1
PAGES_EACH_STEP = 2
# The orders whose customers still look at their page.
WATCHED = 12
_POLL = re.compile(r'hx-get="([^"]*(?:/tarjetas|/ahora|/lugar)\?v=[^"]*)"')
# How often, of a hundred, a buyer does what.
_LEAVES, _REJECTED, _NEVER_RETURNS = 10, 6, 8
_OUTCOMES = ("resuelto", "resuelto", "parcial", "no resuelto")
_LATE = 409
# Nobody pauses an attention whose minutes of pause are used up.
PAUSES_SECONDS = BusinessSettings().pause_limit_minutes * 60


def poll_path(body: str) -> str:
    """What the page asks next; empty when it asks for nothing."""
    found = _POLL.search(body)
    return html.unescape(found[1]) if found else ""


def browser() -> requests.Session:
    made = requests.Session()
    made.trust_env = False
    return made


@dataclass
class Technician:
    """One who is logged in, with a board open."""

    id: int
    email: str
    session: requests.Session
    poll: str = ""


@dataclass
class Counts:
    """What was done, and what was answered badly."""

    orders: int = 0
    acts: int = 0
    polls: int = 0
    changed: int = 0
    refused: int = 0
    bad: int = 0
    first_bad: str = ""

    def saw(self, answer: requests.Response) -> None:
        if answer.status_code >= 400 and answer.status_code != _LATE:
            self.bad += 1
            self.first_bad = self.first_bad or (
                f"{answer.request.method} {answer.request.path_url}: "
                f"{answer.status_code}"
            )


class Busy:
    """A shop and its desk over real HTTP; the clock stands still while it acts."""

    def __init__(self, stack: Stack, shop: Shop) -> None:
        self.stack, self.shop = stack, shop
        self.chance = random.Random(20261124)
        self.counts = Counts()
        self.technicians: list[Technician] = []
        self.watched: list[list[str]] = []

    # Customers -----------------------------------------------------------

    def buy(self) -> None:
        """One customer: leaves, is rejected, pays, or pays and never comes back."""
        from portal.errors import PortalError

        try:
            path = self.shop.place()
        except PortalError:
            self.counts.refused += 1
            return
        self.counts.orders += 1
        fate = self.chance.randrange(100)
        gateway = self.chance.choice(("webpay", "mercadopago"))
        if fate >= _LEAVES:
            with browser() as client:
                self._pay(client, path, gateway, fate - _LEAVES)
        self.watched = [*self.watched, [path, ""]][-WATCHED:]

    def _pay(
        self, client: requests.Session, path: str, gateway: str, fate: int
    ) -> None:
        url, simulator = self.stack.url, self.shop.simulator
        page = client.get(url + path, timeout=60)
        self.counts.saw(page)
        token = dict(_HIDDEN.findall(page.text))["csrf_token"]
        answer = client.post(
            f"{url}{path}/pagar",
            data={"csrf_token": token, "gateway": gateway},
            allow_redirects=False,
            timeout=60,
        )
        self.counts.saw(answer)
        never = _REJECTED <= fate < _REJECTED + _NEVER_RETURNS
        if gateway == "webpay":
            sealed = dict(_HIDDEN.findall(answer.text))["token_ws"]
            back = simulator.webpay_outcome(sealed, "close" if never else "visa")
        else:
            preference = answer.headers["Location"].rsplit("=", 1)[1]
            code = "close" if never else "credit"
            if fate < _REJECTED:
                code = "cc_rejected_insufficient_amount"
            notify = self.chance.choice(("before", "after", "never"))
            back = simulator.mp_outcome(preference, code, notify).browser
        if back.method != "NONE":
            self.counts.saw(client.get(back.url, params=back.params, timeout=60))

    def look_at_orders(self) -> None:
        """Customers look at their page, or it asks whether something is new."""
        several = min(PAGES_EACH_STEP, len(self.watched))
        for page in self.chance.sample(self.watched, several):
            with browser() as client:
                answer = client.get(self.stack.url + (page[1] or page[0]), timeout=60)
            self.counts.saw(answer)
            self.counts.polls += 1
            if answer.status_code == 200:
                page[1] = poll_path(answer.text)

    # Technicians ---------------------------------------------------------

    def open_desk(self) -> None:
        """Every technician comes and logs in anew."""
        for technician in self.technicians:
            technician.session.close()
        self.technicians = [self._log_in(number) for number in range(TECHNICIANS)]

    def _log_in(self, number: int) -> Technician:
        email = f"tecnico{number}@example.cl"
        session, url = browser(), self.stack.url
        page = session.get(f"{url}/ingresar", timeout=60).text
        form = {"email": email, "password": PASSWORD, **dict(_HIDDEN.findall(page))}
        answer = session.post(f"{url}/ingresar", data=form, timeout=60)
        if answer.status_code != 200 or "/ingresar" in answer.url:
            raise RuntimeError(f"a technician could not log in: {answer.status_code}")
        board = session.get(f"{url}/tablero", timeout=60).text
        session.headers["X-CSRFToken"] = dict(_HIDDEN.findall(board))["csrf_token"]
        query = text("SELECT id FROM staff WHERE email = :email")
        with self.shop.app.app_context(), self.shop.db.engine.connect() as connection:
            id = int(connection.scalar(query, {"email": email}) or 0)
        return Technician(id, email, session, poll_path(board))

    def hire(self) -> None:
        """The technicians' accounts."""
        from portal.accounts import service

        with self.shop.app.app_context():
            for number in range(TECHNICIANS):
                service.add_user(
                    f"tecnico{number}@example.cl",
                    f"Técnica {number}",
                    "technician",
                    PASSWORD,
                    now=self.shop.clock.utcnow(),
                )
            self.shop.db.session.remove()

    def look_at_boards(self) -> None:
        """Every board asks whether something is new, several times."""
        for technician in self.technicians * BOARDS_EACH_STEP:
            path = technician.poll or "/tablero/tarjetas"
            answer = technician.session.get(self.stack.url + path, timeout=60)
            self.counts.saw(answer)
            self.counts.polls += 1
            if answer.status_code == 200:
                self.counts.changed += 1
                technician.poll = poll_path(answer.text)

    def work(self, *, closing: bool) -> None:
        """Each living card: one act at most; when the desk closes, all are closed."""
        for id, state, holder, paused_seconds in self._living():
            by = next((each for each in self.technicians if each.id == holder), None)
            if state == "waiting" and not closing:
                self._act(self.chance.choice(self.technicians), id, "tomar")
            elif by is not None:
                spent = paused_seconds >= PAUSES_SECONDS
                self._treat(by, id, state, closing=closing, spent=spent)

    def _treat(
        self, by: Technician, id: int, state: str, *, closing: bool, spent: bool
    ) -> None:
        dice = self.chance.random()
        if state == "taken":
            self._act(by, id, "llame" if dice < 0.3 else "iniciar")
        elif state == "timed_out" or closing or dice < 0.04:
            self._close(by, id)
        elif state == "paused" and dice < 0.2:
            self._act(by, id, "reanudar")
        elif state == "running" and dice < 0.06 and not spent:
            self._act(by, id, "pausar", reason="El equipo se está reiniciando")
        elif dice < 0.08:
            to = self.chance.choice([t for t in self.technicians if t is not by])
            self._act(by, id, "traspasar", to=str(to.id))
        elif dice < 0.12:
            self._act(by, id, "anotar", kind="haremos", text=f"Paso {dice:.6f}")

    def _close(self, by: Technician, id: int) -> None:
        outcome = self.chance.choice(_OUTCOMES)
        self._act(by, id, "cerrar", outcome=outcome, text="Se reinstaló el programa")

    def _act(self, by: Technician, id: int, act: str, **form: Any) -> None:
        url = f"{self.stack.url}/tablero/{id}/{act}"
        with suppress(requests.ConnectionError):
            answer = by.session.post(url, data=form, allow_redirects=False, timeout=60)
            self.counts.saw(answer)
            self.counts.acts += 1

    def _living(self) -> list[tuple[int, str, int | None, int]]:
        query = text(
            "SELECT id, state, technician_id, paused_seconds FROM attentions "
            "WHERE state IN ('waiting', 'taken', 'running', 'paused', 'timed_out') "
            "ORDER BY queued_at"
        )
        with self.shop.app.app_context(), self.shop.db.engine.connect() as connection:
            return [
                (row[0], row[1], row[2], row[3]) for row in connection.execute(query)
            ]
