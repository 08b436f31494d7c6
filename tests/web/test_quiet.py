"""A poll answered "nothing changed" is answered so again only while that must hold."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

import pytest
from bs4 import BeautifulSoup
from conftest import SECRET_KEY, FrozenClock
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from support_cases import add_attention, add_order, add_staff, log_in_as, person
from werkzeug.test import EnvironBuilder

from portal import quiet
from portal.accounts import screen_queries, screens_service
from portal.accounts import service as accounts_service
from portal.clock import utcnow
from portal.db import db, transaction
from portal.journal.service import SYSTEM
from portal.orders.models import Order
from portal.orders.queries import path_of
from portal.settings import service as settings_service
from portal.support import service
from portal.terms import service as terms_service
from portal.web import quiet_of


class Desk:
    """One who waits, a technician's board, and what the portal reads of them."""

    def __init__(self, app: Flask) -> None:
        self.app, self.reads = app, 0
        with app.app_context():
            terms_service.set_up(utcnow())
            with transaction() as session:
                self.ana = person(add_staff(session))
                made = add_attention(session, now=utcnow(), key=SECRET_KEY)
                self.attention = made.id
                order = session.get_one(Order, made.order_id)
                self.page = path_of(order, (SECRET_KEY,))
            event.listen(db.engine, "before_cursor_execute", self._read)
        self.board = log_in_as(app, self.ana.id)
        self.phone = app.test_client()

    def _read(self, *_about: object) -> None:
        self.reads += 1

    def poll_of(self, client: FlaskClient, page: str) -> str:
        """What the page asks next, with the version that it has."""
        soup = BeautifulSoup(client.get(page).data, "html.parser")
        found = soup.find(attrs={"hx-get": re.compile(r"\?v=")})
        assert found is not None
        return str(found["hx-get"])

    def ask(self, client: FlaskClient, path: str) -> tuple[int, bool]:
        """The status, and whether the database was read for it."""
        before = self.reads
        status = client.get(path, headers={"HX-Request": "true"}).status_code
        return status, self.reads > before

    def take(self) -> None:
        with self.app.app_context():
            service.take(self.attention, by=self.ana, now=utcnow())


@pytest.fixture
def desk(app: Flask, clock: FrozenClock) -> Desk:
    return Desk(app)


def both(desk: Desk) -> list[tuple[FlaskClient, str]]:
    """The board's and the customer's poll, each asked once with the newest version."""
    polls = [
        (desk.board, desk.poll_of(desk.board, "/tablero")),
        (desk.phone, desk.poll_of(desk.phone, desk.page)),
    ]
    for client, path in polls:
        assert desk.ask(client, path) == (204, True)
    return polls


def test_the_same_poll_reads_nothing_and_tells_the_time(
    desk: Desk, clock: FrozenClock
) -> None:
    for client, path in both(desk):
        clock.advance(seconds=1)
        assert desk.ask(client, path) == (204, False)
        answer = client.get(path)
        assert answer.headers["X-Now"] == str(int(clock.now.timestamp() * 1000))
        assert answer.headers["Cache-Control"] == "no-store"
        assert (
            answer.headers["X-Request-ID"] != client.get(path).headers["X-Request-ID"]
        )


def test_any_commit_ends_it_at_once(desk: Desk) -> None:
    polls = both(desk)
    desk.take()
    assert [desk.ask(client, path) for client, path in polls] == [(200, True)] * 2


def test_after_anothers_commit_one_reading_serves_all_customers(desk: Desk) -> None:
    _, (first, path) = both(desk)
    phones = [first, desk.app.test_client(), desk.app.test_client()]
    for each in phones:
        each.get(desk.page)
        assert desk.ask(each, path)[0] == 204
    for _ in range(2):
        with desk.app.app_context(), transaction() as session:
            add_attention(session, now=utcnow(), key=SECRET_KEY)
        asked = [desk.ask(each, path) for each in phones * 2]
        assert asked == [(204, True), *[(204, False)] * 5]
    with desk.app.app_context(), transaction() as session:
        settings_service.bump_revision(session, utcnow())
    assert [desk.ask(each, path) for each in phones] == [(200, True)] * 3


