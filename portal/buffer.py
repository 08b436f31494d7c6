"""A body is read whole, within its limits, before a thread is given to its request.

Granian hands a request to a thread of Python as soon as its headers are there, so that
by WSGI alone each slow body holds a thread, and 32 of them the whole server. By its own
protocol (RSGI) the body is waited for without a thread.
"""

import asyncio
import io
import os
import socket
import stat
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

MAX_BODY_BYTES = 64 * 1024
# Half of them may wait for gateways at once (`payments.gateways.base.MAX_CALLS`).
THREADS = 16
# From the first byte of the body to its last one: a phone on bad data is slow, too.
BODY_SECONDS = 30.0
# How long a connection may take to begin its request before it is taken anyway.
BEGIN_SECONDS = 5
# Requests that have no body when they tell of none.
_WITHOUT_BODY = ("GET", "HEAD")
# Answers without a body, by their status.
_EMPTY = (204, 304)

Headers = list[tuple[str, str]]
Answer = tuple[int, Headers, bytes]
_REFUSED: dict[int, bytes] = {408: b"Request Timeout", 413: b"Content Too Large"}


class Buffered:
    """A WSGI application behind a buffer, for granian's `--interface rsgi`."""

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        at_once: Callable[[dict[str, Any]], Headers | None] = lambda _environ: None,
    ) -> None:
        """`at_once` tells the headers of a 204 that needs no thread, if it is one."""
        self._application, self._at_once = application, at_once
        # Granian listens only after its process has loaded this.
        self._awaits_requests = False
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        if scope.proto != "http":
            return
        if not self._awaits_requests:
            self._awaits_requests = True
            await_requests()
        body = await _read(scope, protocol)
        if isinstance(body, int):
            _say(protocol, scope.method, _refusal(body))
            return
        environ = _environ(scope, body)
        if (headers := self._at_once(environ)) is not None:
            protocol.response_empty(204, headers)
            return
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._threads, self._call, environ)
        _say(protocol, scope.method, answer)

    def _call(self, environ: dict[str, Any]) -> Answer:
        told: list[Any] = []
        written: list[bytes] = []

        def start(status: str, headers: Headers, _exc_info: Any = None) -> Any:
            told[:] = [status, headers]
            return written.append

        made = self._application(environ, start)
        try:
            written.extend(made)
        finally:
            getattr(made, "close", lambda: None)()
        status, headers = told
        return int(status[:3]), headers, b"".join(written)


def await_requests() -> None:
    """Let the kernel keep each new connection until its request begins (Linux).

    A process that ends closes what it has read nothing of, and a request that is under
    way to it is lost. Each process has its own socket; with `net.ipv4.tcp_migrate_req`
    at 1, what the kernel keeps for one that ends goes to another.
    """
    if not hasattr(socket, "TCP_DEFER_ACCEPT"):
        return
    for number in map(int, os.listdir("/proc/self/fd")):
        with suppress(OSError):  # the listing's own is closed by now
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                with socket.socket(fileno=os.dup(number)) as it:
                    _await_request(it)


def _await_request(it: socket.socket) -> None:
    if it.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        it.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, BEGIN_SECONDS)


async def _read(scope: Any, protocol: Any) -> bytes | int:
    """The whole body; or 413 when it is longer than any form, 408 when it is slow."""
    told = scope.headers.get("content-length")
    bare = told is None and scope.headers.get("transfer-encoding") is None
    if bare and scope.method in _WITHOUT_BODY:
        return b""
    length = told or "0"
    if not length.isascii() or not length.isdigit() or len(length) > 9:
        return 413
    # Werkzeug tells of the limit on the portal's own page; what is far beyond it is
    # not even read.
    if int(length) > MAX_BODY_BYTES:
        return b"x" * (MAX_BODY_BYTES + 1)
    found = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in protocol:
                found += chunk
                if len(found) > MAX_BODY_BYTES:
                    break
    except TimeoutError:
        return 408
    return bytes(found[: MAX_BODY_BYTES + 1])


def _refusal(status: int) -> Answer:
    text = ("content-type", "text/plain; charset=utf-8")
    return status, [text, ("connection", "close")], _REFUSED[status]


def _say(protocol: Any, method: str, answer: Answer) -> None:
    status, headers, body = answer
    if method == "HEAD" or status in _EMPTY:
        protocol.response_empty(status, headers)
    else:
        protocol.response_bytes(status, headers, body)


def _address(text: str) -> tuple[str, str]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), port


def _environ(scope: Any, body: bytes) -> dict[str, Any]:
    """What WSGI calls a request. Two headers of one name are one list, as in CGI."""
    server, port = _address(scope.server)
    made: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": _address(scope.client)[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    for name in scope.headers:
        # An underscore would pass for the hyphen that a proxy's own header has.
        if "_" not in name:
            joint = "; " if name == "cookie" else ","
            values = joint.join(scope.headers.get_all(name))
            made[f"HTTP_{name.upper().replace('-', '_')}"] = values
    made.pop("HTTP_TRANSFER_ENCODING", None)
    made.pop("HTTP_CONTENT_LENGTH", None)
    made["CONTENT_TYPE"] = made.pop("HTTP_CONTENT_TYPE", "")
    made["CONTENT_LENGTH"] = str(len(body))
    if scope.authority and "HTTP_HOST" not in made:
        made["HTTP_HOST"] = scope.authority
    return made
