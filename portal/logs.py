"""One JSON object a line: what happened, in which request, and nothing personal.

An address of the portal may be a customer's secret link, and the text of an exception
may quote what a customer typed: a line names the route and the kinds of the exceptions
with their places in the code, never an address, a query or an exception's text.
"""

import json
import logging
import os
import re
import secrets
import traceback
from collections import Counter
from datetime import UTC, datetime
from types import TracebackType

from flask import Flask, Response, g, has_request_context, request

from portal import clock
from portal.config import ROOT, Settings

HEADER = "X-Request-ID"
_GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")
# The second line of defence: no line of ours is meant to hold any of these.
_MASKS = (
    (re.compile(r"[^\s@]+@[^\s@]+"), "<correo>"),
    (re.compile(r"(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{20,}"), "<clave>"),
    (re.compile(r"\+?\d[\d. -]{6,}[\dkK]"), "<número>"),
)
_log = logging.getLogger("portal.requests")
# By class of status (2xx, ...), since this process started.
answered: Counter[str] = Counter()


def request_id() -> str:
    """The number by which a request is found in the log; empty outside of one."""
    return str(g.get("request_id", "")) if has_request_context() else ""


def _masked(text: str) -> str:
    for pattern, word in _MASKS:
        text = pattern.sub(word, text)
    return text


def _kinds(error: BaseException | None) -> list[str]:
    """The exception and those that it came from, by name."""
    found: list[str] = []
    while error is not None and len(found) < 8:
        found.append(f"{type(error).__module__}.{type(error).__name__}")
        error = error.__cause__ or error.__context__
    return found


def _places(trace: TracebackType | None) -> list[str]:
    """Where it happened, innermost last, as `file:line function`."""
    frames = traceback.extract_tb(trace)[-20:]
    return [
        f"{os.path.relpath(frame.filename, ROOT)}:{frame.lineno} {frame.name}"
        for frame in frames
    ]


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON; line breaks inside are escaped by it."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": _masked(record.getMessage()),
        }
        if number := request_id():
            line["request_id"] = number
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = _kinds(record.exc_info[1])
            line["where"] = _places(record.exc_info[2])
        return json.dumps(line, ensure_ascii=False)


def to_json(settings: Settings) -> None:
    """Write every logger's lines as JSON to standard error: the portal's own from
    LOG_LEVEL on, warnings of the libraries."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("portal").setLevel(settings.log_level.upper())


def init_app(app: Flask, trusts_proxies: bool) -> None:
    """Number each request, answer with the number, and log how it ended."""

    def begin() -> None:
        """A request that is refused before any view has no beginning either."""
        given = request.headers.get(HEADER, "") if trusts_proxies else ""
        known = _GIVEN.fullmatch(given)
        g.request_id = given if known else secrets.token_hex(8)
        g.began = clock.monotonic()

    def end(response: Response) -> Response:
        if "request_id" not in g:
            begin()
        response.headers[HEADER] = g.request_id
        answered[f"{response.status_code // 100}xx"] += 1
        if _is_worth_a_line(response) and _log.isEnabledFor(logging.INFO):
            _log.info("request", extra={"fields": _fields(response)})
        return response

    app.before_request(begin)
    app.after_request(end)
    app.context_processor(lambda: {"request_id": request_id()})


def _is_worth_a_line(response: Response) -> bool:
    """Polls that find nothing new and static files are most of the traffic."""
    return response.status_code != 204 and request.endpoint != "static"


def _fields(response: Response) -> dict[str, object]:
    rule = request.url_rule
    return {
        "method": request.method if rule else "?",
        "route": rule.rule if rule else None,
        "status": response.status_code,
        "ms": round((clock.monotonic() - g.began) * 1000, 1),
    }