def test_memory_alone_answers_only_what_a_reading_has_shown_to_hold(
    desk: Desk, clock: FrozenClock
) -> None:
    def at_once(client: FlaskClient, path: str) -> bool:
        kept = client.get_cookie("portal")
        cookie = {"Cookie": f"portal={kept.value}"} if kept else {}
        before = desk.reads
        asked = EnvironBuilder(path, headers=cookie).get_environ()
        told = quiet_of(desk.app).at_once(asked)
        assert desk.reads == before
        assert told is None or "X-Now" in dict(told)
        return told is not None

    polls = both(desk)
    (_, wall), (phone, path) = polls
    assert [at_once(*each) for each in polls] == [True, True]
    assert not at_once(phone, path.partition("?")[0])
    assert not at_once(desk.app.test_client(), wall)
    with desk.app.app_context(), transaction() as session:
        add_attention(session, now=utcnow(), key=SECRET_KEY)
    assert [at_once(*each) for each in polls] == [False, False]
    assert desk.ask(phone, path) == (204, True)  # one reading, for whoever asks
    assert [at_once(*each) for each in polls] == [False, True]
    desk.take()
    assert not at_once(phone, path)
    phone.get(f"{desk.page}/ahora?v=x")
    assert not at_once(phone, path)
    new = desk.poll_of(phone, desk.page)
    assert desk.ask(phone, new) == (204, True)
    clock.advance(seconds=quiet.LONGEST.total_seconds() - 1)
    assert at_once(phone, new)
    clock.advance(seconds=1)
    assert not at_once(phone, new)


def test_places_in_the_queue_are_read_once_for_all_and_follow_each_commit(
    desk: Desk,
) -> None:
    with desk.app.app_context(), transaction() as session:
        second = add_attention(session, now=utcnow(), key=SECRET_KEY).order_id
        behind = path_of(session.get_one(Order, second), (SECRET_KEY,))
    phones = {page: desk.app.test_client() for page in (desk.page, behind)}
    first, last = "Usted es el siguiente", "fila: <strong>2</strong>"

    def places(version: str) -> list[tuple[int, bool, str | None]]:
        found = []
        for page, phone in phones.items():
            before = desk.reads
            answer = phone.get(f"{page}/lugar?v={version}")
            told = re.search(f"{first}|{last}", " ".join(answer.text.split()))
            found.append((answer.status_code, desk.reads > before, told and told[0]))
        return found

    assert [it[2] for it in places("x")] == [first, last]
    assert [it[:2] for it in places("1-None")] == [(204, False), (200, True)]
    desk.take()
    assert [it[2] for it in places("2-None")] == [None, first]
    assert [it[0] for it in places("1-None")] == [200, 204]
    assert phones[behind].get("/atencion/x/lugar").status_code == 404


def test_after_a_commit_one_reading_serves_all_who_wait(
    desk: Desk, clock: FrozenClock
) -> None:
    def enter() -> str:
        with desk.app.app_context(), transaction() as session:
            made = add_attention(session, now=clock.now, key=SECRET_KEY)
            return path_of(session.get_one(Order, made.order_id), (SECRET_KEY,))

    pages = [desk.page, enter(), enter()]
    phones = [
        (desk.app.test_client(), f"{page}/lugar?v={place}-None")
        for place, page in enumerate(pages, 1)
    ]
    assert [desk.ask(*each)[0] for each in phones] == [204] * 3
    assert [desk.ask(*each) for each in phones] == [(204, False)] * 3
    enter()  # who comes behind changes nothing for those before
    assert [desk.ask(*each) for each in phones] == [(204, True), *[(204, False)] * 2]
    desk.take()
    assert [desk.ask(*each)[0] for each in phones] == [200] * 3


def test_one_reading_serves_all_boards_and_tells_who_may_see_no_more(
    desk: Desk, clock: FrozenClock
) -> None:
    with desk.app.app_context():
        code = screens_service.open_pairing("Muro", actor=SYSTEM, now=clock.now)
        with transaction() as session:
            luis = person(add_staff(session, "Luis"))
        screens_service.set_pin(luis.id, "2468", actor=SYSTEM, now=clock.now)
    wall = desk.app.test_client()
    wall.post("/tablero/emparejar", data={"code": code.lower()})
    boards = [desk.board, log_in_as(desk.app, luis.id), wall]
    paths = [desk.poll_of(each, "/tablero") for each in boards]

    def commit() -> None:
        with desk.app.app_context(), transaction() as session:
            add_order(session, now=clock.now, state="awaiting_payment", paid_at=None)

    def ask() -> list[tuple[int, bool]]:
        return [desk.ask(*each) for each in zip(boards, paths, strict=True)]

    assert ask() == [(204, True)] * 3
    for _ in range(2):
        commit()
        assert ask() == [(204, True), (204, False), (204, False)]
        assert ask() == [(204, False)] * 3
    turn = {"staff_id": str(luis.id), "pin": "2468"}
    assert wall.post("/tablero/turno", data=turn).status_code == 303
    assert ask() == [(204, True), (204, False), (200, True)]
    paths[2] = desk.poll_of(wall, "/tablero")
    assert [status for status, _ in ask()] == [204, 204, 204]
    commit()
    assert ask() == [(204, True), (204, False), (204, False)]
    with desk.app.app_context():
        accounts_service.disable(luis.id, actor=SYSTEM, now=clock.now)
    assert [status for status, _ in ask()] == [204, 401, 200]
    paths[2] = desk.poll_of(wall, "/tablero")
    with desk.app.app_context():
        number = screen_queries.list_screens(db.session())[0].id
        screens_service.revoke(number, actor=SYSTEM, now=clock.now)
    assert [status for status, _ in ask()] == [204, 401, 401]


