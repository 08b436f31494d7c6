"""Hostile signatures and a flood of forged notifications: nothing happens at all."""

import time
from typing import Any
from unittest import mock

from bench.torture.histories import quietly
from bench.torture.report import Line


def _hostile() -> int:
    """How many of the sixty forms are accepted by the view."""
    from hostile_signatures import FORMS, SECRET

    from portal.payments.gateways import mercadopago_signature

    return sum(
        mercadopago_signature.is_signed(signature, request_id, data_id, (SECRET,))
        for signature, request_id, data_id in FORMS
    )


def _variants(count: int) -> tuple[int, int]:
    """Random damage to good headers: how many were tried, how many accepted."""
    import random

    from hostile_signatures import DATA_ID, SECRET, sign

    from portal.payments.gateways.mercadopago_signature import is_signed

    chance = random.Random(20261124)
    good, accepted = sign(DATA_ID, SECRET), 0
    alphabet = "0123456789abcdefABCDEF=,;tsv1 \t\n\x00é"
    for _ in range(count):
        text = list(good)
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(text))
            act = chance.randrange(3)
            text[place : place + (act > 0)] = chance.choice(alphabet) * (act < 2)
        changed = "".join(text)
        # Blanks around the parts are allowed.
        if changed.replace(" ", "") != good:
            accepted += is_signed(changed, "r1", DATA_ID, (SECRET,))
    return count, accepted


def _flood(world: Any, count: int) -> tuple[int, int, int]:
    """Answers that were not 401, calls to the gateway, rows written."""
    from sqlalchemy import text

    placed = world.place()
    sent = world.start(placed, "mercadopago")
    paid = world.choose_mercadopago(sent.payment_id, "credit")
    calls, wrong = world.wire.sent, 0
    before = _rows(world, text)
    for number in range(count):
        status = world.notify(paid.payment_ids[0], number, forged=f"guess {number}")
        wrong += status != 401
    return wrong, world.wire.sent - calls, _rows(world, text) - before


def _rows(world: Any, text: Any) -> int:
    tables = ("notifications", "payments", "journal_entries", "outbox", "orders")
    with world.session() as session:
        return sum(
            session.scalar(text(f"SELECT COUNT(*) FROM {name}"))  # noqa: S608
            for name in tables
        )


def run(flood: int, variants: int) -> list[Line]:
    return list(quietly(lambda: _run(flood, variants)))


def _run(flood: int, variants: int) -> list[Line]:
    from bench.torture.worlds import world

    began = time.monotonic()
    accepted, (tried, slipped) = _hostile(), _variants(variants)
    with mock.patch(
        "portal.payments.gateways.mercadopago_signature._validates", _always
    ):
        control = _hostile()
    forms = Line(
        "firmas hostiles",
        f"{accepted} de 60 y {slipped} de {tried:,} variantes aceptadas",
        "0",
        f"sin comparar el HMAC: {control} de 60 aceptadas",
        accepted == slipped == 0 and control > 0,
        time.monotonic() - began,
    )
    began = time.monotonic()
    with world("sqlite") as made:
        wrong, calls, rows = _flood(made, flood)
        with mock.patch("portal.payments.views.is_signed", _always):
            _, asked, written = _flood(made, 20)
    return [
        forms,
        Line(
            "avisos falsos en masa",
            f"{flood:,} avisos: {wrong} aceptados, {calls} llamadas, {rows} filas",
            "0, 0, 0",
            f"sin revisar la firma: {asked} llamadas y {written} filas de 20",
            wrong == calls == rows == 0 and asked > 0 and written > 0,
            time.monotonic() - began,
        ),
    ]


def _always(*_arguments: object) -> bool:
    return True
