"""Raw requests over every route and method, with good and hostile values, any role.

Nothing of a client stands between the bytes made here and the application: the
environment of WSGI is written by hand, as a server would from what a socket gave it.
"""

import io
import random
import re
import secrets
import time
import traceback
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

from faces import clear_board, lay_out
from flask import Flask, got_request_exception
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session
from support_cases import add_staff
from werkzeug.routing import Rule
from werkzeug.security import generate_password_hash

from portal import clock
from portal.accounts import screens_service, service
from portal.accounts.models import StaffSession
from portal.accounts.rules import SESSION_LIFE, key_hash, new_session_key
from portal.catalog.models import Topic
from portal.config import Settings
from portal.db import db, transaction
from portal.journal.service import Actor
from portal.orders.models import Order
from portal.payments.models import Payment, Refund
from portal.settings.demo_service import fill_missing
from portal.support.models import Attention, Errand
from portal.terms import service as terms

PORTAL = Path(__file__).resolve().parent.parent / "portal"
METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "GÉT", "PATCH")
ROLES = ("anonymous", "technician", "owner", "screen", "forged")
# After so many requests the world is made anew: acts close accounts and end sessions.
ROUND = 400

_SURROGATE = b"\xed\xa0\x80"
HOSTILE: tuple[bytes, ...] = (
    *(
        b"",
        b" ",
        b"\x00",
        b"a\x00b",
        b"\xff\xfe",
        _SURROGATE,
        b"\xc0\xaf",
        b"%",
        b"%zz",
    ),
    *(b"%u0041", b"\r\nSet-Cookie: x=1", b"\n", b"\x1b[31m", b"\x7f", b"\xe2\x80\xae"),
    *("\u202eabc\u200b".encode(), "e\u0301n\u0303".encode(), "🛒".encode() * 40),
    *("\ufffe\uffff\ufeff".encode(), "\u2028".encode(), "١٢٣".encode(), "²".encode()),
    *(b"0", b"-1", b"+1", b"1.5", b"1e3", b"1e999", b"NaN", b"-0", b"0x10", b"1_000"),
    *(b"9" * 10, b"9" * 20, b"9" * 30, b"9" * 4_400, b"2147483647", b"2147483648"),
    *(b"9223372036854775807", b"9223372036854775808", b"true", b"null", b"undefined"),
    *(b"' OR 1=1 --", b'"; DROP TABLE orders;', b"\\", b"%00", b"${7*7}", b"{{7*7}}"),
    *(b"{% raw %}", b"{0.__class__}", b"%s%n%d", b"<script>alert(1)</script>", b"]]>"),
    *(b"../../etc/passwd", b"..\\..", b"//evil.example", b"/\\evil", b"javascript:0"),
    *(b"=1+1", b"@SUM(A1)", b"-2+3", b"\t=1", b"A" * 300, b"A" * 5_000, b"x " * 2_000),
    *(b"[]", b"{}", b'{"a":', b"[" * 3_000, b'"\\ud800"', b"2026-02-30", b"0000-00-00"),
    *(b"9999-99", b"2026-13", b"0001-01", b"9999-12", b"99999-01", b"24:00", b"25:61"),
    *(b"2026-11-24T25:00", b"9999-12-31T23:59", b"0001-01-01T00:00", b"2026-W01"),
)
CONTENT_TYPES = (
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-16",
    "application/json",
    "text/plain",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "x" * 200,
    "",
)
ODD_HEADERS = (
    *("HTTP_HOST", "HTTP_ACCEPT_ENCODING", "HTTP_IF_NONE_MATCH", "HTTP_RANGE"),
    *("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_USER_AGENT"),
    *("HTTP_X_SIGNATURE", "HTTP_X_REQUEST_ID", "CONTENT_LENGTH", "HTTP_REFERER"),
    *("HTTP_HX_CURRENT_URL", "HTTP_X_CSRFTOKEN", "HTTP_ACCEPT_LANGUAGE"),
)
_BOUNDARY = "frontera"
GOOD: dict[str, tuple[str, ...]] = {
    "email": ("ana@example.cl", "maria@example.cl"),
    "name": ("María Soto", "2026-10", "2026-11"),
    "phone": ("+56 9 8765 4321", "987654321"),
    "problem": ("La caja no abre desde la mañana.",),
    "windows_bits": ("32", "64", "unknown"),
    "document": ("boleta", "factura"),
    "tax_rut": ("12.345.678-5",),
    "tax_commune": ("Ñuñoa",),
    "commune": ("Santiago",),
    "address": ("Los Aromos 12",),
    "accept_terms": ("y",),
    "terms_version": ("1",),
    "form_key": ("formulario-0123456789",),
    "gateway": ("webpay", "mercadopago", "manual"),
    "choice": ("atender", "fila", "ahora", "apertura"),
    "kind": ("haremos", "hecho", "transfer", "free", "boleta"),
    "text": ("Listo y probado.",),
    "outcome": ("resuelto", "parcial"),
    "act": ("nota", "anotar", "cerrar"),
    "message": ("Hola, ¿me escuchan?",),
    "code": ("123456789",),
    "consent": ("1",),
    "stars": ("5", "1"),
    "comment": ("Muy bien.",),
    "next": ("/tablero", "/informes/2026-10"),
    "dia": ("2026-12-24",),
    "first": ("2026-12-24",),
    "last": ("2026-12-26",),
    "day": ("2026-12-24",),
    "when": ("2026-12-01T10:00",),
    "amount": ("19.990", "1"),
    "reason": ("El cliente lo pidió", "Acuerdo con el cliente."),
    "price": ("19.990", "19990", "24.990"),
    "q": ("maría", "+56987654321", "1001"),
    "pagina": ("1", "2"),
    "campo": ("topic", "email", "tax_rut"),
    "password": ("una-clave-larga",),
    "pin": ("2580",),
    "folio": ("4711",),
    "issued_on": ("2026-11-24",),
    "role": ("technician", "owner"),
    "version": ("0", "1", "2"),
    "v": ("0",),
    "formato": ("json",),
    "data.id": ("123456789",),
    "type": ("payment", "merchant_order"),
    "token_ws": ("01ab" * 16,),
    "TBK_TOKEN": ("01ab" * 16,),
}
_READ = re.compile(
    r"(?:args|form|values|params)\.get(?:list)?\(\s*[\"']([^\"']+)[\"']"
    r"|^    (\w+) = \w*(?:Field|field)\(",
    re.MULTILINE,
)


