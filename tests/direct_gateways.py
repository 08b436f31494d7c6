"""The SDKs' HTTP answered in this process: real SDKs, real simulator, no sockets.

What replaces the network is the one method through which `requests` sends; everything
above it (SDKs, sessions, time-outs' classes) and below it (the simulator's HTTP
application) is what runs elsewhere over TCP.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import requests
from flask import Flask
from requests.adapters import HTTPAdapter
from werkzeug.test import EnvironBuilder, run_wsgi_app

URL = "http://gateways.test"


class Killed(BaseException):
    """The process died here: nothing that follows in it is done."""


def _respond(application: Flask, request: requests.PreparedRequest) -> Any:
    parts = urlsplit(str(request.url))
    builder = EnvironBuilder(
        path=parts.path,
        query_string=parts.query,
        method=request.method or "GET",
        headers=[(str(k), str(v)) for k, v in request.headers.items()],
        input_stream=io.BytesIO(_bytes(request.body)),
        environ_base={"REMOTE_ADDR": "127.0.0.1"},
    )
    try:
        body, status, headers = run_wsgi_app(
            application.wsgi_app, builder.get_environ(), buffered=True
        )
    except ConnectionError as error:
        raise requests.exceptions.ChunkedEncodingError(str(error)) from error
    response = requests.Response()
    response.status_code = int(status.split(" ", 1)[0])
    response._content = b"".join(body)
    response.headers.update(headers)
    response.url = str(request.url)
    response.request = request
    response.encoding = "utf-8"
    return response


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    return body if isinstance(body, bytes) else str(body).encode()


class Wire:
    """What lies between the SDKs and the simulator; it can be cut by a kill."""

    def __init__(self, application: Flask) -> None:
        self.application = application
        self.kill_at: str | None = None
        self.sent = 0

    def send(self, request: requests.PreparedRequest) -> Any:
        self.sent += 1
        when, self.kill_at = self.kill_at, None
        if when == "before":
            raise Killed
        response = _respond(self.application, request)
        if when == "after":
            raise Killed
        return response


@contextmanager
def wired(send: Callable[[requests.PreparedRequest], Any]) -> Iterator[None]:
    """Inside, every request to the gateways' address goes through `send`."""
    over_tcp = HTTPAdapter.send

    def dispatch(adapter: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        if str(request.url).startswith(URL):
            return send(request)
        return over_tcp(adapter, request, *args, **kwargs)

    with mock.patch.object(HTTPAdapter, "send", dispatch):
        yield
