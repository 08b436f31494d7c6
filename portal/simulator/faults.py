"""The plan of faults: what goes wrong, with which operation, for how many calls."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Response, jsonify, request

OPERATIONS = {
    "webpay_create": "Webpay: crear",
    "webpay_commit": "Webpay: confirmar",
    "webpay_status": "Webpay: consultar",
    "webpay_refund": "Webpay: devolver",
    "mp_preference": "Mercado Pago: crear preferencia",
    "mp_preference_get": "Mercado Pago: leer preferencia",
    "mp_preference_update": "Mercado Pago: cambiar preferencia",
    "mp_payment": "Mercado Pago: leer pago",
    "mp_search": "Mercado Pago: buscar pagos",
    "mp_cancel": "Mercado Pago: anular pago",
    "mp_refund": "Mercado Pago: devolver",
    "mp_refund_get": "Mercado Pago: leer devolución",
    "mp_chargeback": "Mercado Pago: leer contracargo",
    "mp_other": "Mercado Pago: lo demás",
}
# Each also exists with the suffix _after: the act is done first, then it goes wrong.
KINDS = {
    "delay": "Responde bien, pero lento",
    "error_500": "Error 500 en JSON",
    "html_502": "Error 502 en HTML",
    "empty": "Respuesta vacía",
    "broken_json": "JSON roto",
    "cut": "Conexión cortada",
    "hold": "Espera hasta soltar",
    "refused": "Rechazo de negocio",
    "unauthorized": "Credenciales rechazadas",
    "rate_limited": "Demasiadas llamadas (429)",
    "not_done": "Devolución no hecha (200, código 304)",
    "stale": "Búsqueda sin resultados todavía",
}
MAX_HOLD_SECONDS = 60.0
_AFTER = "_after"


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong. `delay` is in seconds."""

    kind: str
    delay: float = 0.0

    @property
    def base(self) -> str:
        return self.kind.removesuffix(_AFTER)

    @property
    def after(self) -> bool:
        return self.kind.endswith(_AFTER)

    @property
    def answers(self) -> bool:
        """Whether the fault replaces the answer."""
        return self.base not in ("delay", "hold")


def is_known(operation: str, kind: str) -> bool:
    """Whether the plan can hold this fault."""
    return operation in OPERATIONS and kind.removesuffix(_AFTER) in KINDS


class FaultPlan:
    """The faults still to happen, in order, and the tokens being committed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: dict[str, list[Fault]] = {}
        self._released = threading.Event()
        self._held = threading.Event()
        self._busy: set[str] = set()

    def plan(self, operation: str, fault: Fault, times: int) -> None:
        """Let the next `times` calls of the operation go wrong."""
        with self._lock:
            self._planned.setdefault(operation, []).extend([fault] * times)
            if fault.base == "hold":
                self._released.clear()
                self._held.clear()

    def take(self, operation: str) -> Fault | None:
        """The fault of this call, if one is planned; it is used up."""
        with self._lock:
            waiting = self._planned.get(operation)
            return waiting.pop(0) if waiting else None

    def pending(self) -> dict[str, list[str]]:
        with self._lock:
            return {
                name: [fault.kind for fault in faults]
                for name, faults in self._planned.items()
                if faults
            }

    def clear(self) -> None:
        """Forget the plan and let every held call go on."""
        with self._lock:
            self._planned.clear()
        self._released.set()

    def release(self) -> None:
        """Let every held call go on."""
        self._released.set()

    def wait_until_held(self) -> bool:
        """Wait until a call hangs in a hold; False when none ever does."""
        return self._held.wait(MAX_HOLD_SECONDS)

    def wait(self, fault: Fault) -> None:
        """Spend the time that the fault costs."""
        if fault.base == "hold":
            self._held.set()
            self._released.wait(MAX_HOLD_SECONDS)
        if fault.delay:
            time.sleep(fault.delay)

    def enter(self, key: str) -> bool:
        """Mark the key as busy; False when another call holds it."""
        with self._lock:
            if key in self._busy:
                return False
            self._busy.add(key)
            return True

    def leave(self, key: str) -> None:
        with self._lock:
            self._busy.discard(key)


def _half_a_body() -> Iterator[bytes]:
    """A body that stops half-way: the server drops the connection."""
    yield b'{"half":'
    raise ConnectionError("the simulator cuts the connection")


def _cut() -> Response:
    # A body left unread would be waited for by the server, and so by the caller.
    request.get_data()
    response = Response(_half_a_body(), 200, content_type="application/json")
    response.headers["Content-Length"] = "1000"
    return response


def _error(status: int, text: str) -> Response:
    """An error as both gateways write it, so that either SDK can read it."""
    body = {"error_message": text, "message": text, "error": "error", "status": status}
    response = jsonify({**body, "cause": []})
    response.status_code = status
    return response


def answer(fault: Fault, operation: str) -> Response:
    """What the caller gets instead of the right answer."""
    match fault.base:
        case "error_500":
            return _error(500, "Internal server error")
        case "html_502":
            page = "<html><body><h1>502 Bad Gateway</h1></body></html>"
            return Response(page, 502, content_type="text/html")
        case "empty":
            return Response("", 200, content_type="application/json")
        case "broken_json":
            return Response('{"id": 12', 200, content_type="application/json")
        case "cut":
            return _cut()
        case "unauthorized":
            return _error(401, "Not Authorized")
        case "rate_limited":
            response = _error(429, "Too many requests")
            response.headers["Retry-After"] = "1"
            return response
        case "not_done":
            return jsonify({"type": "NULLIFIED", "response_code": 304})
        case "stale":
            paging = {"total": 0, "limit": 30, "offset": 0}
            return jsonify({"paging": paging, "results": []})
    status = 422 if operation.startswith("webpay") else 400
    return _error(status, "Operation refused by the simulator")
