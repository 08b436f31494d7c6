"""A body is read whole before a thread is given to its request, and within limits."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from portal import buffer
from portal.buffer import MAX_BODY_BYTES, Buffered


class Headers(dict[str, list[str]]):
    """As granian gives them: names in small letters, each with its values."""

    def get(self, name: str, default: Any = None) -> Any:
        return self[name][0] if name in self else default

    def get_all(self, name: str) -> list[str]:
        return self[name]


class Protocol:
    """One request's body in pieces, and what was answered."""

    def __init__(self, pieces: list[bytes], pause: float = 0.0) -> None:
        self.pieces, self.pause, self.taken = pieces, pause, 0
        self.status, self.headers, self.body = 0, [], b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            await asyncio.sleep(self.pause)
            self.taken += 1
            yield piece

    def response_bytes(self, status: int, headers: Any, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def response_empty(self, status: int, headers: Any) -> None:
        self.status, self.headers = status, headers


def ask(
    protocol: Protocol,
    application: Any = None,
    method: str = "POST",
    at_once: Any = lambda _environ: None,
    **headers: Any,
) -> dict[str, Any]:
    """Send the request through the buffer; the environment that the application got."""
    got: dict[str, Any] = {}

    def echo(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        got.update(environ, body=environ["wsgi.input"].read())
        start("200 OK", [("Content-Length", "2")])
        return [b"o", b"k"]

    scope = SimpleNamespace(
        proto="http",
        method=method,
        path="/ñ\x00",
        query_string="a=%C3%B1",
        http_version="1.1",
        server="127.0.0.1:8000",
        client="[2001:db8::7]:4711",
        scheme="http",
        authority=None,
        headers=Headers({k.replace("__", "-"): v for k, v in headers.items()}),
    )
    served = Buffered(application or echo, at_once)
    # In a thread: where a browser was driven before, this one has a loop already.
    with ThreadPoolExecutor(1) as apart:
        apart.submit(asyncio.run, served.__rsgi__(scope, protocol)).result()
    return got


def test_a_body_in_pieces_is_one_and_its_length_is_told() -> None:
    protocol = Protocol([b"a=", b"1", b"&b=2"])
    got = ask(protocol, transfer__encoding=["chunked"], content__type=["text/plain"])
    assert (got["body"], got["CONTENT_LENGTH"]) == (b"a=1&b=2", "7")
    assert got["CONTENT_TYPE"] == "text/plain"
    assert "HTTP_TRANSFER_ENCODING" not in got
    assert got["PATH_INFO"] == "/ñ\x00".encode().decode("latin-1")
    assert (got["QUERY_STRING"], got["REMOTE_ADDR"]) == ("a=%C3%B1", "2001:db8::7")
    assert (protocol.status, protocol.body) == (200, b"ok")


def test_what_is_told_at_once_takes_no_thread_and_reaches_no_application() -> None:
    protocol = Protocol([])
    told = [("X-Now", "1")]
    assert ask(protocol, method="GET", at_once=lambda _environ: told) == {}
    assert (protocol.status, protocol.headers) == (204, told)


def test_headers_of_one_name_are_one_and_underscores_are_no_hyphens() -> None:
    got = ask(
        Protocol([]),
        cookie=["a=1", "b=2"],
        x__forwarded__for=["10.0.0.1", "10.0.0.2"],
        x_real_ip=["6.6.6.6"],
    )
    assert got["HTTP_COOKIE"] == "a=1; b=2"
    assert got["HTTP_X_FORWARDED_FOR"] == "10.0.0.1,10.0.0.2"
    assert "HTTP_X_REAL_IP" not in got


def test_a_slow_body_is_let_go_and_never_reaches_the_application(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(buffer, "BODY_SECONDS", 0.05)
    protocol = Protocol([b"x"] * 1_000, pause=0.01)
    got = ask(protocol, content__length=["1000"])
    assert (protocol.status, got) == (408, {})
    assert ("connection", "close") in protocol.headers
    # The control: the same body, not slow, is taken.
    quick = Protocol([b"x"] * 1_000)
    assert len(ask(quick, content__length=["1000"])["body"]) == 1_000


@pytest.mark.parametrize("length", [str(MAX_BODY_BYTES + 1), "999999999"])
def test_a_body_told_to_be_too_long_is_not_even_read(length: str) -> None:
    protocol = Protocol([b"x" * 1_000] * 100)
    got = ask(protocol, content__length=[length])
    # The application gets one byte too many, and answers 413 on its own page.
    assert len(got["body"]) == MAX_BODY_BYTES + 1
    assert protocol.taken == 0


def test_an_endless_body_without_a_length_ends_at_the_limit() -> None:
    protocol = Protocol([b"x" * 1_000] * 1_000)
    got = ask(protocol, transfer__encoding=["chunked"])
    assert len(got["body"]) == MAX_BODY_BYTES + 1
    assert protocol.taken < 70


@pytest.mark.parametrize("length", ["-1", "1e3", "٣", "9" * 30, "0x10", "+1"])
def test_a_length_that_is_none_is_refused(length: str) -> None:
    protocol = Protocol([b"x"])
    got = ask(protocol, content__length=[length])
    assert (protocol.status, got) == (413, {})


def test_head_and_no_content_have_no_body() -> None:
    protocol = Protocol([])
    ask(protocol, method="HEAD")
    assert (protocol.status, protocol.body) == (200, b"")

    def nothing(_environ: Any, start: Any) -> Iterable[bytes]:
        start("204 NO CONTENT", [])
        return []

    protocol = Protocol([])
    ask(protocol, nothing, "GET")
    assert protocol.status == 204


def test_what_breaks_in_the_application_is_not_swallowed() -> None:
    def broken(_environ: Any, _start: Any) -> Iterable[bytes]:
        raise LookupError("broken")

    with pytest.raises(LookupError):
        ask(Protocol([]), broken)


def test_a_connection_is_taken_once_its_request_begins() -> None:
    """What a process has not taken is not lost when it ends."""
    with socket.socket() as listening, socket.socket() as other:
        for it in (listening, other):
            it.bind(("127.0.0.1", 0))
        listening.listen()
        told = (socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT)
        assert listening.getsockopt(*told) == 0
        ask(Protocol([b"a=1"]), content_length="3")
        assert listening.getsockopt(*told) >= buffer.BEGIN_SECONDS
        assert other.getsockopt(*told) == 0
        with socket.create_connection(listening.getsockname()) as silent:
            listening.settimeout(0.2)
            with pytest.raises(TimeoutError):
                listening.accept()
            silent.sendall(b"GET / HTTP/1.1")
            listening.settimeout(10)
            taken, _ = listening.accept()
            assert taken.recv(3) == b"GET"
            taken.close()
