"""Many browsers that poll, in one thread and at little cost: ready-made requests over
kept connections, of whose answers only status, version and marks are read."""

import heapq
import html
import re
import selectors
import socket
import threading
import time
from dataclasses import dataclass, field

import brotli

_MARK = re.compile(r"cambio-(\d+)")
_NEXT = re.compile(r'hx-get="([^"]*/(tarjetas|ahora|lugar)\?v=[^"]*)"')
PERIODS = {"tarjetas": 1.0, "ahora": 2.0, "lugar": 15.0}


@dataclass
class Browser:
    """One connection, the addresses that it asks again, and what it has seen."""

    port: int
    page: str
    cookie: str = ""
    asks: dict[str, bytes] = field(default_factory=dict)
    seen: dict[int, float] = field(default_factory=dict)
    asked_at: float = 0.0
    busy: str = ""
    received: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def request(self, path: str) -> bytes:
        cookie = f"Cookie: {self.cookie}\r\n" if self.cookie else ""
        return (
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nHX-Request: true\r\n"
            f"Accept-Encoding: br\r\n{cookie}\r\n"
        ).encode()

    def send(self, what: str) -> None:
        self.busy, self.asked_at = what, time.monotonic()
        self.socket.sendall(self.asks[what])

    def receive(self) -> int:
        """The status when the answer is whole, else 0."""
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("the server closed a kept connection")
        self.received += piece
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return 0
        status = int(self.received[9:12])
        if status != 204:
            head = bytes(self.received[:end]).lower()
            size = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            if len(self.received) < end + 4 + size:
                return 0
            body = bytes(self.received[end + 4 :])
            if b"content-encoding: br" in head:
                body = brotli.decompress(body)
            self.read(body.decode())
        self.received.clear()
        self.busy = ""
        return status

    def read(self, text: str) -> None:
        now = time.monotonic()
        for mark in _MARK.findall(text):
            self.seen.setdefault(int(mark), now)
        for path, what in _NEXT.findall(text):
            self.asks[what] = self.request(html.unescape(path))


class Pollers(threading.Thread):
    """All the browsers, until `stop` is set. `waits` are seconds of each answer."""

    def __init__(self, browsers: list[Browser]) -> None:
        super().__init__()
        self.browsers, self.stop = browsers, threading.Event()
        self.waits: dict[str, list[float]] = {name: [] for name in PERIODS}
        self.statuses: dict[int, int] = {}
        self.cpu = 0.0

    def open_pages(self) -> None:
        """Each opens its page once, as a person does."""
        for each in self.browsers:
            each.socket.sendall(each.request(each.page))
            while not (status := each.receive()):
                pass
            assert status == 200, status
            assert each.asks, each.page

    def run(self) -> None:
        ready = selectors.DefaultSelector()
        due: list[tuple[float, int, str]] = []
        begun = time.monotonic()
        for number, each in enumerate(self.browsers):
            ready.register(each.socket, selectors.EVENT_READ, each)
            share = number * 0.618 % 1
            for what in each.asks:
                due.append((begun + PERIODS[what] * share, number, what))
        heapq.heapify(due)
        while not self.stop.is_set():
            self._send_due(due)
            rest = min(max(due[0][0] - time.monotonic(), 0), 0.1)
            for key, _ in ready.select(rest):
                self._take(key.data)
        self.cpu = time.thread_time()

    def _send_due(self, due: list[tuple[float, int, str]]) -> None:
        while due and due[0][0] <= (now := time.monotonic()):
            at, number, what = heapq.heappop(due)
            browser = self.browsers[number]
            if browser.busy:
                heapq.heappush(due, (now + 0.02, number, what))
                continue
            browser.send(what)
            heapq.heappush(due, (max(at, now - 0.1) + PERIODS[what], number, what))

    def _take(self, browser: Browser) -> None:
        what = browser.busy
        if status := browser.receive():
            self.waits[what].append(time.monotonic() - browser.asked_at)
            self.statuses[status] = self.statuses.get(status, 0) + 1