def test_a_commit_while_the_rows_are_read_is_seen_by_the_next_poll() -> None:
    class Busy:
        """Somebody commits during each of the first two readings."""

        commits, rows = 0, "old"

        def stamp(self) -> int:
            return self.commits

        def read(self, names: Sequence[str]) -> dict[str, str]:
            found = dict.fromkeys(names, self.rows)
            if self.commits < 2:
                self.commits, self.rows = self.commits + 1, f"new {self.commits}"
            return found

    busy = Busy()
    rests = quiet.SharedRests(cast(quiet.Commits, busy), busy.read)
    told = [rests.now(lambda: {"a"}) for _ in range(4)]
    assert told == [
        (0, {"a": "old"}),
        (1, {"a": "new 0"}),
        (2, {"a": "new 1"}),
        (2, {"a": "new 1"}),
    ]


class Asked:
    """An application that answers 204, and what was asked of it."""

    def __init__(self, clock: FrozenClock) -> None:
        self.stamp_now, self.commits, self.calls = 0, False, 0
        self.headers: list[tuple[str, str]] = []
        self.until = clock.now + timedelta(seconds=30)
        rests = quiet.SharedRests(cast(quiet.Commits, self), lambda _names: {})
        self.quiet = quiet.Quiet(self, cast(quiet.Commits, self), rests)

    def stamp(self) -> int:
        return self.stamp_now

    def __call__(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        self.calls += 1
        self.stamp_now += self.commits
        environ[quiet.HOLDS_UNTIL] = self.until
        start("204 NO CONTENT", list(self.headers))
        return []

    def poll(self, cookie: str = "") -> bool:
        """Whether the application was asked."""
        before = self.calls
        environ = EnvironBuilder("/tablero/tarjetas?v=1", headers={"Cookie": cookie})
        self.quiet(environ.get_environ(), lambda *_said: None)
        return self.calls > before


def test_a_commit_while_a_poll_is_answered_is_seen_by_the_next_one(
    clock: FrozenClock,
) -> None:
    asked = Asked(clock)
    asked.commits = True
    assert [asked.poll(), asked.poll()] == [True, True]
    asked.commits = False
    assert [asked.poll(), asked.poll()] == [True, False]


def test_an_answer_with_a_cookie_is_never_given_again(clock: FrozenClock) -> None:
    asked = Asked(clock)
    asked.headers = [("Set-Cookie", "portal=de-ana")]
    assert [asked.poll(), asked.poll()] == [True, True]


def test_too_many_screens_are_forgotten_and_asked_anew(
    clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quiet, "MOST", 2)
    asked = Asked(clock)
    screens = ["portal=a", "portal=b"]
    assert [asked.poll(each) for each in screens * 2] == [True, True, False, False]
    assert asked.poll("portal=c")
    assert [asked.poll(each) for each in screens] == [True, True]


def test_the_instant_of_the_version_ends_it_and_so_does_a_minute(
    desk: Desk, clock: FrozenClock
) -> None:
    polls, before = both(desk), clock.now
    for client, path in polls:
        clock.set(before + timedelta(seconds=59))
        assert desk.ask(client, path) == (204, False)
        clock.set(before + quiet.LONGEST)
        assert desk.ask(client, path)[1]
        clock.set(before - timedelta(seconds=1))  # a demo's clock moved back
        assert desk.ask(client, path)[1]
    clock.set(before + timedelta(minutes=11))  # the promise is missed
    assert [desk.ask(client, path)[0] for client, path in polls] == [200, 200]


def test_nobody_is_given_what_another_was_answered(desk: Desk) -> None:
    (_, board), (_, page) = both(desk)
    stranger = desk.app.test_client()
    assert desk.ask(stranger, board)[0] not in (200, 204)
    assert desk.ask(stranger, page) == (204, True)  # the link is the key


def test_a_disabled_technician_leaves_the_board_at_the_next_poll(desk: Desk) -> None:
    (board, path), _ = both(desk)
    with desk.app.app_context():
        accounts_service.disable(desk.ana.id, actor=SYSTEM, now=utcnow())
    status, read = desk.ask(board, path)
    assert status not in (200, 204)
    assert read


@pytest.mark.parametrize("edge", ["0-" + "9" * 27, "0-" + "9" * 40, "-", "9-x", ""])
def test_no_instant_that_a_page_can_send_breaks_it(desk: Desk, edge: str) -> None:
    _, (phone, path) = both(desk)
    mark = path.partition(".")[0]
    for _ in range(2):
        assert desk.ask(phone, f"{mark}.{edge}")[0] in (200, 204)


@pytest.mark.postgres
def test_what_cannot_tell_of_commits_takes_nothing_for_unchanged(
    app: Flask, both_databases: str
) -> None:
    with app.app_context():
        stamp = quiet.Commits(db.engine).stamp()
    assert (stamp is None) == (both_databases == "postgresql")
