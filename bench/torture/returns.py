"""Returns of one token by eight at once, while the commit takes its time."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from unittest import mock

from bench.torture.histories import quietly
from bench.torture.report import Line

THREADS = 8
# The gateway's slots are eight: more tokens at once would wait for one another.
TOKENS_AT_ONCE = 8
LONGEST = 12.0
# A return waits 15 s for another's commit, as long as the SDK's read time-out: these
# 3 s more than the longest commit are what the portal has for its own work, so they do
# not shrink with the scale. Eight browsers a token want them on a small machine.
OWN_WORK = 3.0
# One token in this many has a commit that outlasts every time-out.
OUTLASTS = 10
VERIFYING = "No pague de nuevo"
PAID = "Pago recibido"


@dataclass
class Token:
    """What eight visitors saw of one token."""

    commits: int
    wrong: list[str]
    verified: int


def _timeout(scale: float) -> float:
    return LONGEST * scale + OWN_WORK


def run(tokens: int, scale: float) -> Line:
    """`scale` 1 is real time; less shortens the gateway's delays."""
    return quietly(lambda: _run(tokens, scale))  # type: ignore[no-any-return]


def _run(tokens: int, scale: float) -> Line:
    began = time.monotonic()
    found = _contend(tokens, scale, guarded=True)
    control = _contend(12, min(scale, 0.1), guarded=False)
    doubled = sum(token.commits != 1 for token in control)
    bad = [problem for token in found for problem in token.wrong]
    for problem in bad[:10]:
        print(problem)
    many = sum(token.commits != 1 for token in found)
    verified = sum(token.verified for token in found)
    return Line(
        "ocho retornos a la vez",
        f"{tokens} tokens: {many} con más o menos de 1 confirmación, {len(bad)} "
        f"páginas malas; {verified} páginas «verificando» que se volvieron el "
        f"resultado (esperas a escala {scale:g})",
        "0, 0",
        f"sin el turno para confirmar: {doubled} de 12 tokens dobles",
        many == 0 and not bad and doubled > 0,
        time.monotonic() - began,
    )


def _contend(tokens: int, scale: float, *, guarded: bool) -> list[Token]:
    from bench.torture.worlds import world

    unguarded = mock.patch("portal.payments.returns._lease", return_value=True)
    with world("sqlite") as made, _scaled(scale):
        made.scale = scale
        chance = random.Random(7)
        waits = [_wait(chance, number, scale) for number in range(tokens)]
        _slow_commits(made, dict(enumerate(waits)))
        bought = [_buy(made, number) for number in range(tokens)]
        if not guarded:
            unguarded.start()
        try:
            with ThreadPoolExecutor(TOKENS_AT_ONCE) as pool:
                return list(pool.map(lambda one: _visit(made, *one, scale), bought))
        finally:
            if not guarded:
                unguarded.stop()


def _wait(chance: random.Random, number: int, scale: float) -> float:
    if number % OUTLASTS == OUTLASTS - 1:
        return _timeout(scale) * 1.6
    return chance.uniform(0, LONGEST) * scale


def _scaled(scale: float) -> Any:
    wait = _timeout(scale)
    return mock.patch("portal.payments.returns._WAIT_SECONDS", wait)


def _slow_commits(made: Any, waits: dict[int, float]) -> None:
    """Each token's commit takes its own time; past the time-out it is cut off there.

    The gateway does the act all the same, and the caller hears nothing.
    """
    import requests

    by_token: dict[str, float] = {}
    made.waits = by_token
    made.plan = waits
    send = made.wire.send

    def slow(request: Any) -> Any:
        if request.method != "PUT":
            return send(request)
        wait = by_token.get(str(request.url).rsplit("/", 1)[1], 0.0)
        limit = _timeout(made.scale)
        response = send(request)
        time.sleep(min(wait, limit))
        if wait > limit:
            raise requests.ReadTimeout("the commit outlasts the time-out")
        return response

    made.wire.send = slow


def _buy(made: Any, number: int) -> tuple[Any, Any, Any, float]:
    placed = made.place()
    sent = made.start(placed, "webpay")
    browser = made.choose_webpay(sent.token, "visa")
    made.waits[sent.token] = made.plan[number]
    return placed, sent, browser, made.plan[number]


def _visit(made: Any, placed: Any, sent: Any, browser: Any, wait: float, scale: float):  # type: ignore[no-untyped-def]
    """Eight browsers come back at once; each reads the page it is sent to."""
    start = threading.Barrier(THREADS)
    pages: list[str] = []
    wrong: list[str] = []

    def come_back() -> None:
        client = made.app.test_client()
        start.wait()
        path = "/pago/webpay/retorno"
        answer = client.get(path, query_string=browser.params)
        if answer.status_code != 303 or answer.headers["Location"] != placed.path:
            wrong.append(f"{sent.payment_id}: answered {answer.status_code}")
            return
        pages.append(client.get(placed.path).get_data(as_text=True))

    threads = [threading.Thread(target=come_back) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    verified = sum(VERIFYING in page and PAID not in page for page in pages)
    wrong += [
        f"{sent.payment_id}: neither paid nor being verified"
        for page in pages
        if PAID not in page and VERIFYING not in page
    ]
    if wait <= LONGEST * scale and verified:
        wrong.append(
            f"{sent.payment_id}: {verified} not told the result ({wait:.1f} s)"
        )
    final = made.app.test_client().get(placed.path).get_data(as_text=True)
    if verified and PAID not in final:
        wrong.append(f"{sent.payment_id}: being verified did not become paid")
    return Token(_commits(made, sent.token), wrong, verified)


def _commits(made: Any, token: str) -> int:
    with made.gateway.store.reading() as read:
        return sum(
            call["operation"] == "webpay_commit" and call["key"] == token
            for call in read.calls()
        )
