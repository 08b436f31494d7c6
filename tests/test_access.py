"""Every route and method against every role. A route that is not in the table fails.

To add a route, write one line in TABLE: who may, the status that they get, and what the
path, the query, the form and the attention must hold where it matters.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pysqlite3.dbapi2 as sqlite3
import pytest
import warm_start
from flask import Flask
from flask.testing import FlaskClient
from support_cases import add_attention, add_staff, log_in_as, person
from werkzeug.routing import Rule

from portal import clock as portal_clock
from portal import web
from portal.accounts.models import Staff
from portal.accounts.rules import Person
from portal.config import Settings
from portal.db import db, transaction
from portal.orders import queries as orders_queries
from portal.support import service as support_service
from portal.terms import service as terms_service

ANONYMOUS, CUSTOMER, OTHER = "anonymous", "customer", "other customer"
TECHNICIAN, OWNER, DISABLED = "technician", "owner", "disabled"
ROLES = (ANONYMOUS, CUSTOMER, OTHER, TECHNICIAN, OWNER, DISABLED)
LOGIN = "to the log-in form"

Outcome = int | str
NAME, PROBLEM = "Marcela Marcador", "problema-marcado"


@dataclass(frozen=True)
class Row:
    """What each role gets from one method of one route."""

    expected: dict[str, Outcome]
    values: dict[str, Any] = field(default_factory=dict)
    query: str = ""
    form: dict[str, str] = field(default_factory=dict)
    attention: str = "waiting"


def public(status: int, **rest: Any) -> Row:
    """The same for everybody."""
    return Row(dict.fromkeys(ROLES, status), **rest)


def secret(status: int, **rest: Any) -> Row:
    """For who holds the link; the other customer holds another. Nobody else."""
    holders = {CUSTOMER: status, OTHER: status}
    return Row({**dict.fromkeys(ROLES, 404), **holders}, **rest)


def staff(status: int, **rest: Any) -> Row:
    """For technicians and the owner."""
    inside = {TECHNICIAN: status, OWNER: status}
    return Row({**dict.fromkeys(ROLES, LOGIN), **inside}, **rest)


def owner(status: int, **rest: Any) -> Row:
    """For the owner alone."""
    inside = {TECHNICIAN: 403, OWNER: status}
    return Row({**dict.fromkeys(ROLES, LOGIN), **inside}, **rest)


def logged_in(inside: int, outside: Outcome, **rest: Any) -> Row:
    """Open to all, with another answer for who is logged in."""
    return Row(
        {**dict.fromkeys(ROLES, outside), TECHNICIAN: inside, OWNER: inside}, **rest
    )


TOPIC = "<int(max=2147483647):topic_id>"
CANNED = "<int(max=2147483647):canned_id>"
STAFF, NOBODY = "<int(max=2147483647):staff_id>", {"staff_id": 999999}
PROOF = "/administrar/pedidos/<int(min=1001, max=2147483647):number>/prueba"
DOCUMENT = "/administrar/pedidos/<int(min=1001, max=2147483647):number>/documento"
ATTENTION = "<int(max=2147483647):attention_id>"
ERRAND = "<int(max=2147483647):errand_id>"
REQUEST = "/administrar/datos/solicitudes/<int(max=2147483647):request_id>"
BREACH = "/administrar/datos/brechas/<int(max=2147483647):breach_id>"
PERSON = "/administrar/datos/personas/<int(min=1001, max=2147483647):number>"
SLUG, FIRST = {"slug": "soporte-online"}, {"version": 1}
OCTOBER = {"name": "2026-10"}
TABLE = {
    # The shop.
    "GET /": public(200),
    "GET /manifest.webmanifest": public(200),
    # Without an address to go to: the owner has set none.
    "GET /remoto": public(404),
    "GET /remoto.svg": public(200),
    "GET /static/<path:filename>": public(200, values={"filename": "icon.svg"}),
    "GET /servicios/<slug>": public(200, values=SLUG),
    "POST /servicios/<slug>": public(422, values=SLUG),
    "POST /servicios/<slug>/revisar": public(200, values=SLUG, query="?campo=topic"),
    "GET /terminos": public(200),
    "GET /terminos/<int(min=1, max=999999):version>": public(
        200, values={"version": 1}
    ),
    "GET /privacidad": public(200),
    "GET /privacidad/<int(min=1, max=999999):version>": public(
        404, values={"version": 999}
    ),
    "GET /privacidad/solicitud": public(200),
    "POST /privacidad/solicitud": public(422),
    "GET /privacidad/solicitud/<token>": public(404, values={"token": "A" * 22}),
    "POST /privacidad/solicitud/<token>": public(404, values={"token": "A" * 22}),
    "GET /reenviar-enlace": public(200),
    "POST /reenviar-enlace": public(422),
    # The secret link.
    "GET /atencion/<token>": secret(200),
    "GET /atencion/<token>/ahora": secret(200),
    "POST /atencion/<token>/pagar": secret(409, form={"gateway": "webpay"}),
    "GET /atencion/<token>/lugar": secret(200),
    "GET /atencion/<token>/comprobante": secret(404),  # nobody has paid it
    "GET /atencion/<token>/datos": secret(200),
    "POST /atencion/<token>/datos": secret(422),
    "POST /atencion/<token>/no-contestan": secret(422),
    "POST /atencion/<token>/disponible": secret(409),
    "POST /atencion/<token>/mensaje": secret(303, form={"message": "Hola"}),
    "POST /atencion/<token>/acceso": secret(303, form={"code": "123", "consent": "1"}),
    "POST /atencion/<token>/calificar": secret(409, form={"stars": "5"}),
    "POST /atencion/<token>/otra": secret(409),
    "POST /atencion/<token>/devolucion": secret(422),
    "POST /atencion/<token>/elegir": secret(422),
    # The gateways.
    "GET /pago/webpay/retorno": public(400),
    "POST /pago/webpay/retorno": public(400),
    "GET /pago/mercadopago/retorno": public(404),
    "POST /pago/mercadopago/aviso": public(401),
    # The staff.
    "GET /ingresar": logged_in(303, 200),
    "POST /ingresar": public(422),
    "POST /salir": public(303),
    "GET /mi-cuenta": staff(200),
    "POST /mi-cuenta": staff(422),
    "GET /tablero": staff(200),
    "GET /tablero/tarjetas": staff(200),
    f"POST /tablero/{ATTENTION}/tomar": staff(303),
    f"POST /tablero/{ATTENTION}/soltar": staff(303, attention="taken"),
    f"POST /tablero/{ATTENTION}/llame": staff(303, attention="taken"),
    f"POST /tablero/{ATTENTION}/iniciar": staff(303, attention="taken"),
    f"POST /tablero/{ATTENTION}/anotar": staff(
        303, attention="taken", form={"kind": "hecho", "text": "Listo"}
    ),
    f"POST /tablero/{ATTENTION}/nota": staff(303, form={"text": "Ojo"}),
    f"POST /tablero/{ATTENTION}/cerrar": staff(
        303, attention="running", form={"outcome": "resuelto", "text": "Listo"}
    ),
    f"POST /tablero/{ATTENTION}/traspasar": staff(
        422, attention="taken", form={"to": "999"}
    ),
    f"POST /tablero/{ATTENTION}/ausente": staff(422, attention="taken"),
    f"POST /tablero/{ATTENTION}/pausar": staff(
        303, attention="running", form={"reason": "El cliente lo pidió"}
    ),
    f"POST /tablero/{ATTENTION}/reanudar": staff(303, attention="running"),
    f"POST /tablero/{ATTENTION}/deshacer": staff(303, attention="running"),
    f"POST /tablero/{ATTENTION}/borrador": staff(
        204, form={"act": "nota", "text": "a medio escribir"}
    ),
    # Shared screens: without the device's cookie nobody is one.
    "GET /tablero/emparejar": public(200),
    "POST /tablero/emparejar": public(422, form={"code": "AAAA-AAAA"}),
    "POST /tablero/turno": public(303),
    "POST /tablero/turno/salir": public(303),
    "GET /administrar/pantallas": owner(200),
    "POST /administrar/pantallas": owner(200, form={"name": "Muro"}),
    "POST /administrar/pantallas/<int(max=2147483647):screen_id>/quitar": owner(
        404, values={"screen_id": 999}
    ),
    "POST /administrar/pantallas/pin/<int(max=2147483647):staff_id>": owner(
        404, values={"staff_id": 999}, form={"pin": "2580"}
    ),
    f"GET /tablero/{ATTENTION}/historial": staff(200),
    f"GET /tablero/encargos/{ERRAND}/historial": staff(404, values={"errand_id": 9}),
    **{
        f"POST /tablero/encargos/{ERRAND}/{act}": staff(
            404, values={"errand_id": 9}, form={"when": "2026-12-01T10:00", "text": "x"}
        )
        for act in ("coordinar", "hecho")
    },
    f"POST /tablero/encargos/{ERRAND}/anular": owner(
        404, values={"errand_id": 9}, form={"reason": "x"}
    ),
    # The owner.
    "GET /administrar": owner(200),
    "GET /informes": owner(303),
    "GET /informes/<name>": owner(200, values=OCTOBER),
    "GET /informes/<name>.csv": owner(200, values=OCTOBER),
    "GET /informes/<name>/cuadratura": owner(200, values=OCTOBER),
    "POST /informes/<name>/cuadratura": owner(422, values={"name": "2098-12"}),
    # A file that is no text: only who may have it is looked at here.
    "GET /informes/<name>.xlsx": owner(422, values={"name": "2098-12"}),
    "POST /administrar/pagos/<int(max=2147483647):payment_id>/preguntar": owner(
        404, values={"payment_id": 999}
    ),
    "GET /administrar/pedidos/<int(min=1001, max=2147483647):number>": owner(
        200, values={"number": 1001}
    ),
    **{
        f"POST /administrar/pagos/<int(max=2147483647):payment_id>/{act}": owner(
            404, values={"payment_id": 999}
        )
        for act in ("devolver", "atender", "anotar", "no-pagado")
    },
    **{
        f"POST /administrar/devoluciones/<int(max=2147483647):refund_id>/{act}": owner(
            404, values={"refund_id": 999}
        )
        for act in ("reintentar", "pagada")
    },
    "POST /administrar/pedidos/<int(min=1001, max=2147483647):number>/nota": owner(
        422, values={"number": 1001}
    ),
    **{
        f"POST /administrar/correos/<int(max=2147483647):row_id>/{act}": owner(
            404, values={"row_id": 999}
        )
        for act in ("intentar", "descartar")
    },
    "POST /administrar/ventas/detener": owner(303, form={"message": "Ya volvemos"}),
    "POST /administrar/ventas/reanudar": owner(303),
    # The owner's settings.
    "GET /administrar/ajustes": owner(200),
    "GET /administrar/ajustes/<group>": owner(200, values={"group": "comunas"}),
    "POST /administrar/ajustes/<group>": owner(
        303,
        values={"group": "comunas"},
        form={"version": "0", "on_site_communes": "Macul"},
    ),
    "GET /administrar/precios": owner(200),
    "POST /administrar/precios/<slug>": owner(422, values=SLUG),
    "GET /administrar/temas": owner(200),
    "GET /administrar/temas/nuevo": owner(200),
    "POST /administrar/temas/nuevo": owner(422),
    f"GET /administrar/temas/{TOPIC}": owner(200, values={"topic_id": 1}),
    f"POST /administrar/temas/{TOPIC}": owner(422, values={"topic_id": 1}),
    "GET /administrar/soluciones": owner(200),
    "GET /administrar/soluciones/nueva": owner(200),
    "POST /administrar/soluciones/nueva": owner(422),
    f"GET /administrar/soluciones/{CANNED}": owner(200, values={"canned_id": 1}),
    f"POST /administrar/soluciones/{CANNED}": owner(422, values={"canned_id": 1}),
    f"POST /administrar/soluciones/{CANNED}/quitar": owner(
        409, values={"canned_id": 1}
    ),
    f"POST /administrar/soluciones/{CANNED}/reponer": owner(
        303, values={"canned_id": 1}
    ),
    "GET /administrar/horario": owner(200),
    "GET /administrar/horario/semana": owner(200),
    "POST /administrar/horario/semana": owner(422),
    "GET /administrar/horario/dia": owner(200, query="?dia=2026-12-24"),
    "POST /administrar/horario/dia": owner(303, form={"first": "2026-12-24"}),
    "POST /administrar/horario/dia/quitar": owner(404, form={"day": "2026-12-24"}),
    "GET /administrar/terminos": owner(200),
    "POST /administrar/terminos/publicar": owner(409),
    "GET /administrar/terminos/borrador": owner(200),
    "POST /administrar/terminos/borrador": owner(422),
    "POST /administrar/terminos/borrador/publicar": owner(404),
    "POST /administrar/terminos/borrador/descartar": owner(404),
    "GET /administrar/equipo": owner(200),
    "POST /administrar/equipo": owner(422),
    f"POST /administrar/equipo/{STAFF}/clave": owner(404, values=NOBODY),
    f"POST /administrar/equipo/{STAFF}/nombre": owner(404, values=NOBODY),
    f"POST /administrar/equipo/{STAFF}/desactivar": owner(404, values=NOBODY),
    f"POST /administrar/equipo/{STAFF}/activar": owner(404, values=NOBODY),
    "GET /administrar/pedidos": owner(200),
    "GET /administrar/pedidos/nuevo": owner(200),
    "POST /administrar/pedidos/nuevo": owner(422),
    f"GET {PROOF}": owner(404, values={"number": 999_999}),
    f"GET {PROOF}/<int(max=2147483647):link_id>": owner(
        404, values={"number": 999_999, "link_id": 1}
    ),
    f"GET {DOCUMENT}": owner(404, values={"number": 999_999}),
    f"POST {DOCUMENT}": owner(404, values={"number": 999_999}),
    "GET /administrar/documentos": owner(200),
    "GET /administrar/datos": owner(200),
    "GET /administrar/datos/solicitudes/nueva": owner(200),
    "POST /administrar/datos/solicitudes/nueva": owner(422),
    f"GET {REQUEST}": owner(404, values={"request_id": 999}),
    f"POST {REQUEST}/responder": owner(404, values={"request_id": 999}),
    f"POST {REQUEST}/extender": owner(404, values={"request_id": 999}),
    f"GET {PERSON}": owner(200, values={"number": 1001}),
    f"POST {PERSON}/bloquear": owner(303, values={"number": 1001}),
    f"POST {PERSON}/desbloquear": owner(303, values={"number": 1001}),
    f"POST {PERSON}/borrar": owner(422, values={"number": 1001}),
    "GET /administrar/datos/registro": owner(200),
    "GET /administrar/datos/brechas": owner(200),
    "GET /administrar/datos/brechas/nueva": owner(200),
    "POST /administrar/datos/brechas/nueva": owner(422),
    f"GET {BREACH}": owner(404, values={"breach_id": 999}),
    f"POST {BREACH}": owner(404, values={"breach_id": 999}),
    "GET /administrar/datos/consultas": owner(200),
    "GET /administrar/revision": owner(200),
    "POST /administrar/revision/medios": owner(303),
    "POST /administrar/revision/correo": owner(303),
    # Machines.
    "GET /salud": public(200),
    # For who brings METRICS_TOKEN, whoever it is; to the others it is not there.
    "GET /metricas": public(404),
    # The demo's own pages, refused in production.
    "GET /demo": public(200),
    "POST /demo/reloj": public(422),
    "GET /demo/correos": public(200),
    "GET /demo/correos/<name>": public(404, values={"name": "x.eml"}),
    "GET /demo/componentes": public(200),
    "GET /demo/componentes/tablero": public(200),
    "POST /demo/componentes/campo/<name>": public(200, values={"name": "name"}),
    "GET /demo/componentes/error/<int:status>": public(200, values={"status": 404}),
}
# Pages with a customer's details, whose opening is noted.
NOTED = {
    "GET /administrar/pedidos",
    "GET /administrar/pedidos/<int(min=1001, max=2147483647):number>",
    f"GET /tablero/{ATTENTION}/historial",
    f"GET {PERSON}",
}
# Gateways post without our token; everything else that writes needs it.
WITHOUT_TOKEN = {"POST /pago/webpay/retorno", "POST /pago/mercadopago/aviso"}


def routes(app: Flask) -> dict[str, Rule]:
    """'METHOD rule' of everything that the application answers."""
    return {
        f"{method} {rule.rule}": rule
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


@dataclass
class World:
    """One paid order with its attention, another customer's, and the staff."""

    app: Flask
    keys: tuple[str, ...]
    staff: dict[str, Person]
    numbers: dict[str, int]
    tokens: dict[str, str]

    def client(self, role: str) -> FlaskClient:
        if role not in self.staff:
            return self.app.test_client()
        client = log_in_as(self.app, self.staff[role].id)
        if role == DISABLED:
            with self.app.app_context(), transaction() as session:
                session.get_one(Staff, self.staff[role].id).active = False
        return client

    def path(self, rule: Rule, role: str, row: Row) -> str:
        token = self.tokens.get(role, "A" * 22)
        known = {"token": token, "attention_id": self.numbers[CUSTOMER], **row.values}
        values = {name: known[name] for name in rule.arguments}
        with self.app.test_request_context():
            _domain, path = rule.build(values, append_unknown=False) or ("", "")
        return path + row.query

    def bring_to(self, state: str, role: str) -> None:
        """Let the role, when it is staff, hold the attention."""
        number, now = self.numbers[CUSTOMER], portal_clock.utcnow()
        by = self.staff[role if role in (TECHNICIAN, OWNER) else TECHNICIAN]
        with self.app.app_context():
            if state != "waiting":
                support_service.take(number, by=by, now=now)
            if state == "running":
                support_service.start(number, by=by, now=now)


