"""What is wrong now, in words, each with what to do. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.audit.watch_rules import MENDS, MERCADOPAGO_KEY, TITLES, WEBPAY_KEY, Finding

SHOWN_NUMBERS = 5


@dataclass(frozen=True, slots=True)
class Alert:
    """One line: `grave` is red; the link `href` reads `act`, when there is one."""

    key: str
    title: str
    text: str
    href: str = ""
    act: str = ""
    grave: bool = True


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What stands now. Numbers are those of orders, oldest first."""

    promises: Sequence[str]
    no_answers: Sequence[str]
    money: Sequence[str]
    unresolved: Sequence[str]
    refunds: Sequence[str]
    chargebacks: Sequence[str]
    mails: int
    stuck: bool
    backups_stopped: bool
    worker: str
    findings: Sequence[Finding]


def alerts(facts: Facts) -> list[Alert]:
    """Everything that is wrong, customers first; empty when all is well."""
    return [*_customers(facts), *_money(facts), *_machine(facts)]


def _numbers(numbers: Sequence[str]) -> str:
    """'1005', '1005 y 1009', '1001, 1002, 1003, 1004, 1005 y 3 más'."""
    shown = list(numbers[:SHOWN_NUMBERS])
    if len(numbers) > SHOWN_NUMBERS:
        return f"{', '.join(shown)} y {len(numbers) - SHOWN_NUMBERS} más"
    return " y ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


def _orders(numbers: Sequence[str]) -> str:
    word = "Pedido" if len(numbers) == 1 else "Pedidos"
    return f"{word} {_numbers(numbers)}."


def _customers(facts: Facts) -> list[Alert]:
    board = ("/tablero", "Ir al tablero")
    found = []
    if facts.promises:
        text = f"{_orders(facts.promises)} Llame ahora: su página ofrece la devolución."
        found.append(Alert("promesa", "No llamamos a tiempo", text, *board))
    if facts.no_answers:
        text = f"{_orders(facts.no_answers)} Llaman a los celulares y nadie contesta."
        found.append(Alert("no-contestan", "No le contestan al cliente", text, *board))
    return found


def _money(facts: Facts) -> list[Alert]:
    found = []
    if facts.money:
        title, text = "Dinero fuera de lugar", f"{_orders(facts.money)} Decida abajo."
        found.append(Alert("dinero-avisos", title, text, "#dinero", "Ver qué hacer"))
    if facts.refunds:
        title = "El medio de pago rechazó una devolución"
        text = f"{_orders(facts.refunds)} El cliente espera su dinero."
        where = ("#devoluciones", "Ver qué hacer")
        found.append(Alert("rechazadas", title, text, *where))
    found += [_chargeback(number) for number in facts.chargebacks]
    if facts.unresolved:
        text = f"{_orders(facts.unresolved)} Nadie sabe todavía si se pagó."
        where = ("#dinero", "Ver qué hacer")
        found.append(Alert("sin-respuesta", "Pago sin respuesta", text, *where, False))
    return found


def _chargeback(number: str) -> Alert:
    return Alert(
        f"contracargo-{number}",
        "El banco le quitó un pago (contracargo)",
        f"Pedido {number}. Responda en el panel del medio de pago con lo que se hizo y "
        "los términos aceptados; este aviso se va cuando deje una nota en el pedido.",
        f"/administrar/pedidos/{number}#notas",
        "Ver el pedido y anotar",
    )


def _machine(facts: Facts) -> list[Alert]:
    found = []
    if facts.worker:
        text = (
            f"{facts.worker} Mientras tanto no salen correos ni se pregunta a los "
            "medios de pago. Pida a quien mantiene el servidor que parta «flask "
            "worker»."
        )
        found.append(Alert("salud", "El trabajo de fondo está detenido", text))
    if facts.stuck and not facts.mails and not facts.worker:
        text = "Pida a quien mantiene el servidor que revise el servidor de correo."
        found.append(Alert("salud-correos", "Los correos están detenidos", text))
    if facts.mails:
        title = "Un correo no sale" if facts.mails == 1 else "Hay correos que no salen"
        where = ("#correos", "Ver cuáles")
        text = "El portal sigue intentando. Puede que la dirección esté mal escrita."
        found.append(Alert("correos-avisos", title, text, *where, False))
    if facts.backups_stopped:
        text = (
            "Hace más de un día que no se hace un respaldo bueno. Pida a quien "
            "mantiene el servidor que lo revise hoy."
        )
        found.append(Alert("respaldos", "No hay respaldos nuevos", text))
    keys = (MERCADOPAGO_KEY, WEBPAY_KEY)
    review = ("/administrar/revision", "Ir a Revisión")
    found += [
        Alert(
            it.kind,
            TITLES[it.kind],
            f"{it.words} {MENDS[it.kind]}",
            *(review if it.kind in keys else ()),
        )
        for it in facts.findings
        if it.is_trouble
    ]
    return found


def requests_alert(due: int) -> list[Alert]:
    """Requests over personal data whose term ends today or tomorrow, or has ended."""
    if not due:
        return []
    count = "Una solicitud" if due == 1 else f"{due} solicitudes"
    text = f"{count} con el plazo de la ley vencido o por vencer. Contéstela hoy."
    if due > 1:
        text = text.replace("Contéstela", "Contéstelas")
    where = ("/administrar/datos", "Ver y contestar")
    return [Alert("datos-personales", "Piden algo sobre sus datos", text, *where)]


def worker_words(stopped: bool, age: int | None, ago: str) -> str:
    """How long the worker has been silent; empty while it works."""
    if not stopped:
        return ""
    return "Nunca ha dado señales." if age is None else f"Su última señal fue {ago}."
