"""What every part of the simulator shares in a request: settings, store, faults."""

import functools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from flask import Flask, Response, current_app, jsonify, request

from portal import clock
from portal.config import Settings
from portal.simulator import faults
from portal.simulator.faults import FaultPlan
from portal.simulator.store import Json, Store

_EXTENSION = "gateway_simulator"
_KEPT_HEADERS = ("x-idempotency-key", "x-product-id", "User-Agent", "Content-Type")

View = Callable[..., Response]


@dataclass(frozen=True)
class Gateway:
    """The running simulator."""

    settings: Settings
    store: Store
    faults: FaultPlan
    # Set when it stops: whoever insists in the background ends then.
    stopped: threading.Event = field(default_factory=threading.Event)


def install(app: Flask, gateway: Gateway) -> None:
    """Hang the simulator's parts on the application."""
    app.extensions[_EXTENSION] = gateway


def current() -> Gateway:
    """The simulator of the running request."""
    return cast(Gateway, current_app.extensions[_EXTENSION])


def reply(body: Json, status: int = 200) -> Response:
    """A JSON answer."""
    response = jsonify(body)
    response.status_code = status
    return response


def body_as_object() -> Json | None:
    """The request's JSON object, or None when it is not one."""
    value = request.get_json(force=True, silent=True)
    return value if isinstance(value, dict) else None


def _call_key(arguments: Mapping[str, object]) -> str:
    """What the call is about: the id in the path, else the reference it carries."""
    if arguments:
        return str(next(iter(arguments.values())))
    body = body_as_object() or {}
    for name in ("buy_order", "external_reference"):
        if name in body:
            return str(body[name])
    return request.args.get("external_reference", "")


def _note_call(operation: str, arguments: Mapping[str, object]) -> None:
    kept = {
        name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers
    }
    with current().store.writing() as transaction:
        transaction.add_call(operation, _call_key(arguments), clock.utcnow(), kept)


def counted(operation: str) -> Callable[[View], View]:
    """Write each call into the ledger, whatever comes of it."""

    def wrap(view: View) -> View:
        @functools.wraps(view)
        def call(**arguments: object) -> Response:
            _note_call(operation, arguments)
            return view(**arguments)

        return call

    return wrap


def faulty(operation: str) -> Callable[[View], View]:
    """Let the planned faults happen, before or after the act."""

    def wrap(view: View) -> View:
        @functools.wraps(view)
        def call(**arguments: object) -> Response:
            plan = current().faults
            fault = plan.take(operation)
            if fault is None:
                return view(**arguments)
            done = view(**arguments) if fault.after else None
            plan.wait(fault)
            if fault.answers:
                return faults.answer(fault, operation)
            return view(**arguments) if done is None else done

        return call

    return wrap


def operation(name: str) -> Callable[[View], View]:
    """A counted call that may go wrong by plan."""

    def wrap(view: View) -> View:
        return counted(name)(faulty(name)(view))

    return wrap