@pytest.fixture
def make_world(app: Flask, settings: Settings) -> Callable[[], World]:
    """The next of six worlds, which all stand side by side in one database."""

    def write() -> list[dict[str, Any]]:
        terms_service.set_up(portal_clock.utcnow())
        return [_write_world(settings) for _role in ROLES]

    with app.app_context():
        worlds = iter(warm_start.fill(("worlds", portal_clock.utcnow()), write))
        db.session.remove()
    return lambda: World(app, settings.secret_keys, **next(worlds))


def _write_world(settings: Settings) -> dict[str, Any]:
    numbers, tokens, now = {}, {}, portal_clock.utcnow()
    with transaction() as session:
        for role, name in ((CUSTOMER, NAME), (OTHER, "Otra Persona")):
            attention = add_attention(
                session,
                now=now,
                key=settings.secret_keys[0],
                name=name,
                problem=PROBLEM if role == CUSTOMER else "otro",
            )
            order = orders_queries.get(session, attention.order_id)
            numbers[role] = attention.id
            tokens[role] = orders_queries.token_of(order, settings.secret_keys)
        people = {
            role: person(add_staff(session, role=kind))
            for role, kind in (
                (TECHNICIAN, "technician"),
                (OWNER, "owner"),
                (DISABLED, "owner"),
            )
        }
    return {"staff": people, "numbers": numbers, "tokens": tokens}


