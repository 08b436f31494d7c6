"""A mail server on this machine that fails as it is told to."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message

# What a connection may meet. `drop` keeps the mail and closes without a word; `hang`
# says nothing until the client has gone. Besides, `rude` hangs up instead of a goodbye,
# and `421` says goodbye with an error.
FAULTS = ("refuse", "hang", "drop", "451 try later", "550 no such box", "552 too big")
OK = "ok"


class FakeSmtp(socketserver.ThreadingTCPServer):
    """`received` holds every mail that the server took, also when it hid it."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, plan: Callable[[], str] = lambda: OK) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.plan = plan
        self.received: list[Message] = []
        self.met: list[str] = []
        self.credentials: list[str] = []

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"

    def message_ids(self) -> list[str]:
        return [str(message["Message-ID"]) for message in self.received]


class _Handler(socketserver.StreamRequestHandler):
    server: FakeSmtp

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        try:
            self._talk(self.server.plan())
        except OSError:
            return  # the client has gone

    def _talk(self, fault: str) -> None:
        self.server.met.append(fault)
        if fault == "hang":
            self.rfile.read()
        if fault in ("hang", "refuse"):
            return
        self.say("220 ready")
        while line := self.rfile.readline().decode().strip():
            verb = line[:4].upper()
            if verb == "QUIT" and fault != "rude":
                self.say("421 closing" if fault == "421" else "221 bye")
            if verb == "QUIT" or (verb == "DATA" and not self._take(fault)):
                return
            if verb != "DATA":
                self._answer(verb, line, fault)

    def _answer(self, verb: str, line: str, fault: str) -> None:
        if verb == "RCPT" and fault.startswith(("451", "550")):
            self.say(fault)
        elif verb == "AUTH":
            self.server.credentials.append(line)
            self.say("235 welcome")
        elif verb == "EHLO":
            self.say("250-here\r\n250-AUTH PLAIN\r\n250 8BITMIME")
        else:
            self.say("250 ok")

    def _take(self, fault: str) -> bool:
        """Whether the talk goes on."""
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        if fault.startswith("552"):
            self.say(fault)
            return True
        self.server.received.append(message_from_bytes(b"".join(lines)))
        if fault == "drop":
            return False
        self.say("250 taken")
        return True


@contextmanager
def serving(plan: Callable[[], str] = lambda: OK) -> Iterator[FakeSmtp]:
    """The server, running, on a port of its own."""
    with FakeSmtp(plan) as server:
        thread = threading.Thread(
            target=server.serve_forever, args=(0.01,), daemon=True
        )
        thread.start()
        yield server
        server.shutdown()
        thread.join()
