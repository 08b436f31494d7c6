"""A bad mobile line before a server of this machine: delay, width, and connecting.

A browser's own throttle delays each request but counts no connecting. This one is a
TCP relay: a new connection waits a round trip for its handshake, every byte waits half
of one each way, and all connections of a direction share the line's width.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

_CHUNK = 1400  # about what one packet carries


class _Direction:
    """One way of the line: `seconds` of delay, `rate` bytes a second for all."""

    def __init__(self, seconds: float, rate: float) -> None:
        self.seconds, self.rate = seconds, rate
        self.free_at = 0.0

    def arrival(self, size: int, now: float) -> float:
        """When `size` bytes given at `now` are all over there."""
        self.free_at = max(self.free_at, now) + size / self.rate
        return self.free_at + self.seconds

    async def carry(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter
    ) -> None:
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        async def deliver() -> None:
            while True:
                due, data = await waiting.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                if not data:
                    break
                target.write(data)
                await target.drain()
            target.close()

        delivering = asyncio.create_task(deliver())
        while data := await source.read(_CHUNK):
            waiting.put_nowait((self.arrival(len(data), loop.time()), data))
        waiting.put_nowait((loop.time() + self.seconds, b""))
        await delivering


class SlowLink:
    """Relays this machine's `port` to one of its own, `self.port`."""

    def __init__(self, port: int, bits: float, milliseconds: float) -> None:
        self.target, self.round_trip = port, milliseconds / 1000
        half, rate = self.round_trip / 2, bits / 8
        self.up, self.down = _Direction(half, rate), _Direction(half, rate)
        self.port = 0

    async def _relay(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await asyncio.sleep(self.round_trip)  # the handshake
        inner, outer = await asyncio.open_connection("127.0.0.1", self.target)
        both = self.up.carry(reader, outer), self.down.carry(inner, writer)
        with suppress(asyncio.CancelledError):  # the line is taken down
            # A browser hangs up as it likes.
            await asyncio.gather(*both, return_exceptions=True)

    async def serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        server.close()


def _run(loop: asyncio.AbstractEventLoop, serving: Coroutine[Any, Any, None]) -> None:
    """Until it ends; what a browser left open ends with it."""
    loop.run_until_complete(serving)
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.close()


@contextmanager
def slow_link(port: int, bits: float, milliseconds: float) -> Iterator[int]:
    """The port of a line to `port`, until the block ends."""
    link, ready = SlowLink(port, bits, milliseconds), threading.Event()
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    serving = link.serve(ready, stop)
    thread = threading.Thread(target=_run, args=(loop, serving), daemon=True)
    thread.start()
    ready.wait()
    try:
        yield link.port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