@pytest.fixture(autouse=True)
def no_throttle(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many requests from one address are the table's own."""
    monkeypatch.setattr(web.limiter, "enabled", False)


def ask(client: FlaskClient, method: str, path: str, row: Row, **options: Any) -> Any:
    data = row.form if method == "POST" else None
    return client.open(path, method=method, data=data, **options)


def outcome(answer: Any) -> Outcome:
    to_login = answer.status_code == 303 and answer.location.startswith("/ingresar")
    return LOGIN if to_login else answer.status_code


def test_every_route_is_in_the_table_and_the_table_has_no_other(app: Flask) -> None:
    assert set(routes(app)) == set(TABLE)


@pytest.mark.parametrize("route", TABLE)
def test_route_opens_to_whom_it_should(
    app: Flask, make_world: Callable[[], World], route: str
) -> None:
    row, rule = TABLE[route], routes(app)[route]
    method = route.split()[0]
    found = {}
    for role in ROLES:
        world = make_world()
        world.bring_to(row.attention, role)
        answer = ask(world.client(role), method, world.path(rule, role, row), row)
        found[role] = outcome(answer)
        if route == "POST /salir":
            found[role] = answer.status_code
        if not may_read(role, route):
            assert NAME not in answer.text, role
            assert PROBLEM not in answer.text, role
    assert found == row.expected


def may_read(role: str, route: str) -> bool:
    """Who may see the first customer's data there."""
    if "/atencion/" in route:
        return role == CUSTOMER
    if "/administrar/pedidos" in route or PERSON in route:
        return role == OWNER
    return "/tablero" in route and role in (TECHNICIAN, OWNER)


@pytest.mark.parametrize("route", [each for each in TABLE if each.startswith("POST")])
def test_post_without_the_forms_token_has_no_effect(
    app: Flask, make_world: Callable[[], World], route: str, settings: Settings
) -> None:
    row, rule = TABLE[route], routes(app)[route]
    world = make_world()
    world.bring_to(row.attention, OWNER)
    client = world.client(OWNER)
    before = dump(settings)
    path = world.path(rule, CUSTOMER, row)
    answer = ask(client, "POST", path, row, csrf=False)
    refused = answer.status_code == 400 and "Por seguridad" in answer.text
    assert refused == (route not in WITHOUT_TOKEN)
    assert dump(settings) == before


@pytest.mark.parametrize("route", [each for each in TABLE if each.startswith("GET")])
def test_get_writes_nothing(
    app: Flask, make_world: Callable[[], World], route: str, settings: Settings
) -> None:
    row, rule = TABLE[route], routes(app)[route]
    world = make_world()
    client = world.client(OWNER)
    path = world.path(rule, CUSTOMER, row)
    if route in NOTED:
        # Who opens a customer's details: one line of history, once an hour.
        before = dump(settings)
        ask(client, "GET", path, row)
        assert len(dump(settings).splitlines()) == len(before.splitlines()) + 1
    before = dump(settings)
    ask(client, "GET", path, row)
    assert dump(settings) == before


def dump(settings: Settings) -> str:
    """Everything that the database holds.

    Read by the portal's own SQLite: Python's would fold the log away under it.
    """
    path = settings.database_url.removeprefix("sqlite:///")
    connection = sqlite3.connect(path)
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    lines = [
        f"{name} {row}"
        for (name,) in tables.fetchall()
        for row in connection.execute(f'SELECT * FROM "{name}"')  # noqa: S608
    ]
    connection.close()
    return "\n".join(lines)


@pytest.mark.parametrize("route", TABLE)
def test_no_route_answers_another_method(
    app: Flask, make_world: Callable[[], World], route: str
) -> None:
    row, rule = TABLE[route], routes(app)[route]
    path = make_world().path(rule, CUSTOMER, row)
    for method in ("PUT", "PATCH", "DELETE"):
        answer = ask(app.test_client(), method, path, row)
        assert answer.status_code == 405, method


def test_table_can_fail(app: Flask, make_world: Callable[[], World]) -> None:
    app.add_url_rule("/suelta", "loose", lambda: NAME)
    assert set(routes(app)) - set(TABLE) == {"GET /suelta"}
    assert NAME in app.test_client().get("/suelta").text
    assert not may_read(ANONYMOUS, "GET /suelta")
