"""`make screenshots`: pictures of every page in every state, and the README's gallery.

Every page, whole, at three widths, light and dark, goes to var/screenshots, to be
looked at; the first screen of the chosen ones to docs/img/galeria as WebP, 1280 wide
at most. `--only TEXT` takes the pages whose name has the text; `--missing` only what
the gallery lacks.
"""

import argparse
import base64
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from demo import ROOT, Demo, Sight, chrome, running_demo, stop_polling
from faces import FACES
from playwright.sync_api import Browser, Page

ALL = ROOT / "var" / "screenshots"
GALLERY = ROOT / "docs" / "img" / "galeria"
SIZES = {360: 740, 768: 1024, 1920: 1080}
SCHEMES = ("light", "dark")
MAX_BYTES = 60 * 1024
# The customer's page in each of its states: all of them are shown.
_STATES = tuple(chain.from_iterable(FACES.values()))
# Of the rest: what the README shows of each, by width and scheme.
_PHONE = (
    *_STATES,
    *("inicio", "inicio-especial", "inicio-cerrado", "inicio-venta-detenida"),
    *("servicio-soporte-online", "compra-con-errores", "error-404", "error-503"),
    *("largo-espera", "largo-reloj-en-curso", "largo-revision-factura"),
    *("comprobante", "mis-datos", "solicitud-recibida", "sin-conexion"),
    *("administrar", "administrar-avisos", "duena-pedido", "duena-datos"),
    *("informe", "tablero-3"),
    *("tablero-60", "componentes"),
)
_DARK = ("inicio", "revision", "espera", "reloj-en-curso", "cierre-resuelto")
_MIDDLE = ("inicio", "servicio-soporte-online", "espera", "reloj-en-curso")
_WIDE = ("inicio", "reloj-en-curso", "administrar", "componentes")
_BOARDS = ("tablero-0", "tablero-3", "tablero-20", "tablero-60", "tablero-largo")
SHOWN = {
    *((name, 360, "light") for name in _PHONE),
    *((name, 360, "dark") for name in _DARK),
    *((name, 768, "light") for name in (*_MIDDLE, "administrar", "tablero-3")),
    *((name, 768, "dark") for name in _MIDDLE[:1]),
    *((name, 1920, "light") for name in (*_WIDE, *_BOARDS)),
    *((name, 1920, "dark") for name in ("inicio", "reloj-en-curso")),
}
_TO_WEBP = """async ([png, quality]) => {
  const image = new Image();
  image.src = "data:image/png;base64," + png;
  await image.decode();
  const canvas = document.createElement("canvas");
  const share = Math.min(1, 1280 / image.width);
  canvas.width = image.width * share;
  canvas.height = image.height * share;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/webp", quality).split(",")[1];
}"""


class Camera:
    """A page for each role and scheme, and one that turns PNG into WebP."""

    def __init__(self, demo: Demo, browser: Browser, missing: bool) -> None:
        self.demo, self.browser, self.missing = demo, browser, missing
        self.pages: dict[tuple[str, str], Page] = {}
        self.converter = browser.new_page()
        self.problems: list[str] = []

    def page(self, role: str, scheme: str) -> Page:
        if (role, scheme) not in self.pages:
            context = self.browser.new_context(
                locale="es-CL",
                timezone_id="America/Santiago",
                color_scheme=scheme,  # type: ignore[arg-type]
                reduced_motion="reduce",
            )
            page = self.pages[role, scheme] = context.new_page()
            if role:
                self.demo.log_in(page, role)
            stop_polling(page)
        return self.pages[role, scheme]

    def take(self, sight: Sight) -> None:
        wanted = {
            (width, scheme)
            for width in SIZES
            for scheme in SCHEMES
            if not self.missing or self._lacks(sight.name, width, scheme)
        }
        if not wanted:
            return
        sight.prepare()
        for scheme in sorted({scheme for _, scheme in wanted}):
            page = self.page(sight.role, scheme)
            page.set_viewport_size({"width": 360, "height": 740})
            page.context.set_offline(False)  # the sight before may have cut it
            page.goto(self.demo.url + sight.path)
            if sight.act:
                sight.act(page)
            for width, height in SIZES.items():
                if (width, scheme) not in wanted:
                    continue
                page.set_viewport_size({"width": width, "height": height})
                self._shoot(sight, page, width, scheme)

    def _lacks(self, name: str, width: int, scheme: str) -> bool:
        path = GALLERY / f"{name}-{width}-{scheme}.webp"
        return (name, width, scheme) in SHOWN and not path.exists()

    def _shoot(self, sight: Sight, page: Page, width: int, scheme: str) -> None:
        name = f"{sight.name}-{width}-{scheme}"
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            self.problems.append(f"{name} is wider than the screen")
        page.screenshot(path=ALL / f"{name}.png", full_page=True)
        if (sight.name, width, scheme) in SHOWN:
            page.evaluate("scrollTo(0, 0)")
            self._keep(GALLERY / f"{name}.webp", page.screenshot())

    def _keep(self, path: Path, png: bytes) -> None:
        encoded = base64.b64encode(png).decode()
        for quality in (0.85, 0.7, 0.5, 0.35):
            webp = base64.b64decode(
                self.converter.evaluate(_TO_WEBP, [encoded, quality])
            )
            if len(webp) <= MAX_BYTES:
                break
        path.write_bytes(webp)


def sights(demo: Demo, only: str) -> Iterator[Sight]:
    for sight in chain(demo.sights(), demo.long_sights()):
        if only in sight.name:
            yield sight


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--missing", action="store_true")
    options = parser.parse_args()
    only = options.only
    for folder in (ALL, GALLERY):
        folder.mkdir(parents=True, exist_ok=True)
        for old in () if only or options.missing else folder.glob("*.*"):
            old.unlink()
    with running_demo() as demo, chrome() as browser:
        camera = Camera(demo, browser, options.missing)
        for sight in sights(demo, only):
            camera.take(sight)
            print(sight.name, flush=True)
    total = sum(path.stat().st_size for path in GALLERY.glob("*.webp"))
    print(f"{GALLERY.relative_to(ROOT)}: {total / 1024:.0f} KB; all pages: {ALL}")
    print("\n".join(camera.problems))
    return 1 if camera.problems else 0


if __name__ == "__main__":
    sys.exit(main())
