"""The real demo under measurement: every page in every state, one moment at a time."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from axe_check import axe_findings  # noqa: E402
from browser_watch import FLAGS, whole_chromium  # noqa: E402
from faces import (  # noqa: E402
    FACES,
    LONG,
    MOMENTS,
    Words,
    clear_board,
    fill_board,
    lay_out,
    lay_out_requests,
)
from live_stack import LiveStack  # noqa: E402
from playwright.sync_api import Browser, Page, Route, sync_playwright  # noqa: E402
from walk_steps import buy  # noqa: E402

from portal import clock, create_app  # noqa: E402
from portal.config import load_settings  # noqa: E402
from portal.db import db  # noqa: E402
from portal.journal.service import SYSTEM  # noqa: E402
from portal.settings import service as settings_service  # noqa: E402

__all__ = ["LONG", "Demo", "Sight", "Words", "axe_findings", "chrome"]

PASSWORD = "demo-portal"  # noqa: S105 (the demo's, printed by `make run`)
SUPPORT = "/servicios/soporte-online"
SERVICES = ("soporte-online", "reinstalacion", "servicio-tecnico", "asistencia-terreno")
REQUEST = "/privacidad/solicitud"
# The orders of the first moment are the first of the demo, in this order.
NUMBERS = {name: 1001 + place for place, name in enumerate(FACES["noon"])}
ENDED = NUMBERS["cierre-calificado"]
# The pages behind the owner's first one.
OWNER = (
    *("ajustes", "ajustes/empresa", "ajustes/canales", "ajustes/plazos"),
    *(
        "precios",
        "temas",
        "temas/1",
        "temas/nuevo",
        "soluciones",
        "soluciones/1",
        "soluciones/nueva",
    ),
    *("horario", "horario/semana", "horario/dia?dia=2026-12-24"),
    *("terminos", "terminos/borrador", "equipo", "pantallas", "revision"),
    *("pedidos", "pedidos/nuevo", "documentos", "datos/brechas"),
    "datos/brechas/nueva",
    *("datos", "datos/solicitudes/nueva", "datos/registro", "datos/consultas"),
)
# Those whose address holds a number or a question: the name to show -> path.
OWNER_NAMED = {
    "pedidos-buscar": "pedidos?q=María",
    "pedidos-sin-resultado": "pedidos?q=nadie",
    "pedido": f"pedidos/{ENDED}",
    "pedido-sin-pagar": f"pedidos/{NUMBERS['revision']}",
    "pedido-devolviendo": f"pedidos/{NUMBERS['devolucion-rechazada']}",
    "documento": f"pedidos/{ENDED}/documento",
    "datos-solicitud": "datos/solicitudes/3",
    "datos-solicitud-respondida": "datos/solicitudes/5",
    "datos-persona": f"datos/personas/{ENDED}",
}
ERRORS = (403, 404, 429, 500, 503)
_POLLED = ("/ahora", "/tablero/tarjetas")


@dataclass(frozen=True)
class Sight:
    """One page as somebody sees it.

    `path` opens it; `act` then does what no address can (a form sent wrong). `role` is
    who is logged in. `indexed`: search engines may list it.
    """

    name: str
    moment: str
    path: str
    role: str = ""
    act: Callable[[Page], None] | None = None
    indexed: bool = False
    prepare: Callable[[], None] = lambda: None

    @property
    def of_customer(self) -> bool:
        return not self.role


def _send_empty(page: Page) -> None:
    page.get_by_role("button", name="Continuar").click()
    page.locator("#errores").wait_for()


def _request_empty(page: Page) -> None:
    page.locator("main form").evaluate("form => form.noValidate = true")
    page.locator("main form button[type=submit]").last.click()
    page.locator("#errores").wait_for()


def _request_filled(page: Page) -> None:
    page.get_by_label("Acceso").check()
    page.get_by_label("Cuéntenos").fill("Quiero saber qué tienen de mí.")
    page.get_by_label("Su nombre").fill(LONG.name)
    page.get_by_label("Su correo").fill(LONG.email)
    page.locator("main form button[type=submit]").last.click()
    page.get_by_role("heading", name="revise su correo").wait_for()


def _ask_again(page: Page) -> None:
    page.get_by_label("Correo").fill("rosa@almacen.cl")
    page.locator("main form button[type=submit]").last.click()
    page.get_by_role("heading", name="Revise su correo").wait_for()


def _without_network(page: Page) -> None:
    page.get_by_label("Lo lee quien le atiende").fill("¿Me llaman, por favor?")
    page.context.set_offline(True)
    page.get_by_role("button", name="Enviar mensaje").click()
    page.locator("#aviso").get_by_text("Sin conexión").wait_for()


def _go_to_webpay(page: Page) -> None:
    page.add_init_script("HTMLFormElement.prototype.requestSubmit = () => {}")
    page.locator("#pagar-webpay button").click()


class Demo:
    """The demo with its processes, and its database written from here."""

    def __init__(self, folder: Path) -> None:
        self.stack = LiveStack(folder)
        self.stack.move_clock(MOMENTS["noon"])
        self.stack.start()
        self.url = self.stack.url
        self.settings = load_settings(
            {
                "DATABASE_URL": f"sqlite:///{folder}/portal.sqlite3",
                "PORT": str(self.stack.port),
            }
        )
        self.app = create_app(self.settings)
        self.bought = ""

    def stop(self) -> None:
        self.stack.stop()

    def move_to(self, moment: str) -> None:
        self.stack.move_clock(MOMENTS[moment])

    def lay_out(self, moment: str, words: Words | None = None) -> dict[str, str]:
        """Move the clock and write the moment's orders; name -> path."""
        self.move_to(moment)
        with self.app.app_context():
            key = self.settings.secret_keys[0]
            paths = lay_out(db.session(), key, moment, words)
            db.session.remove()
        return paths

    def set_board(self, cards: int, words: Words | None = None) -> None:
        with self.app.app_context():
            clear_board(db.session())
            fill_board(db.session(), self.settings.secret_keys[0], cards, words)
            db.session.remove()

    def change(self, **values: object) -> None:
        """Change what the owner edits."""
        with self.app.app_context():
            settings_service.change(values, actor=SYSTEM, now=clock.utcnow())
            db.session.remove()

    def log_in(self, page: Page, role: str) -> None:
        who = "duena@demo.cl" if role == "owner" else "tecnico1@demo.cl"
        page.goto(f"{self.url}/ingresar")
        page.locator("[name=email]").fill(who)
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("main button[type=submit]").click()
        page.wait_for_url(lambda url: "/ingresar" not in url)

    def lay_out_requests(self, words: Words | None = None) -> dict[str, str]:
        """Write one request over personal data in each state; name -> path."""
        with self.app.app_context():
            key = self.settings.secret_keys[0]
            paths = lay_out_requests(db.session(), key, words)
            db.session.remove()
        return paths

    def prove(self, page: Page) -> None:
        """Buy as a customer does, once, and open the page of its proof."""
        if not self.bought:
            self.bought = buy(page, self.stack, "Rosa Pérez").number
            page.goto(f"{self.url}/administrar/pedidos/{self.bought}/prueba")
            while "Correo enviado" not in page.locator("main").inner_text():
                page.wait_for_timeout(500)
                page.reload()
        page.goto(f"{self.url}/administrar/pedidos/{self.bought}/prueba")

    def sights(self) -> Iterator[Sight]:
        """Every page; each is seen before the next is prepared."""
        self.move_to("noon")
        # Before any face is written: what skips the machines is a contradiction there.
        yield Sight("administrar", "noon", "/administrar", "owner")
        # Next, so that their numbers are known: OWNER_NAMED has two of them.
        for name, path in self.lay_out_requests().items():
            yield Sight(name, "noon", path)
        yield from self._shop()
        faces = self.lay_out("noon")
        for name, path in faces.items():
            yield Sight(name, "noon", path)
        yield Sight("ir-a-webpay", "noon", faces["revision"], act=_go_to_webpay)
        yield Sight("sin-conexion", "noon", faces["espera"], act=_without_network)
        closed = faces["cierre-resuelto"]
        yield Sight("comprobante", "noon", f"{closed}/comprobante")
        yield Sight("mis-datos", "noon", f"{closed}/datos")
        yield from self._staff()
        for moment, shown in (("evening", "especial"), ("night", "cerrado")):
            faces = self.lay_out(moment)
            yield Sight(f"inicio-{shown}", moment, "/", indexed=True)
            yield Sight(f"soporte-{shown}", moment, SUPPORT, indexed=True)
            for name, path in faces.items():
                yield Sight(name, moment, path)
        faces = self.lay_out("noon")
        self.change(sales_stopped=True, sales_stopped_message=_STOPPED)
        yield Sight("inicio-venta-detenida", "noon", "/", indexed=True)
        yield Sight("soporte-venta-detenida", "noon", SUPPORT, indexed=True)
        yield Sight("revision-venta-detenida", "noon", faces["revision"])
        self.change(sales_stopped=False, sales_stopped_message="")

    def long_sights(self) -> Iterator[Sight]:
        """The same with the longest names and words that people type."""
        faces = self.lay_out("noon", LONG)
        faces["comprobante"] = f"{faces['cierre-resuelto']}/comprobante"
        faces["mis-datos"] = f"{faces['cierre-calificado']}/datos"
        for name, path in (faces | self.lay_out_requests(LONG)).items():
            yield Sight(f"largo-{name}", "noon", path)
        long = ("pedidos", "datos", "documentos", "datos/consultas")
        for path in long:
            name = f"largo-duena-{path.replace('/', '-')}"
            yield Sight(name, "noon", f"/administrar/{path}", "owner")
        yield Sight("largo-administrar", "noon", "/administrar", "owner")
        fill = partial(self.set_board, 6, LONG)
        yield Sight("tablero-largo", "noon", "/tablero", "technician", prepare=fill)

    def _shop(self) -> Iterator[Sight]:
        self.move_to("noon")
        yield Sight("inicio", "noon", "/", indexed=True)
        for slug in SERVICES:
            yield Sight(f"servicio-{slug}", "noon", f"/servicios/{slug}", indexed=True)
        yield Sight("compra-con-errores", "noon", SUPPORT, act=_send_empty)
        yield Sight("servicio-desconocido", "noon", "/servicios/nada")
        for path in ("/terminos", "/privacidad", "/reenviar-enlace"):
            yield Sight(path[1:], "noon", path, indexed=path != "/reenviar-enlace")
        yield Sight("solicitud", "noon", REQUEST)
        yield Sight("solicitud-con-errores", "noon", REQUEST, act=_request_empty)
        yield Sight("solicitud-enviada", "noon", REQUEST, act=_request_filled)
        yield Sight("enlace-enviado", "noon", "/reenviar-enlace", act=_ask_again)
        yield Sight("retorno-desconocido", "noon", "/pago/webpay/retorno")
        yield Sight("pedido-desconocido", "noon", "/atencion/nada")
        for status in ERRORS:
            path = f"/demo/componentes/error/{status}"
            yield Sight(f"error-{status}", "noon", path)

    def _staff(self) -> Iterator[Sight]:
        yield Sight("ingresar", "noon", "/ingresar")
        yield Sight("componentes", "noon", "/demo/componentes")
        yield Sight("mi-cuenta", "noon", "/mi-cuenta", "technician")
        for cards in (0, 3, 20, 60):
            yield Sight(
                f"tablero-{cards}",
                "noon",
                "/tablero",
                "technician",
                prepare=partial(self.set_board, cards),
            )
        yield Sight("administrar-avisos", "noon", "/administrar", "owner")
        for path in OWNER:
            name = path.partition("?")[0].replace("/", "-")
            yield Sight(f"duena-{name}", "noon", f"/administrar/{path}", "owner")
        for name, path in OWNER_NAMED.items():
            yield Sight(f"duena-{name}", "noon", f"/administrar/{path}", "owner")
        yield Sight("duena-prueba", "noon", "/administrar", "owner", act=self.prove)
        history = "/tablero/1/historial"
        yield Sight("tablero-historial", "noon", history, "technician")
        yield Sight("tablero-emparejar", "noon", "/tablero/emparejar")
        yield Sight("informe", "noon", "/informes/2026-11", "owner")
        yield Sight("cuadratura", "noon", "/informes/2026-11/cuadratura", "owner")


_STOPPED = "Estamos sin sistema por un corte de luz. Volvemos a vender hoy a las 15:00."


@contextmanager
def running_demo() -> Iterator[Demo]:
    """The demo in a folder of its own, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        demo = Demo(Path(folder))
        try:
            yield demo
        finally:
            demo.stop()


@contextmanager
def chrome() -> Iterator[Browser]:
    """Debian's Chromium, ruled by Playwright."""
    path = whole_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def stop_polling(page: Page) -> None:
    """Let the page stand as it is: whatever it asks again, nothing has changed."""
    for end in _POLLED:
        page.route(f"**{end}*", _nothing_new)


def _nothing_new(route: Route) -> None:
    now = int(clock.utcnow().timestamp() * 1000)
    route.fulfill(status=204, headers={"X-Now": str(now)})