def field_names() -> list[str]:
    """Every name of a parameter or a form's field that the portal reads."""
    found = set(GOOD)
    for path in PORTAL.rglob("*.py"):
        for pair in _READ.findall(path.read_text()):
            found.update(name for name in pair if name)
    return sorted(found)


@dataclass
class Answered:
    """What a run of requests gave."""

    count: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    slowest: tuple[float, str] = (0.0, "")
    broken: list[str] = field(default_factory=list)
    routes: set[str] = field(default_factory=set)
    # Answers inside a route that were no refusal: how deep the good values reached.
    deep: set[str] = field(default_factory=set)


class Fuzzer:
    """One application, a small world in it, and an endless row of requests."""

    def __init__(self, app: Flask, settings: Settings, seed: int) -> None:
        self.app, self.settings = app, settings
        self.chance = random.Random(seed)
        self.names = field_names()
        self.rules = [r for r in app.url_map.iter_rules() if r.endpoint != "static"]
        self.keys: dict[str, str] = {}
        self.known: dict[str, list[str]] = {}
        self.answered = Answered()
        self._failure = ""
        got_request_exception.connect(self._note_failure, app)
        # Laying out the world goes on where the simulated day stands.
        with app.app_context():
            terms.set_up(clock.utcnow())
            with transaction() as session:
                fill_missing(session, clock.utcnow())

    def _note_failure(self, _app: Flask, exception: BaseException) -> None:
        where = traceback.extract_tb(exception.__traceback__)[-1]
        self._failure = f"{type(exception).__name__} in {where.filename}:{where.lineno}"

    # The world ----------------------------------------------------------

    def renew_world(self) -> None:
        """Staff who can log in, a paired screen, and an order in every state."""
        with self.app.app_context():
            with transaction() as session:
                technician, owner = self._staff(session)
                # The board of the round before is cleared, so that it keeps its size.
                clear_board(session)
            paths = lay_out(db.session(), self.settings.secret_keys[0], "noon")
            topics = list(db.session().scalars(select(Topic.id).limit(3)))
            slugs = list(db.session().scalars(select(Topic.slug).limit(5)))
            attentions = _newest(Attention)
            errands, payments, refunds = map(_newest, (Errand, Payment, Refund))
            numbers = [str(int(it) + 1000) for it in _newest(Order)]
            self._screen(owner)
            db.session.remove()
        tokens = [path.removeprefix("/atencion/") for path in paths.values()]
        self.known = {
            "token": tokens,
            "corregir": tokens,
            "caso": tokens,
            "attention_id": attentions,
            "errand_id": errands,
            "staff_id": [str(technician), str(owner)],
            "to": [str(technician), str(owner)],
            "topic_id": [str(it) for it in topics],
            "topic": slugs,
            "number": numbers,
            "payment_id": payments,
            "refund_id": refunds,
            "screen_id": ["1"],
            "version": ["1"],
            "status": ["404", "409"],
            "group": ["comunas", "negocio", "reglas"],
            "slug": ["soporte-online", "reinstalacion", "asistencia-terreno"],
        }

    def _staff(self, session: Session) -> tuple[int, int]:
        made = {}
        for role in ("technician", "owner"):
            staff = add_staff(session, role.title(), role)
            staff.pin_hash = generate_password_hash("2580", service.METHOD)
            made[role] = staff.id
            key = new_session_key()
            session.add(
                StaffSession(
                    staff_id=staff.id,
                    key_hash=key_hash(key),
                    created_at=clock.utcnow(),
                    expires_at=clock.utcnow() + SESSION_LIFE,
                )
            )
            self.keys[role] = key
        return made["technician"], made["owner"]

    def _screen(self, owner: int) -> None:
        now = clock.utcnow()
        code = screens_service.open_pairing(
            "Muro", actor=Actor("staff", owner), now=now
        )
        self.keys["screen"] = screens_service.pair(code, now=now) or ""

    # One request --------------------------------------------------------

    def _value(self, name: str) -> bytes:
        good = [*self.known.get(name, ()), *GOOD.get(name, ())]
        if good and self.chance.random() < 0.7:
            return self.chance.choice(good).encode()
        return self.chance.choice(HOSTILE)

    def _path(self, rule: Rule) -> bytes:
        parts = []
        for piece in re.split(r"(<[^>]+>)", rule.rule):
            if piece.startswith("<"):
                name = piece.strip("<>").rpartition(":")[2]
                parts.append(self._value(name))
            else:
                parts.append(piece.encode())
        path = b"".join(parts)
        if self.chance.random() < 0.02:
            path += self.chance.choice(HOSTILE)
        return path

    def _pairs(self, most: int) -> list[tuple[bytes, bytes]]:
        wanted = self.chance.sample(self.names, self.chance.randint(0, most))
        pairs = [(name.encode(), self._value(name)) for name in wanted]
        if pairs and self.chance.random() < 0.1:
            pairs.append(pairs[0])  # one name twice
        if self.chance.random() < 0.05:
            pairs.append((self.chance.choice(HOSTILE), self.chance.choice(HOSTILE)))
        return pairs

    def _body(self, names: list[str]) -> tuple[str, bytes]:
        """Content type and body: mostly a form with most of what a route reads."""
        dice = self.chance.random()
        pairs = [(it.encode(), self._value(it)) for it in names] + self._pairs(3)
        if dice < 0.06:
            return self.chance.choice(CONTENT_TYPES), self.chance.choice(HOSTILE)
        if dice < 0.12:
            return CONTENT_TYPES[2], self.chance.choice(HOSTILE)
        if dice < 0.14:
            return CONTENT_TYPES[0], b"a=1&" * 20_000
        if dice < 0.24:
            head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="'.encode()
            # A part may say that it is a file.
            kind = self.chance.choice((b'"', b'"; filename="a.txt"')) + b"\r\n\r\n"
            body = b"".join(head + n + kind + v + b"\r\n" for n, v in pairs)
            if self.chance.random() < 0.2:  # and another that has no name
                body += head.partition(b"; name")[0] + b"\r\n\r\nx\r\n"
            end = b"" if self.chance.random() < 0.2 else f"--{_BOUNDARY}--\r\n".encode()
            return f"multipart/form-data; boundary={_BOUNDARY}", body + end
        return CONTENT_TYPES[0], _encoded(pairs)

    def _cookies(self, role: str) -> tuple[str, str]:
        """The Cookie header of a role, and the forms' token that goes with it."""
        if role == "forged":
            return "portal=" + self.chance.choice(HOSTILE).decode("latin-1"), ""
        secret = "0" * 40
        values: dict[str, Any] = {"csrf_token": secret}
        if role in ("technician", "owner"):
            values |= {"_user_id": self.keys[role], "_fresh": True}
        signer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
        cookie = f"portal={signer.dumps(values)}"
        if role == "screen":
            cookie += f"; pantalla={self.keys['screen']}"
        key = self.app.config["SECRET_KEY"]
        token = str(URLSafeTimedSerializer(key, "wtf-csrf-token").dumps(secret))
        return cookie, token

    def environ(self, rule: Rule, role: str) -> dict[str, Any]:
        """A request of this role for this route, as a server would hand it over."""
        allowed = sorted((rule.methods or set()) & {"GET", "POST"})
        method = self.chance.choice(allowed)
        if self.chance.random() < 0.08:
            method = self.chance.choice(METHODS)
        cookie, token = self._cookies(role)
        content_type, body = "", b""
        if method not in ("GET", "HEAD", "OPTIONS", "TRACE"):
            names = self.chance.sample(self.names, 25)
            content_type, body = self._body(names)
        made: dict[str, Any] = {
            "REQUEST_METHOD": method.encode().decode("latin-1"),
            "SCRIPT_NAME": "",
            "PATH_INFO": self._path(rule).decode("latin-1"),
            "QUERY_STRING": _encoded(self._pairs(6)).decode("latin-1"),
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost",
            "HTTP_COOKIE": cookie,
            "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": str(IPv4Address(self.chance.randrange(2**32))),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if self.chance.random() < 0.95:
            made["HTTP_X_CSRFTOKEN"] = token
        self._odd_headers(made)
        return made

    def _odd_headers(self, made: dict[str, Any]) -> None:
        odd = self.chance.choice(HOSTILE).decode("latin-1").replace("\n", "")
        if self.chance.random() < 0.3:
            made["HTTP_HX_REQUEST"] = "true"
        if self.chance.random() < 0.2:
            made[self.chance.choice(ODD_HEADERS)] = odd

    def send(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        """Status and body; what the server would see if the application broke."""
        told: list[Any] = []

        def start(status: str, headers: Any, exc_info: Any = None) -> Any:
            told.append(status)
            return lambda _data: None

        made = self.app.wsgi_app(environ, start)
        try:
            body = b"".join(made)
        finally:
            getattr(made, "close", lambda: None)()
        return int(told[-1].split()[0]), body

    # Many ---------------------------------------------------------------

    def run(self, count: int) -> Answered:
        """`count` requests; nothing is raised, everything is in the result."""
        for number in range(count):
            if number % ROUND == 0:
                self.renew_world()
            rule = self.rules[number % len(self.rules)]
            role = self.chance.choice(ROLES)
            self.one(rule, role)
        return self.answered

    def one(self, rule: Rule, role: str) -> int:
        """Send one request of this role for this route, and note what came of it."""
        environ = self.environ(rule, role)
        told = f"{environ['REQUEST_METHOD']} {rule.rule} as {role}"
        self._failure = ""
        began = time.perf_counter()
        try:
            status, body = self.send(environ)
        except Exception as error:
            status, body = 599, b""
            self._failure = f"raised {error!r}"
        spent = time.perf_counter() - began
        answered = self.answered
        answered.count += 1
        answered.statuses[status] = answered.statuses.get(status, 0) + 1
        answered.routes.add(rule.rule)
        if status < 400:
            answered.deep.add(rule.rule)
        answered.slowest = max(answered.slowest, (spent, told))
        if status >= 500:
            answered.broken.append(f"{status} {told}: {self._failure}")
        if b"Traceback" in body or b"sqlalchemy" in body.lower():
            answered.broken.append(f"{status} {told}: a talkative answer")
        return status


def _newest(model: Any) -> list[str]:
    """The ids of the round's own rows, as an address has them."""
    found = db.session().scalars(select(model.id).order_by(model.id.desc()).limit(30))
    return [str(number) for number in found]


def _encoded(pairs: list[tuple[bytes, bytes]]) -> bytes:
    return "&".join(
        f"{quote_from_bytes(name)}={quote_from_bytes(value)}" for name, value in pairs
    ).encode()


def unused_seed() -> int:
    """A seed of its own, told in the report so that the run can be repeated."""
    return secrets.randbelow(2**31)
