"""What stands around every call to a gateway: few at a time, none sent elsewhere."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from sqlalchemy.orm import Session

from portal import buffer
from portal.payments.gateways import base, webpay
from portal.payments.gateways.base import (
    MAX_CALLS,
    GatewayRefusedError,
    GatewayUnknownError,
    GatewayUnreachableError,
    Question,
    gateway_call,
)
from portal.payments.gateways.mercadopago import MercadoPagoGateway
from portal.payments.gateways.webpay import WebpayGateway

QUESTION = Question(token="ab" * 32, reference="itp-secreto")
OURS = "https://soporte.example.cl"


def _webpay(url: str) -> WebpayGateway:
    return WebpayGateway(code="5970", key="k" * 64, api_url=url, return_url=OURS)


def _mercadopago(url: str) -> MercadoPagoGateway:
    return MercadoPagoGateway(token="APP_USR-1", api_url=url, public_url=OURS)


def test_half_of_the_threads_at_most_wait_for_gateways(session: Session) -> None:
    """However many customers pay through one that hangs, boards and pages go on."""
    assert MAX_CALLS * 2 <= buffer.THREADS
    with ExitStack() as hanging:
        for _ in range(MAX_CALLS):
            hanging.enter_context(gateway_call(0))
        # The next one is told at once, and that nothing was asked of the gateway.
        with pytest.raises(GatewayUnreachableError), gateway_call(0):
            pass
    with gateway_call(0):
        pass


def test_a_call_that_fails_gives_its_slot_back(session: Session) -> None:
    for _ in range(MAX_CALLS + 1):
        with pytest.raises(GatewayRefusedError), gateway_call(0):
            raise GatewayRefusedError


def test_a_commit_waits_longer_for_its_slot(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slot is free again when a call before it ends; the money would be lost."""
    waits: list[float] = []

    @contextmanager
    def note(seconds: float) -> Iterator[None]:
        waits.append(seconds)
        raise GatewayUnreachableError
        yield

    monkeypatch.setattr(webpay, "gateway_call", note)
    gateway = _webpay("http://127.0.0.1:1")
    for ask in (gateway.status, gateway.commit):
        with pytest.raises(GatewayUnreachableError):
            ask("ab" * 32)
    status, commit = waits
    assert status == base.SLOT_WAIT_SECONDS
    assert commit >= webpay.TIMEOUT[1] > status


class _Elsewhere(BaseHTTPRequestHandler):
    """Sends everyone on to another address, and notes who came there."""

    def _answer(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_response(307)
        self.send_header("Location", f"http://{self.headers['Host']}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_PUT = _answer

    def log_message(self, *_said: object) -> None:
        return


@pytest.fixture
def elsewhere() -> Iterator[Any]:
    server = HTTPServer(("127.0.0.1", 0), _Elsewhere)
    server.asked = []  # type: ignore[attr-defined]
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield server
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.mark.parametrize("name", ["webpay", "mercadopago"])
def test_no_redirect_takes_our_key_along(
    name: str, session: Session, elsewhere: Any
) -> None:
    url = f"http://127.0.0.1:{elsewhere.server_port}"
    gateway = {"webpay": _webpay, "mercadopago": _mercadopago}[name](url)
    with pytest.raises((GatewayRefusedError, GatewayUnknownError)):
        gateway.look_up(QUESTION)
    (asked,) = elsewhere.asked
    assert asked != "/elsewhere"
